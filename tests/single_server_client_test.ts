import { assertEquals, assertGreater, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ConfigError, type Progress, SingleServerMCPClient } from "@portolan/mcp";
import type { JsonObject } from "../src/protocol.ts";
import { answer, hang, rpcError, status } from "./support/behaviours.ts";
import { failureOf, textOf, until } from "./support/client_support.ts";
import { startRawServer, startSilentServer } from "./support/fault_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";
import { type TestTool, textResult } from "./support/test_tools.ts";

const STREAMABLE = [{}, { json: true }, { stateful: false }, { stateful: false, json: true }];

for (const options of STREAMABLE) {
  Deno.test(`SingleServerMCPClient.connect() speaks Streamable HTTP: ${JSON.stringify(options)}`, async () => {
    await using server = await startMCPServer({ name: "alpha", ...options });
    await using client = new SingleServerMCPClient("files", { url: server.url, era: "legacy" });
    await client.connect();
    assertEquals(client.isConnected, true);
    const { era, transport, protocolVersion, toolCount, toolsFrom } = client.getStatus();
    assertEquals([era, transport, protocolVersion], ["legacy", "streamable_http", "2025-11-25"]);
    assertEquals([toolCount, toolsFrom], [3, "server"]);
    assertEquals((await client.listTools()).map(({ name }) => name), ["echo", "whoami", "add"]);
    assertEquals(textOf(await client.callTool("whoami")), "alpha");
    assertEquals(textOf(await client.callTool("add", { a: 2, b: 3 })), "5");
    const methods = server.requests.map(({ rpcMethod }) => rpcMethod);
    assertEquals(methods, ["initialize", "notifications/initialized", "tools/list", "tools/call", "tools/call"]);
    assertEquals(server.openStreams(), 0);
  });
}

Deno.test("SingleServerMCPClient.connect() speaks SSE to a server that knows nothing else", async () => {
  await using server = await startMCPServer({ name: "old", transport: "sse" });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  assertEquals([client.getStatus().transport, client.getStatus().toolCount], ["sse", 3]);
  assertEquals(textOf(await client.callTool("add", { a: 2, b: 3 })), "5");
  assertEquals(server.openStreams(), 1);
  await client.close();
  await until(() => server.openStreams() === 0);
});

Deno.test("SingleServerMCPClient.connect() does not ask for Streamable HTTP where the transport is sse", async () => {
  await using server = await startMCPServer({ transport: "sse" });
  await using client = new SingleServerMCPClient("files", { url: server.url, transport: "sse" });
  await client.connect();
  assertEquals(server.requests[0]?.method, "GET");
});

Deno.test("SingleServerMCPClient.connect() does not fall back where the transport is streamable_http", async () => {
  await using server = await startMCPServer({ transport: "sse" });
  await using client = new SingleServerMCPClient("files", {
    url: server.url,
    transport: "streamable_http",
    era: "legacy",
  });
  const error = await failureOf(() => client.connect(), "upstream_error");
  assertEquals(error.httpStatus, 405);
  assertEquals(server.requests.map(({ method }) => method), ["POST"]);
});

for (const code of [400, 404, 405]) {
  Deno.test(`SingleServerMCPClient.connect() tries SSE after HTTP ${code}, and names both answers`, async () => {
    await using server = startRawServer({ initialize: status(code), GET: status(404) });
    await using client = new SingleServerMCPClient("files", { url: server.url, era: "legacy" });
    const error = await failureOf(() => client.connect(), "unsupported_protocol");
    assertEquals(error.httpStatus, code);
    assertEquals(server.requests.map(({ method }) => method), ["POST", "GET"]);
  });
}

for (const [code, expected] of [[401, "unauthorized"], [403, "forbidden"], [500, "upstream_error"]] as const) {
  Deno.test(`SingleServerMCPClient.connect() does not try SSE after HTTP ${code}`, async () => {
    await using server = startRawServer({ initialize: status(code, { body: "private words of the server" }) });
    await using client = new SingleServerMCPClient("files", { url: server.url, era: "legacy" });
    const error = await failureOf(() => client.connect(), expected);
    assertEquals([error.httpStatus, error.server], [code, "files"]);
    assertEquals(error.message.includes("private words"), false);
    assertEquals(server.requests.map(({ method }) => method), ["POST"]);
  });
}

