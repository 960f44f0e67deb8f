/** Prints how the scenarios of a leg went. */

import type { ScenarioResult } from "./results.ts";

/**
 * Prints a leg of which the scenarios are required.
 *
 * @param title What was tested.
 * @param results How it went.
 * @param count How many scenarios have to run and to pass.
 * @returns Whether all of them did.
 */
export function reportRequired(title: string, results: readonly ScenarioResult[], count: number): boolean {
  const required = results.filter(({ isRequired }) => isRequired);
  const others = results.filter(({ isRequired }) => !isRequired);
  const passed = required.filter(hasPassed).length;
  console.log(`\n${title}: ${passed} of ${count} required scenarios passed`);
  for (const result of required) print(result, "FAILED", result.faults);
  if (required.length !== count) console.log(`  ${required.length} required scenarios ran`);
  console.log(`Not required: ${others.filter(hasPassed).length} of ${others.length} passed`);
  // What is not required and fails are extensions that are not spoken here.
  for (const result of others) print(result, "-", []);
  return required.length === count && passed === count;
}

/**
 * Prints a leg that tells what works between the eras.
 *
 * @param title What was tested.
 * @param results How it went.
 * @param reasons Why a scenario cannot pass, where that is known.
 */
export function reportInformation(
  title: string,
  results: readonly ScenarioResult[],
  reasons: Readonly<Record<string, string>>,
): void {
  const required = results.filter(({ isRequired }) => isRequired);
  console.log(`\n${title}, which nothing requires: ${required.filter(hasPassed).length} of ${required.length} passed`);
  for (const result of required) {
    const reason = hasPassed(result) ? undefined : reasons[result.name];
    print(result, "-", [...result.faults, ...(reason === undefined ? [] : [`Reason: ${reason}`])]);
  }
}

function hasPassed({ faults }: ScenarioResult): boolean {
  return faults.length === 0;
}

function print(result: ScenarioResult, failed: string, faults: readonly string[]): void {
  const verdict = hasPassed(result) ? "ok" : failed;
  console.log(`  ${verdict.padEnd(8)}${result.name.padEnd(46)} ${result.passed} checks passed`);
  for (const fault of faults) console.log(fault.trim().replace(/^/gm, " ".repeat(10)));
}
