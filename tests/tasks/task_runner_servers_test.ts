import { assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { type CallToolOptions, MCPError, type Progress, SingleServerMCPClient } from "@portolan/mcp";
import type { SingleServerMCPClientOptions } from "@portolan/mcp";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { answer, drop, rpcError, sequence, status } from "../support/behaviours.ts";
import { codeOf, failureOf, textOf, until } from "../support/client_support.ts";
import { startEverything } from "../support/everything.ts";
import { startRawServer } from "../support/fault_server.ts";
import { startTaskServer, type TaskTool } from "../support/task_server.ts";
import { paramsOf, startModernTaskServer, TASK_ID } from "../support/task_server_modern.ts";
import { textResult } from "../support/test_tools.ts";

const DONE: JsonObject = { content: [{ type: "text", text: "done" }] };

const noop: TaskTool["run"] = () => Promise.resolve(undefined);

function createClient(url: string, options: SingleServerMCPClientOptions = {}): SingleServerMCPClient {
  return new SingleServerMCPClient("files", { url }, options);
}

/** The result as it comes, for comparing with JSON. */
async function call(client: SingleServerMCPClient, tool: string, options?: CallToolOptions): Promise<unknown> {
  return await client.callTool(tool, {}, options);
}

Deno.test("SingleServerMCPClient.callTool() runs a legacy task to each of its ends, with one execution", async () => {
  const tools: readonly TaskTool[] = [
    {
      name: "completed",
      run: async ({ say }) => {
        await say("working on it");
        return textResult("done");
      },
    },
    {
      name: "failed",
      run: async ({ fail }) => {
        await fail({ ...textResult("no"), isError: true });
        return undefined;
      },
    },
    { name: "broken", run: ({ fail }) => fail().then(() => undefined) },
    { name: "cancelled", run: ({ cancel }) => cancel().then(() => undefined) },
    { name: "optional", taskSupport: "optional", run: () => Promise.resolve(textResult("at once")) },
  ];
  await using server = startTaskServer(tools);
  await using client = createClient(server.url);
  await client.connect();
  const told: Progress[] = [];
  const onProgress = (progress: Progress) => void told.push(progress);
  assertEquals(await call(client, "completed", { onProgress }), textResult("done"));
  assertEquals(told.map(({ message }) => message), ["working on it"]);
  assertEquals(await call(client, "failed"), { ...textResult("no"), isError: true });
  assertEquals((await failureOf(() => client.callTool("broken"), "upstream_error")).rpcCode, -32603);
  await failureOf(() => client.callTool("cancelled"), "task_failed");
  const plain = server.count("tasks/get");
  assertEquals(textOf(await client.callTool("optional")), "at once");
  assertEquals([server.count("tasks/get"), server.count("tasks/cancel")], [plain, 0]);
  assertEquals(Object.fromEntries(server.executions), {
    completed: 1,
    failed: 1,
    broken: 1,
    cancelled: 1,
    optional: 1,
  });
});

Deno.test("SingleServerMCPClient.callTool() answers a legacy task on the stream of its result", async () => {
  const ask: TaskTool["run"] = async (task) => textResult(`Hello, ${await task.ask("Who are you?")}`);
  await using server = startTaskServer([{ name: "greet", run: ask }]);
  const input = { onElicit: () => ({ action: "accept" as const, content: { name: "Ada" } }) };
  await using client = createClient(server.url, { input });
  await client.connect();
  assertEquals(textOf(await client.callTool("greet")), "Hello, Ada");
  assertEquals([server.executions.get("greet"), server.count("tasks/result")], [1, 1]);
});

Deno.test("SingleServerMCPClient.callTool() cancels a legacy task when its caller leaves or its time is over", async () => {
  await using server = startTaskServer([{ name: "endless", run: noop }]);
  await using client = createClient(server.url);
  await client.connect();
  const caller = new AbortController();
  const reason = new Error("The caller's reason");
  const outcome = codeOf(client.callTool("endless", {}, { signal: caller.signal }));
  await until(() => server.count("tasks/get") > 0);
  caller.abort(reason);
  assertEquals(await outcome, reason);
  const error = await failureOf(() => client.callTool("endless", {}, { timeoutMs: 150 }), "deadline_exceeded");
  assertEquals(error.retryable, false);
  await until(() => server.statuses().join() === "cancelled,cancelled");
  assertEquals([server.count("tasks/cancel"), server.executions.get("endless")], [2, 2]);
  await until(() => server.openStreams() === 0);
});

Deno.test("SingleServerMCPClient.callTool() does not blame the transport for a task that waits for an answer", async () => {
  const ask: TaskTool["run"] = async (task) => textResult(await task.ask("Who are you?"));
  await using server = startTaskServer([{ name: "greet", run: ask }]);
  const input = { onElicit: () => new Promise<never>(() => {}) };
  await using client = new SingleServerMCPClient("files", { url: server.url, timeoutMs: 800 }, { input });
  await client.connect();
  const calls = [1, 2, 3].map(() => codeOf(client.callTool("greet")));
  assertEquals(await Promise.all(calls), ["deadline_exceeded", "deadline_exceeded", "deadline_exceeded"]);
  assertEquals([server.count("tasks/result"), client.getStatus().breaker], [3, "closed"]);
  await until(() => server.count("tasks/cancel") === 3 && server.openStreams() <= 1);
});

Deno.test("SingleServerMCPClient.close() ends a call whose task is under way, and frees everything", async () => {
  for (const modern of [true, false]) {
    await using server = modern
      ? startModernTaskServer({ states: [{ status: "working" }] })
      : startTaskServer([{ name: "slow", run: noop }]);
    const client = createClient(server.url);
    await client.connect();
    const outcome = codeOf(client.callTool("slow"));
    await until(() => server.count("tasks/get") > 0);
    await client.close();
    assertEquals(await outcome, "closed");
    assertEquals([server.count("tools/call"), server.count("tasks/cancel")], [1, 1]);
  }
});

Deno.test("SingleServerMCPClient.callTool() rejects with task_failed when a legacy server has forgotten the task", async () => {
  await using server = startTaskServer([{ name: "endless", run: noop }]);
  await using client = createClient(server.url);
  await client.connect();
  const outcome = codeOf(client.callTool("endless"));
  await until(() => server.count("tools/call") === 1 && server.statuses().length === 1);
  server.forgetTasks();
  assertEquals([await outcome, server.executions.get("endless")], ["task_failed", 1]);
});

Deno.test("SingleServerMCPClient.callTool() rejects with task_required, nothing sent, when the server runs no tasks", async () => {
  const tool: JsonValue = { name: "slow", inputSchema: { type: "object" }, execution: { taskSupport: "required" } };
  await using server = startRawServer({}, { tools: [tool] });
  await using client = createClient(server.url);
  await client.connect();
  await failureOf(() => client.callTool("slow"), "task_required");
  assertEquals([server.count("tools/call"), client.getStatus().breaker], [0, "closed"]);
});

Deno.test("SingleServerMCPClient.callTool() runs the reference server's task and answers what it asks", async () => {
  await using server = await startEverything("streamableHttp");
  const asked: string[] = [];
  const told: (string | undefined)[] = [];
  await using client = createClient(server.url, {
    input: {
      onElicit: ({ message }) => {
        asked.push(message);
        return { action: "accept", content: { interpretation: "snake" } };
      },
    },
  });
  await client.connect();
  const result = await client.callTool("simulate-research-query", { topic: "python", ambiguous: true }, {
    onProgress: ({ message }) => void told.push(message),
  });
  assertStringIncludes(String(textOf(result)), "python (snake)");
  assertEquals([asked.length, told.length > 0], [1, true]);
});

Deno.test("SingleServerMCPClient.callTool() runs a modern task to each of its ends, routed by its id", async () => {
  const error = { code: -32603, message: "words of the server" };
  const failed = { ...DONE, isError: true };
  const cases: readonly (readonly [JsonObject, unknown, JsonObject?])[] = [
    [{ status: "completed", result: DONE }, DONE],
    [{ status: "completed", result: failed }, failed],
    [{ status: "completed", result: DONE }, DONE, { status: "completed" }],
    [{ status: "failed", error }, "upstream_error"],
    [{ status: "failed", error: {} }, "task_failed"],
    [{ status: "cancelled" }, "task_failed"],
  ];
  for (const [last, expected, seed] of cases) {
    await using server = startModernTaskServer({ states: [{ status: "working" }, last], ...(seed && { seed }) });
    await using client = createClient(server.url);
    await client.connect();
    const outcome = await client.callTool("slow").catch((error) => error);
    if (outcome instanceof MCPError) {
      assertEquals(outcome.code, expected);
      assertFalse(outcome.message.includes("words") || outcome.message.includes(TASK_ID));
    } else assertEquals(outcome, expected);
    assertEquals([server.count("tools/call"), server.count("tasks/get"), server.count("tasks/cancel")], [1, 2, 0]);
  }
});

Deno.test("SingleServerMCPClient.callTool() answers a modern task by tasks/update", async () => {
  const params = { mode: "form", message: "Who?", requestedSchema: { type: "object", properties: {} } };
  const inputRequests = { name: { method: "elicitation/create", params } };
  const open = { status: "input_required", inputRequests };
  await using server = startModernTaskServer({ states: [open, open, { status: "completed", result: DONE }] });
  let asked = 0;
  const onElicit = () => {
    asked++;
    return { action: "accept" as const, content: { name: "Ada" } };
  };
  await using client = createClient(server.url, { input: { onElicit } });
  assertEquals(await call(client, "slow"), DONE);
  assertEquals([asked, server.count("tools/call"), server.count("tasks/update")], [1, 1, 1]);
  const [update] = paramsOf(server, "tasks/update");
  assertEquals(update?.inputResponses, { name: { action: "accept", content: { name: "Ada" } } });
});

Deno.test("SingleServerMCPClient.callTool() cancels a modern task once when its caller leaves or its time is over", async () => {
  await using server = startModernTaskServer({ states: [{ status: "working" }] });
  await using client = createClient(server.url);
  await client.connect();
  const caller = new AbortController();
  const reason = new Error("The caller's reason");
  const rejection = assertRejects(() => client.callTool("slow", {}, { signal: caller.signal }));
  await until(() => server.count("tasks/get") > 0);
  caller.abort(reason);
  assertEquals(await rejection, reason);
  await failureOf(() => client.callTool("slow", {}, { timeoutMs: 150 }), "deadline_exceeded");
  await until(() => server.count("tasks/cancel") === 2 && server.openStreams() === 0);
  assertEquals([server.count("tools/call"), client.getStatus().breaker], [2, "closed"]);
});

Deno.test("SingleServerMCPClient.callTool() sends a call once although questions about its task are lost", async () => {
  const completed = answer({ resultType: "complete", taskId: TASK_ID, status: "completed", result: DONE });
  const instead = { "tasks/get": sequence(status(503), drop, rpcError(-32603, "words of the server"), completed) };
  await using server = startModernTaskServer({ states: [{}], instead });
  await using client = createClient(server.url);
  assertEquals(await call(client, "slow"), DONE);
  assertEquals([server.count("tools/call"), server.count("tasks/get")], [1, 4]);
});

Deno.test("SingleServerMCPClient.callTool() gets a plain result from a modern server without the extension", async () => {
  await using server = startModernTaskServer({ states: [{ status: "working" }], declared: false });
  await using client = createClient(server.url);
  await client.connect();
  assertEquals(textOf(await client.callTool("slow")), "at once");
  assertEquals(server.count("tasks/get"), 0);
});
