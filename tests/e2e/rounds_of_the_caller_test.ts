/** Rounds whose questions the caller answers: `round` of a request, against servers of both eras. */

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  type CallToolOptions,
  type FeatureClient,
  type InputHandlers,
  InputRequiredError,
  type InputRound,
  type JsonObject,
  type JsonValue,
  type MCPErrorCode,
  MultiServerMCPClient,
  type ReadOptions,
  SharedConnections,
  SingleServerMCPClient,
} from "@portolan/mcp";
import { intercept, resultCache, retryPolicy } from "@portolan/mcp/interceptors";
import { answer, type Behaviour, rpcError, sequence } from "../support/behaviours.ts";
import { assertNoCanary, CANARY, failureOf, textOf } from "../support/client_support.ts";
import { startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernFeaturesServer } from "../support/modern_features_server.ts";
import { modernScript, refusal } from "../support/modern_script.ts";
import { paramsOf, startModernTaskServer, TASK_ID } from "../support/task_server_modern.ts";
import { textResult } from "../support/test_tools.ts";

const CAPABILITIES: JsonObject = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const FIRST: InputRound = { capabilities: CAPABILITIES };
const FORM: JsonObject = { method: "elicitation/create", params: { message: "Name?", requestedSchema: {} } };
const ACCEPTED: JsonObject = { action: "accept", content: { port: "Genoa" } };

/** The questions that a request rejects with. */
async function askedBy(work: () => Promise<unknown>): Promise<InputRequiredError> {
  const error = await assertRejects(work, InputRequiredError);
  assertEquals([error.code, error.retryable, error.name], ["input_required", false, "InputRequiredError"]);
  assertNoCanary(error);
  return error;
}

/** The round after questions, all of them accepted. */
function next({ inputRequests = {}, requestState }: InputRequiredError): InputRound {
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, ACCEPTED]));
  return { ...FIRST, inputResponses, requestState };
}

function required(inputRequests?: JsonValue, requestState?: JsonValue): JsonObject {
  return {
    resultType: "input_required",
    ...(inputRequests === undefined ? {} : { inputRequests }),
    ...(requestState === undefined ? {} : { requestState }),
  };
}

function said(text: string): JsonObject {
  return { content: [{ type: "text", text }] };
}

/** Handlers that must not be turned to. */
function createHandlers() {
  const asked: string[] = [];
  const input: InputHandlers = { onElicit: ({ message }) => (asked.push(message), { action: "accept", content: {} }) };
  return { asked, input };
}

Deno.test("callTool() with a round hands the questions of a real modern server to the caller", async (t) => {
  await using server = startModernFeaturesServer();
  const config = { servers: { features: { url: server.url } } };
  const connections = new SharedConnections();
  const { asked, input } = createHandlers();
  await using single = new SingleServerMCPClient("features", { url: server.url }, { input });
  await using multi = new MultiServerMCPClient("Kairos", config, { input });
  await using shared = new MultiServerMCPClient("Mercurius", config, { connections });
  await using sharing = new MultiServerMCPClient("Hermes", config, { connections });
  await sharing.connectToServers();
  const doors: readonly (readonly [string, FeatureClient])[] = [
    ["SingleServerMCPClient", single],
    ["MultiServerMCPClient", multi],
    ["MultiServerMCPClient of a shared connection", shared],
  ];
  for (const [what, client] of doors) {
    await t.step(`${what} sends once, and once more with the answers`, async () => {
      const before = server.count("tools/call");
      const call = (round: InputRound) => client.callTool("ask_form", { about: "salt" }, { round, input });
      const error = await askedBy(() => call(FIRST));
      assertEquals([error.server, server.count("tools/call") - before], ["features", 1]);
      const { asked: question } = error.inputRequests as { readonly asked: JsonObject };
      assertEquals([question.method, (question.params as JsonObject).message], ["elicitation/create", "salt"]);
      const { kind, content } = JSON.parse(String(textOf(await call(next(error)))));
      assertEquals([kind, content.port, server.count("tools/call") - before], ["elicit", "Genoa", 2]);
    });

    await t.step(`${what} sends the state of each round back`, async () => {
      const call = (round: InputRound) => client.callTool("ask_often", { rounds: 3 }, { round });
      let error = await askedBy(() => call(FIRST));
      for (let rounds = 1; rounds < 3; rounds++) error = await askedBy(() => call(next(error)));
      assertEquals(textOf(await call(next(error))), "Genoa → Genoa → Genoa");
    });

    await t.step(`${what} gets a prompt in rounds`, async () => {
      const get = (round: InputRound) => client.getPrompt("question", {}, { round });
      const { messages } = await get(next(await askedBy(() => get(FIRST))));
      assertEquals(messages[0]?.content, { type: "text", text: "Sail to Genoa" });
    });
  }

  await t.step("MultiServerMCPClient.callToolRouted() hands them over too", async () => {
    const call = (round: InputRound) => multi.callToolRouted("ask_all", {}, { round });
    const error = await askedBy(() => call(FIRST));
    assertEquals(Object.keys(error.inputRequests ?? {}).sort(), ["form", "model", "roots"]);
  });

  assertEquals(asked, [], "no handler is turned to");
});

