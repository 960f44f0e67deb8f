import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { retryPolicy, type RetryPolicyOptions } from "@portolan/mcp/interceptors";
import { MCPError, type MCPErrorCode, type MCPErrorOptions } from "../../src/errors.ts";
import { createChain } from "../../src/interceptors/chain.ts";
import type { ToolAnnotations } from "../../src/protocol.ts";
import { codeOf, textOf } from "../support/client_support.ts";
import { callThrough, never, orAborted, resultOf, toolOf } from "./interceptor_support.ts";

function failure(code: MCPErrorCode, options: MCPErrorOptions = {}): MCPError {
  return new MCPError(code, code, options);
}

/** A policy whose waits are recorded, not waited for. */
function policyOf(options: RetryPolicyOptions = {}) {
  const waitsMs: number[] = [];
  const delay = (ms: number) => (waitsMs.push(ms), Promise.resolve());
  return { waitsMs, policy: retryPolicy({ random: () => 1, delay, ...options }) };
}

/** How often a call is made that fails as told each time. */
async function attemptsOf(
  error: unknown,
  options: RetryPolicyOptions & { readonly annotations?: ToolAnnotations; readonly timeoutMs?: number } = {},
): Promise<number> {
  const { annotations, timeoutMs, ...policy } = options;
  let attempts = 0;
  const answer = () => (attempts++, Promise.reject(error));
  const describe = () => ({ tool: toolOf("read", annotations) });
  const failed = await callThrough([policyOf(policy).policy], { answer, chain: { describe }, timeoutMs })
    .catch((error) => error);
  assertStrictEquals(failed, error);
  return attempts;
}

async function readAttemptsOf(error: unknown): Promise<number> {
  let attempts = 0;
  const chain = createChain([policyOf().policy]);
  const reading = chain.run({ kind: "read_resource", uri: "a:1", options: {} }, () => {
    attempts++;
    return Promise.reject(error);
  });
  assertStrictEquals(await reading.catch((error) => error), error);
  return attempts;
}

Deno.test("retryPolicy() makes a request again until it works", async () => {
  let attempts = 0;
  const answer = () => ++attempts < 3 ? Promise.reject(failure("unreachable", { retryable: true })) : resultOf("third");
  const { policy, waitsMs } = policyOf({ attempts: 5 });
  assertEquals(textOf(await callThrough([policy], { answer })), "third");
  assertEquals([attempts, waitsMs], [3, [100, 200]]);
});

Deno.test("retryPolicy() repeats a call only where nothing ran, whatever the tool says", async () => {
  const annotations = { readOnlyHint: true, idempotentHint: true };
  assertEquals(await attemptsOf(failure("unreachable", { retryable: true })), 3);
  for (const code of ["outcome_unknown", "deadline_exceeded", "upstream_error", "denied"] as const) {
    assertEquals(await attemptsOf(failure(code, { httpStatus: 502 }), { annotations }), 1, code);
    assertEquals(await attemptsOf(failure(code), { annotations, retryOn: () => true }), 1, code);
  }
});

Deno.test("retryPolicy() repeats a call that may have run where the tool is trusted to be repeatable", async () => {
  const trustAnnotations = true;
  const lost = failure("outcome_unknown");
  for (const annotations of [{ readOnlyHint: true }, { idempotentHint: true }]) {
    assertEquals(await attemptsOf(lost, { trustAnnotations, annotations }), 3);
  }
  for (const annotations of [{}, { destructiveHint: false }, { readOnlyHint: false }]) {
    assertEquals(await attemptsOf(lost, { trustAnnotations, annotations }), 1);
  }
  for (const code of ["denied", "tool_not_found", "invalid_arguments", "closed"] as const) {
    assertEquals(await attemptsOf(failure(code), { trustAnnotations, annotations: { readOnlyHint: true } }), 1);
  }
});

