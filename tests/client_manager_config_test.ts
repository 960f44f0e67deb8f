import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConfigError, MCPClientManager, MemoryRouteStore, type PortolanConfig } from "@portolan/mcp";
import { assertNoCanary, CANARY, codeOf, failureOf, textOf, until } from "./support/client_support.ts";
import { refusedUrl } from "./support/fault_server.ts";
import { startContextServer } from "./support/context_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";
import { textResult } from "./support/test_tools.ts";

type Servers = PortolanConfig["agents"][string]["servers"];

function toConfig(agents: Readonly<Record<string, Servers>>): PortolanConfig {
  return { agents: Object.fromEntries(Object.entries(agents).map(([agent, servers]) => [agent, { servers }])) };
}

/** A server with a tool that answers when a gate opens. */
async function startSlowServer(name: string) {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const run = async () => {
    begun.resolve();
    await gate.promise;
    return textResult(`${name} is done`);
  };
  return Object.assign(await startMCPServer({ name, tools: [{ name: "slow", run }] }), { gate, begun });
}

Deno.test("MCPClientManager.applyConfig() replaces a server, and a call under way there has its answer", async () => {
  await using one = await startSlowServer("one");
  await using two = await startMCPServer({ name: "two" });
  await using manager = new MCPClientManager(toConfig({ Kairos: { s: { url: one.url } } }));
  await manager.connectAll();
  const client = manager.openClient("Kairos");
  const call = client.callTool("slow");
  await one.begun.promise;
  const difference = await manager.applyConfig(toConfig({ Kairos: { s: { url: two.url } } }));
  const servers = { added: [], removed: [], changed: ["s"] };
  assertEquals(difference, {
    added: [],
    removed: [],
    changed: [{ agent: "Kairos", servers, order: false, collisions: false, limits: false }],
    gateway: [],
  });
  assertStrictEquals(manager.getClient("Kairos"), client, "the agent's client stays, with its sessions and watches");
  const routed = await client.callToolRouted("whoami");
  assertEquals([textOf(routed.result), routed.route], ["two", "memory"], "it was listed before the switch");
  assertEquals([one.sessions.length, two.count("initialize")], [1, 1]);
  one.gate.resolve();
  assertEquals(textOf(await call), "one is done");
  await until(() => one.sessions.length === 0);
});

Deno.test("MCPClientManager.applyConfig() keeps the connections of what is the same", async () => {
  await using files = await startMCPServer({ name: "files" });
  await using notes = await startMCPServer({ name: "notes" });
  const [toFiles, toNotes] = [{ url: files.url }, { url: notes.url }];
  await using manager = new MCPClientManager(toConfig({ Kairos: { files: toFiles }, Ops: { notes: toNotes } }));
  await manager.connectAll();
  const seen = [files.requests.length, notes.requests.length];
  const ops = manager.getClient("Ops");
  await manager.applyConfig(toConfig({ Ops: { notes: toNotes }, Kairos: { notes: toNotes, files: toFiles } }));
  assertStrictEquals(manager.getClient("Ops"), ops);
  assertEquals([files.requests.length, files.sessions.length, notes.sessions.length], [seen[0], 1, 1]);
  assertEquals([manager.agents, manager.openClient("Kairos").servers], [["Ops", "Kairos"], ["notes", "files"]]);
});

Deno.test("MCPClientManager.applyConfig() of the same configuration changes nothing, however it is written", async () => {
  await using server = await startMCPServer();
  const headers = { "x-one": "1", "x-two": "2" };
  const config = { Kairos: { s: { url: server.url, headers } } };
  await using manager = new MCPClientManager(toConfig(config));
  await manager.connectAll();
  const seen = server.requests.length;
  const again = { Kairos: { s: { headers: { "x-two": "2", "x-one": "1" }, url: server.url, watch: undefined } } };
  const difference = await manager.applyConfig(toConfig(again));
  assertEquals(difference, { added: [], removed: [], changed: [], gateway: [] });
  assertEquals(server.requests.length, seen);
});

