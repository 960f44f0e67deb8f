/**
 * A clock with timers that run when a test says so.
 *
 * @module
 */

import type { Clock } from "../../src/northbound/clock.ts";

/** A clock that stands still. */
export interface ManualClock extends Clock {
  /** How many timers are armed. */
  readonly armed: number;
  /** Lets time pass; what is due by then runs, in order. */
  pass(ms: number): void;
}

/** Makes a clock. */
export function manualClock(): ManualClock {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  return {
    get armed() {
      return timers.size;
    },
    now: () => nowMs,
    after(ms, run) {
      const timer = { atMs: nowMs + ms, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    pass(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        const [next] = [...timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        timers.delete(next);
        nowMs = next.atMs;
        next.run();
      }
      nowMs = endMs;
    },
  };
}
