import { assert, assertEquals, assertFalse, assertNotEquals, assertRejects } from "@std/assert";
import { RequestError } from "../../src/gateway/request_error.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import { MAX_CONFIG_BYTES, StoredConfig } from "../../src/reload/stored_config.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";
import { CONFIG_SECRET } from "../support/kept_config.ts";

const START_MS = 1_800_000_000_000;

function create(secret: Uint8Array = CONFIG_SECRET) {
  const clock = { nowMs: START_MS };
  const now = () => clock.nowMs;
  const store = new FaultyRouteStore(now);
  return { clock, store, stored: new StoredConfig({ store, secret, now, opTimeoutMs: 20 }) };
}

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(work, RequestError)).code;
}

Deno.test("StoredConfig.write() keeps a text of any size and script in KV, encrypted and within its limits", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = new KvRouteStore(kv, { consistency: "strong" });
  const stored = new StoredConfig({ store, secret: CONFIG_SECRET });
  const texts = ["", "canary: ahoy", "🦊é–".repeat(20_000), "canary ".repeat(MAX_CONFIG_BYTES / 7)];
  for (const text of texts) {
    const { current } = await stored.write(text, undefined);
    assert(current !== null);
    assertEquals(await stored.open(current), text);
    assertEquals((await stored.read())?.head?.current, current);
  }
  for await (const { value } of kv.list<{ readonly json: Uint8Array }>({ prefix: [] })) {
    assert(value.json.byteLength <= 60_000);
    const json = new TextDecoder().decode(value.json);
    assertFalse(json.includes("canary") || json.includes(btoa("canary ").slice(0, 8)));
  }
});

Deno.test("StoredConfig.write() keeps the text of before, and none that is older", async () => {
  const { stored, store } = create();
  const heads = [];
  for (const text of ["one", "two", "three"]) heads.push(await stored.write(text, undefined));
  const [one, two, three] = heads.map(({ current }) => current);
  assert(one && two && three);
  assertEquals((await stored.read())?.head, { current: three, previous: two, renewedAtMs: START_MS });
  assertEquals([await stored.open(three), await stored.open(two), await stored.open(one)], ["three", "two", undefined]);
  await stored.write(null, undefined);
  const head = (await stored.read())?.head;
  assertEquals([head?.current, head?.previous], [null, three]);
  assertEquals(store.memory.size, 2, "the head and one part");
});

Deno.test("StoredConfig.write() replaces only the version that is named", async () => {
  const { stored, store } = create();
  assertEquals(await codeOf(() => stored.write("one", crypto.randomUUID())), "config_changed");
  const { current } = await stored.write("one", null);
  assertEquals(await codeOf(() => stored.write("two", null)), "config_changed");
  assertNotEquals((await stored.write("two", current?.id)).current, null);
  assertEquals(await codeOf(() => stored.write("three", current?.id)), "config_changed");
  assertEquals(await codeOf(() => stored.write(null, current?.id)), "config_changed");
  const newest = (await stored.read())?.head?.current;
  assertEquals(newest && await stored.open(newest), "two");
  assertEquals(store.memory.size, 3, "what was refused has left nothing");
});

Deno.test("StoredConfig.write() of two isolates at once keeps one text whole", async () => {
  const { stored, store } = create();
  const other = new StoredConfig({ store, secret: CONFIG_SECRET, now: () => START_MS });
  store.beforeSet = () => other.write("other", undefined);
  const { current } = await stored.write("own", undefined);
  assertEquals(current && await stored.open(current), "own");
  const item = await stored.read();
  assertEquals(item?.head?.current, current);
  assertEquals(item?.head?.previous && await stored.open(item.head.previous), "other");
});

Deno.test("StoredConfig.open() gives nothing that was encrypted with another secret, moved, or is not whole", async () => {
  const { stored, store, clock } = create();
  const { current } = await stored.write("x".repeat(30_000), undefined);
  assert(current !== null);
  const stranger = new StoredConfig({ store, secret: new TextEncoder().encode("quite another secret") });
  assertEquals(await stranger.open(current), undefined);
  const [first, second] = [["config", "v1", current.id, "0"], ["config", "v1", current.id, "1"]];
  const part = (await store.get(first))?.value as { readonly sealed: string };
  await store.set(second, part, { expiresAtMs: clock.nowMs + 60_000 });
  assertEquals(await stored.open(current), undefined, "a part in another's place");
  await store.delete(second);
  assertEquals(await stored.open(current), undefined, "a part is gone");
});

for (const fault of ["rejects", "throws", "hangs"] as const) {
  Deno.test(`K1 StoredConfig says so where the store ${fault}`, async () => {
    const { stored, store } = create();
    store.fault = fault;
    assertEquals(await stored.read(), undefined);
    assertEquals(await codeOf(() => stored.write("one", undefined)), "config_unavailable");
    assertEquals(await codeOf(() => stored.write(null, undefined)), "config_unavailable");
    store.releaseHung();
  });
}

Deno.test("K4 StoredConfig.write() is right where a writing was made and is told to have failed", async () => {
  const { stored, store } = create();
  store.fault = "applied_then_rejects";
  assertEquals(await codeOf(() => stored.write("one", undefined)), "config_unavailable", "its parts are not certain");
  store.fault = "none";
  const { current } = await stored.write("one", undefined);
  store.fault = "applied_then_rejects";
  const deleted = await stored.write(null, current?.id);
  assertEquals([deleted.current, deleted.previous], [null, current]);
});

Deno.test("K2 StoredConfig.read() takes no head that is none", async () => {
  const { stored, store, clock } = create();
  for (
    const value of [{}, { v: 2 }, {
      v: 1,
      current: { id: "x", parts: 1, writtenAtMs: 1 },
      previous: null,
      renewedAtMs: 1,
    }]
  ) {
    await store.set(["config", "v1"], value, { expiresAtMs: clock.nowMs + 60_000 });
    assertEquals(await stored.read(), undefined);
  }
});

Deno.test("StoredConfig.renew() writes anew what would come to its end, and nothing before", async () => {
  const { stored, store, clock } = create();
  await stored.write("one", undefined);
  await stored.write("two", undefined);
  const read = async () => (await stored.read())!;
  const before = store.operations.length;
  await stored.renew(await read());
  assertEquals(store.operations.slice(before), ["get"]);
  for (let month = 0; month < 14; month++) {
    clock.nowMs += 31 * 86_400_000;
    await stored.renew(await read());
  }
  const { head } = await read();
  assertEquals(head?.renewedAtMs, clock.nowMs);
  assert(head?.current && head.previous);
  assertEquals([await stored.open(head.current), await stored.open(head.previous)], ["two", "one"]);
});
