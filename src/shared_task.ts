/**
 * Work that several callers wait for at once.
 *
 * @module
 */

import { Deadline } from "./deadline.ts";

/** How long work that was ended may take to settle, in milliseconds. */
const END_TIMEOUT_MS = 300;

/** The work; its deadline ends when its time has passed or when nobody waits any more. */
export type Work<T> = (deadline: Deadline) => Promise<T>;

interface Flight<T> {
  readonly result: Promise<T>;
  readonly abandon: AbortController;
  readonly deadline: Deadline;
  waiting: number;
}

/**
 * One flight at a time: who comes while it is under way waits for the same one, each no longer than its own deadline.
 * When the last of them has left, the work is ended too.
 */
export class SharedTask<T> {
  readonly #work: Work<T>;
  #flight: Flight<T> | undefined;

  /**
   * Creates a task; nothing is started.
   *
   * @param work What to do.
   */
  constructor(work: Work<T>) {
    this.#work = work;
  }

  /** Whether the work is under way. */
  get running(): boolean {
    return this.#flight !== undefined;
  }

  /**
   * Waits for the work, starting it where it is not under way. Who leaves last ends it, and sees its end.
   *
   * @param deadline How long this caller waits.
   * @param timeoutMs How long the work may take where this caller starts it, in milliseconds.
   * @returns What the work resolves to.
   */
  async join(deadline: Deadline, timeoutMs: number): Promise<T> {
    // Who comes now is not to be told why others have given up.
    while (this.#ending !== undefined) await deadline.race(this.#ending);
    const flight = this.#flight ??= this.#start(timeoutMs);
    flight.waiting++;
    try {
      return await deadline.race(flight.result);
    } finally {
      if (--flight.waiting === 0 && this.#flight === flight) await this.abort(deadline.signal.reason);
    }
  }

  /**
   * Ends the work under way for all who wait, and waits for its end: what the work records is there then.
   *
   * @param reason What they are told.
   */
  async abort(reason: unknown): Promise<void> {
    this.#flight?.abandon.abort(reason);
    using patience = new Deadline(END_TIMEOUT_MS);
    if (this.#ending !== undefined) await patience.race(this.#ending).catch(() => {});
  }

  /** Settles with the work under way where its time has passed or nobody waits for it; else `undefined`. */
  get #ending(): Promise<unknown> | undefined {
    const flight = this.#flight;
    return flight?.deadline.signal.aborted === true ? flight.result.catch(() => {}) : undefined;
  }

  #start(timeoutMs: number): Flight<T> {
    const abandon = new AbortController();
    const deadline = new Deadline(timeoutMs, { signal: abandon.signal });
    const result = this.#work(deadline).finally(() => {
      deadline[Symbol.dispose]();
      if (this.#flight === flight) this.#flight = undefined;
    });
    result.catch(() => {});
    const flight: Flight<T> = { result, abandon, deadline, waiting: 0 };
    return flight;
  }
}
