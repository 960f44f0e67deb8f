import { assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async";
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "../../src/sdk.ts";
import {
  acceptedOnly,
  answerTwice,
  type Behaviour,
  drop,
  endlessSseLine,
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
  sseBreaks,
  sseEnds,
  swapped,
  wrongId,
} from "./behaviours.ts";
import { ToolListChangedNotificationSchema } from "./sdk_server.ts";
import { startEverything } from "./everything.ts";
import { type RawServer, refusedUrl, startRawServer, startSilentServer } from "./fault_server.ts";
import { startMCPServer, type TestMCPServer } from "./mcp_server.ts";
import { IS_DENO_2_5 } from "./runtime.ts";

async function connect(url: string, transport: "streamable_http" | "sse"): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" });
  const target = new URL(url);
  const kept: Response[] = [];
  // A streaming body can only be cancelled while its response is reachable.
  const fetchAndKeep = async (input: string | URL, init?: RequestInit) => {
    const response = await fetch(input, init);
    kept.push(response);
    return response;
  };
  await client.connect(
    transport === "sse"
      ? new SSEClientTransport(target)
      : new StreamableHTTPClientTransport(target, { fetch: (input, init) => fetchAndKeep(input, init as RequestInit) }),
  );
  return client;
}

async function callText(client: Client, name: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const { content } = await client.callTool({ name, arguments: args });
  return Array.isArray(content) ? content[0]?.text : undefined;
}

async function until(condition: () => boolean): Promise<void> {
  for (let left = 400; left > 0 && !condition(); left--) await delay(5);
  assertEquals(condition(), true, condition.toString());
}

function untilNoStreams(server: TestMCPServer | RawServer): Promise<void> {
  return until(() => server.openStreams() === 0);
}

let lastId = 0;

function post(url: string, method: string, init: RequestInit = {}): Promise<Response> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: ++lastId, method, params: { name: "echo", arguments: {} } });
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  return fetch(url, { method: "POST", headers, body, redirect: "manual", ...init });
}

for (
  const options of [
    {},
    { json: true },
    { stateful: false },
    { stateful: false, json: true },
    { transport: "sse" as const },
    { pageSize: 1 },
  ]
) {
  Deno.test(`startMCPServer() is listed and called by the official client: ${JSON.stringify(options)}`, async () => {
    await using server = await startMCPServer({ name: "alpha", delayMs: 1, ...options });
    const client = await connect(server.url, options.transport ?? "streamable_http");
    const first = await client.listTools();
    assertEquals(first.tools.map(({ name }) => name), options.pageSize === 1 ? ["echo"] : ["echo", "whoami", "add"]);
    assertEquals(await callText(client, "whoami"), "alpha");
    assertEquals(await callText(client, "add", { a: 1, b: 2 }), "3");
    assertEquals(server.executions.get("add"), 1);
    assertEquals(server.count("tools/call"), 2);
    assertEquals(server.sessions.length, options.stateful === false ? 0 : 1);
    await client.close();
    await untilNoStreams(server);
  });
}

Deno.test("startMCPServer() stops while a call hangs and streams are open", async () => {
  const server = await startMCPServer();
  const client = await connect(server.url, "streamable_http");
  server.hangNext("tools/call");
  const call = client.callTool({ name: "whoami" });
  const settled = assertRejects(() => call);
  await until(() => server.count("tools/call") === 1);
  assertEquals(server.openStreams(), 2);
  await server.stop();
  await client.close();
  await settled;
  assertEquals(server.openStreams(), 0);
  assertEquals(server.executions.get("whoami"), undefined);
});

for (const options of [{}, { json: true }, { stateful: false }, { stateful: false, json: true }]) {
  Deno.test(`startMCPServer() stops while a tool never ends: ${JSON.stringify(options)}`, async () => {
    const tools = [{ name: "stuck", run: () => new Promise<never>(() => {}) }];
    const server = await startMCPServer({ tools, ...options });
    const client = await connect(server.url, "streamable_http");
    const settled = assertRejects(() => client.callTool({ name: "stuck" }));
    await until(() => server.executions.get("stuck") === 1);
    await server.stop();
    await client.close();
    await settled;
    await untilNoStreams(server);
  });
}

Deno.test("startMCPServer() tells live sessions of changed tools, and forgets sessions", async () => {
  await using server = await startMCPServer();
  const client = await connect(server.url, "streamable_http");
  const changed = Promise.withResolvers<void>();
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => changed.resolve());
  await until(() => server.requests.some(({ method }) => method === "GET"));
  server.setTools([{ name: "later" }]);
  await changed.promise;
  assertEquals((await client.listTools()).tools.map(({ name }) => name), ["later"]);
  assertEquals(await callText(client, "later", { any: 1 }), "ok");
  server.setTools([]);
  assertEquals((await client.listTools()).tools, []);
  await server.dropSessions({ status: 400 });
  assertEquals(server.sessions, []);
  await assertRejects(() => client.listTools(), Error, "No valid session ID provided");
  await client.close();
});

Deno.test("startMCPServer() fails the next requests of a method, and asks for a header", async () => {
  const requireHeader = { name: "authorization", value: "Bearer good" };
  await using server = await startMCPServer({ stateful: false, requireHeader });
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    authorization: "Bearer good",
  };
  const denied = await post(server.url, "tools/list");
  assertEquals([denied.status, await denied.text()], [401, "Unauthorized"]);
  server.failNext("tools/list", { status: 503, headers: { "retry-after": "1" }, body: "busy", times: 2 });
  const statuses: unknown[] = [];
  for (let left = 3; left > 0; left--) {
    const response = await post(server.url, "tools/list", { headers });
    await response.body?.cancel();
    statuses.push([response.status, response.headers.get("retry-after")]);
  }
  assertEquals(statuses, [[503, "1"], [503, "1"], [200, null]]);
  assertEquals(server.requests.at(-1)?.headers.get("authorization"), "Bearer good");
});

