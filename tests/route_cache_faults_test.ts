import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import type { CachedTools } from "../src/cache/cached_tools.ts";
import { KvRouteStore } from "../src/kv_route_store.ts";
import type { JsonObject, JsonValue } from "../src/protocol.ts";
import { RouteCache } from "../src/route_cache.ts";
import { assertList, createFixture, KEY, put, summary, toolsNamed } from "./support/route_cache_fixture.ts";

const FAR_MS = 2_000_000_000_000;
const list = (...names: string[]) => ({ tools: toolsNamed(...names), partial: false });

for (const fault of ["rejects", "throws", "hangs"] as const) {
  Deno.test(`K1 RouteCache lives on while the store ${fault}, and warns once`, async () => {
    const { cache, store, clock, warnings } = createFixture();
    await put(cache, toolsNamed("a"));
    const token = await cache.begin(KEY);
    store.fault = fault;
    store.operations.length = 0;
    assertEquals(await cache.load(KEY), undefined);
    assertEquals((await cache.begin(KEY)).version, undefined);
    assertEquals(await cache.commit(KEY, list("b"), token), "unavailable");
    clock.nowMs += 4_999;
    assertEquals(await cache.load(KEY), undefined);
    assertEquals(store.operations.length, 1, "the store is left alone for retryAfterFailureMs");
    clock.nowMs += 1;
    assertEquals(await cache.load(KEY), undefined);
    assertEquals(store.operations.length, 2, "and then asked again");
    assertEquals(warnings.length, 1);
    assert(warnings[0]?.startsWith("Cannot use the route store as it "), warnings[0]);

    store.fault = "none";
    clock.nowMs += 5_000;
    assertEquals(summary(await cache.load(KEY)), "a fresh");
    assertEquals(warnings.slice(1), ["The route store answers again"]);
    store.releaseHung();
  });
}

Deno.test("K1 RouteCache asks a store that is away once, however many calls wait", async () => {
  const { cache, store, clock, warnings } = createFixture();
  store.fault = "rejects";
  await cache.load(KEY);
  clock.nowMs += 5_000;
  store.operations.length = 0;
  await Promise.all(Array.from({ length: 20 }, () => cache.load(KEY)));
  assertEquals(store.operations.length, 1);
  assertEquals(warnings.length, 1);
});

Deno.test("K1 RouteCache asks the store again after its clock was set back", async () => {
  const { cache, store, clock } = createFixture();
  await put(cache, toolsNamed("a"));
  store.fault = "rejects";
  await cache.load(KEY);
  store.fault = "none";
  clock.nowMs -= 3_600_000;
  store.operations.length = 0;
  await cache.load(KEY);
  assertEquals(store.operations[0], "get");
});

Deno.test("K1 RouteCache takes a closed database as one that is away", async () => {
  const kv = await Deno.openKv(":memory:");
  const warnings: string[] = [];
  const cache = new RouteCache(new KvRouteStore(kv), { onWarning: (message) => warnings.push(message) });
  await put(cache, toolsNamed("a"));
  kv.close();
  assertEquals(await cache.load(KEY), undefined);
  await cache.invalidate(KEY);
  assertEquals(warnings.length, 1);
});

Deno.test("K1 RouteCache survives a listener that throws", async () => {
  const { store, createCache } = createFixture();
  const cache = createCache({
    onWarning: () => {
      throw new Error("listener");
    },
  });
  store.fault = "rejects";
  assertEquals(await cache.load(KEY), undefined);
});

Deno.test("K2 RouteCache.load() takes a corrupt entry as a miss and deletes it", async () => {
  const { cache, store } = createFixture();
  await put(cache, toolsNamed("a", "b"));
  const good = (await store.memory.get(KEY))?.value as JsonObject;
  const tool = (good.tools as JsonObject[])[0]!;
  const changes: Record<string, JsonObject> = {
    "no object": { ...good, tools: "a" },
    "no version": { ...good, v: "1" },
    "older schema": { ...good, v: 0 },
    "foreign key": { ...good, key: ["v1", "tools", "Mercurius", "files", "x", "anonymous"] },
    "short key": { ...good, key: KEY.slice(0, 5) },
    "unknown state": { ...good, state: "fine" },
    "epoch not a number": { ...good, epoch: "1" },
    "epoch too large": { ...good, epoch: 1e300 },
    "negative time": { ...good, writtenAtMs: -1 },
    "stale before written": { ...good, staleAtMs: 1 },
    "partial not a boolean": { ...good, partial: 1 },
    "count wrong": { ...good, toolCount: 3 },
    "chunks and tools": { ...good, chunks: ["a".repeat(64)] },
    "chunk address": { ...good, tools: null, chunks: ["../secret"] },
    "negative with tools": { ...good, state: "negative" },
    "too many tools": { ...good, tools: Array.from({ length: 2_001 }, () => 1), toolCount: 2_001 },
    "tool without a name": { ...good, tools: [{ ...tool, name: 7 }, tool] },
    "tool without a schema": { ...good, tools: [{ name: "a" }, tool] },
    "tool null": { ...good, tools: [null, tool] },
    "title no string": { ...good, tools: [{ ...tool, title: {} }, tool] },
    "annotations a list": { ...good, tools: [{ ...tool, annotations: [] }, tool] },
    "hint no boolean": { ...good, tools: [{ ...tool, annotations: { readOnlyHint: "true" } }, tool] },
  };
  for (const [name, value] of Object.entries(changes)) {
    await store.memory.set(KEY, value, { expiresAtMs: FAR_MS });
    assertEquals(await cache.load(KEY), undefined, name);
    assertEquals(await store.memory.get(KEY), undefined, name);
  }
});

