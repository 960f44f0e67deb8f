import { assertEquals, assertRejects } from "@std/assert";
import { Deadline } from "../../src/deadline.ts";
import { MCPError, type MCPErrorCode } from "../../src/errors.ts";
import { InFlight } from "../../src/gateway/in_flight.ts";
import { RequestError } from "../../src/gateway/request_error.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { toCallMark } from "../../src/rest/idempotency_key.ts";
import { IdempotentCalls } from "../../src/rest/idempotent_calls.ts";
import type { RouteStore } from "../../src/route_store.ts";
import type { RoutedResult } from "../../src/status.ts";
import { until } from "../support/client_support.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";
import { begin, CALL, codeOf, counting, LEASE_MS, openIsolate, ROUTED, SECRET } from "./_idempotent_isolates.ts";

for (const [what, storeSecret] of [["with a secret", SECRET], ["without one", undefined]] as const) {
  Deno.test(`IdempotentCalls makes a call once and answers it again in the same isolate: ${what}`, async () => {
    const made = { count: 0 };
    const { ask } = openIsolate(new MemoryRouteStore(), storeSecret && { storeSecret });
    const result = { kind: "result", routed: ROUTED } as const;
    assertEquals(await ask(counting(made)), { outcome: result, replayed: false });
    assertEquals(await ask(counting(made)), { outcome: result, replayed: true });
    assertEquals(made.count, 1);
  });
}

Deno.test("IdempotentCalls answers again in another isolate where both have the secret, and 409 otherwise", async () => {
  const made = { count: 0 };
  const store = new MemoryRouteStore();
  await openIsolate(store, { storeSecret: SECRET }).ask(counting(made));
  const answer = await openIsolate(store, { storeSecret: SECRET }).ask(counting(made));
  assertEquals(answer, { outcome: { kind: "result", routed: ROUTED }, replayed: true });
  const other = new TextEncoder().encode("another secret of 16 bytes");
  for (const options of [{}, { storeSecret: other }]) {
    assertEquals(await codeOf(openIsolate(store, options).ask(counting(made))), "result_not_kept");
  }
  assertEquals(made.count, 1);
});

Deno.test("IdempotentCalls keeps nothing readable of a call in the store", async () => {
  const written: unknown[] = [];
  const memory = new MemoryRouteStore();
  const store: RouteStore = {
    get: (key) => memory.get(key),
    set: (key, value, options) => (written.push(key, value), memory.set(key, value, options)),
    delete: (key, options) => memory.delete(key, options),
  };
  const { ask } = openIsolate(store, { storeSecret: SECRET });
  await ask(counting({ count: 0 }), { call: { key: ["canary"], args: { query: "canary" } } });
  assertEquals(written.length, 4);
  for (const secret of ["canary", "Kairos", "key:a", "search"]) {
    assertEquals(JSON.stringify(written).includes(secret), false, secret);
  }
});

Deno.test("IdempotentCalls gives an answer that is too large to those who wait, and says later that it is not kept", async () => {
  const made = { count: 0 };
  const gate = Promise.withResolvers<void>();
  const routed = { ...ROUTED, result: { content: [{ type: "text" as const, text: "x".repeat(70_000) }] } };
  const make = async () => {
    made.count++;
    await gate.promise;
    return routed;
  };
  const { ask } = openIsolate(new MemoryRouteStore(), { storeSecret: SECRET });
  const asked = [ask(make), ask(make)];
  await until(() => made.count === 1);
  gate.resolve();
  assertEquals((await Promise.all(asked)).map(({ outcome }) => outcome.kind), ["result", "result"]);
  assertEquals(await codeOf(ask(make)), "result_not_kept");
  assertEquals(made.count, 1);
});

Deno.test("IdempotentCalls refuses the key of another call, whether that runs, has run, or nobody knows", async () => {
  const gate = Promise.withResolvers<RoutedResult>();
  const store = new MemoryRouteStore();
  const [here, there] = [openIsolate(store), openIsolate(store)];
  const call = { args: { query: "other" } };
  const { running } = await begin(here, gate.promise);
  for (const { ask } of [here, there]) {
    assertEquals(await codeOf(ask(() => gate.promise, { call })), "idempotency_key_reused");
  }
  gate.resolve(ROUTED);
  await running;
  for (const { ask } of [here, there]) {
    assertEquals(await codeOf(ask(() => gate.promise, { call })), "idempotency_key_reused");
  }
  const lost = () => Promise.reject(new MCPError("outcome_unknown", "The answer was lost"));
  await codeOf(here.ask(lost, { call: { key: ["lost"] } }));
  const reused = there.ask(lost, { call: { key: ["lost"], args: { query: "other" } } });
  assertEquals(await codeOf(reused), "idempotency_key_reused");
});