Deno.test("readResource() with a round hands questions over, and goes on with the answers", async () => {
  const contents = [{ uri: "files://a", text: "a" }];
  await using server = startRawServer(modernScript({
    "resources/list": answer({ resources: [{ uri: "files://a", name: "a" }] }),
    "resources/read": sequence(
      answer(required({ [CANARY]: FORM }, CANARY)),
      answer({ resultType: "complete", contents }),
      refusal(400, -32602),
    ),
  }));
  await using client = new MultiServerMCPClient("Kairos", { servers: { files: { url: server.url } } });
  const read = (round: InputRound) => client.readResource("files://a", { round, server: "files" });
  const error = await askedBy(() => read(FIRST));
  assertEquals([error.inputRequests, error.requestState], [{ [CANARY]: FORM }, CANARY]);
  assertEquals((await read(next(error))).contents, contents);
  const [, second] = paramsOf(server, "resources/read");
  assertEquals([second?.inputResponses, second?.requestState], [{ [CANARY]: ACCEPTED }, CANARY]);
  // What is refused after an answer may be the answer.
  await failureOf(() => read({ ...FIRST, requestState: "old" }), "upstream_error");
});

Deno.test("A request with a round declares what the caller can answer, in place of what handlers can", async () => {
  await using server = startModernFeaturesServer();
  const { input } = createHandlers();
  await using client = new SingleServerMCPClient("features", { url: server.url }, { input });
  const declaredWith = async (options: CallToolOptions & ReadOptions, prompt = false) => {
    await (prompt ? client.getPrompt("question", {}, options) : client.callTool("add", { a: 1, b: 1 }, options))
      .catch(() => {});
    const { params } = server.requests.at(-1)!.body as { readonly params: { readonly _meta: JsonObject } };
    const { extensions: _, ...capabilities } = params._meta["io.modelcontextprotocol/clientCapabilities"] as JsonObject;
    return capabilities;
  };
  const round: InputRound = { capabilities: { sampling: { tools: {} }, elicitation: { url: {} } } };
  assertEquals(await declaredWith({ round }), round.capabilities);
  assertEquals(await declaredWith({ round, input }), round.capabilities);
  assertEquals(await declaredWith({ round }, true), round.capabilities);
  assertEquals(await declaredWith({ round: { capabilities: {} } }), {});
  assertEquals(Object.keys(await declaredWith({})), ["elicitation"]);
});

const page = (url: string): JsonObject => ({ ...FORM, params: { mode: "url", message: "Visit", url } });
const model = (more: JsonObject = {}): JsonObject => ({
  method: "sampling/createMessage",
  params: { messages: [], maxTokens: 1, ...more },
});

