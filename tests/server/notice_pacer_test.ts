import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { NoticePacer } from "../../src/server/notice_pacer.ts";
import { ManualTime } from "../support/manual_time.ts";

/** A pacer on a clock of the test's, and when it told. */
function createPacer(onChange: () => void = () => {}) {
  const time = new ManualTime();
  const closing = new AbortController();
  const toldAt: number[] = [];
  const pacer = new NoticePacer({
    signal: closing.signal,
    onChange: () => {
      toldAt.push(time.nowMs);
      onChange();
    },
    now: time.now,
    wait: time.wait,
  });
  return { pacer, time, closing, toldAt };
}

Deno.test("NoticePacer tells the first notice at once", async () => {
  const { pacer, time, toldAt } = createPacer();
  await time.pass(10);
  pacer.notice();
  assertEquals(toldAt, [10]);
});

Deno.test("F34 NoticePacer tells of 500 notices at once twice: at once, and a second later", async () => {
  const { pacer, time, toldAt } = createPacer();
  for (let notice = 0; notice < 500; notice++) pacer.notice();
  await time.pass(60_000);
  assertEquals(toldAt, [0, 1_000]);
});

Deno.test("F35 NoticePacer tells of a notice every 100 ms once a second, for as long as they come", async () => {
  const { pacer, time, toldAt } = createPacer();
  for (let notice = 0; notice <= 50; notice++, await time.pass(100)) pacer.notice();
  await time.pass(10_000);
  assertEquals(toldAt, [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
});

Deno.test("NoticePacer tells of every notice, at most once a second, in whatever rhythm they come", async () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 2_500 }), { minLength: 1, maxLength: 30 });
  await fc.assert(fc.asyncProperty(gaps, async (gapsMs) => {
    const { pacer, time, toldAt } = createPacer();
    for (const gapMs of gapsMs) {
      await time.pass(gapMs);
      pacer.notice();
    }
    const lastMs = time.nowMs;
    await time.pass(5_000);
    for (const [index, atMs] of toldAt.entries()) assertGreaterOrEqual(atMs - (toldAt[index - 1] ?? -1_000), 1_000);
    assertGreaterOrEqual(toldAt.at(-1)!, lastMs);
    assertLessOrEqual(toldAt.at(-1)!, lastMs + 1_000);
  }));
});

Deno.test("NoticePacer goes on where its owner's function throws, at once or a second later", async () => {
  const { pacer, time, toldAt } = createPacer(() => {
    throw new Error("of the owner");
  });
  pacer.notice();
  pacer.notice();
  await time.pass(5_000);
  assertEquals(toldAt, [0, 1_000]);
  pacer.notice();
  assertEquals(toldAt, [0, 1_000, 5_000]);
});

Deno.test("NoticePacer tells nothing after its end, and leaves nothing that waits", async () => {
  const { pacer, time, closing, toldAt } = createPacer();
  pacer.notice();
  pacer.notice();
  assertEquals(time.waiting, 1);
  closing.abort();
  await pacer.settled();
  pacer.notice();
  await time.pass(600_000);
  assertEquals([toldAt, time.waiting], [[0], 0]);
});

Deno.test("NoticePacer leaves no timer behind where the clock is the real one", async () => {
  const closing = new AbortController();
  let told = 0;
  const pacer = new NoticePacer({ signal: closing.signal, onChange: () => told++ });
  pacer.notice();
  pacer.notice();
  closing.abort();
  await pacer.settled();
  assertEquals(told, 1);
});
