import { assert, assertEquals } from "@std/assert";
import { type JsonObject, type ListFreshness, MCPClientManager, MemoryRouteStore } from "@portolan/mcp";
import { MultiServerMCPClient, type ServerConfig } from "@portolan/mcp";
import { answer, type Behaviour, sequence } from "./support/behaviours.ts";
import { failureOf, textOf, until } from "./support/client_support.ts";
import { refusedUrl, startRawServer } from "./support/fault_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";
import { modernScript } from "./support/modern_script.ts";

const KINDS = ["tools", "resources", "templates", "prompts"] as const;
const TTL_MS = 300_000;

/** A page of every list, with what a modern server says of its age. */
function startListing(hints: JsonObject, more: Readonly<Record<string, Behaviour>> = {}) {
  const list = (field: string, entry: JsonObject) => answer({ resultType: "complete", [field]: [entry], ...hints });
  const capabilities = { tools: {}, resources: {}, prompts: {} };
  return startRawServer(modernScript({
    "server/discover": answer({ resultType: "complete", supportedVersions: ["2026-07-28"], capabilities }),
    "tools/list": list("tools", { name: "t", inputSchema: { type: "object" } }),
    "resources/list": list("resources", { uri: "r://1", name: "r" }),
    "resources/templates/list": list("resourceTemplates", { uriTemplate: "r://{id}", name: "r" }),
    "prompts/list": list("prompts", { name: "p" }),
    ...more,
  }));
}

function createClient(servers: Readonly<Record<string, ServerConfig>>, options = {}) {
  const clock = { nowMs: 1_000_000 };
  const client = new MultiServerMCPClient("Kairos", { servers }, { now: () => clock.nowMs, ...options });
  const listAll = async () => {
    await Promise.all([
      client.listTools(),
      client.listResources(),
      client.listResourceTemplates(),
      client.listPrompts(),
    ]);
  };
  const freshness = () => KINDS.map((kind) => client.getListFreshness(kind));
  return { client, clock, listAll, freshness };
}

/** The same for every kind of list. */
function all(ttlMs: number, cacheScope: ListFreshness["cacheScope"]): readonly ListFreshness[] {
  return KINDS.map(() => ({ ttlMs, cacheScope }));
}

Deno.test("MultiServerMCPClient.getListFreshness() tells what is left of what its servers say, the least of all", async () => {
  await using long = startListing({ ttlMs: 600_000, cacheScope: "public" });
  await using short = startListing({ ttlMs: 60_000, cacheScope: "public" });
  const servers = { long: { url: long.url }, short: { url: short.url } };
  const { client, clock, listAll, freshness } = createClient(servers);
  await using _client = client;
  assertEquals(freshness(), all(0, "private"), "nobody has been asked");
  await listAll();
  assertEquals(freshness(), all(60_000, "public"));
  clock.nowMs += 45_000;
  assertEquals(freshness(), all(15_000, "public"));
  const before = [long.requests.length, short.requests.length];
  clock.nowMs += 45_000;
  assertEquals(freshness(), all(0, "public"));
  assertEquals([long.requests.length, short.requests.length], before, "nobody is asked");
  await client.removeServer("short");
  assertEquals(freshness(), all(510_000, "public"));
});

Deno.test("MultiServerMCPClient.getListFreshness() is private where one server is, and 0 where one is left out", async () => {
  await using open = startListing({ ttlMs: 600_000, cacheScope: "public" });
  await using closed = startListing({ ttlMs: 600_000, cacheScope: "private" });
  await using silent = startListing({});
  const both = createClient({ open: { url: open.url }, closed: { url: closed.url } });
  await using _both = both.client;
  await both.listAll();
  assertEquals(both.freshness(), all(600_000, "private"));

  const one = createClient({ open: { url: open.url }, silent: { url: silent.url } });
  await using _one = one.client;
  await one.listAll();
  assertEquals(one.freshness(), all(TTL_MS, "private"), "the default time where one does not say");

  const down = createClient({ open: { url: open.url }, down: { url: refusedUrl() } });
  await using _down = down.client;
  await down.listAll();
  assertEquals(down.freshness(), all(0, "private"));

  const none = createClient({});
  await using _none = none.client;
  assertEquals(none.freshness(), all(TTL_MS, "private"));
});

Deno.test("MultiServerMCPClient.getListFreshness() is public only where every page is, and 0 where nothing is fresh", async () => {
  const page = (cacheScope: string, nextCursor?: string) => {
    const tools = [{ name: nextCursor ?? "last", inputSchema: { type: "object" } }];
    return answer({ resultType: "complete", tools, ttlMs: 0, cacheScope, ...(nextCursor && { nextCursor }) });
  };
  for (const last of ["public", "private"] as const) {
    await using server = startListing({}, { "tools/list": sequence(page("public", "more"), page(last)) });
    const { client } = createClient({ server: { url: server.url } });
    await using _client = client;
    assertEquals((await client.listTools()).length, 2);
    assertEquals(client.getListFreshness("tools"), { ttlMs: 0, cacheScope: last });
  }
});

Deno.test("MultiServerMCPClient.getListFreshness() is 0 for lists that a server took back, or that could not be renewed", async () => {
  await using server = startListing({ ttlMs: 60_000, cacheScope: "public" });
  const { client, clock, listAll, freshness } = createClient({ server: { url: server.url } });
  await using _client = client;
  await listAll();
  await server.stop();
  clock.nowMs += 61_000;
  // The lists go on, and are renewed in the background in vain.
  await listAll();
  await until(() => client.getConnectionStatus().server?.state === "failed");
  await listAll();
  assertEquals(freshness(), all(0, "public"));
});

