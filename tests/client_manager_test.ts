import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ConfigError, MCPClientManager, MemoryRouteStore, type PortolanConfig } from "@portolan/mcp";
import { hang, ok, sequence, status } from "./support/behaviours.ts";
import { codeOf, failureOf, textOf, until } from "./support/client_support.ts";
import { refusedUrl, startRawServer } from "./support/fault_server.ts";
import { FaultyRouteStore } from "./support/faulty_route_store.ts";
import { startMCPServer } from "./support/mcp_server.ts";

function toConfig(
  agents: Readonly<Record<string, Readonly<Record<string, { readonly url: string }>>>>,
): PortolanConfig {
  const toServers = (servers: Readonly<Record<string, { readonly url: string }>>) =>
    Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, { url }]));
  return {
    agents: Object.fromEntries(
      Object.entries(agents).map(([agent, servers]) => {
        return [agent, { servers: toServers(servers) }];
      }),
    ),
  };
}

Deno.test("MCPClientManager.addClient() resolves to true where at least one server is connected", async () => {
  await using server = await startMCPServer({ name: "good" });
  await using manager = new MCPClientManager(toConfig({ Kairos: { good: server, down: { url: refusedUrl() } } }));
  assertEquals(manager.getClient("Kairos"), undefined);
  assertEquals(await manager.addClient("Kairos"), true);
  assertEquals(textOf(await manager.getClient("Kairos")!.callTool("whoami")), "good");
  const { Kairos } = manager.getStatusSummary();
  assertEquals([Kairos?.connectedServers, Kairos?.totalServers, Kairos?.totalTools], [1, 2, 3]);
});

Deno.test("MCPClientManager.addClient() resolves to false where no server is connected", async () => {
  await using manager = new MCPClientManager(toConfig({ Kairos: { down: { url: refusedUrl() } }, Empty: {} }));
  assertEquals([await manager.addClient("Kairos"), await manager.addClient("Empty")], [false, false]);
  assertEquals(manager.getStatusSummary().Kairos?.servers.down?.lastError?.code, "unreachable");
});

Deno.test("MCPClientManager.addClient() adds an agent at run time, once", async () => {
  await using server = await startMCPServer();
  await using manager = new MCPClientManager();
  const config = { servers: { s: { url: server.url } } };
  assertEquals(await manager.addClient("Kairos", config), true);
  assertEquals(manager.agents, ["Kairos"]);
  await failureOf(() => manager.addClient("Kairos", config), "invalid_config");
  await failureOf(() => manager.addClient("Other", { servers: { s: { url: "ftp://x" } } }), "invalid_config");
  assertEquals(manager.agents, ["Kairos"]);
});

Deno.test("MCPClientManager.addClient() keeps the client of an agent, and connects it again", async () => {
  await using server = startRawServer({ initialize: sequence(status(500), ok) });
  await using manager = new MCPClientManager(toConfig({ Kairos: { s: server } }));
  assertEquals(await manager.addClient("Kairos"), false);
  const client = manager.getClient("Kairos");
  assertEquals(await manager.addClient("Kairos"), true);
  assertStrictEquals(manager.getClient("Kairos"), client);
});

Deno.test("MCPClientManager suggests names for an unknown agent", async () => {
  await using manager = new MCPClientManager(toConfig({ Kairos: {}, Mercurius: {} }));
  const error = await failureOf(() => manager.addClient("Kairo"), "agent_not_found");
  assertEquals(error.suggestions, ["Kairos"]);
  await failureOf(() => manager.reconnectClient("Nobody"), "agent_not_found");
  assertEquals(manager.getClient("Nobody"), undefined);
});

Deno.test("MCPClientManager() throws for a configuration with faults", () => {
  assertThrows(() => new MCPClientManager(toConfig({ Kairos: { s: { url: "ftp://x" } } })), ConfigError);
});

for (const agent of ["__proto__", "constructor", "toString", ""]) {
  Deno.test(`S6 MCPClientManager takes "${agent}" for an unknown agent`, async () => {
    await using manager = new MCPClientManager(toConfig({ Kairos: {} }));
    await failureOf(() => manager.addClient(agent), "agent_not_found");
    await failureOf(() => manager.reconnectClient(agent), "agent_not_found");
    assertEquals([manager.getClient(agent), await manager.removeClient(agent)], [undefined, false]);
    assertEquals(Object.keys(manager.getStatusSummary()), ["Kairos"]);
  });
}

Deno.test("S6 MCPClientManager serves an agent and a server called constructor", async () => {
  await using server = await startMCPServer();
  await using manager = new MCPClientManager(toConfig({ constructor: { constructor: server } }));
  assertEquals(await manager.addClient("constructor"), true);
  const summary = manager.getStatusSummary();
  assertEquals(Object.hasOwn(summary, "constructor") && Object.keys(summary), ["constructor"]);
});

Deno.test("MCPClientManager.connectAll() connects all agents at once, each for itself", async () => {
  await using server = await startMCPServer();
  await using manager = new MCPClientManager(toConfig({ A: { s: server }, B: { s: { url: refusedUrl() } }, C: {} }));
  assertEquals(await manager.connectAll(), { A: true, B: false, C: false });
});