Deno.test("MCPClientManager.applyConfig() gives bare names to whom the new order and policy say", async () => {
  await using one = await startMCPServer({ name: "one" });
  await using two = await startMCPServer({ name: "two" });
  await using three = await startMCPServer({ name: "three" });
  const servers = { one: { url: one.url }, two: { url: two.url } };
  await using manager = new MCPClientManager(toConfig({ Kairos: servers }));
  await manager.connectAll();
  const client = manager.openClient("Kairos");
  const who = async () => textOf(await client.callTool("whoami"));
  assertEquals(await who(), "one");
  await manager.applyConfig(toConfig({ Kairos: { two: { url: two.url }, one: { url: one.url } } }));
  assertEquals(await who(), "two");
  await manager.applyConfig(toConfig({ Kairos: { two: { url: three.url }, one: { url: one.url } } }));
  assertEquals([client.servers, await who()], [["two", "one"], "three"], "a changed server keeps its place");
  const { changed } = await manager.applyConfig({
    agents: { Kairos: { servers: { two: { url: three.url }, one: { url: one.url } }, collisions: "error" } },
  });
  assertEquals(changed.map(({ collisions, servers }) => [collisions, servers.changed]), [[true, []]]);
  assertEquals(await codeOf(client.callTool("whoami")), "tool_ambiguous");
  assertEquals(textOf(await client.callTool("one__whoami")), "one");
});

Deno.test("MCPClientManager.applyConfig() removes an agent once what is under way there has ended", async () => {
  await using slow = await startSlowServer("slow");
  await using manager = new MCPClientManager(toConfig({ Kairos: { slow: { url: slow.url } }, Ops: {} }));
  await manager.connectAll();
  const call = manager.openClient("Kairos").callTool("slow");
  await slow.begun.promise;
  const { removed } = await manager.applyConfig(toConfig({ Ops: {} }));
  assertEquals([removed, manager.agents, slow.sessions.length], [["Kairos"], ["Ops"], 1]);
  await failureOf(() => Promise.try(() => manager.openClient("Kairos")), "agent_not_found");
  slow.gate.resolve();
  assertEquals(textOf(await call), "slow is done");
  await until(() => slow.sessions.length === 0);
});

Deno.test("MCPClientManager.applyConfig() ends calls of before with closed when their time is over", async () => {
  await using one = await startSlowServer("one");
  await using manager = new MCPClientManager(
    toConfig({ Kairos: { s: { url: one.url } }, Ops: { s: { url: one.url } } }),
  );
  await manager.connectAll();
  const calls = ["Kairos", "Ops"].map((agent) => codeOf(manager.openClient(agent).callTool("slow")));
  await until(() => one.count("tools/call") === 2);
  await manager.applyConfig(toConfig({ Kairos: { s: { url: refusedUrl() } } }), { graceMs: 1, timeoutMs: 1_000 });
  assertEquals(await Promise.all(calls), ["closed", "closed"]);
  one.gate.resolve();
  await until(() => one.sessions.length === 0);
});

Deno.test("MCPClientManager.close() ends also what is under way at servers and agents of before", async () => {
  await using one = await startSlowServer("one");
  const manager = new MCPClientManager(toConfig({ Kairos: { s: { url: one.url } }, Ops: { s: { url: one.url } } }));
  await manager.connectAll();
  const calls = ["Kairos", "Ops"].map((agent) => codeOf(manager.openClient(agent).callTool("slow")));
  await until(() => one.count("tools/call") === 2);
  await manager.applyConfig(toConfig({ Kairos: {} }));
  await manager.close();
  assertEquals(await Promise.all(calls), ["closed", "closed"]);
  one.gate.resolve();
  await failureOf(() => manager.applyConfig(toConfig({})), "closed");
});

Deno.test("MCPClientManager.applyConfig() refuses a configuration with all its faults and changes nothing", async () => {
  await using server = await startMCPServer();
  const before = { Kairos: { s: { url: server.url } } };
  await using manager = new MCPClientManager(toConfig(before));
  await manager.connectAll();
  const bad = toConfig({ Kairos: { s: { url: "ftp://x" } }, Ops: { t: { url: "gopher://x" } }, New: {} });
  const { faults } = await assertRejects(() => manager.applyConfig(bad), ConfigError);
  assertEquals(faults.map(({ path }) => path), ["agents.Kairos.servers.s.url", "agents.Ops.servers.t.url"]);
  assertEquals(manager.agents, ["Kairos"]);
  assertEquals(textOf(await manager.openClient("Kairos").callTool("echo", { text: "ahoy" })), "ahoy");
  const signal = AbortSignal.abort(new Error("never mind"));
  await assertRejects(() => manager.applyConfig(toConfig({ New: {} }), { signal }), Error, "never mind");
  assertEquals([manager.agents, server.sessions.length], [["Kairos"], 1]);
});

