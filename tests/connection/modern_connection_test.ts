/** The modern era (specification 2026-07-28) on the wire, at the client's door. */

import { assertEquals, assertNotEquals } from "@std/assert";
import { MultiServerMCPClient, type Progress, SingleServerMCPClient } from "@portolan/mcp";
import type { MCPErrorCode } from "../../src/errors.ts";
import { MAX_ROUNDS } from "../../src/server/input_rounds.ts";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import {
  acceptedOnly,
  answer,
  type Behaviour,
  event,
  hang,
  hangAfterHead,
  htmlPage,
  invalidJson,
  rateLimited,
  rpcError,
  sequence,
  sse,
  sseEnds,
  status,
  wrongId,
} from "../support/behaviours.ts";
import { codeOf, failureOf, textOf, until } from "../support/client_support.ts";
import { type RawServer, startRawServer } from "../support/fault_server.ts";
import { modernScript, refusal } from "../support/modern_script.ts";
import { startModernServer } from "../support/modern_server.ts";
import type { RecordedRequest } from "../support/recorder.ts";
import { z } from "zod";

const META = "io.modelcontextprotocol/";

function methodsOf(server: { readonly requests: readonly RecordedRequest[] }): readonly string[] {
  return server.requests.map(({ method, rpcMethod }) => rpcMethod ?? method);
}

function paramsOf({ body }: RecordedRequest): JsonObject {
  return (body as { params: JsonObject }).params;
}

for (const options of [{}, { sse: true }, { dualEra: true }]) {
  Deno.test(`SingleServerMCPClient speaks the modern era to a real server: ${JSON.stringify(options)}`, async () => {
    await using server = startModernServer(options);
    const client = new SingleServerMCPClient("files", { url: server.url });
    await client.connect();
    const { era, transport, protocolVersion, toolCount, toolsTtlMs, warnings } = client.getStatus();
    assertEquals([era, transport, protocolVersion], ["modern", "streamable_http", "2026-07-28"]);
    assertEquals([toolCount, toolsTtlMs, warnings], [2, 60_000, []]);
    assertEquals(textOf(await client.callTool("whoami")), "modern");
    assertEquals(textOf(await client.callTool("echo", { text: "größe 検索" })), "größe 検索");
    await client.close();
    assertEquals(methodsOf(server), ["server/discover", "tools/list", "tools/call", "tools/call"]);
    assertEquals(server.requests.filter(({ method }) => method !== "POST"), [], "no GET and no DELETE");
    assertEquals(server.requests.filter(({ headers }) => headers.has("mcp-session-id")), []);
    assertEquals(server.openStreams(), 0);
  });
}

Deno.test("Every request of the modern era carries its version, method and name, in headers and in the body", async () => {
  await using server = startModernServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  await client.callTool("echo", { text: "hi" });
  const names: (string | null)[] = [];
  const ids = new Set<unknown>();
  for (const request of server.requests) {
    const { headers, rpcMethod, rpcId } = request;
    assertEquals(headers.get("mcp-protocol-version"), "2026-07-28");
    assertEquals(headers.get("mcp-method"), rpcMethod ?? "none");
    assertEquals(headers.get("accept"), "application/json, text/event-stream");
    assertEquals(headers.get("content-type"), "application/json");
    const meta = paramsOf(request)._meta as JsonObject;
    assertEquals(meta[`${META}protocolVersion`], "2026-07-28");
    assertEquals(meta[`${META}clientCapabilities`], {});
    assertEquals((meta[`${META}clientInfo`] as JsonObject).name, "portolan");
    names.push(headers.get("mcp-name"));
    ids.add(rpcId);
  }
  assertEquals([names, ids.size], [[null, null, "echo"], 3]);
  const { name, arguments: args } = paramsOf(server.requests[2]!);
  assertEquals([name, args], ["echo", { text: "hi" }]);
});

for (
  const [name, header] of [
    ["søk 検索", "=?base64?c8O4ayDmpJzntKI=?="],
    ["=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="],
    ["plain name", "plain name"],
  ] as const
) {
  Deno.test(`SingleServerMCPClient.callTool() sends the name of tool ${name} as a header takes it`, async () => {
    await using server = startRawServer(modernScript(), { tools: [{ name, inputSchema: { type: "object" } }] });
    await using client = new SingleServerMCPClient("files", { url: server.url });
    await client.connect();
    await client.callTool(name);
    const call = server.requests.at(-1)!;
    assertEquals([call.headers.get("mcp-name"), paramsOf(call).name], [header, name]);
  });
}

