import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type KvAtomicOperation, type KvDatabase, KvRouteStore } from "../src/kv_route_store.ts";
import { testRouteStore } from "./support/route_store_contract.ts";

// Real time, because the database removes values by its own clock.
testRouteStore("KvRouteStore in memory", async (row) => {
  using kv = await Deno.openKv(":memory:");
  const clock = { nowMs: Date.now() };
  await row({ store: new KvRouteStore(kv, { now: () => clock.nowMs }), clock });
});

async function withTwoConnections(work: (first: Deno.Kv, second: Deno.Kv) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    using first = await Deno.openKv(`${folder}/routes.sqlite`);
    using second = await Deno.openKv(`${folder}/routes.sqlite`);
    await work(first, second);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

testRouteStore("KvRouteStore on a file with two connections", (row) =>
  withTwoConnections(async (first, second) => {
    const clock = { nowMs: Date.now() };
    const now = () => clock.nowMs;
    const one = new KvRouteStore(first, { now });
    const two = new KvRouteStore(second, { now });
    // Each write by one connection, each read by the other.
    await row({
      clock,
      store: { get: (key) => two.get(key), set: (...a) => one.set(...a), delete: (...a) => two.delete(...a) },
    });
  }));

Deno.test("KvRouteStore.set() lets one of two connections win", async () => {
  await withTwoConnections(async (first, second) => {
    const stores = [new KvRouteStore(first), new KvRouteStore(second)];
    const expiresAtMs = Date.now() + 60_000;
    for (let round = 0; round < 10; round++) {
      const ifVersion = (await stores[round % 2]?.get(["k"]))?.version ?? null;
      const versions = await Promise.all(stores.map((store, n) => store.set(["k"], { n }, { expiresAtMs, ifVersion })));
      assertEquals(versions.filter((version) => version !== undefined).length, 1);
    }
  });
});

Deno.test("KvRouteStore keeps two prefixes apart and never closes the database", async () => {
  using kv = await Deno.openKv(":memory:");
  const expiresAtMs = Date.now() + 60_000;
  await new KvRouteStore(kv).set(["k"], { of: "default" }, { expiresAtMs });
  await new KvRouteStore(kv, { prefix: ["other", "app"] }).set(["k"], { of: "other" }, { expiresAtMs });
  const keys: unknown[] = [];
  for await (const { key } of kv.list({ prefix: [] })) keys.push(key);
  assertEquals(keys, [["other", "app", "k"], ["portolan", "k"]]);
});

Deno.test("K2 KvRouteStore.get() returns a foreign value as undefined with its version", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = new KvRouteStore(kv);
  const foreign = [
    null,
    "text",
    7n,
    new Map(),
    { expiresAtMs: "soon", json: new Uint8Array() },
    { expiresAtMs: Date.now() + 60_000, json: new TextEncoder().encode("{broken") },
    { expiresAtMs: Date.now() + 60_000, json: new Uint8Array([0xff]) },
  ];
  for (const value of foreign) {
    const result = await kv.set(["portolan", "k"], value);
    assertEquals(await store.get(["k"]), { value: undefined, version: result.versionstamp });
    assertEquals(await store.delete(["k"], { ifVersion: result.versionstamp }), true);
  }
});

Deno.test("KvRouteStore refuses a key that KV would refuse", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = new KvRouteStore(kv);
  await assertRejects(() => store.get(["x".repeat(1_990)]), RangeError, "2000 bytes");
  const expiresAtMs = Date.now() + 60_000;
  assert(await store.set(["x".repeat(1_980)], {}, { expiresAtMs }));
  assertThrows(() => new KvRouteStore(kv, { prefix: ["\udfff"] }), TypeError, "well-formed");
  assertThrows(() => new KvRouteStore(kv, { lockedRetryMs: -1 }), RangeError, "lockedRetryMs");
});

/** A database whose operations fail a number of times before they work. */
function failing(kv: Deno.Kv, failures: Error[]): KvDatabase & { readonly reads: (string | undefined)[] } {
  const reads: (string | undefined)[] = [];
  const fail = () => {
    const error = failures.shift();
    if (error !== undefined) throw error;
  };
  return {
    reads,
    // deno-lint-ignore require-await -- a thrown failure must reject
    get: async (key, options) => {
      fail();
      reads.push(options?.consistency);
      return kv.get(key, options);
    },
    atomic: () => {
      const real = kv.atomic();
      const operation: KvAtomicOperation = {
        check: (check) => (real.check(check), operation),
        set: (...args) => (real.set(...args), operation),
        delete: (key) => (real.delete(key), operation),
        // deno-lint-ignore require-await -- a thrown failure must reject
        commit: async () => {
          fail();
          return real.commit();
        },
      };
      return operation;
    },
  };
}

const locked = () => new Error("database is locked");

Deno.test("K1 KvRouteStore tries a locked database again", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = new KvRouteStore(failing(kv, [locked(), locked(), locked()]), { random: () => 0 });
  const version = await store.set(["k"], { n: 1 }, { expiresAtMs: Date.now() + 60_000, ifVersion: null });
  assertEquals(await store.get(["k"]), { value: { n: 1 }, version: version! });
});

Deno.test("K1 KvRouteStore gives a locked database up after a few tries", async () => {
  using kv = await Deno.openKv(":memory:");
  const failures = Array.from({ length: 50 }, locked);
  const store = new KvRouteStore(failing(kv, failures), { random: () => 0 });
  await assertRejects(() => store.get(["k"]), Error, "locked");
  assertEquals(failures.length, 44);
});

Deno.test("K1 KvRouteStore does not try beyond lockedRetryMs", async () => {
  using kv = await Deno.openKv(":memory:");
  const failures = Array.from({ length: 50 }, locked);
  const store = new KvRouteStore(failing(kv, failures), { random: () => 0.9, lockedRetryMs: 8 });
  await assertRejects(() => store.get(["k"]), Error, "locked");
  assertEquals(failures.length, 49);
});

Deno.test("K1 KvRouteStore rejects at once for any other failure", async () => {
  using kv = await Deno.openKv(":memory:");
  const failures = [new Error("disk full"), locked()];
  await assertRejects(() => new KvRouteStore(failing(kv, failures)).get(["k"]), Error, "disk full");
  assertEquals(failures.length, 1);
});

Deno.test("KvRouteStore.get() reads eventually, and strongly after a refused write", async () => {
  using kv = await Deno.openKv(":memory:");
  const database = failing(kv, []);
  const store = new KvRouteStore(database);
  const options = { expiresAtMs: Date.now() + 60_000 };
  const version = await store.set(["k"], { n: 1 }, options);
  await store.set(["k"], { n: 2 }, options);
  await store.get(["k"]);
  await store.set(["k"], { n: 3 }, { ...options, ifVersion: version });
  await store.get(["k"]);
  await store.get(["k"]);
  await new KvRouteStore(database, { consistency: "strong" }).get(["k"]);
  assertEquals(database.reads, ["eventual", "strong", "eventual", "strong"]);
});
