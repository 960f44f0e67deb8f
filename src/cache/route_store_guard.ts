/**
 * What stands between the route cache and a store that is slow, broken or away.
 *
 * @module
 */

import { type Alarm, clearAlarm, setAlarm } from "../alarm.ts";
import { checkTimeout } from "../deadline.ts";
import type { RouteStore } from "../route_store.ts";

/** How a {@linkcode RouteStoreGuard} treats its store. */
export interface RouteStoreGuardOptions {
  /** The longest one operation may take, in milliseconds. @default {250} */
  readonly opTimeoutMs?: number | undefined;
  /** For how long a store that failed is left alone, in milliseconds; `0`: it is asked again at once. @default {5_000} */
  readonly retryAfterFailureMs?: number | undefined;
  /** Told once when the store fails and once when it is well again. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/** What an operation answered, or `undefined` where the store did not answer. */
export type StoreAnswer<T> = { readonly value: T } | undefined;

const SLICES = 5;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Runs operations of a store so that they never reject, never hang, and cost nothing while the store is away. */
export class RouteStoreGuard {
  readonly #store: RouteStore;
  readonly #opTimeoutMs: number;
  readonly #retryAfterFailureMs: number;
  readonly #onWarning: ((message: string) => void) | undefined;
  readonly #now: () => number;
  #skipUntilMs: number | undefined;

  /**
   * Creates a guard.
   *
   * @param store The store; borrowed.
   * @param options Deadlines, pause and warnings.
   * @throws {RangeError} If a time is not a number of milliseconds.
   */
  constructor(store: RouteStore, options: RouteStoreGuardOptions = {}) {
    const { opTimeoutMs = 250, retryAfterFailureMs = 5_000, onWarning, now = Date.now } = options;
    checkTimeout("opTimeoutMs", opTimeoutMs);
    if (retryAfterFailureMs !== 0) checkTimeout("retryAfterFailureMs", retryAfterFailureMs);
    this.#store = store;
    this.#opTimeoutMs = Math.min(opTimeoutMs, MAX_TIMER_MS);
    this.#retryAfterFailureMs = retryAfterFailureMs;
    this.#onWarning = onWarning;
    this.#now = now;
  }

  /**
   * Runs one operation. Never rejects. What an abandoned operation does later is ignored.
   *
   * @param operation What to ask of the store.
   * @returns The answer, or `undefined` where the store failed, took too long or is being left alone.
   */
  async run<T>(operation: (store: RouteStore) => Promise<T>): Promise<StoreAnswer<T>> {
    const nowMs = this.#now();
    const isProbe = this.#skipUntilMs !== undefined;
    if (this.#skipUntilMs !== undefined) {
      const restMs = this.#skipUntilMs - nowMs;
      // A rest longer than the pause itself means that the clock was set back.
      if (restMs > 0 && restMs <= this.#retryAfterFailureMs) return undefined;
      this.#skipUntilMs = nowMs + this.#retryAfterFailureMs;
    }
    let timer: Alarm | undefined;
    try {
      const timeout = new Promise<undefined>((resolve) => {
        // Counted in slices: a turn of the event loop that takes long, as loading the SDK does, costs the store one of
        // them and not its whole time.
        const wait = (slices: number) => {
          if (slices === 0) return resolve(undefined);
          timer = setAlarm(() => wait(slices - 1), this.#opTimeoutMs / SLICES);
        };
        wait(SLICES);
      });
      const answer = await Promise.race([operation(this.#store).then((value) => ({ value })), timeout]);
      if (answer === undefined) this.#fail(`it did not answer within ${this.#opTimeoutMs} ms`);
      else if (isProbe) this.#recover();
      return answer;
    } catch (error) {
      this.#fail(error instanceof Error ? `it failed with ${error.name}` : "it failed");
      return undefined;
    } finally {
      clearAlarm(timer);
    }
  }

  #fail(reason: string): void {
    const isNew = this.#skipUntilMs === undefined;
    this.#skipUntilMs = this.#now() + this.#retryAfterFailureMs;
    if (isNew) this.#warn(`Cannot use the route store as ${reason}: routes are kept in memory until it answers`);
  }

  #recover(): void {
    if (this.#skipUntilMs === undefined) return;
    this.#skipUntilMs = undefined;
    this.#warn("The route store answers again");
  }

  #warn(message: string): void {
    try {
      this.#onWarning?.(message);
    } catch {
      // A listener that throws must not fail the call that the warning is about.
    }
  }
}
