import { assertEquals, assertStrictEquals } from "@std/assert";
import { type ClientEvent, SharedConnections, SingleServerMCPClient } from "@portolan/mcp";
import { resolveServer, type ServerConfig } from "../../src/server_config.ts";
import { type LinkRequest, takeLink } from "../../src/server/server_links.ts";
import type { SingleServerMCPClientOptions } from "../../src/single_server_options.ts";
import { status } from "../support/behaviours.ts";
import { failureOf, textOf, until } from "../support/client_support.ts";
import { createTestResponder } from "../support/connection_support.ts";
import { refusedUrl, startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { textResult } from "../support/test_tools.ts";

const URL_OF = refusedUrl();

interface Wish extends Partial<Omit<LinkRequest, "server">> {
  readonly name?: string;
  readonly config?: Partial<ServerConfig>;
  readonly secrets?: Readonly<Record<string, string>>;
}

function wish({ name = "files", config = {}, secrets = {}, ...more }: Wish = {}): LinkRequest {
  const server = resolveServer(name, { url: URL_OF, ...config }, secrets);
  return { server, principal: "Kairos", now: Date.now, ...more };
}

const authorization = { authorization: "Bearer ${KEY}" };
const first = { config: { headers: authorization }, secrets: { KEY: "one" } };

/** Wishes that differ in nothing that is sent. */
const EQUAL: Readonly<Record<string, readonly [Wish, Wish]>> = {
  "the same": [{}, {}],
  "the same credential by another name": [
    first,
    { config: { headers: { authorization: "Bearer ${TOKEN}" } }, secrets: { TOKEN: "one" } },
  ],
  "headers in another order": [
    { config: { headers: { "x-a": "1", "x-b": "2" } } },
    { config: { headers: { "x-b": "2", "x-a": "1" } } },
  ],
  "another filter, time-out and validation": [
    {},
    {
      config: { tools: { allow: ["a"] }, timeoutMs: 5, validateArguments: false, watch: true, trustAnnotations: true },
    },
  ],
  "another principal without tokens": [{ principal: "a" }, { principal: "b" }],
};

for (const [what, [one, other]] of Object.entries(EQUAL)) {
  Deno.test(`takeLink() shares a link with ${what}`, async () => {
    const connections = new SharedConnections();
    const held = [takeLink(connections, wish(one)), takeLink(connections, wish(other))] as const;
    assertStrictEquals(held[0].link, held[1].link);
    for (const { release } of held) await release();
  });
}

const token = { getToken: () => "token" };

/** Wishes of which one would have something sent, or heard, that is the other's. */
const DIFFERENT: Readonly<Record<string, readonly [Wish, Wish]>> = {
  "another credential": [first, { ...first, secrets: { KEY: "two" } }],
  "a credential": [{}, first],
  "another header": [{ config: { headers: { "x-a": "1" } } }, { config: { headers: { "x-b": "1" } } }],
  "another URL": [{}, { config: { url: `${URL_OF}/other` } }],
  "another query": [{ config: { url: `${URL_OF}?a=1` } }, { config: { url: `${URL_OF}?a=2` } }],
  "another name": [{}, { name: "other" }],
  "another transport": [{}, { config: { transport: "sse" } }],
  "another era": [{}, { config: { era: "legacy" } }],
  "tokens of its own": [{}, { tokens: token }],
  "tokens of another principal": [{ tokens: token, principal: "a" }, { tokens: token, principal: "b" }],
  "another way to get tokens": [{ tokens: token }, { tokens: { ...token } }],
  "another fetch": [{}, { fetch: (...args) => fetch(...args) }],
  "handlers of its own": [{}, { responder: createTestResponder() }],
  "messages for it alone": [{ exclusive: true }, { exclusive: true }],
};

for (const [what, [one, other]] of Object.entries(DIFFERENT)) {
  Deno.test(`takeLink() does not share a link with ${what}`, async () => {
    const connections = new SharedConnections();
    const held = [takeLink(connections, wish(one)), takeLink(connections, wish(other))] as const;
    assertEquals(held[0].link === held[1].link, false);
    for (const { release } of held) await release();
  });
}

Deno.test("takeLink() shares nothing where there are no shared connections, or others", async () => {
  const all = [undefined, undefined, new SharedConnections(), new SharedConnections()];
  const held = all.map((connections) => takeLink(connections, wish()));
  assertEquals(new Set(held.map(({ link }) => link)).size, 4);
  for (const { release } of held) await release();
});

Deno.test("HeldLink.release() closes the link with the last who holds it, and counts each once", async () => {
  const connections = new SharedConnections();
  const [one, other] = [takeLink(connections, wish()), takeLink(connections, wish())];
  assertStrictEquals(one.release(), one.release());
  await one.release();
  assertEquals(other.link.connector.state, "idle");
  const third = takeLink(connections, wish());
  assertStrictEquals(third.link, other.link);
  await Promise.all([other.release(), third.release()]);
  assertEquals(third.link.connector.state, "closed");
  const fresh = takeLink(connections, wish());
  assertEquals([fresh.link === other.link, fresh.link.connector.state], [false, "idle"]);
  await fresh.release();
});

/** Two clients of one server that could share its connection. */
function createPair(
  url: string,
  [one, other]: readonly [Partial<ServerConfig>, Partial<ServerConfig>] = [{}, {}],
  options: SingleServerMCPClientOptions = {},
) {
  const connections = new SharedConnections();
  const create = (config: Partial<ServerConfig>) => {
    return new SingleServerMCPClient("files", { url, ...config }, { connections, ...options });
  };
  return [create(one), create(other)] as const;
}

Deno.test("SingleServerMCPClients with equal credentials share one session and one handshake, each with its own filter", async () => {
  await using server = await startMCPServer({ requireHeader: { name: "authorization", value: "Bearer k" } });
  const headers = { authorization: "Bearer k" };
  const [one, other] = createPair(server.url, [{ headers, tools: { allow: ["echo"] } }, { headers }]);
  await Promise.all([one.connect(), other.connect()]);
  assertEquals([server.count("initialize"), server.sessions.length], [1, 1]);
  assertEquals((await one.listTools()).map(({ name }) => name), ["echo"]);
  assertEquals((await other.listTools()).length, 3);
  await failureOf(() => one.callTool("whoami"), "tool_not_found");
  assertEquals(textOf(await other.callTool("whoami")), "test");
  await one.close();
  await failureOf(() => one.callTool("echo", { text: "a" }), "closed");
  assertEquals([other.isConnected, server.sessions.length], [true, 1]);
  assertEquals(textOf(await other.callTool("echo", { text: "a" })), "a");
  await other.close();
  await until(() => server.sessions.length === 0);
});

Deno.test("SingleServerMCPClients with different credentials never share a session", async () => {
  await using server = await startMCPServer();
  const of = (key: string): Partial<ServerConfig> => ({ headers: { authorization: `Bearer ${key}` } });
  const [one, other] = createPair(server.url, [of("one"), of("two")]);
  await Promise.all([one.connect(), other.connect()]);
  assertEquals([server.count("initialize"), server.sessions.length], [2, 2]);
  const keys = new Map<string | null, Set<string | null>>();
  for (const { headers } of server.requests) {
    const session = headers.get("mcp-session-id");
    if (session !== null) keys.set(session, (keys.get(session) ?? new Set()).add(headers.get("authorization")));
  }
  assertEquals([...keys.values()].map((used) => used.size), [1, 1]);
  await Promise.all([one.close(), other.close()]);
});

Deno.test("SingleServerMCPClients with handlers, or a listener for log messages, share no session", async () => {
  const own: readonly SingleServerMCPClientOptions[] = [
    { input: { onListRoots: () => [] } },
    { onLog: () => {} },
    { logLevel: "debug" },
  ];
  for (const options of own) {
    await using server = await startMCPServer();
    const [one, other] = createPair(server.url, undefined, options);
    await Promise.all([one.connect(), other.connect()]);
    assertEquals(server.sessions.length, 2);
    await Promise.all([one.close(), other.close()]);
  }
});

Deno.test("SingleServerMCPClient.close() ends its own calls on a shared connection, and no others", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = await startMCPServer({
    tools: [{ name: "slow", run: async () => (await gate.promise, textResult("done")) }],
  });
  const [one, other] = createPair(server.url);
  const calls = [failureOf(() => one.callTool("slow"), "closed"), other.callTool("slow")] as const;
  await until(() => server.executions.get("slow") === 2);
  await one.close();
  await calls[0];
  gate.resolve();
  assertEquals(textOf(await calls[1]), "done");
  await other.close();
});

