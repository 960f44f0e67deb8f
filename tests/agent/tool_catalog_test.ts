import { assertEquals } from "@std/assert";
import type { CollisionPolicy, Tool } from "@portolan/mcp";
import type { Listing } from "../../src/cache/cached_tools.ts";
import { toServerCacheKey } from "../../src/cache/server_cache_key.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { RouteCache } from "../../src/route_cache.ts";
import { NEGATIVE_FRESH_MS } from "../../src/agent/catalog_slot.ts";
import { ToolCatalog } from "../../src/agent/tool_catalog.ts";

const TTL_MS = 60_000;

function toTools(...names: readonly string[]): readonly Tool[] {
  return names.map((name) => ({ name, inputSchema: {} }));
}

/** A catalogue of servers by name, on a clock that the test moves. */
function createTestCatalog(
  servers: readonly string[],
  more: { policy?: CollisionPolicy; store?: MemoryRouteStore; clock?: { nowMs: number } } = {},
) {
  const { policy = "first", store, clock = { nowMs: 1_000_000 } } = more;
  const now = () => clock.nowMs;
  const cache = new RouteCache(store, { ttlMs: TTL_MS, negativeTtlMs: 600_000, now });
  const catalog = new ToolCatalog({ policy, cache, now, ttlMs: TTL_MS });
  for (const server of servers) {
    const toKey = () => toServerCacheKey({ agent: "Kairos", server, url: `http://${server}/` });
    catalog.add({ server, filter: {}, toKey });
  }
  const record = async (server: string, listing: readonly string[] | "failed") => {
    const heard: Listing = listing === "failed" ? { failed: true } : { tools: toTools(...listing), partial: false };
    await catalog.record(server, heard, await catalog.begin(server));
  };
  return { catalog, clock, record };
}

Deno.test("ToolCatalog.resolve() is undecided for as long as a server that could own the name is unknown", async () => {
  const { catalog, record } = createTestCatalog(["a", "b", "c"]);
  assertEquals(catalog.resolve("x"), { kind: "undecided", waitFor: ["a", "b", "c"] });
  assertEquals(catalog.resolve("b__x"), { kind: "undecided", waitFor: ["b"] });
  await record("b", ["x"]);
  assertEquals(catalog.resolve("x"), { kind: "undecided", waitFor: ["a"] });
  assertEquals(catalog.resolve("y"), { kind: "undecided", waitFor: ["a", "c"] });
  const qualified = catalog.resolve("b__x");
  assertEquals(qualified.kind === "owned" && [qualified.server, qualified.tool], ["b", "x"]);
  assertEquals(catalog.resolve("b__y"), { kind: "unknown" });
  await record("a", "failed");
  const owned = catalog.resolve("x");
  assertEquals(owned.kind === "owned" && owned.server, "b");
  await record("c", []);
  assertEquals(catalog.resolve("y"), { kind: "unknown" });
});

for (const policy of ["prefix", "error"] as const) {
  Deno.test(`ToolCatalog.resolve() knows what can change a bare name under the policy ${policy}`, async () => {
    const { catalog, record } = createTestCatalog(["a", "b"], { policy });
    await record("a", ["x"]);
    const expected = policy === "prefix" ? { kind: "unknown" } : { kind: "undecided", waitFor: ["b"] };
    assertEquals(catalog.resolve("x") as unknown, expected);
  });
}