Deno.test("SingleServerMCPClient.connect() does not try SSE after a time-out, and closes the socket", async () => {
  await using server = startSilentServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const error = await failureOf(() => client.connect({ timeoutMs: 50 }), "deadline_exceeded");
  assertEquals(error.retryable, true);
  assertEquals(server.acceptedConnections(), 1);
  await until(() => server.openConnections() === 0);
});

for (const [configuredMs, optionMs] of [[60, 60_000], [60_000, 60]] as const) {
  const name = `configured ${configuredMs} ms, option ${optionMs} ms`;
  Deno.test(`SingleServerMCPClient.connect() takes the smaller timeoutMs: ${name}`, async () => {
    await using server = startSilentServer();
    await using client = new SingleServerMCPClient("files", { url: server.url, timeoutMs: configuredMs });
    await failureOf(() => client.connect({ timeoutMs: optionMs }), "deadline_exceeded");
  });

  Deno.test(`SingleServerMCPClient.callTool() takes the smaller timeoutMs: ${name}`, async () => {
    await using server = startRawServer({ "tools/call": hang });
    await using client = new SingleServerMCPClient("files", { url: server.url, timeoutMs: configuredMs });
    await failureOf(() => client.callTool("echo", {}, { timeoutMs: optionMs }), "deadline_exceeded");
  });
}

for (const transport of ["streamable_http", "sse"] as const) {
  for (const timeoutMs of [Infinity, 2 ** 31]) {
    Deno.test(`SingleServerMCPClient.callTool() lives with timeoutMs ${timeoutMs} over ${transport}`, async () => {
      await using server = await startMCPServer({ transport });
      await using client = new SingleServerMCPClient("files", { url: server.url });
      assertEquals(textOf(await client.callTool("echo", { text: "hi" }, { timeoutMs })), "hi");
    });
  }
}

for (const timeoutMs of [0, -1, NaN]) {
  Deno.test(`SingleServerMCPClient refuses timeoutMs ${timeoutMs} as misuse`, async () => {
    const client = new SingleServerMCPClient("files", { url: "http://localhost:9/mcp" });
    await assertRejects(() => client.connect({ timeoutMs }), RangeError, "timeoutMs");
    await assertRejects(() => client.listTools({ timeoutMs }), RangeError, "timeoutMs");
    await assertRejects(() => client.callTool("echo", {}, { timeoutMs }), RangeError, "timeoutMs");
  });
}

Deno.test("SingleServerMCPClient() throws with every fault of the configuration", () => {
  const error = assertThrows(
    () => new SingleServerMCPClient("1 bad name", { url: "ftp://files", timeoutMs: -1 }),
    ConfigError,
  );
  assertEquals(error.faults.length, 3);
});

Deno.test("SingleServerMCPClient filters tools at the list and at the call", async () => {
  const tools = ["read_file", "delete_file", "reap"].map((name) => ({ name }));
  await using server = await startMCPServer({ tools });
  const filter = { allow: ["re*", "delete_*"], deny: ["delete_*"] };
  await using client = new SingleServerMCPClient("files", { url: server.url, tools: filter });
  await failureOf(() => client.callTool("delete_file"), "tool_not_found");
  assertEquals(server.requests.length, 0, "asked nobody");
  assertEquals((await client.listTools()).map(({ name }) => name), ["read_file", "reap"]);
  const error = await failureOf(() => client.callTool("delete_file"), "tool_not_found");
  assertEquals(error.suggestions, [], "what is not allowed is not suggested");
  assertEquals(server.count("tools/call"), 0);
});

Deno.test("SingleServerMCPClient.callTool() suggests names for an unknown tool, and sends nothing", async () => {
  await using server = await startMCPServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const error = await failureOf(() => client.callTool("ehco"), "tool_not_found");
  assertEquals([error.suggestions, error.server, error.retryable], [["echo"], "files", false]);
  assertEquals(server.count("tools/call"), 0);
});

Deno.test("SingleServerMCPClient.callTool() rejects with invalid_arguments before anything is sent", async () => {
  await using server = await startMCPServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  for (const args of [[], "text", 7, null, cyclic, { big: 1n }, new Date(0), { toJSON: () => "text" }]) {
    await failureOf(() => client.callTool("echo", args as Record<string, unknown>), "invalid_arguments");
  }
  assertEquals(server.requests.length, 0);
});

