/**
 * How many requests may be sent again: a share of those that were made, so that an outage does not double the load.
 *
 * @module
 */

/** Each request earns this share of a retry. */
const RATIO = 0.1;
/** How many retries can be saved up: a quiet time does not pay for an outage. */
const MAX_SAVED = 2;

/** The retry budget of one server. */
export class RetryBudget {
  #saved = 0;

  /** A request of a caller was sent. */
  earn(): void {
    this.#saved = Math.min(MAX_SAVED, this.#saved + RATIO);
  }

  /**
   * Takes one retry from the budget.
   *
   * @returns Whether there was one.
   */
  spend(): boolean {
    // Ten times a tenth is a little less than one.
    if (this.#saved < 1 - 1e-9) return false;
    this.#saved = Math.max(0, this.#saved - 1);
    return true;
  }
}

/**
 * How long to wait before a retry, with full jitter.
 *
 * @param attempt How many attempts there were, from 1.
 * @param random A number from 0 up to 1.
 * @returns The time in milliseconds: anything up to 50, 100, 200 … 2,000.
 */
export function toRetryDelayMs(attempt: number, random: () => number): number {
  return random() * Math.min(50 * 2 ** (attempt - 1), 2_000);
}
