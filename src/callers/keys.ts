/**
 * Bearer keys, bound to agents. Only their SHA-256 digests are kept.
 *
 * @module
 */

import { sha256Hex } from "../cache/sha256.ts";
import type { Authenticator } from "./access.ts";

const DIGEST = /^sha256:([0-9a-f]{64})$/i;
// The token of RFC 6750, section 2.1; longer ones than any key are not hashed.
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]{1,1024}=*)$/i;

/**
 * Whether a text is the digest of a key.
 *
 * @param text Any text.
 * @returns Whether it is `sha256:` and 64 hexadecimal digits.
 */
export function isKeyDigest(text: string): boolean {
  return DIGEST.test(text);
}

/**
 * The digest of a key: what the configuration holds instead of the key.
 *
 * @example
 * ```ts
 * import { digestKey } from "@portolan/mcp/gateway";
 * import { assertMatch } from "@std/assert";
 *
 * const key = crypto.randomUUID();
 * // The digest goes into the configuration, the key goes to the caller.
 * assertMatch(await digestKey(key), /^sha256:[0-9a-f]{64}$/);
 * ```
 *
 * @param key The key, as the caller sends it.
 * @returns `sha256:` and 64 hexadecimal digits.
 */
export async function digestKey(key: string): Promise<string> {
  return `sha256:${await sha256Hex(key)}`;
}

/**
 * Creates the keys of a gateway.
 *
 * @param digests Digests of keys by agent; those under `*` open every agent.
 * @returns Who knows their callers.
 * @throws {TypeError} If a digest is not `sha256:` and 64 hexadecimal digits.
 */
export function createKeyRing(digests: Readonly<Record<string, readonly string[]>>): Authenticator {
  const entries = Object.entries(digests).flatMap(([agent, list]) =>
    list.map((digest) => {
      const hex = DIGEST.exec(digest)?.[1];
      if (hex === undefined) {
        throw new TypeError(`Cannot use a key of agent "${agent}" as it is not "sha256:" and 64 hexadecimal digits`);
      }
      return { agent, hex: hex.toLowerCase() };
    })
  );
  return {
    async authenticate(authorization) {
      const token = BEARER.exec(authorization ?? "")?.[1];
      if (token === undefined) return undefined;
      const hex = await sha256Hex(token);
      // Every digest is compared in full: the time tells neither how far one matched nor which one did.
      const matches = entries.map((entry) => isSameText(entry.hex, hex));
      const agents = entries.filter((_, index) => matches[index]).map((entry) => entry.agent);
      if (agents.length === 0) return undefined;
      const isAdmin = agents.includes("*");
      // A part of the digest tells keys apart, and no key can be found from it.
      return { caller: `key:${hex.slice(0, 16)}`, agents: isAdmin ? "*" : new Set(agents), isAdmin };
    },
  };
}

function isSameText(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}