Deno.test("ToolCatalog.namespaceOf() is the server with the longest name that fits", () => {
  const { catalog } = createTestCatalog(["a", "a__b"]);
  assertEquals(["a__x", "a__b__x", "b__x", "a_x", "x"].map((name) => catalog.namespaceOf(name)), [
    "a",
    "a__b",
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("ToolCatalog.record() keeps a good list over a failure and over one empty list, and asks again later", async () => {
  const { catalog, clock, record } = createTestCatalog(["a"]);
  await record("a", ["x"]);
  clock.nowMs += TTL_MS;
  assertEquals(catalog.staleServers, ["a"]);
  for (const listing of ["failed", []] as const) {
    await record("a", listing);
    assertEquals([catalog.tools.map(({ name }) => name), catalog.staleServers], [["x"], []]);
    clock.nowMs += NEGATIVE_FRESH_MS;
    assertEquals(catalog.staleServers, ["a"]);
  }
  await record("a", "failed");
  await record("a", []);
  assertEquals(catalog.tools.length, 1, "a failure between them: not confirmed");
  await record("a", []);
  assertEquals([catalog.tools, catalog.listOf("a")?.failed], [[], false]);
});

Deno.test("ToolCatalog.record() takes any list where there was none", async () => {
  const { catalog, clock, record } = createTestCatalog(["a", "b"]);
  await record("a", "failed");
  await record("b", []);
  assertEquals([catalog.listOf("a")?.failed, catalog.listOf("b")?.failed], [true, false]);
  const times = { toolsUpdatedAtMs: undefined, toolsChangedAtMs: undefined, toolsExpireAtMs: undefined };
  const failed = { toolCount: undefined, toolsFrom: undefined, toolsPartial: false, ...times };
  assertEquals(catalog.statusOf("a"), failed);
  assertEquals(catalog.statusOf("b"), {
    toolCount: 0,
    toolsFrom: "server",
    toolsPartial: false,
    toolsUpdatedAtMs: clock.nowMs,
    toolsChangedAtMs: undefined,
    toolsExpireAtMs: clock.nowMs + TTL_MS,
  });
  clock.nowMs += NEGATIVE_FRESH_MS;
  assertEquals(catalog.staleServers, ["a"], "a failure is asked about sooner");
  await record("a", ["x"]);
  assertEquals(catalog.tools.map(({ name, server }) => [name, server]), [["x", "a"]]);
});

Deno.test("ToolCatalog.record() and remove() forget what is no longer there", async () => {
  const { catalog, record } = createTestCatalog(["a", "b"]);
  await record("a", ["x"]);
  catalog.remove("a");
  await record("a", ["x", "y"]);
  assertEquals([catalog.tools, catalog.unknownServers, catalog.listOf("a")], [[], ["b"], undefined]);
});

Deno.test("ToolCatalog.loadFromCache() reads lists and failures of servers of which nothing is known", async () => {
  const clock = { nowMs: 1_000_000 };
  const store = new MemoryRouteStore({ now: () => clock.nowMs });
  const first = createTestCatalog(["a", "b", "c"], { store, clock });
  await first.record("a", ["x"]);
  await first.record("b", "failed");
  clock.nowMs += 5_000;
  const { catalog } = createTestCatalog(["a", "b", "c"], { store, clock });
  await Promise.all([catalog.loadFromCache(), catalog.loadFromCache()]);
  assertEquals([catalog.unknownServers, catalog.tools.map(({ name }) => name)], [["c"], ["x"]]);
  assertEquals([catalog.listOf("a")?.from, catalog.listOf("a")?.atMs], ["cache", clock.nowMs - 5_000]);
  assertEquals([catalog.listOf("b")?.failed, catalog.staleServers], [true, []]);
  clock.nowMs += NEGATIVE_FRESH_MS - 5_000;
  assertEquals(catalog.staleServers, ["b"]);
});

Deno.test("ToolCatalog.invalidate() makes a list stale here, and no owner elsewhere", async () => {
  const store = new MemoryRouteStore({ now: () => 1_000_000 });
  const { catalog, record } = createTestCatalog(["a"], { store });
  await record("a", ["x"]);
  await catalog.invalidate("a");
  assertEquals([catalog.staleServers, catalog.tools.length], [["a"], 1]);
  const other = createTestCatalog(["a"], { store });
  await other.catalog.loadFromCache();
  assertEquals(other.catalog.resolve("x"), { kind: "undecided", waitFor: ["a"] });
});
