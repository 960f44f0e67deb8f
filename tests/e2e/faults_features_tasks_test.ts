/** Servers that turn a call into a task and make the worst of it: whatever they say, the call is sent once. */

import { assertEquals, assertFalse, assertLessOrEqual } from "@std/assert";
import type { Elicitation, MCPErrorCode } from "@portolan/mcp";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/protocol.ts";
import {
  answer,
  type Behaviour,
  drop,
  gzipBomb,
  hang,
  htmlPage,
  oversizeJson,
  rpcError,
  sequence,
  sessionGone,
  status,
} from "../support/behaviours.ts";
import { CANARY, failureOf, textOf, until } from "../support/client_support.ts";
import type { RawServerScript } from "../support/fault_server.ts";
import { modernScript } from "../support/modern_script.ts";
import { EVERYTHING, features, offering } from "./_feature_case.ts";
import { faultTest } from "./_fault_case.ts";

const MIB = 1024 * 1024;
const SLOW: JsonObject = { name: "slow", inputSchema: { type: "object" }, execution: { taskSupport: "required" } };
const TASKS: JsonObject = { requests: { tools: { call: {} } }, cancel: {} };
const EXTENSION: JsonObject = { extensions: { "io.modelcontextprotocol/tasks": {} } };
const DONE: JsonObject = { content: [{ type: "text", text: "done" }] };
const FORM: JsonObject = {
  method: "elicitation/create",
  params: { message: "Name?", requestedSchema: { type: "object" } },
};

function state(status: JsonValue, more: JsonObject = {}): JsonObject {
  return { taskId: "t1", status, pollInterval: 0, pollIntervalMs: 0, ...more };
}

/** A server of one era whose call becomes a task. */
const ERAS = {
  legacy: (seed: JsonObject): RawServerScript => ({
    ...features(),
    initialize: offering({ ...EVERYTHING, tasks: TASKS }),
    "tools/list": answer({ tools: [SLOW] }),
    "tools/call": answer({ task: seed }),
    "tasks/get": answer(state("completed")),
    "tasks/result": answer(DONE),
    "tasks/cancel": answer({}),
  }),
  modern: (seed: JsonObject): RawServerScript => ({
    ...modernScript(),
    "server/discover": answer({
      resultType: "complete",
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {}, ...EXTENSION },
    }),
    "tools/list": answer({ resultType: "complete", tools: [SLOW] }),
    "tools/call": answer({ ...seed, resultType: "task" }),
    "tasks/get": answer(state("completed", { result: DONE })),
    "tasks/update": answer({}),
    "tasks/cancel": answer({}),
  }),
} as const;
type Era = keyof typeof ERAS;

/** What is asked of the task, what comes of the call, and how often the server is asked and told at most. */
interface Row {
  readonly what: string;
  readonly eras?: readonly Era[];
  readonly seed?: JsonObject;
  readonly script?: RawServerScript;
  readonly outcome: MCPErrorCode | "done";
  readonly timeoutMs?: number;
  readonly mostAsked?: number;
}

const getting = (behaviour: Behaviour): RawServerScript => ({ "tasks/get": behaviour });
const LONG = "t".repeat(MIB);

