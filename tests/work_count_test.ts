import { assertEquals } from "@std/assert";
import { WorkCount } from "../src/work_count.ts";

Deno.test("WorkCount.idle() resolves when the last work has ended, for all who wait", async () => {
  const count = new WorkCount();
  assertEquals(await count.idle(0), true);
  const works = [count.begin(), count.begin()];
  const waiting = [count.idle(60_000), count.idle(60_000)];
  for (const work of works) work[Symbol.dispose]();
  assertEquals([await Promise.all(waiting), count.running], [[true, true], 0]);
});

Deno.test("WorkCount.idle() waits no longer than it may", async () => {
  const count = new WorkCount();
  using _ = count.begin();
  assertEquals([await count.idle(1), count.running], [false, 1]);
});

Deno.test("WorkCount.idle() waits for work that was begun meanwhile", async () => {
  const count = new WorkCount();
  const first = count.begin();
  const waiting = count.idle(60_000);
  const second = count.begin();
  first[Symbol.dispose]();
  let isIdle = false;
  waiting.then(() => isIdle = true);
  await Promise.resolve();
  assertEquals([isIdle, count.running], [false, 1]);
  second[Symbol.dispose]();
  assertEquals(await waiting, true);
});
