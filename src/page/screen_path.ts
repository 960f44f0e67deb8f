/**
 * Where somebody goes on after a form.
 *
 * @module
 */

/** Below which paths there are screens. */
const SCREENS = ["/ui/activity", "/ui/agents/"];

/**
 * The path of a screen of the page, from what a request says of itself.
 *
 * @param url The request's own URL.
 * @param said The URL or the path that it tells, such as that which a form was shown at.
 * @returns The path with its query; that of the first screen where there is no such one.
 */
export function toScreenPath(url: string, said: string | null | undefined): string {
  if (said === null || said === undefined || !URL.canParse(said, url)) return "/";
  const { host, pathname, search } = new URL(said, url);
  const isScreen = pathname === "/docs" || SCREENS.some((screen) => pathname.startsWith(screen));
  return isScreen && host === new URL(url).host ? pathname + search : "/";
}
