import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { Deadline } from "../../src/deadline.ts";
import { MCPError, type MCPErrorCode } from "../../src/errors.ts";
import { createResponder } from "../../src/server/input_responder.ts";
import { toDeadlineError } from "../../src/network_errors.ts";
import type { JsonObject, JsonValue, Progress, Tool } from "../../src/protocol.ts";
import type { TaskRunnerDeps } from "../../src/tasks/task_runner.ts";
import {
  createFakeConnection,
  createRunner,
  DONE,
  finish,
  lost,
  refused,
  REQUIRED,
  state,
} from "../support/task_server_fake.ts";

const TASKS = "io.modelcontextprotocol/tasks";

function assertCode(error: unknown, code: MCPErrorCode): asserts error is MCPError {
  assertEquals(error instanceof MCPError ? error.code : error, code, String(error));
}

Deno.test("TaskRunner.settingOf() asks a legacy server for a task only where the tool needs one", () => {
  const offered = { tasks: { requests: { tools: { call: {} } } } };
  const { runner, deadline } = createRunner(createFakeConnection({}));
  using _ = deadline;
  const paramsFor = (taskSupport: JsonValue | undefined, capabilities: JsonObject | undefined, version?: string) => {
    const fake = createFakeConnection({}, { ...(capabilities && { capabilities }), ...(version && { version }) });
    const tool = { ...REQUIRED, execution: taskSupport === undefined ? undefined : { taskSupport } } as Tool;
    return Object.keys(runner.settingOf(tool, fake.connection).params);
  };
  assertEquals(paramsFor("required", offered), ["task"]);
  assertEquals(paramsFor("required", undefined), ["task"]);
  for (const support of ["optional", "forbidden", undefined, 1]) assertEquals(paramsFor(support, offered), []);
  assertEquals(runner.settingOf(undefined, createFakeConnection({}).connection).params, {});
  for (const capabilities of [{}, { tasks: {} }, { tasks: { requests: { tools: {} } } }, { tasks: 1 }]) {
    const fake = createFakeConnection({}, { capabilities });
    const error = captured(() => runner.settingOf(REQUIRED, fake.connection));
    assertCode(error, "task_required");
    assertStringIncludes(error.message, "tasks.requests.tools.call");
  }
  const old = createFakeConnection({}, { version: "2025-06-18" });
  assertCode(captured(() => runner.settingOf(REQUIRED, old.connection)), "task_required");
});

Deno.test("TaskRunner.settingOf() has a task kept beyond the end of the call, within what timers can", () => {
  for (const [timeoutMs, leastMs, mostMs] of [[5_000, 60_000, 65_000], [Infinity, 2_147_483_647, 2_147_483_647]]) {
    const fake = createFakeConnection({});
    const { runner, deadline } = createRunner(fake, { deadline: new Deadline(timeoutMs!) });
    using _ = deadline;
    const { task } = runner.settingOf(REQUIRED, fake.connection).params as { task: { ttl: number } };
    assertEquals([Number.isInteger(task.ttl), task.ttl >= leastMs!, task.ttl <= mostMs!], [true, true, true]);
  }
});

Deno.test("TaskRunner.settingOf() declares the extension to a modern server that has it or was not asked", () => {
  const { runner, deadline } = createRunner(createFakeConnection({}));
  using _ = deadline;
  const declared = (capabilities: JsonObject | undefined) => {
    const fake = createFakeConnection({}, { era: "modern", ...(capabilities && { capabilities }) });
    return runner.settingOf(REQUIRED, fake.connection).capabilities;
  };
  assertEquals(declared(undefined), { extensions: { [TASKS]: {} } });
  assertEquals(declared({ extensions: { [TASKS]: {} } }), { extensions: { [TASKS]: {} } });
  assertEquals(declared({ extensions: { other: {} } }), undefined);
});

