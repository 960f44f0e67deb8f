import { assert, assertEquals } from "@std/assert";
import { RouteStoreGuard } from "../../src/cache/route_store_guard.ts";
import { SavedPins } from "../../src/cache/saved_pins.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { MAX_ROUTE_VALUE_BYTES, type RouteKey, type RouteStore } from "../../src/route_store.ts";
import { MAX_TEXT_BYTES, readToolText, toToolDigest, writeToolText } from "../../src/tools/tool_digest.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";

const START_MS = Date.parse("2027-01-31T12:00:00Z");
const KEY = ["v1", "tools", "Kairos", "files", "url-hash", "legacy", "credential"] as const;
const [OLD_KEY, BOOK_KEY, DECISIONS_KEY] = ["pins", "pin-book", "pin-decisions"].map((kind): RouteKey => {
  return ["v1", kind, "Kairos", "files", "url-hash", ...(kind === "pin-book" ? ["0"] : [])];
}) as [RouteKey, RouteKey, RouteKey];

function keeperOn(store: RouteStore, nowMs = START_MS): SavedPins {
  const now = () => nowMs;
  const guard = new RouteStoreGuard(store, { now, retryAfterFailureMs: 0 });
  // The key's own form is not what this is about.
  return new SavedPins({ guard, toKey: () => Promise.resolve(KEY as never), now });
}

/** A pin of a tool that is described so. */
async function pinOf(name: string, description: string) {
  const text = { description, inputSchema: { type: "object", properties: {} } };
  return { digest: await toToolDigest(name, text), text: writeToolText(text) ?? "" };
}

async function pin(keeper: SavedPins, name: string, description: string, replace = false): Promise<string> {
  const { digest, text } = await pinOf(name, description);
  assertEquals(await keeper.save({ [name]: digest }, { replace, texts: { [name]: text } }), true);
  return digest;
}

for (const kind of ["memory", "Deno KV"] as const) {
  const open = async (): Promise<{ store: RouteStore; close(): void }> => {
    if (kind === "memory") return { store: new MemoryRouteStore({ now: () => START_MS }), close: () => {} };
    const kv = await Deno.openKv(":memory:");
    return { store: new KvRouteStore(kv), close: () => kv.close() };
  };

  Deno.test(`SavedPins keeps what was pinned, when, and as what, in ${kind}`, async () => {
    const { store, close } = await open();
    try {
      const read = await pin(keeperOn(store), "read", "Reads");
      const toString = await pin(keeperOn(store), "toString", "Tells");
      assertEquals(await keeperOn(store).load(), { read, toString });
      const details = await keeperOn(store).loadDetails(["read"]);
      assertEquals(details?.read?.pinnedAtMs, START_MS);
      assertEquals((await readToolText(details?.read?.text ?? "", "read", read))?.description, "Reads");
    } finally {
      close();
    }
  });

  Deno.test(`SavedPins holds 2,000 tools of long names, each value within its limit, in ${kind}`, async () => {
    const { store, close } = await open();
    try {
      let largest = 0;
      const measuring: RouteStore = {
        get: (key) => store.get(key),
        set: (key, value, options) => {
          largest = Math.max(largest, new TextEncoder().encode(JSON.stringify(value)).byteLength);
          return store.set(key, value, options);
        },
        delete: (key, options) => store.delete(key, options),
      };
      const names = Array.from({ length: 2_000 }, (_, index) => `${index}`.padEnd(128, "ü"));
      const digests = Object.fromEntries(names.map((name) => [name, "ab".repeat(32)]));
      const texts = Object.fromEntries(names.map((name) => [name, JSON.stringify({ inputSchema: { title: name } })]));
      assertEquals(await keeperOn(measuring).save(digests, { texts }), true);
      assertEquals(Object.keys(await keeperOn(measuring).load() ?? {}).length, 2_000);
      const last = names.at(-1) ?? "";
      assertEquals(await keeperOn(measuring).save({ [last]: "cd".repeat(32) }, { replace: true }), true);
      assertEquals((await keeperOn(measuring).load())?.[last], "cd".repeat(32));
      assert(largest <= MAX_ROUTE_VALUE_BYTES, String(largest));
    } finally {
      close();
    }
  });
}

Deno.test("SavedPins.save() leaves what another isolate has pinned first, and replaces it where it is accepted", async () => {
  const store = new FaultyRouteStore(() => START_MS);
  const first = await pinOf("read", "Reads");
  store.beforeSet = async () => void await keeperOn(store.memory).save({ read: first.digest });
  await pin(keeperOn(store), "read", "Reads and mails");
  assertEquals(await keeperOn(store).load(), { read: first.digest });
  const accepted = await pin(keeperOn(store), "read", "Reads and mails", true);
  assertEquals(await keeperOn(store).load(), { read: accepted });
});

