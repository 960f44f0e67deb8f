import { assertEquals, assertThrows } from "@std/assert";
import { createGateway } from "../../routes/mod.ts";
import { MCPClientManager } from "../../src/client_manager.ts";
import { OPEN_ACCESS } from "../../src/callers/access.ts";
import { CallJournal } from "../../src/gateway/call_journal.ts";
import { InFlight } from "../../src/gateway/in_flight.ts";
import { CallLimiter } from "../../src/limits/call_limiter.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { RECHECK_MS } from "../../src/northbound/listen.ts";
import { McpEndpoint } from "../../src/northbound/endpoint.ts";
import { KEEP_ALIVE_MS } from "../../src/northbound/message_stream.ts";
import { RpcError } from "../../src/northbound/rpc.ts";
import { StreamSlots } from "../../src/northbound/stream_slots.ts";
import { fakeDirectory } from "../gateway/gateway_support.ts";
import { startContextServer } from "../support/context_server.ts";
import { manualClock } from "../support/manual_clock.ts";
import { startModernFeaturesServer } from "../support/modern_features_server.ts";
import { askModern, beginSession, messagesOf, open, startNorthbound, toModern } from "../support/northbound_support.ts";

const ID = "io.modelcontextprotocol/subscriptionId";
const EVERYTHING = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };

/** Opens a stream of notices, and reads what it begins with. */
async function listen(url: string, notifications: Readonly<Record<string, unknown>>, id: string | number = "s") {
  const { headers, body } = toModern("subscriptions/listen", { notifications }, { id });
  const response = await open(url, body, headers);
  const messages = messagesOf(response);
  const { value: first } = await messages.next();
  return { response, messages, first };
}

const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
const closed = async (watched: { readonly messages: AsyncGenerator<unknown> }) =>
  await watched.messages.return(undefined);

Deno.test("subscriptions/listen says first what is told, and stamps everything with its id", async () => {
  await using server = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { features: { url: server.url } } });
  await askModern(north.url, "tools/list");
  const watched = await listen(north.url, { ...EVERYTHING, resourceSubscriptions: ["chart://Genoa", "none://x"] });
  assertEquals(watched.response.headers.get("x-accel-buffering"), "no");
  assertEquals(watched.first, {
    jsonrpc: "2.0",
    method: "notifications/subscriptions/acknowledged",
    params: { _meta: { [ID]: "s" }, notifications: { ...EVERYTHING, resourceSubscriptions: ["chart://Genoa"] } },
  });
  while (server.openStreams() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  server.update("chart://Genoa");
  const { value: updated } = await watched.messages.next();
  assertEquals(updated.params, { uri: "chart://Genoa", _meta: { [ID]: "s" } });
  server.grow();
  const methods = new Set<string>();
  while (methods.size < 3) {
    const { value } = await watched.messages.next();
    assertEquals(value.params._meta, { [ID]: "s" });
    methods.add(value.method);
  }
  assertEquals([...methods].sort(), [
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/tools/list_changed",
  ]);
  await closed(watched);
});

Deno.test("subscriptions/listen tells nothing that was not asked for", async () => {
  await using server = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { features: { url: server.url } } });
  const narrow = await listen(north.url, { promptsListChanged: true, toolsListChanged: false }, 1);
  assertEquals(narrow.first.params.notifications, { promptsListChanged: true });
  const wide = await listen(north.url, EVERYTHING, 2);
  while (server.openStreams() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  server.grow();
  const { value } = await narrow.messages.next();
  assertEquals([value.method, value.params._meta[ID]], ["notifications/prompts/list_changed", 1]);
  await closed(narrow);
  await closed(wide);
});

