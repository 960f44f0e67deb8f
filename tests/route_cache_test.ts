import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvRouteStore } from "../src/kv_route_store.ts";
import type { Tool } from "../src/protocol.ts";
import { RouteCache } from "../src/route_cache.ts";
import { toServerCacheKey } from "../src/cache/server_cache_key.ts";
import { assertList, createFixture, KEY, put, summary, toolsNamed } from "./support/route_cache_fixture.ts";

Deno.test("RouteCache.load() returns what was committed, for another isolate too", async () => {
  const { cache, createCache, clock } = createFixture();
  assertEquals(await cache.load(KEY), undefined);
  const tools: Tool[] = [{
    name: "read",
    title: "→ Read \ud800",
    inputSchema: { type: "object" },
    outputSchema: {},
    annotations: { readOnlyHint: true, later: 1 },
    _meta: { a: [1] },
  }];
  await put(cache, tools);
  clock.nowMs += 1_000;
  const cached = await createCache().load(KEY);
  assertList(cached);
  assertEquals({ ...cached, epochToken: undefined }, {
    kind: "tools",
    tools,
    partial: false,
    fresh: true,
    invalidated: false,
    ageMs: 1_000,
    freshMs: 300_000,
    writtenAtMs: clock.nowMs - 1_000,
    epochToken: undefined,
  });
});

Deno.test("RouteCache.load() is fresh for ttlMs and usable for maxStaleMs", async () => {
  const { cache, clock } = createFixture({ ttlMs: 100, maxStaleMs: 1_000 });
  await put(cache, toolsNamed("a"));
  clock.nowMs += 99;
  assertEquals(summary(await cache.load(KEY)), "a fresh");
  clock.nowMs += 1;
  assertEquals(summary(await cache.load(KEY)), "a not fresh");
  clock.nowMs += 899;
  assertEquals(summary(await cache.load(KEY)), "a not fresh");
  clock.nowMs += 1;
  assertEquals(summary(await cache.load(KEY)), "miss");
});

Deno.test("RouteCache.commit() obeys a listing's own ttlMs up to maxStaleMs", async () => {
  const { cache, clock } = createFixture({ ttlMs: 100, maxStaleMs: 1_000 });
  const commit = async (ttlMs: number) =>
    await cache.commit(KEY, { tools: toolsNamed("a"), partial: true, ttlMs }, await cache.begin(KEY));
  assertEquals(await commit(0), "stored");
  assertEquals(summary(await cache.load(KEY)), "a not fresh");
  assertEquals(await commit(500), "stored");
  clock.nowMs += 499;
  assertEquals(summary(await cache.load(KEY)), "a fresh");
  assertEquals(await commit(Infinity), "stored");
  clock.nowMs += 1_000;
  assertEquals(summary(await cache.load(KEY)), "miss");
  for (const odd of [NaN, -1]) {
    assertEquals(await commit(odd), "stored");
    assertEquals(summary(await cache.load(KEY)), "a fresh");
  }
});

Deno.test("RouteCache.load() remembers for negativeTtlMs that a server gave no list", async () => {
  const { cache, createCache, clock } = createFixture();
  assertEquals(await cache.commit(KEY, { failed: true }, await cache.begin(KEY)), "stored");
  clock.nowMs += 29_999;
  const cached = await createCache().load(KEY);
  assertEquals(cached?.kind === "negative" && cached.ageMs, 29_999);
  assertEquals(summary(await createCache({ negativeTtlMs: 10_000 }).load(KEY)), "miss");
  clock.nowMs += 1;
  assertEquals(summary(await cache.load(KEY)), "miss");
  await put(cache, toolsNamed("a"));
  assertEquals(summary(await cache.load(KEY)), "a fresh");
});

Deno.test("RouteCache.commit() skips a failed or an empty listing over a good list", async () => {
  const { cache, clock } = createFixture({ maxStaleMs: 1_000_000 });
  await put(cache, toolsNamed("a", "b"));
  for (const prepare of [() => {}, () => clock.nowMs += 400_000, () => cache.invalidate(KEY)]) {
    await prepare();
    const token = await cache.begin(KEY);
    assertEquals(await cache.commit(KEY, { failed: true }, token), "skipped");
    assertEquals(await cache.commit(KEY, { tools: [], partial: false }, token), "skipped");
    assert(summary(await cache.load(KEY)).startsWith("a,b"));
  }
  const token = await cache.begin(KEY);
  clock.nowMs += 1_000_000;
  assertEquals(await cache.commit(KEY, { failed: true }, token), "stored", "the list has come to its end");
});