Deno.test("SingleServerMCPClient.callTool() gives a real server a name that it accepts in its encoded form", async () => {
  await using server = startModernServer({ tools: [{ name: "søk", run: () => "found" }] });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  assertEquals([textOf(await client.callTool("søk")), server.executions.get("søk")], ["found", 1]);
});

const REGION = { type: "string", "x-mcp-header": "Region" };

function tool(name: string, properties: JsonObject): JsonObject {
  return { name, inputSchema: { type: "object", properties } };
}

Deno.test("SingleServerMCPClient.callTool() sends the arguments as headers that a tool asks for", async () => {
  const tools = [tool("query", { region: REGION, limit: { type: "integer", "x-mcp-header": "Limit" }, sql: {} })];
  await using server = startRawServer(modernScript(), { tools });
  await using client = new SingleServerMCPClient("files", { url: server.url, validateArguments: false });
  await client.connect();
  for (const args of [{ region: "us-west1", limit: 42, sql: "x" }, { region: " 世界 " }, { region: null }, {}]) {
    await client.callTool("query", args);
  }
  const sent = server.requests.slice(-4).map(({ headers }) => {
    return [headers.get("mcp-param-region"), headers.get("mcp-param-limit"), headers.get("mcp-param-sql")];
  });
  assertEquals(sent, [
    ["us-west1", "42", null],
    ["=?base64?IOS4lueVjCA=?=", null, null],
    [null, null, null],
    [null, null, null],
  ]);
});

Deno.test("SingleServerMCPClient.callTool() gives a real server the arguments as headers that it asks for", async () => {
  const run = ({ region }: Record<string, unknown>) => String(region);
  const region = z.string().meta({ "x-mcp-header": "Region" });
  await using server = startModernServer({ tools: [{ name: "query", inputSchema: { region }, run }] });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  assertEquals(textOf(await client.callTool("query", { region: "Süd" })), "Süd");
  assertEquals(server.requests.at(-1)?.headers.get("mcp-param-region"), "=?base64?U8O8ZA==?=");
});

Deno.test("SingleServerMCPClient drops a tool of a modern server whose x-mcp-header is malformed, and keeps the others", async () => {
  const bad = [
    tool("empty", { a: { ...REGION, "x-mcp-header": "" } }),
    tool("twice", { a: REGION, b: { ...REGION, "x-mcp-header": "REGION" } }),
    tool("number", { a: { type: "number", "x-mcp-header": "A" } }),
    tool("items", { a: { type: "array", items: REGION } }),
  ];
  const tools = [...bad, tool("good", { a: REGION }), tool("plain", {})];
  await using server = startRawServer(modernScript(), { tools });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  assertEquals((await client.listTools()).map(({ name }) => name), ["good", "plain"]);
  const { warnings, state } = client.getStatus();
  assertEquals([warnings.length, state], [bad.length, "connected"]);
  for (const { name } of bad) await failureOf(() => client.callTool(String(name)), "tool_not_found");
  await client.callTool("good", { a: "x" });
  assertEquals(server.requests.at(-1)?.headers.get("mcp-param-region"), "x");
});

Deno.test("SingleServerMCPClient takes x-mcp-header of a legacy server for nothing", async () => {
  const tools = [tool("empty", { a: { ...REGION, "x-mcp-header": "" } }), tool("good", { a: REGION })];
  await using server = startRawServer({}, { tools });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  assertEquals(client.getStatus().toolCount, 2);
  await client.callTool("good", { a: "x" });
  assertEquals(server.requests.at(-1)?.headers.has("mcp-param-region"), false);
});

Deno.test("MultiServerMCPClient asks for the list anew where the headers of a call no longer fit, and calls again", async () => {
  const plain = answer({ tools: [tool("query", { region: { type: "string" } })] });
  const marked = answer({ tools: [tool("query", { region: REGION })] });
  const script = modernScript({
    "tools/list": sequence(plain, marked),
    "tools/call": (context) => {
      const fits = context.request.headers.has("mcp-param-region");
      return fits ? context.respondOk() : refusal(400, -32020)(context);
    },
  });
  await using server = startRawServer(script);
  await using client = new MultiServerMCPClient("Kairos", { servers: { s: { url: server.url } } });
  await client.connectToServers();
  assertEquals(textOf(await client.callTool("query", { region: "x" })), "ok");
  assertEquals([server.count("tools/list"), server.count("tools/call")], [2, 2]);
});

