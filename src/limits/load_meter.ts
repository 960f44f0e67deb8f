/**
 * Whether this isolate has more to do than it can: then it refuses early instead of answering late.
 *
 * @module
 */

import { clearAlarm, setAlarm } from "../alarm.ts";

/** How a {@linkcode LoadMeter} measures. */
export interface LoadMeterOptions {
  /** How many requests may be under way; more are too many. @default {1_000} */
  readonly maxRequests?: number | undefined;
  /** How late the event loop may be, in milliseconds. @default {500} */
  readonly maxLagMs?: number | undefined;
  /** For how long it has to be later than that before it is too late, in milliseconds. @default {2_000} */
  readonly patienceMs?: number | undefined;
  /** A clock in milliseconds that is never set. @default {performance.now} */
  readonly now?: (() => number) | undefined;
  /** Runs something in the next turn of the event loop, and returns how to call it off. @default {by an alarm} */
  readonly nextTurn?: ((run: () => void) => () => void) | undefined;
}

/** How often the event loop is measured, in milliseconds. */
const PAUSE_MS = 50;

/**
 * Counts the requests that are being answered and measures how late the event loop is meanwhile. No timer is armed while
 * there is no request: on the edge nothing runs then, and what would be measured is the sleep.
 */
export class LoadMeter {
  readonly #maxRequests: number;
  readonly #maxLagMs: number;
  readonly #patienceMs: number;
  readonly #now: () => number;
  readonly #nextTurn: (run: () => void) => () => void;
  #requests = 0;
  #callOff: (() => void) | undefined;
  #measuredAtMs = -Infinity;
  #lateSinceMs: number | undefined;
  #isLate = false;

  /**
   * Creates a meter.
   *
   * @param options What is too much.
   */
  constructor(options: LoadMeterOptions = {}) {
    const { maxRequests = 1_000, maxLagMs = 500, patienceMs = 2_000 } = options;
    const { now = () => performance.now(), nextTurn = byTimer } = options;
    this.#maxRequests = maxRequests;
    this.#maxLagMs = maxLagMs;
    this.#patienceMs = patienceMs;
    this.#now = now;
    this.#nextTurn = nextTurn;
  }

  /** How many requests are under way. */
  get requests(): number {
    return this.#requests;
  }

  /** Whether a request more would be too much. */
  get isOverloaded(): boolean {
    return this.#requests > this.#maxRequests || this.#isLate;
  }

  /**
   * Counts a request until it is answered.
   *
   * @param answer The answer on its way.
   * @returns The same promise.
   */
  watch<T>(answer: Promise<T>): Promise<T> {
    this.#requests++;
    this.#measure();
    const leave = () => this.#leave();
    answer.then(leave, leave);
    return answer;
  }

  #leave(): void {
    if (--this.#requests > 0) return;
    this.#callOff?.();
    this.#callOff = undefined;
    this.#lateSinceMs = undefined;
    this.#isLate = false;
  }

  #measure(): void {
    const begunMs = this.#now();
    if (this.#callOff !== undefined || begunMs - this.#measuredAtMs < PAUSE_MS) return;
    this.#callOff = this.#nextTurn(() => {
      const nowMs = this.#now();
      this.#callOff = undefined;
      this.#measuredAtMs = nowMs;
      if (nowMs - begunMs <= this.#maxLagMs) this.#lateSinceMs = undefined;
      else this.#lateSinceMs ??= begunMs;
      // One long turn is no overload: it is over.
      this.#isLate = this.#lateSinceMs !== undefined && nowMs - this.#lateSinceMs >= this.#patienceMs;
    });
  }
}

function byTimer(run: () => void): () => void {
  // An alarm: the first setTimeout of a process would take longer than its first call.
  const alarm = setAlarm(run, 0);
  return () => clearAlarm(alarm);
}
