import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { EpochToken } from "../src/cache/cached_tools.ts";
import type { JsonObject } from "../src/protocol.ts";
import { assertList, createFixture, KEY, put, summary, toolsNamed } from "./support/route_cache_fixture.ts";

const list = (...names: string[]) => ({ tools: toolsNamed(...names), partial: false });

Deno.test("K5 RouteCache.commit() refuses a listing that was begun before an invalidation", async () => {
  for (const before of ["nothing", "a list", "a failure"]) {
    const { cache, createCache, store } = createFixture();
    if (before === "a list") await put(cache, toolsNamed("old"));
    if (before === "a failure") await cache.commit(KEY, { failed: true }, await cache.begin(KEY));
    const token = await cache.begin(KEY);
    await createCache().invalidate(KEY);
    assertEquals(await cache.commit(KEY, list("late"), token), "conflict", before);
    assertEquals(summary(await cache.load(KEY)), before === "a list" ? "old not fresh" : "miss");

    // A writer that does not compare would have brought the old list back, and as a fresh one.
    const naive = createFixture();
    await put(naive.cache, toolsNamed("late"));
    const value = (await naive.store.memory.get(KEY))!.value as JsonObject;
    await store.memory.set(KEY, value, { expiresAtMs: 2e12 });
    assertEquals(summary(await createCache().load(KEY)), "late fresh");
  }
});

Deno.test("K5 RouteCache.commit() refuses an old listing also after newer entries have expired", async () => {
  const { cache, createCache, clock } = createFixture();
  const token = await cache.begin(KEY);
  const other = createCache();
  await other.invalidate(KEY);
  assertEquals(await other.commit(KEY, { failed: true }, await other.begin(KEY)), "stored");
  clock.nowMs += 60_000;
  assertEquals(await other.load(KEY), undefined);
  assertEquals(await cache.commit(KEY, list("late"), token), "conflict");
});

Deno.test("K5 RouteCache.commit() lets one of two isolates win and tells the other", async () => {
  const { cache, createCache } = createFixture();
  const other = createCache();
  const [first, second] = await Promise.all([cache.begin(KEY), other.begin(KEY)]);
  const outcomes = await Promise.all([cache.commit(KEY, list("a"), first), other.commit(KEY, list("b"), second)]);
  assertEquals(outcomes.toSorted(), ["conflict", "stored"]);
});

Deno.test("K5 RouteCache.invalidate() wins over a commit that lands in between", async () => {
  const { cache, createCache, store } = createFixture();
  await put(cache, toolsNamed("a"));
  const other = createCache();
  store.beforeSet = () => put(other, toolsNamed("b"));
  await cache.invalidate(KEY);
  const cached = await other.load(KEY);
  assertEquals(summary(cached), "b not fresh");
  assertList(cached);
  assert(cached.invalidated);
});

Deno.test("K5 RouteCache.load() that began before an invalidation does not end as fresh", async () => {
  const { cache, store } = createFixture();
  const large = [{ name: "large", inputSchema: {}, description: "x".repeat(100_000) }];
  await put(cache, large);
  store.operations.length = 0;
  const loading = cache.load(KEY);
  await cache.invalidate(KEY);
  assertEquals(summary(await loading), "large not fresh");
});

Deno.test("K5 RouteCache.load() that ends during an invalidation does not end as fresh", async () => {
  const { cache, store } = createFixture({ opTimeoutMs: 5_000 });
  await put(cache, [{ name: "large", inputSchema: {}, description: "x".repeat(100_000) }]);
  const loading = cache.load(KEY);
  const loaded = Promise.withResolvers<void>();
  store.beforeSet = () => loaded.promise;
  const invalidating = cache.invalidate(KEY);
  assertEquals(summary(await loading), "large not fresh");
  loaded.resolve();
  await invalidating;
});

