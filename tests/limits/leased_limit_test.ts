import { assert, assertEquals, assertLess } from "@std/assert";
import { RouteStoreGuard } from "../../src/cache/route_store_guard.ts";
import { countCalls, parseLedger } from "../../src/limits/call_ledger.ts";
import { LEASE_MS, LeasedLimit } from "../../src/limits/leased_limit.ts";
import { Fleet, KEY, WINDOW_MS } from "../support/limits_fleet.ts";

/** Until everything is forgotten: the window and what is kept beyond it. */
const FORGOTTEN_MS = WINDOW_MS + 4_000;

/** How many calls stand in the ledger. */
async function entered(fleet: Fleet): Promise<number> {
  const ledger = parseLedger((await fleet.store.memory.get(KEY))?.value);
  return ledger === undefined ? 0 : countCalls(ledger);
}

Deno.test("LeasedLimit.take() admits the whole limit to one isolate and then nothing until it is forgotten", async () => {
  const fleet = new Fleet({ limit: 60, lease: 3 });
  const isolate = fleet.start();
  assertEquals(await fleet.call(isolate, 100), 60);
  await fleet.pass(WINDOW_MS);
  assertEquals(await fleet.call(isolate, 1), 0);
  await fleet.pass(FORGOTTEN_MS - WINDOW_MS);
  assertEquals(await fleet.call(isolate, 100), 60);
});

Deno.test("LeasedLimit.take() lets several isolates together use the limit up, and no more", async () => {
  const fleet = new Fleet({ limit: 600, lease: 30 });
  const isolates = [fleet.start(), fleet.start(), fleet.start()];
  let admitted = 0;
  for (let step = 0; step < 590; step++) {
    await fleet.pass(100);
    for (const isolate of isolates) admitted += await fleet.call(isolate, 1);
  }
  assert(admitted >= 600 - 3 * 30 && admitted <= 600 + 3 * 30, String(admitted));
});