Deno.test("MCPClientManager.applyConfig() keeps agents and servers that were added at run time, until they are named", async () => {
  await using server = await startMCPServer({ name: "good" });
  const s = { url: server.url };
  await using manager = new MCPClientManager(toConfig({ Kairos: { a: s } }));
  await manager.addClient("Guest", { servers: { s } });
  manager.openClient("Kairos").addServer("extra", s);
  await manager.applyConfig(toConfig({ Kairos: { b: s } }));
  assertEquals([manager.agents, manager.openClient("Kairos").servers], [["Kairos", "Guest"], ["b", "extra"]]);
  const guest = manager.getClient("Guest");
  const { changed, added } = await manager.applyConfig(toConfig({ Guest: { s }, Kairos: { extra: s } }));
  assertEquals([added, changed.map(({ agent }) => agent)], [[], ["Kairos"]]);
  assertStrictEquals(manager.getClient("Guest"), guest);
  const { removed } = await manager.applyConfig(toConfig({ Kairos: {} }));
  assertEquals([removed, manager.agents, manager.openClient("Kairos").servers], [["Guest"], ["Kairos"], []]);
});

Deno.test("MCPClientManager.applyConfig() opens new agents, and leaves connecting to the first call where it is told to", async () => {
  await using server = await startMCPServer({ name: "good" });
  const config = toConfig({ Kairos: { s: { url: server.url } } });
  await using manager = new MCPClientManager();
  await manager.applyConfig(config, { connect: false });
  assertEquals([manager.agents, server.requests.length], [["Kairos"], 0]);
  assertEquals(textOf(await manager.openClient("Kairos").callTool("whoami")), "good");
  await manager.applyConfig(toConfig({}));
  await manager.applyConfig(config);
  assertEquals(manager.getStatusSummary().Kairos?.connectedServers, 1);
});

Deno.test("MCPClientManager.applyConfig() takes a server that is down, without holding up the others", async () => {
  await using server = await startMCPServer({ name: "good" });
  await using manager = new MCPClientManager(toConfig({ Kairos: { s: { url: server.url } } }));
  await manager.connectAll();
  await manager.applyConfig(toConfig({ Kairos: { down: { url: refusedUrl() }, s: { url: server.url } } }));
  const client = manager.openClient("Kairos");
  const { result, route } = await client.callToolRouted("whoami");
  assertEquals([textOf(result), route], ["good", "memory"]);
  assertEquals(client.getConnectionStatus().down?.state, "failed");
});

Deno.test("MCPClientManager.applyConfig() changes a secret, and tells of it by name alone", async () => {
  await using server = await startMCPServer();
  const headers = { authorization: "Bearer ${TOKEN}" };
  const toAgent = (token: string): PortolanConfig => ({
    agents: { Kairos: { servers: { s: { url: server.url, headers } }, secrets: { s: { TOKEN: token } } } },
  });
  await using manager = new MCPClientManager(toAgent("first"));
  await manager.connectAll();
  const difference = await manager.applyConfig(toAgent(CANARY));
  assertNoCanary(difference);
  assertEquals(difference.changed[0]?.servers.changed, ["s"]);
  await manager.openClient("Kairos").callTool("echo", { text: "ahoy" });
  const call = server.requests.find(({ rpcMethod }) => rpcMethod === "tools/call");
  assertEquals(call?.headers.get("authorization"), `Bearer ${CANARY}`);
});

Deno.test("MCPClientManager.applyConfig() takes one configuration after the other", async () => {
  await using one = await startMCPServer({ name: "one" });
  await using two = await startMCPServer({ name: "two" });
  await using manager = new MCPClientManager(toConfig({ Kairos: { s: { url: one.url } } }));
  await manager.connectAll();
  const applied = [two, one, two].map(({ url }) => manager.applyConfig(toConfig({ Kairos: { s: { url } } })));
  const changes = (await Promise.all(applied)).map(({ changed }) => changed.length);
  assertEquals(changes, [1, 1, 1]);
  assertEquals(textOf(await manager.openClient("Kairos").callTool("whoami")), "two");
  await until(() => one.sessions.length === 0);
  assertEquals(two.sessions.length, 1);
});

