/**
 * A route cache over a faulty store, with a clock that stands still.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { CachedToolList, CachedTools } from "../../src/cache/cached_tools.ts";
import type { Tool } from "../../src/protocol.ts";
import { RouteCache, type RouteCacheOptions } from "../../src/route_cache.ts";
import { type ServerCacheKey, toServerCacheKey } from "../../src/cache/server_cache_key.ts";
import { FaultyRouteStore } from "./faulty_route_store.ts";

/** The key that most tests use. */
export const KEY: ServerCacheKey = await toServerCacheKey({
  agent: "Kairos",
  server: "files",
  url: "https://files.example.com/mcp",
});

/** Tools with these names. */
export function toolsNamed(...names: string[]): Tool[] {
  return names.map((name) => ({ name, description: `Does ${name}`, inputSchema: { type: "object" } }));
}

/** A store, a clock, the warnings, and caches over the store. */
export function createFixture(options: RouteCacheOptions = {}) {
  const clock = { nowMs: 1_800_000_000_000 };
  const store = new FaultyRouteStore(() => clock.nowMs);
  const warnings: string[] = [];
  const createCache = (more: RouteCacheOptions = {}) =>
    new RouteCache(store, {
      now: () => clock.nowMs,
      opTimeoutMs: 20,
      onWarning: (message) => warnings.push(message),
      ...options,
      ...more,
    });
  return { clock, store, warnings, createCache, cache: createCache() };
}

/** Lists and commits without anything in between. */
export async function put(cache: RouteCache, tools: readonly Tool[], key: ServerCacheKey = KEY): Promise<void> {
  assertEquals(await cache.commit(key, { tools, partial: false }, await cache.begin(key)), "stored");
}

/** Asserts that there is a list. */
export function assertList(cached: CachedTools | undefined): asserts cached is CachedToolList {
  assertEquals(cached?.kind, "tools");
}

/** The names of a cached list, and whether it is fresh. */
export function summary(cached: CachedTools | undefined): string {
  if (cached === undefined) return "miss";
  if (cached.kind === "negative") return "negative";
  return `${cached.tools.map(({ name }) => name).join(",")} ${cached.fresh ? "fresh" : "not fresh"}`;
}
