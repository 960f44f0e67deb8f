/**
 * What this isolate has admitted of late.
 *
 * @module
 */

import { KEPT_MS, SLOT_MS, slotOf } from "./call_ledger.ts";

/** Slots that are remembered, and the one that is being filled. */
const SLOTS = KEPT_MS / SLOT_MS + 1;

/** Counts the calls of the last minute, a little more rather than less. Times are those of one clock. */
export class RecentCalls {
  readonly #calls = new Float64Array(SLOTS);
  #last = 0;
  #sum = 0;

  /**
   * Counts.
   *
   * @param nowMs The time.
   * @returns How many calls were admitted in the minute before.
   */
  count(nowMs: number): number {
    this.#moveOn(nowMs);
    return this.#sum;
  }

  /**
   * Adds calls.
   *
   * @param calls How many.
   * @param nowMs The time.
   */
  add(calls: number, nowMs: number): void {
    this.#moveOn(nowMs);
    this.#change(this.#last, calls);
  }

  /**
   * Takes back calls that were not made after all, the latest first.
   *
   * @param calls How many.
   */
  takeBack(calls: number): void {
    for (let back = 0; back < SLOTS && calls > 0; back++) {
      const taken = Math.min(calls, this.#at(this.#last - back));
      this.#change(this.#last - back, -taken);
      calls -= taken;
    }
  }

  /**
   * Tells how long it is until so many calls are forgotten that there is room.
   *
   * @param room How many calls may be remembered then.
   * @param nowMs The time.
   * @returns The time, in milliseconds; `0` where there is room already.
   */
  waitMs(room: number, nowMs: number): number {
    let remembered = this.count(nowMs);
    let waitMs = 0;
    for (let slot = this.#last - SLOTS + 1; slot <= this.#last && remembered > room; slot++) {
      remembered -= this.#at(slot);
      waitMs = (slot + SLOTS) * SLOT_MS - nowMs;
    }
    return Math.max(0, waitMs);
  }

  #moveOn(nowMs: number): void {
    const slot = slotOf(nowMs);
    // A clock that was set back fills the slot it was in.
    for (let next = Math.max(this.#last + 1, slot - SLOTS + 1); next <= slot; next++) {
      this.#change(next, -this.#at(next));
    }
    this.#last = Math.max(this.#last, slot);
  }

  #at(slot: number): number {
    return this.#calls[((slot % SLOTS) + SLOTS) % SLOTS] ?? 0;
  }

  #change(slot: number, by: number): void {
    this.#calls[((slot % SLOTS) + SLOTS) % SLOTS] = this.#at(slot) + by;
    this.#sum += by;
  }
}