Deno.test("SavedPins.save() drops what a tool was once nothing refers to it", async () => {
  const kv = await Deno.openKv(":memory:");
  try {
    const keeper = keeperOn(new KvRouteStore(kv));
    const texts = async () => {
      const entries = await Array.fromAsync(kv.list({ prefix: [] }));
      return entries.filter(({ key }) => key.includes("pin-texts")).length;
    };
    await pin(keeper, "read", "Reads");
    for (let version = 0; version < 5; version++) await pin(keeper, "read", `Reads ${version}`, true);
    assertEquals(await texts(), 1);
  } finally {
    kv.close();
  }
});

Deno.test("SavedPins reads what an earlier version has written, takes it over, and leaves it there", async () => {
  const store = new MemoryRouteStore({ now: () => START_MS });
  const digests = { read: "ab".repeat(32), constructor: "cd".repeat(32) };
  const old = { v: 1, pins: Object.entries(digests) };
  await store.set(OLD_KEY, old, { expiresAtMs: START_MS + 60_000 });
  assertEquals(await keeperOn(store).load(), digests);
  const accepted = await pin(keeperOn(store), "read", "Reads and mails", true);
  assertEquals(await keeperOn(store).load(), { ...digests, read: accepted });
  // An isolate that was not replaced yet pins another tool.
  await store.set(OLD_KEY, { v: 1, pins: [...old.pins, ["late", "ef".repeat(32)]] }, { expiresAtMs: START_MS + 1 });
  assertEquals((await keeperOn(store).load())?.late, "ef".repeat(32));
  await store.delete(OLD_KEY);
  assertEquals(await keeperOn(store).load(), { ...digests, read: accepted, late: "ef".repeat(32) });
});

Deno.test("K1 SavedPins says that nothing can be told or kept while the store is away", async () => {
  for (const fault of ["rejects", "throws"] as const) {
    const store = new FaultyRouteStore(() => START_MS);
    const keeper = keeperOn(store);
    await pin(keeper, "read", "Reads");
    store.fault = fault;
    assertEquals(await keeper.load(), undefined);
    assertEquals(await keeper.save({ read: "ab".repeat(32) }, { replace: true }), false);
    assertEquals(await keeper.loadDetails(["read"]), undefined);
    assertEquals(await keeper.loadDecisions(), undefined);
    assertEquals(await keeper.saveDecisions({ withhold: ["read"] }), undefined);
    store.fault = "none";
    assertEquals(await keeper.loadDecisions(), { revision: 0, withheld: [] });
  }
});

Deno.test("SavedPins writes anew once a month what would come to its end in the store, and changes nothing of it", async () => {
  const DAY_MS = 86_400_000;
  const clock = { nowMs: START_MS };
  const store = new MemoryRouteStore({ now: () => clock.nowMs });
  const keeper = () => keeperOn(store, clock.nowMs);
  const digest = await pin(keeper(), "read", "Reads");
  const decided = await keeper().saveDecisions({ withhold: ["mail"] });
  const readAll = async () => {
    const { withheld } = await keeper().loadDecisions() ?? {};
    const { read } = await keeper().loadDetails(["read"]) ?? {};
    return { pins: await keeper().load(), withheld, pinnedAtMs: read?.pinnedAtMs, hasText: read?.text !== undefined };
  };
  const kept = { pins: { read: digest }, withheld: ["mail"], pinnedAtMs: START_MS, hasText: true };
  const versions = async () => [(await store.get(BOOK_KEY))?.version, (await store.get(DECISIONS_KEY))?.version];
  const first = await versions();
  clock.nowMs += 30 * DAY_MS;
  assertEquals([await readAll(), await versions()], [kept, first]);
  for (let month = 0; month < 12; month++) {
    clock.nowMs += 31 * DAY_MS;
    assertEquals(await readAll(), kept);
  }
  assert((decided?.revision ?? 0) < ((await keeper().loadDecisions())?.revision ?? 0));
  clock.nowMs += 366 * DAY_MS;
  assertEquals(await readAll(), { pins: {}, withheld: [], pinnedAtMs: undefined, hasText: false });
});

