import { assertEquals } from "@std/assert";
import { SharedConnections, SingleServerMCPClient } from "@portolan/mcp";
import { answer, type Behaviour, event, hang, rpcError, sequence } from "../support/behaviours.ts";
import { CANARY, failureOf, until } from "../support/client_support.ts";
import { startCapableServer } from "../support/connection_support.ts";
import { type ContextServer, startContextServer } from "../support/context_server.ts";
import { type RawServer, startRawServer } from "../support/fault_server.ts";
import { modernScript } from "../support/modern_script.ts";

function createClient({ url }: { readonly url: string }): SingleServerMCPClient {
  return new SingleServerMCPClient("files", { url });
}

for (const era of ["legacy", "modern"] as const) {
  Deno.test(`SingleServerMCPClient.subscribeResource() tells of changes until the last subscription is closed: ${era}`, async () => {
    await using server = startContextServer(era, "Genoa", { resources: ["file:///a", "file:///b"] });
    await using client = createClient(server);
    const told: string[] = [];
    const watch = (name: string, uri: string) =>
      client.subscribeResource(uri, (changed) => told.push(`${name} ${changed}`));
    const one = await watch("one", "file:///a");
    const other = await watch("other", "file:///a");
    const third = await watch("third", "file:///b");
    assertEquals([one.uri, one.server], ["file:///a", "files"]);
    assertEquals(server.count("resources/subscribe"), era === "legacy" ? 2 : 0);
    server.update("file:///a");
    await until(() => told.length === 2);
    assertEquals(told.splice(0), ["one file:///a", "other file:///a"]);
    await one.close();
    await one.close();
    server.update("file:///a");
    await until(() => told.length === 1);
    assertEquals([told.splice(0), server.count("resources/unsubscribe")], [["other file:///a"], 0]);
    await other.close();
    assertEquals(server.count("resources/unsubscribe"), era === "legacy" ? 1 : 0);
    server.update("file:///a");
    server.update("file:///b");
    // While one stream takes the place of another, a change may be told twice, but never to nobody.
    await until(() => told.length > 0);
    assertEquals(told.filter((text) => text !== "third file:///b"), []);
    await third.close();
  });
}

/** Servers that tell of no changes. */
const SILENT: Readonly<Record<string, () => RawServer>> = {
  "without the capability": () => startCapableServer({}, { resources: {} }),
  "without resources": () => startCapableServer({}, { tools: {} }),
  "that offers no stream": () => startCapableServer(),
  "that does not know the method": () =>
    startCapableServer({ GET: open, "resources/subscribe": rpcError(-32601, CANARY) }),
  "of the modern era without the capability": () => startRawServer(modernScript()),
};

function open(): Response {
  return new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream" } });
}

for (const [what, start] of Object.entries(SILENT)) {
  Deno.test(`SingleServerMCPClient.subscribeResource() rejects with not_supported at a server ${what}`, async () => {
    await using server = start();
    await using client = createClient(server);
    await failureOf(() => client.subscribeResource("file:///a", () => {}), "not_supported");
    await until(() => server.openStreams() === 0);
    assertEquals(server.count("resources/unsubscribe"), 0);
  });
}

Deno.test("SingleServerMCPClient.subscribeResource() that fails leaves nothing behind, and can be tried again", async () => {
  const subscribe = sequence(rpcError(-32603, CANARY), answer({}));
  await using server = startCapableServer({ GET: open, "resources/subscribe": subscribe });
  await using client = createClient(server);
  await failureOf(() => client.subscribeResource("file:///a", () => {}), "upstream_error");
  await until(() => server.openStreams() === 0);
  await using _ = await client.subscribeResource("file:///a", () => {});
  assertEquals(server.count("resources/subscribe"), 2);
});

Deno.test("SingleServerMCPClient.subscribeResource() subscribes once, also where it is what connects", async () => {
  await using server = startCapableServer({ GET: open });
  await using client = createClient(server);
  const subscriptions = [await client.subscribeResource("a", () => {}), await client.subscribeResource("a", () => {})];
  assertEquals([server.count("initialize"), server.count("resources/subscribe")], [1, 1]);
  for (const subscription of subscriptions) await subscription.close();
  assertEquals(server.count("resources/unsubscribe"), 1);
});

Deno.test("SingleServerMCPClient.subscribeResource() lasts over a new session of a real legacy server", async () => {
  await using server = startContextServer("legacy", "Genoa", { resources: ["file:///a"] });
  await using client = createClient(server);
  const told: string[] = [];
  await using _ = await client.subscribeResource("file:///a", (uri) => told.push(uri));
  await client.reconnect();
  await until(() => server.count("resources/subscribe") === 2);
  await toldOf(server, told);
  assertEquals(new Set(told), new Set(["file:///a"]));
});

