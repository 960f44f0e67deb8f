/**
 * How often a task is asked for: as its server wishes, within bounds that no server moves.
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";

/** The least and the most time between two questions, in milliseconds, whatever the server says. */
const BOUNDS_MS = { least: 100, most: 30_000 };
/** Where the server says nothing: the first time between two questions and the longest, in milliseconds; doubled. */
const BACKOFF_MS = { first: 250, longest: 5_000 };
/** How long before the end a task is looked at once more that would not be asked for again in time, in milliseconds. */
const LAST_LOOK_MS = 1_000;

/** What a pace depends on. */
export interface PollPaceOptions {
  /** The end of the call. */
  readonly deadline: Pick<Deadline, "remainingMs">;
  /** The longest silence that the caller puts up with, in milliseconds. @default {Infinity} */
  readonly idleTimeoutMs?: number | undefined;
}

/** The pace of one task. */
export class PollPace {
  readonly #deadline: Pick<Deadline, "remainingMs">;
  readonly #mostMs: number;
  #backoffMs = BACKOFF_MS.first;
  #lastLook = false;

  /**
   * Creates a pace.
   *
   * @param options What it depends on.
   */
  constructor({ deadline, idleTimeoutMs = Infinity }: PollPaceOptions) {
    this.#deadline = deadline;
    // A server that is not asked says nothing: the silence between two questions is to be shorter than the longest one.
    this.#mostMs = Math.max(BOUNDS_MS.least, Math.min(BOUNDS_MS.most, idleTimeoutMs / 2));
  }

  /**
   * How long to wait before the next question.
   *
   * @param intervalMs What the server wishes, in milliseconds; `undefined` where it does not say.
   * @param retryAfterMs What it wished when it refused the last question, in milliseconds.
   * @returns The time, in milliseconds. Once, it is shortened so that the task is looked at before the end.
   */
  next(intervalMs: number | undefined, retryAfterMs = 0): number {
    const boundedMs = Math.min(Math.max(intervalMs ?? this.#backOff(), BOUNDS_MS.least), this.#mostMs);
    const waitMs = Math.max(boundedMs, retryAfterMs);
    const restMs = this.#deadline.remainingMs;
    if (waitMs < restMs || this.#lastLook) return waitMs;
    this.#lastLook = true;
    return Math.max(restMs > 2 * LAST_LOOK_MS ? restMs - LAST_LOOK_MS : restMs / 2, retryAfterMs);
  }

  #backOff(): number {
    const backoffMs = this.#backoffMs;
    this.#backoffMs = Math.min(2 * backoffMs, BACKOFF_MS.longest);
    return backoffMs;
  }
}
