/**
 * The time that the MCP endpoint lives by.
 *
 * @module
 */

import { clearAlarm, setAlarm } from "../alarm.ts";

/** Tells the time, and wakes. */
export interface Clock {
  /** The time, in milliseconds since the epoch. */
  now(): number;
  /**
   * Does something later.
   *
   * @param ms How much later, in milliseconds.
   * @param run What to do.
   * @returns To be called where it is not to be done any more.
   */
  after(ms: number, run: () => void): () => void;
}

/** The clock of the machine. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const alarm = setAlarm(run, ms);
    return () => clearAlarm(alarm);
  },
};
