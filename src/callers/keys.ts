/**
 * Bearer keys, bound to agents. Only their SHA-256 digests are kept; a key itself is held for a few seconds of
 * its use. That is enough for keys that nobody can guess: a slow hash makes guessing dear, and here it would make every
 * request dear. So keys have to be random, of 128 bits or more; those that the gateway creates have 256.
 *
 * @module
 */

import { sha256Hex } from "../cache/sha256.ts";
import { describeTooManyKeys, isKeyDigest, isKeyId, type KeyConfig, parseKeyEnd } from "../config/key_config.ts";
import { RequestError } from "../gateway/request_error.ts";
import type { Access, Authenticator } from "./access.ts";
import type { KeyBook } from "./key_book.ts";
import { KeyDigests } from "./key_digests.ts";
import { type KeyRecord, keysOf, markOf, revokedAt, type StoredKey } from "./key_record.ts";

/**
 * Where a key is from: a configuration file, the environment, the code that made the gateway, or the store, where
 * those are that were created at run time.
 */
export type KeySource = "file" | "env" | "code" | "store";

/**
 * A key of a gateway, by its digest.
 *
 * @example
 * ```ts
 * import { digestKey, type GatewayKey } from "@portolan/mcp/gateway";
 *
 * const key: GatewayKey = { digest: await digestKey("a key"), id: "kairos-2027", source: "file" };
 * ```
 */
export interface GatewayKey extends KeyConfig {
  /** Where it is from, for the list of keys. @default {"code"} */
  readonly source?: "file" | "env" | "code" | undefined;
}

/** A key of the configuration, checked. */
export interface ConfiguredKey {
  /** The agent that it opens; `*` for all. */
  readonly agent: string;
  /** Its digest, as 64 lower-case hexadecimal digits. */
  readonly digest: string;
  /** Its name. */
  readonly id: string;
  /** When it ends, in milliseconds since the epoch; `undefined` for never. */
  readonly expiresAtMs: number | undefined;
  /** Where it is from. */
  readonly source: KeySource;
}

/** What every key begins with that was created at run time. */
export const CREATED_KEY_PREFIX = "ptl_";

const KEY_BYTES = 32;
const RETRY_AFTER_MS = 1_000;
// The token of RFC 6750, section 2.1; longer ones than any key or token are not hashed.
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]{1,8192}=*)$/i;

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
 * A new key, of 256 random bits.
 *
 * @returns The key; nobody else knows it.
 */
export function createKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return CREATED_KEY_PREFIX + bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The credential in an `Authorization` header.
 *
 * @param authorization The header's value, or nothing where there is none.
 * @returns The key or token; `undefined` where there is none that could be one.
 */
export function readBearer(authorization: string | null | undefined): string | undefined {
  return BEARER.exec(authorization ?? "")?.[1];
}

/**
 * Checks the keys of a configuration.
 *
 * @param keys The keys by agent; those under `*` open every agent.
 * @param nowMs The time, in milliseconds since the epoch.
 * @returns The keys, those that stand there twice once, with the earlier end.
 * @throws {TypeError} If a digest, an id or an end is malformed, or an agent has more than two keys that are good.
 */
export function toConfiguredKeys(
  keys: Readonly<Record<string, readonly (string | GatewayKey)[]>>,
  nowMs: number,
): readonly ConfiguredKey[] {
  return Object.entries(keys).flatMap(([agent, list]) => {
    const found = new Map<string, ConfiguredKey>();
    for (const item of list) {
      const key = toConfiguredKey(agent, typeof item === "string" ? { digest: item } : item);
      const other = found.get(key.digest);
      const expiresAtMs = earlier(key.expiresAtMs, other?.expiresAtMs);
      found.set(key.digest, { ...key, ...other, expiresAtMs });
    }
    const good = [...found.values()].filter((key) => !hasEnded(key, nowMs));
    const fault = describeTooManyKeys(agent, good.length);
    if (fault !== undefined) throw new TypeError(fault);
    return [...found.values()];
  });
}