/** What is asked, what the caller can answer, and the code; none where it is handed over. */
const QUESTIONS: readonly (readonly [string, JsonObject, JsonObject, MCPErrorCode | undefined])[] = [
  ["nothing, with a state", required(undefined, "s"), {}, undefined],
  ["an empty round", required({}), {}, undefined],
  ["a form", required({ a: FORM }), { elicitation: {} }, undefined],
  ["a form of who shows pages", required({ a: FORM }), { elicitation: { url: {} } }, "input_required"],
  ["a page", required({ a: page("https://a.example/") }), CAPABILITIES, undefined],
  ["a page of who fills in forms", required({ a: page("https://a.example/") }), { elicitation: {} }, "input_required"],
  ["a javascript: page", required({ a: page("javascript:alert(1)") }), CAPABILITIES, "input_required"],
  ["a model", required({ a: model() }), { sampling: {} }, undefined],
  ["a model with tools", required({ a: model({ tools: [] }) }), { sampling: { tools: {} } }, undefined],
  ["a model with tools of who has none", required({ a: model({ tools: [] }) }), { sampling: {} }, "input_required"],
  ["roots", required({ a: { method: "roots/list" } }), { roots: {} }, undefined],
  ["roots of who has none", required({ a: { method: "roots/list" } }), { sampling: {} }, "input_required"],
  ["one of two that can be answered", required({ a: FORM, b: model() }), { elicitation: {} }, "input_required"],
  ["an unknown method", required({ a: { method: CANARY, params: {} } }), CAPABILITIES, "input_required"],
  ["a method of every object", required({ a: { method: "toString" } }), CAPABILITIES, "input_required"],
  ["no question and no state", required(), CAPABILITIES, "bad_response"],
  ["a list", required([FORM]), CAPABILITIES, "bad_response"],
  ["what is none", required({ a: "Name?" }), CAPABILITIES, "bad_response"],
  ["parameters that are none", required({ a: { ...FORM, params: [] } }), CAPABILITIES, "bad_response"],
  ["a state that is no text", required({ a: FORM }, { a: 1 }), CAPABILITIES, "bad_response"],
  ["a state of 1 MB", required({ a: FORM }, "s".repeat(1e6)), CAPABILITIES, "too_large"],
  [
    "1,000 questions",
    required(Object.fromEntries(Array.from({ length: 1_000 }, (_, key) => [`k${key}`, FORM]))),
    CAPABILITIES,
    "too_large",
  ],
];

for (const [what, result, capabilities, code] of QUESTIONS) {
  Deno.test(`callTool() with a round that is asked ${what}: ${code ?? "handed over"}, sent once`, async () => {
    await using server = startRawServer(modernScript({ "tools/call": answer(result) }));
    await using client = new SingleServerMCPClient("files", { url: server.url });
    const call = () => client.callTool("echo", {}, { round: { capabilities } });
    if (code === undefined) {
      const { inputRequests, requestState } = await askedBy(call);
      assertEquals([inputRequests, requestState], [result.inputRequests, result.requestState]);
    } else {
      const error = await failureOf(call, code);
      assertEquals(error instanceof InputRequiredError, false);
    }
    assertEquals(server.count("tools/call"), 1);
  });
}

Deno.test("callTool() with a round at a legacy server passes the round over, and input answers", async (t) => {
  const { asked, input } = createHandlers();
  const round: InputRound = { ...FIRST, inputResponses: { a: ACCEPTED }, requestState: "s" };

  await t.step("what a real server asks beside the call", async () => {
    await using server = await startMCPServer({
      configure: (mcp) => {
        const requestedSchema = { type: "object" as const, properties: {} };
        mcp.registerTool("ask", {}, async () => {
          const { action } = await mcp.server.elicitInput({ message: "Sure?", requestedSchema });
          return textResult(action);
        });
      },
    });
    await using client = new SingleServerMCPClient("files", { url: server.url });
    assertEquals(textOf(await client.callTool("ask", {}, { input, round })), "accept");
    const [params] = paramsOf(server, "tools/call");
    assertEquals([params?.inputResponses, params?.requestState], [undefined, undefined]);
    assertEquals(asked.splice(0), ["Sure?"]);
  });

  await t.step("a page that it wants visited first", async () => {
    const wanted: Behaviour = rpcError(-32042, "Visit", {
      elicitations: [{ mode: "url", message: "Pay", url: "https://a.example/", elicitationId: "e" }],
    });
    await using server = startRawServer({ "tools/call": sequence(wanted, answer(said("paid"))) });
    await using client = new SingleServerMCPClient("files", { url: server.url });
    assertEquals(textOf(await client.callTool("echo", {}, { input, round })), "paid");
    assertEquals([asked.splice(0), server.count("tools/call")], [["Pay"], 2]);
  });
});

