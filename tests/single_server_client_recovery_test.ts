import { assertEquals, assertGreater, assertLess, assertStrictEquals } from "@std/assert";
import { SingleServerMCPClient } from "@portolan/mcp";
import {
  after,
  answer,
  drop,
  hang,
  htmlPage,
  ok,
  rpcError,
  sequence,
  sessionGone,
  status,
} from "./support/behaviours.ts";
import { codeOf, failureOf, textOf, until } from "./support/client_support.ts";
import { refusedUrl, startRawServer } from "./support/fault_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";
import { type TestTool, textResult } from "./support/test_tools.ts";

for (const code of [404, 400] as const) {
  for (const json of [false, true]) {
    const name = `${code}${json ? ", JSON answers" : ""}`;
    Deno.test(`F9 SingleServerMCPClient.callTool() opens one new session for all calls that lost theirs: ${name}`, async () => {
      await using server = await startMCPServer({ json });
      await using client = new SingleServerMCPClient("files", { url: server.url });
      await client.connect();
      await server.dropSessions({ status: code });
      const calls = Array.from({ length: 5 }, (_, i) => client.callTool("echo", { text: `${i}` }));
      assertEquals((await Promise.all(calls)).map(textOf), ["0", "1", "2", "3", "4"]);
      assertEquals([server.count("initialize"), server.sessions.length], [2, 1]);
      const sends = new Map<unknown, number>();
      for (const { rpcMethod, body } of server.requests) {
        if (rpcMethod !== "tools/call") continue;
        const { text } = (body as { params: { arguments: { text: string } } }).params.arguments;
        sends.set(text, (sends.get(text) ?? 0) + 1);
      }
      assertEquals([...sends.values()].every((count) => count <= 2), true, "one resend each");
      assertEquals(server.executions.get("echo"), 5);
    });
  }

  Deno.test(`F9 SingleServerMCPClient.listTools() opens a new session where the old one is lost: ${code}`, async () => {
    await using server = await startMCPServer();
    await using client = new SingleServerMCPClient("files", { url: server.url });
    await client.connect();
    await server.dropSessions({ status: code });
    assertEquals((await client.listTools({ refresh: true })).length, 3);
    assertEquals(server.count("initialize"), 2);
  });

  Deno.test(`F9 SingleServerMCPClient.callTool() gives up where the new session is lost as well: ${code}`, async () => {
    await using server = startRawServer({ "tools/call": sessionGone(code) }, { sessionId: "s-1" });
    await using client = new SingleServerMCPClient("files", { url: server.url });
    const error = await failureOf(() => client.callTool("echo"), "session_lost");
    assertEquals([error.retryable, server.count("tools/call"), server.count("initialize")], [true, 2, 2]);
  });
}

Deno.test("SingleServerMCPClient.callTool() takes 400 without a word of the session for what it is", async () => {
  await using server = startRawServer({ "tools/call": status(400, { body: "no such thing" }) }, { sessionId: "s-1" });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const error = await failureOf(() => client.callTool("echo"), "upstream_error");
  assertEquals([error.httpStatus, server.count("tools/call")], [400, 1]);
});

Deno.test("SingleServerMCPClient.callTool() connects anew over SSE after the stream has ended", async () => {
  await using server = await startMCPServer({ transport: "sse" });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  await server.dropSessions();
  await until(() => !client.isConnected);
  assertEquals(textOf(await client.callTool("echo", { text: "again" })), "again");
  assertEquals(server.sessions.length, 1);
});

Deno.test("SingleServerMCPClient.callTool() rejects with outcome_unknown where the SSE stream ends under it", async () => {
  const tools = [{ name: "stuck", run: () => new Promise<never>(() => {}) }];
  await using server = await startMCPServer({ transport: "sse", tools });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const call = codeOf(client.callTool("stuck"));
  await until(() => server.executions.get("stuck") === 1);
  await server.dropSessions();
  assertEquals(await call, "outcome_unknown");
});

Deno.test("F41 SingleServerMCPClient.callTool() survives a restart: outcome_unknown, then the next call works", async () => {
  const restarted = sequence(drop, sessionGone(404), ok);
  await using server = startRawServer({ "tools/call": restarted }, { sessionId: "s-1" });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const error = await failureOf(() => client.callTool("echo"), "outcome_unknown");
  assertEquals([error.retryable, server.count("tools/call")], [false, 1]);
  assertEquals(textOf(await client.callTool("echo", { text: "again" })), "again");
  assertEquals(server.count("initialize"), 2);
});

