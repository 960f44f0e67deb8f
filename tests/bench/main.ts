/**
 * What is measured, in one run and as ratios: the machine's own speed drops out. Targets stand beside what was measured;
 * a machine that is busy may miss them, and the run does not fail for it. Arguments name the tables to print.
 *
 * @module
 */

import { measureCalls } from "./calls.ts";
import { measureColdProcess } from "./cold_process.ts";
import { measureConnectAndList } from "./connect_and_list.ts";
import { measureConnecting } from "./connecting.ts";
import { measureFirstCall } from "./first_call.ts";
import { measureFootprint } from "./footprint.ts";
import { measureGatewayCalls } from "./gateway_calls.ts";
import { measureGatewayCold } from "./gateway_cold.ts";
import { measureHostile } from "./hostile.ts";
import { measureManyTools } from "./many_tools.ts";
import { measureRivals } from "./rivals.ts";

interface Table {
  readonly title: string;
  readonly measure: () => AsyncIterable<string>;
}

const TABLES: Readonly<Record<string, Table>> = {
  "all": {
    title: "Time to all tools: servers that take 50 ms a request, and one more that hangs",
    measure: () => measureConnecting({ serverCounts: [1, 5, 20], delayMs: 50, runs: 2 }),
  },
  "first": {
    title: "Time of a first call in a new client: 20 servers that take 50 ms a request",
    measure: () => measureFirstCall({ servers: 20, delayMs: 50, runs: 3 }),
  },
  "connect": {
    title: "Connecting and listing, all servers at once",
    measure: () => measureConnectAndList({ serverCounts: [1, 20, 100], rounds: 7 }),
  },
  "call": {
    title: "Calls on a warm connection: one after the other, then 64 in flight",
    measure: () => measureCalls({ calls: 400, rounds: 5 }),
  },
  "cold": {
    title: "From the start of a process to its first result",
    measure: () => measureColdProcess({ servers: 20, rounds: 5 }),
  },
  "footprint": {
    title: "Import and memory",
    measure: () => measureFootprint({ servers: 100, rounds: 3 }),
  },
  "tools": {
    title: "A call among many tools",
    measure: () => measureManyTools({ servers: 100, tools: 100, calls: 200, rounds: 15 }),
  },
  "hostile": {
    title: "One of eight servers is hostile: the calls to the other seven",
    measure: () => measureHostile({ calls: 100, rounds: 3 }),
  },
  "rivals": {
    title: "What clients make of what goes wrong, each used as its documentation says",
    measure: () => measureRivals(),
  },
  "gateway": {
    title: "Calls through a gateway: one after the other, then 64 in flight",
    measure: () => measureGatewayCalls({ calls: 300, rounds: 5 }),
  },
  "gateway_cold": {
    title: "From the start of a gateway's process to the result of the first call through it",
    measure: () => measureGatewayCold({ servers: 20, rounds: 5 }),
  },
};

const unknown = Deno.args.filter((name) => !Object.hasOwn(TABLES, name));
if (unknown.length > 0) {
  console.error(`Cannot measure ${unknown.join(", ")}: the tables are ${Object.keys(TABLES).join(", ")}`);
  Deno.exit(2);
}
for (const [name, { title, measure }] of Object.entries(TABLES)) {
  if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
  console.log(`\n${title}`);
  for await (const line of measure()) console.log(line);
}
