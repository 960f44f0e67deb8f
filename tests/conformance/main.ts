/**
 * The official conformance suite, client leg, over both eras. Fails if a required scenario does, or did not run; there
 * is no list of failures that are expected. What a revision does not require is shown.
 *
 * @module
 */

import { runSuite, type ScenarioResult } from "./suite.ts";

/** How many scenarios each revision requires of a client. */
const REQUIRED: Readonly<Record<string, number>> = { "2025-11-25": 18, "2026-07-28": 32 };
/** For everything, a download included, in milliseconds. */
const TIMEOUT_MS = 300_000;

const abort = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => abort.abort(new Error(`Stopped by ${signal}`)));
}
setTimeout(() => abort.abort(new Error(`Not done within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);

let isConformant = true;
for (const [revision, count] of Object.entries(REQUIRED)) {
  const startedAt = performance.now();
  const results = await runSuite(revision, abort.signal);
  const required = results.filter(({ isRequired }) => isRequired);
  const others = results.filter(({ isRequired }) => !isRequired);
  const passed = required.filter(hasPassed).length;
  isConformant &&= required.length === count && passed === count;
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`\nClient, specification ${revision}: ${passed} of ${count} required scenarios passed in ${seconds} s`);
  for (const result of required) print(result);
  if (required.length !== count) console.log(`  ${required.length} required scenarios ran`);
  console.log(`Not required: ${others.filter(hasPassed).length} of ${others.length} passed`);
  for (const result of others) print(result);
}
Deno.exit(isConformant ? 0 : 1);

function hasPassed({ faults }: ScenarioResult): boolean {
  return faults.length === 0;
}

function print(result: ScenarioResult): void {
  const { name, isRequired, passed, faults } = result;
  // What is not required and fails are extensions that are not spoken here.
  const verdict = hasPassed(result) ? "ok" : isRequired ? "FAILED" : "-";
  console.log(`  ${verdict.padEnd(8)}${name.padEnd(42)} ${passed} checks passed`);
  for (const fault of isRequired ? faults : []) console.log(fault.trim().replace(/^/gm, " ".repeat(10)));
}
