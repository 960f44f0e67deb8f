import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { RetryBudget, toRetryDelayMs } from "../../src/resilience/retry_budget.ts";

Deno.test("RetryBudget.spend() gives nothing before ten requests, then one", () => {
  const budget = new RetryBudget();
  for (let made = 1; made < 10; made++) {
    budget.earn();
    assertEquals(budget.spend(), false);
  }
  budget.earn();
  assertEquals([budget.spend(), budget.spend()], [true, false]);
});

Deno.test("RetryBudget gives every retry that was earned, to the last one", () => {
  const budget = new RetryBudget();
  let retries = 0;
  for (let made = 0; made < 1_000; made++) {
    budget.earn();
    if (budget.spend()) retries++;
  }
  assertEquals(retries, 100);
});

Deno.test("RetryBudget saves up two retries at most, so that a quiet time does not pay for an outage", () => {
  const budget = new RetryBudget();
  for (let made = 0; made < 10_000; made++) budget.earn();
  const spent = Array.from({ length: 20 }, () => budget.spend());
  assertEquals(spent.filter(Boolean).length, 2);
});

Deno.test("RetryBudget never gives more than a tenth of the requests, in whatever order they come", () => {
  fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 400 }), (steps) => {
    const budget = new RetryBudget();
    let [requests, retries] = [0, 0];
    for (const isRequest of steps) {
      if (isRequest) {
        requests++;
        budget.earn();
      } else if (budget.spend()) retries++;
      assertLessOrEqual(retries, requests / 10);
    }
  }));
});

Deno.test("toRetryDelayMs() is anything up to 50, 100, 200 … 2,000 milliseconds", () => {
  const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), share, (attempt, random) => {
    const delayMs = toRetryDelayMs(attempt, () => random);
    assertGreaterOrEqual(delayMs, 0);
    assertLessOrEqual(delayMs, Math.min(50 * 2 ** (attempt - 1), 2_000));
  }));
  const longest = [1, 2, 3, 4, 5, 6, 7, 8, 60].map((attempt) => toRetryDelayMs(attempt, () => 1));
  assertEquals(longest, [50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
  assertEquals(toRetryDelayMs(5, () => 0), 0);
});
