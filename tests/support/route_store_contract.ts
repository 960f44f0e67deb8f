/**
 * What every route store promises, as one table that runs over each of them.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { MAX_ROUTE_VALUE_BYTES, type RouteStore } from "../../src/route_store.ts";

/** What a row works with: an empty store and its clock, in milliseconds. */
export interface StoreFixture {
  /** The store; empty. */
  readonly store: RouteStore;
  /** The clock that the store reads. */
  readonly clock: { nowMs: number };
}

/** Gives a fixture to a row and cleans up after it. */
export type WithStore = (row: (fixture: StoreFixture) => Promise<void>) => Promise<void>;

const ROWS: Readonly<Record<string, (fixture: StoreFixture) => Promise<void>>> = {
  "get() returns undefined where there is no value": async ({ store }) => {
    assertEquals(await store.get(["nothing"]), undefined);
  },

  "set() keeps any JSON under a key of several parts": async ({ store, clock }) => {
    const value = { text: "→ \ud800 \u{1f6a2}", list: [1, null, true, { deep: [] }], ["__proto__"]: { x: 1 } };
    const version = await store.set(["a", "b", ""], value, { expiresAtMs: clock.nowMs + 1000 });
    const item = await store.get(["a", "b", ""]);
    assertEquals(item?.version, version);
    assertEquals(JSON.stringify(item?.value), JSON.stringify(value));
    assertEquals(await store.get(["a", "b"]), undefined);
    assertEquals(await store.get(["a", "b/"]), undefined);
  },

  "get() returns a copy": async ({ store, clock }) => {
    const value = { list: [1] };
    await store.set(["copy"], value, { expiresAtMs: clock.nowMs + 1000 });
    value.list.push(2);
    ((await store.get(["copy"]))!.value as typeof value).list.push(3);
    assertEquals((await store.get(["copy"]))?.value, { list: [1] });
  },

  "set() gives every write its own version": async ({ store, clock }) => {
    const options = { expiresAtMs: clock.nowMs + 1000 };
    const first = await store.set(["k"], { same: true }, options);
    const second = await store.set(["k"], { same: true }, options);
    await store.delete(["k"]);
    const third = await store.set(["k"], { same: true }, options);
    assertEquals(new Set([first, second, third]).size, 3);
    assertNotEquals(first, undefined);
  },

  "set() with ifVersion null writes only where there is no value": async ({ store, clock }) => {
    const options = { expiresAtMs: clock.nowMs + 1000, ifVersion: null };
    assert(await store.set(["k"], { by: "first" }, options));
    assertEquals(await store.set(["k"], { by: "second" }, options), undefined);
    assertEquals((await store.get(["k"]))?.value, { by: "first" });
  },

  "set() with ifVersion writes only over that version": async ({ store, clock }) => {
    const options = { expiresAtMs: clock.nowMs + 1000 };
    const first = await store.set(["k"], { n: 1 }, options);
    assert(await store.set(["k"], { n: 2 }, { ...options, ifVersion: first }));
    assertEquals(await store.set(["k"], { n: 3 }, { ...options, ifVersion: first }), undefined);
    assertEquals((await store.get(["k"]))?.value, { n: 2 });
    await store.delete(["k"]);
    assertEquals(await store.set(["k"], { n: 4 }, { ...options, ifVersion: first }), undefined);
    assertEquals(await store.get(["k"]), undefined);
  },

  "set() lets one of two writers of one version win": async ({ store, clock }) => {
    const options = { expiresAtMs: clock.nowMs + 1000 };
    const ifVersion = await store.set(["k"], { n: 0 }, options);
    const versions = await Promise.all([1, 2, 3].map((n) => store.set(["k"], { n }, { ...options, ifVersion })));
    assertEquals(versions.filter((version) => version !== undefined).length, 1);
  },

  "get() returns undefined for a value whose end has passed": async ({ store, clock }) => {
    await store.set(["k"], { n: 1 }, { expiresAtMs: clock.nowMs + 1000 });
    clock.nowMs += 999;
    assert(await store.get(["k"]));
    clock.nowMs += 1;
    assertEquals(await store.get(["k"]), undefined);
  },

  "set() with ifVersion null writes over a value whose end has passed": async ({ store, clock }) => {
    await store.set(["k"], { n: 1 }, { expiresAtMs: clock.nowMs + 1000 });
    clock.nowMs += 1000;
    assert(await store.set(["k"], { n: 2 }, { expiresAtMs: clock.nowMs + 1000, ifVersion: null }));
    assertEquals((await store.get(["k"]))?.value, { n: 2 });
  },

  "set() takes a value whose end has passed already": async ({ store, clock }) => {
    assert(await store.set(["k"], { n: 1 }, { expiresAtMs: clock.nowMs - 5.5 }));
    assertEquals(await store.get(["k"]), undefined);
  },

  "set() takes a value whose end is far away": async ({ store, clock }) => {
    assert(await store.set(["k"], { n: 1 }, { expiresAtMs: Number.MAX_SAFE_INTEGER }));
    clock.nowMs += 1e12;
    assert(await store.get(["k"]));
  },

  "delete() says whether the key has no value now": async ({ store, clock }) => {
    assertEquals(await store.delete(["k"]), true);
    const version = await store.set(["k"], { n: 1 }, { expiresAtMs: clock.nowMs + 1000 });
    const newer = await store.set(["k"], { n: 2 }, { expiresAtMs: clock.nowMs + 1000 });
    assert(version !== undefined && newer !== undefined);
    assertEquals(await store.delete(["k"], { ifVersion: version }), false);
    assertEquals((await store.get(["k"]))?.value, { n: 2 });
    assertEquals(await store.delete(["k"], { ifVersion: newer }), true);
    assertEquals(await store.get(["k"]), undefined);
    assertEquals(await store.delete(["k"], { ifVersion: newer }), true);
  },

  "set() takes 60,000 bytes of any characters and refuses more": async ({ store, clock }) => {
    const options = { expiresAtMs: clock.nowMs + 1000 };
    const frame = JSON.stringify({ text: "" }).length;
    const arrow = { text: "→" + "a".repeat(MAX_ROUTE_VALUE_BYTES - frame - 3) };
    assert(await store.set(["large"], arrow, options));
    assertEquals((await store.get(["large"]))?.value, arrow);
    const tooLarge = { text: arrow.text + "a" };
    await assertRejects(() => store.set(["large"], tooLarge, options), RangeError, "60000 bytes: 60001");
    assertEquals((await store.get(["large"]))?.value, arrow);
  },

  "set() refuses an end that is not finite": async ({ store }) => {
    await assertRejects(() => store.set(["k"], {}, { expiresAtMs: NaN }), RangeError, "expiresAtMs");
    await assertRejects(() => store.set(["k"], {}, { expiresAtMs: Infinity }), RangeError, "expiresAtMs");
  },

  "every method refuses a key that is empty or not well-formed": async ({ store, clock }) => {
    for (const key of [[], ["a", "\ud800"]]) {
      await assertRejects(() => store.get(key), TypeError, "Cannot use the key");
      await assertRejects(() => store.set(key, {}, { expiresAtMs: clock.nowMs + 1 }), TypeError, "Cannot use the key");
      await assertRejects(() => store.delete(key), TypeError, "Cannot use the key");
    }
  },
};

/**
 * Registers a test for each row.
 *
 * @param name The store's name, which the tests' names begin with.
 * @param withStore Makes an empty store for each row.
 */
export function testRouteStore(name: string, withStore: WithStore): void {
  for (const [criterion, row] of Object.entries(ROWS)) {
    Deno.test(`${name}: ${criterion}`, () => withStore(row));
  }
}
