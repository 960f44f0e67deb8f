/**
 * The way out to the issuer of callers' tokens: for its public keys, and for its metadata that says where they are.
 *
 * @module
 */

import { type AddressRules, checkAuthUrl } from "../auth/auth_address.ts";
import { toMetadataUrls } from "../auth/metadata_urls.ts";
import type { JwtConfig } from "../config/jwt_config.ts";
import { readTextWithin } from "../connection/body_reader.ts";
import { Deadline } from "../deadline.ts";
import { isJsonObject, type JsonObject, parseJsonObject } from "../protocol.ts";

/** How keys are fetched. */
export interface LoadKeysOptions {
  /** The `fetch` underneath. */
  readonly fetch: typeof fetch;
  /** The longest that it may take, in milliseconds. @default {5_000} */
  readonly timeoutMs?: number | undefined;
}

const MAX_BODY_BYTES = 262_144;
const MAX_KEYS = 64;

/**
 * Fetches the public keys of an issuer: from the configured URL, or from the one that its metadata names. The latter
 * leads to no private address, unless it is of the issuer's own origin or the operator allows it. No redirect is
 * followed.
 *
 * @param config The issuer.
 * @param options The way out.
 * @returns The key set, with at most 64 keys.
 * @throws {Error} If it cannot be had; the message holds nothing that was sent.
 */
export async function loadIssuerKeys(
  config: JwtConfig,
  options: LoadKeysOptions,
): Promise<{ readonly keys: readonly JsonObject[] }> {
  const { fetch, timeoutMs = 5_000 } = options;
  using deadline = new Deadline(timeoutMs);
  const rules: AddressRules = {
    serverUrl: new URL(config.jwksUrl ?? config.issuer),
    issuers: [config.issuer],
    allowPrivate: config.allowPrivate ?? false,
  };
  const get = (url: string) => deadline.race(fetchJson(url, rules, fetch, deadline.signal));
  const url = config.jwksUrl ?? await findKeysUrl(config.issuer, get);
  const json = await get(url);
  if (!Array.isArray(json?.keys)) throw new Error("The issuer has no key set where it should be");
  return { keys: json.keys.filter(isJsonObject).slice(0, MAX_KEYS) };
}

async function findKeysUrl(
  issuer: string,
  get: (url: string) => Promise<JsonObject | undefined>,
): Promise<string> {
  for (const url of toMetadataUrls(issuer) ?? []) {
    const metadata = await get(url);
    // Only what says that it is of this very issuer speaks for it (RFC 8414, section 3.3).
    if (metadata?.issuer === issuer && typeof metadata.jwks_uri === "string") return metadata.jwks_uri;
  }
  throw new Error("The issuer has no metadata that names its keys");
}

/** One document; `undefined` where there is none. */
async function fetchJson(
  text: string,
  rules: AddressRules,
  send: typeof fetch,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const url = checkAuthUrl(text, rules);
  if (typeof url === "string") throw new Error("The issuer names a URL that may not be asked");
  const response = await send(url, { headers: { accept: "application/json" }, redirect: "manual", signal });
  const { status, body } = response;
  if (status !== 200 || body === null) {
    await body?.cancel();
    if (status >= 500 || status === 429) throw new Error(`The issuer answered with HTTP ${status}`);
    return undefined;
  }
  const json = await readTextWithin(response, body, MAX_BODY_BYTES);
  if (json === undefined) throw new Error("The issuer's answer is too large");
  return parseJsonObject(json);
}
