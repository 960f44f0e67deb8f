import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Fleet, type FleetIsolate } from "../support/limits_fleet.ts";
import type { StoreFault } from "../support/faulty_route_store.ts";

const HOUR_MS = 3_600_000;

type Step =
  | { readonly do: "call"; readonly isolates: readonly number[]; readonly times: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "restart"; readonly isolate: number; readonly skewMs: number }
  | { readonly do: "give_back"; readonly isolate: number }
  | { readonly do: "fail"; readonly fault: StoreFault };

const calls = fc.record({
  do: fc.constant("call" as const),
  isolates: fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }),
  times: fc.integer({ min: 1, max: 30 }),
});
const pass = fc.record({
  do: fc.constant("pass" as const),
  ms: fc.oneof(fc.nat(400), fc.nat(9_000), fc.integer({ min: 50_000, max: 70_000 })),
});
const giveBack = fc.record({ do: fc.constant("give_back" as const), isolate: fc.nat(4) });

function restart(skews: fc.Arbitrary<number>) {
  return fc.record({ do: fc.constant("restart" as const), isolate: fc.nat(4), skewMs: skews });
}
const fail = fc.record({
  do: fc.constant("fail" as const),
  fault: fc.constantFrom<StoreFault>("none", "rejects", "throws", "hangs", "applied_then_rejects"),
});

/** Plays a story and returns the minutes in which the promise was broken. */
async function play(
  steps: readonly Step[],
  skews: readonly number[],
  turns: () => number,
  rule = { limit: 40, lease: 4 },
) {
  const fleet = new Fleet({ ...rule, turns });
  const isolates: FleetIsolate[] = skews.map((skewMs) => fleet.start(skewMs));
  for (const step of steps) {
    if (step.do === "pass") await fleet.pass(step.ms);
    if (step.do === "fail") fleet.fail(step.fault);
    if (step.do === "restart") isolates[step.isolate] = fleet.start(step.skewMs);
    if (step.do === "give_back") await isolates[step.isolate]?.limit.giveBack();
    if (step.do === "call") {
      await Promise.all(step.isolates.map((index) => {
        const isolate = isolates[index];
        return isolate && fleet.call(isolate, step.times);
      }));
    }
  }
  await fleet.settle();
  return fleet.broken();
}

const turns = fc.func(fc.nat(12));

/** Plays any steps on isolates with any of these clocks: no minute is broken. */
async function assertKept(clock: fc.Arbitrary<number>): Promise<void> {
  const steps = fc.array(
    fc.oneof({ weight: 6, arbitrary: calls }, { weight: 5, arbitrary: pass }, restart(clock), giveBack),
    { maxLength: 60 },
  );
  const skews = fc.array(clock, { minLength: 5, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(steps, skews, turns, async (steps, skews, turns) => {
      let asked = 0;
      assertEquals(await play(steps, skews, () => turns(asked++)), []);
    }),
    { numRuns: 300 },
  );
}

Deno.test("LeasedLimit admits at most limit + isolates × lease in any minute, in any order of calls and answers", async () => {
  await assertKept(fc.constantFrom(0, 100, -100, 500));
});

Deno.test("K1 K4 LeasedLimit adds at most a limit for each isolate whose store fails, hangs or lies", async () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: calls },
      { weight: 5, arbitrary: pass },
      { weight: 2, arbitrary: fail },
      restart(fc.constant(0)),
    ),
    {
      maxLength: 40,
    },
  );
  await fc.assert(
    fc.asyncProperty(steps, turns, async (steps, turns) => {
      let asked = 0;
      assertEquals(await play(steps, [0, 0, 0, 0, 0], () => turns(asked++)), []);
    }),
    { numRuns: 300 },
  );
});

Deno.test("K3 LeasedLimit adds at most a limit for each isolate whose clock is an hour behind", async () => {
  await assertKept(fc.constantFrom(0, HOUR_MS, -HOUR_MS));
});
