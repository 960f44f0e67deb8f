import { assertEquals, assertLess, assertRejects, assertStrictEquals } from "@std/assert";
import { type AgentConfig, MultiServerMCPClient, type ServerStatus } from "@portolan/mcp";
import { type Behaviour, hang, htmlPage, ok, sequence, status } from "./support/behaviours.ts";
import { codeOf, failureOf, textOf, until } from "./support/client_support.ts";
import { type RawServer, refusedUrl, startRawServer } from "./support/fault_server.ts";
import { startMCPServer, type TestMCPServer } from "./support/mcp_server.ts";

/** Servers `s0`, `s1` … of one agent. */
function toConfig(servers: readonly { readonly url: string }[]): AgentConfig {
  return { servers: Object.fromEntries(servers.map(({ url }, index) => [`s${index}`, { url }])) };
}

async function startMany(count: number, delayMs: number): Promise<readonly TestMCPServer[]> {
  return await Promise.all(Array.from({ length: count }, (_, index) => startMCPServer({ name: `s${index}`, delayMs })));
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

Deno.test("MultiServerMCPClient.connectToServers() takes as long as one server, not as all of them", async () => {
  await using stack = new AsyncDisposableStack();
  const servers = await startMany(10, 60);
  for (const server of servers) stack.use(server);
  const one = stack.use(new MultiServerMCPClient("One", toConfig(servers.slice(0, 1))));
  const oneMs = await timeOf(() => one.connectToServers());
  const all = stack.use(new MultiServerMCPClient("All", toConfig(servers)));
  const allMs = await timeOf(() => all.connectToServers());
  assertEquals(all.getStatus().connectedServers, 10);
  assertLess(allMs / oneMs, 4, `10 servers took ${allMs / oneMs} times as long as one`);
});

for (const concurrentConnections of [1, 3]) {
  Deno.test(`MultiServerMCPClient.connectToServers() connects to ${concurrentConnections} at once`, async () => {
    let active = 0;
    let most = 0;
    const full = Promise.withResolvers<void>();
    const script: Record<string, Behaviour> = {
      initialize: async ({ respondOk }) => {
        most = Math.max(most, ++active);
        if (active === concurrentConnections) full.resolve();
        await full.promise;
        return respondOk();
      },
      "tools/list": ({ respondOk }) => {
        active--;
        return respondOk();
      },
    };
    await using stack = new AsyncDisposableStack();
    const servers = Array.from({ length: 9 }, () => stack.use(startRawServer(script)));
    const client = stack.use(new MultiServerMCPClient("Kairos", toConfig(servers)));
    const connected = await client.connectToServers({ concurrentConnections });
    assertEquals([Object.values(connected).filter(Boolean).length, most], [9, concurrentConnections]);
  });
}

for (const concurrentConnections of [0, 1.5, -1, NaN, Infinity]) {
  Deno.test(`MultiServerMCPClient.connectToServers() refuses concurrentConnections ${concurrentConnections}`, async () => {
    await using client = new MultiServerMCPClient("Kairos", { servers: {} });
    await assertRejects(() => client.connectToServers({ concurrentConnections }), RangeError, "concurrentConnections");
  });
}

Deno.test("MultiServerMCPClient.connectToServers() isolates servers that hang, refuse, fail or speak HTML", async () => {
  await using good = await startMCPServer({ name: "good" });
  await using hanging = startRawServer({ initialize: hang });
  await using failing = startRawServer({ "tools/list": status(500) });
  await using html = startRawServer({ initialize: htmlPage });
  const servers = {
    hanging: { url: hanging.url, timeoutMs: 700 },
    refusing: { url: refusedUrl() },
    failing: { url: failing.url },
    html: { url: html.url },
    good: { url: good.url },
  };
  await using client = new MultiServerMCPClient("Kairos", { servers });
  const settled: ServerStatus[] = [];
  const connected = await client.connectToServers({ onServerSettled: (status) => settled.push(status) });
  assertEquals(connected, { hanging: false, refusing: false, failing: false, html: false, good: true });
  const seen = Object.fromEntries(settled.map(({ server, state, lastError }) => [server, [state, lastError?.code]]));
  assertEquals(seen, {
    hanging: ["failed", "deadline_exceeded"],
    refusing: ["failed", "unreachable"],
    failing: ["failed", "upstream_error"],
    html: ["failed", "bad_response"],
    good: ["connected", undefined],
  });
  assertEquals(settled.at(-1)?.server, "hanging", "told as they settle");
  const { connectedServers, totalServers, totalTools } = client.getStatus();
  assertEquals([connectedServers, totalServers, totalTools], [1, 5, 3]);
  assertEquals(textOf(await client.callTool("whoami")), "good");
  await until(() => hanging.openStreams() === 0);
});

Deno.test("MultiServerMCPClient.connectToServers() asks the others although a listener throws", async () => {
  await using stack = new AsyncDisposableStack();
  const servers = await startMany(3, 0);
  for (const server of servers) stack.use(server);
  const client = stack.use(new MultiServerMCPClient("Kairos", toConfig(servers)));
  const onServerSettled = () => {
    throw new Error("a listener that throws");
  };
  const connected = await client.connectToServers({ concurrentConnections: 1, onServerSettled });
  assertEquals(connected, { s0: true, s1: true, s2: true });
});

Deno.test("MultiServerMCPClient.connectToServers() gives each server its own deadline", async () => {
  await using first = startRawServer({ initialize: hang });
  await using second = startRawServer({ initialize: hang });
  await using third = await startMCPServer();
  const { servers } = toConfig([first, second, third]);
  const config = { servers: { ...servers, s0: { url: first.url, timeoutMs: 80 } } };
  await using client = new MultiServerMCPClient("Kairos", config);
  const connected = await client.connectToServers({ concurrentConnections: 1, timeoutMs: 800 });
  assertEquals(connected, { s0: false, s1: false, s2: true });
});

Deno.test("MultiServerMCPClient.connectToServers() rethrows the caller's reason and closes what it opened", async () => {
  await using server = startRawServer({ initialize: hang });
  await using client = new MultiServerMCPClient("Kairos", toConfig([server]));
  const controller = new AbortController();
  const caught = client.connectToServers({ signal: controller.signal }).catch((error) => error);
  await until(() => server.count("initialize") === 1);
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await caught, reason);
  await until(() => server.openStreams() === 0);
  assertEquals(client.getConnectionStatus().s0?.state, "idle");
});