for (const options of [{}, { sse: true }, { sessionId: "s-1" }]) {
  Deno.test(`startRawServer() is a correct server without a script: ${JSON.stringify(options)}`, async () => {
    await using server = startRawServer({}, options);
    const client = await connect(server.url, "streamable_http");
    assertEquals((await client.listTools()).tools.map(({ name }) => name), ["echo"]);
    assertEquals(await callText(client, "echo", { text: "hi" }), "hi");
    await client.close();
    assertEquals(server.requests.at(-1)?.headers.get("mcp-session-id"), options.sessionId ?? null);
    await untilNoStreams(server);
  });
}

/** What a plain `fetch` sees of a behaviour. */
const SEEN: readonly (readonly [string, Behaviour, string])[] = [
  ["acceptedOnly", acceptedOnly, "202 "],
  ["htmlPage", htmlPage, "200 <!doctype html>"],
  ["invalidJson", invalidJson, '200 {"jsonrpc":"2.0","id":'],
  ["rateLimited", rateLimited(7), "429 "],
  ["redirectTo", redirectTo("http://127.0.0.1:1/"), "307 "],
  ["sessionGone 404", sessionGone(), '404 {"jsonrpc":"2.0","error":{"code":-32001'],
  ["sessionGone 400", sessionGone(400), '400 {"jsonrpc":"2.0","error":{"code":-32000'],
  ["sseEnds", sseEnds(), "200 : nothing"],
  ["sseBreaks", sseBreaks, "200 broken"],
  ["wrongId", wrongId("x"), '200 {"jsonrpc":"2.0","id":"x","result"'],
  ["answerTwice", answerTwice(1, 2), "200 event: message"],
  ["oversizeJson", oversizeJson(200_000), '200 {"jsonrpc":"2.0","id":'],
  ["oversizeError", oversizeError(200_000, 502), "502 xxxx"],
  ["gzipBomb", gzipBomb(5_000_000), '200 {"jsonrpc":"2.0","id":'],
  ["slowDrip", slowDrip(1), '200 {"jsonrpc":"2.0","id":'],
];

for (const [name, behaviour, expected] of SEEN) {
  Deno.test(`startRawServer() answers as told: ${name}`, async () => {
    await using server = startRawServer({ "tools/call": behaviour });
    const response = await post(server.url, "tools/call");
    const text = await response.text().catch(() => "broken");
    assertEquals(`${response.status} ${text}`.slice(0, expected.length), expected);
    assertEquals(name !== "gzipBomb" || text.length === 5_000_000, true);
    await untilNoStreams(server);
  });
}

for (const [name, behaviour] of Object.entries({ hang, hangAfterHead, endlessSseLine, swapped: swapped() })) {
  Deno.test(`startRawServer() notices that the client left: ${name}`, async () => {
    await using server = startRawServer({ "tools/call": behaviour });
    const leaving = new AbortController();
    const answered = post(server.url, "tools/call", { signal: leaving.signal }).then((response) => response.text());
    const rejected = assertRejects(() => answered);
    await until(() => server.count("tools/call") === 1);
    leaving.abort();
    await rejected;
    await until(() => server.openStreams() === 0 && server.openConnections() === 0);
  });
}

Deno.test("startRawServer() swaps the answers of two calls", async () => {
  await using server = startRawServer({ "tools/call": swapped() });
  const bodies = await Promise.all([1, 2].map(async () => await (await post(server.url, "tools/call")).json()));
  const ids = server.requests.map(({ rpcId }) => rpcId);
  assertEquals(bodies.map(({ id }) => id).sort(), ids.sort());
});

Deno.test("startRawServer() drops a connection it kept alive, and counts what arrived", async () => {
  await using server = startRawServer({ "tools/call": sequence(({ respondOk }) => respondOk(), drop) });
  await (await post(server.url, "tools/call")).text();
  await assertRejects(() => post(server.url, "tools/call"));
  // The runtime sends a request again whose reused connection closed before the answer; Deno 2.5 does not.
  assertEquals([server.count("tools/call"), server.acceptedConnections()], IS_DENO_2_5 ? [2, 1] : [3, 2]);
});

Deno.test("startRawServer() stops while calls hang", async () => {
  const server = startRawServer({ "tools/call": hang });
  const calls = [1, 2, 3].map(() => assertRejects(() => post(server.url, "tools/call")));
  await until(() => server.count("tools/call") === 3);
  assertEquals([server.openConnections(), server.openStreams()], [3, 3]);
  await server.stop();
  await Promise.all(calls);
  assertEquals([server.openConnections(), server.openStreams()], [0, 0]);
});

Deno.test("startSilentServer() holds its sockets, and refusedUrl() refuses", async () => {
  await using server = startSilentServer();
  const leaving = new AbortController();
  const rejected = assertRejects(() => post(server.url, "initialize", { signal: leaving.signal }));
  await until(() => server.openConnections() === 1);
  leaving.abort();
  await rejected;
  await until(() => server.openConnections() === 0);
  await assertRejects(() => post(refusedUrl(), "initialize"), TypeError);
});

for (const transport of ["streamableHttp", "sse"] as const) {
  Deno.test(`startEverything() lists and answers over ${transport}`, async () => {
    await using server = await startEverything(transport);
    const client = await connect(server.url, transport === "sse" ? "sse" : "streamable_http");
    const { tools } = await client.listTools();
    assertEquals(tools.length >= 13, true, `${tools.length} tools`);
    assertEquals(await callText(client, "echo", { message: "hi" }), "Echo: hi");
    await client.close();
  });
}
