import { assertEquals, assertGreater } from "@std/assert";
import { KvRouteStore } from "@portolan/mcp/kv";
import { type AgentConfig, MemoryRouteStore, MultiServerMCPClient, type RouteStore } from "@portolan/mcp";
import { answer, hang, rpcError, sequence } from "./support/behaviours.ts";
import { assertNoCanary, CANARY, failureOf, textOf, until } from "./support/client_support.ts";
import { refusedUrl, startRawServer, startSilentServer } from "./support/fault_server.ts";
import { startMCPServer, type TestMCPServer } from "./support/mcp_server.ts";

const ONE_CALL = ["initialize", "notifications/initialized", "tools/call"];

/** A store, and what it keeps as text. */
interface OpenStore extends AsyncDisposable {
  readonly store: RouteStore;
}

const STORES: Readonly<Record<string, () => Promise<OpenStore>>> = {
  MemoryRouteStore: () => {
    return Promise.resolve({ store: new MemoryRouteStore(), [Symbol.asyncDispose]: () => Promise.resolve() });
  },
  KvRouteStore: async () => {
    const kv = await Deno.openKv(":memory:");
    return { store: new KvRouteStore(kv), [Symbol.asyncDispose]: () => Promise.resolve(kv.close()) };
  },
};

function methodsAfter(server: TestMCPServer, count: number): readonly (string | undefined)[] {
  return server.requests.slice(count).filter(({ method }) => method !== "DELETE").map(({ rpcMethod }) => rpcMethod);
}

/** A first client that connects to everything and leaves its routes in the store. */
async function fill(config: AgentConfig, options: { readonly store: RouteStore; readonly now?: () => number }) {
  await using first = new MultiServerMCPClient("Kairos", config, options);
  await first.connectToServers();
}

for (const [name, open] of Object.entries(STORES)) {
  Deno.test(`MultiServerMCPClient with ${name} answers a known tool by asking its owner alone`, async () => {
    await using opened = await open();
    const { store } = opened;
    await using files = await startMCPServer({ name: "files", tools: [{ name: "read_file" }] });
    await using calendar = await startMCPServer({ name: "calendar" });
    const config = { servers: { files: { url: files.url }, calendar: { url: calendar.url } } };
    await fill(config, { store });
    const [filesBefore, calendarBefore] = [files.requests.length, calendar.requests.length];

    await using second = new MultiServerMCPClient("Kairos", config, { store });
    const { server, route, result } = await second.callToolRouted("whoami");
    assertEquals([server, route, textOf(result)], ["calendar", "cache", "calendar"]);
    assertEquals(methodsAfter(calendar, calendarBefore), ONE_CALL);
    assertEquals(files.requests.length, filesBefore);
    const { files: idle, calendar: used } = second.getConnectionStatus();
    assertEquals([idle?.state, idle?.toolsFrom, idle?.toolCount], ["idle", "cache", 1]);
    assertEquals([used?.state, used?.toolsFrom, used?.toolCount], ["connected", "cache", 3]);
    assertEquals((await second.callToolRouted("whoami")).route, "memory");
    assertEquals((await second.listTools()).map(({ name }) => name), ["read_file", "add", "echo", "whoami"]);
    assertEquals([files.count("tools/list"), calendar.count("tools/list")], [1, 1]);
  });

  Deno.test(`MultiServerMCPClient with ${name} answers a known tool although other servers are down or hang`, async () => {
    await using opened = await open();
    const { store } = opened;
    await using owner = await startMCPServer({ name: "owner" });
    const other = startRawServer({}, { tools: [{ name: "other", inputSchema: { type: "object" } }] });
    await using silent = startSilentServer();
    const servers = {
      other: { url: other.url },
      refused: { url: refusedUrl() },
      silent: { url: silent.url, timeoutMs: 100 },
      owner: { url: owner.url },
    };
    await fill({ servers }, { store });
    await other.stop();
    const accepted = silent.acceptedConnections();

    await using second = new MultiServerMCPClient("Kairos", { servers }, { store });
    const { server, route } = await second.callToolRouted("whoami");
    assertEquals([server, route, silent.acceptedConnections()], ["owner", "cache", accepted]);
    await failureOf(() => second.callTool("other"), "unreachable");
    assertEquals(second.getConnectionStatus().refused?.toolCount, undefined);
  });
}

Deno.test("MultiServerMCPClient uses a stale list of the cache and refreshes it once, in the background", async () => {
  let nowMs = 1_000_000_000;
  const now = () => nowMs;
  const store = new MemoryRouteStore({ now });
  await using server = await startMCPServer();
  const config = { servers: { s: { url: server.url } } };
  await fill(config, { store, now });
  nowMs += 400_000;
  await using second = new MultiServerMCPClient("Kairos", config, { store, now });
  assertEquals((await second.callToolRouted("whoami")).route, "cache");
  await until(() => second.getConnectionStatus().s?.toolsFrom === "server");
  assertEquals(server.count("tools/list"), 2);
  await using third = new MultiServerMCPClient("Kairos", config, { store, now });
  assertEquals((await third.routeTool("whoami")).fresh, true);
});

