/**
 * Measures calls of one contender in a process of its own. Its arguments are the contender's name, the URL of a server
 * and how many calls a round has. For each line of its standard input it runs a round and prints what came of it.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { loadContender } from "./contenders/named.ts";
import { percentile } from "./median.ts";
import { toolName } from "./servers/answers.ts";

const IN_FLIGHT = 64;
/** The compiler works on a path until it has been taken some thousand times. */
const WARM_UP_CALLS = 4_000;

const [name, url = "", callCount] = Deno.args;
const calls = Number(callCount);
const connected = await (await loadContender(name)).connect([url]);
const call = () => connected.call(0, toolName(0, 0), "ahoy");

/** One after the other; how long each took, in milliseconds. */
async function callInTurn(): Promise<readonly number[]> {
  const times: number[] = [];
  for (let at = 0; at < calls; at++) {
    const startedAt = performance.now();
    if (await call() !== "ahoy") throw new Error("Not the answer");
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Many at a time. */
async function callAtOnce(count: number): Promise<void> {
  let left = count;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (left-- > 0) await call();
  }));
}

await callAtOnce(WARM_UP_CALLS);
for await (const _ of Deno.stdin.readable) {
  const times = await callInTurn();
  const before = cpuUsage();
  const startedAt = performance.now();
  await callAtOnce(2 * calls);
  const tookMs = performance.now() - startedAt;
  const { user, system } = cpuUsage(before);
  const perSecond = 2 * calls / tookMs * 1_000;
  const row = [percentile(times, 0.5), percentile(times, 0.99), perSecond, (user + system) / (2 * calls)];
  console.log(JSON.stringify(row));
}
await connected[Symbol.asyncDispose]();
Deno.exit();