const ROWS: readonly Row[] = [
  { what: "an id that is empty", seed: state("working", { taskId: "" }), outcome: "bad_response" },
  { what: "an id that is a number", seed: state("working", { taskId: 7 }), outcome: "bad_response" },
  { what: "an id that is an object", seed: state("working", { taskId: { a: 1 } }), outcome: "bad_response" },
  { what: "an id of 1 MB", seed: state("working", { taskId: LONG }), outcome: "bad_response" },
  { what: "no id", seed: { status: "working" }, outcome: "bad_response" },
  { what: "a status that is none", seed: state(CANARY), outcome: "bad_response" },
  { what: "a status that is none later", script: getting(answer(state("toString"))), outcome: "bad_response" },
  {
    what: "a task of another call",
    script: getting(answer(state("completed", { taskId: "t2" }))),
    outcome: "bad_response",
  },
  { what: "a state that is no object", script: getting(answer("completed")), outcome: "bad_response" },
  {
    what: "states that go backwards",
    script: getting(sequence(answer(state("working")), answer(state("working")), answer(state("cancelled")))),
    outcome: "task_failed",
  },
  {
    what: "an end at once that says so only there",
    seed: state("cancelled"),
    script: getting(answer(state("cancelled"))),
    outcome: "task_failed",
  },
  {
    what: "work for ever, asked for all the time",
    script: getting(answer(state("working"))),
    outcome: "deadline_exceeded",
    timeoutMs: 1_000,
    mostAsked: 11,
  },
  {
    what: "a negative time to wait",
    script: getting(answer(state("working", { pollInterval: -1e9, pollIntervalMs: -1e9 }))),
    outcome: "deadline_exceeded",
    timeoutMs: 1_000,
    mostAsked: 11,
  },
  {
    what: "a time to wait that never ends",
    seed: state("working", { pollInterval: 1e300, pollIntervalMs: 1e300 }),
    script: getting(answer(state("working", { pollInterval: 1e300, pollIntervalMs: 1e300 }))),
    outcome: "deadline_exceeded",
    timeoutMs: 500,
    mostAsked: 1,
  },
  {
    what: "questions about it that hang",
    script: getting(hang),
    outcome: "deadline_exceeded",
    timeoutMs: 500,
    mostAsked: 1,
  },
  { what: "questions about it that drop", script: getting(drop), outcome: "outcome_unknown", mostAsked: 18 },
  { what: "questions about it with 500", script: getting(status(500)), outcome: "outcome_unknown", mostAsked: 6 },
  { what: "questions about it with an HTML page", script: getting(htmlPage), outcome: "bad_response" },
  { what: "a state of 64 MiB", script: getting(oversizeJson(64 * MIB)), outcome: "too_large" },
  { what: "a state that is a gzip bomb", script: getting(gzipBomb(64 * MIB)), outcome: "too_large" },
  { what: "a task that is not known", script: getting(rpcError(-32602, CANARY)), outcome: "task_failed" },
  { what: "a session that is always gone", script: getting(sessionGone()), outcome: "outcome_unknown", mostAsked: 12 },
  {
    what: "a result of 64 MiB",
    eras: ["legacy"],
    script: { "tasks/result": oversizeJson(64 * MIB) },
    outcome: "too_large",
  },
  {
    what: "a result that is none",
    eras: ["legacy"],
    script: { "tasks/result": answer({ content: CANARY }) },
    outcome: "bad_response",
  },
  {
    what: "a result that is a task",
    eras: ["legacy"],
    script: { "tasks/result": answer({ task: state("working") }) },
    outcome: "done",
  },
  {
    what: "a result with an error",
    eras: ["legacy"],
    script: { "tasks/result": rpcError(-32000, CANARY) },
    outcome: "upstream_error",
  },
  {
    what: "completion without a result",
    eras: ["modern"],
    script: getting(answer(state("completed"))),
    outcome: "bad_response",
  },
  {
    what: "completion with another task",
    eras: ["modern"],
    script: getting(answer(state("completed", { result: state("working", { resultType: "task" }) }))),
    outcome: "bad_response",
  },
  {
    what: "a failure with secrets",
    eras: ["modern"],
    script: getting(
      answer(state("failed", { error: { code: -32000, message: CANARY, data: CANARY }, statusMessage: CANARY })),
    ),
    outcome: "upstream_error",
  },
  {
    what: "questions that are none",
    eras: ["modern"],
    script: getting(answer(state("input_required", { inputRequests: [FORM] }))),
    outcome: "bad_response",
  },
  {
    what: "1,000 questions",
    eras: ["modern"],
    script: getting(answer(state("input_required", {
      inputRequests: Object.fromEntries(Array.from({ length: 1_000 }, (_, key) => [`k${key}`, FORM])),
    }))),
    outcome: "too_large",
  },
];

