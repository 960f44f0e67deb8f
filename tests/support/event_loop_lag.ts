/**
 * How long the event loop stands still. A shared machine stops it too: compared with plain work in the same run.
 *
 * @module
 */

import { fail } from "@std/assert";

/** How long the event loop may stand still. */
const MAX_LAG_MS = 50;
/** How much longer than for the plain work, where the machine is busy. */
const MAX_RATIO = 3;
const TICK_MS = 2;
/** How often it is tried: what else runs on the machine stops the clock too, but not in every round. */
const MAX_ROUNDS = 25;

/** What is measured. */
export interface LagCase {
  /** What it is, for the failure. */
  readonly what: string;
  /** Handles the same data as directly as can be. */
  readonly plain: () => Promise<unknown>;
  /** The work. */
  readonly work: () => Promise<unknown>;
}

/** Fails where work stops the event loop in every round. */
export async function assertNoLag({ what, plain, work }: LagCase): Promise<void> {
  const seen: string[] = [];
  while (seen.length < MAX_ROUNDS) {
    const plainMs = await lagOf(plain);
    const lagMs = await lagOf(work);
    if (lagMs < Math.max(MAX_LAG_MS, plainMs * MAX_RATIO)) return;
    seen.push(`${lagMs.toFixed()} ms (${plainMs.toFixed()} ms)`);
  }
  fail(`${what} stops the event loop in every round: ${seen.join(", ")}`);
}

/** The longest that the event loop stood still during some work, in milliseconds. */
async function lagOf(work: () => Promise<unknown>): Promise<number> {
  let [longestMs, lastMs] = [0, performance.now()];
  const tick = () => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs - TICK_MS);
    lastMs = nowMs;
  };
  const timer = setInterval(tick, TICK_MS);
  try {
    await work();
    tick();
  } finally {
    clearInterval(timer);
  }
  return longestMs;
}
