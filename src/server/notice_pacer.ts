/**
 * Passes on as few notices as needed: the first at once, then at most one a second.
 *
 * @module
 */

import { delay } from "@std/async";

/** At least this long between two notices that are passed on, in milliseconds. */
export const MIN_INTERVAL_MS = 1_000;

/** What a pacer works with. */
export interface NoticePacerDeps {
  /** Told of a change. What it throws is ignored. */
  readonly onChange: () => void;
  /** Ends the passing on. */
  readonly signal: AbortSignal;
  /** The time, in milliseconds. @default {performance.now} */
  readonly now?: (() => number) | undefined;
  /** Waits for a time in milliseconds, or until the signal is aborted. @default {delay} */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** Paces the notices of one kind. */
export class NoticePacer {
  readonly #deps: NoticePacerDeps;
  readonly #now: () => number;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  #toldAt = -Infinity;
  #trailing: Promise<void> | undefined;

  /**
   * Creates a pacer.
   *
   * @param deps What it works with.
   */
  constructor(deps: NoticePacerDeps) {
    const { now = () => performance.now(), wait = (ms, signal) => delay(ms, { signal }) } = deps;
    this.#deps = deps;
    this.#now = now;
    this.#wait = wait;
  }

  /** Takes a notice: passed on now, or with those that follow within the second. */
  notice(): void {
    const { signal } = this.#deps;
    if (signal.aborted || this.#trailing !== undefined) return;
    const waitMs = this.#toldAt + MIN_INTERVAL_MS - this.#now();
    if (waitMs <= 0) return this.#tell();
    this.#trailing = this.#wait(waitMs, signal).then(() => this.#tell(), () => {});
  }

  /** Settles when nothing is held back any more. */
  async settled(): Promise<void> {
    await this.#trailing;
  }

  #tell(): void {
    this.#trailing = undefined;
    this.#toldAt = this.#now();
    try {
      this.#deps.onChange();
    } catch {
      // The next notice is told again.
    }
  }
}
