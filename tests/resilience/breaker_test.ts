import { assertEquals, assertExists, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { Breaker, type BreakerOptions, type BreakerPass, type BreakerState } from "../../src/resilience/breaker.ts";

/** A breaker with a clock of its own; without jitter unless a test says otherwise. */
function createBreaker(options: Partial<BreakerOptions> = {}) {
  const clock = { nowMs: 1_000_000 };
  const states: BreakerState[] = [];
  const breaker = new Breaker({
    threshold: 3,
    now: () => clock.nowMs,
    random: () => 1,
    onChange: (state) => states.push(state),
    ...options,
  });
  return { breaker, clock, states };
}

function enter(breaker: Breaker): BreakerPass {
  const pass = breaker.enter();
  assertExists(pass, "was not let through");
  return pass;
}

function failTimes(breaker: Breaker, times: number): void {
  for (let left = times; left > 0; left--) enter(breaker).fail();
}

Deno.test("Breaker.enter() lets everything through until the threshold of failures in a row", () => {
  const { breaker, states } = createBreaker();
  failTimes(breaker, 2);
  assertEquals([breaker.state, breaker.waitMs, states], ["closed", 0, []]);
  enter(breaker).succeed();
  failTimes(breaker, 2);
  assertEquals(breaker.state, "closed", "a success in between begins the count anew");
  enter(breaker).fail();
  assertEquals([breaker.state, breaker.enter(), states], ["open", undefined, ["open"]]);
});

Deno.test("Breaker opens at five failures where nobody says", () => {
  const { breaker } = createBreaker({ threshold: undefined });
  failTimes(breaker, 4);
  assertEquals(breaker.state, "closed");
  enter(breaker).fail();
  assertEquals(breaker.state, "open");
});

Deno.test("Breaker.enter() does not count requests that tell nothing of the transport", () => {
  const { breaker } = createBreaker();
  failTimes(breaker, 2);
  enter(breaker).withdraw();
  enter(breaker).fail();
  assertEquals(breaker.state, "open");
});

Deno.test("Breaker stays open twice as long each time the trial fails, up to the maximum", () => {
  const { breaker, clock } = createBreaker({ openMs: 1_000, maxOpenMs: 10_000 });
  failTimes(breaker, 3);
  const waits: number[] = [];
  for (let round = 0; round < 6; round++) {
    waits.push(breaker.waitMs);
    clock.nowMs += breaker.waitMs - 1;
    assertEquals([breaker.state, breaker.enter(), breaker.waitMs], ["open", undefined, 1]);
    clock.nowMs += 1;
    assertEquals([breaker.state, breaker.waitMs], ["half_open", 0]);
    enter(breaker).fail();
  }
  assertEquals(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

Deno.test("Breaker begins with the shortest time again once a trial has succeeded", () => {
  const { breaker, clock } = createBreaker();
  failTimes(breaker, 3);
  clock.nowMs += 1_000;
  enter(breaker).fail();
  clock.nowMs += 2_000;
  enter(breaker).succeed();
  assertEquals([breaker.state, breaker.waitMs], ["closed", 0]);
  failTimes(breaker, 3);
  assertEquals(breaker.waitMs, 1_000);
});

Deno.test("Breaker.waitMs is between half of the time and all of it", () => {
  const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(share, fc.integer({ min: 0, max: 12 }), (random, rounds) => {
    const { breaker, clock } = createBreaker({ random: () => random });
    failTimes(breaker, 3);
    for (let round = 0; round < rounds; round++) {
      clock.nowMs += breaker.waitMs;
      enter(breaker).fail();
    }
    const fullMs = Math.min(1_000 * 2 ** rounds, 30_000);
    // The sum of two numbers of this size is exact to a fraction of a nanosecond only.
    assertGreaterOrEqual(breaker.waitMs, fullMs / 2 - 1e-6);
    assertLessOrEqual(breaker.waitMs, fullMs + 1e-6);
  }));
});

Deno.test("Breaker.enter() lets exactly one request through while half open", () => {
  const { breaker, clock, states } = createBreaker();
  failTimes(breaker, 3);
  clock.nowMs += 1_000;
  const trial = enter(breaker);
  assertEquals(Array.from({ length: 10 }, () => breaker.enter()), new Array(10).fill(undefined));
  assertEquals([breaker.state, breaker.waitMs > 0], ["half_open", true]);
  trial.succeed();
  assertEquals([breaker.state, states], ["closed", ["open", "half_open", "closed"]]);
});

Deno.test("Breaker.enter() lets the next request decide where the trial was withdrawn", () => {
  const { breaker, clock, states } = createBreaker();
  failTimes(breaker, 3);
  clock.nowMs += 1_000;
  enter(breaker).withdraw();
  assertEquals([breaker.state, breaker.waitMs], ["half_open", 0]);
  const trial = enter(breaker);
  assertEquals(breaker.enter(), undefined);
  trial.fail();
  assertEquals([breaker.state, breaker.waitMs, states], ["open", 2_000, ["open", "half_open", "open"]]);
});

Deno.test("Breaker does not open for longer because of earlier requests that fail late", () => {
  const { breaker, states } = createBreaker();
  const late = Array.from({ length: 20 }, () => enter(breaker));
  failTimes(breaker, 3);
  for (const pass of late) pass.fail();
  assertEquals([breaker.state, breaker.waitMs, states], ["open", 1_000, ["open"]]);
});

Deno.test("Breaker lets no second trial through because of earlier requests that end during the first", () => {
  const { breaker, clock } = createBreaker();
  const [cancelled, failed] = [enter(breaker), enter(breaker)];
  failTimes(breaker, 3);
  clock.nowMs += 1_000;
  const trial = enter(breaker);
  cancelled.withdraw();
  failed.fail();
  assertEquals([breaker.state, breaker.enter()], ["half_open", undefined]);
  trial.succeed();
  assertEquals(breaker.state, "closed");
});

Deno.test("Breaker closes when an earlier request succeeds late", () => {
  const { breaker } = createBreaker();
  const late = enter(breaker);
  failTimes(breaker, 3);
  late.succeed();
  assertEquals([breaker.state, breaker.enter() !== undefined], ["closed", true]);
});

Deno.test("Breaker.enter() with force lets a request through although it is open, and its success closes it", () => {
  const { breaker, states } = createBreaker();
  failTimes(breaker, 3);
  breaker.enter({ force: true })?.fail();
  assertEquals([breaker.state, breaker.waitMs], ["open", 1_000], "its failure is no news");
  breaker.enter({ force: true })?.succeed();
  assertEquals([breaker.state, states], ["closed", ["open", "closed"]]);
});

Deno.test("Breaker.enter() with force takes part in the trial where there is none, and does not disturb one", () => {
  const { breaker, clock } = createBreaker();
  failTimes(breaker, 3);
  clock.nowMs += 1_000;
  const trial = breaker.enter({ force: true });
  assertEquals(breaker.enter(), undefined);
  breaker.enter({ force: true })?.withdraw();
  assertEquals(breaker.enter(), undefined);
  trial?.fail();
  assertEquals([breaker.state, breaker.waitMs], ["open", 2_000]);
});

Deno.test("Breaker tells every change once, and never has two trials at a time", () => {
  const step = fc.constantFrom("enter", "succeed", "fail", "withdraw", "wait");
  fc.assert(fc.property(fc.array(fc.tuple(step, fc.nat(5)), { maxLength: 80 }), (steps) => {
    const { breaker, clock, states } = createBreaker();
    const passes: BreakerPass[] = [];
    let trial: BreakerPass | undefined;
    for (const [what, index] of steps) {
      if (what === "wait") clock.nowMs += 400 * index;
      else if (what === "enter") {
        const before = breaker.state;
        const pass = breaker.enter();
        assertEquals(pass !== undefined, before === "closed" || (before === "half_open" && trial === undefined));
        if (pass === undefined) continue;
        passes.push(pass);
        if (before === "half_open") trial = pass;
      } else {
        const [pass] = passes.splice(index % Math.max(1, passes.length), 1);
        pass?.[what]();
        if (pass === trial || what === "succeed") trial = undefined;
      }
    }
    assertEquals(states.some((state, at) => state === states[at - 1]), false);
    assertEquals(states.every((state, at) => state !== "half_open" || states[at - 1] === "open"), true);
  }));
});
