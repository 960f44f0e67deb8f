import { assertEquals, assertStrictEquals } from "@std/assert";
import { intercept, type Interceptor, interceptTools, type RequestKind } from "@portolan/mcp/interceptors";
import { MCPError } from "../../src/errors.ts";
import { SingleServerMCPClient } from "../../src/single_server_client.ts";
import { failureOf, textOf } from "../support/client_support.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { textResult } from "../support/test_tools.ts";
import { fakeClient, never, resultOf, toolOf } from "./interceptor_support.ts";

const SHORT_MS = 60;

Deno.test("intercept() runs every kind of request through the interceptors, and to the client as it was made", async () => {
  const client = fakeClient({ tools: [toolOf("read")] });
  const kinds: RequestKind[] = [];
  const seeing: Interceptor = { any: (request, next) => (kinds.push(request.kind), next()) };
  const wrapped = intercept(client, [seeing]);
  const argument = { name: "n", value: "v" };
  assertEquals(textOf(await wrapped.callTool("read", { a: 1 })), "read");
  assertEquals(await wrapped.listTools(), [toolOf("read")]);
  assertEquals((await wrapped.readResource("a:1", { server: "s" })).contents[0]?.uri, "a:1");
  assertEquals((client.lastOptions as { server?: string }).server, "s");
  assertEquals((await wrapped.listResources()).length, 1);
  assertEquals((await wrapped.listResourceTemplates()).length, 1);
  assertEquals((await wrapped.getPrompt("greet", { who: "me" })).messages.length, 1);
  assertEquals((await wrapped.listPrompts()).length, 1);
  assertEquals((await wrapped.complete({ type: "ref/prompt", name: "greet" }, argument)).values, ["v"]);
  assertEquals((await wrapped.subscribeResource("a:1", () => {})).uri, "a:1");
  assertEquals(kinds, [
    "call_tool",
    "list_tools",
    "read_resource",
    "list_resources",
    "list_resource_templates",
    "get_prompt",
    "list_prompts",
    "complete",
  ]);
  assertEquals(client.asked, [
    'callTool read {"a":1}',
    "listTools",
    "readResource a:1",
    "listResources",
    "listResourceTemplates",
    'getPrompt greet {"who":"me"}',
    "listPrompts",
    'complete ref/prompt {"name":"n","value":"v"}',
    "subscribeResource a:1",
  ]);
});

Deno.test("intercept() gives each method of an interceptor the kind it is named after", async () => {
  const seen: string[] = [];
  const see = <R>(request: { readonly kind: string }, next: () => Promise<R>) => (seen.push(request.kind), next());
  const each: Interceptor = {
    callTool: see,
    listTools: see,
    readResource: see,
    listResources: see,
    listResourceTemplates: see,
    getPrompt: see,
    listPrompts: see,
    complete: see,
  };
  const wrapped = intercept(fakeClient(), [each]);
  await wrapped.callTool("read");
  await wrapped.listTools();
  await wrapped.readResource("a:1");
  await wrapped.listResources();
  await wrapped.listResourceTemplates();
  await wrapped.getPrompt("greet");
  await wrapped.listPrompts();
  await wrapped.complete({ type: "ref/resource", uri: "a:{n}" }, { name: "n", value: "" });
  assertEquals(seen, [
    "call_tool",
    "list_tools",
    "read_resource",
    "list_resources",
    "list_resource_templates",
    "get_prompt",
    "list_prompts",
    "complete",
  ]);
});

Deno.test("intercept() and interceptTools() close the client with the result", async () => {
  for (const wrap of [intercept, interceptTools]) {
    const client = fakeClient();
    {
      await using _wrapped = wrap(client, []);
    }
    await wrap(client, []).close();
    assertEquals(client.asked, ["close", "close"]);
  }
});

Deno.test("interceptTools() asks the client for the tools once where an interceptor needs a definition", async () => {
  const client = fakeClient({ tools: [toolOf("read", { title: "Read" })] });
  const titles: unknown[] = [];
  const curious: Interceptor = {
    async callTool(request, next) {
      titles.push((await request.findTool())?.annotations?.title, request.tool?.annotations?.title);
      return await next();
    },
  };
  const wrapped = interceptTools(client, [curious]);
  await wrapped.callTool("read");
  await wrapped.callTool("write");
  assertEquals(titles, ["Read", "Read", undefined, undefined]);
  assertEquals(client.asked, ["listTools", "callTool read {}", "callTool write {}"]);
});

Deno.test("interceptTools() can be put around a client that has interceptors already", async () => {
  const adding = (text: string): Interceptor => ({
    callTool: async (_request, next) => resultOf(`${textOf(await next())} ${text}`),
  });
  const inner = interceptTools(fakeClient(), [adding("a"), adding("b")]);
  assertEquals(textOf(await interceptTools(inner, [adding("c")]).callTool("read")), "read b a c");
});

Deno.test("interceptTools() around a real client changes arguments and results, and keeps the server's failures", async () => {
  const run = (args: Record<string, unknown>) => textResult(JSON.stringify(args));
  await using server = await startMCPServer({ tools: [{ name: "tell", run }] });
  const client = new SingleServerMCPClient("files", { url: server.url });
  const changing: Interceptor = {
    async callTool(request, next) {
      const result = await next(request.with({ args: { ...request.args, more: true } }));
      return { ...result, content: [...result.content, { type: "text", text: "seen" }] };
    },
  };
  await using wrapped = interceptTools(client, [changing]);
  const result = await wrapped.callTool("tell");
  assertEquals([textOf(result), result.content.length], ['{"more":true}', 2]);
  await wrapped.listTools();
  const error = await failureOf(() => wrapped.callTool("tel"), "tool_not_found");
  assertEquals(error.server, "files");
});

Deno.test("interceptTools() leaves it to the client to say which server was too slow", async () => {
  await using server = await startMCPServer({ tools: [{ name: "hang", run: never }] });
  const client = new SingleServerMCPClient("files", { url: server.url });
  await using wrapped = interceptTools(client, [{ any: (_request, next) => next() }]);
  await wrapped.listTools();
  const error = await failureOf(() => wrapped.callTool("hang", {}, { timeoutMs: SHORT_MS }), "deadline_exceeded");
  assertEquals([error.server, error.retryable], ["files", false]);
  const controller = new AbortController();
  const running = wrapped.callTool("hang", {}, { signal: controller.signal });
  const reason = new MCPError("closed", "the caller's own");
  controller.abort(reason);
  assertStrictEquals(await running.catch((cause) => cause), reason);
});
