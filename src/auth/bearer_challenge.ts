/**
 * Reads what a server asks for in `www-authenticate` (RFC 9110, section 11.6.1).
 *
 * @module
 */

/** What a server asks of a bearer of tokens. */
export interface BearerChallenge {
  /** Where the metadata of the resource is (RFC 9728). */
  readonly resourceMetadata: string | undefined;
  /** The scopes that the request needs, as the server wrote them. */
  readonly scope: string | undefined;
  /** Why the request was refused. */
  readonly error: string | undefined;
}

const MAX_LENGTH = 8_192;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const PARAM = /[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/y;
const TOKEN68 = /[ \t]+[0-9A-Za-z._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const SEPARATORS = /[\s,]*/y;

/**
 * Reads the first challenge for a bearer token.
 *
 * @param header The header's value, several of them joined by commas; or `undefined`.
 * @returns What it asks for; nothing where it is no such challenge, or cannot be read.
 */
export function parseBearerChallenge(header: string | undefined): BearerChallenge {
  const found = new Map<string, string>();
  const text = header ?? "";
  let scheme = "";
  for (let at = 0; at < text.length && text.length <= MAX_LENGTH;) {
    at += match(SEPARATORS, text, at)?.[0].length ?? 0;
    const name = match(TOKEN, text, at)?.[0];
    if (name === undefined) break;
    at += name.length;
    const param = match(PARAM, text, at);
    if (param !== undefined && scheme !== "") {
      at += param[0].length;
      const value = param[1]?.replaceAll(/\\(.)/g, "$1") ?? param[2] ?? "";
      if (scheme === "bearer" && !found.has(name.toLowerCase())) found.set(name.toLowerCase(), value);
    } else {
      // A second challenge for the same kind of token is another offer, not more of the first.
      if (scheme === "bearer") break;
      scheme = name.toLowerCase();
      at += match(TOKEN68, text, at)?.[0].length ?? 0;
    }
  }
  return {
    resourceMetadata: found.get("resource_metadata"),
    scope: found.get("scope"),
    error: found.get("error"),
  };
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