Deno.test("SingleServerMCPClient.subscribeResource() goes on at a modern server where another is added", async () => {
  await using server = startContextServer("modern", "Genoa", { resources: ["file:///a", "file:///b"] });
  await using client = createClient(server);
  const told: string[] = [];
  await using _first = await client.subscribeResource("file:///a", (uri) => told.push(uri));
  await using _second = await client.subscribeResource("file:///b", (uri) => told.push(uri));
  server.update("file:///b");
  server.update("file:///a");
  await until(() => new Set(told).size === 2);
  assertEquals(new Set(told), new Set(["file:///a", "file:///b"]));
});

/** Has a resource change until somebody is told: a stream opens a little after its subscription is known. */
async function toldOf(server: ContextServer, told: readonly string[]): Promise<void> {
  await until(() => {
    if (told.length === 0) server.update("file:///a");
    return told.length > 0;
  });
}

Deno.test("SingleServerMCPClient tells who watches a part, a whole, and goes on where a listener throws", async () => {
  const updated = (uri: string) =>
    event({ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri } });
  const notices = updated("file:///a/b") + updated("file:///a") + updated("file:///c") +
    event({ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: 7 } });
  const gate = Promise.withResolvers<void>();
  const stream: Behaviour = () => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async start(controller) {
        await gate.promise;
        controller.enqueue(new TextEncoder().encode(notices));
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  await using server = startCapableServer({ GET: stream });
  await using client = createClient(server);
  const told: string[] = [];
  await using _broken = await client.subscribeResource("file:///a", () => {
    throw new Error("of the caller");
  });
  await using _whole = await client.subscribeResource("file:///a", (uri) => told.push(uri));
  gate.resolve();
  await until(() => told.length === 2);
  assertEquals(told, ["file:///a/b", "file:///a"]);
});

Deno.test("SingleServerMCPClient.subscribeResource() on a shared connection tells each client of its own resources", async () => {
  await using server = startContextServer("legacy", "Genoa", { resources: ["file:///a", "file:///b"] });
  const connections = new SharedConnections();
  const told: string[] = [];
  const clients = ["one", "other"].map((name) => {
    return [name, new SingleServerMCPClient("files", { url: server.url }, { connections })] as const;
  });
  for (const [name, client] of clients) {
    for (const uri of ["file:///a", `file:///${name}`]) {
      await client.subscribeResource(uri, (changed) => told.push(`${name} ${changed}`));
    }
  }
  assertEquals([server.count("initialize"), server.count("resources/subscribe")], [1, 3]);
  server.update("file:///other");
  server.update("file:///a");
  await until(() => told.length === 3);
  assertEquals(told.toSorted(), ["one file:///a", "other file:///a", "other file:///other"]);
  await clients[0]?.[1].close();
  // What only one client watched is no longer watched; the other goes on.
  await until(() => server.count("resources/unsubscribe") === 1);
  server.update("file:///a");
  await until(() => told.length === 4);
  assertEquals(told.at(-1), "other file:///a");
  await clients[1]?.[1].close();
  assertEquals(server.count("resources/unsubscribe"), 1);
});

Deno.test("SingleServerMCPClient.close() does not wait for a server that is to be told of the end of a subscription", async () => {
  await using server = startCapableServer({ GET: open, "resources/unsubscribe": hang });
  const connections = new SharedConnections();
  const clients = [0, 1].map(() => new SingleServerMCPClient("files", { url: server.url }, { connections }));
  for (const client of clients) await client.subscribeResource(`file:///${clients.indexOf(client)}`, () => {});
  for (const [index, client] of clients.entries()) {
    let closed = false;
    void client.close().then(() => closed = true);
    await until(() => closed);
    // The last one has nobody left to tell it for.
    if (index === 0) await until(() => server.count("resources/unsubscribe") === 1);
  }
  await until(() => server.openStreams() === 0);
});

Deno.test("SingleServerMCPClient.subscribeResource() rejects where the client is closed meanwhile, and leaves no stream", async () => {
  await using server = startCapableServer({ GET: open, "resources/subscribe": hang });
  const client = createClient(server);
  const subscribing = failureOf(() => client.subscribeResource("file:///a", () => {}), "closed");
  await until(() => server.count("resources/subscribe") === 1);
  await client.close();
  await subscribing;
  await until(() => server.openStreams() === 0);
});