Deno.test("MCPClientManager.reconnectClient() and reconnectAll() try what is not connected", async () => {
  const failing = () => sequence(status(500), status(500), ok);
  await using good = await startMCPServer();
  await using first = startRawServer({ initialize: failing() });
  await using second = startRawServer({ initialize: failing() });
  await using manager = new MCPClientManager(toConfig({ A: { good, late: first }, B: { late: second } }));
  await manager.connectAll();
  assertEquals(await manager.reconnectClient("A"), { late: false });
  assertEquals(await manager.reconnectAll(), { A: { late: true }, B: { late: false } });
  assertEquals(await manager.reconnectAll(), { A: {}, B: { late: true } });
  assertEquals(await manager.reconnectClient("A", { server: "good" }), { good: true });
  assertEquals(good.count("initialize"), 2);
});

Deno.test("MCPClientManager.removeClient() closes the agent's connections", async () => {
  await using server = await startMCPServer();
  await using manager = new MCPClientManager(toConfig({ Kairos: { s: server } }));
  await manager.addClient("Kairos");
  assertEquals([await manager.removeClient("Kairos"), server.sessions, manager.agents], [true, [], []]);
  await failureOf(() => manager.addClient("Kairos"), "agent_not_found");
  assertEquals(await manager.removeClient("Kairos"), false);
});

Deno.test("MCPClientManager.close() closes every agent although a server does not let go, and is idempotent", async () => {
  await using stuck = startRawServer({ DELETE: hang, "tools/call": hang }, { sessionId: "s-1" });
  await using good = await startMCPServer();
  const manager = new MCPClientManager(toConfig({ A: { stuck }, B: { good } }));
  await manager.connectAll();
  const call = codeOf(manager.openClient("A").callTool("echo"));
  await until(() => stuck.count("tools/call") === 1);
  assertStrictEquals(manager.close(), manager.close());
  await manager.close();
  assertEquals([good.sessions, await call], [[], "closed"]);
  await until(() => stuck.openStreams() === 0);
});

Deno.test("MCPClientManager rejects with closed after close(), and still tells its status", async () => {
  await using server = await startMCPServer();
  const manager = new MCPClientManager(toConfig({ Kairos: { s: server }, Unused: { s: server } }));
  await manager.addClient("Kairos");
  await manager.close();
  await failureOf(() => manager.addClient("Kairos"), "closed");
  await failureOf(() => manager.reconnectClient("Kairos"), "closed");
  await failureOf(() => Promise.try(() => manager.openClient("Kairos")), "closed");
  const states = Object.values(manager.getStatusSummary()).map(({ servers }) => servers.s?.state);
  assertEquals(states, ["closed", "idle"]);
});

Deno.test("MCPClientManager gives its store to all agents, each with its own entries", async () => {
  const store = new MemoryRouteStore();
  await using server = await startMCPServer();
  const config = toConfig({ A: { s: server }, B: { s: server } });
  {
    await using manager = new MCPClientManager(config, { store });
    await manager.addClient("A");
  }
  await using manager = new MCPClientManager(config, { store });
  assertEquals((await manager.openClient("A").callToolRouted("whoami")).route, "cache");
  assertEquals((await manager.openClient("B").callToolRouted("whoami")).route, "discovery");
});

Deno.test("K1 MCPClientManager warns once of a store that fails all agents, and once when it is well again", async () => {
  await using server = await startMCPServer();
  let nowMs = 1_800_000_000_000;
  const store = new FaultyRouteStore(() => nowMs);
  store.fault = "rejects";
  const warnings: string[] = [];
  const names = ["Kairos", "Mercurius", "Minerva"];
  const agents = Object.fromEntries(names.map((name) => [name, { s: server }]));
  const onWarning = (message: string) => void warnings.push(message.split(" as ")[0] ?? "");
  await using manager = new MCPClientManager(toConfig(agents), { store, onWarning, now: () => nowMs });
  await manager.connectAll();
  assertEquals(warnings, ["Cannot use the route store"]);
  store.fault = "none";
  nowMs += 3_600_000;
  for (const name of names) await manager.openClient(name).listTools();
  assertEquals(warnings, ["Cannot use the route store", "The route store answers again"]);
});

Deno.test("MCPClientManager.watchEvents() tells of all agents until it is ended, whatever a listener throws", async () => {
  await using server = await startMCPServer({ name: "good" });
  await using manager = new MCPClientManager(
    toConfig({ Kairos: { good: server }, Ops: { down: { url: refusedUrl() } } }),
  );
  const seen: string[] = [];
  manager.watchEvents(() => {
    throw new Error("no");
  });
  const end = manager.watchEvents(({ agent, type }) => seen.push(`${agent} ${type}`));
  await manager.connectAll();
  end();
  await manager.openClient("Kairos").callTool("whoami");
  assertEquals(seen.sort(), ["Kairos connected", "Ops failed"]);
});
