/**
 * Checks the single texts of a server's `auth`.
 *
 * @module
 */

import { checkServerUrl } from "../config/server_address.ts";
import { parseScope } from "./scopes.ts";

/** How many characters the name of a client may have. */
export const MAX_NAME_LENGTH = 128;
/** The algorithms of a client's private key. */
export const ALGORITHMS: readonly string[] = [
  "ES256",
  "ES384",
  "ES512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "EdDSA",
];
const CHECKS: Readonly<Record<string, (text: string) => string | undefined>> = {
  clientId: checkVisible,
  clientSecret: checkVisible,
  privateKey: checkPrivateKey,
  algorithm: (text) =>
    ALGORITHMS.includes(text) ? undefined : `Unknown algorithm: write one of ${ALGORITHMS.join(", ")}`,
  scope: checkScope,
  redirectUrl: (text) => checkHttps(text) ?? checkPlain(text, "#"),
  clientMetadataUrl: checkMetadataUrl,
  clientName: (text) =>
    text.trim() !== "" && text.length <= MAX_NAME_LENGTH
      ? undefined
      : `Cannot be a name: write 1 to ${MAX_NAME_LENGTH} characters`,
  issuers: (text) => checkHttps(text) ?? checkPlain(text, "?#"),
};

/**
 * Checks a text.
 *
 * @param key The key that it stands under.
 * @param text The whole text, which may be a secret.
 * @returns A fault, which quotes nothing of the text; or `undefined`.
 */
export function checkAuthText(key: string, text: string): string | undefined {
  return text === "" ? "Cannot be empty: write it, or remove the key" : CHECKS[key]?.(text);
}

/** RFC 6749, appendix A: id and secret are visible ASCII and spaces. */
function checkVisible(text: string): string | undefined {
  return /^[\x20-\x7e]{1,4096}$/.test(text)
    ? undefined
    : "Cannot be used as it holds other characters than visible ASCII";
}

function checkPrivateKey(text: string): string | undefined {
  if (/^\s*(?:\{|-----BEGIN PRIVATE KEY-----)/.test(text)) return undefined;
  return 'Cannot be a private key: write PKCS #8 as PEM ("-----BEGIN PRIVATE KEY-----"), or a JWK as JSON';
}

function checkScope(text: string): string | undefined {
  const isScope = parseScope(text).join(" ") === text;
  return isScope
    ? undefined
    : "Cannot be a scope: write up to 100 different words of 8,192 characters together, with single spaces between them";
}

/** A URL of the operator's own: https, or http on this machine. */
function checkHttps(text: string): string | undefined {
  const url = checkServerUrl(text, { allowPrivate: true });
  if (typeof url === "string") return url;
  const isLoopback = typeof checkServerUrl(text, { allowPrivate: true, allowLoopback: false }) === "string";
  return url.protocol === "https:" || isLoopback
    ? undefined
    : "Cannot use http here but on loopback: write an https URL";
}

function checkPlain(text: string, excluded: string): string | undefined {
  const found = [...excluded].find((char) => text.includes(char));
  return found === undefined ? undefined : `Cannot use a URL with ${found === "#" ? "a fragment" : "a query"} here`;
}

function checkMetadataUrl(text: string): string | undefined {
  const fault = checkHttps(text) ?? checkPlain(text, "#");
  if (fault !== undefined) return fault;
  const { protocol, pathname } = new URL(text);
  return protocol === "https:" && pathname !== "/"
    ? undefined
    : "Cannot be a client's id: write an https URL with a path";
}