Deno.test("K5 RouteCache.load() is not fooled by a replica that is behind the own invalidation", async () => {
  const { cache, createCache, store } = createFixture();
  await put(cache, toolsNamed("a"));
  const old = await store.memory.get(KEY);
  await cache.invalidate(KEY);
  store.replica.set(JSON.stringify(KEY), old);
  assertEquals(summary(await cache.load(KEY)), "a not fresh");
  assertEquals(await cache.commit(KEY, list("b"), await cache.begin(KEY)), "conflict");
  store.replica.clear();
  await put(createCache(), toolsNamed("c"));
  assertEquals(summary(await cache.load(KEY)), "c fresh");
});

Deno.test("K5 RouteCache.invalidate() holds while the store is away and reaches it when it is back", async () => {
  const { cache, createCache, store, clock } = createFixture();
  await put(cache, toolsNamed("a"));
  const token = await cache.begin(KEY);
  store.fault = "rejects";
  await cache.invalidate(KEY);
  assertEquals(summary(await cache.load(KEY)), "miss");
  store.fault = "none";
  assertEquals(summary(await createCache().load(KEY)), "a fresh", "nobody else knows yet");
  clock.nowMs += 5_000;
  assertEquals(await cache.commit(KEY, list("late"), token), "conflict");
  assertEquals(summary(await createCache().load(KEY)), "a not fresh");
  await put(cache, toolsNamed("b"));
  assertEquals(summary(await cache.load(KEY)), "b fresh");
});

Deno.test("K5 RouteCache.invalidate() gives up a list that fills its entry to the last byte", async () => {
  const { cache, store } = createFixture();
  const tool = { name: "near", inputSchema: {}, description: "" };
  await put(cache, [tool]);
  const room = 60_000 - JSON.stringify((await store.memory.get(KEY))!.value).length;
  await put(cache, [{ ...tool, description: "x".repeat(room) }]);
  assertEquals(store.memory.size, 1, "there is no chunk");
  const token = await cache.begin(KEY);
  await cache.invalidate(KEY);
  assertEquals(summary(await cache.load(KEY)), "miss");
  assertEquals(await cache.commit(KEY, list("late"), token), "conflict");
});

Deno.test("K5 RouteCache.commit() refuses an old listing also where the store has lost the invalidation", async () => {
  const { cache, store } = createFixture();
  const token = await cache.begin(KEY);
  await cache.invalidate(KEY);
  await store.memory.delete(KEY);
  assertEquals(await cache.commit(KEY, list("late"), token), "conflict");
  await put(cache, toolsNamed("a"));
});

Deno.test("K5 RouteCache over any interleaving never shows a list as fresh that is older than the last invalidation", async () => {
  const step = fc.constantFrom("change", "begin", "commit", "load", "invalidate", "down", "up", "tick");
  const skew = fc.constantFrom(0, 3_000, 3_600_000, -3_600_000);
  const move = fc.tuple(step, fc.nat(1));
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 40 }), skew, async (moves, skewMs) => {
      const { createCache, store, clock } = createFixture({ retryAfterFailureMs: 0 });
      // The truth is a number that grows; each isolate lists it, and handles the changes it is told of.
      let truth = 0;
      const isolates = [0, skewMs].map((aheadMs) => ({
        cache: createCache({ now: () => clock.nowMs + aheadMs }),
        listing: undefined as { readonly token: EpochToken; readonly seen: number } | undefined,
        handled: 0,
      }));
      for (const [kind, index] of moves) {
        const isolate = isolates[index]!;
        if (kind === "change") truth++;
        if (kind === "down") store.fault = "rejects";
        if (kind === "up") store.fault = "none";
        if (kind === "tick") clock.nowMs += 40_000;
        if (kind === "begin") isolate.listing = { token: await isolate.cache.begin(KEY), seen: truth };
        if (kind === "commit" && isolate.listing !== undefined) {
          await isolate.cache.commit(KEY, list(String(isolate.listing.seen)), isolate.listing.token);
        }
        if (kind === "invalidate") {
          const now = truth;
          await isolate.cache.invalidate(KEY);
          isolate.handled = now;
        }
        if (kind === "load") {
          const cached = await isolate.cache.load(KEY);
          if (cached?.kind === "tools" && cached.fresh) assert(Number(cached.tools[0]!.name) >= isolate.handled);
        }
      }
    }),
    { numRuns: 500 },
  );
});
