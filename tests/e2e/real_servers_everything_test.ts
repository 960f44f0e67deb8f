/** The reference server over both transports: what it offers, as a user of the package gets it. */

import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { MultiServerMCPClient, SingleServerMCPClient } from "@portolan/mcp";
import { failureOf, textOf } from "../support/client_support.ts";
import { type EverythingTransport, startEverything } from "../support/everything.ts";

const TRANSPORTS: Readonly<Record<EverythingTransport, string>> = { streamableHttp: "streamable_http", sse: "sse" };
/** The bytes every PNG begins with, as Base64. */
const PNG = /^iVBORw0KGgo/;
const FEATURES = "demo://resource/static/document/features.md";

for (const [transport, spoken] of Object.entries(TRANSPORTS) as [EverythingTransport, string][]) {
  Deno.test(`SingleServerMCPClient uses the tools of server-everything over ${transport}`, async (t) => {
    await using server = await startEverything(transport);
    await using client = new SingleServerMCPClient("everything", { url: server.url });

    await t.step("connect() tells who the server is", async () => {
      await client.connect();
      const { era, transport, state, toolCount } = client.getStatus();
      assertEquals([era, transport, state, toolCount], ["legacy", spoken, "connected", 13]);
      const info = client.getServerInfo();
      assertEquals(info?.implementation?.name, "mcp-servers/everything");
      assertEquals(Object.keys(info?.capabilities ?? {}).sort(), [
        ...["completions", "logging", "prompts", "resources", "tasks", "tools"],
      ]);
      assertMatch(info?.instructions ?? "", /Everything/);
    });

    await t.step("callTool() gives text", async () => {
      assertEquals(textOf(await client.callTool("echo", { message: "a — b 🦊\n" })), "Echo: a — b 🦊\n");
      assertMatch(String(textOf(await client.callTool("get-sum", { a: 40, b: 2 }))), /42/);
    });

    await t.step("callTool() gives annotations", async () => {
      const { content } = await client.callTool("get-annotated-message", { messageType: "error", includeImage: true });
      assertEquals(content.map(({ type, annotations }) => [type, annotations]), [
        ["text", { priority: 1, audience: ["user", "assistant"] }],
        ["image", { priority: 0.5, audience: ["user"] }],
      ]);
    });

    await t.step("callTool() gives an image", async () => {
      const { content } = await client.callTool("get-tiny-image");
      const [image] = content.filter(({ type }) => type === "image");
      assertEquals(image?.mimeType, "image/png");
      assertMatch(image?.type === "image" ? image.data : "", PNG);
    });

    await t.step("callTool() gives links that can be read", async () => {
      const { content } = await client.callTool("get-resource-links", { count: 2 });
      const links = content.flatMap((block) => block.type === "resource_link" ? [block.uri] : []);
      assertEquals(links, ["demo://resource/dynamic/blob/1", "demo://resource/dynamic/text/2"]);
      for (const uri of links) assertEquals((await client.readResource(uri)).contents[0]?.uri, uri);
    });

    await t.step("callTool() gives embedded resources, as text and as bytes", async () => {
      for (const [resourceType, field] of [["Text", "text"], ["Blob", "blob"]] as const) {
        const { content } = await client.callTool("get-resource-reference", { resourceType, resourceId: 7 });
        const [block] = content.filter(({ type }) => type === "resource");
        const resource = block?.type === "resource" ? block.resource : undefined;
        assertEquals(resource?.uri, `demo://resource/dynamic/${field}/7`);
        assertEquals(typeof resource?.[field], "string");
      }
    });

    await t.step("callTool() gives structured content", async () => {
      const result = await client.callTool("get-structured-content", { location: "Chicago" });
      const weather = { temperature: 36, conditions: "Light rain / drizzle", humidity: 82 };
      assertEquals(result.structuredContent, weather);
      assertEquals(JSON.parse(String(textOf(result))), weather);
    });

    await t.step("callTool() gives a link to a resource of the session, which can be read", async () => {
      const args = { name: "a.txt.gz", data: "data:text/plain,portolan", outputType: "resourceLink" };
      const [link] = (await client.callTool("gzip-file-as-resource", args)).content;
      const uri = link?.type === "resource_link" ? link.uri : "";
      const [contents] = (await client.readResource(uri)).contents;
      assertEquals(await gunzip(contents?.blob ?? ""), "portolan");
      assertEquals((await client.listResources()).some((resource) => resource.uri === uri), true);
    });

    await t.step("callTool() rejects with invalid_arguments that name the places", async () => {
      const error = await failureOf(() => client.callTool("get-sum", { a: "40" }), "invalid_arguments");
      assertEquals(error.faults.map(({ path }) => path).sort(), ["a", "b"]);
      const call = () => client.callTool("get-structured-content", { location: "Rome" });
      assertEquals((await failureOf(call, "invalid_arguments")).faults.map(({ path }) => path), ["location"]);
    });

    await t.step("callTool() rejects with tool_not_found and suggests the nearest", async () => {
      const error = await failureOf(() => client.callTool("get-sun"), "tool_not_found");
      assertEquals(error.suggestions[0], "get-sum");
    });
  });

  Deno.test(`SingleServerMCPClient uses the resources and prompts of server-everything over ${transport}`, async (t) => {
    await using server = await startEverything(transport);
    await using client = new SingleServerMCPClient("everything", { url: server.url });

    await t.step("listResources() and readResource() give static documents", async () => {
      const resources = await client.listResources();
      const uris = resources.map(({ uri }) => uri);
      assertEquals(uris.includes(FEATURES), true);
      for (const { uri, mimeType } of resources) {
        const [contents] = (await client.readResource(uri)).contents;
        assertEquals([contents?.uri, contents?.mimeType], [uri, mimeType]);
        assertGreater(contents?.text?.length ?? 0, 0);
      }
    });

    await t.step("listResourceTemplates() and readResource() give dynamic text and bytes", async () => {
      const templates = (await client.listResourceTemplates()).map(({ uriTemplate }) => uriTemplate);
      const prefix = "demo://resource/dynamic";
      assertEquals(templates.sort(), [`${prefix}/blob/{resourceId}`, `${prefix}/text/{resourceId}`]);
      const [text] = (await client.readResource(`${prefix}/text/3`)).contents;
      assertMatch(text?.text ?? "", /^Resource 3: This is a plaintext resource/);
      const [blob] = (await client.readResource(`${prefix}/blob/3`)).contents;
      assertMatch(atob(blob?.blob ?? ""), /^Resource 3: This is a base64 blob/);
    });

    await t.step("listPrompts() and getPrompt() give prompts with and without arguments", async () => {
      const prompts = await client.listPrompts();
      const names = ["args-prompt", "completable-prompt", "resource-prompt", "simple-prompt"];
      assertEquals(prompts.map(({ name }) => name).sort(), names);
      const required = prompts.find(({ name }) => name === "args-prompt")?.arguments;
      assertEquals(required?.map(({ name, required }) => [name, required]), [["city", true], ["state", false]]);
      assertEquals(await textsOf(client, "simple-prompt"), ["This is a simple prompt without arguments."]);
      assertEquals(await textsOf(client, "args-prompt", { city: "Genoa" }), ["What's weather in Genoa?"]);
      const both = await textsOf(client, "args-prompt", { city: "Austin", state: "Texas" });
      assertEquals(both, ["What's weather in Austin, Texas?"]);
    });

    await t.step("getPrompt() gives an embedded resource", async () => {
      const { messages } = await client.getPrompt("resource-prompt", { resourceType: "Blob", resourceId: "5" });
      const [resource] = messages.flatMap(({ content }) => content.type === "resource" ? [content.resource] : []);
      assertEquals([messages.length, resource?.uri], [2, "demo://resource/dynamic/blob/5"]);
    });

    await t.step("getPrompt() rejects where an argument is missing", async () => {
      const error = await failureOf(() => client.getPrompt("args-prompt"), "upstream_error");
      assertEquals(error.rpcCode, -32602);
    });

    await t.step("complete() completes a prompt's argument, also by what is known of another", async () => {
      const prompt = { type: "ref/prompt", name: "completable-prompt" } as const;
      assertEquals((await client.complete(prompt, { name: "department", value: "S" })).values, ["Sales", "Support"]);
      const named = (department: string) => ({ name: "name", value: "", context: { department } });
      assertEquals((await client.complete(prompt, named("Sales"))).values, ["David", "Eve", "Frank"]);
      assertEquals((await client.complete(prompt, named("Engineering"))).values, ["Alice", "Bob", "Charlie"]);
      assertEquals((await client.complete(prompt, { name: "name", value: "" })).values, []);
    });

    await t.step("complete() completes a variable of a template", async () => {
      const template = { type: "ref/resource", uri: "demo://resource/dynamic/text/{resourceId}" } as const;
      assertEquals((await client.complete(template, { name: "resourceId", value: "12" })).values, ["12"]);
      assertEquals((await client.complete(template, { name: "resourceId", value: "x" })).values, []);
    });
  });
}

