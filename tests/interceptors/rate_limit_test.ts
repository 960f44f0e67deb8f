import { assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { rateLimit, type RateLimitOptions } from "@portolan/mcp/interceptors";
import { createChain } from "../../src/interceptors/chain.ts";
import { codeOf, failureOf } from "../support/client_support.ts";
import { resultOf, settle } from "./interceptor_support.ts";

/** A limit under a clock that is moved by hand; who waits is woken when the clock has come that far. */
function limited(options: Omit<RateLimitOptions, "now" | "delay">) {
  const state = { nowMs: 0 };
  const passed: string[] = [];
  const waiting = new Set<{ readonly atMs: number; readonly wake: () => void }>();
  const delay = (ms: number, { signal }: { readonly signal?: AbortSignal }) =>
    new Promise<void>((resolve, reject) => {
      const waiter = { atMs: state.nowMs + ms, wake: resolve };
      waiting.add(waiter);
      signal?.addEventListener("abort", () => (waiting.delete(waiter), reject(signal.reason)), { once: true });
    });
  const chain = createChain([rateLimit({ ...options, now: () => state.nowMs, delay })]);
  return {
    passed,
    call(name = "read", given: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}) {
      return chain.run({ kind: "call_tool", name, args: {}, options: given }, () => {
        passed.push(`${name} ${state.nowMs}`);
        return Promise.resolve(resultOf(name));
      });
    },
    read: () => chain.run({ kind: "read_resource", uri: "a:1", options: {} }, () => Promise.resolve({ contents: [] })),
    get waiting() {
      return waiting.size;
    },
    async moveTo(nowMs: number) {
      await settle();
      for (const waiter of [...waiting].sort((a, b) => a.atMs - b.atMs)) {
        if (waiter.atMs > nowMs) break;
        waiting.delete(waiter);
        state.nowMs = Math.max(state.nowMs, waiter.atMs);
        waiter.wake();
        await settle();
      }
      state.nowMs = nowMs;
    },
  };
}

Deno.test("rateLimit() lets as many pass as may, and says when the next one may", async () => {
  const { call, passed, moveTo } = limited({ limit: 2, windowMs: 1_000 });
  await Promise.all([call("a"), call("b")]);
  const error = await failureOf(() => call("c"), "rate_limited");
  assertEquals([error.retryable, error.retryAfterMs], [true, 500]);
  await moveTo(499);
  assertEquals(await codeOf(call("c")), "rate_limited");
  await moveTo(500);
  assertEquals([await codeOf(call("c")), await codeOf(call("d"))], ["ok", "rate_limited"]);
  assertEquals(passed, ["a 0", "b 0", "c 500"]);
});

Deno.test("rateLimit() limits the kinds and the keys it is told", async () => {
  const byTool = limited({ limit: 1, windowMs: 1_000, key: ({ target }) => target ?? "" });
  assertEquals(await Promise.all(["a", "b", "a"].map((name) => codeOf(byTool.call(name)))), [
    "ok",
    "ok",
    "rate_limited",
  ]);
  assertEquals(await Promise.all([codeOf(byTool.read()), codeOf(byTool.read())]), ["ok", "ok"]);
  const reads = limited({ limit: 1, windowMs: 1_000, kinds: ["read_resource"] });
  assertEquals([await codeOf(reads.read()), await codeOf(reads.read())], ["ok", "rate_limited"]);
  assertEquals([await codeOf(reads.call()), await codeOf(reads.call())], ["ok", "ok"]);
});

Deno.test("rateLimit() lets requests wait for their turn, first come first served", async () => {
  const { call, passed, moveTo } = limited({ limit: 1, windowMs: 100, wait: true });
  const calls = Promise.all(["a", "b", "c", "d"].map((name) => call(name)));
  await moveTo(150);
  const late = call("e");
  await moveTo(1_000);
  await Promise.all([calls, late]);
  assertEquals(passed, ["a 0", "b 100", "c 200", "d 300", "e 400"]);
});

