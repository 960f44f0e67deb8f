import { assertEquals } from "@std/assert";
import { createLateStore } from "../../src/gateway/late_store.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import type { RouteStore } from "../../src/route_store.ts";
import { testRouteStore } from "../support/route_store_contract.ts";

testRouteStore("createLateStore()", async (row) => {
  const clock = { nowMs: 1_800_000_000_000 };
  const store = createLateStore(Promise.resolve(new MemoryRouteStore({ now: () => clock.nowMs })));
  await row({ store, clock });
});

Deno.test("createLateStore() has what is asked of it wait until the store is open", async () => {
  const opening = Promise.withResolvers<RouteStore>();
  const store = createLateStore(opening.promise);
  const written = store.set(["k"], { n: 1 }, { expiresAtMs: Date.now() + 60_000, ifVersion: null });
  const read = store.get(["k"]);
  opening.resolve(new MemoryRouteStore());
  assertEquals([await written, (await read)?.value], [(await read)?.version, { n: 1 }]);
});
