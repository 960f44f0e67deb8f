/**
 * The client that the official conformance suite starts, once for each scenario: the server's URL is its argument, the
 * scenario stands in the environment.
 *
 * @module
 */

import { AS_EXPECTED, TURNS } from "./contract.ts";

/** How long a scenario may take, in milliseconds. */
const TIMEOUT_MS = 60_000;

/** A file that can be locked; in Deno 2.5 only by waiting for it. */
interface Turn {
  tryLock?(exclusive: boolean): Promise<boolean>;
  lock(exclusive: boolean): Promise<void>;
}

/**
 * Waits for a turn, which the end of the process gives back. The suite starts all clients at once, and some scenarios
 * look at the time: a client that waits for the processor would look like one that is late.
 */
async function takeTurn(folder: string): Promise<void> {
  const turns: Turn[] = Array.from(
    Deno.readDirSync(folder),
    ({ name }) => Deno.openSync(`${folder}/${name}`, { write: true }),
  );
  for (const turn of turns) if (await turn.tryLock?.(true)) return;
  await turns[Deno.pid % turns.length]?.lock(true);
}

const turns = Deno.env.get(TURNS);
if (turns !== undefined) await takeTurn(turns);
setTimeout(() => Deno.exit(2), TIMEOUT_MS);
// Only now, as loading is most of the work.
const { play } = await import("./play.ts");
const [url = ""] = Deno.args;
const fault = await play(
  Deno.env.get("MCP_CONFORMANCE_SCENARIO") ?? "",
  url,
  JSON.parse(Deno.env.get("MCP_CONFORMANCE_CONTEXT") ?? "{}"),
);
if (fault === undefined) console.log(AS_EXPECTED);
else console.error(fault);
Deno.exit(fault === undefined ? 0 : 1);
