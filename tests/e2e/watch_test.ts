/** A server says that its tools have changed, to clients that watch it. */

import { assertEquals } from "@std/assert";
import {
  type ClientEvent,
  MemoryRouteStore,
  MultiServerMCPClient,
  type RouteStore,
  SingleServerMCPClient,
} from "@portolan/mcp";
import { isJsonObject } from "../../src/protocol.ts";
import { textOf, until } from "../support/client_support.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import type { RecordedRequest } from "../support/recorder.ts";

/** A server whose tools can be replaced. */
interface Watched extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  count(rpcMethod: string): number;
  openStreams(): number;
  setTools(tools: readonly { readonly name: string; readonly description?: string }[]): void;
}

const BEFORE = [{ name: "stays" }, { name: "goes" }, { name: "changes", description: "Old" }];
const AFTER = [{ name: "stays" }, { name: "comes" }, { name: "changes", description: "New" }];
const DIFF = { added: ["comes"], removed: ["goes"], changed: ["changes"] };

const KINDS: Readonly<Record<string, () => Promise<Watched>>> = {
  "a GET stream of the legacy era": () => startMCPServer({ tools: BEFORE }),
  "a GET stream beside JSON answers": () => startMCPServer({ tools: BEFORE, json: true }),
  "the stream of SSE": () => startMCPServer({ tools: BEFORE, transport: "sse" }),
  "subscriptions/listen of the modern era": () => Promise.resolve(startModernServer({ tools: BEFORE })),
};

/** Waits until the stream is open on which notices come. */
async function listening(server: Watched): Promise<void> {
  await until(() => {
    const opened = server.requests.some(({ method, rpcMethod }) => (rpcMethod ?? method) === "subscriptions/listen") ||
      server.requests.some(({ method }) => method === "GET");
    return opened && server.openStreams() === 1;
  });
}

for (const [what, start] of Object.entries(KINDS)) {
  Deno.test(`SingleServerMCPClient that watches lists anew, once, after a notice on ${what}`, async () => {
    await using server = await start();
    const events: ClientEvent[] = [];
    const onEvent = (event: ClientEvent) => void (event.type === "tools_changed" && events.push(event));
    const client = new SingleServerMCPClient("files", { url: server.url, watch: true }, { onEvent });
    await client.connect();
    await listening(server);
    server.setTools(AFTER);
    await until(() => events.length === 1);
    assertEquals(events, [{ type: "tools_changed", server: "files", ...DIFF }]);
    assertEquals((await client.listTools()).map(({ name }) => name), AFTER.map(({ name }) => name));
    assertEquals(server.count("tools/list"), 2);
    await client.close();
    await until(() => server.openStreams() === 0);
  });

  Deno.test(`MultiServerMCPClient that watches brings its catalogue up to date after a notice on ${what}`, async () => {
    await using server = await start();
    const store = new EpochStore();
    const events: ClientEvent[] = [];
    const onEvent = (event: ClientEvent) => void (event.type === "tools_changed" && events.push(event));
    const servers = { s: { url: server.url, watch: true }, t: { url: server.url, watch: false } };
    await using client = new MultiServerMCPClient("Kairos", { servers }, { store, onEvent });
    await client.connectToServers();
    await until(() => server.count("tools/list") === 2);
    await until(() => server.openStreams() >= 1);
    const before = store.epochOf("s");
    if (what !== "the stream of SSE") await listening(server);
    server.setTools(AFTER);
    await until(() => client.findClientForTool("comes")?.server === "s");
    // On the one stream of SSE the notice comes to the one that is not watched too.
    const told = what === "the stream of SSE" ? ["s", "t"] : ["s"];
    await until(() => events.length >= told.length);
    assertEquals(
      events.toSorted((a, b) => a.server.localeCompare(b.server)),
      told.map((name) => ({ type: "tools_changed", agent: "Kairos", server: name, ...DIFF })),
    );
    assertEquals(textOf(await client.callTool(told.length === 1 ? "comes" : "s__comes")), "ok");
    assertEquals(client.getConnectionStatus().s?.toolCount, 3);
    assertEquals(server.count("tools/list"), 2 + told.length, "one to which no notice comes is not asked");
    assertEquals((store.epochOf("s") ?? 0) > (before ?? Infinity), true, "lists of before are not committed after");
  });
}

