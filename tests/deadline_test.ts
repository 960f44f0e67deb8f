import {
  assertEquals,
  assertGreater,
  assertLessOrEqual,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { checkTimeout, Deadline } from "../src/deadline.ts";
import { until } from "./support/client_support.ts";

const never = () => new Promise<never>(() => {});

Deno.test("Deadline.race() resolves to what the work resolves to", async () => {
  using deadline = new Deadline(10_000);
  assertEquals(await deadline.race(Promise.resolve(7)), 7);
  assertEquals([deadline.passed, deadline.cancelled, deadline.signal.aborted], [false, false, false]);
  assertGreater(deadline.remainingMs, 0);
  assertLessOrEqual(deadline.remainingMs, 10_000);
});

Deno.test("Deadline.race() rejects with what the work rejects with", async () => {
  using deadline = new Deadline(10_000);
  const reason = new Error("the work's own");
  assertStrictEquals(await assertRejects(() => deadline.race(Promise.reject(reason))), reason);
});

Deno.test("Deadline tells its own time from the caller's abort", async () => {
  using late = new Deadline(5);
  await assertRejects(() => late.race(never()), Error, "The deadline passed");
  assertEquals([late.passed, late.cancelled, late.remainingMs], [true, false, 0]);

  const controller = new AbortController();
  using left = new Deadline(10_000, { signal: controller.signal });
  const reason = { left: true };
  controller.abort(reason);
  assertStrictEquals(await left.race(never()).catch((error) => error), reason);
  assertEquals([left.passed, left.cancelled], [false, true]);
});

Deno.test("Deadline has passed at its end, also before its timer runs", () => {
  using deadline = new Deadline(1);
  assertEquals(deadline.signal.aborted, false);
  while (performance.now() < deadline.endsAtMs);
  assertEquals([deadline.signal.aborted, deadline.passed, deadline.cancelled], [false, true, false]);
});

Deno.test("Deadline does not take an error of its own name for its own time", () => {
  const reason = new Error("The deadline passed");
  reason.name = "DeadlinePassed";
  using deadline = new Deadline(10_000, { signal: AbortSignal.abort(reason) });
  assertEquals([deadline.passed, deadline.cancelled], [false, true]);
});

Deno.test("Deadline is over at once where a signal is aborted already", async () => {
  using deadline = new Deadline(10_000, { signal: AbortSignal.abort("before") });
  assertEquals(await deadline.race(never()).catch((error) => error), "before");
});

Deno.test("Deadline ends with its parent, by time and by abort", async () => {
  using parent = new Deadline(5);
  using child = new Deadline(10_000, { parent });
  assertEquals(child.endsAtMs, parent.endsAtMs);
  await until(() => parent.signal.aborted && child.signal.aborted);
  assertEquals([child.passed, child.cancelled], [true, false]);

  const controller = new AbortController();
  using outer = new Deadline(Infinity, { signal: controller.signal });
  using inner = new Deadline(10_000, { parent: outer });
  controller.abort("left");
  assertEquals([inner.cancelled, inner.signal.reason], [true, "left"]);
});

Deno.test("Deadline leaves the time of its parent to the parent: a timer of its own could go off a little earlier", () => {
  using parent = new Deadline(10_000);
  const child = new Deadline(20_000, { parent });
  // It is not disposed of: the sanitizers fail this test for a timer that is left.
  assertEquals(child.signal.aborted, false);
});

Deno.test("Deadline is no longer than its own time where the parent's is longer", () => {
  using parent = new Deadline(60_000);
  using child = new Deadline(10, { parent });
  assertLessOrEqual(child.remainingMs, 10);
});

Deno.test("Deadline ends with its owner", () => {
  const owner = new AbortController();
  using deadline = new Deadline(Infinity, { owner: owner.signal });
  owner.abort("closed");
  assertEquals([deadline.cancelled, deadline.signal.reason], [true, "closed"]);
});

Deno.test("Deadline lets go of its timer and its signals when it is disposed of", () => {
  const controller = new AbortController();
  {
    using deadline = new Deadline(2 ** 40, { signal: controller.signal, owner: controller.signal });
    using child = new Deadline(Infinity, { parent: deadline });
    assertEquals(child.signal.aborted, false);
  }
  // The sanitizers fail this test for a timer that is left; a listener that is left would abort here.
  const kept = new Deadline(10_000, { signal: controller.signal });
  kept[Symbol.dispose]();
  controller.abort();
  assertEquals(kept.signal.aborted, false);
});

Deno.test("checkTimeout() lets positive numbers and undefined through, and nothing else", () => {
  for (const value of [undefined, 1, 0.5, Infinity]) checkTimeout("timeoutMs", value);
  for (const value of [0, -1, NaN, "1", null]) {
    assertThrows(() => checkTimeout("timeoutMs", value as number), RangeError, `timeoutMs as a time in milliseconds`);
  }
});

Deno.test("Deadline.withoutSilence() lets the time stand still, and no longer than it may in all", async () => {
  using patient = new Deadline(40, { pauseMs: 10_000 });
  using short = new Deadline(40, { pauseMs: 40 });
  using usual = new Deadline(40);
  const answered = Promise.withResolvers<void>();
  const waits = [patient, short, usual].map((one) => one.race(one.withoutSilence(() => answered.promise)));
  const outcomes = await Promise.allSettled([
    until(() => usual.signal.aborted && short.signal.aborted),
    ...waits.slice(1),
  ]);
  assertEquals(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "rejected"]);
  assertEquals([patient.signal.aborted, short.passed, usual.passed], [false, true, true]);
  answered.resolve();
  await waits[0];
  assertEquals(patient.signal.aborted, false);
  // From here on it goes on, with what was left of it.
  await until(() => patient.signal.aborted);
  assertEquals(patient.passed, true);
});