Deno.test("SingleServerMCPClient.listTools() leaves the session to a call that runs where no list can be had", async () => {
  const run = Promise.withResolvers<void>();
  const slow: TestTool = { name: "slow", run: () => run.promise.then(() => textResult("done")) };
  await using server = await startMCPServer({ tools: [slow] });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const call = client.callTool("slow");
  await until(() => server.executions.get("slow") === 1);
  server.failNext("tools/list", { status: 400 });
  await failureOf(() => client.listTools(), "upstream_error");
  assertEquals(client.isConnected, false);
  await client.listTools();
  run.resolve();
  assertEquals(textOf(await call), "done");
  await until(() => server.requests.filter(({ method }) => method === "DELETE").length === 1);
});

Deno.test("SingleServerMCPClient.reconnect() ends the old session and opens another", async () => {
  await using server = await startMCPServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const [old] = server.sessions;
  await client.reconnect();
  await until(() => server.sessions.length === 1);
  assertEquals([server.sessions[0] === old, client.isConnected], [false, true]);
  assertEquals(server.requests.filter(({ method }) => method === "DELETE").length, 1);
});

Deno.test("SingleServerMCPClient.reconnect() followed by close() leaves nothing under way", async () => {
  await using server = startRawServer({ DELETE: hang }, { sessionId: "s-1" });
  const client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  await client.reconnect();
  await client.close();
  assertEquals(server.requests.filter(({ method }) => method === "DELETE").length, 2);
  await until(() => server.openStreams() === 0);
});

Deno.test("SingleServerMCPClient.close() takes a second where neither a task nor the session can be ended", async () => {
  const task = { taskId: "t-1", status: "working", pollInterval: 60_000 };
  const tools = [{ name: "slow", inputSchema: { type: "object" }, execution: { taskSupport: "required" } }];
  const capabilities = { tools: {}, tasks: { cancel: {}, requests: { tools: { call: {} } } } };
  const result = { protocolVersion: "2025-11-25", capabilities, serverInfo: { name: "files", version: "1" } };
  const headers = { "mcp-session-id": "s-1" };
  await using server = startRawServer({
    "initialize": ({ rpc: { id = null } }) => Response.json({ jsonrpc: "2.0", id, result }, { headers }),
    "tools/call": answer({ task }),
    "tasks/cancel": hang,
    "DELETE": hang,
  }, { tools });
  const client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const outcome = codeOf(client.callTool("slow"));
  // The answer has to have come through: before that, nobody knows of a task.
  await until(() => server.count("tools/call") === 1 && client.getStatus().running === 0);
  const startedAt = performance.now();
  await client.close();
  assertLess(performance.now() - startedAt, 1_450);
  assertEquals([await outcome, server.count("tasks/cancel")], ["closed", 1]);
  assertEquals(server.requests.filter(({ method }) => method === "DELETE").length, 1);
  await until(() => server.openStreams() === 0);
});

Deno.test("F40 SingleServerMCPClient.close() sends DELETE with the session, and is idempotent", async () => {
  await using server = await startMCPServer();
  const client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const [session = null] = server.sessions;
  assertStrictEquals(client.close(), client.close());
  await client.close();
  const deletes = server.requests.filter(({ method }) => method === "DELETE");
  assertEquals(deletes.map(({ headers }) => headers.get("mcp-session-id")), [session]);
  assertEquals([server.sessions.length, server.openStreams()], [0, 0]);
});

Deno.test("F40 SingleServerMCPClient.close() sends no DELETE where there is no session", async () => {
  await using server = await startMCPServer({ stateful: false });
  const client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  await client.close();
  assertEquals(server.requests.filter(({ method }) => method === "DELETE"), []);
});

Deno.test("SingleServerMCPClient[Symbol.asyncDispose]() closes", async () => {
  await using server = await startMCPServer();
  {
    await using client = new SingleServerMCPClient("files", { url: server.url });
    await client.connect();
  }
  assertEquals(server.sessions.length, 0);
});

