import { assert, assertEquals, assertRejects } from "@std/assert";
import type { AuditBatch } from "../../src/audit/audit_store.ts";
import { KvAuditStore } from "../../src/audit/kv_audit_store.ts";
import { append, readChunks, readLines, testAuditStore } from "../support/audit_store_contract.ts";
import { FaultyAuditKv } from "../support/faulty_audit_kv.ts";

// Real time, because the database removes values by its own clock.
testAuditStore("KvAuditStore in memory", async (row) => {
  using kv = await Deno.openKv(":memory:");
  const clock = { nowMs: Date.now() };
  await row({ store: new KvAuditStore(kv, { now: () => clock.nowMs }), clock });
});

async function withTwoConnections(work: (first: Deno.Kv, second: Deno.Kv) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    using first = await Deno.openKv(`${folder}/audit.sqlite`);
    using second = await Deno.openKv(`${folder}/audit.sqlite`);
    await work(first, second);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

testAuditStore("KvAuditStore on a file with two connections", (row) =>
  withTwoConnections(async (first, second) => {
    const clock = { nowMs: Date.now() };
    const now = () => clock.nowMs;
    const one = new KvAuditStore(first, { now });
    const two = new KvAuditStore(second, { now });
    let writes = 0;
    // Each writes every other batch, and the other reads.
    await row({
      clock,
      store: {
        append: (batch) => (writes++ % 2 === 0 ? one : two).append(batch),
        read: (range) => (writes % 2 === 0 ? one : two).read(range),
        purge: (beforeMs) => two.purge(beforeMs),
      },
    });
  }));

function batchOf(id: string): AuditBatch {
  return { id, lines: [id], expiresAtMs: Date.now() + 3_600_000 };
}

Deno.test("KvAuditStore.append() writes a batch by one operation where nobody else writes", async () => {
  using kv = await Deno.openKv(":memory:");
  const database = new FaultyAuditKv(kv);
  const store = new KvAuditStore(database);
  for (const id of ["a", "b", "c"]) await store.append(batchOf(id));
  assertEquals(database.operations, ["get", "commit", "commit", "commit"]);
});

Deno.test("KvAuditStore.append() of many writers at once loses nothing, and a reader misses nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  // Their clocks are up to two seconds apart.
  const stores = [0, 700, -1_300, 0, 1_900].map((aheadMs) => new KvAuditStore(kv, { now: () => Date.now() + aheadMs }));
  const seen: string[] = [];
  let from = "";
  const readOn = async () => {
    for (const { position, lines } of await readChunks(new KvAuditStore(kv), { from })) {
      if (position > from) seen.push(...lines);
      from = position;
    }
  };
  const ids: string[] = [];
  for (let round = 0; round < 6; round++) {
    const batches = stores.map((_, n) => batchOf(`${round}-${n}`));
    ids.push(...batches.map(({ id }) => id));
    await Promise.all([...stores.map((store, n) => store.append(batches[n]!)), readOn()]);
  }
  await readOn();
  assertEquals([...seen].sort(), ids.sort());
  assertEquals(await readLines(new KvAuditStore(kv)), seen);
});

for (const fault of ["locked", "closed"] as const) {
  Deno.test(`K1 KvAuditStore fails at once where the database is ${fault}, and goes on when it is well`, async () => {
    using kv = await Deno.openKv(":memory:");
    const database = new FaultyAuditKv(kv);
    const store = new KvAuditStore(database);
    database.fault = fault;
    await assertRejects(() => store.append(batchOf("a")));
    await assertRejects(() => readLines(store));
    await assertRejects(() => store.purge(Date.now()));
    database.fault = "none";
    await store.append(batchOf("a"));
    assertEquals(await readLines(store), ["a"]);
  });
}