Deno.test("TaskRunner.finish() leaves a result alone that is no task, or that was not asked for", async () => {
  const legacy = createFakeConnection({});
  const modern = createFakeConnection({}, { era: "modern", capabilities: {} });
  const { runner, deadline } = createRunner(legacy);
  using _ = deadline;
  const asked = runner.settingOf(REQUIRED, legacy.connection);
  const unasked = runner.settingOf(undefined, legacy.connection);
  const undeclared = runner.settingOf(undefined, modern.connection);
  assertEquals(await runner.finish(DONE, asked), DONE);
  assertEquals(await runner.finish({ task: state("working") }, unasked), { task: state("working") });
  const task = { resultType: "task", ...state("working") };
  assertEquals(await runner.finish(task, undeclared), task);
  assertEquals(await runner.finish(DONE, undefined), DONE);
  assertEquals([legacy.sent.length, modern.sent.length], [0, 0]);
});

Deno.test("TaskRunner.finish() asks as often as the server wishes, within bounds, and slower and slower where it is silent", async () => {
  const cases: readonly (readonly [JsonValue | undefined, readonly number[]])[] = [
    [0, [100, 100, 100]],
    [-5, [100, 100, 100]],
    [1e9, [30_000, 30_000, 30_000]],
    [Infinity, [30_000, 30_000, 30_000]],
    [2_000, [2_000, 2_000, 2_000]],
    ["soon", [250, 500, 1_000]],
    [undefined, [250, 500, 1_000]],
  ];
  for (const [pollInterval, expected] of cases) {
    const more = pollInterval === undefined ? {} : { pollInterval };
    const working = state("working", more);
    const fake = createFakeConnection({ "tasks/get": [working, working, state("completed")], "tasks/result": [DONE] });
    const { result, waitsMs } = await finish(fake, { seed: more });
    assertEquals([result, waitsMs], [DONE, [...expected]]);
  }
});

Deno.test("TaskRunner.finish() looks once more before the end where the server wishes to be asked after it", async () => {
  const working = state("working", { pollInterval: 60_000 });
  const fake = createFakeConnection({ "tasks/get": [working, state("completed")], "tasks/result": [DONE] });
  const deadline = new Deadline(10_000);
  const { result, waitsMs } = await finish(fake, { seed: { pollInterval: 60_000 }, more: { deadline } });
  assertEquals(result, DONE);
  const [first = 0, second] = waitsMs;
  assertEquals([first > 8_000 && first <= 9_000, second], [true, 30_000]);
});

Deno.test("TaskRunner.finish() asks more often than a silence may last, and counts an answer as a sign of life", async () => {
  let heard = 0;
  const fake = createFakeConnection({ "tasks/get": [state("working"), state("completed")], "tasks/result": [DONE] });
  const more = { idleTimeoutMs: 4_000, onHeard: () => void heard++ };
  const { waitsMs } = await finish(fake, { seed: { pollInterval: 20_000 }, more });
  assertEquals([waitsMs[0], heard], [2_000, 2]);
});

Deno.test("TaskRunner.finish() tells of messages once each, growing on from the progress before", async () => {
  const told: Progress[] = [];
  const fake = createFakeConnection({
    "tasks/get": [
      state("working", { statusMessage: "reading" }),
      state("working", { statusMessage: "reading" }),
      state("working"),
      state("completed", { statusMessage: "done" }),
    ],
    "tasks/result": [DONE],
  });
  const onProgress = (progress: Progress) => {
    told.push(progress);
    throw new Error("The caller's own fault");
  };
  const { runner, deadline } = createRunner(fake, { onProgress });
  using _ = deadline;
  assertEquals(captured(() => runner.onProgress?.({ progress: 40 })) instanceof Error, true);
  const task = state("working", { statusMessage: "starting" });
  await runner.finish({ task }, runner.settingOf(REQUIRED, fake.connection));
  assertEquals(told.map(({ progress, message }) => [progress, message]), [
    [40, undefined],
    [41, "starting"],
    [42, "reading"],
    [43, "done"],
  ]);
});

