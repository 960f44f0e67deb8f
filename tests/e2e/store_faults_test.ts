/** The rows K of the store, at the client's door: the store can cost time, never an answer. */

import { assertEquals } from "@std/assert";
import {
  type AgentConfig,
  MemoryRouteStore,
  MultiServerMCPClient,
  type MultiServerMCPClientOptions,
  type RouteStore,
} from "@portolan/mcp";
import { KvRouteStore } from "@portolan/mcp/kv";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import type { RouteKey } from "../../src/route_store.ts";
import { codeOf, textOf, until } from "../support/client_support.ts";
import { fillStore, methodsSince, STORE_SECRET } from "../support/cold_support.ts";
import { FaultyRouteStore, type StoreFault } from "../support/faulty_route_store.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";

/** What a client answers over its whole life; the same for every store. */
async function answersOf(config: AgentConfig, options: MultiServerMCPClientOptions): Promise<unknown> {
  await using client = new MultiServerMCPClient("Kairos", config, { storeSecret: STORE_SECRET, ...options });
  return [
    textOf(await client.callTool("legacy__whoami")),
    await client.connectToServers(),
    (await client.listTools()).map(({ name }) => name),
    textOf(await client.callTool("modern__whoami")),
    await codeOf(client.callTool("unknown")),
    await client.reconnect({ server: "legacy" }),
    textOf(await client.callTool("legacy__echo", { text: "hi" })),
  ];
}

const EXPECTED = [
  "legacy",
  { legacy: true, modern: true },
  ["add", "echo", "whoami", "modern__echo", "modern__whoami"],
  "modern",
  "tool_not_found",
  { legacy: true },
  "hi",
];

/** Two servers, and a configuration of both. */
async function startBoth(stack: AsyncDisposableStack): Promise<AgentConfig> {
  const legacy = stack.use(await startMCPServer({ name: "legacy" }));
  const modern = stack.use(startModernServer({ name: "modern" }));
  return { servers: { legacy: { url: legacy.url }, modern: { url: modern.url } } };
}

Deno.test("K1 Without a store a client gives the same answers, and warns of nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const warnings: string[] = [];
  const options = { onWarning: (message: string) => void warnings.push(message) };
  assertEquals([await answersOf(await startBoth(stack), options), warnings], [EXPECTED, []]);
});

for (const fault of ["none", "rejects", "throws", "hangs", "applied_then_rejects"] as const satisfies StoreFault[]) {
  Deno.test(`K1 With a store that fails a client gives the same answers, and warns once: ${fault}`, async () => {
    await using stack = new AsyncDisposableStack();
    const config = await startBoth(stack);
    const store = new FaultyRouteStore(Date.now);
    const warnings: string[] = [];
    const options = { store, onWarning: (message: string) => void warnings.push(message) };
    store.fault = fault;
    assertEquals(await answersOf(config, options), EXPECTED);
    assertEquals(warnings.length, fault === "none" ? 0 : 1, warnings.join("\n"));
    store.releaseHung();
  });

  Deno.test(`K1 With a store that begins to fail under it a client gives the same answers: ${fault}`, async () => {
    await using stack = new AsyncDisposableStack();
    const config = await startBoth(stack);
    const store = new FaultyRouteStore(Date.now);
    await fillStore(config, { store, storeSecret: STORE_SECRET });
    const warnings: string[] = [];
    const options = { store, storeSecret: STORE_SECRET, onWarning: (message: string) => void warnings.push(message) };
    await using client = new MultiServerMCPClient("Kairos", config, options);
    assertEquals((await client.callToolRouted("legacy__whoami")).route, "cache");
    store.fault = fault;
    assertEquals(textOf(await client.callTool("modern__whoami")), "modern");
    assertEquals(await client.reconnect({ server: "legacy" }), { legacy: true });
    assertEquals(textOf(await client.callTool("legacy__whoami")), "legacy");
    assertEquals(warnings.length, fault === "none" ? 0 : 1, warnings.join("\n"));
    store.releaseHung();
  });
}

Deno.test("K1 With a database that was closed a client gives the same answers, and warns once", async () => {
  await using stack = new AsyncDisposableStack();
  const config = await startBoth(stack);
  const kv = await Deno.openKv(":memory:");
  const store = new KvRouteStore(kv);
  await fillStore(config, { store, storeSecret: STORE_SECRET });
  const warnings: string[] = [];
  const options = { store, storeSecret: STORE_SECRET, onWarning: (message: string) => void warnings.push(message) };
  await using client = new MultiServerMCPClient("Kairos", config, options);
  assertEquals((await client.callToolRouted("legacy__whoami")).route, "cache");
  kv.close();
  assertEquals(await answersOf(config, options), EXPECTED);
  assertEquals(textOf(await client.callTool("modern__whoami")), "modern");
  assertEquals(await client.reconnect({ server: "legacy" }), { legacy: true });
  assertEquals(warnings.length, 2, "one for each client");
});

