/** What clients tell of themselves, on real servers. */

import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import {
  type ClientEvent,
  MCPClientManager,
  MemoryRouteStore,
  MultiServerMCPClient,
  SingleServerMCPClient,
} from "@portolan/mcp";
import { answer, hang, ok, sequence, status } from "../support/behaviours.ts";
import { assertNoCanary, CANARY, codeOf, until } from "../support/client_support.ts";
import { fillStore, STORE_SECRET } from "../support/cold_support.ts";
import { refusedUrl, startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";

/** A listener that keeps what it is told. */
function listen() {
  const events: ClientEvent[] = [];
  return { events, onEvent: (event: ClientEvent) => void events.push(event) };
}

/** What an event is about, in short. */
function summary(event: ClientEvent): string {
  switch (event.type) {
    case "connected":
    case "recovered":
      return `${event.type} ${event.era} ${event.transport}${event.resumed ? " resumed" : ""}`;
    case "failed":
      return `failed ${event.code}`;
    case "breaker":
      return `breaker ${event.state}`;
    case "call":
      return `call ${event.tool} ${event.outcome}`;
    case "tools_changed":
      return `tools_changed +${event.added} -${event.removed} ~${event.changed}`;
    default:
      return event.type;
  }
}

Deno.test("SingleServerMCPClient tells of its connection, in every era and transport", async () => {
  await using legacy = await startMCPServer();
  await using old = await startMCPServer({ transport: "sse" });
  await using modern = startModernServer();
  for (
    const [{ url }, expected] of [
      [legacy, "connected legacy streamable_http"],
      [old, "connected legacy sse"],
      [modern, "connected modern streamable_http"],
    ] as const
  ) {
    const { events, onEvent } = listen();
    await using client = new SingleServerMCPClient("files", { url }, { onEvent });
    await client.connect();
    assertEquals(events.map(summary), [expected]);
    assertEquals(events[0]?.server, "files");
  }
});

Deno.test("A cold client tells that it goes on from an earlier connection", async () => {
  const store = new MemoryRouteStore();
  await using server = await startMCPServer();
  const config = { servers: { s: { url: server.url } } };
  await fillStore(config, { store, storeSecret: STORE_SECRET });
  const { events, onEvent } = listen();
  await using client = new MultiServerMCPClient("Kairos", config, { store, storeSecret: STORE_SECRET, onEvent });
  await client.callTool("whoami");
  assertEquals(events.map(summary), ["connected legacy streamable_http resumed", "call whoami ok"]);
  await server.dropSessions();
  await client.callTool("whoami");
  assertEquals(events.slice(2).map(summary), ["connected legacy streamable_http", "call whoami ok"]);
});

Deno.test("SingleServerMCPClient tells of failures, of the breaker and of the recovery", async () => {
  let nowMs = 1_000_000;
  const { events, onEvent } = listen();
  const behaviour = sequence(status(503), status(503), status(503), status(503), ok);
  await using server = startRawServer({ initialize: behaviour });
  const options = { onEvent, now: () => nowMs, random: () => 0 };
  await using client = new SingleServerMCPClient("files", { url: server.url, era: "legacy" }, options);
  const codes: unknown[] = [];
  for (let i = 0; i < 4; i++) codes.push(await codeOf(client.callTool("echo")));
  nowMs += 60_000;
  codes.push(await codeOf(client.callTool("echo")));
  nowMs += 60_000;
  codes.push(await codeOf(client.callTool("echo")));
  assertEquals(codes, [...Array(3).fill("upstream_error"), "circuit_open", "upstream_error", "ok"]);
  const attempt = ["failed upstream_error", "call echo upstream_error"];
  assertEquals(events.map(summary), [
    ...attempt,
    ...attempt,
    "failed upstream_error",
    "breaker open",
    "call echo upstream_error",
    "call echo circuit_open",
    "breaker half_open",
    "failed upstream_error",
    "breaker open",
    "call echo upstream_error",
    "breaker half_open",
    "recovered legacy streamable_http",
    "breaker closed",
    "call echo ok",
  ]);
});

Deno.test("SingleServerMCPClient tells how each call ended, and how long it took", async () => {
  const { events, onEvent } = listen();
  const failing = answer({ isError: true, content: [] });
  await using server = startRawServer({ "tools/call": sequence(ok, failing, status(500), hang) });
  await using client = new SingleServerMCPClient("files", { url: server.url }, { onEvent });
  await client.connect();
  await client.callTool("echo");
  await client.callTool("echo");
  await codeOf(client.callTool("echo"));
  const controller = new AbortController();
  const cancelled = codeOf(client.callTool("echo", {}, { signal: controller.signal }));
  await until(() => server.count("tools/call") === 4);
  controller.abort("left");
  await cancelled;
  await codeOf(client.callTool("echo", {}, { timeoutMs: 200 }));
  const closing = codeOf(client.callTool("echo"));
  await until(() => server.count("tools/call") === 6);
  await client.close();
  await closing;
  const outcomes = events.flatMap((event) => event.type === "call" ? [event.outcome] : []);
  assertEquals(outcomes, ["ok", "tool_error", "upstream_error", "cancelled", "deadline_exceeded", "closed"]);
  for (const event of events) {
    if (event.type !== "call") continue;
    assertGreaterOrEqual(event.durationMs, event.outcome === "deadline_exceeded" ? 195 : 0);
    assertEquals([event.server, event.tool, "agent" in event], ["files", "echo", false]);
  }
});

Deno.test("MultiServerMCPClient and MCPClientManager tell the agent and the server of every event", async () => {
  await using server = await startMCPServer();
  const { events, onEvent } = listen();
  const down = refusedUrl();
  const servers = { up: { url: server.url }, down: { url: down } };
  await using client = new MultiServerMCPClient("Kairos", { servers }, { onEvent });
  await client.connectToServers();
  await client.callTool("whoami");
  const told = events.map((event) => `${event.agent} ${event.server} ${summary(event)}`).sort();
  assertEquals(told, [
    "Kairos down failed unreachable",
    "Kairos up call whoami ok",
    "Kairos up connected legacy streamable_http",
  ]);

  const other = listen();
  const agents = { Mercurius: { servers: { up: { url: server.url } } } };
  await using manager = new MCPClientManager({ agents }, { onEvent: other.onEvent });
  await manager.addClient("Mercurius");
  assertEquals(other.events.map(({ agent, server }) => [agent, server]), [["Mercurius", "up"]]);
});

Deno.test("A listener that throws harms nothing", async () => {
  const onEvent = () => {
    throw new Error("a listener that throws");
  };
  const behaviour = sequence(status(503), ok);
  await using server = startRawServer({ initialize: behaviour });
  await using client = new MultiServerMCPClient("Kairos", { servers: { s: { url: server.url } } }, { onEvent });
  assertEquals(await client.connectToServers(), { s: false });
  assertEquals(await client.reconnect(), { s: true });
  await client.callTool("echo");
  assertEquals(await codeOf(client.callTool("echo", {}, { signal: AbortSignal.abort("left") })), "left");
});

Deno.test("No event shows a secret", async () => {
  const { events, onEvent } = listen();
  const body = `words of the server ${CANARY}`;
  const script = { initialize: sequence(status(401, { body }), ok), "tools/call": status(500, { body }) };
  await using server = startRawServer(script, { sessionId: CANARY });
  const config = { url: `${server.url}?key=\${KEY}`, headers: { authorization: "Bearer ${KEY}" } };
  await using client = new SingleServerMCPClient("files", config, { secrets: { KEY: CANARY }, onEvent });
  await codeOf(client.connect());
  await client.connect();
  await codeOf(client.callTool("echo"));
  assertEquals(events.map(({ type }) => type), ["failed", "recovered", "call"]);
  assertNoCanary(events);
  assertEquals(JSON.stringify(events).includes("words of the server"), false);
});
