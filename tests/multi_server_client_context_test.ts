import { assertEquals, assertRejects } from "@std/assert";
import { type AgentConfig, AuthorizationRequiredError, MultiServerMCPClient } from "@portolan/mcp";
import { browse } from "./support/auth_support.ts";
import { PERSON, startAuthorized } from "./support/authorized_servers.ts";
import { answer, type Behaviour, hang, rpcError, sequence, status } from "./support/behaviours.ts";
import { codeOf, failureOf, until } from "./support/client_support.ts";
import { type ContextOffer, startContextServer } from "./support/context_server.ts";
import { startRawServer } from "./support/fault_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";

const ERAS = ["legacy", "modern"] as const;

function toConfig(servers: Readonly<Record<string, { readonly url: string }>>, watch = false): AgentConfig {
  return { servers: Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, { url, watch }])) };
}

/** Two servers of an era, and the client of both. */
function startTwo(era: "legacy" | "modern", [offerA, offerB]: readonly [ContextOffer, ContextOffer], watch = false) {
  const [a, b] = [startContextServer(era, "a", offerA), startContextServer(era, "b", offerB)];
  const client = new MultiServerMCPClient("Kairos", toConfig({ a, b }, watch));
  const dispose = async () => {
    await client.close();
    await Promise.all([a.stop(), b.stop()]);
  };
  return { a, b, client, [Symbol.asyncDispose]: dispose };
}

async function readerOf(client: MultiServerMCPClient, uri: string, server?: string): Promise<unknown> {
  return (await client.readResource(uri, { server })).contents[0]?.text;
}

async function sayerOf(client: MultiServerMCPClient, prompt: string): Promise<unknown> {
  const content = (await client.getPrompt(prompt)).messages[0]?.content;
  return content?.type === "text" ? content.text : undefined;
}

for (const era of ERAS) {
  Deno.test(`MultiServerMCPClient lists and reads the resources of all servers: ${era}`, async () => {
    const offers = [{ resources: ["x://one", "x://both"] }, {
      resources: ["x://both"],
      templates: ["y://{id}"],
    }] as const;
    await using two = startTwo(era, offers);
    const { a, b, client } = two;
    assertEquals((await client.listResources()).map(({ uri }) => uri).sort(), ["x://both", "x://one"]);
    const owned = (await client.listOwnedResources()).map(({ uri, server }) => `${server} ${uri}`).sort();
    assertEquals(owned, ["a x://both", "a x://one", "b x://both"]);
    assertEquals((await client.listResourceTemplates()).map(({ uriTemplate }) => uriTemplate), ["y://{id}"]);
    const [template] = await client.listOwnedResourceTemplates();
    assertEquals([template?.server, template?.uriTemplate], ["b", "y://{id}"]);
    assertEquals(await readerOf(client, "x://both"), "a");
    assertEquals(await readerOf(client, "x://both", "b"), "b");
    assertEquals(await readerOf(client, "y://7"), "b");
    await failureOf(() => client.readResource("z://secret"), "resource_not_found");
    assertEquals([a.count("resources/read"), b.count("resources/read")], [1, 2]);
    assertEquals([a.count("resources/list"), b.count("resources/list")], [1, 1]);
  });

  Deno.test(`MultiServerMCPClient lists, gets and completes the prompts of all servers: ${era}`, async () => {
    const offers = [{ prompts: ["plan"] }, { prompts: ["plan", "my plan"], templates: ["y://{id}"] }] as const;
    await using two = startTwo(era, offers);
    const { client } = two;
    const owned = await client.listOwnedPrompts();
    assertEquals(owned.map(({ server, promptName }) => `${server} ${promptName}`), ["a plan", "b my plan", "b plan"]);
    const names = owned.map(({ name }) => name);
    assertEquals((await client.listPrompts()).map(({ name }) => name), names);
    assertEquals([names[0], names[2]], ["plan", "b__plan"]);
    for (const name of [names[1]!, "my plan", "b__plan"]) {
      assertEquals([name, await sayerOf(client, name)], [name, "b"]);
    }
    assertEquals(await sayerOf(client, "plan"), "a");
    const error = await failureOf(() => client.getPrompt("plam"), "prompt_not_found");
    assertEquals(error.suggestions[0], "plan");
    const reference = { type: "ref/resource", uri: "y://{id}" } as const;
    assertEquals((await client.complete(reference, { name: "id", value: "to " })).values, ["to b"]);
  });

  Deno.test(`MultiServerMCPClient.subscribeResource() hears of the owner's changes alone: ${era}`, async () => {
    const both = { resources: ["x://both"] };
    await using two = startTwo(era, [both, both]);
    const { a, b, client } = two;
    const heard: string[] = [];
    const first = await client.subscribeResource("x://both", (uri) => heard.push(`a ${uri}`));
    const second = await client.subscribeResource("x://both", (uri) => heard.push(`b ${uri}`), { server: "b" });
    assertEquals([first.server, second.server], ["a", "b"]);
    b.update("x://both");
    await until(() => heard.length === 1);
    a.update("x://both");
    await until(() => heard.length === 2);
    assertEquals(heard, ["b x://both", "a x://both"]);
    await first.close();
    await client.removeServer("b");
    await second.close();
    await failureOf(() => client.subscribeResource("x://both", () => {}, { server: "b" }), "server_not_found");
  });

  Deno.test(`MultiServerMCPClient asks for lists anew when a server says that they have changed: ${era}`, async () => {
    await using two = startTwo(era, [{ resources: ["x://1"], prompts: ["plan"] }, {}], true);
    const { a, client } = two;
    await client.connectToServers();
    await client.listResources();
    await client.listPrompts();
    // The stream of notices opens in its own time: what is said before that is not heard.
    await until(async () => {
      a.offer({ resources: ["x://2"], prompts: ["other"] });
      const [resource] = await client.listResources();
      const [prompt] = await client.listPrompts();
      return resource?.uri === "x://2" && prompt?.name === "other";
    });
    assertEquals([await readerOf(client, "x://2"), await sayerOf(client, "other")], ["a", "a"]);
  });
}

