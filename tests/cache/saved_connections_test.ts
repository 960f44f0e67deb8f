import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { RouteStoreGuard } from "../../src/cache/route_store_guard.ts";
import { SavedConnections } from "../../src/cache/saved_connections.ts";
import { Sealer } from "../../src/cache/sealer.ts";
import { toServerCacheKey } from "../../src/cache/server_cache_key.ts";
import type { SavedConnection } from "../../src/connection/connection.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import type { JsonObject } from "../../src/protocol.ts";
import type { RouteKey, RouteStore } from "../../src/route_store.ts";
import { assertNoCanary, CANARY } from "../support/client_support.ts";

const NOW_MS = 1_800_000_000_000;
const DAY_MS = 86_400_000;
const LEGACY: SavedConnection = {
  era: "legacy",
  transport: "streamable_http",
  protocolVersion: "2025-11-25",
  sessionId: CANARY,
  resumable: true,
};
const MODERN: SavedConnection = {
  era: "modern",
  transport: "streamable_http",
  protocolVersion: "2026-07-28",
  resumable: true,
};
const SSE: SavedConnection = {
  era: "legacy",
  transport: "sse",
  protocolVersion: "2024-11-05",
  resumable: false,
};

interface Setup {
  readonly agent?: string;
  readonly secret?: number | undefined;
  readonly nowMs?: number;
}

/** A store, and keepers of the same server over it: one for each isolate. */
function createIsolates() {
  const memory = new MemoryRouteStore({ now: () => 0 });
  const written = new Map<string, JsonObject>();
  const store: RouteStore = {
    get: (key) => memory.get(key),
    set: (key, value, options) => {
      written.set(JSON.stringify(key), value);
      return memory.set(key, value, options);
    },
    delete: (key, options) => memory.delete(key, options),
  };
  const isolate = ({ agent = "Kairos", secret = 1, nowMs = NOW_MS }: Setup = {}) => {
    const now = () => nowMs;
    return new SavedConnections({
      guard: new RouteStoreGuard(store, { now }),
      sealer: secret === 0 ? undefined : new Sealer(new Uint8Array(32).fill(secret)),
      toKey: () => toServerCacheKey({ agent, server: "files", url: "http://localhost/mcp", credential: CANARY }),
      now,
    });
  };
  /** Writes what another process might have left where the keepers look. */
  const plant = async (change: (value: JsonObject, key: RouteKey) => unknown) => {
    const [[text, value]] = [...written] as [[string, JsonObject]];
    const key = JSON.parse(text) as RouteKey;
    await memory.set(key, change(structuredClone(value), key) as JsonObject, { expiresAtMs: NOW_MS * 2 });
  };
  return { store, written, isolate, plant };
}

for (const [what, saved] of Object.entries({ LEGACY, MODERN, SSE })) {
  Deno.test(`SavedConnections.load() gives the next isolate what save() was given: ${what.toLowerCase()}`, async () => {
    const { isolate } = createIsolates();
    await isolate().save(saved, NOW_MS - 5);
    assertEquals(await isolate({ nowMs: NOW_MS + 1 }).load(), { ...saved, atMs: NOW_MS - 5 });
  });
}

Deno.test("SavedConnections.load() is undefined before save() and after forget()", async () => {
  const { isolate } = createIsolates();
  assertEquals(await isolate().load(), undefined);
  await isolate().save(LEGACY, NOW_MS);
  await isolate().forget();
  assertEquals(await isolate().load(), undefined);
});

Deno.test("SavedConnections.save() keeps no session without a sealer, and says that there is none to go on from", async () => {
  const { isolate, written } = createIsolates();
  const keeper = isolate({ secret: 0 });
  assertEquals([keeper.keepsSessions, isolate().keepsSessions], [false, true]);
  await keeper.save(LEGACY, NOW_MS);
  const { era, transport, protocolVersion } = LEGACY;
  assertEquals(await keeper.load(), { era, transport, protocolVersion, resumable: false, atMs: NOW_MS });
  assertNoCanary([...written]);
  await keeper.save(MODERN, NOW_MS);
  assertEquals((await keeper.load())?.resumable, true, "there is no session that could be missing");
});

Deno.test("SavedConnections.save() writes neither session nor credential in clear, in no key and no value", async () => {
  const { isolate, written } = createIsolates();
  await isolate().save(LEGACY, NOW_MS);
  assertEquals(written.size, 1);
  assertNoCanary([...written]);
  for (const value of written.values()) assertNoCanary(atob(String(value.session)));
});

Deno.test("SavedConnections.save() does not keep a session that is too long", async () => {
  const { isolate } = createIsolates();
  await isolate().save({ ...LEGACY, sessionId: "s".repeat(1_024) }, NOW_MS);
  assertEquals((await isolate().load())?.sessionId?.length, 1_024);
  await isolate().save({ ...LEGACY, sessionId: "s".repeat(1_025) }, NOW_MS);
  const loaded = await isolate().load();
  assertEquals([loaded?.sessionId, loaded?.resumable, loaded?.era], [undefined, false, "legacy"]);
});

Deno.test("SavedConnections.load() tells the era, but no session, where the session does not open", async () => {
  const { isolate, plant } = createIsolates();
  await isolate().save(LEGACY, NOW_MS);
  const other = async (setup: Setup = {}) => {
    const loaded = await isolate(setup).load();
    return [loaded?.era, loaded?.sessionId, loaded?.resumable];
  };
  assertEquals(await other({ secret: 2 }), ["legacy", undefined, false]);
  assertEquals(await other({ secret: 0 }), ["legacy", undefined, false]);
  for (const session of ["", "AAAA", 7, null, ["x"], {}]) {
    await plant((value) => ({ ...value, session }));
    assertEquals(await other(), ["legacy", undefined, false], JSON.stringify(session));
  }
});

