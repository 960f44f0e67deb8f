import { assertEquals } from "@std/assert";
import { MemoryRouteStore, MultiServerMCPClient } from "@portolan/mcp";
import { until } from "./support/client_support.ts";
import { startMCPServer } from "./support/mcp_server.ts";
import { createFixture, KEY } from "./support/route_cache_fixture.ts";

Deno.test("RouteCache.lease() lends to one isolate at a time, and again when the time is over", async () => {
  const { cache, createCache, clock } = createFixture();
  const other = createCache();
  assertEquals([await cache.lease(KEY, 10_000), await other.lease(KEY, 10_000)], [true, false]);
  clock.nowMs += 9_999;
  assertEquals(await other.lease(KEY, 10_000), false);
  clock.nowMs += 1;
  assertEquals([await other.lease(KEY, 10_000), await cache.lease(KEY, 10_000)], [true, false]);
});

Deno.test("RouteCache.lease() lends to one of two that ask at the same time", async () => {
  const { cache, createCache } = createFixture();
  const lent = await Promise.all([cache.lease(KEY, 10_000), createCache().lease(KEY, 10_000)]);
  assertEquals(lent.filter(Boolean).length, 1);
});

Deno.test("K1 K3 RouteCache.lease() lends to everybody where the store is away, or a clock was an hour ahead", async () => {
  const { cache, createCache, store, clock } = createFixture();
  const ahead = createCache({ now: () => clock.nowMs + 3_600_000 });
  assertEquals(await ahead.lease(KEY, 10_000), true);
  assertEquals(await cache.lease(KEY, 10_000), true);
  store.fault = "rejects";
  assertEquals(await createCache().lease(KEY, 10_000), true);
});

Deno.test("MultiServerMCPClient refreshes a stale list in one of two isolates, and the other takes it over", async () => {
  await using server = await startMCPServer();
  const clock = { nowMs: 1_800_000_000_000 };
  const options = { store: new MemoryRouteStore({ now: () => clock.nowMs }), now: () => clock.nowMs };
  const config = { servers: { files: { url: server.url, era: "legacy" } } } as const;
  await using first = new MultiServerMCPClient("Kairos", config, options);
  await using second = new MultiServerMCPClient("Kairos", config, options);
  await first.connectToServers();
  await second.callTool("whoami");
  assertEquals(server.count("tools/list"), 1);
  clock.nowMs += 300_001;
  server.setTools([{ name: "fresh" }]);
  await first.listTools();
  await until(async () => (await first.listTools()).some(({ name }) => name === "fresh"));
  await second.listTools();
  await until(async () => (await second.listTools()).some(({ name }) => name === "fresh"));
  assertEquals(server.count("tools/list"), 2);
});
