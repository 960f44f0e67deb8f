/**
 * The time that a server may take, without the time that its questions wait for an answer.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** A timer that stands still while somebody else is waited for. */
export class Patience implements Disposable {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  #restMs: number;
  #startedAtMs = 0;
  #stop: (() => void) | undefined;
  #pauses = 0;

  /**
   * Starts the timer.
   *
   * @param ms How long the server may take, in milliseconds.
   * @param clock Tells the time.
   * @param onOver Told when it has taken that long.
   */
  constructor(ms: number, clock: Clock, onOver: () => void) {
    this.#restMs = ms;
    this.#clock = clock;
    this.#onOver = onOver;
    this.#start();
  }

  /**
   * Waits for somebody else.
   *
   * @param work What to wait for.
   * @returns What the work resolves to.
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pauses++ === 0) this.#halt();
    try {
      return await work();
    } finally {
      if (--this.#pauses === 0) this.#start();
    }
  }

  /** Stops it. */
  [Symbol.dispose](): void {
    this.#pauses = Infinity;
    this.#stop?.();
  }

  #start(): void {
    this.#startedAtMs = this.#clock.now();
    this.#stop = this.#clock.after(this.#restMs, this.#onOver);
  }

  #halt(): void {
    this.#stop?.();
    this.#restMs = Math.max(1, this.#restMs - Math.max(0, this.#clock.now() - this.#startedAtMs));
  }
}