Deno.test("TaskRunner.finish() puts up with lost questions, and with a server that stumbles", async () => {
  const stumbles = [lost(), refused(-32603), lost(), lost(), lost()];
  const answers = [...stumbles, state("working"), lost(), state("completed")];
  const fake = createFakeConnection({ "tasks/get": answers, "tasks/result": [DONE] });
  const { result } = await finish(fake);
  assertEquals([result, fake.count("tasks/get"), fake.count("tasks/cancel")], [DONE, 8, 0]);
});

Deno.test("TaskRunner.finish() gives one question a part of the time only", async () => {
  const fake = createFakeConnection({ "tasks/get": [state("working"), state("completed")], "tasks/result": [DONE] });
  let asked = 0;
  const requests: TaskRunnerDeps["requests"] = {
    run: ({ send, deadline }) =>
      ++asked === 2
        ? deadline.race(new Promise<never>(() => {})).catch(() => Promise.reject(toDeadlineError("files", "read")))
        : send(fake.connection),
  };
  const { result } = await finish(fake, { more: { requests, askTimeoutMs: 5 } });
  assertEquals([result, asked], [DONE, 4]);
});

Deno.test("TaskRunner.finish() rethrows the caller's reason although a question was lost just then", async () => {
  const caller = new AbortController();
  const reason = new Error("The caller's reason");
  const fake = createFakeConnection({});
  const requests: TaskRunnerDeps["requests"] = {
    run: () => {
      caller.abort(reason);
      return Promise.reject(lost());
    },
  };
  const deadline = new Deadline(60_000, { signal: caller.signal });
  assertEquals((await finish(fake, { more: { requests, deadline } })).error, reason);
});

Deno.test("TaskRunner.finish() rethrows the caller's reason although somebody is answering", async () => {
  const caller = new AbortController();
  const reason = new Error("The caller's reason");
  const responder = createResponder("files", {
    onListRoots: () => {
      caller.abort(reason);
      return new Promise<never>(() => {});
    },
  });
  const inputRequests = { roots: { method: "roots/list" } };
  const fake = createFakeConnection({ "tasks/get": [state("input_required", { inputRequests })] }, { era: "modern" });
  const deadline = new Deadline(60_000, { signal: caller.signal });
  assertEquals((await finish(fake, { more: { responder, deadline } })).error, reason);
  assertEquals(fake.count("tasks/cancel"), 1);
});

Deno.test("TaskRunner.finish() rejects with outcome_unknown when the server can no longer be asked", async () => {
  const fake = createFakeConnection({ "tasks/get": [lost()] });
  const { error } = await finish(fake);
  assertCode(error, "outcome_unknown");
  assertEquals([error.retryable, error.cause instanceof MCPError], [false, true]);
  assertEquals([fake.count("tasks/get"), fake.count("tasks/cancel")], [6, 1]);
  // A 401 to a question does not mean that the call did not run.
  const locked = createFakeConnection({ "tasks/get": [new MCPError("unauthorized", "Cannot", { server: "files" })] });
  assertCode((await finish(locked)).error, "outcome_unknown");
});

Deno.test("TaskRunner.finish() obeys the time that a server asks to be left alone, where it fits", async () => {
  const answers = [lost({ retryAfterMs: 7_000 }), state("working"), state("completed")];
  const fake = createFakeConnection({ "tasks/get": answers, "tasks/result": [DONE] });
  assertEquals((await finish(fake)).waitsMs, [250, 7_000, 1_000]);
  const late = createFakeConnection({ "tasks/get": [lost({ retryAfterMs: 700_000 })] });
  const { error, waitsMs } = await finish(late);
  assertCode(error, "outcome_unknown");
  assertEquals(waitsMs.length, 1);
});