Deno.test("All who listen to an agent share one stream to its server, which ends with the last", async () => {
  await using server = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { features: { url: server.url } } });
  const watched = await Promise.all([1, 2, 3].map((id) => listen(north.url, EVERYTHING, id)));
  while (server.openStreams() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(server.openStreams(), 1);
  for (const one of watched) await closed(one);
  while (server.openStreams() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

for (const era of ["legacy", "modern"] as const) {
  Deno.test(`Callers of both eras are told of a changed resource of a ${era} server`, async () => {
    await using server = startContextServer(era, "notes", { resources: ["notes://today"] });
    await using north = startNorthbound({ servers: { notes: { url: server.url } } });
    const session = await beginSession(north.url, { elicitation: {} });
    const stream = await fetch(north.url, { headers: { ...session.headers, accept: "text/event-stream" } });
    const heard = messagesOf(stream);
    const { last } = await session.call("resources/subscribe", { uri: "notes://today" });
    assertEquals(last.result, {});
    const watched = await listen(north.url, { resourceSubscriptions: ["notes://today"] });
    assertEquals(watched.first.params.notifications, { resourceSubscriptions: ["notes://today"] });

    server.update("notes://today");
    const method = "notifications/resources/updated";
    assertEquals((await heard.next()).value, { jsonrpc: "2.0", method, params: { uri: "notes://today" } });
    assertEquals((await watched.messages.next()).value.params.uri, "notes://today");
    assertEquals((await session.call("resources/unsubscribe", { uri: "notes://today" })).last.result, {});
    const unknown = await session.call("resources/subscribe", { uri: "none://x" });
    assertEquals([unknown.last.error.code, unknown.last.error.data.code], [-32002, "resource_not_found"]);
    await heard.return(undefined);
    await closed(watched);
  });
}

Deno.test("subscriptions/listen refuses a filter that is none, and one that is too long", async () => {
  await using server = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { features: { url: server.url } } });
  for (
    const notifications of [undefined, [], { resourceSubscriptions: "a" }, {
      resourceSubscriptions: Array(257).fill("a://b"),
    }]
  ) {
    const { last } = await askModern(north.url, "subscriptions/listen", { notifications });
    assertEquals([last.id, last.error.code], [1, -32602]);
  }
  const json = await askModern(north.url, "subscriptions/listen", { notifications: {} }, {
    headers: { accept: "application/json" },
  });
  assertEquals(json.status, 406);
});

Deno.test("S11 A gateway that stops ends every stream at once, and a modern one with its response", async () => {
  await using server = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { features: { url: server.url } } });
  const session = await beginSession(north.url, { elicitation: {} });
  const stream = await fetch(north.url, { headers: { ...session.headers, accept: "text/event-stream" } });
  const watched = await listen(north.url, EVERYTHING, 7);
  const calls = [1, 2, 3].map(() => askModern(north.url, "tools/call", { name: "hang" }));
  while (server.count("tools/call") < 3) await new Promise((resolve) => setTimeout(resolve, 5));

  const stopped = north.gateway.drain({ graceMs: 100 });
  assertEquals(await stream.text(), "");
  const { value } = await watched.messages.next();
  assertEquals([value.id, value.result.resultType, value.result._meta[ID]], [7, "complete", 7]);
  assertEquals((await watched.messages.next()).done, true);
  for (const { status, last, headers } of await Promise.all(calls)) {
    const { code, retryable } = last.error.data;
    assertEquals([status, code, retryable, headers.get("retry-after")], [200, "outcome_unknown", false, null]);
  }
  await stopped;
  const { status, last } = await askModern(north.url, "tools/list");
  assertEquals([status, last.error.data.code], [503, "closed"]);
});