Deno.test("rateLimit() rejects at once where a turn would come after the deadline, or too many wait", async () => {
  const { call, moveTo } = limited({ limit: 1, windowMs: 1_000, wait: true, maxWaiting: 1 });
  await call();
  const late = await failureOf(() => call("late", { timeoutMs: 900 }), "rate_limited");
  assertEquals(late.retryAfterMs, 1_000);
  const waiting = call("waits");
  await settle();
  const error = await failureOf(() => call("too many"), "rate_limited");
  assertEquals(error.retryAfterMs, 2_000);
  await moveTo(1_000);
  await waiting;
  const again = call("waits again");
  await moveTo(2_000);
  await again;
});

Deno.test("rateLimit() gives the turn of who leaves back", async () => {
  const limit = limited({ limit: 1, windowMs: 100, wait: true });
  const controller = new AbortController();
  await limit.call("a");
  const leaving = limit.call("b", { signal: controller.signal });
  await settle();
  assertEquals(limit.waiting, 1);
  controller.abort("left");
  assertEquals([await leaving.catch((error) => error), limit.waiting], ["left", 0]);
  await settle();
  const next = limit.call("c");
  await limit.moveTo(100);
  await next;
  assertEquals(limit.passed, ["a 0", "c 100"]);
});

Deno.test("rateLimit() keeps no more keys than it may: unused ones make room, used ones do not", async () => {
  const { call, moveTo } = limited({ limit: 1, windowMs: 100, maxKeys: 2, key: ({ target }) => target ?? "" });
  assertEquals([await codeOf(call("a")), await codeOf(call("b"))], ["ok", "ok"]);
  const error = await failureOf(() => call("c"), "rate_limited");
  assertEquals(error.retryAfterMs, 100);
  await moveTo(100);
  assertEquals([await codeOf(call("c")), await codeOf(call("c"))], ["ok", "rate_limited"]);
});

Deno.test("rateLimit() takes nothing away when the clock is set back", async () => {
  const { call, moveTo } = limited({ limit: 1, windowMs: 100 });
  await moveTo(10_000);
  await call();
  await moveTo(0);
  assertEquals(await codeOf(call()), "rate_limited");
  await moveTo(100);
  assertEquals(await codeOf(call()), "ok");
});

Deno.test("rateLimit() never lets more pass than its bucket gives, whoever waits and leaves", async () => {
  const steps = fc.array(
    fc.record({ afterMs: fc.integer({ min: 0, max: 150 }), leaves: fc.boolean() }),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), fc.integer({ min: 1, max: 4 }), async (plan, wait, limit) => {
      const { call, passed, moveTo } = limited({ limit, windowMs: 100, wait });
      let nowMs = 0;
      const calls: Promise<unknown>[] = [];
      for (const { afterMs, leaves } of plan) {
        await moveTo(nowMs += afterMs);
        const controller = new AbortController();
        calls.push(codeOf(call("x", { signal: controller.signal })));
        await settle();
        if (leaves) controller.abort("left");
      }
      await moveTo(nowMs + 10_000);
      await Promise.all(calls);
      const times = passed.map((text) => Number(text.split(" ")[1]));
      for (const [first, startMs] of times.entries()) {
        for (const [count, endMs] of times.slice(first).entries()) {
          // A turn is rounded up to a whole millisecond: the first one may come that much late.
          assertLessOrEqual(count + 1, limit + (endMs - startMs + 1) / (100 / limit) + 1e-6);
        }
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("rateLimit() refuses numbers that make no sense", () => {
  const wrong: Partial<RateLimitOptions>[] = [
    { limit: 0 },
    { limit: 0.5 },
    { limit: NaN },
    { windowMs: 0 },
    { windowMs: Infinity },
    { maxWaiting: -1 },
    { maxKeys: 0 },
  ];
  for (const options of wrong) assertThrows(() => rateLimit({ limit: 1, windowMs: 1, ...options }), RangeError);
});
