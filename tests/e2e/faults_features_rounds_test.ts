/** Servers that have a request sent again and again, or turn it into a task that goes wrong. */

import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import type { Elicitation, InputHandlers, MCPErrorCode } from "@portolan/mcp";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { answer, type Behaviour, rpcError } from "../support/behaviours.ts";
import { CANARY, failureOf } from "../support/client_support.ts";
import { modernScript } from "../support/modern_script.ts";
import { EVERYTHING, featureTest, gapsOf, offering, timesOf } from "./_feature_case.ts";
import { faultTest } from "./_fault_case.ts";

const MAX_ROUNDS = 10;
const SLOW: JsonObject = {
  name: "slow",
  inputSchema: { type: "object" },
  execution: { taskSupport: "required" },
};
const FORM: JsonObject = {
  method: "elicitation/create",
  params: { message: "Name?", requestedSchema: { type: "object" } },
};
const page = (url: string): JsonObject => ({ mode: "url", message: "Visit", url, elicitationId: "e" });

/** Handlers that accept everything and keep what they were asked. */
function accepting() {
  const asked: Elicitation[] = [];
  const input: InputHandlers = { onElicit: (elicitation) => (asked.push(elicitation), { action: "accept" }) };
  return { asked, input };
}

function required(inputRequests: JsonValue | undefined, requestState?: JsonValue): JsonObject {
  return {
    resultType: "input_required",
    ...(inputRequests === undefined ? {} : { inputRequests }),
    ...(requestState === undefined ? {} : { requestState }),
  };
}

function many(count: number): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, key) => [`k${key}`, FORM]));
}

/** Rounds of a modern server, the code, how often it is asked at most, and how often the person is. */
const ROUNDS: readonly (readonly [string, JsonObject, MCPErrorCode, number, number])[] = [
  ["questions for ever", required({ a: FORM }, "s"), "input_required", 1 + MAX_ROUNDS, MAX_ROUNDS],
  ["no question and no state", required(undefined), "bad_response", 1, 0],
  ["questions that are a list", required([FORM]), "bad_response", 1, 0],
  ["a state that is no text", required({ a: FORM }, { a: 1 }), "bad_response", 1, 0],
  ["a question that is none", required({ a: "Name?" }), "bad_response", 1, 0],
  ["a question by an unknown method", required({ a: { method: CANARY, params: {} } }), "input_required", 1, 0],
  ["1,000 questions", required(many(1_000)), "too_large", 1, 0],
  ["a state of 1 MB", required({ a: FORM }, "s".repeat(1e6)), "too_large", 1, 0],
  ["a javascript: URL", required({ a: { ...FORM, params: page("javascript:alert(1)") } }), "input_required", 1, 0],
  ["a file: URL", required({ a: { ...FORM, params: page("file:///etc/passwd") } }), "input_required", 1, 0],
];

for (const [what, result, code, mostSent, mostAsked] of ROUNDS) {
  faultTest(
    `F42 input_required with ${what}: ${code}`,
    modernScript({ "tools/call": answer(result) }),
    async ({ call, faulty }) => {
      const { asked, input } = accepting();
      await failureOf(() => call("hi", { input }), code);
      assertEquals([faulty.count("tools/call"), asked.length], [mostSent, mostAsked]);
    },
  );
}

/** Rounds in which nobody is asked anything. */
const PUT_OFF: Readonly<Record<string, JsonObject>> = {
  "only a state": required(undefined, "s"),
  "no question at all": required({}),
  "no question and a state": required({}, "s"),
};

for (const [what, result] of Object.entries(PUT_OFF)) {
  faultTest(
    `F42 input_required with ${what} for ever: asked again ever more slowly, up to the deadline`,
    modernScript({ "tools/call": answer(result) }),
    async ({ call, faulty }) => {
      await failureOf(() => call("hi", { timeoutMs: 1_000 }), "deadline_exceeded");
      const gaps = gapsOf(timesOf(faulty, "tools/call"));
      assertLessOrEqual(gaps.length, 3);
      for (const [round, gapMs] of gaps.entries()) assertGreaterOrEqual(gapMs, 100 * 2 ** round - 10);
    },
  );
}

