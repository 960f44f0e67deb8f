/**
 * The audit trail as the gateway writes it: noted at once, hashed and written later, so that no call waits for it and
 * none fails for it.
 *
 * What is noted is written within about a second, and when the gateway is drained. An isolate that ends without that
 * takes with it what it has not written yet.
 *
 * @module
 */

import { type Alarm, clearAlarm, setAlarm } from "../alarm.ts";
import { Deadline } from "../deadline.ts";
import type { CallListener, CallRecord } from "../gateway/call_record.ts";
import type { JsonObject } from "../protocol.ts";
import { tell } from "../tell.ts";
import { ArgumentsHash } from "./arguments_hash.ts";
import { type ActionEntry, toCallEntry, toLine } from "./audit_entry.ts";
import { type AuditBatch, type AuditStore, MAX_BATCH_BYTES } from "./audit_store.ts";

/** What an audit trail works with. */
export interface AuditTrailDeps {
  /** Makes the store when it is first needed. */
  readonly openStore: () => Promise<AuditStore>;
  /** The secret of the store, where there is one. */
  readonly storeSecret: Uint8Array | undefined;
  /** How long entries are kept, in days. */
  readonly retentionDays: number;
  /** Told when the trail cannot be written, when entries are lost, and when it is written again: once each. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** How many entries wait at most; beyond it the oldest are dropped. @default {10_000} */
  readonly maxWaiting?: number | undefined;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/** An action that has ended, but for what the trail adds. */
export type NotedAction = Omit<ActionEntry, "kind" | "at">;

interface NotedCall {
  readonly record: CallRecord;
  readonly args: JsonObject;
}

const DAY_MS = 24 * 3_600_000;
/** How long what is noted may wait to be written, in milliseconds. */
const WRITE_AFTER_MS = 1_000;
/** How long a store that fails is left alone, in milliseconds: at first, and at most. */
const RETRY_AFTER_MS = { first: 1_000, most: 30_000 };
/** How long it is left alone where somebody waits for the trail to be written, in milliseconds. */
const RETRY_SOON_MS = 20;
const PURGE_EVERY_MS = 3_600_000;
/** As many calls are hashed at once: their arguments are held until then, so that it cannot be many. */
const HASHED_AT_ONCE = 64;
/** After hashing for longer than this others have their turn, in milliseconds. */
const LONG_MS = 2;
/** Beyond as many lines it is written at once. */
const WRITTEN_AT_ONCE = 1_000;

/** Notes who did what. One for each gateway. */
export class AuditTrail {
  readonly #deps: AuditTrailDeps;
  readonly #hash: ArgumentsHash;
  readonly #now: () => number;
  readonly #maxWaiting: number;
  readonly #noted: (NotedCall | string)[] = [];
  readonly #lines: string[] = [];
  #lost = 0;
  /** What is being written, until it is known to be. */
  #batch: AuditBatch | undefined;
  #store: Promise<AuditStore> | undefined;
  #hashing: Promise<void> | undefined;
  #writing: Promise<boolean> | undefined;
  #alarm: Alarm | undefined;
  #failures = 0;
  #isLossTold = false;
  #purgedAtMs = -Infinity;
  #isClosed = false;
  /** Lets go of what the store has not done when the trail is closed. */
  readonly #closing = new AbortController();

  /**
   * Creates a trail; nothing is opened.
   *
   * @param deps Where it is kept, and for how long.
   */
  constructor(deps: AuditTrailDeps) {
    this.#deps = deps;
    this.#hash = new ArgumentsHash(deps.storeSecret);
    this.#now = deps.now ?? Date.now;
    this.#maxWaiting = deps.maxWaiting ?? 10_000;
  }

  /** Since when entries are kept, in milliseconds since the epoch. */
  get sinceMs(): number {
    return this.#now() - this.#deps.retentionDays * DAY_MS;
  }

