import { assert, assertEquals, assertThrows } from "@std/assert";
import { type AuthAddress, AuthStore } from "../../src/auth/auth_store.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import type { JsonObject } from "../../src/protocol.ts";
import type { RouteKey, RouteStore } from "../../src/route_store.ts";
import { STORE_SECRET, toAuthStore } from "../support/auth_support.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";

const ADDRESS: AuthAddress = { kind: "grant", parts: ["calendar", "Kairos"] };
const TTL_MS = 60_000;

/** A store that shows what is written into it. */
function createOpenStore(): { readonly store: RouteStore; readonly writes: [RouteKey, JsonObject][] } {
  const memory = new MemoryRouteStore();
  const writes: [RouteKey, JsonObject][] = [];
  const store: RouteStore = {
    get: (key) => memory.get(key),
    set: (key, value, options) => {
      writes.push([key, value]);
      return memory.set(key, value, options);
    },
    delete: (key, options) => memory.delete(key, options),
  };
  return { store, writes };
}

Deno.test("AuthStore keeps records for every isolate with the same store and secret, and for no other", async () => {
  const routes = new MemoryRouteStore();
  await toAuthStore(routes).write(ADDRESS, { a: 1 }, { ttlMs: TTL_MS });
  assertEquals((await toAuthStore(routes).read(ADDRESS))?.value, { a: 1 });
  const storeSecret = new TextEncoder().encode("another secret of 16 bytes");
  assertEquals(await new AuthStore({ store: routes, storeSecret }).read(ADDRESS), { value: undefined, version: null });
  const other: AuthAddress = { kind: "client", parts: ADDRESS.parts };
  assertEquals((await toAuthStore(routes).read(other))?.value, undefined);
});

Deno.test("AuthStore writes nothing in clear, and nothing at all without a secret", async () => {
  const { store, writes } = createOpenStore();
  await toAuthStore(store).write(ADDRESS, { token: "canary" }, { ttlMs: TTL_MS });
  await toAuthStore(store).lease(ADDRESS.parts, TTL_MS);
  const text = JSON.stringify(writes);
  assertEquals(writes.length, 2);
  for (const word of ["canary", "calendar", "Kairos", "token", "untilMs"]) assert(!text.includes(word), word);
  const secretless = new AuthStore({ store });
  await secretless.write(ADDRESS, { a: 1 }, { ttlMs: TTL_MS });
  assertEquals((await secretless.read(ADDRESS))?.value, { a: 1 });
  assertEquals(writes.length, 2);
});

Deno.test("AuthStore() refuses a secret that is too short", () => {
  const options = { store: new MemoryRouteStore(), storeSecret: new Uint8Array(15) };
  assertThrows(() => new AuthStore(options), RangeError, "less than 16 bytes");
});

Deno.test("AuthStore.write() replaces only the version that it is told to", async () => {
  const store = new AuthStore();
  const first = await store.write(ADDRESS, { a: 1 }, { ttlMs: TTL_MS, ifVersion: null });
  assert(first?.value !== undefined);
  assertEquals(await store.write(ADDRESS, { a: 2 }, { ttlMs: TTL_MS, ifVersion: null }), { value: undefined });
  assert((await store.write(ADDRESS, { a: 3 }, { ttlMs: TTL_MS, ifVersion: first.value }))?.value !== undefined);
  assertEquals((await store.read(ADDRESS))?.value, { a: 3 });
});

Deno.test("AuthStore.read() takes what was moved or changed for nothing", async () => {
  const { store, writes } = createOpenStore();
  const auth = toAuthStore(store);
  await auth.write(ADDRESS, { a: 1 }, { ttlMs: TTL_MS });
  const other: AuthAddress = { kind: "grant", parts: ["calendar", "Mercurius"] };
  await auth.write(other, { a: 2 }, { ttlMs: TTL_MS });
  const [[key, value], [, moved]] = writes as [[RouteKey, JsonObject], [RouteKey, JsonObject]];
  const options = { expiresAtMs: Date.now() + TTL_MS };
  for (const changed of [moved, { ...value, v: 2 }, { ...value, sealed: 7 }, { v: 1, sealed: "AAAA" }]) {
    await store.set(key, changed, options);
    const item = await auth.read(ADDRESS);
    assertEquals(item?.value, undefined);
    assert(item?.version !== null, "it can be replaced");
  }
});

Deno.test("AuthStore.lease() lends to one, until it is given back or has passed", async () => {
  let nowMs = Date.now();
  const now = () => nowMs;
  const routes = new MemoryRouteStore({ now });
  const [one, two] = [toAuthStore(routes, now), toAuthStore(routes, now)];
  const taken = await Promise.all([one, two, one, two].map((store) => store.lease(["a"], 1_000)));
  const [release, ...more] = taken.filter((lease) => lease !== undefined);
  assertEquals(more.length, 0);
  assert(await two.lease(["b"], 1_000) !== undefined, "another thing");
  await release?.();
  assert(await two.lease(["a"], 1_000) !== undefined);
  assertEquals(await one.lease(["a"], 1_000), undefined);
  nowMs += 1_000;
  assert(await one.lease(["a"], 1_000) !== undefined);
  await release?.();
  assertEquals(await two.lease(["a"], 1_000), undefined, "what was lent anew is not given back by the one before");
});

Deno.test("AuthStore does not reject where its store fails, and lends to everybody then", async () => {
  const routes = new FaultyRouteStore(Date.now);
  routes.fault = "rejects";
  const store = new AuthStore({ store: routes, storeSecret: STORE_SECRET });
  assertEquals(await store.read(ADDRESS), undefined);
  assertEquals(await store.write(ADDRESS, {}, { ttlMs: TTL_MS }), undefined);
  await store.remove(ADDRESS);
  for (const release of [await store.lease(["a"], 1_000), await store.lease(["a"], 1_000)]) {
    assert(release !== undefined);
    await release();
  }
});