const BOTH: readonly Era[] = ["legacy", "modern"];
for (const { what, eras = BOTH, seed = state("working"), script = {}, ...row } of ROWS) {
  const { outcome, timeoutMs = 20_000, mostAsked = 3 } = row;
  for (const era of eras) {
    faultTest(
      `F42 a ${era} task with ${what}: ${outcome}, the call is sent once`,
      { ...ERAS[era](seed), ...script },
      async ({
        client,
        faulty,
      }) => {
        await client.connectToServers();
        const call = () => client.callTool("faulty__slow", {}, { timeoutMs });
        if (outcome === "done") assertEquals((await call()).isError, undefined);
        else await failureOf(call, outcome);
        assertEquals(faulty.count("tools/call"), 1);
        assertLessOrEqual(faulty.count("tasks/get"), mostAsked);
        assertLessOrEqual(faulty.count("tasks/cancel"), 1);
      },
    );
  }
}

/** Ids that are no ids for a header, or no names for an object. */
const IDS = ["t\r\nx-evil: 1", "__proto__", "\u202e", "=?base64?eA==?=", "../../tasks", "t".repeat(1_024)];

for (const era of BOTH) {
  for (const taskId of IDS) {
    faultTest(
      `S4 a ${era} task called ${JSON.stringify(taskId.slice(0, 20))}: asked for as it is, no header comes of it`,
      {
        ...ERAS[era](state("working", { taskId })),
        "tasks/get": answer(state("completed", { taskId, result: DONE })),
      },
      async ({ client, faulty }) => {
        await client.connectToServers();
        assertEquals(textOf(await client.callTool("faulty__slow")), "done");
        const asked = faulty.requests.filter(({ rpcMethod }) => rpcMethod?.startsWith("tasks/"));
        assertFalse(asked.some(({ headers }) => headers.has("x-evil")));
        for (const { body } of asked) {
          assertEquals(isJsonObject(body) && isJsonObject(body.params) && body.params.taskId, taskId);
        }
      },
    );
  }
}

let round = 0;
faultTest("F42 a modern task that asks a new question each time: the person is asked 10 times, the call ends", {
  ...ERAS.modern(state("working")),
  "tasks/get": (context) => answer(state("input_required", { inputRequests: { [`k${round++}`]: FORM } }))(context),
}, async ({ client, faulty }) => {
  await client.connectToServers();
  const asked: Elicitation[] = [];
  const onElicit = (elicitation: Elicitation) => (asked.push(elicitation), { action: "accept" as const });
  await failureOf(() => client.callTool("faulty__slow", {}, { input: { onElicit } }), "input_required");
  await until(() => faulty.count("tasks/cancel") === 1);
  assertEquals([asked.length, faulty.count("tools/call")], [10, 1]);
});

faultTest("F42 a legacy task that asks for input for ever and has its result fetched: it is one result", {
  ...ERAS.legacy(state("input_required")),
  "tasks/get": answer(state("input_required")),
}, async ({ client, faulty }) => {
  await client.connectToServers();
  assertEquals(textOf(await client.callTool("faulty__slow")), "done");
  assertEquals([faulty.count("tools/call"), faulty.count("tasks/result")], [1, 1]);
});

faultTest(
  "F23 two tasks whose server gives each the state of the other: neither is delivered",
  (() => {
    let calls = 0;
    return {
      ...ERAS.modern(state("working")),
      "tools/call": (context) => answer(state("working", { resultType: "task", taskId: `t${++calls}` }))(context),
      "tasks/get": (context) => {
        const taskId = context.rpc.params.taskId === "t1" ? "t2" : "t1";
        return answer(state("completed", { taskId, result: DONE }))(context);
      },
    };
  })(),
  async ({ client, faulty }) => {
    await client.connectToServers();
    const calling = [1, 2].map(() => failureOf(() => client.callTool("faulty__slow"), "bad_response"));
    await Promise.all(calling);
    assertEquals(faulty.count("tools/call"), 2);
  },
  { answeredAtOnce: 4 },
);
