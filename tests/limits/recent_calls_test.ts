import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { countCalls, EMPTY_LEDGER, enterCalls, moveOn } from "../../src/limits/call_ledger.ts";
import { RecentCalls } from "../../src/limits/recent_calls.ts";

const START_MS = 1_800_000_000_000;

Deno.test("RecentCalls counts as a ledger does", () => {
  const steps = fc.array(fc.tuple(fc.oneof(fc.nat(900), fc.nat(90_000)), fc.nat(5)), { maxLength: 50 });
  fc.assert(fc.property(steps, (steps) => {
    const recent = new RecentCalls();
    let ledger = EMPTY_LEDGER;
    let nowMs = START_MS;
    for (const [passedMs, calls] of steps) {
      nowMs += passedMs;
      recent.add(calls, nowMs);
      ledger = enterCalls(moveOn(ledger, nowMs), calls);
      assertEquals(recent.count(nowMs), countCalls(ledger));
      const waitMs = recent.waitMs(3, nowMs);
      assert(countCalls(moveOn(ledger, nowMs + waitMs)) <= 3);
      assert(waitMs === 0 || countCalls(moveOn(ledger, nowMs + waitMs - 1)) > 3);
    }
  }));
});

Deno.test("RecentCalls.takeBack() takes the latest calls back, and no more than there are", () => {
  const recent = new RecentCalls();
  recent.add(2, START_MS);
  recent.add(3, START_MS + 5_000);
  recent.takeBack(4);
  assertEquals([recent.count(START_MS + 5_000), recent.count(START_MS + 64_000)], [1, 0]);
  recent.takeBack(9);
  assertEquals(recent.count(START_MS + 64_000), 0);
});

Deno.test("RecentCalls forgets nothing where the clock is set back", () => {
  const recent = new RecentCalls();
  recent.add(2, START_MS);
  recent.add(1, START_MS - 3_600_000);
  assertEquals(recent.count(START_MS), 3);
});