Deno.test("Streams of both eras end when the key that opened them has ended or was revoked", async () => {
  const clock = manualClock();
  await using manager = new MCPClientManager({ agents: { Kairos: { servers: {} } } });
  const deps = {
    directory: manager,
    inFlight: new InFlight(),
    journal: new CallJournal(),
    limiter: new CallLimiter({}, { store: new MemoryRouteStore() }),
    open: false,
    maxBodyBytes: 10_000,
    sessions: "auto",
    storeSecret: undefined,
    onInternalError: () => {},
  } as const;
  const endpoint = new McpEndpoint(deps, clock);
  let isGood = true;
  const toCall = (method: string, headers: Readonly<Record<string, string | null>>, body?: unknown) => ({
    request: new Request("http://localhost/agents/Kairos/mcp", {
      method,
      headers: { ...headers, "content-type": "application/json" } as Record<string, string>,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
    agent: "Kairos",
    access: OPEN_ACCESS,
    requestId: "r",
    mayStill: () => Promise.resolve(isGood),
  });
  const params = { protocolVersion: "2025-11-25", capabilities: { roots: {} } };
  const begun = await endpoint.post(toCall("POST", {}, { jsonrpc: "2.0", id: 1, method: "initialize", params }));
  await begun.body?.cancel();
  const session = { "mcp-session-id": begun.headers.get("mcp-session-id"), accept: "text/event-stream" };
  const { headers, body } = toModern("subscriptions/listen", { notifications: {} });
  const streams = [
    endpoint.get(toCall("GET", session)),
    await endpoint.post(toCall("POST", headers, body)),
  ];
  const texts = streams.map((stream) => stream.text());
  clock.pass(RECHECK_MS);
  await tick();
  isGood = false;
  const armed = clock.armed;
  clock.pass(RECHECK_MS);
  const [inSession, modern] = await Promise.all(texts);
  assertEquals([armed, clock.armed], [4, 0]);
  assertEquals([inSession?.includes("data:"), modern?.split("data:").length], [false, 2]);
});

Deno.test("A stream that is silent is kept alive, and nothing runs once its reader has gone", async () => {
  const clock = manualClock();
  const store = new MemoryRouteStore();
  const deps = {
    directory: fakeDirectory(["Kairos"], {
      watchLists: () =>
        Promise.resolve({ close: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() }),
    }),
    inFlight: new InFlight(),
    journal: new CallJournal(),
    limiter: new CallLimiter({}, { store }),
    open: true,
    maxBodyBytes: 10_000,
    sessions: "auto",
    storeSecret: undefined,
    onInternalError: () => {},
  } as const;
  const endpoint = new McpEndpoint(deps, clock);
  const { headers, body } = toModern("subscriptions/listen", { notifications: {} });
  const request = new Request("http://localhost/agents/Kairos/mcp", {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" } as Record<string, string>,
    body: JSON.stringify(body),
  });
  const mayStill = () => Promise.resolve(true);
  const response = await endpoint.post({ request, agent: "Kairos", access: OPEN_ACCESS, requestId: "r", mayStill });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assertEquals((await reader?.read())?.value?.startsWith("event: message\ndata: "), true);
  for (let beat = 0; beat < 3; beat++) {
    const next = reader?.read();
    clock.pass(KEEP_ALIVE_MS);
    assertEquals((await next)?.value, ": \n\n");
  }
  await reader?.cancel();
  assertEquals(clock.armed, 0);
});

Deno.test("StreamSlots are bounded for each caller, for each agent and in all, and come back", () => {
  const slots = new StreamSlots();
  const own = Array.from({ length: 128 }, () => slots.take("a", "Kairos"));
  assertEquals(assertThrows(() => slots.take("a", "Mercurius"), RpcError).status, 503);
  const others = Array.from({ length: 1_024 - 128 }, (_, index) => slots.take(`b${index % 16}`, "Kairos"));
  assertThrows(() => slots.take("c", "Kairos"), RpcError);
  own[0]?.();
  own[0]?.();
  slots.take("a", "Kairos");
  assertThrows(() => slots.take("c", "Kairos"), RpcError);
  others[0]?.();
  slots.take("c", "Kairos");
  // The callers of one agent leave room for those of the others.
  for (let index = 0; index < 3 * 1_024; index++) slots.take(`d${index % 32}`, `agent ${index % 3}`);
  assertThrows(() => slots.take("e", "Mercurius"), RpcError);
});

Deno.test("A gateway without keys tells everybody what its servers call public", async () => {
  const directory = fakeDirectory(["Kairos"]);
  const gateway = createGateway({ directory }, { open: "loopback" });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
  const url = `http://127.0.0.1:${server.addr.port}/agents/Kairos/mcp`;
  const { last } = await askModern(url, "tools/list");
  assertEquals([last.result.ttlMs, last.result.cacheScope], [1_000, "public"]);
  await server.shutdown();
});