for (const collisions of ["prefix", "error"] as const) {
  Deno.test(`MultiServerMCPClient heeds the collision policy ${collisions} for prompts and resources`, async () => {
    await using a = startContextServer("legacy", "a", { resources: ["x://1"], prompts: ["plan"] });
    await using b = startContextServer("modern", "b", { resources: ["x://1"], prompts: ["plan"] });
    await using client = new MultiServerMCPClient("Kairos", { ...toConfig({ a, b }), collisions });
    const code = collisions === "error" ? "prompt_ambiguous" : "prompt_not_found";
    await failureOf(() => client.getPrompt("plan"), code);
    assertEquals(await sayerOf(client, "b__plan"), "b");
    const error = await failureOf(() => client.readResource("x://1"), "resource_ambiguous");
    assertEquals(error.suggestions, ["a", "b"]);
    assertEquals(await readerOf(client, "x://1", "b"), "b");
  });
}

Deno.test("MultiServerMCPClient never slides to another server while the owner of a prompt or a URI is down", async () => {
  const both = { resources: ["x://1"], prompts: ["plan"] };
  await using two = startTwo("legacy", [both, both]);
  const { a, b, client } = two;
  await client.listResources();
  await client.listPrompts();
  await a.stop();
  for (const use of [() => client.readResource("x://1"), () => client.getPrompt("plan")]) {
    assertEquals((await failureOf(use, "unreachable")).server, "a");
  }
  assertEquals([b.count("resources/read"), b.count("prompts/get")], [0, 0]);
  assertEquals((await client.listResources()).length, 1);
});

Deno.test("MultiServerMCPClient lists what the servers that answer offer, and rejects where none does", async () => {
  await using broken = startRawServer({ initialize: status(500) });
  await using silent = startRawServer({ initialize: hang });
  await using refusing = startRawServer({ "resources/list": rpcError(-32601, "Method not found") });
  await using tools = await startMCPServer();
  await using good = startContextServer("legacy", "good", { resources: ["x://1"] });
  const servers = { broken, silent, refusing, tools, good };
  await using client = new MultiServerMCPClient("Kairos", toConfig(servers));
  assertEquals((await client.listResources({ timeoutMs: 500 })).map(({ uri }) => uri), ["x://1"]);
  assertEquals(await readerOf(client, "x://1", "good"), "good");
  for (const server of ["refusing", "tools", "good"]) await client.removeServer(server);
  const error = await failureOf(() => client.listResources({ timeoutMs: 100 }), "upstream_error");
  assertEquals([error.retryable, error.message.includes('"broken" (upstream_error)')], [true, true]);
});

Deno.test("MultiServerMCPClient leads a person to the authorization server, whatever is asked for first", async () => {
  await using server = await startAuthorized();
  await using client = new MultiServerMCPClient("Kairos", { servers: { calendar: server.config(PERSON) } });
  const uses = [
    () => client.listResources(),
    () => client.readResource("x://1"),
    () => client.listPrompts(),
    () => client.getPrompt("plan"),
  ];
  const urls = new Set<string>();
  for (const use of uses) urls.add((await assertRejects(use, AuthorizationRequiredError)).authorizationUrl);
  assertEquals(urls.size, 1, "one flow for all");
  await client.finishAuthorization(await browse([...urls][0]!));
  assertEquals([await client.listResources(), await client.listPrompts()], [[], []]);
  await failureOf(() => client.readResource("x://1"), "resource_not_found");
});