Deno.test("TaskRunner.finish() rejects with bad_response when a task is malformed or another one", async () => {
  const long = "x".repeat(1_025);
  const seeds: readonly JsonObject[] = [{ taskId: 7 }, { taskId: "" }, { taskId: long }, { status: "paused" }];
  for (const seed of seeds) {
    const fake = createFakeConnection({});
    const { error } = await finish(fake, { seed });
    assertCode(error, "bad_response");
    assertFalse(error.message.includes("xxx"));
    assertEquals(fake.sent.length, 0);
  }
  for (const answer of [{}, { taskId: "t2", status: "completed" }, { taskId: "t1", status: null }]) {
    const fake = createFakeConnection({ "tasks/get": [answer] });
    assertCode((await finish(fake)).error, "bad_response");
    assertEquals(fake.count("tasks/cancel"), 1);
  }
});

Deno.test("TaskRunner.finish() rejects with task_failed when the task is not known, and does not cancel it", async () => {
  for (const era of ["legacy", "modern"] as const) {
    const fake = createFakeConnection({ "tasks/get": [refused(-32602)] }, { era });
    const { error } = await finish(fake);
    assertCode(error, "task_failed");
    assertEquals([error.rpcCode, fake.count("tasks/get"), fake.count("tasks/cancel")], [-32602, 1, 0]);
  }
  const gone = createFakeConnection({ "tasks/get": [state("completed")], "tasks/result": [refused(-32602)] });
  assertCode((await finish(gone)).error, "task_failed");
});

Deno.test("TaskRunner.finish() rejects as the call would where its legacy task failed with a JSON-RPC error", async () => {
  for (const status of ["failed", "completed"]) {
    const fake = createFakeConnection({ "tasks/get": [state(status)], "tasks/result": [refused(-32603)] });
    const { error } = await finish(fake);
    assertCode(error, "upstream_error");
    assertEquals([error.rpcCode, fake.count("tasks/result"), fake.count("tasks/cancel")], [-32603, 1, 0]);
  }
});

Deno.test("TaskRunner.finish() marks the result of a failed task, and keeps the id of a task to itself", async () => {
  const related = { [`io.modelcontextprotocol/related-task`]: { taskId: "t1" } };
  const results = [{ ...DONE, _meta: related }];
  const failed = createFakeConnection({ "tasks/get": [state("failed")], "tasks/result": results });
  assertEquals((await finish(failed)).result, { ...DONE, isError: true });
  const completed = createFakeConnection({
    "tasks/get": [state("completed")],
    "tasks/result": [{ ...DONE, _meta: { ...related, own: 1 } }],
  });
  assertEquals((await finish(completed)).result, { ...DONE, _meta: { own: 1 } });
});

Deno.test("TaskRunner.finish() polls on where the answer to tasks/result is lost", async () => {
  const unknown = new MCPError("outcome_unknown", "Cannot tell", { server: "files" });
  const fake = createFakeConnection({
    "tasks/get": [state("input_required"), state("working"), state("completed")],
    "tasks/result": [unknown, DONE],
  });
  const { result } = await finish(fake);
  assertEquals([result, fake.count("tasks/get"), fake.count("tasks/result")], [DONE, 3, 2]);
});

Deno.test("TaskRunner.finish() cancels once at the deadline or the caller's abort, and only where the server takes it", async () => {
  const offered = { tasks: { requests: { tools: { call: {} } } } };
  const cases = [
    { capabilities: undefined, cancels: 1 },
    { capabilities: { tasks: { ...offered.tasks, cancel: {} } }, cancels: 1 },
    { capabilities: offered, cancels: 0 },
  ];
  for (const { capabilities, cancels } of cases) {
    const caller = new AbortController();
    const reason = new Error("The caller's reason");
    const fake = createFakeConnection({ "tasks/get": [state("working")] }, { ...(capabilities && { capabilities }) });
    const wait = (_: number, signal: AbortSignal) => {
      if (fake.count("tasks/get") === 3) caller.abort(reason);
      signal.throwIfAborted();
      return Promise.resolve();
    };
    const deadline = new Deadline(60_000, { signal: caller.signal });
    assertEquals((await finish(fake, { more: { wait, deadline } })).error, reason);
    assertEquals([fake.count("tasks/get"), fake.count("tasks/cancel")], [3, cancels]);
  }
});