Deno.test("K2 RouteCache.load() takes an oversized entry as a miss", async () => {
  const { cache, store } = createFixture();
  await put(cache, toolsNamed("a"));
  const item = await store.memory.get(KEY);
  const value = { ...(item?.value as JsonObject), extra: "x".repeat(60_000) };
  store.replica.set(JSON.stringify(KEY), { value, version: item!.version });
  assertEquals(await cache.load(KEY), undefined);
  assertEquals(store.operations.at(-1), "delete");
});

Deno.test("K2 RouteCache.load() takes an entry of a newer schema as a miss and leaves it", async () => {
  const { cache, store } = createFixture();
  await store.memory.set(KEY, { v: 2, anything: true }, { expiresAtMs: FAR_MS });
  assertEquals(await cache.load(KEY), undefined);
  assert(await store.memory.get(KEY));
});

Deno.test("K2 RouteCache.load() does not delete a corrupt entry that was replaced meanwhile", async () => {
  const { cache, createCache, store } = createFixture();
  await store.memory.set(KEY, { broken: true }, { expiresAtMs: FAR_MS });
  store.replica.set(JSON.stringify(KEY), await store.memory.get(KEY));
  const other = createCache();
  await put(other, toolsNamed("a"));
  assertEquals(await cache.load(KEY), undefined);
  store.replica.clear();
  assertEquals(summary(await cache.load(KEY)), "a fresh");
});

function assertWellFormed(cached: CachedTools | undefined): void {
  if (cached?.kind !== "tools") return;
  for (const tool of cached.tools) {
    assertEquals(typeof tool.name, "string");
    assert(typeof tool.inputSchema === "object" && tool.inputSchema !== null && !Array.isArray(tool.inputSchema));
    assert(["string", "undefined"].includes(typeof tool.description));
  }
}

