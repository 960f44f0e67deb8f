import { assertEquals, assertRejects } from "@std/assert";
import { KeyBook, KEYS_MAX_AGE_MS } from "../../src/callers/key_book.ts";
import { type AgentKeys, type KeyRecord, keysOf, toStoredRecord, withKeys } from "../../src/callers/key_record.ts";
import { RequestError } from "../../src/gateway/request_error.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";
import { settled } from "../support/manual_time.ts";

const KEY = ["caller_keys"];
const START_MS = Date.parse("2027-01-31T12:00:00Z");
const DAY_MS = 86_400_000;

function openBooks(count = 1) {
  const clock = { nowMs: START_MS };
  const now = () => clock.nowMs;
  const store = new FaultyRouteStore(now);
  const books = Array.from({ length: count }, () => new KeyBook(store, { now }));
  const [book = new KeyBook(store), other = book] = books;
  return { clock, now, store, book, other, reads: () => store.operations.filter((name) => name === "get").length };
}

/** A change that gives an agent one more key. */
function add(agent: string, id: string, digit = "a") {
  return (record: KeyRecord, nowMs: number): KeyRecord | undefined => {
    const { keys, revoked } = keysOf(record, agent);
    if (keys.some((key) => key.id === id)) return undefined;
    const key = { id, digest: digit.repeat(64), createdAtMs: nowMs };
    return withKeys(record, agent, { keys: [...keys, key], revoked }, nowMs);
  };
}

const idsOf = (record: KeyRecord, agent = "Kairos") => keysOf(record, agent).keys.map(({ id }) => id);

Deno.test("KeyBook.read() asks the store once for all who come at once, and not again for a while", async () => {
  const { book, clock, reads } = openBooks();
  await Promise.all(Array.from({ length: 20 }, () => book.read()));
  assertEquals(reads(), 1);
  clock.nowMs += KEYS_MAX_AGE_MS / 2 - 1;
  for (let requests = 0; requests < 100; requests++) await book.read();
  assertEquals(reads(), 1);
});

Deno.test("KeyBook.read() asks beside the requests past half the age, and before them past the age", async () => {
  const { book, other, clock, store } = openBooks(2);
  await book.read();
  await other.update(add("Kairos", "one"));
  const before = store.operations.length;
  clock.nowMs += KEYS_MAX_AGE_MS / 2;
  assertEquals(idsOf(await book.read()), [], "not held up");
  assertEquals(store.operations.length, before + 1);
  await other.update(add("Kairos", "two"));
  clock.nowMs += KEYS_MAX_AGE_MS;
  assertEquals(idsOf(await book.read()), ["one", "two"], "held up");
});

Deno.test("KeyBook.read() of another isolate sees a change within the stated time, whenever it had read", async () => {
  for (let sinceReadMs = 0; sinceReadMs <= KEYS_MAX_AGE_MS; sinceReadMs += 500) {
    const { book, other, clock } = openBooks(2);
    await book.read();
    clock.nowMs += sinceReadMs;
    await other.update(add("Kairos", "one"));
    clock.nowMs += KEYS_MAX_AGE_MS;
    assertEquals(idsOf(await book.read()), ["one"], `${sinceReadMs} ms`);
  }
});

Deno.test("K5 KeyBook.update() of many isolates at once loses no change", async () => {
  const clock = { nowMs: START_MS };
  using kv = await Deno.openKv(":memory:");
  const store = new KvRouteStore(kv, { consistency: "strong" });
  const books = Array.from({ length: 4 }, () => new KeyBook(store, { now: () => clock.nowMs }));
  await Promise.all(books.map((book, index) => book.update(add("Kairos", `key-${index}`))));
  clock.nowMs += KEYS_MAX_AGE_MS;
  for (const book of books) assertEquals(idsOf(await book.read()).sort(), ["key-0", "key-1", "key-2", "key-3"]);
});

Deno.test("K4 KeyBook.update() is right where a writing was made and then reported as failed", async () => {
  const { book, store } = openBooks();
  store.fault = "applied_then_rejects";
  assertEquals(idsOf(await book.update(add("Kairos", "one"))), ["one"]);
  assertEquals(store.operations, ["get", "set", "get"]);
});