Deno.test("K2 SavedPins takes broken values for none, and what a tool was only where its digest proves it", async () => {
  const expiresAtMs = START_MS + 60_000;
  const good = ["good", "ab".repeat(32), START_MS, null];
  for (
    const broken of [
      { v: 2, pins: "none" },
      { v: "2", pins: [good] },
      { v: 2, pins: [null, [], ["x"], ["x", "no digest", 1, null], [1, "ab".repeat(32), 1, null]], more: "yes" },
    ]
  ) {
    const store = new MemoryRouteStore({ now: () => START_MS });
    await store.set(BOOK_KEY, broken, { expiresAtMs });
    assertEquals(await keeperOn(store).load(), {});
    await pin(keeperOn(store), "read", "Reads");
    assertEquals(Object.keys(await keeperOn(store).load() ?? {}), ["read"]);
  }

  const store = new MemoryRouteStore({ now: () => START_MS });
  const digest = await pin(keeperOn(store), "read", "Reads");
  const page = (await store.get(BOOK_KEY))?.value as { pins: [string, string, number, string][] };
  const textKey = ["v1", "pin-texts", "Kairos", "files", "url-hash", page.pins[0]?.[3] ?? ""];
  const forged = JSON.stringify({ description: "Something else", inputSchema: {} });
  await store.set(textKey, { v: 1, texts: [[digest, forged], null, [1, 2]] }, { expiresAtMs });
  const details = await keeperOn(store).loadDetails(["read"]);
  assertEquals(await readToolText(details?.read?.text ?? "", "read", digest), undefined);
});

Deno.test("K2 SavedPins leaves what a later version has written", async () => {
  const expiresAtMs = START_MS + 60_000;
  const store = new MemoryRouteStore({ now: () => START_MS });
  const [page, decisions] = [{ v: 3, pins: [] }, { v: 2, withheld: {} }];
  await store.set(BOOK_KEY, page, { expiresAtMs });
  await store.set(DECISIONS_KEY, decisions, { expiresAtMs });
  const keeper = keeperOn(store);
  assertEquals(await keeper.load(), undefined);
  assertEquals(await keeper.save({ read: "ab".repeat(32) }, { replace: true }), false);
  assertEquals(await keeper.loadDecisions(), undefined);
  assertEquals(await keeper.saveDecisions({ withhold: ["read"] }), undefined);
  assertEquals([(await store.get(BOOK_KEY))?.value, (await store.get(DECISIONS_KEY))?.value], [page, decisions]);
});

Deno.test("K2 SavedPins.loadDecisions() cannot tell of a broken value, which the next decision replaces", async () => {
  for (const broken of [{ v: 1 }, { v: 1, revision: 0.5, withheld: [] }, { v: 1, revision: 1, withheld: [1] }]) {
    const store = new MemoryRouteStore({ now: () => START_MS });
    await store.set(DECISIONS_KEY, broken, { expiresAtMs: START_MS + 60_000 });
    assertEquals(await keeperOn(store).loadDecisions(), undefined);
    assertEquals((await keeperOn(store).saveDecisions({ withhold: ["read"] }))?.withheld, ["read"]);
    assertEquals((await keeperOn(store).loadDecisions())?.withheld, ["read"]);
  }
});

Deno.test("K5 SavedPins.saveDecisions() keeps what two isolates decide at once, each with a number of its own", async () => {
  const store = new FaultyRouteStore(() => START_MS);
  store.beforeSet = async () => void await keeperOn(store.memory).saveDecisions({ withhold: ["mail"] });
  const mine = await keeperOn(store).saveDecisions({ withhold: ["read"] });
  assertEquals(mine?.withheld, ["mail", "read"]);
  const next = await keeperOn(store, START_MS - 3_600_000).saveDecisions({ release: ["mail"] });
  assertEquals(next, { revision: (mine?.revision ?? 0) + 1, withheld: ["read"] });
});

Deno.test("writeToolText() keeps what is at most 16 KiB", () => {
  const inputSchema = { type: "object" };
  const spare = MAX_TEXT_BYTES - (writeToolText({ description: "", inputSchema })?.length ?? 0);
  assertEquals(writeToolText({ description: "x".repeat(spare), inputSchema })?.length, MAX_TEXT_BYTES);
  assertEquals(writeToolText({ description: "x".repeat(spare + 1), inputSchema }), undefined);
});

Deno.test("K5 SavedPins.load() cannot tell from a replica that is behind what was accepted, and decisions only go forward", async () => {
  const store = new FaultyRouteStore(() => START_MS);
  await pin(keeperOn(store), "read", "Reads");
  const behind = await store.memory.get(BOOK_KEY);
  const keeper = keeperOn(store);
  const accepted = await pin(keeper, "read", "Reads and mails", true);
  await keeper.saveDecisions({ release: ["read"] });
  store.replica.set(JSON.stringify(BOOK_KEY), behind);
  const other = keeperOn(store);
  await other.loadDecisions();
  assertEquals([await keeper.load(), await other.load()], [undefined, undefined]);
  store.replica.clear();
  assertEquals([await keeper.load(), await other.load()], [{ read: accepted }, { read: accepted }]);
});
