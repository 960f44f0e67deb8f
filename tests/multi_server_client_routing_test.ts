import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { delay } from "@std/async";
import { type AgentConfig, MultiServerMCPClient } from "@portolan/mcp";
import { after, answer, type Behaviour, drop, hang, ok, rpcError, sequence, status } from "./support/behaviours.ts";
import { codeOf, failureOf, textOf, until } from "./support/client_support.ts";
import { type RawServer, startRawServer } from "./support/fault_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";
import { textResult } from "./support/test_tools.ts";

function toConfig(servers: Readonly<Record<string, { readonly url: string }>>): AgentConfig {
  return { servers: Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, { url }])) };
}

function tool(name: string) {
  return { name, inputSchema: { type: "object" } };
}

/** A tool of a real server that answers which server it is. */
function speakingTool(name: string, server: string) {
  return { name, run: () => textResult(server) };
}

Deno.test("MultiServerMCPClient.callTool() goes to the server that owns the tool, and to no other", async () => {
  await using files = await startMCPServer({ tools: [speakingTool("read_file", "files")] });
  await using calendar = await startMCPServer({ tools: [speakingTool("list_events", "calendar")] });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ files, calendar }));
  await client.connectToServers();
  for (const [name, server] of [["list_events", "calendar"], ["read_file", "files"], ["files__read_file", "files"]]) {
    const routed = await client.callToolRouted(name!);
    assertEquals([routed.server, routed.route, textOf(routed.result)], [server, "memory", server]);
  }
  assertEquals([files.count("tools/call"), calendar.count("tools/call")], [2, 1]);
  assertEquals(client.findClientForTool("list_events")?.server, "calendar");
  assertEquals(client.findClientForTool("nothing"), undefined);
});

Deno.test("MultiServerMCPClient.callTool() gives an equal bare name to the first server, and shows the shadowed one", async () => {
  await using first = await startMCPServer({ tools: [speakingTool("search", "first")] });
  await using second = await startMCPServer({ tools: [speakingTool("search", "second")], delayMs: 0 });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ first, second }));
  await client.connectToServers();
  assertEquals(textOf(await client.callTool("search")), "first");
  assertEquals(textOf(await client.callTool("second__search")), "second");
  assertEquals((await client.listTools()).map(({ name }) => name), ["search", "second__search"]);
  const shadowed = { tool: "search", owner: "first", server: "second", exposedAs: "second__search" };
  assertEquals(client.getStatus().shadowed, [shadowed]);
});

for (const collisions of ["prefix", "error"] as const) {
  Deno.test(`MultiServerMCPClient.callTool() heeds the collision policy ${collisions}`, async () => {
    await using first = await startMCPServer({ tools: [speakingTool("search", "first"), { name: "only" }] });
    await using second = await startMCPServer({ tools: [speakingTool("search", "second")] });
    const config = { ...toConfig({ first, second }), collisions };
    await using client = new MultiServerMCPClient("Kairos", config);
    await client.connectToServers();
    const code = collisions === "error" ? "tool_ambiguous" : "tool_not_found";
    const error = await failureOf(() => client.callTool("search"), code);
    if (collisions === "error") assertEquals(error.suggestions, ["first__search", "second__search"]);
    assertEquals(textOf(await client.callTool("second__search")), "second");
    assertEquals(await codeOf(client.callTool("only")), collisions === "error" ? "ok" : "tool_not_found");
  });
}

Deno.test("MultiServerMCPClient.callTool() never slides to another server while the owner is down", async () => {
  await using first = startRawServer({ "tools/call": sequence(drop, status(500), hang) }, { tools: [tool("search")] });
  await using second = startRawServer({}, { tools: [tool("search")] });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ first, second }));
  await client.connectToServers();
  for (const code of ["outcome_unknown", "upstream_error", "deadline_exceeded"] as const) {
    const error = await failureOf(() => client.callTool("search", {}, { timeoutMs: 100 }), code);
    assertEquals(error.server, "first");
  }
  await first.stop();
  assertEquals((await client.reconnect({ server: "first" })).first, false);
  assertEquals((await failureOf(() => client.callTool("search"), "unreachable")).server, "first");
  assertEquals([client.findClientForTool("search")?.server, second.count("tools/call")], ["first", 0]);
});

Deno.test("MultiServerMCPClient.callTool() by a qualified name waits for its own server alone", async () => {
  await using hanging = startRawServer({ initialize: hang });
  await using good = await startMCPServer({ name: "good" });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ hanging, good }));
  const connecting = codeOf(client.connectToServers({ timeoutMs: 3_000 }));
  assertEquals(textOf(await client.callTool("good__whoami")), "good");
  assertEquals(client.getConnectionStatus().hanging?.state, "connecting");
  await client.close();
  await connecting;
});