Deno.test("MultiServerMCPClient.connectToServers() resolves to an empty record without servers", async () => {
  await using client = new MultiServerMCPClient("Kairos", { servers: {} });
  assertEquals([await client.connectToServers(), await client.listTools()], [{}, []]);
  await failureOf(() => client.callTool("echo"), "tool_not_found");
});

Deno.test("MultiServerMCPClient.listTools() connects by itself, and leaves out servers that do not answer", async () => {
  await using server = await startMCPServer();
  await using hanging = startRawServer({ initialize: hang });
  await using client = new MultiServerMCPClient("Kairos", toConfig([hanging, server]));
  assertEquals((await client.listTools({ timeoutMs: 800 })).map(({ name }) => name), ["add", "echo", "whoami"]);
});

Deno.test("MultiServerMCPClient.listTools() rejects where not one server has listed its tools", async () => {
  await using html = startRawServer({ initialize: htmlPage });
  await using client = new MultiServerMCPClient("Kairos", toConfig([html, { url: refusedUrl() }]));
  const error = await failureOf(() => client.listTools(), "bad_response");
  assertEquals(error.message.includes('"s0" (bad_response), "s1" (unreachable)'), true, error.message);
  assertEquals((error.cause as AggregateError).errors.map(({ server }) => server), ["s0", "s1"]);
});

Deno.test("MultiServerMCPClient.listTools() asks again where not one server answered, once that is a while ago", async () => {
  await using server = startRawServer({ initialize: sequence(status(500), status(500), ok) });
  let nowMs = Date.now();
  await using client = new MultiServerMCPClient("Kairos", toConfig([server]), { now: () => nowMs });
  await failureOf(() => client.listTools(), "upstream_error");
  const asked = server.count("initialize");
  nowMs += 29_000;
  await failureOf(() => client.listTools(), "upstream_error");
  assertEquals(server.count("initialize"), asked);
  nowMs += 1_000;
  await failureOf(() => client.listTools(), "upstream_error");
  assertEquals(server.count("initialize"), 2 * asked);
  nowMs += 30_000;
  assertEquals((await client.listTools()).length > 0, true);
});

Deno.test("MultiServerMCPClient.listTools() rethrows the caller's reason", async () => {
  await using hanging = startRawServer({ initialize: hang });
  await using client = new MultiServerMCPClient("Kairos", toConfig([hanging]));
  const controller = new AbortController();
  const caught = client.listTools({ signal: controller.signal }).catch((error) => error);
  await until(() => hanging.count("initialize") === 1);
  controller.abort("enough");
  assertEquals(await caught, "enough");
});