Deno.test("SingleServerMCPClient.callTool() resolves with isError, structuredContent and unknown fields", async () => {
  const result = {
    content: [{ type: "text", text: "no such file" }, { type: "hologram", depth: 3 }],
    structuredContent: { code: 2 },
    isError: true,
    laterField: [1],
  };
  await using server = startRawServer({ "tools/call": answer(result) });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  assertEquals(await client.callTool("echo"), result as unknown);
  assertEquals(client.getStatus().lastError, undefined);
});

Deno.test("SingleServerMCPClient.callTool() checks what a tool with an outputSchema answers, unless it is an error", async () => {
  const content: JsonObject[] = [];
  const cases: readonly (readonly [outputSchema: JsonObject, result: JsonObject, outcome: unknown])[] = [
    [{ type: "object" }, { structuredContent: { n: 1 } }, "ok"],
    [{ type: "object" }, {}, "invalid_result"],
    [{ type: "object" }, { structuredContent: null }, "invalid_result"],
    [{ type: "object" }, { isError: true }, "ok"],
    [{ type: "array" }, { structuredContent: [1] }, "ok"],
    [{}, { structuredContent: null }, "ok"],
    [{}, {}, "invalid_result"],
  ];
  for (const [outputSchema, result, outcome] of cases) {
    const tools = [{ name: "echo", inputSchema: { type: "object" }, outputSchema }];
    await using server = startRawServer({ "tools/call": answer({ content, ...result }) }, { tools });
    await using client = new SingleServerMCPClient("files", { url: server.url });
    await client.connect();
    const called = await client.callTool("echo").then(() => "ok", ({ code }) => code);
    assertEquals([outputSchema, result, called], [outputSchema, result, outcome]);
    await using trusting = new SingleServerMCPClient("files", { url: server.url, validateResults: false });
    await trusting.connect();
    assertEquals(await trusting.callTool("echo"), { content: [], ...result });
  }
});

Deno.test("SingleServerMCPClient.callTool() rejects with upstream_error and the JSON-RPC code, not its words", async () => {
  await using server = startRawServer({ "tools/call": rpcError(-32050, "words of the server", { more: "words" }) });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const error = await failureOf(() => client.callTool("echo"), "upstream_error");
  assertEquals([error.rpcCode, error.retryable], [-32050, false]);
  assertEquals(Deno.inspect(error).includes("words"), false);
});

for (const transport of ["streamable_http", "sse"] as const) {
  Deno.test(`SingleServerMCPClient.callTool() tells of progress over ${transport}, and survives its listener`, async () => {
    const told: Progress[] = [];
    const heard = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const tools: readonly TestTool[] = [{
      name: "slow",
      run: async (_args, { _meta, sendNotification }) => {
        const progressToken = _meta?.progressToken ?? "none";
        for (const [index, { promise }] of heard.entries()) {
          const params = { progressToken, progress: index + 1, total: 2, message: `step ${index + 1}` };
          await sendNotification({ method: "notifications/progress", params });
          await promise;
        }
        return textResult("done");
      },
    }];
    await using server = await startMCPServer({ tools, transport });
    await using client = new SingleServerMCPClient("files", { url: server.url });
    const onProgress = (progress: Progress) => {
      heard[told.push(progress) - 1]?.resolve();
      throw new Error("a listener that throws");
    };
    assertEquals(textOf(await client.callTool("slow", {}, { onProgress })), "done");
    assertEquals(told.map(({ progress, total, message }) => [progress, total, message]), [
      [1, 2, "step 1"],
      [2, 2, "step 2"],
    ]);
  });
}

Deno.test("SingleServerMCPClient.callTool() rethrows the caller's reason, cancels once and closes the socket", async () => {
  await using server = startRawServer({ "tools/call": hang });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const controller = new AbortController();
  const call = client.callTool("echo", {}, { signal: controller.signal });
  const reason = { not: "an error" };
  const caught = call.catch((error) => error);
  await until(() => server.count("tools/call") === 1);
  controller.abort(reason);
  assertStrictEquals(await caught, reason);
  await until(() => server.count("notifications/cancelled") === 1 && server.openStreams() === 0);
  const [cancelled] = server.requests.filter(({ rpcMethod }) => rpcMethod === "notifications/cancelled");
  const sent = server.requests.find(({ rpcMethod }) => rpcMethod === "tools/call");
  assertEquals((cancelled?.body as { params: { requestId: unknown } }).params.requestId, sent?.rpcId);
});

