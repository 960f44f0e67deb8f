import { assertEquals } from "@std/assert";
import { MultiServerMCPClient, type ServerConfig } from "@portolan/mcp";
import type { JsonObject } from "../../src/protocol.ts";
import {
  answer,
  answerSse,
  answerTwice,
  type Behaviour,
  drop,
  endlessSse,
  endlessSseLine,
  event,
  gzipBomb,
  hang,
  hangAfterHead,
  htmlPage,
  invalidJson,
  oversizeError,
  oversizeJson,
  rateLimited,
  redirectTo,
  sequence,
  sessionGone,
  slowDrip,
  sse,
  sseBreaks,
  sseEnds,
  status,
  swapped,
  wrongId,
} from "../support/behaviours.ts";
import { codeOf, textOf, until } from "../support/client_support.ts";
import { type RawServerScript, refusedUrl, startRawServer, startSilentServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";

const MIB = 1024 * 1024;
const HOSTILE_TIMEOUT_MS = 300;
const GOOD = Array.from({ length: 7 }, (_, index) => `good_${index}`);
const TEXT: JsonObject = { content: [{ type: "text", text: "hi" }] };
const CHANGED = event({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
const SCHEMA: JsonObject = { type: "object", properties: { text: { type: "string", pattern: "^((a+)+)+$" } } };
const toTools = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `t${at}`, inputSchema: SCHEMA }));
const HUGE: JsonObject = {
  type: "object",
  properties: Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`p${at}`, {}])),
};
const calling = (behaviour: Behaviour): RawServerScript => ({ "tools/call": behaviour });
const listing = (behaviour: Behaviour): RawServerScript => ({ "tools/list": behaviour });
const upAndDown = sequence(...Array.from({ length: 100 }, (_, at) => at % 2 === 0 ? drop : status(503)) as [Behaviour]);

/** Every way of a server to be hostile, by its row. */
const HOSTILE: Readonly<Record<string, RawServerScript>> = {
  "F2 hangs on server/discover": { "server/discover": hang },
  "F2 hangs on initialize": { initialize: hang },
  "F3 hangs on notifications/initialized": { "notifications/initialized": hang },
  "F3 hangs on tools/list": listing(hang),
  "F4 calls hang": calling(hang),
  "F4 calls hang after the head": calling(hangAfterHead),
  "F5 SSE ends": calling(sseEnds()),
  "F6 SSE breaks": calling(sseBreaks),
  "F6 connections drop": calling(drop),
  "F7 500": calling(status(500)),
  "F9 session always gone": calling(sessionGone()),
  "F10 429 with Retry-After": calling(rateLimited(60)),
  "F11 401": calling(status(401)),
  "F11 403 to initialize": { initialize: status(403) },
  "F12 502": calling(status(502)),
  "F12 503 to tools/list": listing(status(503)),
  "F12 504": calling(status(504)),
  "F13 invalid JSON": calling(invalidJson),
  "F14 an HTML page": calling(htmlPage),
  "F14 an HTML page to initialize": { initialize: htmlPage },
  "F15 redirects elsewhere": calling(redirectTo("http://127.0.0.1:9/mcp")),
  "F17 64 MiB": calling(oversizeJson(64 * MIB)),
  "F17 64 MiB of tools": listing(oversizeJson(64 * MIB)),
  "F18 an error of 32 MiB": calling(oversizeError(32 * MIB)),
  "F19 an SSE line without an end": calling(endlessSseLine),
  "F19 a notice without an end": { GET: endlessSseLine },
  "F20 a gzip bomb": calling(gzipBomb(64 * MIB)),
  "F21 a slow drip": calling(slowDrip(20)),
  "F21 a slow drip of tools": listing(slowDrip(20)),
  "F22 unknown ids": calling(wrongId()),
  "F23 swapped answers": calling(swapped()),
  "F24 second answers": calling(answerTwice(TEXT, TEXT)),
  "F25 a cursor that repeats": listing(answer({ tools: toTools(1), nextCursor: "again" })),
  "F26 malformed tools": listing(answer({ tools: [null, 7, { name: "" }, { name: "__proto__", inputSchema: {} }] })),
  "F28 F29 2,000 tools with a pattern that takes for ever": listing(answer({ tools: toTools(2_000) })),
  "F30 a schema of 20,000 properties": listing(answer({ tools: [{ name: "huge", inputSchema: HUGE }] })),
  "F31 10,000 tools": listing(answer({ tools: toTools(10_000) })),
  "F34 list_changed 500 times": { GET: () => sse(CHANGED.repeat(500)) },
  "F35 list_changed without a pause": { GET: endlessSse(CHANGED, 1) },
  "F36 retry: 0": { GET: () => sse("retry: 0\n\n") },
  "F37 3,000 pings": calling(answerSse(TEXT, event({ jsonrpc: "2.0", id: 1, method: "ping" }).repeat(3_000))),
  "F38 a batch of 200,000 messages": calling(() => Response.json(new Array(200_000).fill(0))),
  "F39 progress for ever": calling(endlessSse(event({ jsonrpc: "2.0", method: "notifications/progress" }), 1)),
  "F42 input_required for ever": calling(answer({ resultType: "input_required" })),
  "F45 up and down": { "server/discover": upAndDown, initialize: upAndDown, "tools/call": upAndDown },
};

/** One hostile server between seven good ones: these connect, and answer every call. */
async function assertIsolated(url: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const goods = await Promise.all(GOOD.map((name) => startMCPServer({ name })));
  for (const good of goods) stack.use(good);
  const servers: Record<string, ServerConfig> = { hostile: { url, timeoutMs: HOSTILE_TIMEOUT_MS, watch: true } };
  for (const [index, { url }] of goods.entries()) servers[GOOD[index]!] = { url };
  const client = stack.use(new MultiServerMCPClient("Kairos", { servers }));
  const { hostile: _, ...connected } = await client.connectToServers();
  assertEquals(connected, Object.fromEntries(GOOD.map((name) => [name, true])));
  const hostileCalls = Array.from({ length: 5 }, () => codeOf(client.callTool("hostile__echo", { text: "hi" })));
  const answers = await Promise.all(GOOD.flatMap((name) => {
    return Array.from({ length: 10 }, async () => [name, textOf(await client.callTool(`${name}__whoami`))] as const);
  }));
  for (const [name, answered] of answers) assertEquals(answered, name);
  await Promise.all(hostileCalls);
  const status = client.getConnectionStatus();
  for (const [index, name] of GOOD.entries()) {
    const { state, lastError, breaker, toolCount, running, waiting } = status[name]!;
    assertEquals([state, lastError, breaker, toolCount, running, waiting], ["connected", undefined, "closed", 3, 0, 0]);
    const good = goods[index]!;
    assertEquals([good.count("initialize"), good.count("tools/list"), good.executions.get("whoami")], [1, 1, 10]);
  }
}

for (const [row, script] of Object.entries(HOSTILE)) {
  Deno.test(`F50 one of eight servers is hostile: the other seven have no errors (${row})`, async () => {
    await using hostile = startRawServer(script, { sessionId: "s-1" });
    await assertIsolated(hostile.url);
    await until(() => hostile.openStreams() === 0);
  });
}

Deno.test("F50 one of eight servers is hostile: the other seven have no errors (F1 refuses the connection)", async () => {
  await assertIsolated(refusedUrl());
});

Deno.test("F50 one of eight servers is hostile: the other seven have no errors (F2 says nothing at all)", async () => {
  await using silent = startSilentServer();
  await assertIsolated(silent.url);
  await until(() => silent.openConnections() === 0);
});