Deno.test("MultiServerMCPClient.addServer() and removeServer() change what can be called", async () => {
  await using first = await startMCPServer({ name: "first", tools: [{ name: "one" }] });
  await using second = await startMCPServer({ name: "second", tools: [{ name: "two" }] });
  await using client = new MultiServerMCPClient("Kairos", { servers: { first: { url: first.url } } });
  await client.connectToServers();
  client.addServer("second", { url: second.url });
  assertEquals(client.getConnectionStatus().second?.state, "idle");
  assertEquals(textOf(await client.callTool("two")), "ok");
  assertEquals(client.servers, ["first", "second"]);
  await failureOf(() => Promise.try(() => client.addServer("second", { url: second.url })), "invalid_config");
  await client.removeServer("second");
  assertEquals([client.servers, second.sessions], [["first"], []]);
  await failureOf(() => client.callTool("two"), "tool_not_found");
  await failureOf(() => client.callTool("second__two"), "tool_not_found");
  await failureOf(() => client.removeServer("second"), "server_not_found");
});

Deno.test("MultiServerMCPClient.removeServer() ends the calls that are under way there", async () => {
  await using server = startRawServer({ "tools/call": hang });
  await using client = new MultiServerMCPClient("Kairos", toConfig([server]));
  const call = codeOf(client.callTool("echo"));
  await until(() => server.count("tools/call") === 1);
  await client.removeServer("s0");
  assertEquals(await call, "closed");
  await until(() => server.openStreams() === 0);
});

Deno.test("MultiServerMCPClient.reconnect() tries the servers that are not connected, and no other", async () => {
  await using good = await startMCPServer();
  await using late = startRawServer({ initialize: sequence(status(503), ok) });
  await using client = new MultiServerMCPClient("Kairos", toConfig([good, late]));
  assertEquals(await client.connectToServers(), { s0: true, s1: false });
  assertEquals(await client.reconnect(), { s1: true });
  assertEquals([good.count("initialize"), late.count("initialize")], [1, 2]);
  assertEquals(await client.reconnect(), {});
});

Deno.test("MultiServerMCPClient.reconnect() opens a new session with one server, connected or not", async () => {
  await using stack = new AsyncDisposableStack();
  const [first, second] = (await startMany(2, 0)).map((server) => stack.use(server)) as [TestMCPServer, TestMCPServer];
  const client = stack.use(new MultiServerMCPClient("Kairos", toConfig([first, second])));
  await client.connectToServers();
  assertEquals(await client.reconnect({ server: "s1" }), { s1: true });
  assertEquals([first.count("initialize"), second.count("initialize")], [1, 2]);
  await until(() => second.sessions.length === 1);
  await failureOf(() => client.reconnect({ server: "s9" }), "server_not_found");
});

Deno.test("MultiServerMCPClient.close() ends everything under way and is idempotent", async () => {
  const scripts: readonly Record<string, Behaviour>[] = [{ initialize: hang }, { "tools/list": hang }, {
    "tools/call": hang,
  }];
  await using stack = new AsyncDisposableStack();
  const servers = scripts.map((script) => stack.use(startRawServer(script, { sessionId: "s-1" }))) as [
    RawServer,
    RawServer,
    RawServer,
  ];
  const client = new MultiServerMCPClient("Kairos", toConfig(servers));
  const work = [
    codeOf(client.connectToServers()),
    codeOf(client.listTools()),
    codeOf(client.callTool("echo")),
    codeOf(client.callTool("s2__echo")),
    codeOf(client.callTool("s0__echo")),
    codeOf(client.routeTool("echo")),
  ];
  await until(() => servers[2].count("tools/call") === 1 && servers[1].count("tools/list") === 1);
  assertStrictEquals(client.close(), client.close());
  await client.close();
  assertEquals(await Promise.all(work), ["ok", "closed", "closed", "closed", "closed", "closed"]);
  await until(() => servers.every((server) => server.openStreams() === 0));
  assertEquals(Object.values(client.getConnectionStatus()).map(({ state }) => state), ["closed", "closed", "closed"]);
});

Deno.test("MultiServerMCPClient rejects with closed after close()", async () => {
  await using server = await startMCPServer();
  const client = new MultiServerMCPClient("Kairos", toConfig([server]));
  await client.connectToServers();
  await client.close();
  const sent = server.requests.length;
  for (
    const use of [
      () => client.connectToServers(),
      () => client.reconnect(),
      () => client.listTools(),
      () => client.callTool("echo", { text: "hi" }),
      () => client.routeTool("echo"),
      () => Promise.try(() => client.addServer("more", { url: server.url })),
    ]
  ) await failureOf(use, "closed");
  assertEquals([server.requests.length, client.getStatus().connectedServers], [sent, 0]);
});

Deno.test("MultiServerMCPClient[Symbol.asyncDispose]() closes the sessions of all servers", async () => {
  await using stack = new AsyncDisposableStack();
  const servers = (await startMany(3, 0)).map((server) => stack.use(server));
  {
    await using client = new MultiServerMCPClient("Kairos", toConfig(servers));
    await client.connectToServers();
    assertEquals(servers.map(({ sessions }) => sessions.length), [1, 1, 1]);
  }
  assertEquals(servers.map(({ sessions }) => sessions.length), [0, 0, 0]);
});