/** A store that tells the epoch of a server's entry. */
class EpochStore implements RouteStore {
  readonly #memory = new MemoryRouteStore();
  readonly #epochs = new Map<string | undefined, number>();

  get(...args: Parameters<RouteStore["get"]>) {
    return this.#memory.get(...args);
  }

  set(...args: Parameters<RouteStore["set"]>) {
    const [[, kind, , server], value] = args;
    if (kind === "tools" && isJsonObject(value)) this.#epochs.set(server, Number(value.epoch));
    return this.#memory.set(...args);
  }

  delete(...args: Parameters<RouteStore["delete"]>) {
    return this.#memory.delete(...args);
  }

  epochOf(server: string): number | undefined {
    return this.#epochs.get(server);
  }
}

Deno.test("SingleServerMCPClient that does not watch opens no stream", async () => {
  for (const start of Object.values(KINDS).slice(0, 2)) {
    await using server = await start();
    await using client = new SingleServerMCPClient("files", { url: server.url });
    await client.connect();
    await client.callTool("stays");
    assertEquals([server.openStreams(), server.requests.some(({ method }) => method === "GET")], [0, false]);
  }
});

Deno.test("SingleServerMCPClient that watches asks a server that offers no stream once", async () => {
  await using server = await startMCPServer({ stateful: false });
  await using client = new SingleServerMCPClient("files", { url: server.url, watch: true });
  await client.connect();
  await until(() => server.requests.some(({ method }) => method === "GET"));
  for (let i = 0; i < 3; i++) await client.callTool("whoami");
  await client.listTools({ refresh: true });
  assertEquals(server.requests.filter(({ method }) => method === "GET").length, 1);
});

Deno.test("SingleServerMCPClient that watches listens in its new session after the old one was lost", async () => {
  await using server = await startMCPServer({ tools: BEFORE });
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent) => void (event.type === "tools_changed" && events.push(event));
  await using client = new SingleServerMCPClient("files", { url: server.url, watch: true }, { onEvent });
  await client.connect();
  await listening(server);
  await server.dropSessions();
  assertEquals(textOf(await client.callTool("stays")), "ok");
  await until(() => server.openStreams() === 1);
  server.setTools(AFTER);
  await until(() => events.length === 1);
});

Deno.test("SingleServerMCPClient that watches tells of no tool that its filter holds back", async () => {
  await using server = await startMCPServer({ tools: BEFORE });
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent) => void (event.type === "tools_changed" && events.push(event));
  const config = { url: server.url, watch: true, tools: { deny: ["comes", "goes"] } };
  await using client = new SingleServerMCPClient("files", config, { onEvent });
  await client.connect();
  await listening(server);
  server.setTools(AFTER);
  await until(() => events.length === 1);
  assertEquals(events, [{ type: "tools_changed", server: "files", added: [], removed: [], changed: ["changes"] }]);
});

Deno.test("MultiServerMCPClient tells of no change where a list of the store lacks what the filter holds back", async () => {
  await using server = await startMCPServer({ tools: BEFORE });
  const store = new MemoryRouteStore();
  const config = { servers: { s: { url: server.url, tools: { deny: ["goes"] } } } };
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent) => void (event.type === "tools_changed" && events.push(event));
  for (let isolate = 0; isolate < 2; isolate++) {
    await using client = new MultiServerMCPClient("Kairos", config, { store, onEvent });
    await client.callTool("stays");
    await client.connectToServers();
  }
  assertEquals([events, server.count("tools/list")], [[], 3]);
});

Deno.test("MultiServerMCPClient.close() closes the streams of all servers that it watches", async () => {
  await using legacy = await startMCPServer();
  await using modern = startModernServer();
  const servers = { legacy: { url: legacy.url, watch: true }, modern: { url: modern.url, watch: true } };
  const client = new MultiServerMCPClient("Kairos", { servers });
  await client.connectToServers();
  await until(() => legacy.openStreams() === 1 && modern.openStreams() === 1);
  await client.close();
  await until(() => legacy.openStreams() === 0 && modern.openStreams() === 0);
});