Deno.test("SavedConnections.load() does not take what was saved for another agent", async () => {
  const { store, written, isolate } = createIsolates();
  await isolate({ agent: "Mercurius" }).save(LEGACY, NOW_MS);
  assertEquals(await isolate().load(), undefined);
  const [foreign] = [...written.values()];
  await isolate().save(LEGACY, NOW_MS);
  const own = JSON.parse([...written.keys()][1]!) as RouteKey;
  await store.set(own, foreign!, { expiresAtMs: NOW_MS * 2 });
  assertEquals(await isolate().load(), undefined, "copied to our key");
  await store.set(own, { ...foreign!, key: JSON.stringify(own) }, { expiresAtMs: NOW_MS * 2 });
  assertEquals((await isolate().load())?.sessionId, undefined, "copied and relabelled: the session does not open");
});

/** How the clock that loads differs from the clock that saved, and whether the entry counts. */
const CLOCKS: readonly (readonly [string, number, boolean])[] = [
  ["a day less a millisecond later", DAY_MS - 1, true],
  ["a day later", DAY_MS, false],
  ["five seconds behind", -5_000, true],
  ["more than five seconds behind", -5_001, false],
  ["an hour behind", -3_600_000, false],
];

for (const [what, skewMs, counts] of CLOCKS) {
  Deno.test(`SavedConnections.load() ${counts ? "takes" : "does not take"} an entry by a clock that is ${what}`, async () => {
    const { isolate } = createIsolates();
    await isolate().save(LEGACY, NOW_MS);
    assertEquals(await isolate({ nowMs: NOW_MS + skewMs }).load() !== undefined, counts);
  });
}

/** Entries that are a miss, by what is wrong with them. */
const MISSES: Readonly<Record<string, JsonObject>> = {
  "another version of the form": { v: 2 },
  "the key of another entry": { key: "[]" },
  "an unknown era": { era: "future" },
  "an unknown transport": { transport: "stdio" },
  "a version that is none": { protocolVersion: "2025-11-25\r\nx-evil: 1" },
  "an empty version": { protocolVersion: "" },
  "a text for a flag": { resumable: "yes" },
  "a text for a time": { atMs: "0" },
  "no time": { savedAtMs: null },
  "an era found out after it was saved": { atMs: NOW_MS + 1 },
  "a stream to go on from": { transport: "sse" },
  "a stream of the modern era": { era: "modern", transport: "sse", resumable: false },
};

for (const [what, change] of Object.entries(MISSES)) {
  Deno.test(`SavedConnections.load() takes an entry for a miss with ${what}`, async () => {
    const { isolate, plant } = createIsolates();
    await isolate().save(LEGACY, NOW_MS);
    await plant((value) => ({ ...value, ...change }));
    assertEquals(await isolate().load(), undefined);
  });
}

Deno.test("SavedConnections.load() takes times for a miss that are no numbers of JSON", async () => {
  const { isolate, written } = createIsolates();
  await isolate().save(LEGACY, NOW_MS);
  const [value] = [...written.values()];
  for (const change of [{ savedAtMs: NaN }, { atMs: NaN }, { atMs: -Infinity }]) {
    const store: Pick<RouteStore, "get"> = {
      get: () => Promise.resolve({ value: { ...value, ...change }, version: "1" }),
    };
    const keeper = new SavedConnections({
      guard: new RouteStoreGuard(store as RouteStore),
      sealer: undefined,
      toKey: () =>
        toServerCacheKey({ agent: "Kairos", server: "files", url: "http://localhost/mcp", credential: CANARY }),
      now: () => NOW_MS,
    });
    assertEquals(await keeper.load(), undefined);
  }
});

Deno.test("SavedConnections.load() never rejects, and gives what is well-formed or nothing, whatever the store holds", async () => {
  const { isolate, plant } = createIsolates();
  await isolate().save(LEGACY, NOW_MS);
  const field = fc.constantFrom(
    "v",
    "key",
    "era",
    "transport",
    "protocolVersion",
    "resumable",
    "atMs",
    "savedAtMs",
    "session",
  );
  const edits = fc.dictionary(field, fc.jsonValue(), { minKeys: 1, maxKeys: 3 });
  await fc.assert(fc.asyncProperty(fc.oneof(fc.jsonValue(), edits.map((edit) => ({ edit }))), async (planted) => {
    const edit = planted !== null && typeof planted === "object" && "edit" in planted ? planted.edit : undefined;
    await plant((value) => edit === undefined ? planted : { ...value, ...(edit as JsonObject) });
    const loaded = await isolate().load();
    if (loaded === undefined) return;
    assertEquals(["legacy", "modern"].includes(loaded.era), true);
    assertEquals(["streamable_http", "sse"].includes(loaded.transport), true);
    assertEquals(/^\d{4}-\d{2}-\d{2}$/.test(loaded.protocolVersion), true);
    assertEquals([typeof loaded.resumable, Number.isFinite(loaded.atMs)], ["boolean", true]);
    assertEquals(loaded.sessionId === undefined || loaded.sessionId === CANARY, true);
  }));
});

Deno.test("SavedConnections goes on without a store that fails", async () => {
  const broken = () => Promise.reject(new Error("away"));
  const keeper = new SavedConnections({
    guard: new RouteStoreGuard({ get: broken, set: broken, delete: broken }),
    sealer: undefined,
    toKey: () => toServerCacheKey({ agent: "Kairos", server: "files", url: "http://localhost/mcp" }),
    now: () => NOW_MS,
  });
  assertEquals([await keeper.load(), await keeper.save(MODERN, NOW_MS), await keeper.forget()], [
    undefined,
    undefined,
    undefined,
  ]);
});
