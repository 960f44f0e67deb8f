/**
 * What the store knows of the gateway's keys: those that were created at run time, by their digests, and which keys of
 * any source were revoked. One value for all agents, so that one reading tells everything, and tells nobody by its
 * time which agents there are.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";

/** A key that was created at run time. */
export interface StoredKey {
  /** The name to revoke it by. */
  readonly id: string;
  /** The SHA-256 of the key, as 64 lower-case hexadecimal digits. */
  readonly digest: string;
  /** When it was created, in milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** When it ends, in milliseconds since the epoch. */
  readonly expiresAtMs?: number | undefined;
}

/** A key that was revoked. It stays revoked, whatever the configuration says. */
export interface RevokedKey {
  /** The name that it was revoked by. */
  readonly id: string;
  /** The first digits of its digest, as {@linkcode markOf} gives them. */
  readonly mark: string;
  /** When it was revoked, in milliseconds since the epoch. */
  readonly revokedAtMs: number;
  /** When it was created, in milliseconds since the epoch, where it was created at run time. */
  readonly createdAtMs?: number | undefined;
}

/** The keys of one agent. */
export interface AgentKeys {
  /** Those that were created at run time and not revoked. */
  readonly keys: readonly StoredKey[];
  /** Those that were revoked, oldest first. */
  readonly revoked: readonly RevokedKey[];
}

/** The keys of all agents. */
export interface KeyRecord {
  /** Grows with every change. */
  readonly revision: number;
  /** When the record was written, in milliseconds since the epoch. */
  readonly writtenAtMs: number;
  /** The keys by agent; `*` are the keys for every agent. */
  readonly agents: ReadonlyMap<string, AgentKeys>;
}

/** A record without keys. */
export const NO_KEYS: KeyRecord = { revision: 0, writtenAtMs: 0, agents: new Map() };

const VERSION = 1;
const NOTHING: AgentKeys = { keys: [], revoked: [] };
const MARK_LENGTH = 16;
/** Of keys that the store alone knew, how many are remembered for the list once they are revoked. */
const MAX_REMEMBERED = 8;

/**
 * The part of a digest that tells keys apart where no door may be opened with it.
 *
 * @param digest The digest, as hexadecimal digits.
 * @returns Its first 16 digits.
 */
export function markOf(digest: string): string {
  return digest.slice(0, MARK_LENGTH);
}

/**
 * The keys of an agent.
 *
 * @param record The keys of all agents.
 * @param agent The agent; `*` for the keys of every agent.
 * @returns Its keys.
 */
export function keysOf(record: KeyRecord, agent: string): AgentKeys {
  return record.agents.get(agent) ?? NOTHING;
}

/**
 * Whether a key was revoked.
 *
 * @param keys The keys of its agent.
 * @param digest Its digest, as hexadecimal digits.
 * @returns When, in milliseconds since the epoch; or `undefined`.
 */
export function revokedAt(keys: AgentKeys, digest: string): number | undefined {
  return keys.revoked.find(({ mark }) => mark === markOf(digest))?.revokedAtMs;
}

/**
 * A record with other keys of one agent.
 *
 * @param record The record; it stays as it is.
 * @param agent The agent.
 * @param keys Its keys.
 * @param nowMs The time, in milliseconds since the epoch.
 * @returns The new record, whose revision is larger whichever clock wrote the old one.
 */
export function withKeys(record: KeyRecord, agent: string, keys: AgentKeys, nowMs: number): KeyRecord {
  const ofStore = keys.revoked.filter(({ createdAtMs }) => createdAtMs !== undefined);
  const forgotten = new Set(ofStore.slice(0, Math.max(0, ofStore.length - MAX_REMEMBERED)));
  const kept = { keys: keys.keys, revoked: keys.revoked.filter((one) => !forgotten.has(one)) };
  return {
    revision: Math.max(record.revision + 1, nowMs),
    writtenAtMs: nowMs,
    agents: new Map([...record.agents, [agent, kept]]),
  };
}

/**
 * Writes a record as JSON.
 *
 * @param record The record.
 * @returns The value for the store.
 */
export function toStoredRecord(record: KeyRecord): JsonObject {
  // A list, as an object would take some names for other things than members.
  const agents = [...record.agents].map(([agent, { keys, revoked }]): JsonObject => ({
    agent,
    keys: keys.map(withoutUndefined),
    revoked: revoked.map(withoutUndefined),
  }));
  return { v: VERSION, revision: record.revision, writtenAtMs: record.writtenAtMs, agents };
}

function withoutUndefined(entry: StoredKey | RevokedKey): JsonObject {
  const members = Object.entries(entry).filter((member): member is [string, JsonValue] => member[1] !== undefined);
  return Object.fromEntries(members);
}

/**
 * Reads a record. All of it is checked: half a record could hide a revocation.
 *
 * @param value What the store holds.
 * @returns The record; or `undefined` where it is none of this version.
 */
export function parseKeyRecord(value: unknown): KeyRecord | undefined {
  if (!isJsonObject(value) || value.v !== VERSION || !Array.isArray(value.agents)) return undefined;
  const { revision, writtenAtMs } = value;
  if (!isTime(revision) || !isTime(writtenAtMs)) return undefined;
  const agents = new Map<string, AgentKeys>();
  for (const entry of value.agents) {
    if (!isJsonObject(entry) || typeof entry.agent !== "string" || agents.has(entry.agent)) return undefined;
    const { keys, revoked } = entry;
    if (!isListOf(keys, isStoredKey) || !isListOf(revoked, isRevokedKey)) return undefined;
    agents.set(entry.agent, { keys, revoked });
  }
  return { revision, writtenAtMs, agents };
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isItem);
}

function isStoredKey(value: unknown): value is StoredKey {
  return isJsonObject(value) && typeof value.id === "string" && isHex(value.digest, 64) && isTime(value.createdAtMs) &&
    (value.expiresAtMs === undefined || isTime(value.expiresAtMs));
}

function isRevokedKey(value: unknown): value is RevokedKey {
  return isJsonObject(value) && typeof value.id === "string" && isHex(value.mark, MARK_LENGTH) &&
    isTime(value.revokedAtMs) && (value.createdAtMs === undefined || isTime(value.createdAtMs));
}

function isHex(value: unknown, length: number): value is string {
  return typeof value === "string" && value.length === length && /^[0-9a-f]+$/.test(value);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
