import { assertEquals, assertGreater } from "@std/assert";
import { connectLegacy } from "../../src/connection/legacy_connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import { LIST_CAPS } from "../../src/connection/limits.ts";
import { toToolPage } from "../../src/connection/tool_messages.ts";
import { Deadline } from "../../src/deadline.ts";
import type { MCPErrorCode } from "../../src/errors.ts";
import { createGuardedFetch } from "../../src/guarded_fetch.ts";
import type { TransportChoice } from "../../src/server_config.ts";
import {
  acceptedOnly,
  answer,
  type Behaviour,
  drop,
  hang,
  hangAfterHead,
  htmlPage,
  invalidJson,
  ok,
  oversizeJson,
  rpcError,
  sequence,
  sse,
  sseBreaks,
  sseEnds,
  status,
  wrongId,
} from "../support/behaviours.ts";
import { failureOf, until } from "../support/client_support.ts";
import { createTestDesk } from "../support/connection_support.ts";
import { type RawServer, startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";

async function connect(url: string, more: { transport?: TransportChoice; timeoutMs?: number } = {}) {
  const { transport = "auto", timeoutMs = 10_000 } = more;
  using deadline = new Deadline(timeoutMs);
  const send = createGuardedFetch({ server: "files", url: new URL(url), headers: {} });
  const desk = createTestDesk();
  return await connectLegacy({ server: "files", url: new URL(url), transport, send, desk, deadline, now: Date.now });
}

async function listTools(connection: Connection): Promise<readonly unknown[]> {
  using deadline = new Deadline(10_000);
  const request = { method: "tools/list", params: {}, phase: "list", caps: LIST_CAPS, deadline } as const;
  return toToolPage(await connection.request(request), "files").tools;
}

/** Every way in which the answer to a handshake can be wrong, and the code that comes of it. */
const FAULTS: readonly (readonly [string, Behaviour, MCPErrorCode])[] = [
  ["F2 hangs", hang, "deadline_exceeded"],
  ["F2 hangs after the head", hangAfterHead, "deadline_exceeded"],
  ["F5 SSE ends without an answer", sseEnds(), "bad_response"],
  ["F6 SSE breaks off", sseBreaks, "bad_response"],
  ["drops the connection", drop, "unreachable"],
  ["F13 invalid JSON", invalidJson, "bad_response"],
  ["F14 HTML", htmlPage, "bad_response"],
  ["202 to a request", acceptedOnly, "bad_response"],
  ["F22 another id", wrongId(), "bad_response"],
  ["no result", answer(null), "bad_response"],
  ["not the result of initialize", answer({ hello: 1 }), "bad_response"],
  ["F17 2 MiB", oversizeJson(2 * 1024 * 1024), "too_large"],
  ["a JSON-RPC error", rpcError(-32000, "words"), "upstream_error"],
  ["HTTP 500", status(500), "upstream_error"],
  ["F11 HTTP 401", status(401), "unauthorized"],
  ["F11 HTTP 403", status(403), "forbidden"],
  ["F10 HTTP 429", status(429), "rate_limited"],
  [
    "another protocol version",
    answer({ protocolVersion: "1999-01-01", capabilities: {}, serverInfo: { name: "x", version: "1" } }),
    "unsupported_protocol",
  ],
];

for (const [what, behaviour, code] of FAULTS) {
  Deno.test(`connectLegacy() rejects with ${code} and closes its socket: initialize: ${what}`, async () => {
    await using server = startRawServer({ initialize: behaviour });
    await failureOf(() => connect(server.url, code === "deadline_exceeded" ? { timeoutMs: 500 } : {}), code);
    await until(() => server.openStreams() === 0);
    assertEquals(server.requests.map(({ rpcMethod }) => rpcMethod), ["initialize"], "no second transport");
  });
}

for (
  const [what, behaviour, code] of [
    ["F3 hangs", hang, "deadline_exceeded"],
    ["drops the connection", drop, "unreachable"],
    ["HTTP 500", status(500), "upstream_error"],
  ] as const
) {
  Deno.test(`connectLegacy() rejects with ${code}: notifications/initialized: ${what}`, async () => {
    await using server = startRawServer({ "notifications/initialized": behaviour });
    await failureOf(() => connect(server.url, { timeoutMs: code === "deadline_exceeded" ? 500 : 10_000 }), code);
    await until(() => server.openStreams() === 0);
  });
}

for (const [what, behaviour] of [["200 without a body", status(200)], ["200 with JSON", answer({})]] as const) {
  Deno.test(`connectLegacy() takes any 2xx for the answer to a notification: ${what}`, async () => {
    await using server = startRawServer({ "notifications/initialized": behaviour });
    await close(await connect(server.url));
  });
}

async function close(connection: Connection): Promise<void> {
  assertEquals(connection.lost, false);
  await connection.close();
}

Deno.test("connectLegacy() opens no GET stream over Streamable HTTP", async () => {
  await using server = startRawServer();
  await close(await connect(server.url));
  assertEquals(server.requests.map(({ method }) => method), ["POST", "POST"]);
});

Deno.test("connectLegacy() falls back to SSE, and closes both where that hangs", async () => {
  await using server = startRawServer({ initialize: status(405), GET: hang });
  await failureOf(() => connect(server.url, { timeoutMs: 200 }), "deadline_exceeded");
  await until(() => server.openStreams() === 0);
});

Deno.test("connectLegacy() rejects an SSE endpoint of another origin, which receives nothing", async () => {
  await using other = startRawServer();
  const script = { GET: () => sse(`event: endpoint\ndata: ${other.url}\n\n`) };
  await using server = startRawServer(script);
  await failureOf(() => connect(server.url, { transport: "sse" }), "bad_response");
  assertEquals(other.acceptedConnections(), 0);
  await until(() => server.openStreams() === 0);
});

/** An old SSE server by hand, whose stream the test writes to. */
function startOldSse(greeting: string): RawServer & { write(text: string): void; end(): void } {
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  const write = (text: string) => controller?.enqueue(new TextEncoder().encode(text));
  const reply: Behaviour = ({ rpc, respondOk }) => {
    if (rpc.id === undefined) return new Response(null, { status: 202 });
    void respondOk().text().then((text) => write(`event: message\ndata: ${text}\n\n`));
    return new Response(null, { status: 202 });
  };
  const server = startRawServer({
    GET: () => {
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (own) => void (controller = own) });
      write(greeting);
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
    initialize: reply,
    "tools/list": reply,
  });
  return { ...server, write, end: () => controller?.close() };
}