Deno.test("K1 KvAuditStore waits for no database that never answers", async () => {
  using kv = await Deno.openKv(":memory:");
  const database = new FaultyAuditKv(kv);
  const store = new KvAuditStore(database, { opTimeoutMs: 5 });
  database.fault = "hangs";
  await assertRejects(() => store.append(batchOf("a")));
  await assertRejects(() => readLines(store));
  await assertRejects(() => store.purge(Date.now()));
  assertEquals(database.operations, ["get", "list", "list"]);
  database.releaseHung();
});

Deno.test("K4 KvAuditStore.append() writes a batch once whose commit was made and reported as failed", async () => {
  using kv = await Deno.openKv(":memory:");
  const database = new FaultyAuditKv(kv);
  const store = new KvAuditStore(database);
  await store.append(batchOf("a"));
  database.fault = "applied_then_rejects";
  await assertRejects(() => store.append(batchOf("b")));
  // Others go on meanwhile.
  await new KvAuditStore(kv).append(batchOf("c"));
  database.fault = "none";
  await store.append(batchOf("b"));
  await store.append(batchOf("d"));
  assertEquals(await readLines(store), ["a", "b", "c", "d"]);
});

for (const meanwhile of ["before it is tried again", "after it was tried again", "after another isolate has written"]) {
  Deno.test(`K4 KvAuditStore.append() writes a batch once whose commit arrives late, ${meanwhile}`, async () => {
    using kv = await Deno.openKv(":memory:");
    const database = new FaultyAuditKv(kv);
    let nowMs = Date.now();
    // Each try would have a time of its own.
    const store = new KvAuditStore(database, { now: () => nowMs += 5 });
    await store.append(batchOf("a"));
    database.fault = "delayed";
    await assertRejects(() => store.append(batchOf("b")));
    await assertRejects(() => store.append(batchOf("b")));
    database.fault = "none";
    if (meanwhile.startsWith("before")) await database.letGo();
    if (meanwhile.endsWith("written")) await new KvAuditStore(kv).append(batchOf("c"));
    await store.append(batchOf("b"));
    await database.letGo();
    await store.append(batchOf("d"));
    const lines = await readLines(store);
    assertEquals(lines, meanwhile.endsWith("written") ? ["a", "c", "b", "d"] : ["a", "b", "d"]);
  });
}

Deno.test("K2 KvAuditStore.read() passes over what is no chunk of ours", async () => {
  using kv = await Deno.openKv(":memory:");
  const fixture = { store: new KvAuditStore(kv), clock: { nowMs: Date.now() } };
  await append(fixture, ["ours"]);
  const foreign = [null, "text", { v: 2 }, { v: 1, expiresAtMs: "soon", lines: new Uint8Array() }, { v: 1, lines: [] }];
  for (const [n, value] of foreign.entries()) await kv.set(["portolan_audit", "v1", `9${n}`], value);
  await kv.set(["portolan_audit", "v1", 7], "a number");
  assertEquals(await readLines(fixture.store), ["ours"]);
  await kv.set(["portolan_audit", "head"], "corrupt");
  await append({ ...fixture, store: new KvAuditStore(kv) }, ["later"]);
  assertEquals(await readLines(fixture.store), ["ours", "later"]);
});

Deno.test("KvAuditStore has the database forget a batch by itself", async () => {
  using kv = await Deno.openKv(":memory:");
  const expiries: unknown[] = [];
  const database = new FaultyAuditKv(kv);
  const store = new KvAuditStore({
    get: (...args) => database.get(...args),
    list: (...args) => database.list(...args),
    atomic() {
      const operation = database.atomic();
      const { set } = operation;
      operation.set = (key, value, options) => (expiries.push(options?.expireIn), set(key, value, options));
      return operation;
    },
  }, { now: () => 1_000 });
  await store.append({ id: "a", lines: ["a"], expiresAtMs: 61_000 });
  assertEquals(expiries, [undefined, 60_000]);
  for await (const { value } of kv.list<{ readonly lines?: Uint8Array }>({ prefix: [] })) {
    assert((value.lines?.byteLength ?? 0) < 60_000);
  }
});
