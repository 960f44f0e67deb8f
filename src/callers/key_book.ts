/**
 * The keys that the store knows, as every isolate sees them: read at most every few seconds, and never forgotten while
 * the store is away.
 *
 * @module
 */

import { RouteStoreGuard } from "../cache/route_store_guard.ts";
import { RequestError } from "../gateway/request_error.ts";
import { MAX_KEPT_MS, RENEWED_AFTER_MS, type RouteStore, type RouteStoreItem } from "../route_store.ts";
import { type KeyRecord, NO_KEYS, parseKeyRecord, toStoredRecord } from "./key_record.ts";

/** How long it may take until a change of one isolate is known to all, in milliseconds. */
export const KEYS_MAX_AGE_MS = 5_000;

/** How a {@linkcode KeyBook} works. */
export interface KeyBookOptions {
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
  /** The longest one operation of the store may take, in milliseconds. @default {250} */
  readonly opTimeoutMs?: number | undefined;
}

/** What a change makes of the record; `undefined` where the record is so already. */
export type KeyChange = (record: KeyRecord, nowMs: number) => KeyRecord | undefined;

const KEY = ["caller_keys"];
/** For how long a store that failed is not read, in milliseconds. */
const REST_MS = 1_000;
const RETRY_AFTER_MS = 1_000;
const MAX_TRIES = 6;

/**
 * Reads and changes the record of keys. What was seen once is never undone by an older record, such as one of a replica
 * that is behind or of a store that lost its values: a revocation holds in this isolate until it ends.
 */
export class KeyBook {
  readonly #now: () => number;
  readonly #reading: RouteStoreGuard;
  /** An administrator's change is tried although a reading has just failed. */
  readonly #changing: RouteStoreGuard;
  #record = NO_KEYS;
  #isKnown = false;
  #failedAtMs = -Infinity;
  /** When the last reading that succeeded was begun: what was written after that may be missing. */
  #readAtMs = 0;
  #refreshing: Promise<void> | undefined;

  /**
   * Creates a book; nothing is read.
   *
   * @param store Where the record is; borrowed.
   * @param options Clock and deadline.
   */
  constructor(store: RouteStore, options: KeyBookOptions = {}) {
    const { now = Date.now, opTimeoutMs } = options;
    this.#now = now;
    this.#reading = new RouteStoreGuard(store, { now, opTimeoutMs, retryAfterFailureMs: REST_MS });
    this.#changing = new RouteStoreGuard(store, { now, opTimeoutMs, retryAfterFailureMs: 0 });
  }

  /** Whether the store has answered since the start: without that, what it would say is not known. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /**
   * The keys that the store knows. Past half its age the record is read anew beside the request, past its age before
   * it; a store that fails holds up nobody, and what was known goes on.
   *
   * @returns The record; it is another object only where something has changed.
   */
  async read(): Promise<KeyRecord> {
    const nowMs = this.#now();
    const isGood = this.#isKnown && isWithin(nowMs - this.#readAtMs, KEYS_MAX_AGE_MS);
    if (isGood && isWithin(nowMs - this.#readAtMs, KEYS_MAX_AGE_MS / 2)) return this.#record;
    const refreshing = this.#refreshing ??= this.#refresh().finally(() => this.#refreshing = undefined);
    if (!isGood && !isWithin(nowMs - this.#failedAtMs, KEYS_MAX_AGE_MS)) await refreshing;
    return this.#record;
  }

  /**
   * Changes the record, for all isolates. This one knows it at once.
   *
   * @param change What to change; it is asked again where somebody else was faster, or where it is not known whether a
   * writing has succeeded.
   * @returns The record that holds the change.
   * @throws {RequestError} If the store does not take it: `callers_unavailable`; and what `change` throws.
   */
  async update(change: KeyChange): Promise<KeyRecord> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const nowMs = this.#now();
      const answer = await this.#changing.run((store) => store.get(KEY));
      if (answer === undefined) continue;
      const item = answer.value;
      if (!this.#adopt(item, nowMs)) break;
      const record = change(this.#record, nowMs);
      if (record === undefined) return this.#record;
      const options = { expiresAtMs: nowMs + MAX_KEPT_MS, ifVersion: item?.version ?? null };
      const written = await this.#changing.run((store) => store.set(KEY, toStoredRecord(record), options));
      if (written?.value === undefined) continue;
      this.#keep(record, nowMs);
      return record;
    }
    throw new RequestError(
      "callers_unavailable",
      "Cannot change the keys as the store does not take it: send the request again",
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  async #refresh(): Promise<void> {
    const beganAtMs = this.#now();
    const answer = await this.#reading.run((store) => store.get(KEY));
    const isRead = answer !== undefined && this.#adopt(answer.value, beganAtMs);
    if (!isRead) this.#failedAtMs = this.#now();
    const { writtenAtMs, revision } = this.#record;
    if (isRead && revision > 0 && beganAtMs - writtenAtMs > RENEWED_AFTER_MS) await this.#renew(answer.value);
  }

  /** Takes over what the store holds; not where that is no record, as it could hide a revocation. */
  #adopt(item: RouteStoreItem | undefined, readAtMs: number): boolean {
    const record = item === undefined ? NO_KEYS : parseKeyRecord(item.value);
    if (record === undefined) return false;
    this.#keep(record, readAtMs);
    return true;
  }

  #keep(record: KeyRecord, readAtMs: number): void {
    if (record.revision > this.#record.revision) this.#record = record;
    this.#isKnown = true;
    this.#failedAtMs = -Infinity;
    this.#readAtMs = readAtMs;
  }

  /** Writes the record anew as it is. Where that fails, another isolate or a later reading does it. */
  async #renew(item: RouteStoreItem | undefined): Promise<void> {
    const nowMs = this.#now();
    const record = { ...this.#record, revision: Math.max(this.#record.revision + 1, nowMs), writtenAtMs: nowMs };
    const options = { expiresAtMs: nowMs + MAX_KEPT_MS, ifVersion: item?.version ?? null };
    const written = await this.#reading.run((store) => store.set(KEY, toStoredRecord(record), options));
    if (written?.value !== undefined) this.#keep(record, nowMs);
  }
}

/** A negative age means that the clock was set back. */
function isWithin(ageMs: number, maxMs: number): boolean {
  return ageMs >= 0 && ageMs < maxMs;
}