Deno.test("MCPClientManager.applyConfig() fails no call of many that go on meanwhile", async () => {
  await using one = await startMCPServer({ name: "one" });
  await using two = await startMCPServer({ name: "two" });
  await using manager = new MCPClientManager(toConfig({ Kairos: { s: { url: one.url } } }), {
    store: new MemoryRouteStore(),
  });
  await manager.connectAll();
  let isOver = false;
  const outcomes = new Map<unknown, number>();
  const callers = Array.from({ length: 6 }, async () => {
    while (!isOver) {
      const outcome = await codeOf(manager.openClient("Kairos").callTool("whoami"));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  });
  for (const connect of [true, false, true, false, true]) {
    for (const { url } of [two, one]) {
      await manager.applyConfig(toConfig({ Kairos: { s: { url } } }), { connect });
      const { length } = one.requests.concat(two.requests);
      await until(() => one.requests.length + two.requests.length > length + 20);
    }
  }
  isOver = true;
  await Promise.all(callers);
  assertEquals([...outcomes.keys()], ["ok"]);
  assert((outcomes.get("ok") ?? 0) >= 200);
});

Deno.test("MCPClientManager.applyConfig() goes on watching the lists of an agent, and tells who watches", async () => {
  await using one = await startMCPServer({ name: "one" });
  await using two = await startMCPServer({ name: "two" });
  await using manager = new MCPClientManager(toConfig({ Kairos: { s: { url: one.url } } }));
  await manager.connectAll();
  const told: string[] = [];
  const client = manager.openClient("Kairos");
  await using _ = await client.watchLists((kind) => told.push(kind));
  await manager.applyConfig(toConfig({ Kairos: { s: { url: two.url } } }));
  await until(() => told.includes("tools"));
  assert(client.findClientForTool("whoami") !== undefined);
  await until(() => one.sessions.length === 0);
});

for (const era of ["legacy", "modern"] as const) {
  Deno.test(`MCPClientManager.applyConfig() watches a resource on where its server is replaced: ${era}`, async () => {
    const offer = { resources: ["x://both"] };
    await using one = startContextServer(era, "one", offer);
    await using two = startContextServer(era, "two", offer);
    await using manager = new MCPClientManager(toConfig({ Kairos: { s: { url: one.url } } }));
    const client = manager.openClient("Kairos");
    const heard: string[] = [];
    const subscription = await client.subscribeResource("x://both", (uri) => heard.push(uri));
    await manager.applyConfig(toConfig({ Kairos: { s: { url: two.url } } }));
    await until(() => heard.length === 1);
    two.update("x://both");
    await until(() => heard.length === 2);
    await subscription.close();
    two.update("x://both");
    await manager.applyConfig(toConfig({ Kairos: { s: { url: one.url } } }));
    assertEquals([heard.length, subscription.uri], [2, "x://both"]);
  });
}

for (const store of [undefined, new MemoryRouteStore()]) {
  const where = store === undefined ? "without a store" : "with a store";
  Deno.test(`MCPClientManager.applyConfig() lets no call slide to another server where the changed owner is down, ${where}`, async () => {
    await using owner = await startMCPServer({ name: "owner" });
    await using other = await startMCPServer({ name: "other" });
    const toServers = (timeoutMs: number) => ({ a: { url: owner.url, timeoutMs }, b: { url: other.url } });
    await using manager = new MCPClientManager(toConfig({ Kairos: toServers(2_000) }), { store });
    await manager.connectAll();
    const kairos = manager.openClient("Kairos");
    assertEquals(textOf(await kairos.callTool("whoami")), "owner");
    await owner.stop();
    await manager.applyConfig(toConfig({ Kairos: toServers(2_500) }));
    assertEquals((await failureOf(() => kairos.callTool("whoami"), "unreachable")).server, "a");
    assertEquals(other.executions.get("whoami") ?? 0, 0);
  });
}