/** A store that tells its keys. */
class ListedStore implements RouteStore {
  readonly memory: MemoryRouteStore;
  readonly #keys = new Map<string, RouteKey>();

  constructor(now: () => number = Date.now) {
    this.memory = new MemoryRouteStore({ now });
  }

  get(key: RouteKey) {
    return this.memory.get(key);
  }

  set(...args: Parameters<RouteStore["set"]>) {
    this.#keys.set(JSON.stringify(args[0]), args[0]);
    return this.memory.set(...args);
  }

  delete(...args: Parameters<RouteStore["delete"]>) {
    return this.memory.delete(...args);
  }

  /** Writes another value under every key of a kind. */
  async replace(kind: string, change: (value: unknown) => JsonObject): Promise<void> {
    const keys = [...this.#keys.values()].filter(([, found]) => found === kind);
    assertEquals(keys.length > 0, true, kind);
    for (const key of keys) {
      const value = change((await this.memory.get(key))?.value);
      await this.memory.set(key, value, { expiresAtMs: 8e15 });
    }
  }
}

const GARBAGE: Readonly<Record<string, (value: unknown) => JsonObject>> = {
  "empty": () => ({}),
  "of a newer form": (value) => ({ ...value as JsonObject, v: 99 }),
  "of no form": (value) => ({ ...value as JsonObject, v: null }),
  "with every member of a wrong type": (value) => {
    return Object.fromEntries(Object.keys(value as JsonObject).map((name) => [name, [] as JsonValue]));
  },
  "with __proto__": () => JSON.parse('{"__proto__":{"v":1},"constructor":{"prototype":{}}}'),
  "foreign": () => ({ hello: "x".repeat(10_000) }),
};

for (const kind of ["connection", "tools"]) {
  for (const [what, change] of Object.entries(GARBAGE)) {
    Deno.test(`K2 With an entry that is ${what} a cold client gives the same answers: ${kind}`, async () => {
      await using stack = new AsyncDisposableStack();
      const config = await startBoth(stack);
      const store = new ListedStore();
      await fillStore(config, { store, storeSecret: STORE_SECRET });
      await store.replace(kind, change);
      assertEquals(await answersOf(config, { store }), EXPECTED);
      assertEquals(await answersOf(config, { store }), EXPECTED, "and the next one");
    });
  }
}

const HOUR_MS = 3_600_000;

for (const offsetMs of [-HOUR_MS, HOUR_MS]) {
  Deno.test(`K3 With a clock that is ${offsetMs / HOUR_MS} h off a cold client gives the same answers`, async () => {
    await using stack = new AsyncDisposableStack();
    const config = await startBoth(stack);
    const store = new ListedStore();
    await fillStore(config, { store, storeSecret: STORE_SECRET });
    const now = () => Date.now() + offsetMs;
    assertEquals(await answersOf(config, { store, now }), EXPECTED);
    assertEquals(await answersOf(config, { store }), EXPECTED, "and one whose clock is right after it");
  });
}

Deno.test("K3 A connection that was kept in the future is not gone on from", async () => {
  await using server = await startMCPServer();
  const config = { servers: { s: { url: server.url } } };
  const store = new MemoryRouteStore();
  const ahead = () => Date.now() + HOUR_MS;
  await fillStore(config, { store, storeSecret: STORE_SECRET, now: ahead });
  const before = server.requests.length;
  await fillStore(config, { store, storeSecret: STORE_SECRET });
  assertEquals(methodsSince(server, before)[0], "server/discover");
});

Deno.test("K3 A verdict about the era holds for a day by our clock, and no longer", async () => {
  let nowMs = 1_800_000_000_000;
  const now = () => nowMs;
  await using server = startModernServer({ name: "s" });
  const config = { servers: { s: { url: server.url } } };
  const options = { store: new MemoryRouteStore({ now }), storeSecret: STORE_SECRET, now };
  await fillStore(config, options);
  for (const [afterMs, probes] of [[86_399_999, 1], [1, 2]] as const) {
    nowMs += afterMs;
    await using client = new MultiServerMCPClient("Kairos", config, options);
    assertEquals(textOf(await client.callTool("whoami")), "s");
    assertEquals(server.count("server/discover"), probes);
    await until(() => server.openStreams() === 0);
  }
});