Deno.test("F36 connectLegacy() does not reopen an SSE stream that ends politely and asks for it at once", async () => {
  await using server = startOldSse("retry: 0\n\nevent: endpoint\ndata: /messages\n\n");
  const connection = await connect(server.url, { transport: "sse" });
  server.end();
  await until(() => connection.lost && server.openStreams() === 0);
  await connection.close();
  assertEquals(server.requests.filter(({ method }) => method === "GET").length, 1);
});

Deno.test("F19 connectLegacy() gives an SSE stream up whose line never ends", async () => {
  await using server = startOldSse("event: endpoint\ndata: /messages\n\n");
  const connection = await connect(server.url, { transport: "sse" });
  const line = "x".repeat(1024 * 1024);
  server.write("data: ");
  for (let sent = 0; sent < 16; sent++) server.write(line);
  await until(() => connection.lost && server.openStreams() === 0);
  await connection.close();
});

Deno.test("connectLegacy() keeps an SSE stream on which much comes in small events", async () => {
  await using server = startOldSse("event: endpoint\ndata: /messages\n\n");
  const connection = await connect(server.url, { transport: "sse" });
  const notice = JSON.stringify({ jsonrpc: "2.0", method: "notifications/message", params: { data: "x".repeat(1e6) } });
  for (let sent = 0; sent < 16; sent++) server.write(`data: ${notice}\n\n`);
  assertGreater((await listTools(connection)).length, 0);
  await close(connection);
});

Deno.test("connectLegacy() takes the session id and sends it, with the version, from then on", async () => {
  await using server = await startMCPServer();
  const connection = await connect(server.url);
  await listTools(connection);
  const [, ...later] = server.requests;
  for (const { headers } of later) {
    assertEquals([headers.get("mcp-session-id"), headers.get("mcp-protocol-version")], [
      server.sessions[0] ?? null,
      connection.protocolVersion,
    ]);
  }
  await close(connection);
});

Deno.test("connectLegacy() works after a failure of the same server", async () => {
  await using server = startRawServer({ initialize: sequence(sseEnds(), ok) });
  await failureOf(() => connect(server.url), "bad_response");
  await close(await connect(server.url));
});
