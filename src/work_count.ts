/**
 * How much is under way, for whoever waits for its end.
 *
 * @module
 */

import { clearAlarm, setAlarm } from "./alarm.ts";

/** The longest that somebody may wait, in milliseconds: that of a timer. */
const MAX_WAIT_MS = 2_147_483_647;

/** Counts work from its beginning to its end: `using _ = count.begin()`. */
export class WorkCount implements Disposable {
  #running = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  /** How much is under way. */
  get running(): number {
    return this.#running;
  }

  /**
   * Counts something that begins.
   *
   * @returns This count: disposed of once for each beginning, it counts one less.
   */
  begin(): this {
    this.#running++;
    return this;
  }

  /**
   * Waits until nothing is under way.
   *
   * @param maxMs How long to wait, in milliseconds; without it, as long as it takes.
   * @returns Whether nothing is under way any more.
   */
  async idle(maxMs?: number): Promise<boolean> {
    if (this.#running === 0) return true;
    const { promise } = this.#idle ??= Promise.withResolvers();
    if (maxMs === undefined) {
      await promise;
      return true;
    }
    const late = Promise.withResolvers<void>();
    const alarm = setAlarm(() => late.resolve(), Math.min(Math.max(0, maxMs), MAX_WAIT_MS));
    await Promise.race([promise, late.promise]);
    clearAlarm(alarm);
    return this.#running === 0;
  }

  /** Counts something that has ended. */
  [Symbol.dispose](): void {
    if (--this.#running > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