Deno.test("RouteCache.commit() takes an empty listing that is confirmed, or where nothing is lost", async () => {
  const { cache } = createFixture();
  const empty = { tools: [], partial: false };
  assertEquals(await cache.commit(KEY, empty, await cache.begin(KEY)), "stored");
  assertEquals(await cache.commit(KEY, empty, await cache.begin(KEY)), "stored");
  await put(cache, toolsNamed("a"));
  assertEquals(await cache.commit(KEY, { ...empty, confirmedEmpty: true }, await cache.begin(KEY)), "stored");
  assertEquals(summary(await cache.load(KEY)), " fresh");
});

Deno.test("RouteCache.commit() skips a broken-off listing over a longer complete list until it is invalidated", async () => {
  const { cache } = createFixture();
  await put(cache, toolsNamed("a", "b"));
  const partial = { tools: toolsNamed("a"), partial: true };
  assertEquals(await cache.commit(KEY, partial, await cache.begin(KEY)), "skipped");
  await cache.invalidate(KEY);
  assertEquals(await cache.commit(KEY, partial, await cache.begin(KEY)), "stored");
});

Deno.test("RouteCache.commit() skips what cannot be stored", async () => {
  const { cache } = createFixture();
  const commit = async (tools: readonly unknown[]) =>
    await cache.commit(KEY, { tools: tools as Tool[], partial: false }, await cache.begin(KEY));
  const circular: Record<string, unknown> = { name: "c", inputSchema: {} };
  circular.self = circular;
  const names = (count: number) => toolsNamed(...Array.from({ length: count }, (_, n) => `tool_${n}`));
  for (
    const tools of [
      [circular],
      [{ name: "big", inputSchema: {}, size: 1n }],
      [{ name: "", inputSchema: {} }],
      [{ name: "a", inputSchema: [] }],
      [{ name: "a", inputSchema: {}, annotations: { readOnlyHint: "yes" } }],
      names(2_001),
      [{ name: "a", inputSchema: {}, description: "x".repeat(8 * 1024 * 1024) }],
    ]
  ) assertEquals(await commit(tools), "skipped");
  assertEquals(await commit(names(2_000)), "stored");
});

Deno.test("RouteCache keeps a catalogue of 1,500 tools in chunks", async () => {
  using kv = await Deno.openKv(":memory:");
  const cache = new RouteCache(new KvRouteStore(kv), { opTimeoutMs: 5_000 });
  const tools: Tool[] = Array.from({ length: 1_500 }, (_, n) => ({
    name: `tool_${n}`,
    description: `\u{1f6a2} → ${"does a lot of things ".repeat(20)}`,
    inputSchema: { type: "object", properties: { path: { type: "string", description: `"${n}"` } } },
  }));
  await put(cache, tools);
  const cached = await new RouteCache(new KvRouteStore(kv), { opTimeoutMs: 5_000 }).load(KEY);
  assertList(cached);
  assertEquals(cached.tools, tools);
  assert(cached.fresh);

  const count = async () => (await Array.fromAsync(kv.list({ prefix: ["portolan", "v1", "chunk"] }))).length;
  const before = await count();
  assert(before > 10);
  await put(cache, tools.slice(0, -1));
  assertEquals(await count(), before, "chunks that are no longer used are removed");
  await put(cache, toolsNamed("small"));
  assertEquals(await count(), 0);
});

Deno.test("RouteCache without a store keeps nothing and rejects nothing", async () => {
  const cache = new RouteCache(undefined);
  const token = await cache.begin(KEY);
  assertEquals(await cache.commit(KEY, { failed: true }, token), "unavailable");
  await cache.invalidate(KEY);
  assertEquals(await cache.load(KEY), undefined);
});

Deno.test("new RouteCache() throws for a time that is not one", () => {
  assertThrows(() => new RouteCache(undefined, { ttlMs: NaN }), RangeError, "ttlMs");
  assertThrows(() => new RouteCache(undefined, { maxStaleMs: -1 }), RangeError, "maxStaleMs");
  const { store } = createFixture();
  assertThrows(() => new RouteCache(store, { opTimeoutMs: 0 }), RangeError, "opTimeoutMs");
  assertThrows(() => new RouteCache(store, { retryAfterFailureMs: -1 }), RangeError, "retryAfterFailureMs");
});

Deno.test("K6 RouteCache shares nothing between two credentials, chunks included", async () => {
  const { cache, store } = createFixture();
  const url = "https://files.example.com/mcp";
  const [first, second] = await Promise.all(
    ["one", "two"].map((credential) => toServerCacheKey({ agent: "Kairos", server: "files", url, credential })),
  );
  assert(first !== undefined && second !== undefined);
  const large: Tool[] = [{ name: "large", inputSchema: {}, description: "x".repeat(100_000) }];
  await put(cache, large, first);
  assertEquals(await cache.load(second), undefined);
  const before = store.memory.size;
  await put(cache, large, second);
  assertEquals(store.memory.size, 2 * before);
  await put(cache, toolsNamed("a"), first);
  assertEquals(summary(await cache.load(second)), "large fresh");
});