Deno.test("MultiServerMCPClient corrects a cached route whose owner refuses the call", async () => {
  const store = new MemoryRouteStore();
  const search = { name: "search", inputSchema: { type: "object" } };
  const list = sequence(answer({ tools: [search] }), answer({ tools: [{ ...search, name: "other" }] }));
  await using old = startRawServer({ "tools/list": list, "tools/call": rpcError(-32602, "Unknown tool") });
  await using next = startRawServer({}, { tools: [search] });
  const config = { servers: { old: { url: old.url }, next: { url: next.url } } };
  await fill(config, { store });
  await using second = new MultiServerMCPClient("Kairos", config, { store });
  const { server } = await second.callToolRouted("search");
  assertEquals([server, old.count("tools/call"), next.count("tools/call")], ["next", 1, 1]);
  await second.close();
  await using third = new MultiServerMCPClient("Kairos", config, { store });
  assertEquals((await third.routeTool("search")).server, "next");
});

Deno.test("MultiServerMCPClient asks a server again whose failure the cache remembers, once that is old", async () => {
  let nowMs = 1_000_000_000;
  const now = () => nowMs;
  const store = new MemoryRouteStore({ now });
  await using server = await startMCPServer();
  server.failNext("initialize", { status: 500 });
  const config = { servers: { s: { url: server.url } } };
  await fill(config, { store, now });
  await using second = new MultiServerMCPClient("Kairos", config, { store, now });
  assertEquals((await failureOf(() => second.callTool("whoami"), "unreachable")).server, "s");
  assertEquals(server.count("initialize"), 1, "it has just failed");
  nowMs += 30_000;
  assertEquals(textOf(await second.callTool("whoami")), "test");
});

Deno.test("MultiServerMCPClient shares no cached list between agents, credentials or filters", async () => {
  const store = new MemoryRouteStore();
  await using server = await startMCPServer();
  const plain = { url: server.url };
  await fill({ servers: { s: plain } }, { store });
  const others = [
    new MultiServerMCPClient("Mercurius", { servers: { s: plain } }, { store }),
    new MultiServerMCPClient("Kairos", { servers: { t: plain } }, { store }),
    new MultiServerMCPClient("Kairos", { servers: { s: { ...plain, headers: { "x-key": "k" } } } }, { store }),
    new MultiServerMCPClient("Kairos", { servers: { s: { ...plain, tools: { deny: ["add"] } } } }, { store }),
    new MultiServerMCPClient("Kairos", { servers: { s: { url: `${server.url}?tenant=2` } } }, { store }),
  ];
  for (const client of others) {
    assertEquals((await client.callToolRouted("whoami")).route, "discovery");
    await client.close();
  }
});

Deno.test("MultiServerMCPClient keeps no secret in the store", async () => {
  const written: unknown[] = [];
  const memory = new MemoryRouteStore();
  const store: RouteStore = {
    get: (key) => memory.get(key),
    set: (key, value, options) => {
      written.push([key, value]);
      return memory.set(key, value, options);
    },
    delete: (key, options) => memory.delete(key, options),
  };
  await using server = startRawServer({}, { sessionId: CANARY });
  const config = {
    servers: { s: { url: `${server.url}/\${KEY}?k=\${KEY}`, headers: { authorization: "Bearer ${KEY}" } } },
    secrets: { s: { KEY: CANARY } },
  };
  await fill(config, { store });
  assertGreater(written.length, 0);
  assertNoCanary(written);
});

Deno.test("MultiServerMCPClient gives the same answers where the store fails", async () => {
  const warnings: string[] = [];
  const broken = () => Promise.reject(new Error("no store"));
  const store: RouteStore = { get: broken, set: broken, delete: broken };
  await using server = await startMCPServer();
  const config = { servers: { s: { url: server.url } } };
  const options = { store, onWarning: (message: string) => warnings.push(message) };
  await using client = new MultiServerMCPClient("Kairos", config, options);
  assertEquals(await client.connectToServers(), { s: true });
  assertEquals(textOf(await client.callTool("whoami")), "test");
  assertEquals(warnings.length, 1);
});

Deno.test("MultiServerMCPClient waits for a store that hangs no longer than for its answer", async () => {
  const never = () => new Promise<never>(() => {});
  const store: RouteStore = { get: never, set: never, delete: never };
  await using hanging = startRawServer({ initialize: hang });
  await using server = await startMCPServer();
  const config = { servers: { hanging: { url: hanging.url }, s: { url: server.url } } };
  await using client = new MultiServerMCPClient("Kairos", config, { store });
  assertEquals(textOf(await client.callTool("s__whoami", {}, { timeoutMs: 3_000 })), "test");
});

Deno.test("MultiServerMCPClient calls a tool that another isolate has found since it listed the tools itself", async () => {
  await using server = await startMCPServer({ tools: [{ name: "before" }] });
  const clock = { nowMs: 1_000_000 };
  const now = () => clock.nowMs;
  const options = { store: new MemoryRouteStore({ now }), toolsTtlMs: 60_000, now };
  const config = { servers: { files: { url: server.url } } };
  await using first = new MultiServerMCPClient("Kairos", config, options);
  await first.listTools();
  server.setTools([{ name: "after" }]);
  clock.nowMs += 50_000;
  await using second = new MultiServerMCPClient("Kairos", config, options);
  await second.connectToServers();
  clock.nowMs += 20_000;
  await first.listTools();
  await until(() => first.findClientForTool("after") !== undefined);
  assertEquals(textOf(await first.callTool("after")), "ok");
  assertEquals(server.count("tools/list"), 2);
});
