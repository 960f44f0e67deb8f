/** Prints how many bytes of memory each connected server takes: which client is the first argument, the URLs the second. */

import { loadContender } from "../contenders/named.ts";

const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});

/** What is taken once the garbage is gone. */
async function measure(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Deno.memoryUsage().rss;
}

const contender = await loadContender(Deno.args[0]);
const urls: readonly string[] = JSON.parse(Deno.args[1] ?? "[]");
// What is loaded and allocated once is not a server's.
const warmUp = await contender.connect(urls.slice(0, 5));
const before = await measure();
const connected = await contender.connect(urls);
const after = await measure();
console.log((after - before) / urls.length);
await connected[Symbol.asyncDispose]();
await warmUp[Symbol.asyncDispose]();
Deno.exit();
