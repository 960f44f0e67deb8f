/**
 * Whether the URL of a server may be dialled.
 *
 * @module
 */

import { specialKindOf } from "./special_address.ts";

const MAX_URL_LENGTH = 8_192;

/** What the address of a server may be. */
export interface ServerUrlOptions {
  /** Whether private, link-local and other special addresses are allowed. @default {false} */
  readonly allowPrivate?: boolean | undefined;
  /** Whether this machine is allowed; `false` for an address that did not come from the operator. @default {true} */
  readonly allowLoopback?: boolean | undefined;
}

/**
 * Checks the URL of a server: http or https, without userinfo, and not to a special address unless allowed. An
 * address is recognised in every spelling that a URL has for it (decimal, hexadecimal, octal, IPv4 in IPv6); a
 * host's name is not looked up.
 *
 * @example
 * ```ts
 * import { checkServerUrl } from "./server_address.ts";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * assertInstanceOf(checkServerUrl("http://localhost:8000/mcp"), URL);
 * assertEquals(typeof checkServerUrl("http://0xA000001/mcp"), "string");
 * ```
 *
 * @param text The URL as it was written.
 * @param options Which special addresses are allowed.
 * @returns The URL without its fragment; or a fault text, which quotes nothing of the URL.
 */
export function checkServerUrl(text: string, options: ServerUrlOptions = {}): string | URL {
  const { allowPrivate = false, allowLoopback = true } = options;
  if (text.length > MAX_URL_LENGTH) {
    return `Cannot use as a URL as it has ${text.length} characters: write at most ${MAX_URL_LENGTH}`;
  }
  // deno-lint-ignore no-control-regex
  if (/[\s\x00-\x20\x7f]/.test(text)) return "Cannot use as a URL as it holds white space: write it without";
  const parsed = URL.parse(text);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || !/^https?:\/\//i.test(text)) {
    return 'Cannot use as a URL: write one that starts with "https://" or "http://"';
  }
  // An empty userinfo vanishes when the URL is parsed, so the text is asked too.
  if (parsed.username !== "" || parsed.password !== "" || /^[^:]*:[/\\]*[^/\\?#]*@/.test(text)) {
    return 'Cannot use a URL with a user name or password: write them as "authorization" under "headers"';
  }
  const kind = specialKind(parsed.hostname);
  if (kind === "loopback" ? !allowLoopback : kind !== undefined && !allowPrivate) {
    return kind === "loopback"
      ? "Cannot use a loopback address here: write a public one"
      : `Cannot use a special address (${kind}): write a public one, or "allowPrivate: true" beside it`;
  }
  parsed.hash = "";
  return parsed;
}

/** What is special about a host, or `undefined` for a public address and for a name. */
function specialKind(hostname: string): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (host === "localhost" || host.endsWith(".localhost")) return "loopback";
  return specialKindOf(host);
}