Deno.test("MultiServerMCPClient.reconnect() has lists asked for again that could not be had before", async () => {
  const resources = answer({ resources: [{ uri: "x://1", name: "one" }] });
  const initialize = answer({
    protocolVersion: "2025-11-25",
    capabilities: { tools: {}, resources: {} },
    serverInfo: { name: "raw", version: "1.0.0" },
  });
  const lists = { initialize, "resources/list": sequence(status(403), resources) };
  await using raw = startRawServer(lists);
  await using good = startContextServer("legacy", "good", {});
  await using client = new MultiServerMCPClient("Kairos", toConfig({ raw, good }));
  assertEquals(await client.listResources(), []);
  assertEquals([await client.listResources(), raw.count("resources/list")], [[], 1]);
  await client.reconnect({ server: "raw" });
  assertEquals((await client.listResources()).map(({ uri }) => uri), ["x://1"]);
});

Deno.test("MultiServerMCPClient takes the names of members of every object for names like others", async () => {
  const names = ["__proto__", "constructor", "toString"];
  const initialize = answer({
    protocolVersion: "2025-11-25",
    capabilities: { tools: {}, prompts: {}, resources: {} },
    serverInfo: { name: "raw", version: "1.0.0" },
  });
  const prompts = answer({ prompts: names.map((name) => ({ name })) });
  const resources = answer({ resources: names.map((uri) => ({ uri, name: uri })) });
  const lists = { initialize, "prompts/list": prompts, "resources/list": resources };
  const echo: Behaviour = ({ rpc: { id, params } }) => {
    const result = {
      description: params.name ?? null,
      messages: [],
      contents: [{ uri: params.uri ?? "", text: "here" }],
    };
    return Response.json({ jsonrpc: "2.0", id: id ?? null, result });
  };
  await using empty = startContextServer("modern", "empty", {});
  await using raw = startRawServer({ ...lists, "prompts/get": echo, "resources/read": echo });
  await using client = new MultiServerMCPClient("Kairos", toConfig({ empty, raw }));
  for (const name of names) await failureOf(() => client.getPrompt(name, {}, { server: name }), "server_not_found");
  for (const name of names) {
    assertEquals((await client.getPrompt(name)).description, name);
    assertEquals((await client.readResource(name)).contents[0]?.uri, name);
  }
  assertEquals(
    (await client.listOwnedPrompts()).map(({ name, server }) => [name, server]),
    names.map((n) => [n, "raw"]),
  );
  assertEquals((await client.listResources()).map(({ uri }) => uri), names);
  await failureOf(() => client.getPrompt("valueOf"), "prompt_not_found");
  await failureOf(() => client.readResource("valueOf"), "resource_not_found");
});

Deno.test("MultiServerMCPClient.removeServer() takes the server's prompts and resources with it", async () => {
  const both = { resources: ["x://1"], prompts: ["plan"] };
  await using two = startTwo("modern", [both, both]);
  const { client } = two;
  assertEquals([await readerOf(client, "x://1"), await sayerOf(client, "plan")], ["a", "a"]);
  await client.removeServer("a");
  assertEquals([await readerOf(client, "x://1"), await sayerOf(client, "plan")], ["b", "b"]);
  await failureOf(() => client.readResource("x://1", { server: "a" }), "server_not_found");
  await client.close();
  assertEquals(await codeOf(client.listPrompts()), "closed");
});

Deno.test("MultiServerMCPClient.setLogLevel(), notifyRootsChanged() and getServerInfo() concern all servers, or one", async () => {
  await using down = startRawServer({ initialize: status(500) });
  await using good = startContextServer("legacy", "good", {});
  await using client = new MultiServerMCPClient("Kairos", toConfig({ down, good }));
  assertEquals(await client.notifyRootsChanged(), {});
  await client.connectToServers();
  assertEquals(await client.notifyRootsChanged(), { good: true });
  assertEquals(good.count("notifications/roots/list_changed"), 1);
  assertEquals(Object.keys(await client.setLogLevel("warning")), ["down", "good"]);
  assertEquals(client.getServerInfo("good")?.implementation?.name, "good");
  assertEquals(client.getServerInfo("down"), undefined);
  await failureOf(() => client.setLogLevel("warning", { server: "constructor" }), "server_not_found");
});
