import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { delay } from "@std/async";
import { Deadline } from "../src/deadline.ts";
import { SharedTask } from "../src/shared_task.ts";
import { until } from "./support/client_support.ts";

/** Work whose end the test decides; it ends by itself when its deadline is over. */
function controlledWork() {
  const starts: { readonly deadline: Deadline; resolve(value: string): void; reject(error: unknown): void }[] = [];
  const task = new SharedTask<string>((deadline) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    starts.push({ deadline, resolve, reject });
    return deadline.race(promise);
  });
  return { task, starts };
}

function leaving() {
  const controller = new AbortController();
  return { deadline: new Deadline(10_000, { signal: controller.signal }), leave: () => controller.abort("left") };
}

Deno.test("SharedTask.join() is one flight for all who come while it is under way", async () => {
  const { task, starts } = controlledWork();
  using deadline = new Deadline(10_000);
  const waiting = [task.join(deadline, 10_000), task.join(deadline, 10_000)];
  assertEquals([starts.length, task.running], [1, true]);
  starts[0]?.resolve("done");
  assertEquals(await Promise.all(waiting), ["done", "done"]);
  assertEquals(task.running, false);
  const again = task.join(deadline, 10_000);
  assertEquals(starts.length, 2);
  starts[1]?.resolve("again");
  assertEquals(await again, "again");
});

Deno.test("SharedTask.join() rejects for all who wait with what the work rejects with, and starts anew after", async () => {
  const { task, starts } = controlledWork();
  using deadline = new Deadline(10_000);
  const waiting = [task.join(deadline, 10_000), task.join(deadline, 10_000)];
  const reason = new Error("failed");
  starts[0]?.reject(reason);
  for (const promise of waiting) assertStrictEquals(await assertRejects(() => promise), reason);
  const again = task.join(deadline, 10_000);
  starts[1]?.resolve("again");
  assertEquals(await again, "again");
});

Deno.test("SharedTask.join() lets one leave without the others, and ends the work when the last has left", async () => {
  const { task, starts } = controlledWork();
  const [first, second] = [leaving(), leaving()];
  using _first = first.deadline;
  using _second = second.deadline;
  const firstEnd = task.join(first.deadline, 10_000).catch((error) => error);
  const secondEnd = task.join(second.deadline, 10_000).catch((error) => error);
  first.leave();
  assertEquals([await firstEnd, starts[0]?.deadline.signal.aborted], ["left", false]);
  second.leave();
  assertEquals(await secondEnd, "left");
  assertEquals([starts[0]?.deadline.signal.aborted, starts[0]?.deadline.cancelled], [true, true]);
  await until(() => !task.running);
});

Deno.test("SharedTask.join() tells the work that its time has passed where the last waiter's has", async () => {
  const { task, starts } = controlledWork();
  using hasty = new Deadline(5);
  await assertRejects(() => task.join(hasty, 10_000));
  assertEquals(starts[0]?.deadline.passed, true);
});

Deno.test("SharedTask.join() waits for work that was given up to end, and then starts its own", async () => {
  const ends = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let started = 0;
  // Work that takes its time to clean up after it was ended.
  const task = new SharedTask<string>(() => ends[started++]!.promise);
  const { deadline, leave } = leaving();
  using _deadline = deadline;
  const first = task.join(deadline, 10_000).catch((error) => error);
  leave();
  assertEquals([await first, task.running], ["left", true]);
  using patient = new Deadline(10_000);
  const second = task.join(patient, 10_000);
  assertEquals(started, 1, "no second flight beside the first");
  ends[0]?.reject(new Error("why the first has given up"));
  await until(() => started === 2);
  ends[1]?.resolve("its own");
  assertEquals(await second, "its own");
});

Deno.test("SharedTask.join() rejects at once where the deadline is over", async () => {
  const { task } = controlledWork();
  using over = new Deadline(10_000, { signal: AbortSignal.abort("before") });
  assertEquals(await task.join(over, 10_000).catch((error) => error), "before");
  await until(() => !task.running);
});

Deno.test("SharedTask.join() ends work whose own time has passed, for all who wait", async () => {
  const { task, starts } = controlledWork();
  using patient = new Deadline(10_000);
  await assertRejects(() => task.join(patient, 5), Error, "The deadline passed");
  assertEquals([starts[0]?.deadline.passed, patient.signal.aborted], [true, false]);
});

Deno.test("SharedTask.abort() ends the work for all who wait, and waits for its end", async () => {
  const { task } = controlledWork();
  using deadline = new Deadline(10_000);
  const waiting = task.join(deadline, 10_000).catch((error) => error);
  await task.abort("closed");
  assertEquals([task.running, await waiting], [false, "closed"]);
  await task.abort("nothing to end");
});

Deno.test("SharedTask.join() rejects for who leaves last once the work has ended", async () => {
  const seen: string[] = [];
  const task = new SharedTask<string>(async (deadline) => {
    await deadline.race(new Promise<never>(() => {})).catch(() => {});
    await delay(5);
    seen.push("the work has recorded its end");
    return "late";
  });
  using hasty = new Deadline(5);
  await assertRejects(() => task.join(hasty, 10_000), Error, "The deadline passed");
  assertEquals([seen, task.running], [["the work has recorded its end"], false]);
});

Deno.test("SharedTask.join() does not wait for ever for work that does not end", async () => {
  const task = new SharedTask<string>(() => new Promise<never>(() => {}));
  using hasty = new Deadline(5);
  await assertRejects(() => task.join(hasty, 10_000), Error, "The deadline passed");
  await task.abort("closed");
});
