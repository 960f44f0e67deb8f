/**
 * The client leg of the conformance suite: the suite's servers against `client.ts`.
 *
 * @module
 */

import { AS_EXPECTED, TURNS } from "./contract.ts";
import type { ScenarioResult } from "./results.ts";
import { runSuite } from "./suite.ts";

// The suite splits the command at its spaces, so that no path may stand in it.
const COMMAND = "deno run --frozen --allow-env --allow-net --allow-read --allow-write tests/conformance/client.ts";
/** Clients at a time: one more than processors, as most of them wait now and then. */
const TURN_COUNT = navigator.hardwareConcurrency + 1;
const MAX_STDERR_CHARS = 2_000;

/**
 * Runs the client scenarios of a revision.
 *
 * @param revision The revision of the specification.
 * @param signal Ends the suite and all its clients.
 * @returns The scenarios that ran, by name.
 */
export async function runClientLeg(revision: string, signal: AbortSignal): Promise<readonly ScenarioResult[]> {
  const turns = await Deno.makeTempDir({ prefix: "conformance-turns-" });
  try {
    for (let turn = 0; turn < TURN_COUNT; turn++) await Deno.writeTextFile(`${turns}/${turn}`, "");
    return await runSuite({
      leg: "client",
      revision,
      // Waiting for a turn counts: `signal` is what ends a client that waits for ever.
      args: ["--command", COMMAND, "--timeout", "3600000"],
      env: {
        PATH: `${Deno.execPath().replace(/[^/\\]+$/, "")}:${Deno.env.get("PATH") ?? ""}`,
        [TURNS]: turns,
      },
      signal,
      findFaults,
    });
  } finally {
    await Deno.remove(turns, { recursive: true });
  }
}

/** How the client ended: the suite does not look at it. */
async function findFaults(folder: string): Promise<readonly string[]> {
  const read = (file: string) => Deno.readTextFile(`${folder}/${file}`).catch(() => "");
  if ((await read("stdout.txt")).includes(AS_EXPECTED)) return [];
  return [`The client ended otherwise than it should: ${(await read("stderr.txt")).slice(0, MAX_STDERR_CHARS)}`];
}