Deno.test("LeasedLimit.take() asks the store for few of the calls, and lets none of them wait", async () => {
  const fleet = new Fleet({ limit: 60_000, lease: 3_000 });
  const { limit } = fleet.start();
  for (let call = 0; call < 5_000; call++) {
    await fleet.pass(1);
    // A promise would be a wait for the store.
    assertEquals(limit.take(1), true);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
  assertLess(fleet.store.operations.length, 50);
});

Deno.test("LeasedLimit.take() admits the first calls of an isolate at once and enters them afterwards", async () => {
  const fleet = new Fleet({ limit: 100, lease: 5 });
  fleet.fail("hangs");
  const { limit } = fleet.start();
  assertEquals([1, 2, 3, 4, 5].map(() => limit.take(1)), Array(5).fill(true));
  const next = limit.take(1);
  assertEquals([next instanceof Promise, await next], [true, true]);
  await fleet.settle();

  const well = new Fleet({ limit: 100, lease: 5 });
  const isolate = well.start();
  assertEquals([1, 2, 3, 4, 5].map(() => isolate.limit.take(1)), Array(5).fill(true));
  await well.pass(1_000);
  isolate.limit.take(1);
  await well.pass(1_000);
  assert(await entered(well) >= 6);
  await well.settle();
});

Deno.test("LeasedLimit.take() takes calls of a cost together or not at all", async () => {
  const fleet = new Fleet({ limit: 10, lease: 1 });
  const { limit } = fleet.start();
  assertEquals([await limit.take(7), await limit.take(4), await limit.take(3)], [true, false, true]);
  assertEquals(await limit.take(1), false);
});

Deno.test("LeasedLimit.refund() takes an admission back", async () => {
  const fleet = new Fleet({ limit: 2, lease: 1 });
  const { limit } = fleet.start();
  assertEquals([await limit.take(1), await limit.take(1), await limit.take(1)], [true, true, false]);
  limit.refund(1);
  assertEquals([await limit.take(1), await limit.take(1)], [true, false]);
});

Deno.test("LeasedLimit.giveBack() leaves what was leased to the others", async () => {
  const fleet = new Fleet({ limit: 100, lease: 50 });
  const [first, second] = [fleet.start(), fleet.start()];
  for (let call = 0; call < 20; call++) {
    await fleet.call(first, 1);
    await fleet.pass(300);
  }
  assert(await entered(fleet) > 20);
  await first.limit.giveBack();
  assertEquals(await entered(fleet), 20);
  assertEquals(await fleet.call(second, 200), 80);
});

Deno.test("LeasedLimit lets a lease lapse that nobody used, and takes smaller ones then", async () => {
  const fleet = new Fleet({ limit: 1_000, lease: 100 });
  const isolate = fleet.start();
  await fleet.call(isolate, 100);
  await fleet.pass(LEASE_MS);
  const before = await entered(fleet);
  for (let call = 0; call < 12; call++) {
    await fleet.call(isolate, 1);
    await fleet.pass(LEASE_MS / 4);
  }
  assertLess(await entered(fleet) - before, 60);
});

Deno.test("LeasedLimit.waitMs() tells when there is room, and remaining what is left", async () => {
  const fleet = new Fleet({ limit: 10, lease: 2 });
  const { limit } = fleet.start();
  assertEquals([limit.remaining, limit.waitMs(1), limit.moreInMs], [10, 0, 0]);
  for (let call = 0; call < 10; call++) await limit.take(1);
  await fleet.pass(1_000);
  assertEquals([limit.remaining, await limit.take(1)], [0, false]);
  const waitMs = limit.waitMs(1);
  assertEquals(limit.moreInMs, waitMs);
  assert(waitMs > WINDOW_MS - 1_000 && waitMs < FORGOTTEN_MS, String(waitMs));
  await fleet.pass(waitMs - 1);
  assertEquals(await limit.take(1), false);
  await fleet.pass(1);
  assertEquals(await limit.take(1), true);
});

for (const fault of ["rejects", "throws", "hangs", "applied_then_rejects"] as const) {
  Deno.test(`K1 K4 LeasedLimit.take() keeps the limit alone while the store ${fault}, and with the others again after`, async () => {
    const fleet = new Fleet({ limit: 20, lease: 2 });
    const isolate = fleet.start();
    fleet.fail(fault);
    assertEquals(await fleet.call(isolate, 30), 20);
    fleet.fail("none");
    await fleet.pass(FORGOTTEN_MS);
    await fleet.call(isolate, 1);
    await fleet.pass(1_000);
    await fleet.call(isolate, 18);
    await fleet.pass(1_000);
    assert(await entered(fleet) >= 17);
  });
}

Deno.test("K1 LeasedLimit.take() waits once for a store that hangs, and not again", async () => {
  const fleet = new Fleet({ limit: 100, lease: 1 });
  fleet.fail("hangs");
  const { limit } = fleet.start();
  assertEquals([limit.take(1), await limit.take(1)], [true, true]);
  assertEquals(Array.from({ length: 10 }, () => limit.take(1)), Array(10).fill(true));
  await fleet.pass(6_000);
  assertEquals(limit.take(1), true);
  await fleet.settle();
});

Deno.test("K2 LeasedLimit.take() takes a ledger that is none for an empty one", async () => {
  for (
    const value of [
      { v: 2, atMs: 1, slots: [] },
      { v: 1, atMs: -1, slots: [] },
      { v: 1, atMs: 1e300, slots: [] },
      { v: 1, atMs: 5_000, slots: [[1, 2], [1, 2]] },
      { v: 1, atMs: 5_000, slots: [[9, 2]] },
      { v: 1, atMs: 5_000, slots: [[1, "2"]] },
      { v: 1, atMs: 5_000, slots: Array.from({ length: 1_000 }, () => [1, 1]) },
      {},
    ]
  ) {
    const fleet = new Fleet({ limit: 4, lease: 1 });
    await fleet.store.memory.set(KEY, value, { expiresAtMs: fleet.nowMs + 1e9 });
    assertEquals(await fleet.call(fleet.start(), 9), 4);
    assertEquals(await entered(fleet), 4);
    await fleet.settle();
  }
});

Deno.test("K3 LeasedLimit.take() lets an isolate whose clock is an hour behind wait a minute at the most", async () => {
  const fleet = new Fleet({ limit: 20, lease: 1 });
  assertEquals(await fleet.call(fleet.start(), 20), 20);
  const behind = fleet.start(-3_600_000);
  await fleet.pass(1_000);
  assertEquals(await fleet.call(behind, 20), 1);
  await fleet.pass(FORGOTTEN_MS);
  assertEquals(await fleet.call(behind, 20), 20);
});

Deno.test("LeasedLimit.take() does not spend what the store was a second late with", async () => {
  const fleet = new Fleet({ limit: 10, lease: 1 });
  const now = () => fleet.nowMs;
  const gate = Promise.withResolvers<void>();
  let writes = 0;
  const store = new RouteStoreGuard({
    get: (key) => fleet.store.get(key),
    delete: (key) => fleet.store.delete(key),
    async set(...args) {
      const version = await fleet.store.set(...args);
      if (++writes === 1) await gate.promise;
      return version;
    },
  }, { now, opTimeoutMs: 60_000 });
  const limit = new LeasedLimit({ limit: 10, lease: 1, key: KEY, mayBorrow: false }, { store, now });
  const answer = limit.take(1);
  await fleet.pass(1_001);
  gate.resolve();
  assertEquals([await answer, writes], [true, 2]);
  await fleet.settle();
});
