/**
 * How many screens may follow what happens.
 *
 * @module
 */

import { RequestError } from "../gateway/request_error.ts";

/** How many there are at most. */
const MAX_STREAMS = 512;
/** How many of them one caller has. */
const MAX_OF_CALLER = 32;

/** Counts screens that follow what happens. One for each gateway. */
export class StreamPlaces {
  readonly #taken = new Map<string, number>();
  #all = 0;

  /**
   * Takes a place.
   *
   * @param caller Who looks.
   * @returns Gives it back. Idempotent.
   * @throws {RequestError} If there is none left: `overloaded`.
   */
  take(caller: string): () => void {
    const own = this.#taken.get(caller) ?? 0;
    if (own >= MAX_OF_CALLER || this.#all >= MAX_STREAMS) {
      throw new RequestError("overloaded", "Cannot follow what happens on one more screen: close some first");
    }
    this.#taken.set(caller, own + 1);
    this.#all++;
    let isGiven = false;
    return () => {
      if (isGiven) return;
      isGiven = true;
      this.#all--;
      const left = (this.#taken.get(caller) ?? 1) - 1;
      if (left === 0) this.#taken.delete(caller);
      else this.#taken.set(caller, left);
    };
  }
}