Deno.test("MultiServerMCPClient uses a list for as long as the modern server says, then refreshes it", async () => {
  let nowMs = 1_000_000_000;
  await using server = startModernServer({ ttlMs: 60_000 });
  const options = { now: () => nowMs };
  await using client = new MultiServerMCPClient("Kairos", { servers: { s: { url: server.url } } }, options);
  await client.connectToServers();
  nowMs += 59_999;
  assertEquals((await client.routeTool("whoami")).fresh, true);
  await client.callTool("whoami");
  assertEquals(server.count("tools/list"), 1);
  nowMs += 1;
  assertEquals((await client.routeTool("whoami")).fresh, false);
  await client.callTool("whoami");
  await until(() => server.count("tools/list") === 2);
});

/** A result that asks for input. */
function asking(inputRequests: JsonObject): JsonObject {
  return { resultType: "input_required", inputRequests, requestState: "s" };
}

/** Answers to a call with 2xx, and what comes of them. */
const RESULTS: readonly (readonly [string, JsonValue, unknown])[] = [
  ["complete", { resultType: "complete", content: [] }, "ok"],
  ["without a kind", { content: [] }, "ok"],
  ["of an unknown kind", { resultType: "later", content: [] }, "bad_response"],
  ["of a kind that is no text", { resultType: 7, content: [] }, "bad_response"],
  ["that asks nobody knows what", { resultType: "input_required" }, "bad_response"],
  ["that asks for input", asking({ a: { method: "elicitation/create", params: {} } }), "input_required"],
];

for (const [what, result, expected] of RESULTS) {
  Deno.test(`F42 SingleServerMCPClient.callTool() with a result ${what}: ${expected}`, async () => {
    await using server = startRawServer(modernScript({ "tools/call": answer(result) }));
    await using client = new SingleServerMCPClient("files", { url: server.url });
    assertEquals([await codeOf(client.callTool("echo")), server.count("tools/call")], [expected, 1]);
    assertEquals(client.getStatus().state, "connected");
  });
}

Deno.test("F42 SingleServerMCPClient.callTool() sends a call that asks without an end a bounded number of times", async () => {
  const roots = { method: "roots/list", params: {} };
  await using server = startRawServer(modernScript({ "tools/call": answer(asking({ roots })) }));
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await failureOf(() => client.callTool("echo", {}, { input: { onListRoots: () => [] } }), "input_required");
  assertEquals([server.count("tools/call"), client.getStatus().state], [1 + MAX_ROUNDS, "connected"]);
});

Deno.test("SingleServerMCPClient.listTools() rejects with bad_response for a result of an unknown kind", async () => {
  const behaviour = answer({ resultType: "later", tools: [] });
  await using server = startRawServer(modernScript({ "tools/list": behaviour }));
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await failureOf(() => client.connect(), "bad_response");
});

/** Refusals of a call by a modern server: it stays modern, and the caller is told the code. */
const REFUSALS: readonly (readonly [httpStatus: number, rpcCode: number, code: MCPErrorCode])[] = [
  [404, -32601, "upstream_error"],
  [400, -32602, "upstream_error"],
  [400, -32603, "upstream_error"],
  [400, -32020, "upstream_error"],
  [400, -32021, "input_required"],
  [400, -32050, "upstream_error"],
  [200, -32602, "upstream_error"],
];

for (const [httpStatus, rpcCode, code] of REFUSALS) {
  Deno.test(`SingleServerMCPClient.callTool() rejects with ${code}: HTTP ${httpStatus} with ${rpcCode}`, async () => {
    await using server = startRawServer(modernScript({ "tools/call": refusal(httpStatus, rpcCode) }));
    await using client = new SingleServerMCPClient("files", { url: server.url });
    await client.connect();
    const error = await failureOf(() => client.callTool("echo"), code);
    assertEquals([error.rpcCode, error.message.includes("words of the server")], [rpcCode, false]);
    assertEquals([server.count("tools/call"), server.count("server/discover")], [1, 1], "no doubt about the era");
    assertEquals(client.isConnected, true);
  });
}

