/** `main.ts` with the runtime's own export to a collector, before real servers. */

import { assertEquals } from "@std/assert";
import { digestKey } from "../../src/callers/keys.ts";
import { startGateway } from "../support/gateway_process.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { askLegacy, askModern } from "../support/northbound_support.ts";
import type { RecordedRequest } from "../support/recorder.ts";
import { type ReceivedSpan, startOtlpReceiver } from "./_otlp_receiver.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const OTHER_CALLER = "00f067aa0ba902b7";
const toTraceparent = (spanId: string) => `00-${TRACE_ID}-${spanId}-01`;
const SERVER = 2;
const CLIENT = 3;

/** The trace that a server was told of: by the header, and by the message itself. */
function tracesOf({ headers, body }: RecordedRequest) {
  const { traceparent, tracestate } =
    (body as { params: { _meta?: { traceparent?: string; tracestate?: string } } }).params._meta ?? {};
  const split = (text: string | null | undefined) => text?.split("-").slice(1, 3) ?? [];
  return { header: split(headers.get("traceparent")), meta: split(traceparent), tracestate };
}

/** Our spans of the trace, and those of the runtime around them. */
function sort(spans: readonly ReceivedSpan[]) {
  const own = spans.filter(({ traceId, scope }) => traceId === TRACE_ID && scope === "portolan");
  const runtime = spans.filter(({ traceId, scope }) => traceId === TRACE_ID && scope === "deno");
  const served = own.find(({ kind }) => kind === SERVER);
  const asked = own.find(({ kind }) => kind === CLIENT);
  return {
    served,
    asked,
    received: runtime.find(({ kind }) => kind === SERVER),
    sent: runtime.find(({ kind, parentSpanId }) => kind === CLIENT && parentSpanId === asked?.spanId),
  };
}

const isWhole = (spans: readonly ReceivedSpan[]) => Object.values(sort(spans)).every((span) => span !== undefined);

function toYaml(url: string): string {
  return `servers: { files: { url: "${url}" } }\nagents: { Kairos: { servers: [files] } }\n`;
}

Deno.test("main.ts with OTEL_DENO makes a call by REST one trace, from its caller to the server", async () => {
  await using collector = startOtlpReceiver();
  await using upstream = await startMCPServer();
  await using gateway = await startGateway(toYaml(upstream.url), { env: collector.env });
  const response = await fetch(`${gateway.origin}/agents/Kairos/tools/echo`, {
    method: "POST",
    headers: { "content-type": "application/json", traceparent: toTraceparent(CALLER), tracestate: "vendor=1" },
    body: '{"text":"ahoy"}',
  });
  assertEquals((await response.json()).result.content[0].text, "ahoy");
  await collector.until(() => isWhole(collector.spans));
  const { received, served, asked, sent } = sort(collector.spans);
  assertEquals([received?.parentSpanId, served?.parentSpanId], [CALLER, received?.spanId]);
  assertEquals([asked?.parentSpanId, sent?.parentSpanId], [served?.spanId, asked?.spanId]);
  const told = tracesOf(upstream.requests.find(({ rpcMethod }) => rpcMethod === "tools/call")!);
  assertEquals(told.header, [TRACE_ID, sent?.spanId]);
  assertEquals([told.meta, told.tracestate], [[TRACE_ID, asked?.spanId], "vendor=1"]);

  assertEquals([served?.name, asked?.name], ["tools/call echo", "tools/call echo"]);
  const { hostname, port } = new URL(upstream.url);
  assertEquals(asked?.attributes, {
    "mcp.method.name": "tools/call",
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "echo",
    "network.transport": "tcp",
    "network.protocol.name": "http",
    "mcp.protocol.version": "2025-11-25",
    "server.address": hostname,
    "server.port": Number(port),
    "portolan.agent": "Kairos",
    "portolan.server": "files",
  });
  await collector.until(() => collector.points.some(({ name }) => name === "mcp.client.operation.duration"));
  const point = collector.points.find(({ name }) => name === "mcp.client.operation.duration");
  assertEquals([point?.count, point?.attributes["gen_ai.tool.name"]], [1, "echo"]);
});

for (const [era, ask] of [["legacy", askLegacy], ["modern", askModern]] as const) {
  Deno.test(`main.ts with OTEL_DENO makes a ${era} MCP call part of the trace that its message names`, async () => {
    await using collector = startOtlpReceiver();
    await using upstream = startModernServer();
    await using gateway = await startGateway(toYaml(upstream.url), { env: collector.env });
    const answer = await ask(`${gateway.origin}/agents/Kairos/mcp`, "tools/call", {
      name: "echo",
      arguments: { text: "ahoy" },
    }, { headers: { traceparent: toTraceparent(OTHER_CALLER) }, meta: { traceparent: toTraceparent(CALLER) } });
    assertEquals(answer.last.result.content[0].text, "ahoy");
    await collector.until(() => isWhole(collector.spans));
    const { received, served, asked, sent } = sort(collector.spans);
    assertEquals([received?.parentSpanId, served?.parentSpanId], [OTHER_CALLER, CALLER]);
    assertEquals(served?.links.map(({ spanId }) => spanId), [received?.spanId]);
    const told = tracesOf(upstream.requests.find(({ rpcMethod }) => rpcMethod === "tools/call")!);
    assertEquals([told.header, told.meta], [[TRACE_ID, sent?.spanId], [TRACE_ID, asked?.spanId]]);
    assertEquals(served?.attributes["jsonrpc.request.id"], String(answer.last.id));
    assertEquals(asked?.attributes["mcp.protocol.version"], "2026-07-28");
    await collector.until(() => collector.points.some(({ name }) => name === "mcp.server.operation.duration"));
  });
}

