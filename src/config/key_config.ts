/**
 * What a configuration says of the gateway's keys: their digests, and by what name and for how long each is good.
 *
 * @module
 */

import { addWrongType, checkKeys, keyPath, quote, readList, readMapping } from "./config_checks.ts";
import { type FieldCheck, readPlainText } from "./server_fields.ts";

/**
 * One key of the gateway, by its digest. The key itself is nowhere but with its caller.
 *
 * @example
 * ```ts
 * import { createGateway, digestKey, type KeyConfig } from "@portolan/mcp/gateway";
 * import { MCPClientManager } from "@portolan/mcp";
 *
 * await using directory = new MCPClientManager({ agents: { Kairos: { servers: {} } } });
 * const old: KeyConfig = { digest: await digestKey("the old key"), id: "2026", expiresAt: "2027-01-31" };
 * const young: KeyConfig = { digest: await digestKey("the new key"), id: "2027" };
 * createGateway({ directory }, { keys: { Kairos: [old, young] } });
 * ```
 */
export interface KeyConfig {
  /** `sha256:` and the 64 hex digits of the SHA-256 of the key. */
  readonly digest: string;
  /** The name to see and to revoke it by. @default {the first 16 hex digits of the digest} */
  readonly id?: string | undefined;
  /**
   * When it ends, as an ISO date, whose first moment in UTC is meant, or as a date with a time and a zone. An ended key
   * is refused like an unknown one. @default {never}
   */
  readonly expiresAt?: string | undefined;
}

/** How many keys of one agent may be good at the same time: the one that goes and the one that comes. */
export const MAX_ACTIVE_KEYS = 2;

/** The keys of a mapping about a key. */
export const KEY_KEYS = ["digest", "id", "expiresAt"] as const satisfies readonly (keyof KeyConfig)[];

const DIGEST = /^sha256:[0-9a-f]{64}$/i;
const WANTED = '"sha256:" and the 64 hex digits of the digest of a key';
const WANTED_END = "a date such as 2027-01-31, or a time with its zone such as 2027-01-31T12:00:00Z";

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
 * Whether a text may be the id of a key.
 *
 * @param text Any text.
 * @returns Whether it is a letter or a digit, then up to 63 more, `.`, `_` or `-`.
 */
export function isKeyId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text);
}

/**
 * Reads when a key ends.
 *
 * @param text An ISO date, or a date with a time and a zone.
 * @returns The time, in milliseconds since the epoch; or `undefined` where it is none.
 */
export function parseKeyEnd(text: string): number | undefined {
  const isDate = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  // The runtime takes the 31st of every month for a date.
  const day = isDate ? new Date(`${text.slice(0, 10)}T00:00:00Z`) : undefined;
  if (day === undefined || Number.isNaN(day.getTime()) || !day.toISOString().startsWith(text.slice(0, 10))) {
    return undefined;
  }
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * Reads the keys of an agent: a list of digests, each alone or in a mapping with an `id` and an end.
 *
 * @param value The keys as they were written.
 * @param path Where they are.
 * @param check The environment, and who takes the faults.
 * @returns The keys, a digest that stands there twice once; or `undefined` where there are none.
 */
export function readKeys(
  value: unknown,
  path: string,
  check: FieldCheck,
): readonly (string | KeyConfig)[] | undefined {
  if (value === undefined) return undefined;
  const keys = new Map<string, string | KeyConfig>();
  const ids = new Set<string>();
  for (
    const [index, item] of (readList(value, path, `a list of digests, each ${WANTED}`, check.faults) ?? []).entries()
  ) {
    const at = keyPath(path, index);
    const key = typeof item === "string" ? readDigest(item, at, check) : readKey(item, at, check);
    if (key === undefined) continue;
    const { digest, id } = typeof key === "string" ? { digest: key } : key;
    if (keys.has(digest) && (typeof key !== "string" || typeof keys.get(digest) !== "string")) {
      check.faults.add(at, "Cannot list a key twice: remove one");
    }
    if (id !== undefined && ids.has(id)) check.faults.add(keyPath(at, "id"), "Cannot name two keys alike: change one");
    if (id !== undefined) ids.add(id);
    keys.set(digest, key);
  }
  return [...keys.values()];
}

function readKey(value: unknown, path: string, check: FieldCheck): KeyConfig | undefined {
  const { faults } = check;
  if (typeof value !== "object") {
    addWrongType(value, path, WANTED, faults);
    return undefined;
  }
  const fields = readMapping(value, path, `${WANTED}, or a mapping with "digest"`, faults);
  if (fields === undefined) return undefined;
  checkKeys(fields, path, KEY_KEYS, faults, SYNONYMS);
  const digest = readDigest(fields.get("digest"), keyPath(path, "digest"), check);
  const id = readOptional(fields, path, "id", "a name as a string", check);
  if (id !== undefined && !isKeyId(id)) {
    faults.add(keyPath(path, "id"), 'Cannot be the id of a key: write letters, digits, ".", "_" or "-", at most 64');
  }
  const expiresAt = readOptional(fields, path, "expiresAt", WANTED_END, check);
  if (expiresAt !== undefined && parseKeyEnd(expiresAt) === undefined) {
    faults.add(keyPath(path, "expiresAt"), `Cannot be read as a time: write ${WANTED_END}`);
  }
  if (digest === undefined) return undefined;
  return { digest, ...(id !== undefined && { id }), ...(expiresAt !== undefined && { expiresAt }) };
}

const SYNONYMS = new Map([["expires", "expiresAt"], ["expires_at", "expiresAt"], ["name", "id"], ["hash", "digest"]]);

function readOptional(
  fields: ReadonlyMap<string, unknown>,
  path: string,
  key: string,
  wanted: string,
  check: FieldCheck,
): string | undefined {
  return fields.has(key) ? readPlainText(fields.get(key), keyPath(path, key), wanted, check) : undefined;
}

function readDigest(value: unknown, path: string, check: FieldCheck): string | undefined {
  const text = readPlainText(value, path, WANTED, check);
  if (text === undefined) return undefined;
  if (isKeyDigest(text)) return text.toLowerCase();
  // It may be the key itself: it is never quoted.
  check.faults.add(path, `Cannot be the digest of a key: write ${WANTED}, never the key itself`);
  return undefined;
}

/**
 * What is wrong with the number of an agent's keys.
 *
 * @param agent The agent.
 * @param count How many of its keys are good.
 * @returns The fault's text; or `undefined` where there are not too many.
 */
export function describeTooManyKeys(agent: string, count: number): string | undefined {
  if (count <= MAX_ACTIVE_KEYS) return undefined;
  return `Cannot give agent ${quote(agent)} ${count} keys at a time: write ${MAX_ACTIVE_KEYS}, the old and the new one`;
}