Deno.test("SingleServerMCPClient.reconnect() on a shared connection does not break another's running call", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = await startMCPServer({
    tools: [{ name: "slow", run: async () => (await gate.promise, textResult("done")) }],
  });
  const [one, other] = createPair(server.url);
  const running = other.callTool("slow");
  await until(() => server.executions.get("slow") === 1);
  await one.reconnect();
  assertEquals([server.count("initialize"), server.sessions.length], [2, 2]);
  gate.resolve();
  assertEquals([textOf(await running), server.executions.get("slow")], ["done", 1]);
  await until(() => server.sessions.length === 1);
  assertEquals([(await other.listTools({ refresh: true })).length, server.count("initialize")], [1, 2]);
  await Promise.all([one.close(), other.close()]);
});

Deno.test("SingleServerMCPClients on a shared connection open one new session where it is lost", async () => {
  await using server = await startMCPServer();
  const [one, other] = createPair(server.url);
  await Promise.all([one.connect(), other.connect()]);
  await server.dropSessions();
  const texts = await Promise.all([one, other].map((client) => client.callTool("echo", { text: "a" })));
  assertEquals([texts.map(textOf), server.count("initialize"), server.sessions.length], [["a", "a"], 2, 1]);
  await Promise.all([one.close(), other.close()]);
});