Deno.test("SingleServerMCPClient rejects with closed after close()", async () => {
  await using server = await startMCPServer();
  const client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  await client.close();
  const sent = server.requests.length;
  for (
    const use of [
      () => client.connect(),
      () => client.reconnect(),
      () => client.listTools(),
      () => client.listTools({ refresh: true }),
      () => client.callTool("echo", { text: "hi" }),
      () => client.callTool("unknown"),
    ]
  ) assertEquals((await failureOf(use, "closed")).server, "files");
  assertEquals(server.requests.length, sent);
});

for (const method of ["initialize", "notifications/initialized", "tools/list", "tools/call"]) {
  Deno.test(`SingleServerMCPClient.close() ends what is under way with closed: ${method}`, async () => {
    await using server = startRawServer({ [method]: hang }, { sessionId: "s-1" });
    const client = new SingleServerMCPClient("files", { url: server.url });
    const work = codeOf(method === "tools/call" ? client.callTool("echo") : client.connect());
    await until(() => server.count(method) === 1);
    await client.close();
    assertEquals(await work, "closed");
    await until(() => server.openStreams() === 0);
    assertEquals([client.getStatus().state, server.count("notifications/cancelled")], ["closed", 0]);
  });
}

Deno.test("SingleServerMCPClient.close() ends a call over SSE with closed", async () => {
  const tools = [{ name: "stuck", run: () => new Promise<never>(() => {}) }];
  await using server = await startMCPServer({ transport: "sse", tools });
  const client = new SingleServerMCPClient("files", { url: server.url });
  const call = codeOf(client.callTool("stuck"));
  await until(() => server.executions.get("stuck") === 1);
  await client.close();
  assertEquals(await call, "closed");
  await until(() => server.openStreams() === 0);
});

Deno.test("SingleServerMCPClient.close() before the first use sends nothing", async () => {
  await using server = await startMCPServer();
  await new SingleServerMCPClient("files", { url: server.url }).close();
  assertEquals(server.requests, []);
});

Deno.test("SingleServerMCPClient holds off after repeated failures, longer each time, and recovers", async () => {
  let nowMs = 1_000_000;
  const refused = refusedUrl();
  const client = new SingleServerMCPClient("files", { url: refused }, { now: () => nowMs, random: () => 0.5 });
  for (let i = 0; i < 3; i++) await failureOf(() => client.callTool("echo"), "unreachable");
  let waitedMs = 0;
  for (let round = 0; round < 3; round++) {
    const error = await failureOf(() => client.callTool("echo"), "circuit_open");
    const { retryAfterMs = 0, message } = error;
    assertGreater(retryAfterMs, waitedMs);
    assertEquals([error.server, error.retryable, client.getStatus().breaker], ["files", true, "open"]);
    assertEquals([message.includes("it is tried again in"), message.includes("unreachable")], [true, true]);
    waitedMs = retryAfterMs;
    nowMs += retryAfterMs - 1;
    await failureOf(() => client.callTool("echo"), "circuit_open");
    nowMs += 1;
    assertEquals(client.getStatus().breaker, "half_open");
    await failureOf(() => client.callTool("echo"), "unreachable");
  }
  await failureOf(() => client.connect(), "unreachable");
  await failureOf(() => client.reconnect(), "unreachable");
  await client.close();
});

Deno.test("SingleServerMCPClient asks nobody while it holds off, unless connect() is called", async () => {
  const behaviour = sequence(status(503), status(503), status(503), ok);
  await using server = startRawServer({ initialize: behaviour });
  const options = { now: () => 1_000_000, random: () => 0 };
  await using client = new SingleServerMCPClient("files", { url: server.url, era: "legacy" }, options);
  for (let i = 0; i < 3; i++) await failureOf(() => client.callTool("echo"), "upstream_error");
  for (let i = 0; i < 3; i++) await failureOf(() => client.callTool("echo"), "circuit_open");
  await failureOf(() => client.listTools(), "circuit_open");
  assertEquals([server.count("initialize"), server.requests.length], [3, 3]);
  await client.connect();
  const { state, breaker, lastError } = client.getStatus();
  assertEquals([server.count("initialize"), state, breaker], [4, "connected", "closed"]);
  assertEquals(lastError?.code, "upstream_error", "kept after the recovery");
  assertEquals(textOf(await client.callTool("echo")), "ok");
});

