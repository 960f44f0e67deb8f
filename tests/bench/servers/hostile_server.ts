/**
 * A process with one server that shakes hands and lists its tool as it should and is hostile to calls. Its argument is
 * a JSON object of `FastServerOptions`. It prints its URL as one JSON line and ends when its standard input does.
 *
 * @module
 */

import { type Behaviour, drop, endlessSse, hang, oversizeJson, slowDrip, status } from "../../support/behaviours.ts";
import { startRawServer } from "../../support/fault_server.ts";
import { type FastServerOptions, type HostileKind, toolName } from "./answers.ts";

const BEHAVIOURS: Readonly<Record<HostileKind, Behaviour>> = {
  "hangs": hang,
  "answers 500": status(500),
  "drops connections": drop,
  "endless SSE": endlessSse(": nothing\n\n", 1),
  "oversize JSON": oversizeJson(64 * 1024 * 1024),
  "slow drip": slowDrip(5),
};

const { hostile }: FastServerOptions = JSON.parse(Deno.args[0] ?? "{}");
const server = startRawServer(hostile === undefined ? {} : { "tools/call": BEHAVIOURS[hostile] }, {
  sessionId: "hostile",
  tools: [{ name: toolName(0, 0), inputSchema: { type: "object" } }],
});
console.log(JSON.stringify([server.url]));
for await (const _ of Deno.stdin.readable) { /* Waits for the end. */ }
Deno.exit();