Deno.test("retryPolicy() repeats what only reads where the failure may be gone the next time", async () => {
  assertEquals(await readAttemptsOf(failure("outcome_unknown")), 3);
  assertEquals(await readAttemptsOf(failure("upstream_error", { httpStatus: 503 })), 3);
  for (
    const error of [failure("upstream_error", { rpcCode: -32602 }), failure("forbidden"), new Error("own"), "text"]
  ) {
    assertEquals(await readAttemptsOf(error), 1);
  }
});

Deno.test("retryPolicy() never repeats a result with isError", async () => {
  let attempts = 0;
  const answer = () => (attempts++, { content: [], isError: true });
  assertEquals((await callThrough([policyOf().policy], { answer })).isError, true);
  assertEquals(attempts, 1);
});

Deno.test("retryPolicy() waits with jitter, grows to its bound, and obeys retryAfterMs", async () => {
  const { policy, waitsMs } = policyOf({ attempts: 6, backoffMs: 100, maxBackoffMs: 500, random: () => 0.5 });
  const answer = () => Promise.reject(failure("unreachable", { retryable: true }));
  await codeOf(callThrough([policy], { answer }));
  assertEquals(waitsMs, [50, 100, 200, 250, 250]);
  const obeying = policyOf({ attempts: 2 });
  const limited = () => Promise.reject(failure("rate_limited", { retryable: true, retryAfterMs: 3_000 }));
  await codeOf(callThrough([obeying.policy], { answer: limited }));
  assertEquals(obeying.waitsMs, [3_000]);
});

Deno.test("retryPolicy() tells at once what does not fit the deadline", async () => {
  const limited = failure("rate_limited", { retryable: true, retryAfterMs: 5_000 });
  assertEquals(await attemptsOf(limited, { timeoutMs: 4_000 }), 1);
  assertEquals(await attemptsOf(limited, { timeoutMs: 60_000 }), 3);
});

Deno.test("retryPolicy() repeats no more than its budget, over all requests", async () => {
  const { policy } = policyOf({ attempts: 10, budget: { ratio: 0.5, burst: 2 } });
  let attempts = 0;
  const answer = () => (attempts++, Promise.reject(failure("unreachable", { retryable: true })));
  const attemptsOfEach: number[] = [];
  for (let request = 0; request < 5; request++) {
    const before = attempts;
    await codeOf(callThrough([policy], { answer }));
    attemptsOfEach.push(attempts - before);
  }
  assertEquals(attemptsOfEach, [3, 1, 2, 1, 2]);
});

Deno.test("retryPolicy() lets retryOn choose among harmless repeats", async () => {
  const seen: unknown[] = [];
  const retryOn: RetryPolicyOptions["retryOn"] = ({ code }, { kind }) => (seen.push(kind), code === "overloaded");
  assertEquals(await attemptsOf(failure("unreachable", { retryable: true }), { retryOn }), 1);
  assertEquals(await attemptsOf(failure("overloaded", { retryable: true }), { retryOn }), 3);
  assertEquals(new Set(seen), new Set(["call_tool"]));
});

Deno.test("retryPolicy() stops waiting when the caller leaves", async () => {
  const controller = new AbortController();
  let attempts = 0;
  const answer = () => (attempts++, Promise.reject(failure("unreachable", { retryable: true, retryAfterMs: 10_000 })));
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const delay = (_ms: number, { signal }: { readonly signal?: AbortSignal }) => (begin(), orAborted(never(), signal));
  const running = callThrough([retryPolicy({ delay })], { answer, signal: controller.signal });
  await begun;
  controller.abort("left");
  assertEquals([await running.catch((error) => error), attempts], ["left", 1]);
});

Deno.test("retryPolicy() refuses numbers that make no sense", () => {
  const wrong: RetryPolicyOptions[] = [
    { attempts: 0 },
    { attempts: 1.5 },
    { backoffMs: 0 },
    { maxBackoffMs: NaN },
    { budget: { ratio: -1 } },
    { budget: { ratio: NaN } },
    { budget: { burst: 0 } },
  ];
  for (const options of wrong) assertThrows(() => retryPolicy(options), RangeError);
});