for (const fault of ["rejects", "throws", "hangs"] as const) {
  Deno.test(`K1 KeyBook.update() fails with callers_unavailable with a store that ${fault}, and changes nothing`, async () => {
    const { now, store } = openBooks();
    const book = new KeyBook(store, { now, opTimeoutMs: 10 });
    await book.read();
    store.fault = fault;
    const error = await assertRejects(() => book.update(add("Kairos", "one")), RequestError);
    assertEquals([error.code, error.retryAfterMs], ["callers_unavailable", 1_000]);
    store.releaseHung();
    store.fault = "none";
    assertEquals(idsOf(await book.read()), []);
    assertEquals(idsOf(await book.update(add("Kairos", "one"))), ["one"], "at once, whatever had failed before");
  });
}

Deno.test("K1 KeyBook.read() of a store that fails holds up one request and asks once a second", async () => {
  const { book, store, clock } = openBooks();
  await book.read();
  clock.nowMs += KEYS_MAX_AGE_MS;
  store.fault = "rejects";
  const before = store.operations.length;
  for (let requests = 0; requests < 50; requests++) {
    await book.read();
    await settled();
    clock.nowMs += 100;
  }
  assertEquals(store.operations.length - before, 5);
});

Deno.test("K2 KeyBook.read() keeps what it knew where the store holds no record, and overwrites it never", async () => {
  const { book, store, clock } = openBooks();
  await book.update(add("Kairos", "one"));
  const good = toStoredRecord(await book.read());
  const bad = [
    { v: 2, revision: START_MS * 2, writtenAtMs: 0, agents: [] },
    { ...good, revision: START_MS * 2, agents: [{ agent: "Kairos", keys: [{ id: "x", digest: "zz" }], revoked: [] }] },
    { ...good, revision: START_MS * 2, agents: {} },
    { ...good, revision: "9", agents: [] },
    {},
  ];
  for (const value of bad) {
    await store.memory.set(KEY, value, { expiresAtMs: START_MS + 365 * DAY_MS });
    clock.nowMs += KEYS_MAX_AGE_MS;
    assertEquals(idsOf(await book.read()), ["one"]);
    await assertRejects(() => book.update(add("Kairos", "two")), RequestError);
    assertEquals((await store.memory.get(KEY))?.value, value);
  }
});

Deno.test("KeyBook.read() is not led back by a replica that is behind, nor by a store that lost its values", async () => {
  const { book, store, clock } = openBooks();
  await book.update(add("Kairos", "one"));
  const older = await store.memory.get(KEY);
  const revoked: AgentKeys = { keys: [], revoked: [{ id: "one", mark: "a".repeat(16), revokedAtMs: START_MS }] };
  await book.update((record, nowMs) => withKeys(record, "Kairos", revoked, nowMs));
  for (const behind of [older, undefined]) {
    store.replica.set(JSON.stringify(KEY), behind);
    clock.nowMs += KEYS_MAX_AGE_MS;
    assertEquals(keysOf(await book.read(), "Kairos"), revoked);
  }
  store.replica.clear();
  await store.memory.delete(KEY);
  // The next change writes all of it anew.
  await book.update(add("Mercurius", "two"));
  const other = new KeyBook(store, { now: () => clock.nowMs });
  assertEquals(keysOf(await other.read(), "Kairos"), revoked);
});

Deno.test("K3 KeyBook.read() and update() go on with a clock that is set back or is an hour off", async () => {
  const { book, store, clock, reads } = openBooks();
  await book.read();
  clock.nowMs -= 3_600_000;
  await book.read();
  assertEquals(reads(), 2, "what was read in the future is read again");
  const ahead = new KeyBook(store, { now: () => clock.nowMs + 7_200_000 });
  await ahead.update(add("Kairos", "ahead"));
  await book.update(add("Kairos", "behind"));
  clock.nowMs += KEYS_MAX_AGE_MS;
  for (const one of [book, ahead]) assertEquals(idsOf(await one.read()), ["ahead", "behind"]);
});

Deno.test("KeyBook.read() writes a record anew that KV would forget within the year, once a month", async () => {
  const { book, store, clock } = openBooks();
  await book.update(add("Kairos", "one"));
  for (let days = 0; days < 800; days += 10) {
    clock.nowMs += 10 * DAY_MS;
    await book.read();
  }
  const fresh = new KeyBook(store, { now: () => clock.nowMs });
  assertEquals(idsOf(await fresh.read()), ["one"]);
  assertEquals(store.operations.filter((name) => name === "set").length, 21);
});
