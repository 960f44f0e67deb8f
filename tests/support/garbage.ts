/**
 * Garbage collections at moments of a test's choice.
 *
 * @module
 */

import v8 from "node:v8";
import vm from "node:vm";

// Deno 2.5 takes the flag at its start alone: `deno task test` gives it there.
v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc") as () => void;

/** Collects what the turns of the event loop between the collections have let go of. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve));
  }
}
