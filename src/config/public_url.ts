/**
 * Where callers reach the gateway.
 *
 * @module
 */

import { checkServerUrl } from "./server_address.ts";
import { type FieldCheck, readPlainText } from "./server_fields.ts";

const WANTED = "an origin such as https://mcp.example.com";

/**
 * Checks the public URL of a gateway: an origin, https but on loopback. Tokens are made out to it.
 *
 * @param text The URL as it was written.
 * @returns The origin; or a fault text in an object, which quotes nothing of the URL.
 */
export function parsePublicUrl(text: string): string | { readonly fault: string } {
  const url = checkServerUrl(text, { allowPrivate: true });
  if (typeof url === "string") return { fault: `Cannot be used as a URL: write ${WANTED}` };
  if (url.pathname !== "/" || url.search !== "" || text.includes("#")) {
    return { fault: `Cannot have a path, a query or a fragment: write ${WANTED}` };
  }
  const isLoopback = typeof checkServerUrl(text, { allowPrivate: true, allowLoopback: false }) === "string";
  if (url.protocol !== "https:" && !isLoopback) return { fault: "Cannot use http but on loopback: write an https URL" };
  return url.origin;
}

/**
 * Reads the public URL of a gateway.
 *
 * @param value The URL as it was written.
 * @param path Where it is.
 * @param check The environment, and who takes the faults.
 * @returns The origin; or `undefined` after a fault.
 */
export function readPublicUrl(value: unknown, path: string, check: FieldCheck): string | undefined {
  const text = readPlainText(value, path, WANTED, check);
  const url = text === undefined ? undefined : parsePublicUrl(text);
  if (typeof url !== "object") return url;
  check.faults.add(path, url.fault);
  return undefined;
}