/** Other answers to a call, with the code they come to; none is sent again. */
const FAULTS: readonly (readonly [string, Behaviour, MCPErrorCode])[] = [
  ["F11 401", status(401), "unauthorized"],
  ["F11 403", status(403), "forbidden"],
  ["F10 429", rateLimited(60), "rate_limited"],
  ["F7 500", status(500), "upstream_error"],
  ["F12 503", status(503), "upstream_error"],
  ["F13 invalid JSON", invalidJson, "bad_response"],
  ["F14 an HTML page", htmlPage, "bad_response"],
  ["F22 another id", wrongId(), "bad_response"],
  ["F5 an SSE answer that ends", sseEnds(), "outcome_unknown"],
  ["202", acceptedOnly, "bad_response"],
  ["a JSON-RPC error", rpcError(-32000, "words"), "upstream_error"],
];

for (const [what, behaviour, code] of FAULTS) {
  Deno.test(`SingleServerMCPClient.callTool() of a modern server rejects with ${code}: ${what}`, async () => {
    await using server = startRawServer(modernScript({ "tools/call": behaviour }));
    await using client = new SingleServerMCPClient("files", { url: server.url });
    await failureOf(() => client.callTool("echo"), code);
    assertEquals([server.count("tools/call"), server.count("initialize")], [1, 0]);
    await until(() => server.openStreams() === 0);
  });
}

/** After a cancelled call: its stream is closed, and that says it all. */
async function assertQuietlyClosed(server: Pick<RawServer, "openStreams" | "count" | "requests">): Promise<void> {
  await until(() => server.openStreams() === 0);
  assertEquals(methodsOf(server), ["server/discover", "tools/list", "tools/call"]);
}

for (const [what, behaviour] of Object.entries({ hang, hangAfterHead })) {
  Deno.test(`SingleServerMCPClient.callTool() of a modern server is cancelled by closing its stream alone: ${what}`, async () => {
    for (const how of ["deadline", "abort", "close"] as const) {
      await using server = startRawServer(modernScript({ "tools/call": behaviour }));
      await using client = new SingleServerMCPClient("files", { url: server.url });
      await client.connect();
      const controller = new AbortController();
      const timeoutMs = how === "deadline" ? 400 : 10_000;
      const call = codeOf(client.callTool("echo", {}, { timeoutMs, signal: controller.signal }));
      await until(() => server.count("tools/call") === 1);
      if (how === "abort") controller.abort("left");
      if (how === "close") await client.close();
      assertEquals(await call, { deadline: "deadline_exceeded", abort: "left", close: "closed" }[how]);
      await assertQuietlyClosed(server);
    }
  });
}

Deno.test("SingleServerMCPClient.callTool() leaves a real modern server without a word, and calls it again", async () => {
  await using server = startModernServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  server.hangNext("tools/call");
  await failureOf(() => client.callTool("whoami", {}, { timeoutMs: 400 }), "deadline_exceeded");
  assertEquals(textOf(await client.callTool("whoami")), "modern");
  assertEquals(methodsOf(server), ["server/discover", "tools/list", "tools/call", "tools/call"]);
});

Deno.test("SingleServerMCPClient.callTool() tells of progress in the modern era, of its own call alone", async () => {
  const notice = (progressToken: JsonValue, progress: number) => {
    return event({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken, progress, total: 2 } });
  };
  const behaviour: Behaviour = ({ rpc: { id = null, params } }) => {
    const token = (params._meta as JsonObject).progressToken ?? null;
    assertNotEquals(token, null);
    const result = { resultType: "complete", content: [{ type: "text", text: "done" }] };
    return sse(notice(token, 1) + notice("another", 7) + notice(token, 2) + event({ jsonrpc: "2.0", id, result }));
  };
  await using server = startRawServer(modernScript({ "tools/call": behaviour }));
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const told: Progress[] = [];
  const result = await client.callTool("echo", {}, { onProgress: (progress) => told.push(progress) });
  assertEquals([textOf(result), told.map(({ progress }) => progress)], ["done", [1, 2]]);
});

Deno.test("SingleServerMCPClient speaks the modern era to a server that does not show it, where the configuration says so", async () => {
  await using server = startRawServer({ "server/discover": refusal(404, -32601) });
  await using client = new SingleServerMCPClient("files", { url: server.url, era: "modern" });
  assertEquals(textOf(await client.callTool("echo")), "ok");
  assertEquals([client.getStatus().era, methodsOf(server)], ["modern", ["server/discover", "tools/call"]]);
});

Deno.test("SingleServerMCPClient rejects where a modern server is to be spoken to in the legacy era alone", async () => {
  await using server = startModernServer();
  await using client = new SingleServerMCPClient("files", { url: server.url, era: "legacy" });
  assertEquals(await codeOf(client.connect()) === "ok", false);
  assertEquals(server.count("server/discover"), 0);
});