Deno.test("MultiServerMCPClient uses server-everything over both transports behind one name", async (t) => {
  await using http = await startEverything("streamableHttp");
  await using sse = await startEverything("sse");
  const servers = { http: { url: http.url }, old: { url: sse.url, tools: { allow: ["echo", "get-sum"] } } };
  await using client = new MultiServerMCPClient("Kairos", { servers });
  assertEquals(await client.connectToServers(), { http: true, old: true });

  await t.step("callToolRouted() tells which server answered", async () => {
    const first = await client.callToolRouted("echo", { message: "x" });
    assertEquals([first.server, textOf(first.result)], ["http", "Echo: x"]);
    const second = await client.callToolRouted("old__echo", { message: "y" });
    assertEquals([second.server, textOf(second.result)], ["old", "Echo: y"]);
  });

  await t.step("callTool() denies what the filter holds back, although the server lists it", async () => {
    await failureOf(() => client.callTool("old__get-env"), "tool_not_found");
  });

  await t.step("readResource() reads what both list at the first, or at the one that is named", async () => {
    const owners = (await client.listOwnedResources()).filter(({ resource }) => resource.uri === FEATURES);
    assertEquals(owners.map(({ server }) => server), ["http", "old"]);
    assertEquals((await client.listResources()).filter(({ uri }) => uri === FEATURES).length, 1);
    assertEquals((await client.readResource(FEATURES, { server: "old" })).contents.length, 1);
    assertEquals((await client.readResource("demo://resource/dynamic/text/1")).contents.length, 1);
    await failureOf(() => client.readResource("demo://elsewhere/1"), "resource_not_found");
  });

  await t.step("getPrompt() and complete() go to the owner of the name", async () => {
    const { messages } = await client.getPrompt("old__simple-prompt");
    assertEquals(messages.length, 1);
    const prompt = { type: "ref/prompt", name: "completable-prompt" } as const;
    assertEquals((await client.complete(prompt, { name: "department", value: "E" })).values, ["Engineering"]);
  });
});

async function textsOf(client: SingleServerMCPClient, name: string, args?: Record<string, string>) {
  const { messages } = await client.getPrompt(name, args);
  return messages.map(({ content }) => content.type === "text" ? content.text : undefined);
}

async function gunzip(base64: string): Promise<string> {
  const bytes = Uint8Array.fromBase64(base64);
  return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