Deno.test("MultiServerMCPClient.callTool() by a bare name waits only for servers that could own it", async () => {
  const opened = Promise.withResolvers<void>();
  await using first = startRawServer({ initialize: after(opened.promise) }, { tools: [tool("search")] });
  await using second = startRawServer({}, { tools: [tool("search"), tool("other")] });
  await using third = startRawServer({ initialize: hang });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ first, second, third }));
  const connecting = codeOf(client.connectToServers({ timeoutMs: 5_000 }));
  const call = client.callToolRouted("search");
  await until(() => client.getConnectionStatus().second?.state === "connected" && second.count("tools/list") === 1);
  assertEquals(second.count("tools/call"), 0, "the first server may own the name");
  opened.resolve();
  const { server, route } = await call;
  assertEquals([server, route], ["first", "discovery"]);
  assertEquals(client.getConnectionStatus().third?.state, "connecting", "a later server cannot own it");
  assertEquals((await client.callToolRouted("other")).server, "second");
  await client.close();
  await connecting;
});

Deno.test("MultiServerMCPClient.callTool() has the same owner whatever the order in which servers answer", async () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]]) {
    const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
    await using stack = new AsyncDisposableStack();
    const servers = gates.map(({ promise }) => {
      return stack.use(startRawServer({ initialize: after(promise) }, { tools: [tool("search")] }));
    }) as [RawServer, RawServer, RawServer];
    const [a, b, c] = servers;
    const client = stack.use(new MultiServerMCPClient("Kairos", toConfig({ a, b, c })));
    const calls = [client.callToolRouted("search"), client.callToolRouted("c__search")];
    for (const index of order) {
      gates[index]?.resolve();
      await until(() => servers[index]?.count("tools/list") === 1);
    }
    assertEquals((await Promise.all(calls)).map(({ server }) => server), ["a", "c"]);
  }
});

Deno.test("MultiServerMCPClient.callTool() rejects at its deadline while a server that could own the name hangs", async () => {
  await using hanging = startRawServer({ initialize: hang });
  await using good = await startMCPServer();
  await using client = new MultiServerMCPClient("Kairos", toConfig({ hanging, good }));
  const error = await failureOf(() => client.callTool("whoami", {}, { timeoutMs: 400 }), "deadline_exceeded");
  assertEquals([error.retryable, error.message.includes('"hanging"')], [true, true]);
  assertEquals(good.count("tools/call"), 0);
});

Deno.test("MultiServerMCPClient.callTool() goes on without a server that has failed", async () => {
  await using failing = startRawServer({ initialize: status(500) });
  await using good = await startMCPServer({ name: "good" });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ failing, good }));
  assertEquals(textOf(await client.callTool("whoami")), "good");
  const error = await failureOf(() => client.callTool("whoam"), "tool_not_found");
  assertEquals([error.suggestions, error.message.includes('did not answer are "failing"')], [["whoami"], true]);
  const qualified = await failureOf(() => client.callTool("failing__whoami"), "upstream_error");
  assertEquals([qualified.server, qualified.retryable], ["failing", true]);
});

Deno.test("MultiServerMCPClient.callTool() asks once more for a name that nobody lists, and no oftener", async () => {
  let nowMs = 1_000_000;
  await using server = await startMCPServer();
  await using client = new MultiServerMCPClient("Kairos", toConfig({ server }), { now: () => nowMs });
  await client.connectToServers();
  await failureOf(() => client.callTool("later"), "tool_not_found");
  assertEquals(server.count("tools/list"), 1, "the list is from just now");
  nowMs += 10_000;
  server.setTools([speakingTool("later", "late"), { name: "echo" }]);
  const { result, route } = await client.callToolRouted("later");
  assertEquals([textOf(result), route, server.count("tools/list")], ["late", "discovery", 2]);
  for (let i = 0; i < 5; i++) await failureOf(() => client.callTool("never"), "tool_not_found");
  assertEquals(server.count("tools/list"), 2);
});

Deno.test("MultiServerMCPClient.callTool() refreshes stale lists in the background once the caller has an answer", async () => {
  let nowMs = 1_000_000;
  const listed = Promise.withResolvers<void>();
  const list = sequence(ok, after(listed.promise));
  await using server = startRawServer({ "tools/list": list });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ server }), {
    now: () => nowMs,
    toolsTtlMs: 60_000,
  });
  await client.connectToServers();
  nowMs += 59_999;
  await client.callTool("echo");
  assertEquals(server.count("tools/list"), 1, "within its time");
  nowMs += 1;
  assertEquals((await client.callToolRouted("echo")).route, "memory");
  await client.callTool("echo");
  await until(() => server.count("tools/list") === 2);
  assertEquals((await client.routeTool("echo")).fresh, false);
  listed.resolve();
  await until(async () => (await client.routeTool("echo")).fresh);
  const { reason, ageMs } = await client.routeTool("echo");
  assertEquals([reason, ageMs], ['only server "server" lists it', 0]);
  assertEquals(server.count("tools/list"), 2, "one refresh for all calls");
});