Deno.test("main.ts with OTEL_DENO goes on with a trace also where the runtime carries none", async () => {
  await using collector = startOtlpReceiver();
  await using upstream = await startMCPServer();
  const env = { ...collector.env, OTEL_PROPAGATORS: "none" };
  await using gateway = await startGateway(toYaml(upstream.url), { env });
  const headers = { accept: "text/event-stream", traceparent: toTraceparent(CALLER) };
  const response = await fetch(`${gateway.origin}/agents/Kairos/tools/whoami`, { method: "POST", headers });
  assertEquals((await response.text()).startsWith("event: result"), true);
  const ours = () => sort(collector.spans);
  await collector.until(() => ours().served !== undefined && ours().asked !== undefined);
  const { served, asked } = ours();
  assertEquals([served?.parentSpanId, asked?.parentSpanId], [CALLER, served?.spanId]);
  const told = tracesOf(upstream.requests.find(({ rpcMethod }) => rpcMethod === "tools/call")!);
  assertEquals([told.header, told.meta], [[TRACE_ID, asked?.spanId], [TRACE_ID, asked?.spanId]]);
});

Deno.test("main.ts with OTEL_DENO_TRACING=false passes on the trace of its caller, and measures", async () => {
  await using collector = startOtlpReceiver();
  await using upstream = await startMCPServer();
  const env = { ...collector.env, OTEL_DENO_TRACING: "false" };
  await using gateway = await startGateway(toYaml(upstream.url), { env });
  const headers = { traceparent: toTraceparent(CALLER) };
  const init = { method: "POST", headers };
  await (await fetch(`${gateway.origin}/agents/Kairos/tools/whoami`, init)).text();
  const told = tracesOf(upstream.requests.find(({ rpcMethod }) => rpcMethod === "tools/call")!);
  assertEquals([told.header, told.meta], [[TRACE_ID, CALLER], [TRACE_ID, CALLER]]);
  await collector.until(() => collector.points.some(({ name }) => name === "mcp.client.operation.duration"));
  assertEquals(collector.spans, []);
});

Deno.test("main.ts with OTEL_DENO marks spans of calls that fail, and names none by what is no tool's name", async () => {
  await using collector = startOtlpReceiver();
  await using upstream = await startMCPServer();
  await using gateway = await startGateway(toYaml(upstream.url), { env: collector.env });
  upstream.failNext("tools/call", { status: 500, body: "canary" });
  const call = async (tool: string) => {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: '{"text":"x"}' };
    await (await fetch(`${gateway.origin}/agents/Kairos/tools/${tool}`, init)).text();
  };
  await call("echo");
  await call("no%0Asuch");
  const own = () => collector.spans.filter(({ scope }) => scope === "portolan");
  await collector.until(() => own().length === 4);
  const ends = own().map(({ name, status, attributes }) => [name, status, attributes["error.type"]]);
  assertEquals(
    new Set(ends.map((end) => JSON.stringify(end))),
    new Set([
      '["tools/call echo",2,"upstream_error"]',
      '["tools/call",2,"tool_not_found"]',
    ]),
  );
  assertEquals(collector.texts.some((text) => text.includes("canary")), false);
});

Deno.test("main.ts with OTEL_DENO exports no secret of its configuration, its environment or its callers", async () => {
  await using collector = startOtlpReceiver();
  await using upstream = await startMCPServer({ requireHeader: { name: "authorization", value: "Bearer canary-1" } });
  const url = new URL(upstream.url);
  const yaml = `
servers:
  files: { url: "${url.origin}\${PATH}?key=\${KEY}", headers: { authorization: "Bearer \${TOKEN}" } }
  gone: { url: "http://127.0.0.1:9/\${TOKEN}?key=\${KEY}" }
agents:
  Kairos:
    servers: [files, gone]
    secrets: { files: { TOKEN: canary-1, KEY: canary-2, PATH: "${url.pathname}" }, gone: { TOKEN: canary-1, KEY: canary-2 } }
`;
  const env = {
    ...collector.env,
    PORTOLAN_KEYS: `*=${await digestKey("canary-3")}`,
    PORTOLAN_STORE_SECRET: "canary-4-canary-4",
    PORTOLAN_LOG_LEVEL: "debug",
  };
  await using gateway = await startGateway(yaml, { env });
  const headers = { authorization: "Bearer canary-3", "content-type": "application/json", "x-canary": "canary-5" };
  const call = async (tool: string, body: unknown) => {
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`${gateway.origin}/agents/Kairos/tools/${tool}`, init);
    return [response.status, await response.text()] as const;
  };
  const [status, answer] = await call("echo", { text: "canary-6" });
  assertEquals([status, answer.includes("canary-6")], [200, true]);
  await call("gone__echo", { text: "canary-6" });
  await collector.until(() => collector.spans.filter(({ scope }) => scope === "portolan").length === 4);
  await collector.until(() => collector.points.some(({ name }) => name === "mcp.client.operation.duration"));
  // The lines of the log come, too.
  await collector.until(() => collector.texts.some((text) => text.includes("/agents/:agent/tools/:tool 200")));
  const metrics = await (await fetch(`${gateway.origin}/metrics`, { headers })).text();
  for (const text of [...collector.texts, metrics]) {
    assertEquals(/canary-\d/.exec(text)?.[0], undefined, text.slice(0, 2_000));
  }
});