for (const method of ["tools/list", "resources/list", "prompts/list", "completion/complete"]) {
  faultTest(`F42 input_required to ${method}: bad_response, asked once, the person not at all`, {
    ...modernScript({ [method]: answer(required({ a: FORM }, "s")) }),
    "server/discover": answer({
      resultType: "complete",
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} },
    }),
  }, async ({ client, faulty }) => {
    if (method === "tools/list") await client.connectToServers();
    if (method === "resources/list") await client.listResources();
    if (method === "prompts/list") await client.listPrompts();
    if (method === "completion/complete") {
      const reference = { type: "ref/prompt", name: "p" } as const;
      const options = { server: "faulty", ...accepting() };
      await failureOf(() => client.complete(reference, { name: "a", value: "" }, options), "bad_response");
      assertEquals(options.asked, []);
    } else {
      assertEquals(client.getConnectionStatus().faulty?.lastError?.code, "bad_response");
    }
    assertEquals(faulty.count(method), 1);
  });
}

const elicitations = (...list: readonly JsonValue[]): Behaviour =>
  rpcError(-32042, CANARY, { elicitations: [...list] });

/** What a legacy server wants visited, the code, and how often the call is sent and the person asked. */
const VISITS: readonly (readonly [string, Behaviour, MCPErrorCode, number, number])[] = [
  ["a page for ever", elicitations(page("https://a.example/")), "input_required", 1 + MAX_ROUNDS, MAX_ROUNDS],
  ["a javascript: page", elicitations(page("javascript:alert(1)")), "input_required", 1, 0],
  ["a file: page", elicitations(page("file:///etc/passwd")), "input_required", 1, 0],
  ["a page without a scheme", elicitations(page("a.example")), "input_required", 1, 0],
  ["1,000 pages", elicitations(...Array(1_000).fill(page("https://a.example/"))), "too_large", 1, 0],
  ["no page", elicitations(), "bad_response", 1, 0],
  ["what is no page", elicitations("https://a.example/", null, 7), "bad_response", 1, 0],
  ["nothing at all", rpcError(-32042, CANARY), "bad_response", 1, 0],
];

for (const [what, behaviour, code, sent, mostAsked] of VISITS) {
  featureTest(`F42 -32042 with ${what}: ${code}`, { "tools/call": behaviour }, async ({ call, faulty }) => {
    const { asked, input } = accepting();
    await failureOf(() => call("hi", { input }), code);
    assertEquals([faulty.count("tools/call"), asked.length], [sent, mostAsked]);
  });
}

/** Answers of a legacy server that look like those of a modern one: the tool has run. */
const DISGUISED: readonly JsonObject[] = [
  required({ a: FORM }, "s"),
  required(undefined, "s"),
  { ...required({}), isRefusal: true },
  { resultType: "task", taskId: "t1", status: "working" },
];

for (const result of DISGUISED) {
  featureTest(`F42 a legacy server answers a call with ${JSON.stringify(result)}: the call is not sent again`, {
    "tools/call": answer(result),
  }, async ({ call, faulty }) => {
    const { asked, input } = accepting();
    await failureOf(() => call("hi", { input }), "bad_response");
    assertEquals([faulty.count("tools/call"), asked.length], [1, 0]);
  });

  featureTest(`F42 a legacy task ends with ${JSON.stringify(result)}: the call is not sent again`, {
    initialize: offering({ ...EVERYTHING, tasks: { requests: { tools: { call: {} } }, cancel: {} } }),
    "tools/list": answer({ tools: [SLOW] }),
    "tools/call": answer({ task: { taskId: "t1", status: "completed" } }),
    "tasks/get": answer({ taskId: "t1", status: "completed" }),
    "tasks/result": answer(result),
  }, async ({ client, faulty }) => {
    const { asked, input } = accepting();
    await client.connectToServers();
    await failureOf(() => client.callTool("faulty__slow", {}, { input }), "bad_response");
    assertEquals([faulty.count("tools/call"), asked.length], [1, 0]);
  });
}