Deno.test("IdempotentCalls answers those who wait in both isolates from one call", async () => {
  const made = { count: 0 };
  const gate = Promise.withResolvers<void>();
  const store = new MemoryRouteStore();
  const isolates = [1, 2].map(() => openIsolate(store, { storeSecret: SECRET }));
  const make = async () => {
    made.count++;
    await gate.promise;
    return ROUTED;
  };
  const asked = Array.from({ length: 20 }, (_, index) => isolates[index % 2]!.ask(make));
  await until(() => made.count === 1);
  gate.resolve();
  const answers = await Promise.all(asked);
  assertEquals(answers.map(({ outcome }) => outcome), Array(20).fill({ kind: "result", routed: ROUTED }));
  assertEquals([made.count, answers.filter(({ replayed }) => !replayed).length], [1, 1]);
});

Deno.test("IdempotentCalls answers 409 to who waits in vain, and the answer later", async () => {
  const gate = Promise.withResolvers<RoutedResult>();
  const store = new MemoryRouteStore();
  const here = openIsolate(store, { storeSecret: SECRET });
  const there = openIsolate(store, { storeSecret: SECRET });
  const { running } = await begin(here, gate.promise);
  for (const { ask } of [here, there]) {
    assertEquals(await codeOf(ask(() => gate.promise, { timeoutMs: 1 })), "idempotency_in_progress");
  }
  gate.resolve(ROUTED);
  await running;
  assertEquals(await codeOf(there.ask(() => gate.promise)), "result");
});

Deno.test("IdempotentCalls never makes a call again whose maker is gone", async () => {
  const made = { count: 0 };
  let nowMs = 1_000;
  const store = new MemoryRouteStore({ now: () => nowMs });
  const gate = Promise.withResolvers<RoutedResult>();
  // Its clock stands still, as it would in an isolate that was stopped.
  const { running } = await begin(openIsolate(store, { now: () => 1_000 }), gate.promise);
  const { ask } = openIsolate(store, { now: () => nowMs });
  assertEquals(await codeOf(ask(counting(made), { timeoutMs: 1 })), "idempotency_in_progress");
  nowMs += LEASE_MS;
  assertEquals(await codeOf(ask(counting(made))), "outcome_unknown");
  nowMs += 23 * 3_600_000;
  assertEquals([await codeOf(ask(counting(made))), made.count], ["outcome_unknown", 0]);
  gate.resolve(ROUTED);
  await running;
});

Deno.test("IdempotentCalls tells who waits that the maker is gone as soon as its lease has passed", async () => {
  const made = { count: 0 };
  let nowMs = 1_000;
  const store = new FaultyRouteStore(() => nowMs);
  const gate = Promise.withResolvers<RoutedResult>();
  const { running } = await begin(openIsolate(store, { now: () => 1_000 }), gate.promise);
  const { ask } = openIsolate(store, { now: () => nowMs });
  const waiting = codeOf(ask(counting(made)));
  // One read tells that the call is taken, the others that it still runs.
  await until(() => store.operations.filter((operation) => operation === "get").length > 2);
  nowMs += LEASE_MS;
  assertEquals([await waiting, made.count], ["outcome_unknown", 0]);
  gate.resolve(ROUTED);
  await running;
});

Deno.test("IdempotentCalls gives signs of life while a call runs", async () => {
  const gate = Promise.withResolvers<RoutedResult>();
  const store = new FaultyRouteStore(Date.now);
  const calls = new IdempotentCalls({ store, inFlight: new InFlight(), leaseMs: 30 });
  const turn = await calls.begin(await toCallMark(CALL));
  using deadline = new Deadline(5_000);
  const running = turn.answer(() => gate.promise, deadline);
  await until(() => store.operations.filter((operation) => operation === "set").length > 3);
  gate.resolve(ROUTED);
  assertEquals((await running).outcome.kind, "result");
  assertEquals(await codeOf(openIsolate(store).ask(() => gate.promise)), "result_not_kept");
});

