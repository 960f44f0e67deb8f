/** What IdempotentCalls does where the store fails, clocks differ, or the gateway stops. */

import { assertEquals } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { toCallMark } from "../../src/rest/idempotency_key.ts";
import type { RouteStore } from "../../src/route_store.ts";
import { until } from "../support/client_support.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";
import { CALL, codeOf, counting, LEASE_MS, openIsolate, ROUTED, SECRET } from "./_idempotent_isolates.ts";

for (const fault of ["rejects", "throws", "hangs"] as const) {
  Deno.test(`K1 IdempotentCalls makes no call where the store ${fault}`, async () => {
    const made = { count: 0 };
    const store = new FaultyRouteStore(Date.now);
    const { ask } = openIsolate(store, { opTimeoutMs: 50 });
    store.fault = fault;
    assertEquals([await codeOf(ask(counting(made))), made.count], ["store_unavailable", 0]);
    store.releaseHung();
    store.fault = "none";
    assertEquals([await codeOf(ask(counting(made))), made.count], ["result", 1]);
  });

  Deno.test(`K1 IdempotentCalls gives the answer where the store ${fault} after the call was claimed`, async () => {
    const made = { count: 0 };
    const store = new FaultyRouteStore(Date.now);
    const [here, there] = [
      openIsolate(store, { opTimeoutMs: 50 }),
      openIsolate(store, { now: () => Date.now() + LEASE_MS }),
    ];
    const make = () => {
      store.fault = fault;
      return counting(made)(new AbortController().signal);
    };
    assertEquals(await codeOf(here.ask(make)), "result");
    store.releaseHung();
    store.fault = "none";
    assertEquals([await codeOf(there.ask(make)), made.count], ["outcome_unknown", 1]);
  });
}

Deno.test("K4 IdempotentCalls knows its own claim where the store makes a write and reports it as failed", async () => {
  const made = { count: 0 };
  const store = new FaultyRouteStore(Date.now);
  store.fault = "applied_then_rejects";
  const [here, there] = [1, 2].map(() => openIsolate(store, { storeSecret: SECRET }));
  assertEquals(await codeOf(here!.ask(counting(made))), "result");
  const fail = () => Promise.reject(new MCPError("overloaded", "Too many"));
  assertEquals(await codeOf(here!.ask(fail, { call: { key: ["other"] } })), "overloaded");
  store.fault = "none";
  assertEquals((await there!.ask(counting(made))).replayed, true);
  assertEquals((await there!.ask(counting(made), { call: { key: ["other"] } })).replayed, false);
  assertEquals(made.count, 2);
});

Deno.test("K1 IdempotentCalls withdraws a claim that lands after it was given up", async () => {
  const made = { count: 0 };
  const memory = new MemoryRouteStore();
  const gate = Promise.withResolvers<void>();
  let slow = true;
  const store: RouteStore = {
    get: (key) => memory.get(key),
    delete: (key, options) => memory.delete(key, options),
    async set(key, value, options) {
      if (slow) await gate.promise;
      return await memory.set(key, value, options);
    },
  };
  const { ask } = openIsolate(store, { opTimeoutMs: 50 });
  assertEquals(await codeOf(ask(counting(made))), "store_unavailable");
  slow = false;
  gate.resolve();
  await until(async () => await codeOf(ask(counting(made))) === "result");
  assertEquals(made.count, 1);
});

for (
  const value of [
    { v: 2, state: "fine" },
    { v: 1, claim: 7 },
    { v: 1, claim: "a", fingerprint: "b", leaseUntilMs: 1 },
    {},
  ]
) {
  Deno.test(`K2 IdempotentCalls makes no call over the record ${JSON.stringify(value)}`, async () => {
    const made = { count: 0 };
    const store = new MemoryRouteStore();
    const { id } = await toCallMark(CALL);
    await store.set(["idempotency", id], value, { expiresAtMs: Date.now() + 60_000 });
    assertEquals([await codeOf(openIsolate(store).ask(counting(made))), made.count], ["outcome_unknown", 0]);
  });
}

Deno.test("K3 IdempotentCalls makes no call twice where the clocks of two isolates are an hour apart", async () => {
  for (const offMs of [-3_600_000, 3_600_000]) {
    const made = { count: 0 };
    const store = new MemoryRouteStore();
    const options = { storeSecret: SECRET };
    const gate = Promise.withResolvers<void>();
    const running = openIsolate(store, options).ask(async () => {
      made.count++;
      await gate.promise;
      return ROUTED;
    });
    await until(() => made.count === 1);
    const { ask } = openIsolate(store, { ...options, now: () => Date.now() + offMs });
    const early = await codeOf(ask(counting(made), { timeoutMs: 1 }));
    assertEquals(early, offMs < 0 ? "idempotency_in_progress" : "outcome_unknown");
    gate.resolve();
    await running;
    assertEquals([await codeOf(ask(counting(made))), made.count], ["result", 1]);
  }
});

Deno.test("S11 IdempotentCalls keeps the key of a call that a stop cut short, and begins none while stopping", async () => {
  const made = { count: 0 };
  const store = new MemoryRouteStore();
  const { ask, inFlight } = openIsolate(store);
  const called = Promise.withResolvers<void>();
  const running = codeOf(ask(() => {
    called.resolve();
    return new Promise(() => {});
  }));
  await called.promise;
  await inFlight.drain({ graceMs: 0 });
  assertEquals(await running, "closed");
  assertEquals(await codeOf(ask(counting(made), { call: { key: ["late"] } })), "closed");
  const other = openIsolate(store);
  assertEquals(await codeOf(other.ask(counting(made))), "outcome_unknown");
  assertEquals([await codeOf(other.ask(counting(made), { call: { key: ["late"] } })), made.count], ["result", 1]);
});