Deno.test("K2 RouteCache.load() neither throws nor returns a malformed tool for any JSON", async () => {
  const { cache, store } = createFixture();
  await put(cache, toolsNamed("a"));
  const good = (await store.memory.get(KEY))?.value as JsonObject;
  const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;
  const change = fc.tuple(fc.constantFrom(...Object.keys(good), "chunks", "x"), json);
  const tool = fc.dictionary(
    fc.constantFrom("name", "title", "description", "inputSchema", "outputSchema", "annotations"),
    fc.oneof(json, fc.constant({}), fc.constant("text")),
  ) as fc.Arbitrary<JsonObject>;
  const stored = fc.oneof(
    json,
    fc.array(change, { maxLength: 3 }).map((changes) => ({ ...good, ...Object.fromEntries(changes) })),
    fc.array(tool, { maxLength: 3 }).map((tools) => ({ ...good, tools, toolCount: tools.length })),
  );
  await fc.assert(
    fc.asyncProperty(stored, async (value) => {
      store.replica.set(JSON.stringify(KEY), { value, version: "any" });
      assertWellFormed(await cache.load(KEY));
      await cache.begin(KEY);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("K2 RouteCache.load() takes a list with a missing or a forged chunk as a miss", async () => {
  for (const damage of ["missing", "forged", "swapped", "no base64"]) {
    const { cache, store } = createFixture();
    const large = [{ name: "large", inputSchema: {}, description: "0123456789".repeat(12_000) }];
    await put(cache, large);
    const { chunks } = (await store.memory.get(KEY))?.value as { chunks: string[] };
    assertEquals(chunks.length, 3);
    const [first, second] = chunks.map((address) => ["v1", "chunk", address]);
    const other = (await store.memory.get(second!))!.value as JsonObject;
    if (damage === "missing") await store.memory.delete(first!);
    if (damage === "forged") await store.memory.set(first!, { v: 1, data: btoa("[]") }, { expiresAtMs: FAR_MS });
    if (damage === "swapped") await store.memory.set(first!, other, { expiresAtMs: FAR_MS });
    if (damage === "no base64") await store.memory.set(first!, { v: 1, data: "!" }, { expiresAtMs: FAR_MS });
    assertEquals(await cache.load(KEY), undefined, damage);
    assertEquals(await store.memory.get(first!), undefined, "the forged chunk is gone");
    assertEquals(
      await cache.commit(KEY, { failed: true }, await cache.begin(KEY)),
      "stored",
      "nothing is left to keep",
    );
    await put(cache, large);
    assertEquals(summary(await cache.load(KEY)), "large fresh");
  }
});

Deno.test("K3 RouteCache.load() lets no entry live longer than its TTL by its own clock", async () => {
  const HOUR_MS = 3_600_000;
  for (const writerAheadMs of [-HOUR_MS, -6_000, 0, 4_000, 6_000, HOUR_MS]) {
    const { clock, createCache } = createFixture();
    const reader = createCache();
    const writer = createCache({ now: () => clock.nowMs + writerAheadMs });
    await put(writer, toolsNamed("a"));
    const startMs = clock.nowMs;
    for (const ageMs of [0, 290_000, 300_000, 304_001, HOUR_MS - 1, HOUR_MS + 1, 25 * HOUR_MS]) {
      clock.nowMs = startMs + ageMs;
      const text = summary(await reader.load(KEY));
      // A writer that is ahead by no more than 5 s is believed, so its entry lives that much longer.
      const isOld = ageMs >= 300_000 + (writerAheadMs === 4_000 ? 4_000 : 0);
      if (isOld) assertNotEquals(text, "a fresh", `at ${ageMs} ms with a writer ${writerAheadMs} ms ahead`);
      if (writerAheadMs > 5_000 || ageMs === 25 * HOUR_MS) assertEquals(text, "miss");
    }
    await put(reader, toolsNamed("b"));
    assertEquals(summary(await reader.load(KEY)), "b fresh");
  }
});

Deno.test("K3 RouteCache.load() caps what another isolate wrote by its own maxStaleMs", async () => {
  const { createCache, clock } = createFixture();
  const year = 365 * 86_400_000;
  await put(createCache({ maxStaleMs: year, ttlMs: year }), toolsNamed("a"));
  const reader = createCache({ maxStaleMs: 10_000 });
  clock.nowMs += 9_999;
  assertEquals(summary(await reader.load(KEY)), "a fresh");
  clock.nowMs += 1;
  assertEquals(summary(await reader.load(KEY)), "miss");
});

Deno.test("K4 RouteCache.commit() that is made and reported as failed is read back as made", async () => {
  const { cache, createCache, store, clock } = createFixture();
  const token = await cache.begin(KEY);
  store.fault = "applied_then_rejects";
  assertEquals(await cache.commit(KEY, list("a"), token), "unavailable");
  store.fault = "none";
  assertEquals(summary(await createCache().load(KEY)), "a fresh");
  clock.nowMs += 5_000;
  assertEquals(summary(await cache.load(KEY)), "a fresh");
  assertEquals(await cache.commit(KEY, list("old"), token), "conflict");
});

Deno.test("K4 RouteCache.commit() stores no list of which a chunk was not written", async () => {
  const { cache, store } = createFixture({ retryAfterFailureMs: 0 });
  const large = [{ name: "large", inputSchema: {}, description: "x".repeat(100_000) }];
  store.beforeSet = () => Promise.reject(new Error("database is locked"));
  assertEquals(await cache.commit(KEY, { tools: large, partial: false }, await cache.begin(KEY)), "unavailable");
  assertEquals(await store.memory.get(KEY), undefined);
  await put(cache, large);
});

Deno.test("K4 RouteCache.invalidate() that is made and reported as failed holds", async () => {
  const { cache, createCache, store, clock } = createFixture();
  await put(cache, toolsNamed("a"));
  const token = await cache.begin(KEY);
  store.fault = "applied_then_rejects";
  await cache.invalidate(KEY);
  store.fault = "none";
  assertEquals(summary(await createCache().load(KEY)), "a not fresh");
  clock.nowMs += 5_000;
  assertEquals(await cache.commit(KEY, list("late"), token), "conflict");
  const cached = await cache.load(KEY);
  assertList(cached);
  assert(cached.invalidated && !cached.fresh);
  await put(cache, toolsNamed("b"));
  assertEquals(summary(await cache.load(KEY)), "b fresh");
});
