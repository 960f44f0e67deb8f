import { assertEquals } from "@std/assert";
import { SingleServerMCPClient } from "@portolan/mcp";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { answer, type Behaviour, event, rpcError, sequence, sse } from "../support/behaviours.ts";
import { CANARY, failureOf } from "../support/client_support.ts";
import { startCapableServer } from "../support/connection_support.ts";
import { startContextServer } from "../support/context_server.ts";
import { type RawServer, startRawServer } from "../support/fault_server.ts";
import { modernScript } from "../support/modern_script.ts";

function createClient({ url }: { readonly url: string }): SingleServerMCPClient {
  return new SingleServerMCPClient("files", { url });
}

/** The parameters of all requests of a method. */
function paramsOf(server: RawServer, rpcMethod: string): readonly unknown[] {
  return server.requests.filter((request) => request.rpcMethod === rpcMethod).map(({ body }) => {
    return (body as JsonObject).params;
  });
}

for (const era of ["legacy", "modern"] as const) {
  Deno.test(`SingleServerMCPClient lists, reads, gets and completes at a real server: ${era}`, async () => {
    const offer = { resources: ["file:///a"], templates: ["port://{id}"], prompts: ["greet"] };
    await using server = startContextServer(era, "Genoa", offer);
    await using client = createClient(server);
    assertEquals((await client.listResources()).map(({ uri }) => uri), ["file:///a"]);
    assertEquals((await client.listResourceTemplates()).map(({ uriTemplate }) => uriTemplate), ["port://{id}"]);
    assertEquals((await client.listPrompts()).map(({ name }) => name), ["greet"]);
    assertEquals((await client.readResource("file:///a")).contents, [{ uri: "file:///a", text: "Genoa" }]);
    assertEquals((await client.getPrompt("greet")).messages, [
      { role: "user", content: { type: "text", text: "Genoa" } },
    ]);
    const completion = await client.complete({ type: "ref/resource", uri: "port://{id}" }, { name: "id", value: "x" });
    assertEquals(completion.values, ["xGenoa"]);
    await failureOf(() => client.readResource("file:///b"), "resource_not_found");
  });
}

/** Calls of everything that a server can lack, and what comes of it where it does. */
const LACKING: readonly (readonly [string, string, (client: SingleServerMCPClient) => Promise<unknown>, unknown])[] = [
  ["listResources", "resources/list", (client) => client.listResources(), []],
  ["listResourceTemplates", "resources/templates/list", (client) => client.listResourceTemplates(), []],
  ["listPrompts", "prompts/list", (client) => client.listPrompts(), []],
  ["complete", "completion/complete", (client) => {
    return client.complete({ type: "ref/prompt", name: "a" }, { name: "b", value: "" });
  }, { values: [] }],
];

for (const [what, method, use, nothing] of LACKING) {
  Deno.test(`SingleServerMCPClient.${what}() asks nothing where the server declares none`, async () => {
    await using legacy = startCapableServer({}, { tools: {} });
    await using modern = startRawServer(modernScript());
    for (const server of [legacy, modern]) {
      await using client = createClient(server);
      assertEquals([await use(client), server.count(method)], [nothing as JsonValue, 0]);
    }
  });

  Deno.test(`SingleServerMCPClient.${what}() finds nothing where the server does not know the method after all`, async () => {
    await using server = startCapableServer({ [method]: rpcError(-32601, CANARY) });
    await using client = createClient(server);
    assertEquals([await use(client), server.count(method)], [nothing as JsonValue, 1]);
  });

  Deno.test(`SingleServerMCPClient.${what}() rejects where the server fails`, async () => {
    await using server = startCapableServer({ [method]: rpcError(-32603, CANARY) });
    await using client = createClient(server);
    const error = await failureOf(() => use(client), "upstream_error");
    assertEquals([error.rpcCode, error.server], [-32603, "files"]);
  });
}

const resource = (uri: JsonValue, name: JsonValue = "a"): JsonObject => ({ uri, name });

/** Pages of a list, and the URIs that are kept of them. */
const PAGES: readonly (readonly [string, readonly JsonObject[], readonly string[], number])[] = [
  [
    "several pages",
    [
      { resources: [resource("a")], nextCursor: "1" },
      { resources: [resource("b")], nextCursor: "2" },
      { resources: [resource("c")] },
    ],
    ["a", "b", "c"],
    3,
  ],
  [
    "the same twice",
    [
      { resources: [resource("a"), resource("a", "other")], nextCursor: "1" },
      { resources: [resource("a"), resource("b")] },
    ],
    ["a", "b"],
    2,
  ],
  ["F25 a cursor that repeats", [{ resources: [resource("a")], nextCursor: "1" }], ["a"], 2],
  ["a cursor that is no text", [{ resources: [resource("a")], nextCursor: 1 }], ["a"], 1],
  [
    "F26 F32 malformed entries",
    [{
      resources: [
        null,
        "a",
        {},
        resource(7),
        resource(""),
        { uri: "a" },
        resource("b", ""),
        resource("c", "new\nline"),
        resource("d\u202e"),
        resource("e\u001b[31m"),
        resource("x".repeat(4_097)),
        resource("__proto__"),
        resource("good"),
      ],
    }],
    ["__proto__", "good"],
    1,
  ],
];

for (const [what, pages, expected, asked] of PAGES) {
  Deno.test(`SingleServerMCPClient.listResources() of ${what}`, async () => {
    const [first, ...rest] = pages.map((page) => answer(page)) as [Behaviour, ...Behaviour[]];
    await using server = startCapableServer({ "resources/list": sequence(first, ...rest) });
    await using client = createClient(server);
    assertEquals((await client.listResources()).map(({ uri }) => uri), expected);
    const cursors = pages.slice(0, asked - 1).map(({ nextCursor }) => ({ cursor: nextCursor }));
    assertEquals(paramsOf(server, "resources/list"), [
      {},
      ...(asked === 2 && cursors.length === 0 ? [{ cursor: "1" }] : cursors),
    ]);
  });
}