Deno.test("TaskRunner.finish() rejects with deadline_exceeded, not retryable, when a task does not end", async () => {
  const fake = createFakeConnection({ "tasks/get": [state("working")] });
  // Waits for the end itself.
  const wait = (_: number, signal: AbortSignal) =>
    new Promise<void>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  const { error } = await finish(fake, { more: { wait, deadline: new Deadline(20) } });
  assertCode(error, "deadline_exceeded");
  assertEquals([error.retryable, fake.count("tasks/cancel")], [false, 1]);
});

Deno.test("TaskRunner.finish() answers each question of a modern task once, also where the answer was lost", async () => {
  const question = (message: string) => ({ method: "elicitation/create", params: { message } });
  const open = (...keys: string[]) =>
    state("input_required", { inputRequests: Object.fromEntries(keys.map((key) => [key, question(key)])) });
  const fake = createFakeConnection({
    "tasks/get": [open("a"), open("a"), open("a", "b"), open("b"), state("completed", { result: DONE })],
    "tasks/update": [lost(), {}],
  }, { era: "modern" });
  const asked: JsonValue[] = [];
  const responder = {
    capabilities: { elicitation: {} },
    answer: (_method: string, { message }: JsonObject) => {
      asked.push(message ?? null);
      return Promise.resolve({ action: "accept", content: { message: message ?? null } });
    },
  };
  const { result } = await finish(fake, { more: { responder } });
  assertEquals([result, asked], [DONE, ["a", "b"]]);
  const updates = fake.sent.filter(({ method }) => method === "tasks/update").map(({ params }) =>
    params.inputResponses
  );
  assertEquals(updates.map((responses) => Object.keys(Object(responses))), [["a"], ["a"], ["b"]]);
});

Deno.test("TaskRunner.finish() rejects when a modern task asks without end, too much, or what nobody answers", async () => {
  const responder = { capabilities: { roots: {} }, answer: () => Promise.resolve({ roots: [] }) };
  const ask = (...keys: string[]) => {
    const inputRequests = Object.fromEntries(keys.map((key) => [key, { method: "roots/list" }]));
    return state("input_required", { inputRequests });
  };
  const many = Array.from({ length: 33 }, (_, index) => `key${index}`);
  const cases: readonly (readonly [readonly JsonObject[], Partial<TaskRunnerDeps>, MCPErrorCode])[] = [
    [many.map((key) => ask(key)), { responder }, "input_required"],
    [[ask("key")], {}, "input_required"],
    [[ask(...many)], { responder }, "too_large"],
    [[state("input_required")], { responder }, "bad_response"],
    [[state("input_required", { inputRequests: { key: 1 } })], { responder }, "bad_response"],
  ];
  for (const [states, deps, code] of cases) {
    const fake = createFakeConnection({ "tasks/get": states }, { era: "modern" });
    const { error } = await finish(fake, { more: deps });
    assertCode(error, code);
    assertEquals(fake.count("tasks/cancel"), 1, code);
  }
});

Deno.test("TaskRunner.finish() never has a call sent again: a modern task ends with a complete result", async () => {
  const results: readonly JsonObject[] = [
    { result: { resultType: "input_required", requestState: "x" } },
    { result: { resultType: "task", ...state("working") } },
    { result: 1 },
    {},
  ];
  for (const more of results) {
    const fake = createFakeConnection({ "tasks/get": [state("completed", more)] }, { era: "modern" });
    assertCode((await finish(fake)).error, "bad_response");
  }
});

function captured(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
