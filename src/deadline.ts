/**
 * One absolute deadline per operation: a time, the caller's signal and the work's signal as one thing.
 *
 * @module
 */

import { abortable } from "@std/async";
import { type Alarm, clearAlarm, setAlarm } from "./alarm.ts";

/** How long an operation may take where nobody says, in milliseconds. */
export const OPERATION_TIMEOUT_MS = 30_000;

/** The longest a timer can be set for, in milliseconds. */
export const MAX_TIMER_MS = 2_147_483_647;

/** The reason of a {@linkcode Deadline}'s signal once its own time has passed. */
class DeadlinePassed extends Error {
  constructor() {
    super("The deadline passed");
    this.name = "DeadlinePassed";
  }
}

/** What ends an operation before its answer. */
export interface DeadlineOptions {
  /** The caller's signal. */
  readonly signal?: AbortSignal | undefined;
  /** An operation that this one is part of: it ends this one too. */
  readonly parent?: Deadline | undefined;
  /** Aborted when the client that the operation belongs to is closed. */
  readonly owner?: AbortSignal | undefined;
  /** How long the time may stand still in all while somebody else is turned to, in milliseconds. @default {0} */
  readonly pauseMs?: number | undefined;
}

/**
 * The end of one operation. Hand {@linkcode Deadline.signal} to the work, {@linkcode Deadline.race} what cannot take a
 * signal, and dispose of it when the operation has settled: its timer and its listeners go with it.
 */
export class Deadline implements Disposable {
  /** When the time passes at the latest, on the clock of `performance.now()`, in milliseconds. */
  readonly #endsAt: number;
  /** When it passes if it does not stand still any more. */
  #dueAt: number;
  readonly #options: DeadlineOptions;
  /** Made, with the timer, when it is first asked for: much that has a deadline is done at once. */
  #controller: AbortController | undefined;
  #timer: Alarm | undefined;
  readonly #unlink: (() => void)[] = [];
  #disposed = false;
  #silence: Alarm | undefined;
  /** Begins the silence that is watched anew. */
  #heard: (() => void) | undefined;
  /** How many wait for somebody else than the one whose silence is watched. */
  #pauses = 0;
  /** Since when the time stands still. */
  #stoppedAt: number | undefined;

  /**
   * Starts the clock.
   *
   * @param timeoutMs How long the operation may take, in milliseconds; `Infinity` where only the signals end it.
   * @param options The signals that end it earlier.
   */
  constructor(timeoutMs: number, options: DeadlineOptions = {}) {
    const { parent, pauseMs = 0 } = options;
    this.#dueAt = Math.min(performance.now() + timeoutMs, parent?.endsAtMs ?? Infinity);
    this.#endsAt = Math.min(this.#dueAt + pauseMs, parent?.endsAtMs ?? Infinity);
    this.#options = options;
  }