Deno.test("SingleServerMCPClient lets one request through once it has held off, and all after its success", async () => {
  let nowMs = 1_000_000;
  const open = Promise.withResolvers<void>();
  const behaviour = sequence(status(502), status(503), status(504), after(open.promise), ok);
  await using server = startRawServer({ "tools/call": behaviour });
  await using client = new SingleServerMCPClient("files", { url: server.url }, { now: () => nowMs, random: () => 0 });
  await client.connect();
  for (let i = 0; i < 3; i++) await failureOf(() => client.callTool("echo"), "upstream_error");
  nowMs += (await failureOf(() => client.callTool("echo"), "circuit_open")).retryAfterMs ?? 0;
  const trial = codeOf(client.callTool("echo"));
  await until(() => server.count("tools/call") === 4);
  assertEquals([await codeOf(client.callTool("echo")), client.getStatus().breaker], ["circuit_open", "half_open"]);
  open.resolve();
  assertEquals([await trial, client.getStatus().breaker], ["ok", "closed"]);
  assertEquals([await codeOf(client.callTool("echo")), server.count("tools/call")], ["ok", 5]);
});

Deno.test("SingleServerMCPClient holds nothing against a server that answers, whatever it answers", async () => {
  const answers = [status(500), status(401), status(429), rpcError(-32603, "words"), htmlPage];
  await using server = startRawServer({ "tools/call": sequence(status(400), ...answers, ...answers, ok) });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const codes: unknown[] = [];
  for (let i = 0; i <= 2 * answers.length; i++) codes.push(await codeOf(client.callTool("echo")));
  assertEquals(codes.includes("circuit_open"), false, codes.join());
  assertEquals([await codeOf(client.callTool("echo")), client.getStatus().breaker], ["ok", "closed"]);
});

Deno.test("F10 SingleServerMCPClient holds off for as long as Retry-After asks", async () => {
  let nowMs = 1_000_000;
  const limited = status(429, { headers: { "retry-after": "7" } });
  await using server = startRawServer({ initialize: sequence(limited, ok) });
  await using client = new SingleServerMCPClient("files", { url: server.url }, { now: () => nowMs });
  const first = await failureOf(() => client.callTool("echo"), "rate_limited");
  assertEquals([first.retryAfterMs, first.retryable], [7_000, true]);
  const held = await failureOf(() => client.callTool("echo"), "rate_limited");
  assertEquals([held.retryAfterMs, server.count("initialize")], [7_000, 1]);
  nowMs += 6_999;
  assertEquals((await failureOf(() => client.listTools(), "rate_limited")).retryAfterMs, 1);
  nowMs += 1;
  assertEquals([textOf(await client.callTool("echo")), server.count("initialize")], ["ok", 2]);
});

Deno.test("SingleServerMCPClient.connect() of a patient caller outlives that of a hasty one", async () => {
  const open = Promise.withResolvers<void>();
  await using server = startRawServer({ initialize: after(open.promise) });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const hasty = codeOf(client.connect({ timeoutMs: 40 }));
  const patient = codeOf(client.connect({ timeoutMs: 5_000 }));
  assertEquals(await hasty, "deadline_exceeded");
  open.resolve();
  assertEquals([await patient, server.count("initialize")], ["ok", 1]);
});

Deno.test("SingleServerMCPClient.connect() is not told why an earlier caller has given up", async () => {
  await using server = startRawServer({ initialize: sequence(hang, ok) });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const controller = new AbortController();
  const first = client.connect({ signal: controller.signal }).catch((error) => error);
  await until(() => server.count("initialize") === 1);
  controller.abort("left");
  assertEquals([await first, await codeOf(client.connect())], ["left", "ok"]);
});

Deno.test("F4 SingleServerMCPClient.callTool() leaves no socket behind after 20 calls that hang", async () => {
  await using server = startRawServer({ "tools/call": hang });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const calls = Array.from({ length: 20 }, () => codeOf(client.callTool("echo", {}, { timeoutMs: 60 })));
  assertEquals(new Set(await Promise.all(calls)), new Set(["deadline_exceeded"]));
  await until(() => server.openStreams() === 0 && server.count("notifications/cancelled") === 20);
  await until(() => server.openConnections() <= 1);
  assertLess(server.count("notifications/cancelled"), 21);
});
