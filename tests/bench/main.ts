/**
 * What is measured, in one run and as ratios: the machine's own speed drops out.
 *
 * @module
 */

import { measureConnecting } from "./connecting.ts";
import { measureFirstCall } from "./first_call.ts";

console.log("Time to all tools: servers that take 50 ms a request, and one more that hangs");
for await (const line of measureConnecting({ serverCounts: [1, 5, 20], delayMs: 50, runs: 5 })) console.log(line);

console.log("\nTime of a first call in a new client: 20 servers that take 50 ms a request");
for await (const line of measureFirstCall({ servers: 20, delayMs: 50, runs: 5 })) console.log(line);
