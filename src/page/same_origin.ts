/**
 * Whether a form was sent from a page of the gateway itself.
 *
 * @module
 */

/**
 * Whether a request comes from a page of the same origin. A browser says so in one header or the other; whoever says
 * neither is refused.
 *
 * @param request The request.
 * @returns Whether it does.
 */
export function isFromOwnPage(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") return false;
  const origin = request.headers.get("origin");
  if (origin === null) return site !== null;
  const host = request.headers.get("host") ?? new URL(request.url).host;
  // Only the host is compared: a proxy in front may speak https where the gateway sees http.
  return URL.canParse(origin) && new URL(origin).host === new URL(`${new URL(origin).protocol}//${host}`).host;
}

/**
 * Whether the browser speaks https to the gateway, or to the proxy in front of it.
 *
 * @param request The request; one that sends a form.
 * @param publicUrl Where callers reach the gateway, where that is known.
 * @returns Whether it does.
 */
export function isSecure(request: Request, publicUrl: string | undefined): boolean {
  return [publicUrl, request.headers.get("origin"), request.url].some((url) => url?.startsWith("https:") === true);
}