Deno.test("MultiServerMCPClient.getListFreshness() of a list from the store counts from when it was listed", async () => {
  await using server = startListing({ ttlMs: 60_000, cacheScope: "public" });
  const store = new MemoryRouteStore({ now: () => 1_000_000 });
  const servers = { server: { url: server.url } };
  const first = createClient(servers, { store });
  await using _first = first.client;
  await first.client.connectToServers();
  const second = createClient(servers, { store });
  await using _second = second.client;
  second.clock.nowMs += 20_000;
  await second.client.listTools();
  assertEquals(server.count("tools/list"), 1);
  assertEquals(second.client.getListFreshness("tools"), { ttlMs: 40_000, cacheScope: "private" });
});

Deno.test("MultiServerMCPClient.flushCache() forgets what servers list, here and in the store, and keeps their sessions", async () => {
  await using server = await startMCPServer({ tools: [{ name: "before" }] });
  const store = new MemoryRouteStore({ now: () => 1_000_000 });
  const { client, freshness } = createClient({ files: { url: server.url } }, { store });
  await using _client = client;
  await client.listTools();
  server.setTools([{ name: "after" }]);
  assertEquals((await client.listTools()).map(({ name }) => name), ["before"]);
  await client.flushCache();
  assertEquals(freshness().map(({ ttlMs }) => ttlMs), [0, 0, 0, 0]);
  const other = createClient({ files: { url: server.url } }, { store });
  await using _other = other.client;
  assertEquals((await other.client.listTools()).map(({ name }) => name), ["after"]);
  assertEquals((await client.listTools()).map(({ name }) => name), ["after"]);
  assertEquals(textOf(await client.callTool("after")), "ok");
  assertEquals([server.count("initialize"), server.count("tools/list")], [2, 2]);
});

Deno.test("MultiServerMCPClient.flushCache() has resources, templates and prompts asked for anew, and tells who watches", async () => {
  await using server = startListing({ ttlMs: 600_000 });
  const { client, listAll } = createClient({ server: { url: server.url } });
  await using _client = client;
  const counts = () => ["tools/list", "resources/list", "resources/templates/list", "prompts/list"].map(server.count);
  await listAll();
  await listAll();
  assertEquals(counts(), [1, 1, 1, 1]);
  const told: string[] = [];
  await using _watch = await client.watchLists((kind) => told.push(kind));
  await client.flushCache();
  assertEquals(told, ["tools", "resources", "prompts"]);
  await listAll();
  assertEquals(counts(), [2, 2, 2, 2]);
});

Deno.test("MultiServerMCPClient.flushCache() does not take a listing that was begun before it for a new one", async () => {
  const gate = Promise.withResolvers<void>();
  const list = (name: string) => answer({ tools: [{ name, inputSchema: { type: "object" } }], ttlMs: 600_000 });
  await using server = startListing({}, {
    "tools/list": sequence(async (context) => {
      await gate.promise;
      return await list("before")(context);
    }, list("after")),
  });
  const { client } = createClient({ server: { url: server.url } });
  await using _client = client;
  const listed = client.listTools();
  await until(() => server.count("tools/list") === 1);
  await client.flushCache();
  gate.resolve();
  await listed;
  assertEquals(client.getListFreshness("tools").ttlMs, 0);
  await client.listTools();
  await until(() => client.findClientForTool("after") !== undefined);
});

Deno.test("MCPClientManager.flushCache() flushes one agent, or all, also those that were not used yet", async () => {
  await using server = await startMCPServer({ tools: [{ name: "before" }] });
  const store = new MemoryRouteStore();
  const servers = { files: { url: server.url } };
  const agents = { Kairos: { servers }, Mercurius: { servers } };
  {
    await using filling = new MCPClientManager({ agents }, { store });
    await filling.connectAll();
  }
  server.setTools([{ name: "after" }]);
  await using manager = new MCPClientManager({ agents }, { store });
  const toolsOf = async (agent: string) => (await manager.openClient(agent).listTools()).map(({ name }) => name);
  await manager.flushCache("Kairos");
  assertEquals([await toolsOf("Kairos"), await toolsOf("Mercurius")], [["after"], ["before"]]);
  await manager.flushCache();
  assertEquals(await toolsOf("Mercurius"), ["after"]);
  await failureOf(() => manager.flushCache("Hermes"), "agent_not_found");
  await manager.close();
  await failureOf(() => manager.flushCache(), "closed");
});

Deno.test("MultiServerMCPClient.getStatus() tells when a list was made, when it changed and until when it is used", async () => {
  let nowMs = Date.now();
  await using server = await startMCPServer({ tools: [{ name: "read", description: "Reads" }] });
  const options = { now: () => nowMs, toolsTtlMs: 60_000 };
  await using client = new MultiServerMCPClient("Kairos", { servers: { files: { url: server.url } } }, options);
  const times = () => {
    const { toolsUpdatedAtMs, toolsChangedAtMs, toolsExpireAtMs } = client.getConnectionStatus().files ?? {};
    return [toolsUpdatedAtMs, toolsChangedAtMs, toolsExpireAtMs];
  };
  assertEquals([times(), client.getConnectionStatus().files?.latencySamples], [
    [undefined, undefined, undefined],
    undefined,
  ]);
  await client.connectToServers();
  const madeAtMs = nowMs;
  assertEquals(times(), [madeAtMs, undefined, madeAtMs + 60_000]);
  nowMs += 5_000;
  server.setTools([{ name: "read", description: "Reads more" }]);
  await client.reconnect({ server: "files" });
  assertEquals(times(), [nowMs, nowMs, nowMs + 60_000]);
  const samples = client.getConnectionStatus().files?.latencySamples ?? [];
  assert(samples.length >= 2 && samples.every((ms) => ms >= 0), String(samples));
  assertEquals(samples.at(-1), client.getConnectionStatus().files?.latencyMs);
});