const NOT_RUN: readonly MCPErrorCode[] = [
  "invalid_arguments",
  "tool_not_found",
  "tool_ambiguous",
  "unreachable",
  "circuit_open",
  "overloaded",
  "rate_limited",
  "denied",
  "unauthorized",
  "session_lost",
];
for (const code of NOT_RUN) {
  Deno.test(`IdempotentCalls makes a call anew after ${code}, as nothing ran`, async () => {
    const made = { count: 0 };
    const { ask } = openIsolate(new MemoryRouteStore());
    assertEquals(await codeOf(ask(() => Promise.reject(new MCPError(code, "Cannot call it")))), code);
    assertEquals([await codeOf(ask(counting(made))), made.count], ["result", 1]);
  });
}

Deno.test("IdempotentCalls makes a call anew where the deadline passed before it was sent, and not where after", async () => {
  const made = { count: 0 };
  const { ask } = openIsolate(new MemoryRouteStore());
  const late = (retryable: boolean) => () =>
    Promise.reject(new MCPError("deadline_exceeded", "Cannot answer in time", { retryable }));
  assertEquals(await codeOf(ask(late(true))), "deadline_exceeded");
  assertEquals([await codeOf(ask(counting(made))), made.count], ["result", 1]);
  const call = { key: ["sent"] };
  assertEquals(await codeOf(ask(late(false), { call })), "deadline_exceeded");
  assertEquals([await codeOf(ask(counting(made), { call })), made.count], ["outcome_unknown", 1]);
});

for (const code of ["upstream_error", "bad_response", "invalid_result", "too_large", "task_failed"] as const) {
  Deno.test(`IdempotentCalls answers ${code} again, as the call may have run`, async () => {
    const made = { count: 0 };
    const store = new MemoryRouteStore();
    const error = new MCPError(code, "Cannot use it", { server: "files", faults: [{ path: "a", message: "Wrong" }] });
    const fail = () => Promise.reject(error);
    assertEquals(await codeOf(openIsolate(store, { storeSecret: SECRET }).ask(fail)), code);
    const { outcome, replayed } = await openIsolate(store, { storeSecret: SECRET }).ask(counting(made));
    const again = outcome.kind === "failure" && outcome.error instanceof MCPError ? outcome.error : undefined;
    assertEquals([again?.code, again?.message, again?.server, again?.faults, replayed, made.count], [
      code,
      error.message,
      "files",
      error.faults,
      true,
      0,
    ]);
  });
}

Deno.test("IdempotentCalls keeps the key of a call that failed in a way nobody expected", async () => {
  const made = { count: 0 };
  const { ask } = openIsolate(new MemoryRouteStore());
  assertEquals(await codeOf(ask(() => Promise.reject(new TypeError("unexpected")))), "other");
  assertEquals([await codeOf(ask(counting(made))), made.count], ["outcome_unknown", 0]);
});

Deno.test("IdempotentCalls makes no call without a store", async () => {
  const made = { count: 0 };
  assertEquals([await codeOf(openIsolate(undefined).ask(counting(made))), made.count], ["store_unavailable", 0]);
});

Deno.test("IdempotentCalls forgets a key after a day", async () => {
  const made = { count: 0 };
  let nowMs = 0;
  const store = new MemoryRouteStore({ now: () => nowMs });
  const { ask } = openIsolate(store, { now: () => nowMs });
  await ask(counting(made));
  nowMs = 24 * 3_600_000 - 1;
  assertEquals((await ask(counting(made))).replayed, true);
  nowMs += 1;
  assertEquals([(await ask(counting(made))).replayed, made.count], [false, 2]);
});

Deno.test("CallTurn.drop() gives a call back that was not asked for", async () => {
  const made = { count: 0 };
  const { calls, ask } = openIsolate(new MemoryRouteStore());
  const [turn, other] = [await calls.begin(await toCallMark(CALL)), await calls.begin(await toCallMark(CALL))];
  using deadline = new Deadline(5_000);
  const waiting = codeOf(other.answer(counting(made), deadline));
  await turn.drop(new RequestError("closed", "Cannot answer"));
  assertEquals(await waiting, "closed");
  assertEquals([await codeOf(ask(counting(made))), made.count], ["result", 1]);
});

Deno.test("IdempotentCalls refuses a secret that is too short", async () => {
  await assertRejects(async () => {
    await Promise.resolve(
      new IdempotentCalls({ store: undefined, storeSecret: SECRET.slice(0, 15), inFlight: new InFlight() }),
    );
  }, RangeError);
});
