import { assertEquals, assertExists, assertLessOrEqual, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Deadline } from "../../src/deadline.ts";
import { Bulkhead } from "../../src/resilience/bulkhead.ts";

const PATIENT_MS = 60_000;

/** Lets everything that is settled be seen by those who wait for it. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

/** A visitor that waits, and tells when it has its place. */
function visit(bulkhead: Bulkhead, onEnter: () => void = () => {}) {
  const controller = new AbortController();
  const deadline = new Deadline(PATIENT_MS, { signal: controller.signal });
  const entered = bulkhead.enter(deadline).finally(() => deadline[Symbol.dispose]());
  entered.then((leave) => leave && onEnter(), () => {});
  return { entered, giveUp: () => controller.abort("gave up") };
}

Deno.test("Bulkhead.enter() lets as many in as there are places; the next ones wait, first come first served", async () => {
  const bulkhead = new Bulkhead(2, 10);
  const order: number[] = [];
  const visits = Array.from({ length: 5 }, (_, index) => visit(bulkhead, () => order.push(index)));
  await settle();
  assertEquals([order, bulkhead.running, bulkhead.waiting], [[0, 1], 2, 3]);
  for (const index of [1, 0, 2, 3, 4]) {
    const leave = await visits[index]!.entered;
    assertExists(leave);
    leave();
    await settle();
  }
  assertEquals([order, bulkhead.running, bulkhead.waiting], [[0, 1, 2, 3, 4], 0, 0]);
});

Deno.test("Bulkhead.enter() gives undefined at once where too many wait", async () => {
  const bulkhead = new Bulkhead(1, 2);
  const visits = Array.from({ length: 3 }, () => visit(bulkhead));
  using deadline = new Deadline(PATIENT_MS);
  assertEquals(await bulkhead.enter(deadline), undefined);
  assertEquals([bulkhead.running, bulkhead.waiting], [1, 2]);
  for (const { entered } of visits) (await entered)?.();
  assertEquals([bulkhead.running, bulkhead.waiting], [0, 0]);
});

Deno.test("Bulkhead.enter() rejects with the deadline's reason, and the place goes to the next", async () => {
  const bulkhead = new Bulkhead(1, 10);
  const [first, second, third] = [visit(bulkhead), visit(bulkhead), visit(bulkhead)];
  second.giveUp();
  assertEquals(await second.entered.catch((error) => error), "gave up");
  assertEquals([bulkhead.running, bulkhead.waiting], [1, 1]);
  (await first.entered)?.();
  (await third.entered)?.();
  assertEquals([bulkhead.running, bulkhead.waiting], [0, 0]);
});

Deno.test("Bulkhead.enter() gives the place on that came together with the end of the deadline", async () => {
  for (const placeFirst of [true, false]) {
    const bulkhead = new Bulkhead(1, 10);
    const [first, second, third] = [visit(bulkhead), visit(bulkhead), visit(bulkhead)];
    const leave = await first.entered;
    const steps = [() => leave?.(), second.giveUp];
    for (const step of placeFirst ? steps : steps.reverse()) step();
    const got = await second.entered.catch(() => undefined);
    got?.();
    (await third.entered)?.();
    assertEquals([bulkhead.running, bulkhead.waiting], [0, 0]);
  }
});

Deno.test("Bulkhead.enter() rejects when the time has passed", async () => {
  const bulkhead = new Bulkhead(1, 10);
  const { entered } = visit(bulkhead);
  using deadline = new Deadline(1);
  await assertRejects(() => bulkhead.enter(deadline), Error, "The deadline passed");
  (await entered)?.();
  assertEquals([bulkhead.running, bulkhead.waiting], [0, 0]);
});

Deno.test("Bulkhead takes a place back once, however often it is given back", async () => {
  const bulkhead = new Bulkhead(1, 10);
  const leave = await visit(bulkhead).entered;
  leave?.();
  leave?.();
  assertEquals(bulkhead.running, 0);
  const [next, waiting] = [visit(bulkhead), visit(bulkhead)];
  leave?.();
  await settle();
  assertEquals([bulkhead.running, bulkhead.waiting], [1, 1]);
  for (const { entered } of [next, waiting]) (await entered)?.();
});

Deno.test("Bulkhead keeps its bounds, starves nobody and leaks no place, in whatever order things happen", async () => {
  const step = fc.tuple(fc.constantFrom("enter", "leave", "giveUp", "leaveAndGiveUp", "settle"), fc.nat(7));
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const bulkhead = new Bulkhead(2, 3);
    const inside: (() => void)[] = [];
    const outside = new Set<ReturnType<typeof visit>>();
    let [asked, entered, refused, gaveUp] = [0, 0, 0, 0];
    const pick = <T>(from: readonly T[], index: number): T | undefined => from[index % Math.max(1, from.length)];
    const leaveOne = (index: number) => {
      const leave = pick(inside, index);
      if (leave === undefined) return;
      inside.splice(inside.indexOf(leave), 1);
      leave();
    };
    for (const [what, index] of steps) {
      if (what === "enter") {
        asked++;
        const one = visit(bulkhead);
        outside.add(one);
        one.entered.then((leave) => {
          if (leave === undefined) refused++;
          else inside.push(leave), entered++;
        }, () => gaveUp++).finally(() => outside.delete(one));
      }
      if (what === "leave" || what === "leaveAndGiveUp") leaveOne(index);
      if (what === "giveUp" || what === "leaveAndGiveUp") pick([...outside], index)?.giveUp();
      if (what === "settle") await settle();
      assertLessOrEqual(bulkhead.running, 2);
      assertLessOrEqual(bulkhead.waiting, 3);
      assertLessOrEqual(inside.length, 2);
    }
    await settle();
    assertEquals(inside.length, bulkhead.running);
    assertEquals(bulkhead.waiting === 0 || bulkhead.running === 2, true, "nobody waits beside a free place");
    while (inside.length > 0) {
      leaveOne(0);
      await settle();
    }
    assertEquals([bulkhead.running, bulkhead.waiting, outside.size], [0, 0, 0]);
    assertEquals(entered + refused + gaveUp, asked);
  }));
});

Deno.test("Bulkhead.resize() lets in who waits where there is room, and waits for places that are too many to be left", async () => {
  const bulkhead = new Bulkhead(1, 10);
  const order: number[] = [];
  const visits = Array.from({ length: 6 }, (_, index) => visit(bulkhead, () => order.push(index)));
  bulkhead.resize(3, 10);
  await settle();
  assertEquals([order, bulkhead.running, bulkhead.waiting], [[0, 1, 2], 3, 3]);
  bulkhead.resize(1, 10);
  for (const index of [0, 1, 2, 3]) {
    (await visits[index]?.entered)?.();
    await settle();
    assertEquals([bulkhead.running, order.length], [[2, 3], [1, 3], [1, 4], [1, 5]][index]);
  }
  bulkhead.resize(Infinity, Infinity);
  await settle();
  assertEquals([order, bulkhead.waiting], [[0, 1, 2, 3, 4, 5], 0]);
});
