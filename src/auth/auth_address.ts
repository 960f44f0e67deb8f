/**
 * Which addresses may be asked on the way to a token. They come from servers, so they are strangers' words.
 *
 * @module
 */

import { checkServerUrl } from "../config/server_address.ts";

/** Whom the operator trusts. */
export interface AddressRules {
  /** The endpoint of the MCP server: its origin is the operator's own choice. */
  readonly serverUrl: URL;
  /** The authorization servers that the operator lists; their origins are trusted. */
  readonly issuers: readonly string[];
  /** Whether loopback and private addresses are allowed. */
  readonly allowPrivate: boolean;
}

/**
 * Checks a URL that a server names: https, without userinfo, and not to a special address; http to loopback alone,
 * where that is allowed. The origins of the server and of the listed authorization servers may be special.
 *
 * @param text The URL as it was named.
 * @param rules Whom the operator trusts.
 * @returns The URL without its fragment; or why not, which quotes nothing of the URL.
 */
export function checkAuthUrl(text: string, rules: AddressRules): string | URL {
  const url = checkServerUrl(text, { allowPrivate: true });
  if (typeof url === "string") return "a URL that it names cannot be used as one";
  const isLoopback = typeof checkServerUrl(text, { allowPrivate: true, allowLoopback: false }) === "string";
  if (url.protocol !== "https:" && !isLoopback) return "a URL that it names is not https";
  if (rules.allowPrivate || isTrustedOrigin(url, rules)) return url;
  const isSpecial = typeof checkServerUrl(text, { allowLoopback: false }) === "string";
  return isSpecial ? 'a URL that it names leads to a private address: list it under "issuers" to trust it' : url;
}

/**
 * Whether a URL is of the server's origin, or of one that the operator lists.
 *
 * @param url The URL.
 * @param rules Whom the operator trusts.
 * @returns Whether it is.
 */
export function isTrustedOrigin(url: URL, rules: AddressRules): boolean {
  return url.origin === rules.serverUrl.origin ||
    rules.issuers.some((issuer) => URL.parse(issuer)?.origin === url.origin);
}
