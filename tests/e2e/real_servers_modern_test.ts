/** A server of the modern era: what it offers, and what it tells. */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type LogMessage, MultiServerMCPClient, type Progress, SingleServerMCPClient } from "@portolan/mcp";
import { failureOf, textOf, until } from "../support/client_support.ts";
import { startModernFeaturesServer } from "../support/modern_features_server.ts";

Deno.test("SingleServerMCPClient uses a modern server", async (t) => {
  await using server = startModernFeaturesServer();
  await using client = new SingleServerMCPClient("features", { url: server.url });

  await t.step("connect() tells who the server is", async () => {
    await client.connect();
    const { era, transport, state } = client.getStatus();
    assertEquals([era, transport, state], ["modern", "streamable_http", "connected"]);
    const { implementation, instructions } = client.getServerInfo()!;
    assertEquals([implementation?.title, instructions], ["Features", "Ask for a port"]);
  });

  await t.step("callTool() gives structured content, and rejects arguments that do not match", async () => {
    const { content, structuredContent } = await client.callTool("add", { a: 40, b: 2 });
    assertEquals([content, structuredContent], [[{ type: "text", text: "42" }], { sum: 42 }]);
    const error = await failureOf(() => client.callTool("add", { a: 40 }), "invalid_arguments");
    assertEquals(error.faults.map(({ path }) => path), ["b"]);
  });

  await t.step("readResource() gives text and bytes, from the list and from a template", async () => {
    assertEquals((await client.listResources()).map(({ uri }) => uri), ["chart://Genoa"]);
    assertEquals((await client.listResourceTemplates()).map(({ uriTemplate }) => uriTemplate), ["chart://{port}"]);
    const { contents } = await client.readResource("chart://Genoa");
    assertEquals(contents, [
      { uri: "chart://Genoa", mimeType: "text/plain", text: "A harbour" },
      { uri: "chart://Genoa/map", blob: btoa("map") },
    ]);
    assertEquals((await client.readResource("chart://Venice")).contents[0]?.text, "Venice");
  });

  await t.step("getPrompt() fills in arguments", async () => {
    assertEquals((await client.listPrompts()).map(({ name }) => name), ["voyage", "question"]);
    const { messages } = await client.getPrompt("voyage", { from: "Genoa", to: "Venice" });
    assertEquals(messages, [{ role: "user", content: { type: "text", text: "From Genoa to Venice" } }]);
  });

  await t.step("complete() completes arguments of prompts and templates, also by what is known", async () => {
    const prompt = { type: "ref/prompt", name: "voyage" } as const;
    assertEquals((await client.complete(prompt, { name: "from", value: "G" })).values, ["Genoa", "Gaeta"]);
    const known = { name: "to", value: "G", context: { from: "Genoa" } };
    assertEquals((await client.complete(prompt, known)).values, ["Gaeta"]);
    const template = { type: "ref/resource", uri: "chart://{port}" } as const;
    assertEquals((await client.complete(template, { name: "port", value: "V" })).values, ["Venice"]);
  });

  await t.step("callTool() tells of progress, all of it before it resolves", async () => {
    const told: Progress[] = [];
    await client.callTool("steps", { count: 3 }, { onProgress: (progress) => told.push(progress) });
    assertEquals(told, [1, 2, 3].map((progress) => ({ progress, total: 3, message: `Step ${progress}` })));
  });

  await t.step("callTool() tells of the log messages of a call, from the level of the call on", async () => {
    const logsFrom = async (logLevel?: "debug" | "error") => {
      const logs: LogMessage[] = [];
      await client.callTool("log", {}, { onLog: (message) => logs.push(message), logLevel });
      return logs.map(({ level }) => level);
    };
    assertEquals(await logsFrom("debug"), ["debug", "info", "error"]);
    assertEquals(await logsFrom("error"), ["error"]);
    assertEquals(await logsFrom(), ["info", "error"]);
  });

  await t.step("callTool() that is aborted closes its stream, which cancels it at the server", async () => {
    const controller = new AbortController();
    const reason = new Error("The person went away");
    const call = client.callTool("hang", {}, { signal: controller.signal });
    await until(() => server.requests.some(({ body }) => JSON.stringify(body).includes('"hang"')));
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => call), reason);
    await until(() => server.cancelled() === 1);
    await failureOf(() => client.callTool("hang", {}, { timeoutMs: 100 }), "deadline_exceeded");
    await until(() => server.cancelled() === 2);
    await until(() => server.openStreams() === 0);
    assertEquals(textOf(await client.callTool("add", { a: 1, b: 1 })), "2");
    assertEquals(server.count("notifications/cancelled"), 0);
  });
});

Deno.test("SingleServerMCPClient.setLogLevel() has a modern server log from a level on, with every call", async () => {
  await using server = startModernFeaturesServer();
  const logs: LogMessage[] = [];
  const onLog = (message: LogMessage) => void logs.push(message);
  await using client = new SingleServerMCPClient("features", { url: server.url }, { onLog });
  await client.callTool("log");
  await client.setLogLevel("error");
  await client.callTool("log");
  assertEquals(logs, [{ server: "features", level: "error", data: { said: "error" }, logger: "tools" }]);
  assertEquals(server.count("logging/setLevel"), 0);
});

Deno.test("SingleServerMCPClient.subscribeResource() tells of updates of a modern server until it is closed", async () => {
  await using server = startModernFeaturesServer();
  await using client = new SingleServerMCPClient("features", { url: server.url });
  const updates: string[] = [];
  const genoa = await client.subscribeResource("chart://Genoa", (uri) => updates.push(`one ${uri}`));
  server.update("chart://Genoa");
  await until(() => updates.length === 1);
  const venice = await client.subscribeResource("chart://Venice", (uri) => updates.push(`two ${uri}`));
  server.update("chart://Genoa");
  server.update("chart://Venice");
  server.update("chart://Gaeta");
  await until(() => updates.length === 3);
  await genoa.close();
  const again = await client.subscribeResource("chart://Gaeta", (uri) => updates.push(`three ${uri}`));
  server.update("chart://Genoa");
  server.update("chart://Gaeta");
  await until(() => updates.length === 4);
  assertEquals(updates.sort(), [
    ...["one chart://Genoa", "one chart://Genoa", "three chart://Gaeta", "two chart://Venice"],
  ]);
  await Promise.all([venice.close(), again.close()]);
  await until(() => server.openStreams() === 0);
});

Deno.test("MultiServerMCPClient that watches a modern server offers what it adds", async () => {
  await using server = startModernFeaturesServer();
  const servers = { features: { url: server.url, watch: true } };
  await using client = new MultiServerMCPClient("Kairos", { servers });
  await client.connectToServers();
  assertEquals((await client.listPrompts()).length, 2);
  assertEquals((await client.listResources()).length, 1);
  await failureOf(() => client.getPrompt("late"), "prompt_not_found");
  await until(() => server.openStreams() === 1);
  server.grow();
  await until(() => client.findClientForTool("late") !== undefined);
  assertEquals(textOf(await client.callTool("late")), "late");
  await until(async () => (await client.listPrompts()).some(({ name }) => name === "late"));
  await until(async () => (await client.listResources()).some(({ uri }) => uri === "chart://late"));
  assertEquals((await client.getPrompt("late")).messages.length, 1);
  assertEquals((await client.readResource("chart://late")).contents[0]?.text, "late");
});