Deno.test("SingleServerMCPClient.callTool() sends nothing where the caller has aborted before", async () => {
  await using server = await startMCPServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const before = server.requests.length;
  const caught = await client.callTool("echo", {}, { signal: AbortSignal.abort("over") }).catch((error) => error);
  assertEquals([caught, server.requests.length - before], ["over", 0]);
});

Deno.test("SingleServerMCPClient.callTool() rejects with deadline_exceeded, cancels once and closes the socket", async () => {
  await using server = startRawServer({ "tools/call": hang });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const error = await failureOf(() => client.callTool("echo", {}, { timeoutMs: 50 }), "deadline_exceeded");
  assertEquals([error.retryable, error.message.includes("may have run")], [false, true]);
  await until(() => server.count("notifications/cancelled") === 1 && server.openStreams() === 0);
  assertEquals(client.isConnected, true);
});

Deno.test("SingleServerMCPClient.callTool() covers connecting with its deadline, and says that nothing ran", async () => {
  await using server = startRawServer({ initialize: hang });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const error = await failureOf(() => client.callTool("echo", {}, { timeoutMs: 50 }), "deadline_exceeded");
  assertEquals([error.retryable, error.message.includes("phase connect")], [true, true]);
  await until(() => server.openStreams() === 0);
  assertEquals([server.count("tools/call"), server.count("notifications/cancelled")], [0, 0]);
});

Deno.test("SingleServerMCPClient.listTools() asks once for all who wait, and again only on request", async () => {
  await using server = await startMCPServer({ pageSize: 1, delayMs: 5 });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const lists = await Promise.all([client.listTools(), client.listTools(), client.connect()]);
  assertEquals(lists[0]?.length, 3);
  assertEquals([server.count("initialize"), server.count("tools/list")], [1, 3]);
  await client.listTools();
  assertEquals(server.count("tools/list"), 3);
  server.setTools([{ name: "later" }]);
  assertEquals((await client.listTools({ refresh: true })).map(({ name }) => name), ["later"]);
});

Deno.test("SingleServerMCPClient.listTools() keeps the list at hand where a new one cannot be had", async () => {
  await using server = await startMCPServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  server.failNext("tools/list", { status: 500 });
  await failureOf(() => client.listTools({ refresh: true }), "upstream_error");
  assertEquals((await client.listTools()).length, 3);
  assertEquals([client.getStatus().state, client.getStatus().lastError?.code], ["connected", "upstream_error"]);
});

Deno.test("SingleServerMCPClient.listTools() takes a server that does not know tools/list as one without tools", async () => {
  await using server = startRawServer({ "tools/list": rpcError(-32601, "Method not found") });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  assertEquals([await client.listTools(), client.getStatus().state], [[], "connected"]);
});

Deno.test("SingleServerMCPClient.callTool() lets the server decide where its list is empty", async () => {
  await using server = startRawServer({}, { tools: [] });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  assertEquals(textOf(await client.callTool("echo", { text: "hi" })), "hi");
});

Deno.test("SingleServerMCPClient.getStatus() tells the truth at every step", async () => {
  let nowMs = 1_000;
  await using server = await startMCPServer({ delayMs: 20 });
  await using client = new SingleServerMCPClient("files", { url: `${server.url}?a=1#b` }, { now: () => nowMs });
  const idle = client.getStatus();
  assertEquals([idle.state, idle.url, idle.toolCount, idle.connectedAtMs], ["idle", server.url, undefined, undefined]);
  const connecting = client.connect();
  await until(() => client.getStatus().state === "connecting");
  await connecting;
  const connected = client.getStatus();
  assertEquals([connected.state, connected.connectedAtMs, connected.lastError], ["connected", 1_000, undefined]);
  assertGreater(connected.latencyMs ?? 0, 0);
  nowMs = 2_000;
  await server.stop();
  await failureOf(() => client.reconnect(), "unreachable");
  const failed = client.getStatus();
  assertEquals([failed.state, failed.connectedAtMs, failed.transport], ["failed", undefined, undefined]);
  assertEquals([failed.lastError?.code, failed.lastError?.atMs, failed.toolCount], ["unreachable", 2_000, 3]);
  await client.close();
  assertEquals(client.getStatus().state, "closed");
});