  /** Where it is kept. */
  get store(): Promise<AuditStore> {
    return this.#store ??= this.#deps.openStore().catch((error) => {
      this.#store = undefined;
      throw error;
    });
  }

  /** Notes a call that has ended. */
  readonly noteCall: CallListener = (record, args) => this.#note({ record, args });

  /**
   * Notes an action that has ended.
   *
   * @param action Who did what.
   */
  noteAction(action: NotedAction): void {
    this.#note(toLine({ kind: "action", at: new Date(this.#now()).toISOString(), ...action }));
  }

  /**
   * Writes what has been noted, where the store takes it at once.
   *
   * @param timeoutMs How long it may take, in milliseconds.
   */
  async flush(timeoutMs: number): Promise<void> {
    using deadline = new Deadline(timeoutMs);
    const write = async () => {
      await this.#writing;
      await this.#write();
    };
    await deadline.race(write()).catch(() => {});
  }

  /**
   * Writes what has been noted and takes no more.
   *
   * @param timeoutMs How long it may take, in milliseconds.
   */
  async close(timeoutMs: number): Promise<void> {
    if (this.#isClosed) return;
    await this.#writeWithin(timeoutMs);
    this.#isClosed = true;
    clearAlarm(this.#alarm);
    this.#closing.abort();
  }

  /** Tries again and again: there is no later. */
  async #writeWithin(timeoutMs: number): Promise<void> {
    using deadline = new Deadline(timeoutMs);
    const { signal } = deadline;
    let pause: Alarm | undefined;
    const writeAll = async () => {
      await this.#writing;
      while (!signal.aborted && !await this.#write() && !signal.aborted) {
        await new Promise<void>((resolve) => pause = setAlarm(resolve, RETRY_SOON_MS));
      }
    };
    await deadline.race(writeAll()).catch(() => {});
    clearAlarm(pause);
  }

  #note(noted: NotedCall | string): void {
    if (this.#isClosed) return;
    this.#noted.push(noted);
    if (this.#noted.length + this.#lines.length > this.#maxWaiting) this.#lose();
    if (this.#noted.length >= HASHED_AT_ONCE) void this.#hashAll();
    this.#arm(WRITE_AFTER_MS);
  }

  #arm(afterMs: number): void {
    if (this.#isClosed || this.#alarm !== undefined || this.#writing !== undefined) return;
    this.#alarm = setAlarm(() => void this.#write(), afterMs);
  }

  /** Never rejects. */
  #hashAll(): Promise<void> {
    if (this.#hashing !== undefined || this.#noted.length === 0) return this.#hashing ?? Promise.resolve();
    return this.#hashing = this.#hashNoted().then(() => {
      this.#hashing = undefined;
      if (this.#lines.length >= WRITTEN_AT_ONCE && this.#failures === 0) void this.#write();
    });
  }

  async #hashNoted(): Promise<void> {
    while (this.#noted.length > 0) {
      const noted = this.#noted.splice(0, HASHED_AT_ONCE);
      // One after the other, with others' turns in between, as large arguments take long; all at once where more calls
      // wait than may: they hold their arguments.
      while (noted.length > 0) {
        const group = noted.splice(0, this.#noted.length >= HASHED_AT_ONCE ? noted.length : 1);
        const began = performance.now();
        this.#lines.push(...await Promise.all(group.map((one) => this.#toLine(one))));
        if (performance.now() - began > LONG_MS) await new Promise<void>((resolve) => setAlarm(resolve, 0));
      }
      while (this.#noted.length + this.#lines.length > this.#maxWaiting) this.#lose();
    }
  }

  async #toLine(noted: NotedCall | string): Promise<string> {
    if (typeof noted === "string") return noted;
    return toLine(toCallEntry(noted.record, await this.#hash.of(noted.args)));
  }

  /** Drops the oldest that is not being written. */
  #lose(): void {
    if (this.#lines.length > 0) this.#lines.shift();
    else this.#noted.shift();
    this.#lost++;
    if (this.#isLossTold) return;
    this.#isLossTold = true;
    tell(this.#deps.onWarning, "Cannot hold all entries of the audit trail: the oldest are dropped, and counted there");
  }

  /** Resolves to whether there is nothing left to write. Never rejects. */
  #write(): Promise<boolean> {
    if (this.#writing !== undefined) return this.#writing;
    clearAlarm(this.#alarm);
    this.#alarm = undefined;
    return this.#writing = (async () => {
      const isDone = await this.#writeAll();
      this.#writing = undefined;
      const waiting = this.#noted.length + this.#lines.length;
      if (isDone && waiting === 0) this.#isLossTold = false;
      if (!isDone) this.#arm(Math.min(RETRY_AFTER_MS.first * 2 ** (this.#failures - 1), RETRY_AFTER_MS.most));
      else if (waiting > 0) this.#arm(WRITE_AFTER_MS);
      return isDone;
    })();
  }

  async #writeAll(): Promise<boolean> {
    await this.#hashAll();
    try {
      const store = await this.store;
      for (;;) {
        this.#batch ??= this.#takeBatch();
        if (this.#batch === undefined) return true;
        await store.append(this.#batch, this.#closing.signal);
        this.#batch = undefined;
        this.#recover();
        await this.#purge(store);
      }
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #takeBatch(): AuditBatch | undefined {
    const lines: string[] = [];
    const nowMs = this.#now();
    if (this.#lost > 0) lines.push(toLine({ kind: "loss", at: new Date(nowMs).toISOString(), lost: this.#lost }));
    this.#lost = 0;
    let bytes = 0;
    let count = 0;
    for (const line of this.#lines) {
      bytes += line.length + 1;
      if (count === WRITTEN_AT_ONCE || bytes > MAX_BATCH_BYTES) break;
      lines.push(line);
      count++;
    }
    this.#lines.splice(0, count);
    const expiresAtMs = nowMs + this.#deps.retentionDays * DAY_MS;
    return lines.length === 0 ? undefined : { id: crypto.randomUUID(), lines, expiresAtMs };
  }

  /** What was lost as the retention became shorter, or has been forgotten late: best effort, now and then. */
  async #purge(store: AuditStore): Promise<void> {
    if (this.#now() - this.#purgedAtMs < PURGE_EVERY_MS) return;
    this.#purgedAtMs = this.#now();
    await store.purge(this.sinceMs, this.#closing.signal).catch(() => {});
  }

  #fail(error: unknown): void {
    if (this.#failures++ > 0) return;
    const name = error instanceof Error ? error.name : "unknown error";
    tell(this.#deps.onWarning, `Cannot write the audit trail (${name}): entries are held in memory until it can be`);
  }

  #recover(): void {
    if (this.#failures > 0) tell(this.#deps.onWarning, "The audit trail is written again");
    this.#failures = 0;
  }
}
