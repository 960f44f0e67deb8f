/**
 * Under which key the route cache keeps the tools of one server of one agent.
 *
 * @module
 */

import { sha256Hex, toHex } from "./sha256.ts";

/**
 * A key of the route cache. It says who asks whom and how, in a form that opens no door: the URL only as a hash, the
 * credential only as a keyed fingerprint, and nothing that a server says of itself.
 */
export type ServerCacheKey = readonly [
  version: "v1",
  kind: "tools",
  agent: string,
  server: string,
  url: string,
  credential: string,
];

/** What a {@linkcode ServerCacheKey} is made of. */
export interface ServerCacheKeyParts {
  /** The agent's configured name. */
  readonly agent: string;
  /** The server's configured name. */
  readonly server: string;
  /** The URL that is dialled. */
  readonly url: string;
  /** The headers that authenticate the agent, as canonical text. Empty or `undefined`: none are sent. */
  readonly credential?: string | undefined;
  /**
   * The secret key of the fingerprint, at least 16 bytes, the same in all isolates. Without it the fingerprint is
   * keyed by public text alone, so that who reads the store can test guesses of a credential.
   */
  readonly fingerprintKey?: Uint8Array | undefined;
}

const MIN_FINGERPRINT_KEY_BYTES = 16;
const MAX_NAME_BYTES = 128;
const DIGITS = 32;

/**
 * Makes the key of one server of one agent.
 *
 * @param parts Who asks whom and how.
 * @returns The key. Different parts give different keys.
 * @throws {RangeError} If the fingerprint key is shorter than 16 bytes.
 */
export async function toServerCacheKey(parts: ServerCacheKeyParts): Promise<ServerCacheKey> {
  const { agent, server, url, credential = "", fingerprintKey } = parts;
  if (fingerprintKey !== undefined && fingerprintKey.byteLength < MIN_FINGERPRINT_KEY_BYTES) {
    throw new RangeError(
      `Cannot use a fingerprint key of less than ${MIN_FINGERPRINT_KEY_BYTES} bytes: ${fingerprintKey.byteLength}`,
    );
  }
  const [agentPart, serverPart, urlHash, fingerprint] = await Promise.all([
    toNamePart(agent),
    toNamePart(server),
    sha256Hex(url),
    credential === "" ? "anonymous" : toFingerprint([agent, server, url, credential], fingerprintKey),
  ]);
  return ["v1", "tools", agentPart, serverPart, urlHash.slice(0, DIGITS), fingerprint.slice(0, DIGITS)];
}

// Bound to agent, server and URL, so that equal credentials of two servers cannot be told from their keys.
async function toFingerprint(bound: readonly string[], secret: Uint8Array | undefined): Promise<string> {
  const encoder = new TextEncoder();
  const raw = secret === undefined ? encoder.encode("portolan route cache v1") : new Uint8Array(secret);
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return toHex(await crypto.subtle.sign("HMAC", key, encoder.encode(JSON.stringify(bound))));
}

// A name that a store could refuse or confuse with another is replaced by its hash; JSON escapes lone surrogates.
async function toNamePart(name: string): Promise<string> {
  const plain = name.isWellFormed() && !name.startsWith("sha256:") &&
    new TextEncoder().encode(name).byteLength <= MAX_NAME_BYTES;
  return plain ? name : `sha256:${await sha256Hex(JSON.stringify(name))}`;
}
