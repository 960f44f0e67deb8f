/**
 * The audit trail in a Deno KV database, shared by all isolates.
 *
 * @module
 */

import { abortable } from "@std/async";
import { clearAlarm, setAlarm } from "../alarm.ts";
import { Deadline } from "../deadline.ts";
import type { AuditKv } from "./audit_kv.ts";
import {
  type AuditBatch,
  type AuditChunk,
  type AuditRange,
  type AuditStore,
  toChunks,
  toPosition,
} from "./audit_store.ts";

/** How a {@linkcode KvAuditStore} uses its database. */
export interface KvAuditStoreOptions {
  /** How long one operation may take, in milliseconds. @default {2_000} */
  readonly opTimeoutMs?: number | undefined;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
  /** A number from 0 (inclusive) to 1 (exclusive), for the pauses between tries. @default {Math.random} */
  readonly random?: (() => number) | undefined;
}

const PREFIX = ["portolan_audit", "v1"];
const HEAD = ["portolan_audit", "head"];
/** Greater than every position. */
const END = "~";

/** Isolates that write at the same moment are told apart by a pause of a random length, the longer the more there are. */
const MAX_TRIES = 8;
const PAUSE_MS = 10;
const MAX_EXPIRE_IN_MS = 366 * 24 * 3_600_000;
const PURGED_AT_ONCE = 100;
const READ_AT_ONCE = 16;

/** The last batch of the trail. */
interface Head {
  /** Its time, in milliseconds since the epoch. */
  readonly timeMs: number;
  /** The version of the key; `null` where there is none yet. */
  readonly version: string | null;
}

/** A batch that was sent off and of which nobody has said that it was written. */
interface Attempt {
  readonly batch: string;
  readonly timeMs: number;
  readonly headVersion: string | null;
}

/**
 * Keeps chunks under their positions, and the position of the last one under a key of its own. A batch is written, in one
 * operation, only where that key is still as it was read, so that
 *
 * - every batch stands behind those before it, also where the clocks of two isolates differ;
 * - of a batch that was tried again as its answer was lost, one try is made and the others are refused.
 */
export class KvAuditStore implements AuditStore {
  readonly #kv: AuditKv;
  readonly #opTimeoutMs: number;
  readonly #now: () => number;
  readonly #random: () => number;
  /** The head after the last write; forgotten where it may be another. */
  #head: Head | undefined;
  #attempt: Attempt | undefined;

  /**
   * Creates a store on an open database.
   *
   * @param kv The database; a `Deno.Kv`. Borrowed: it is never closed here.
   * @param options Deadline and clock.
   */
  constructor(kv: AuditKv, options: KvAuditStoreOptions = {}) {
    const { opTimeoutMs = 2_000, now = Date.now, random = Math.random } = options;
    this.#kv = kv;
    this.#opTimeoutMs = opTimeoutMs;
    this.#now = now;
    this.#random = random;
  }

  /**
   * Writes a batch behind all others; in one operation where nobody else has written since the last one.
   *
   * @param batch The batch. After a failure, the same one is tried again before any other.
   * @param signal Has it not be waited for any longer.
   * @throws What the database threw, or an error where it did not answer in time or others kept writing; the reason of the
   * signal.
   */
  async append(batch: AuditBatch, signal?: AbortSignal): Promise<void> {
    try {
      for (let tries = 1; !await this.#tryAppend(batch, signal); tries++) {
        this.#head = undefined;
        if (tries >= MAX_TRIES) throw new Error("Cannot append the batch as others keep writing");
        const pauseMs = this.#random() * PAUSE_MS * 2 ** tries;
        await pause(pauseMs, signal);
      }
    } catch (error) {
      this.#head = undefined;
      throw error;
    }
  }