Deno.test("SingleServerMCPClients on a shared connection have a breaker each, and are all told of the connection", async () => {
  await using server = startRawServer({ "tools/call": status(503) });
  const events: ClientEvent[] = [];
  const [one, other] = createPair(server.url, undefined, { onEvent: (event) => events.push(event) });
  for (let calls = 0; calls < 3; calls++) await failureOf(() => one.callTool("echo"), "upstream_error");
  assertEquals([one.getStatus().breaker, other.getStatus().breaker], ["open", "closed"]);
  assertEquals(events.filter(({ type }) => type === "connected").length, 2);
  await Promise.all([one.close(), other.close()]);
});

for (const [what, start] of [["legacy", () => startMCPServer()], ["modern", startModernServer]] as const) {
  Deno.test(`SingleServerMCPClients that watch on a shared connection keep one stream, and are all told: ${what}`, async () => {
    await using server = await start();
    const told: string[] = [];
    const connections = new SharedConnections();
    const [one, other] = ["one", "other"].map((name) => {
      const onToolsStale = () => void told.push(name);
      return new SingleServerMCPClient("files", { url: server.url, watch: true }, { connections, onToolsStale });
    }) as [SingleServerMCPClient, SingleServerMCPClient];
    await Promise.all([one.connect(), other.connect()]);
    await until(() => server.openStreams() === 1);
    server.setTools([{ name: "new" }]);
    await until(() => told.length === 2);
    await one.close();
    assertEquals([told.toSorted(), server.openStreams()], [["one", "other"], 1]);
    await other.close();
    await until(() => server.openStreams() === 0);
  });
}