Deno.test("MultiServerMCPClient sends answers to no other server than the one that asked", async () => {
  const tools = { tools: [{ name: "book", inputSchema: { type: "object" } }], ttlMs: 0 };
  const clock = { nowMs: 1_000_000 };
  await using asking = startRawServer(modernScript({
    "tools/list": sequence(answer(tools), answer({ tools: [{ ...tools.tools[0]!, name: "x" }] })),
    "tools/call": sequence(answer(required({ a: FORM }, "s")), refusal(400, -32602)),
    "prompts/list": sequence(answer({ prompts: [{ name: "plan" }], ttlMs: 0 }), answer({ prompts: [{ name: "x" }] })),
    "prompts/get": sequence(answer(required({ a: FORM }, "s")), refusal(400, -32602)),
    "server/discover": answer({
      resultType: "complete",
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {}, prompts: {} },
    }),
  }));
  await using other = startRawServer(modernScript({
    "tools/list": answer(tools),
    "tools/call": answer(said("other")),
    "prompts/list": answer({ prompts: [{ name: "plan" }] }),
    "prompts/get": answer({ messages: [] }),
    "server/discover": answer({
      resultType: "complete",
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {}, prompts: {} },
    }),
  }));
  const servers = { asking: { url: asking.url }, other: { url: other.url } };
  await using client = new MultiServerMCPClient("Kairos", { servers }, { now: () => clock.nowMs });
  await client.connectToServers();
  await client.listPrompts();
  const call = (round: InputRound) => client.callTool("book", {}, { round });
  const get = (round: InputRound) => client.getPrompt("plan", {}, { round });
  const [ofTool, ofPrompt] = [await askedBy(() => call(FIRST)), await askedBy(() => get(FIRST))];
  clock.nowMs += 60_000;
  assertEquals((await failureOf(() => call(next(ofTool)), "upstream_error")).server, "asking");
  assertEquals((await failureOf(() => get(next(ofPrompt)), "upstream_error")).server, "asking");
  assertEquals([other.count("tools/call"), other.count("prompts/get")], [0, 0]);
});

Deno.test("callTool() with a round hands the questions of a modern task over, and goes on with the task", async () => {
  const inputRequests = { a: FORM };
  const states: JsonObject[] = [
    { status: "input_required", inputRequests },
    { status: "input_required", inputRequests: { ...inputRequests, b: FORM } },
    { status: "working" },
    { status: "completed", result: said("done") },
  ];
  await using server = startModernTaskServer({ states });
  const { asked, input } = createHandlers();
  await using client = new SingleServerMCPClient("files", { url: server.url }, { input });
  const call = (round: InputRound) => client.callTool("slow", {}, { round });
  const first = await askedBy(() => call(FIRST));
  assertEquals([first.inputRequests, server.count("tasks/cancel")], [inputRequests, 0]);
  const second = await askedBy(() => call(next(first)));
  assertEquals(second.inputRequests, { b: FORM });
  assertEquals(textOf(await call(next(second))), "done");
  assertEquals(asked, []);
  assertEquals([server.count("tools/call"), server.count("tasks/cancel")], [1, 0]);
  const updates = paramsOf(server, "tasks/update");
  assertEquals(updates.map(({ inputResponses }) => inputResponses), [{ a: ACCEPTED }]);
  for (const { _meta } of [...paramsOf(server, "tasks/get"), ...updates]) {
    const declared = (_meta as JsonObject)["io.modelcontextprotocol/clientCapabilities"] as JsonObject;
    assertEquals(Object.keys(declared).sort(), ["elicitation", "extensions", "roots", "sampling"]);
  }
});

Deno.test("callTool() with the state of a task that is gone, or of none, rejects and calls nothing", async () => {
  await using server = startModernTaskServer({ states: [-32602] });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const call = (requestState: string) => client.callTool("slow", {}, { round: { ...FIRST, requestState } });
  await failureOf(() => call(`portolan.task:${JSON.stringify([TASK_ID])}`), "task_failed");
  assertEquals(server.count("tools/call"), 0);
  await using legacy = startRawServer({});
  await using other = new SingleServerMCPClient("legacy", { url: legacy.url });
  const round: InputRound = { ...FIRST, requestState: `portolan.task:${JSON.stringify([TASK_ID])}` };
  await failureOf(() => other.callTool("slow", {}, { round }), "task_failed");
  assertEquals(legacy.count("tools/call"), 0);
});

Deno.test("intercept() passes rounds on: nothing keeps or repeats what was asked", async () => {
  await using server = startModernFeaturesServer();
  await using single = new SingleServerMCPClient("features", { url: server.url });
  const cache = resultCache({ tools: ["ask_form"], reads: true, clearOnCall: false });
  const waits: number[] = [];
  const retry = retryPolicy({ retryOn: () => true, delay: (ms) => Promise.resolve(void waits.push(ms)) });
  const client = intercept(single, [cache, retry]);
  const call = (round?: InputRound) => client.callTool("ask_form", { about: "salt" }, { round });
  const get = (round: InputRound) => client.getPrompt("question", {}, { round });
  const [ofTool, again] = [await askedBy(() => call(FIRST)), await askedBy(() => call(FIRST))];
  assertInstanceOf(again, InputRequiredError);
  assertEquals(server.count("tools/call"), 2);
  await call(next(ofTool));
  await get(next(await askedBy(() => get(FIRST))));
  assertEquals([cache.size, waits, server.count("tools/call"), server.count("prompts/get")], [0, [], 3, 2]);
});