for (const code of [-32602, -32601]) {
  Deno.test(`MultiServerMCPClient.callTool() finds the new owner of a tool that has moved: ${code}`, async () => {
    let nowMs = 1_000_000;
    const listOnce = answer({ tools: [tool("search")] });
    const listMoved = answer({ tools: [tool("other")] });
    const refuses = { "tools/call": rpcError(code, "Unknown tool"), "tools/list": sequence(listOnce, listMoved) };
    await using old = startRawServer(refuses);
    await using next = startRawServer({}, { tools: [tool("search")] });
    await using client = new MultiServerMCPClient("Kairos", toConfig({ old, next }), { now: () => nowMs });
    await client.connectToServers();
    nowMs += 10_000;
    const { server, result } = await client.callToolRouted("search", { text: "moved" });
    assertEquals([server, textOf(result)], ["next", "moved"]);
    assertEquals([old.count("tools/call"), next.count("tools/call")], [1, 1]);
  });

  Deno.test(`MultiServerMCPClient.callTool() believes a refusal where the list says the same: ${code}`, async () => {
    let nowMs = 1_000_000;
    await using server = startRawServer({ "tools/call": rpcError(code, "Bad arguments") });
    await using client = new MultiServerMCPClient("Kairos", toConfig({ server }), { now: () => nowMs });
    await client.connectToServers();
    nowMs += 10_000;
    const error = await failureOf(() => client.callTool("echo"), "upstream_error");
    assertEquals([error.rpcCode, server.count("tools/call"), server.count("tools/list")], [code, 1, 2]);
  });
}

Deno.test("MultiServerMCPClient.callTool() asks a server anew in the background whose tool answers isError", async () => {
  let nowMs = 1_000_000;
  await using old = await startMCPServer({ tools: [speakingTool("search", "old")] });
  await using next = await startMCPServer({ tools: [speakingTool("search", "next")] });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ old, next }), { now: () => nowMs });
  await client.connectToServers();
  old.setTools([]);
  assertEquals((await client.callTool("search")).isError, true);
  assertEquals(old.count("tools/list"), 1, "the list is from just now");
  nowMs += 10_000;
  old.setTools([{ name: "other" }]);
  assertEquals((await client.callTool("search")).isError, true, "the caller has the server's own words");
  await until(() => client.findClientForTool("search")?.server === "next");
  assertEquals([textOf(await client.callTool("search")), old.count("tools/list")], ["next", 2]);
});

Deno.test("MultiServerMCPClient keeps a good list until an empty one is confirmed", async () => {
  await using server = startRawServer({ "tools/list": sequence(ok, answer({ tools: [] })) });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ server }));
  await client.connectToServers();
  await client.connectToServers();
  assertEquals(textOf(await client.callTool("echo", { text: "still there" })), "still there");
  assertEquals(client.getStatus().totalTools, 1);
  await client.connectToServers();
  assertEquals(client.getStatus().totalTools, 0);
  await failureOf(() => client.callTool("echo"), "tool_not_found");
});

Deno.test("MultiServerMCPClient keeps a good list where a new one cannot be had", async () => {
  await using server = startRawServer({ "tools/list": sequence(ok, status(500), ok) });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ server }));
  await client.connectToServers();
  assertEquals(await client.connectToServers(), { server: false });
  assertEquals(textOf(await client.callTool("echo", { text: "hi" })), "hi");
});

Deno.test("MultiServerMCPClient.callTool() covers finding the owner and the call with one deadline", async () => {
  const slowly: Behaviour = (context) => after(delay(450))(context);
  await using server = startRawServer({ initialize: slowly, "tools/call": hang });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ server }));
  const startedAt = performance.now();
  assertEquals(await codeOf(client.callTool("echo", {}, { timeoutMs: 600 })), "deadline_exceeded");
  const endedAt = performance.now();
  const calledAt = server.requests.find(({ rpcMethod }) => rpcMethod === "tools/call")?.atMs ?? endedAt;
  assertGreater(calledAt, startedAt);
  assertLess(endedAt - calledAt, calledAt - startedAt, "the call has what finding its owner has left");
});

for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", ""]) {
  Deno.test(`S6 MultiServerMCPClient.callTool() takes "${name}" for an unknown name`, async () => {
    await using server = await startMCPServer();
    await using client = new MultiServerMCPClient("Kairos", toConfig({ server }));
    await client.connectToServers();
    await failureOf(() => client.callTool(name), "tool_not_found");
    await failureOf(() => client.callTool(`server__${name}`), "tool_not_found");
    assertEquals(client.findClientForTool(name), undefined);
    assertEquals(server.count("tools/call"), 0);
  });
}

Deno.test("S6 MultiServerMCPClient calls a tool constructor of a server constructor", async () => {
  await using server = startRawServer({}, { tools: [tool("constructor"), tool("__proto__"), tool("toString")] });
  const config = { servers: { constructor: { url: server.url } }, secrets: {} };
  await using client = new MultiServerMCPClient("constructor", config);
  assertEquals(await client.connectToServers(), { constructor: true } as Record<string, boolean>);
  assertEquals((await client.callToolRouted("constructor", { text: "hi" })).server, "constructor");
  assertEquals(textOf(await client.callTool("constructor__toString", { text: "hi" })), "hi");
  assertEquals((await client.listTools()).map(({ name }) => name), ["constructor", "toString"]);
});