  /** Aborted when the time has passed or the caller has aborted. */
  get signal(): AbortSignal {
    return (this.#controller ?? this.#arm()).signal;
  }

  /** When the time passes at the latest, on the clock of `performance.now()`, in milliseconds. */
  get endsAtMs(): number {
    return this.#endsAt;
  }

  /** How much time is left at most, in milliseconds; never negative. */
  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  /** Whether our own time has passed, rather than the caller's patience. */
  get passed(): boolean {
    const { aborted, reason } = this.signal;
    // The timer may run a little later than that of a part of the work which ends at the same time.
    return aborted ? reason instanceof DeadlinePassed : this.remainingMs === 0 && !this.#disposed;
  }

  /** Whether the caller has aborted, or the client was closed. */
  get cancelled(): boolean {
    return this.signal.aborted && !this.passed;
  }

  /**
   * Waits for work, no longer than the deadline. The work itself goes on unless it was given the signal.
   *
   * @param work What to wait for.
   * @returns What the work resolves to.
   */
  async race<T>(work: Promise<T>): Promise<T> {
    return await abortable(work, this.signal);
  }

  /**
   * Ends the operation after a silence too. The time of the operation itself is not prolonged by what is heard.
   *
   * @param maxMs The longest silence, in milliseconds.
   * @returns To be called when something is heard.
   */
  watchSilence(maxMs: number): () => void {
    const heard = () => {
      clearAlarm(this.#silence);
      if (this.signal.aborted || this.#disposed || this.#pauses > 0) return;
      this.#silence = setAlarm(() => this.#controller?.abort(new DeadlinePassed()), Math.min(maxMs, MAX_TIMER_MS));
    };
    this.#heard = heard;
    heard();
    this.#unlink.push(() => clearAlarm(this.#silence));
    return heard;
  }

  /**
   * Waits for work during which no silence is one: somebody else is turned to. The operation's own time goes on, but for
   * what it may stand still.
   *
   * @param work What to wait for.
   * @returns What the work resolves to.
   */
  async withoutSilence<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pauses++ === 0) this.#standStill();
    clearAlarm(this.#silence);
    try {
      return await work();
    } finally {
      if (--this.#pauses === 0) {
        this.#goOn();
        this.#heard?.();
      }
    }
  }

  /** Stops the clock and lets go of the signals; the operation has settled. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    clearAlarm(this.#timer);
    for (const unlink of this.#unlink.splice(0)) unlink();
  }

  #arm(): AbortController {
    const controller = this.#controller = new AbortController();
    if (this.#disposed) return controller;
    const { signal, parent, owner } = this.#options;
    this.#follow(signal, controller);
    this.#follow(parent?.signal, controller);
    this.#follow(owner, controller, linkToOwner);
    // A timer of our own could go off a little before that of the parent, which would not be over then.
    if (controller.signal.aborted || this.#dueAt === parent?.endsAtMs) return controller;
    this.#setTimer(this.#stoppedAt === undefined ? this.#dueAt : this.#endsAt);
    return controller;
  }

  #setTimer(atMs: number): void {
    const end = () => this.#controller?.abort(new DeadlinePassed());
    const restMs = Math.max(0, Math.min(atMs, this.#endsAt) - performance.now());
    if (restMs === 0) end();
    else this.#timer = setAlarm(end, Math.min(restMs, MAX_TIMER_MS));
  }

  #standStill(): void {
    if (this.#dueAt >= this.#endsAt) return;
    this.#stoppedAt = performance.now();
    this.#reset(this.#endsAt);
  }

  #goOn(): void {
    if (this.#stoppedAt === undefined) return;
    this.#dueAt += performance.now() - this.#stoppedAt;
    this.#stoppedAt = undefined;
    this.#reset(this.#dueAt);
  }

  #reset(atMs: number): void {
    clearAlarm(this.#timer);
    if (this.#controller?.signal.aborted === false && !this.#disposed) this.#setTimer(atMs);
  }

  #follow(signal: AbortSignal | undefined, controller: AbortController, link: Link = linkOnce): void {
    if (signal === undefined || controller.signal.aborted) return;
    const abort = () => {
      controller.abort(signal.reason);
      this[Symbol.dispose]();
    };
    if (signal.aborted) return abort();
    this.#unlink.push(link(signal, abort));
  }
}

/** Does something when a signal is aborted; undone by what is returned. */
type Link = (signal: AbortSignal, abort: () => void) => () => void;

function linkOnce(signal: AbortSignal, abort: () => void): () => void {
  signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}

/** Who ends with each owner: a listener for each operation of an owner would be looked for among those of all others. */
const OWNED = new WeakMap<AbortSignal, Set<() => void>>();

function linkToOwner(owner: AbortSignal, abort: () => void): () => void {
  let owned = OWNED.get(owner);
  if (owned === undefined) {
    const all = owned = new Set<() => void>();
    OWNED.set(owner, all);
    owner.addEventListener("abort", () => all.forEach((end) => end()), { once: true });
  }
  owned.add(abort);
  return () => void OWNED.get(owner)?.delete(abort);
}

/**
 * Begins an operation of a client: checks the time that its caller gave, and refuses it after `close()`.
 *
 * @param options What the caller said of it.
 * @param owner Aborted when the client is closed, where there is a signal for that.
 * @returns The end of the operation, 30 s from now where nobody says; dispose of it when the operation has settled.
 * @throws {RangeError} If the time is not a positive number.
 * @throws The reason of the owner, if that is aborted.
 */
export function beginOperation(
  options: { readonly timeoutMs?: number | undefined; readonly signal?: AbortSignal | undefined },
  owner?: AbortSignal,
): Deadline {
  const { timeoutMs, signal } = options;
  owner?.throwIfAborted();
  checkTimeout("timeoutMs", timeoutMs);
  return new Deadline(timeoutMs ?? OPERATION_TIMEOUT_MS, { signal, owner });
}

/**
 * Checks a time that a caller gave.
 *
 * @param name The option's name, for the error.
 * @param valueMs The time in milliseconds, or `undefined`.
 * @throws {RangeError} If it is not a positive number.
 */
export function checkTimeout(name: string, valueMs: number | undefined): void {
  if (valueMs === undefined) return;
  if (typeof valueMs !== "number" || !(valueMs > 0)) {
    throw new RangeError(`Cannot use ${name} as a time in milliseconds: ${String(valueMs)}`);
  }
}
