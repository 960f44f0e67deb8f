import { assert, assertEquals, assertThrows } from "@std/assert";
import { MemoryRouteStore } from "../src/memory_route_store.ts";
import { testRouteStore } from "./support/route_store_contract.ts";

testRouteStore("MemoryRouteStore", async (row) => {
  const clock = { nowMs: 1_800_000_000_000 };
  await row({ store: new MemoryRouteStore({ now: () => clock.nowMs }), clock });
});

const expiresAtMs = Date.now() + 3_600_000;

Deno.test("MemoryRouteStore.set() drops the least recently written value beyond maxEntries", async () => {
  const store = new MemoryRouteStore({ maxEntries: 2 });
  await store.set(["a"], { n: 1 }, { expiresAtMs });
  await store.set(["b"], { n: 1 }, { expiresAtMs });
  await store.set(["a"], { n: 2 }, { expiresAtMs });
  await store.get(["b"]);
  await store.set(["c"], { n: 1 }, { expiresAtMs });
  assertEquals(await store.get(["b"]), undefined);
  assertEquals((await store.get(["a"]))?.value, { n: 2 });
  assert(await store.get(["c"]));
  assertEquals(store.size, 2);
});

Deno.test("MemoryRouteStore.set() drops values beyond maxBytes", async () => {
  const store = new MemoryRouteStore({ maxBytes: 100 });
  const value = { text: "x".repeat(40) };
  for (const name of ["a", "b", "c"]) await store.set([name], value, { expiresAtMs });
  assertEquals(store.size, 1);
  await store.set(["c"], value, { expiresAtMs });
  await store.delete(["c"]);
  await store.set(["d"], value, { expiresAtMs });
  assert(await store.get(["d"]));
});

Deno.test("MemoryRouteStore tells keys apart whose parts join to the same text", async () => {
  const store = new MemoryRouteStore();
  await store.set(["a", "b"], { n: 1 }, { expiresAtMs });
  await store.set(['a","b'], { n: 2 }, { expiresAtMs });
  assertEquals((await store.get(["a", "b"]))?.value, { n: 1 });
});

Deno.test("new MemoryRouteStore() throws for a bound that is not a positive integer", () => {
  for (const maxEntries of [0, -1, 1.5, NaN]) {
    assertThrows(() => new MemoryRouteStore({ maxEntries }), RangeError, "maxEntries");
    assertThrows(() => new MemoryRouteStore({ maxBytes: maxEntries }), RangeError, "maxBytes");
  }
});
