import { assertEquals, assertGreater } from "@std/assert";
import { KvRouteStore } from "@portolan/mcp/kv";
import type { EpochToken } from "../src/cache/cached_tools.ts";
import { RouteCache } from "../src/route_cache.ts";
import type { RouteStore } from "../src/route_store.ts";
import { KEY, toolsNamed } from "./support/route_cache_fixture.ts";

/** One isolate's way to keep what a server listed; the list's only tool is named after the version that was seen. */
interface Writer {
  begin(): Promise<void>;
  commit(seen: number): Promise<void>;
  invalidate(): Promise<void>;
  /** The version that a reader takes for fresh, or `undefined`. */
  load(): Promise<number | undefined>;
}

function ours(store: RouteStore): Writer {
  const cache = new RouteCache(store, { now: () => 1_800_000_000_000 });
  let token: EpochToken | undefined;
  return {
    async begin() {
      token = await cache.begin(KEY);
    },
    async commit(seen) {
      if (token !== undefined) await cache.commit(KEY, { tools: toolsNamed(String(seen)), partial: false }, token);
    },
    invalidate: () => cache.invalidate(KEY),
    async load() {
      const cached = await cache.load(KEY);
      return cached?.kind === "tools" && cached.fresh ? Number(cached.tools[0]?.name) : undefined;
    },
  };
}

/** What everybody writes first: the last writer wins, and an invalidation deletes. */
function naive(store: RouteStore): Writer {
  const key = ["naive"];
  return {
    begin: () => Promise.resolve(),
    async commit(seen) {
      await store.set(key, { seen }, { expiresAtMs: 1_900_000_000_000 });
    },
    async invalidate() {
      await store.delete(key);
    },
    async load() {
      const value = (await store.get(key))?.value as { readonly seen?: number } | undefined;
      return value?.seen;
    },
  };
}

type Step = readonly [isolate: 0 | 1, what: "begin" | "list" | "commit" | "change" | "invalidate"];

const REFRESH = ["begin", "list", "commit"] as const;
const CHANGE = ["change", "invalidate", ...REFRESH] as const;

/** Every order of the steps of both isolates that keeps the order of each. */
function* interleavings(first: readonly Step[], second: readonly Step[]): Generator<readonly Step[]> {
  if (first.length === 0 || second.length === 0) return yield [...first, ...second];
  for (const rest of interleavings(first.slice(1), second)) yield [first[0]!, ...rest];
  for (const rest of interleavings(first, second.slice(1))) yield [second[0]!, ...rest];
}

/** In how many orders a reader is given, as fresh, what was true only before the last change that was handled. */
async function countWrong(create: (store: RouteStore) => Writer): Promise<{ orders: number; wrong: number }> {
  const first = [...REFRESH, ...REFRESH].map((what) => [0, what] as const);
  const second = CHANGE.map((what) => [1, what] as const);
  let orders = 0;
  let wrong = 0;
  using kv = await Deno.openKv(":memory:");
  for (const steps of interleavings(first, second)) {
    const store = new KvRouteStore(kv, { prefix: ["model", String(orders++)], consistency: "strong" });
    const isolates = [create(store), create(store)] as const;
    const seen: [number, number] = [0, 0];
    let truth = 0;
    let handled = 0;
    for (const [isolate, what] of steps) {
      if (what === "change") truth++;
      if (what === "list") seen[isolate] = truth;
      if (what === "begin") await isolates[isolate].begin();
      if (what === "commit") await isolates[isolate].commit(seen[isolate]);
      if (what === "invalidate") {
        await isolates[isolate].invalidate();
        handled = truth;
      }
    }
    const loaded = await create(store).load();
    if (loaded !== undefined && loaded < handled) wrong++;
  }
  return { orders, wrong };
}

Deno.test("K5 RouteCache on real KV is right in every order of two isolates, in which a naive writer is not", async () => {
  const { orders, wrong } = await countWrong(ours);
  assertEquals([orders, wrong], [462, 0]);
  assertGreater((await countWrong(naive)).wrong, 0);
});