  async #tryAppend({ id, lines, expiresAtMs }: AuditBatch, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#attempt?.batch !== id) this.#attempt = undefined;
    const before = this.#attempt;
    // The head first: where it has moved on, an earlier try that is not there now never will be.
    const head = this.#head ?? await this.#readHead(signal);
    if (before !== undefined && await this.#isWritten(before, signal)) {
      this.#attempt = undefined;
      return true;
    }
    // While the head is the same an earlier try may still arrive: it is repeated to the letter, and one of both is made.
    const isAgain = before !== undefined && before.headVersion === head.version;
    const timeMs = isAgain ? before.timeMs : Math.max(this.#now(), head.timeMs + 1);
    this.#attempt = { batch: id, timeMs, headVersion: head.version };

    const expireIn = Math.min(MAX_EXPIRE_IN_MS, Math.max(1, Math.ceil(expiresAtMs - this.#now())));
    const operation = this.#kv.atomic().check({ key: HEAD, versionstamp: head.version }).set(HEAD, { timeMs });
    for (const [index, chunk] of toChunks(lines).entries()) {
      const text = new TextEncoder().encode(chunk.join("\n"));
      operation.set([...PREFIX, toPosition(timeMs, index)], { v: 1, batch: id, expiresAtMs, lines: text }, {
        expireIn,
      });
    }
    const { ok, versionstamp } = await this.#within(() => operation.commit(), signal);
    if (ok) {
      this.#attempt = undefined;
      this.#head = versionstamp === undefined ? undefined : { timeMs, version: versionstamp };
    } else if (!isAgain) this.#attempt = undefined;
    return ok;
  }

  /**
   * Reads chunks in order. What is no chunk of ours is passed over.
   *
   * @param range Which of them.
   * @returns The chunks that have not expired.
   */
  async *read({ from, before = END }: AuditRange): AsyncIterable<AuditChunk> {
    const range = { start: [...PREFIX, from], end: [...PREFIX, before] };
    const items = this.#kv.list(range, { batchSize: READ_AT_ONCE })[Symbol.asyncIterator]();
    for (;;) {
      const { done, value: item } = await this.#within(() => items.next());
      if (done === true) return;
      const position = item.key.at(-1);
      const kept = parseKept(item.value);
      if (kept === undefined || typeof position !== "string" || kept.expiresAtMs <= this.#now()) continue;
      yield { position, lines: kept.lines };
    }
  }

  /**
   * Deletes the oldest chunks before a time. The database forgets them by itself, too: later, and only as it was told when
   * they were written.
   *
   * @param beforeMs The time, in milliseconds since the epoch.
   * @param signal Has it not be waited for any longer.
   */
  async purge(beforeMs: number, signal?: AbortSignal): Promise<void> {
    const range = { start: [...PREFIX, ""], end: [...PREFIX, toPosition(beforeMs)] };
    const operation = this.#kv.atomic();
    let count = 0;
    const items = this.#kv.list(range, { limit: PURGED_AT_ONCE, batchSize: READ_AT_ONCE })[Symbol.asyncIterator]();
    for (;; count++) {
      const { done, value: item } = await this.#within(() => items.next(), signal);
      if (done === true) break;
      operation.delete([...PREFIX, String(item.key.at(-1))]);
    }
    if (count > 0) await this.#within(() => operation.commit(), signal);
  }

  async #readHead(signal: AbortSignal | undefined): Promise<Head> {
    const { value, versionstamp } = await this.#within(() => this.#kv.get(HEAD, { consistency: "strong" }), signal);
    const { timeMs } = (value ?? {}) as { readonly timeMs?: unknown };
    return { timeMs: typeof timeMs === "number" && Number.isFinite(timeMs) ? timeMs : 0, version: versionstamp };
  }

  async #isWritten({ batch, timeMs }: Attempt, signal: AbortSignal | undefined): Promise<boolean> {
    const key = [...PREFIX, toPosition(timeMs)];
    const { value } = await this.#within(() => this.#kv.get(key, { consistency: "strong" }), signal);
    return (value as { readonly batch?: unknown } | null)?.batch === batch;
  }

  async #within<T>(operation: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    using deadline = new Deadline(this.#opTimeoutMs, { signal });
    return await deadline.race(operation());
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const over = Promise.withResolvers<void>();
  const alarm = setAlarm(over.resolve, ms);
  const waiting = signal === undefined ? over.promise : abortable(over.promise, signal);
  await waiting.finally(() => clearAlarm(alarm));
}

function parseKept(value: unknown): { readonly expiresAtMs: number; readonly lines: readonly string[] } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { v, expiresAtMs, lines } = value as Readonly<Record<"v" | "expiresAtMs" | "lines", unknown>>;
  if (v !== 1 || typeof expiresAtMs !== "number" || !(lines instanceof Uint8Array)) return undefined;
  return { expiresAtMs, lines: new TextDecoder().decode(lines).split("\n") };
}