Deno.test("SingleServerMCPClient.listResources() rejects with bad_response where a page holds no list", async () => {
  for (const page of [{}, { resources: "a" }, { resources: null }, { resources: [], resultType: "later" }]) {
    await using server = startCapableServer({ "resources/list": answer(page) });
    await using client = createClient(server);
    await failureOf(() => client.listResources(), "bad_response");
  }
});

Deno.test("F25 SingleServerMCPClient.listPrompts() reads 64 pages and keeps 2,000 prompts at most", async () => {
  let page = 0;
  const endless = (size: number): Behaviour => (context) => {
    page++;
    const prompts = Array.from({ length: size }, (_, index) => ({ name: `${page}-${index}` }));
    return answer({ prompts, nextCursor: `${page}` })(context);
  };
  for (const [size, pages, kept] of [[1, 64, 64], [999, 3, 2_000]] as const) {
    await using server = startCapableServer({ "prompts/list": endless(size) });
    await using client = createClient(server);
    assertEquals([(await client.listPrompts()).length, server.count("prompts/list")], [kept, pages]);
  }
});

Deno.test("SingleServerMCPClient.readResource() rejects with resource_not_found without a word of the server", async () => {
  for (const code of [-32002, -32602]) {
    await using server = startCapableServer({ "resources/read": rpcError(code, CANARY, { uri: CANARY }) });
    await using client = createClient(server);
    const error = await failureOf(() => client.readResource(`file:///${CANARY}`), "resource_not_found");
    assertEquals([error.rpcCode, error.retryable], [code, false]);
  }
});

/** Results that are none, of each method that has one. */
const MALFORMED: readonly (readonly [string, JsonObject, (client: SingleServerMCPClient) => Promise<unknown>])[] = [
  ...[{}, { contents: {} }, { contents: [{ uri: "a" }] }, { contents: [{ text: "a" }] }, {
    contents: [],
    resultType: "x",
  }]
    .map((result) => ["resources/read", result, (client: SingleServerMCPClient) => client.readResource("a")] as const),
  ...[{}, { messages: [{ role: "system", content: { type: "text", text: "a" } }] }, {
    messages: [{ role: "user", content: "a" }],
  }]
    .map((result) => ["prompts/get", result, (client: SingleServerMCPClient) => client.getPrompt("a")] as const),
  ...[{}, { completion: {} }, { completion: { values: [1] } }]
    .map((result) => {
      const use = (client: SingleServerMCPClient) =>
        client.complete({ type: "ref/prompt", name: "a" }, { name: "b", value: "" });
      return ["completion/complete", result, use] as const;
    }),
];

for (const [method, result, use] of MALFORMED) {
  Deno.test(`SingleServerMCPClient rejects a malformed result of ${method}: ${JSON.stringify(result)}`, async () => {
    await using server = startCapableServer({ [method]: answer(result) });
    await using client = createClient(server);
    await failureOf(() => use(client), "bad_response");
  });
}

Deno.test("SingleServerMCPClient.complete() sends what is known already, and keeps a hundred values at most", async () => {
  const values = Array.from({ length: 150 }, (_, index) => `v${index}`);
  const completion = { values, total: 150, hasMore: true };
  await using server = startCapableServer({ "completion/complete": answer({ completion }) });
  await using client = createClient(server);
  const argument = { name: "city", value: "G", context: { country: "it" } };
  const result = await client.complete({ type: "ref/prompt", name: "trip" }, argument);
  assertEquals(result, { values: values.slice(0, 100), total: 150, hasMore: true });
  assertEquals(paramsOf(server, "completion/complete"), [{
    ref: { type: "ref/prompt", name: "trip" },
    argument: { name: "city", value: "G" },
    context: { arguments: { country: "it" } },
  }]);
});

Deno.test("SingleServerMCPClient.getPrompt() sends arguments where there are some, and answers questions in rounds", async () => {
  const question = { method: "roots/list" };
  const asking = { resultType: "input_required", inputRequests: { r: question }, requestState: "s" };
  const get = sequence(answer(asking), answer({ messages: [] }));
  await using server = startRawServer(modernScript({ "prompts/get": get }));
  await using client = createClient(server);
  const input = { onListRoots: () => [{ uri: "file:///a" }] };
  assertEquals(await client.getPrompt("a", { b: "c" }, { input }), { messages: [] });
  await client.getPrompt("a");
  const [first, second, third] = paramsOf(server, "prompts/get") as readonly JsonObject[];
  assertEquals([first?.arguments, first?.inputResponses, third?.arguments], [{ b: "c" }, undefined, undefined]);
  assertEquals([second?.inputResponses, second?.requestState], [{ r: { roots: [{ uri: "file:///a" }] } }, "s"]);
});

Deno.test("SingleServerMCPClient.readResource() hears what comes with the answer", async () => {
  const noticed = event({ jsonrpc: "2.0", method: "notifications/prompts/list_changed" });
  const read: Behaviour = ({ rpc }) =>
    sse(noticed + event({ jsonrpc: "2.0", id: rpc.id ?? null, result: { contents: [] } }));
  await using server = startCapableServer({ "resources/read": read });
  const told: string[] = [];
  const onContextStale = (what: string) => void told.push(what);
  await using client = new SingleServerMCPClient("files", { url: server.url }, { onContextStale });
  await client.readResource("file:///a");
  assertEquals(told, ["prompts"]);
});
