/**
 * How many requests to one server may be under way, and how many may wait: one slow server does not fill the process.
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";

/** The bulkhead of one server. */
export class Bulkhead {
  #maxRunning: number;
  #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /**
   * Creates an empty bulkhead.
   *
   * @param maxRunning How many may be under way.
   * @param maxWaiting How many may wait.
   */
  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Allows another number; those who wait enter where there is room now, and nobody is sent away.
   *
   * @param maxRunning How many may be under way.
   * @param maxWaiting How many may wait.
   */
  resize(maxRunning: number, maxWaiting: number): void {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
    while (this.#running < maxRunning && this.#waiting.length > 0) {
      this.#running++;
      this.#waiting.shift()?.();
    }
  }

  /** How many are under way. */
  get running(): number {
    return this.#running;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Waits for a place.
   *
   * @param deadline How long to wait.
   * @returns A function that gives the place back, or `undefined` where too many wait already.
   * @throws The deadline's reason, where it ends first.
   */
  async enter(deadline: Deadline): Promise<(() => void) | undefined> {
    const leave = this.tryEnter();
    if (leave !== undefined) return leave;
    if (this.#waiting.length >= this.#maxWaiting) return undefined;
    const turn = Promise.withResolvers<void>();
    const take = () => turn.resolve();
    this.#waiting.push(take);
    try {
      await deadline.race(turn.promise);
    } catch (error) {
      const at = this.#waiting.indexOf(take);
      // Whoever was given the place just now hands it on.
      if (at === -1) this.#leave();
      else this.#waiting.splice(at, 1);
      throw error;
    }
    return this.#toLeave();
  }

  /**
   * Takes a place where one is free.
   *
   * @returns A function that gives the place back, or `undefined` where none is free.
   */
  tryEnter(): (() => void) | undefined {
    if (this.#running >= this.#maxRunning) return undefined;
    this.#running++;
    return this.#toLeave();
  }

  #toLeave(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave();
    };
  }

  #leave(): void {
    // After a change to fewer places the next one waits on.
    const next = this.#running > this.#maxRunning ? undefined : this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}
