import { assertEquals, assertRejects } from "@std/assert";
import { openStore } from "../../src/gateway/open_store.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";

async function open(
  kv: string | undefined,
  openKv: ((path?: string) => Promise<Deno.Kv>) | undefined,
  timeoutMs = 1_000,
) {
  const warnings: string[] = [];
  const opened = await openStore(kv, { openKv, timeoutMs, onWarning: (message) => warnings.push(message) });
  return { opened, warnings };
}

Deno.test("openStore() keeps routes in KV where there is one", async () => {
  const { opened, warnings } = await open(":memory:", (path) => Deno.openKv(path));
  assertEquals([opened.kind, warnings], ["kv", []]);
  await opened.store.set(["a"], { b: 1 }, { expiresAtMs: Date.now() + 60_000 });
  assertEquals((await opened.store.get(["a"]))?.value, { b: 1 });
  const { shared } = opened;
  assertEquals(shared === undefined ? "none" : await shared.get(["a"]), undefined, "the two stores share no key");
  opened.close();
});

Deno.test("openStore() keeps routes in memory where KV is off", async () => {
  const { opened, warnings } = await open("off", () => Promise.reject(new Error("not asked")));
  assertEquals([opened.kind, opened.shared, warnings], ["memory", undefined, []]);
});

Deno.test("K1 openStore() keeps routes in memory, with one warning, where KV is missing or refuses", async () => {
  const url = "https://user:hunter2@kv.example.com/";
  for (const openKv of [undefined, () => Promise.reject(new TypeError(`Cannot open ${url}`))]) {
    const { opened, warnings } = await open(url, openKv);
    assertEquals([opened.kind, warnings.length, warnings.join("").includes("hunter2")], ["memory", 1, false]);
    await opened.store.set(["a"], { b: 1 }, { expiresAtMs: Date.now() + 60_000 });
    assertEquals((await opened.store.get(["a"]))?.value, { b: 1 });
  }
});

Deno.test("K1 openStore() has nothing promised to all isolates where the database that they share did not open", async () => {
  const { opened } = await open(undefined, () => Promise.reject(new TypeError("Cannot open")));
  const shared = opened.shared ?? new MemoryRouteStore();
  await assertRejects(() => shared.get(["a"]));
  await assertRejects(() => shared.set(["a"], { b: 1 }, { expiresAtMs: Date.now() + 60_000 }));
  await assertRejects(() => shared.delete(["a"], {}));
});

Deno.test("K1 openStore() closes a database that opens but does not answer", async () => {
  const kv = await Deno.openKv(":memory:");
  let closed = 0;
  const broken = {
    get: () => Promise.reject(new Error("file is not a database")),
    close: () => (closed++, kv.close()),
  } as unknown as Deno.Kv;
  const { opened, warnings } = await open(undefined, () => Promise.resolve(broken));
  assertEquals([opened.kind, warnings.length, closed], ["memory", 1, 1]);
});

Deno.test("K1 openStore() gives up a database that never opens, and closes one that opens too late", async () => {
  const late = Promise.withResolvers<Deno.Kv>();
  const { opened, warnings } = await open("https://kv.example.com/", () => late.promise, 1);
  assertEquals([opened.kind, warnings.length], ["memory", 1]);
  const kv = await Deno.openKv(":memory:");
  const closed = Promise.withResolvers<void>();
  late.resolve(
    {
      get: () => Promise.resolve({ value: null, versionstamp: null }),
      close: () => (kv.close(), closed.resolve()),
    } as unknown as Deno.Kv,
  );
  await closed.promise;
});
