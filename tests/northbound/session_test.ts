import { assertEquals, assertThrows } from "@std/assert";
import { digestKey } from "../../routes/mod.ts";
import { AgentNotices } from "../../src/northbound/agent_notices.ts";
import { RpcError } from "../../src/northbound/rpc.ts";
import {
  MAX_SESSIONS,
  MAX_SESSIONS_OF_AGENT,
  MAX_SESSIONS_OF_CALLER,
  SESSION_TTL_MS,
  SessionBook,
} from "../../src/northbound/session_book.ts";
import { startAskingServer } from "../support/asking_server.ts";
import { manualClock } from "../support/manual_clock.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import {
  askLegacy,
  beginSession,
  messagesOf,
  open,
  read,
  send,
  startNorthbound,
  toModern,
} from "../support/northbound_support.ts";

const ALL = { elicitation: {}, sampling: {}, roots: {} };
const ACCEPT = { accept: "text/event-stream" };

/** Opens the stream of a session. */
const listen = (url: string, headers: Readonly<Record<string, string>>) =>
  fetch(url, { headers: { ...headers, ...ACCEPT } });

Deno.test("Only legacy callers that can be asked get a session, and none where sessions are off", async () => {
  await using server = startModernServer();
  const servers = { modern: { url: server.url } };
  await using north = startNorthbound({ servers });
  const { id, initialized } = await beginSession(north.url, ALL);
  assertEquals([id === undefined, initialized.capabilities.tools], [false, { listChanged: true }]);
  for (const capabilities of [{}, { experimental: {} }, { elicitation: true }]) {
    const stateless = await beginSession(north.url, capabilities);
    assertEquals([stateless.id, stateless.initialized.capabilities.tools], [undefined, {}]);
    assertEquals((await stateless.call("tools/call", { name: "whoami" })).last.result.content[0].text, "modern");
    assertEquals((await listen(north.url, stateless.headers).then(read)).status, 405);
  }
  await using off = startNorthbound({ servers, gateway: { open: "loopback", sessions: "off" } });
  assertEquals((await beginSession(off.url, ALL)).id, undefined);
});

