/**
 * Times as people write them.
 *
 * @module
 */

import { CliError } from "./cli_error.ts";

const UNITS: ReadonlyMap<string, number> = new Map([["ms", 1], ["s", 1_000], ["m", 60_000], ["h", 3_600_000]]);
const MAX_MS = 24 * 3_600_000;

/**
 * Reads a time with its unit.
 *
 * @param text Such as `500ms`, `30s`, `1.5m`, `1h`.
 * @returns The time, in milliseconds.
 * @throws {CliError} If it is none of at most a day: `invalid_usage`.
 */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? [];
  const timeMs = Math.round(Number(count) * (UNITS.get(unit ?? "") ?? NaN));
  if (timeMs >= 1 && timeMs <= MAX_MS) return timeMs;
  throw new CliError(
    "invalid_usage",
    `Cannot use "${text}" as a time: write a number and a unit, as in 500ms, 30s or 2m`,
  );
}
