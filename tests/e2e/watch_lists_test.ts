/** `watchLists()`: whoever watches is told of changed lists, by servers of both eras, also of those that come and go. */

import { assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { type ListKind, MultiServerMCPClient, SharedConnections, SingleServerMCPClient } from "@portolan/mcp";
import { endlessSse, event } from "../support/behaviours.ts";
import { failureOf, until } from "../support/client_support.ts";
import { startContextServer } from "../support/context_server.ts";
import { startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { startSwitchingServer } from "../support/switching_server.ts";

/** A server whose tools can be replaced. */
interface Watched extends AsyncDisposable {
  readonly url: string;
  count(rpcMethod: string): number;
  openStreams(): number;
  setTools(tools: readonly { readonly name: string }[]): void;
  stop(): Promise<void>;
}

const BEFORE = [{ name: "stays" }, { name: "goes" }];
const AFTER = [{ name: "stays" }, { name: "comes" }];
const LATER = [{ name: "later" }];

const KINDS: Readonly<Record<string, () => Promise<Watched>>> = {
  "a GET stream of the legacy era": () => startMCPServer({ tools: BEFORE }),
  "the stream of SSE": () => startMCPServer({ tools: BEFORE, transport: "sse" }),
  "subscriptions/listen of the modern era": () => Promise.resolve(startModernServer({ tools: BEFORE })),
};
const ERAS: Readonly<Record<"legacy" | "modern", () => Promise<Watched>>> = {
  legacy: () => startMCPServer({ tools: BEFORE }),
  modern: () => Promise.resolve(startModernServer({ tools: BEFORE })),
};

type Client = MultiServerMCPClient | SingleServerMCPClient;

/** Lists whenever it is told, as one who passes the lists on does. */
function createListener(client: Client) {
  const told: ListKind[] = [];
  const seen: string[][] = [];
  const onChange = async (kind: ListKind) => {
    told.push(kind);
    if (kind === "tools") seen.push((await client.listTools()).map(({ name }) => name).sort());
  };
  return { told, seen, onChange: (kind: ListKind) => void onChange(kind) };
}

function toMulti(url: string, options = {}): MultiServerMCPClient {
  return new MultiServerMCPClient("Kairos", { servers: { files: { url } } }, options);
}

const CLIENTS: Readonly<Record<string, (url: string) => Client>> = {
  SingleServerMCPClient: (url) => new SingleServerMCPClient("files", { url }),
  MultiServerMCPClient: (url) => toMulti(url),
  "MultiServerMCPClient of a shared connection": (url) => toMulti(url, { connections: new SharedConnections() }),
};

for (const [what, start] of Object.entries(KINDS)) {
  for (const [name, create] of Object.entries(CLIENTS)) {
    Deno.test(`${name}.watchLists() tells of changed tools by ${what}, and who lists then has them`, async () => {
      await using server = await start();
      await using client = create(server.url);
      await client.listTools();
      const { told, seen, onChange } = createListener(client);
      const watch = await client.watchLists(onChange);
      assertEquals([server.openStreams(), told], [1, []]);
      server.setTools(AFTER);
      await until(() => seen.length === 1);
      assertEquals([told, seen], [["tools"], [["comes", "stays"]]]);
      await watch.close();
      if (what !== "the stream of SSE") await until(() => server.openStreams() === 0);
      server.setTools(LATER);
      await client.listTools();
      assertEquals(told, ["tools"]);
    });
  }
}

for (const era of ["legacy", "modern"] as const) {
  Deno.test(`MultiServerMCPClient.watchLists() tells of resources, templates and prompts of the ${era} era`, async () => {
    const before = { resources: ["notes://a"], templates: ["notes://{id}"], prompts: ["ask"] };
    await using server = startContextServer(era, "notes", before);
    await using client = toMulti(server.url);
    const listAll = async (kind: ListKind) => {
      if (kind === "prompts") return (await client.listPrompts()).map(({ name }) => name);
      const [resources, templates] = await Promise.all([client.listResources(), client.listResourceTemplates()]);
      return [...resources.map(({ uri }) => uri), ...templates.map(({ uriTemplate }) => uriTemplate)];
    };
    assertEquals(await listAll("resources"), ["notes://a", "notes://{id}"]);
    assertEquals(await listAll("prompts"), ["ask"]);
    const seen = new Map<ListKind, readonly string[]>();
    const onChange = (kind: ListKind) => void listAll(kind).then((names) => seen.set(kind, names));
    await using _watch = await client.watchLists(onChange);
    server.offer({ resources: ["notes://b"], templates: ["notes://{year}/{id}"], prompts: ["tell"] });
    await until(() => seen.get("resources")?.length === 2 && seen.get("prompts")?.length === 1);
    await until(() => seen.get("resources")?.includes("notes://b") === true);
    assertEquals(seen.get("resources"), ["notes://b", "notes://{year}/{id}"]);
    assertEquals(seen.get("prompts"), ["tell"]);
  });

  Deno.test(`MultiServerMCPClient.watchLists() watches a server of the ${era} era that comes up later, and goes on over its restart`, async () => {
    await using gone = await ERAS[era]();
    await using front = startSwitchingServer(gone.url);
    await gone.stop();
    await using good = startModernServer();
    const servers = { files: { url: front.url, era }, good: { url: good.url } };
    await using client = new MultiServerMCPClient("Kairos", { servers });
    const { told, seen, onChange } = createListener(client);
    await using _watch = await client.watchLists(onChange);
    assertEquals([good.openStreams(), client.getConnectionStatus().files?.state], [1, "failed"]);
    await using up = await ERAS[era]();
    front.switchTo(up.url);
    await until(() => up.openStreams() === 1 && seen.some((tools) => tools.includes("goes")));
    await using restarted = await ERAS[era]();
    restarted.setTools(AFTER);
    await up.stop();
    front.switchTo(restarted.url);
    await until(() => restarted.openStreams() === 1 && seen.some((tools) => tools.includes("comes")));
    // What nobody could tell of while there was no stream.
    await until(() => told.includes("resources") && told.includes("prompts"));
    restarted.setTools(LATER);
    await until(() => seen.some((tools) => tools.includes("later")));
  });
}

Deno.test("MultiServerMCPClient.watchLists() watches a server that is added later, and tells of one that is removed", async () => {
  await using first = await ERAS.legacy();
  await using second = await ERAS.modern();
  await using client = toMulti(first.url);
  const { told, seen, onChange } = createListener(client);
  await using _watch = await client.watchLists(onChange);
  client.addServer("more", { url: second.url });
  await until(() => second.openStreams() === 1 && seen.length > 0);
  assertEquals(told.slice(0, 3), ["tools", "resources", "prompts"]);
  second.setTools(AFTER);
  await until(() => seen.some((tools) => tools.includes("comes")));
  await client.removeServer("more");
  await until(() => second.openStreams() === 0 && seen.at(-1)?.includes("comes") === false);
});

Deno.test("MultiServerMCPClient.watchLists() tells of tools that a refresh has found where the server says nothing", async () => {
  await using server = await startMCPServer({ tools: BEFORE, stateful: false });
  await using client = toMulti(server.url);
  await client.listTools();
  const { told, seen, onChange } = createListener(client);
  await using _watch = await client.watchLists(onChange);
  server.setTools(AFTER);
  assertEquals(told, []);
  await client.reconnect({ server: "files" });
  await until(() => seen.length === 1);
  assertEquals([told, seen], [["tools"], [["comes", "stays"]]]);
});

Deno.test("MultiServerMCPClient.watchLists() tells of resources that a refresh has found where the server says nothing", async () => {
  const clock = { nowMs: 1_000_000 };
  await using server = startContextServer("legacy", "notes", { resources: ["notes://a"] });
  await using front = startSwitchingServer(server.url);
  await using other = startContextServer("legacy", "notes", { resources: ["notes://b"] });
  await using client = toMulti(front.url, { now: () => clock.nowMs, toolsTtlMs: 60_000 });
  await client.listResources();
  const { told, onChange } = createListener(client);
  await using _watch = await client.watchLists(onChange);
  front.switchTo(other.url);
  clock.nowMs += 61_000;
  assertEquals((await client.listResources()).map(({ uri }) => uri), ["notes://a"]);
  await until(() => told.includes("resources"));
  assertEquals((await client.listResources()).map(({ uri }) => uri), ["notes://b"]);
});

Deno.test("Several watches share one stream to each server, the last one to be closed closes it", async () => {
  await using server = await ERAS.modern();
  await using client = toMulti(server.url);
  const all = [1, 2, 3].map(() => createListener(client));
  const [first, ...others] = await Promise.all(all.map(({ onChange }) => client.watchLists(onChange)));
  assertEquals([server.count("subscriptions/listen"), server.openStreams()], [1, 1]);
  await first?.close();
  server.setTools(AFTER);
  await until(() => all.slice(1).every(({ told }) => told.length === 1));
  assertEquals(all[0]?.told, []);
  await Promise.all(others.map((watch) => watch.close()));
  await until(() => server.openStreams() === 0);
  await using _again = await client.watchLists(() => {});
  assertEquals(server.openStreams(), 1);
});

Deno.test("F35 watchLists() passes on at most one change a second of each kind, whatever a server sends", async () => {
  const method = (kind: ListKind) => `notifications/${kind}/list_changed`;
  const flood = (["tools", "resources", "prompts"] as const).map((kind) => {
    return event({ jsonrpc: "2.0", method: method(kind) });
  });
  await using server = startRawServer({ GET: endlessSse(flood.join(""), 10) });
  await using client = toMulti(server.url);
  const toldAt = new Map<ListKind, number[]>();
  const startedAt = performance.now();
  await using _watch = await client.watchLists((kind) => {
    toldAt.set(kind, [...toldAt.get(kind) ?? [], performance.now()]);
    throw new Error("of the listener");
  });
  await until(() => [...toldAt.values()].filter((times) => times.length >= 3).length === 3);
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const times of toldAt.values()) assertLessOrEqual(times.length, 1 + seconds);
});

Deno.test("watchLists() rejects with the caller's reason, and leaves no stream", async () => {
  await using server = await ERAS.modern();
  for (const create of Object.values(CLIENTS)) {
    await using client = create(server.url);
    const reason = new Error("Not now");
    const signal = AbortSignal.abort(reason);
    assertEquals(await client.watchLists(() => {}, { signal }).catch((error) => error), reason);
    await until(() => server.openStreams() === 0);
    await assertRejects(() => client.watchLists(() => {}, { timeoutMs: -1 }), RangeError);
    await client.close();
    await failureOf(() => client.watchLists(() => {}), "closed");
  }
});

Deno.test("watchLists() waits no longer than it may for a server that hangs, and watches it when it can", async () => {
  for (const isMulti of [false, true]) {
    await using server = startModernServer({ tools: BEFORE });
    server.hangNext("server/discover");
    const config = { url: server.url, timeoutMs: 300 };
    await using client = isMulti
      ? new MultiServerMCPClient("Kairos", { servers: { files: config } })
      : new SingleServerMCPClient("files", config);
    const { seen, onChange } = createListener(client);
    await using _watch = await client.watchLists(onChange, { timeoutMs: 50 });
    assertEquals(server.count("subscriptions/listen"), 0);
    await until(() => server.count("subscriptions/listen") === 1 && seen.length > 0);
    server.setTools(AFTER);
    await until(() => seen.some((tools) => tools.includes("comes")));
  }
});

Deno.test("close() of a client ends its watches and their streams", async () => {
  for (const create of Object.values(CLIENTS)) {
    await using server = await ERAS.legacy();
    const client = create(server.url);
    const { told, onChange } = createListener(client);
    const watch = await client.watchLists(onChange);
    assertEquals(server.openStreams(), 1);
    await client.close();
    await until(() => server.openStreams() === 0);
    server.setTools(AFTER);
    await watch.close();
    assertEquals(told, []);
  }
});