Deno.test("A session ends by DELETE, and is as unknown then as one that never was", async () => {
  await using server = startModernServer();
  await using north = startNorthbound({ servers: { modern: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const ended = await fetch(north.url, { method: "DELETE", headers: session.headers });
  assertEquals([ended.status, await ended.text()], [204, ""]);
  const gone = await session.call("tools/list");
  const never = await askLegacy(north.url, "tools/list", {}, { headers: { "mcp-session-id": "never" } });
  for (const { status, last } of [gone, never]) {
    assertEquals([status, last.error.code, last.error.data.code], [404, -32600, "session_lost"]);
  }
  assertEquals([gone.last.id, never.last.id], [2, 1]);
  assertEquals((await listen(north.url, session.headers).then(read)).status, 404);
  assertEquals((await session.post({ id: "portolan-1", result: {} })).status, 404);
});

Deno.test("A session that ends while a call runs says that the call may have run, and not to send it again", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const call = { jsonrpc: "2.0", id: "c", method: "tools/call", params: { name: "ask" } };
  const messages = messagesOf(await open(north.url, call, session.headers));
  await messages.next();
  await fetch(north.url, { method: "DELETE", headers: session.headers }).then(read);
  const { error: { data: { code, retryable } } } = (await Array.fromAsync(messages)).at(-1);
  assertEquals([code, retryable], ["outcome_unknown", false]);
});

Deno.test("What is no request is refused too where it names a version that nobody knows", async () => {
  await using server = startModernServer();
  await using north = startNorthbound({ servers: { modern: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const headers = { ...session.headers, accept: "text/event-stream", "mcp-protocol-version": "1999-01-01" };
  const notification = { jsonrpc: "2.0", method: "notifications/initialized" };
  const response = { jsonrpc: "2.0", id: "portolan-1", result: {} };
  for (const body of [notification, response]) {
    const { status, last } = await send(north.url, body, headers);
    assertEquals([status, last.error.code, last.id], [400, -32022, null]);
  }
  for (const method of ["GET", "DELETE"]) {
    assertEquals((await read(await fetch(north.url, { method, headers }))).status, 400);
  }
  assertEquals((await session.call("ping")).last.result, {});
});

Deno.test("A session is its caller's and its agent's alone", async () => {
  await using server = startModernServer();
  const keys = {
    Kairos: [await digestKey("one-key"), await digestKey("two-key")],
    Mercurius: [await digestKey("one-key")],
  };
  await using north = startNorthbound({ servers: { modern: { url: server.url } }, gateway: { keys } });
  const session = await beginSession(north.url, ALL, { authorization: "Bearer one-key" });
  const statusOf = async (url: string, authorization: string) => {
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
    return (await send(url, ping, { ...session.headers, authorization })).status;
  };
  assertEquals(await statusOf(north.url, "Bearer one-key"), 200);
  assertEquals(await statusOf(north.url, "Bearer two-key"), 404);
  assertEquals(await statusOf(north.url.replace("Kairos", "Mercurius"), "Bearer one-key"), 404);
  const stolen = await fetch(north.url, {
    method: "DELETE",
    headers: { ...session.headers, authorization: "Bearer two-key" },
  });
  assertEquals((await read(stolen)).status, 404);
  assertEquals(await statusOf(north.url, "Bearer one-key"), 200);
});

Deno.test("A modern request with a session id is served as any other", async () => {
  await using server = startModernServer();
  await using north = startNorthbound({ servers: { modern: { url: server.url } } });
  const { headers, body } = toModern("tools/list");
  const { status } = await send(north.url, body, { ...headers, "mcp-session-id": "never" });
  assertEquals(status, 200);
});

Deno.test("A session is told of changed lists and of resources that it watches, on one of its streams", async () => {
  await using server = await startMCPServer();
  await using north = startNorthbound({ servers: { test: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const first = await listen(north.url, session.headers);
  const second = await listen(north.url, session.headers);
  assertEquals([first.status, first.headers.get("content-type")], [200, "text/event-stream"]);
  await session.call("tools/list");
  const messages = messagesOf(second);
  const next = messages.next();
  while (server.live.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  server.setTools([{ name: "late" }]);
  assertEquals((await next).value, { jsonrpc: "2.0", method: "notifications/tools/list_changed" });
  await messages.return(undefined);
  await first.body?.cancel();
});

Deno.test("A legacy caller cancels its request by its id, which then gets no answer", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const call = { jsonrpc: "2.0", id: "c", method: "tools/call", params: { name: "ask" } };
  const response = await open(north.url, call, session.headers);
  const messages = messagesOf(response);
  const { value: question } = await messages.next();
  assertEquals(question.method, "elicitation/create");
  const again = await send(north.url, call, session.headers);
  assertEquals([again.last.error.code, again.last.id], [-32600, "c"]);
  assertEquals((await session.post({ method: "notifications/cancelled", params: { requestId: "c" } })).status, 202);
  const rest = [];
  for await (const { method, params } of messages) rest.push([method, params]);
  // The question is taken back, and that is all.
  assertEquals(rest, [["notifications/cancelled", { requestId: question.id }]]);
  // Too late, and of no harm.
  assertEquals((await session.post({ id: question.id, result: { action: "accept" } })).status, 202);
  assertEquals((await session.call("ping")).last.result, {});
});

Deno.test("SessionBook ends the session that was idle for the longest time where there are too many", () => {
  const clock = manualClock();
  const book = new SessionBook(clock);
  const begin = (caller: string, agent = "Kairos") =>
    book.begin({ agent, client: {} as never, caller, askable: {}, notices: new AgentNotices() });
  const find = (id: string, caller: string) => book.find({ id, agent: "Kairos", caller });
  const own = Array.from({ length: MAX_SESSIONS_OF_CALLER }, () => begin("a"));
  find(own[0]?.options.id ?? "", "a");
  const extra = begin("a");
  assertEquals([book.size, find(extra.options.id, "a")], [MAX_SESSIONS_OF_CALLER, extra]);
  assertEquals(find(own[0]?.options.id ?? "", "a"), own[0]);
  assertThrows(() => find(own[1]?.options.id ?? "", "a"), RpcError);
  const theirs = begin("b", "Mercurius");
  for (let caller = 0; book.size <= MAX_SESSIONS_OF_AGENT; caller++) begin(`other ${caller % 8}`);
  // The sessions of one agent end no session of another.
  begin("last");
  assertEquals(book.size, MAX_SESSIONS_OF_AGENT + 1);
  assertEquals(book.find({ id: theirs.options.id, agent: "Mercurius", caller: "b" }), theirs);
  for (let caller = 0; book.size < MAX_SESSIONS; caller++) begin(`more ${caller % 16}`, `agent ${caller % 4}`);
  begin("last", "Mercurius");
  assertEquals(book.size, MAX_SESSIONS);
});

Deno.test("SessionBook refuses a session where all are in use, and forgets those that nobody uses", async () => {
  const clock = manualClock();
  const book = new SessionBook(clock);
  const begin = () =>
    book.begin({ agent: "K", client: {} as never, caller: "a", askable: {}, notices: new AgentNotices() });
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = Array.from({ length: MAX_SESSIONS_OF_CALLER }, () => begin().run(1, () => promise));
  assertEquals(assertThrows(begin, RpcError).status, 503);
  clock.pass(SESSION_TTL_MS + 1);
  assertEquals(assertThrows(begin, RpcError).status, 503);
  resolve();
  await Promise.all(running);
  const fresh = begin();
  assertEquals(book.size, 1);
  clock.pass(SESSION_TTL_MS);
  assertEquals(book.find({ id: fresh.options.id, agent: "K", caller: "a" }), fresh);
  clock.pass(SESSION_TTL_MS + 1);
  assertThrows(() => book.find({ id: fresh.options.id, agent: "K", caller: "a" }), RpcError);
});