function toConfiguredKey(agent: string, key: GatewayKey): ConfiguredKey {
  const refuse = (why: string) => new TypeError(`Cannot use a key of agent "${agent}" as ${why}`);
  if (!isKeyDigest(key.digest)) throw refuse('it is not "sha256:" and 64 hexadecimal digits');
  const digest = key.digest.slice("sha256:".length).toLowerCase();
  const { id = markOf(digest), expiresAt, source = "code" } = key;
  if (!isKeyId(id)) throw refuse("its id has other characters than letters, digits, and some of ._-");
  const expiresAtMs = expiresAt === undefined ? undefined : parseKeyEnd(expiresAt);
  if (expiresAt !== undefined && expiresAtMs === undefined) throw refuse("its end is no ISO date");
  return { agent, digest, id, expiresAtMs, source };
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/**
 * Whether a key has ended.
 *
 * @param key The key.
 * @param nowMs The time, in milliseconds since the epoch.
 * @returns Whether its end has come.
 */
export function hasEnded(key: { readonly expiresAtMs?: number | undefined }, nowMs: number): boolean {
  return key.expiresAtMs !== undefined && key.expiresAtMs <= nowMs;
}

/** What the keys of a gateway work with. */
export interface KeyRingDeps {
  /** The keys of the configuration. */
  readonly configured: readonly ConfiguredKey[];
  /** The keys of the store, and what was revoked. */
  readonly book: KeyBook;
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Compares two digests in constant time. @default {word by word} */
  readonly isSame?: ((left: Int32Array, right: Int32Array) => boolean) | undefined;
}

interface Entry {
  readonly agent: string;
  /** A part of the digest tells keys apart, and no key can be found from it. */
  readonly caller: string;
  readonly words: Int32Array;
  readonly expiresAtMs: number | undefined;
  readonly isRevoked: boolean;
}

/**
 * Creates the keys of a gateway. A key that has ended or was revoked is like one that never was.
 *
 * @param deps The keys, and what they work with.
 * @returns Who knows their callers.
 */
export function createKeyRing(deps: KeyRingDeps): Authenticator {
  const { configured, book, now, isSame = isSameDigest } = deps;
  const digests = new KeyDigests(now);
  let entries: readonly Entry[] = [];
  let entriesOf: KeyRecord | undefined;
  return {
    async authenticate(authorization) {
      const token = readBearer(authorization);
      const record = await book.read();
      if (record !== entriesOf) [entries, entriesOf] = [toEntries(configured, record), record];
      if (token === undefined) return undefined;
      const words = await digests.digest(token);
      // Every digest is compared in full, of whatever agent: the time tells neither how far one matched nor which did.
      const matches = entries.filter((entry) => isSame(entry.words, words));
      const nowMs = now();
      const [first, ...others] = matches.filter((entry) => !entry.isRevoked && !hasEnded(entry, nowMs));
      if (first !== undefined) {
        digests.keep(token, words);
        return toAccess(first, others);
      }
      if (!book.isKnown && token.startsWith(CREATED_KEY_PREFIX)) {
        throw new RequestError(
          "callers_unavailable",
          "Cannot tell whether the key is good as the store of keys does not answer: send the request again",
          { retryAfterMs: RETRY_AFTER_MS },
        );
      }
      return undefined;
    },
  };
}

/** What the entries of one key open together. */
function toAccess(first: Entry, others: readonly Entry[]): Access {
  const agents = [first, ...others].map(({ agent }) => agent);
  const isAdmin = agents.includes("*");
  return { caller: first.caller, agents: isAdmin ? "*" : new Set(agents), isAdmin };
}

function toEntries(configured: readonly ConfiguredKey[], record: KeyRecord): readonly Entry[] {
  const toEntry = (agent: string, key: ConfiguredKey | StoredKey): Entry => ({
    agent,
    caller: `key:${markOf(key.digest)}`,
    words: toWords(key.digest),
    expiresAtMs: key.expiresAtMs,
    isRevoked: revokedAt(keysOf(record, agent), key.digest) !== undefined,
  });
  return [
    ...configured.map((key) => toEntry(key.agent, key)),
    ...[...record.agents].flatMap(([agent, { keys }]) => keys.map((key) => toEntry(agent, key))),
  ];
}

function toWords(hex: string): Int32Array {
  return new Int32Array(Uint8Array.fromHex(hex).buffer);
}

function isSameDigest(left: Int32Array, right: Int32Array): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}
