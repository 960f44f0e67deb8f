import { assertEquals, assertFalse } from "@std/assert";
import { type InputResponder, RpcRefusal } from "../../src/connection/connection.ts";
import { ServerQuestions } from "../../src/connection/server_questions.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { assertNoCanary, CANARY } from "../support/client_support.ts";
import { createTestResponder } from "../support/connection_support.ts";
import { settled } from "../support/manual_time.ts";

/** Questions whose answers are kept. */
function createQuestions(responder: InputResponder | undefined) {
  const sent: JsonObject[] = [];
  const clock = { nowMs: 0 };
  const ending = new AbortController();
  const questions = new ServerQuestions({
    responder,
    signal: ending.signal,
    send: (response) => {
      sent.push(response);
      return Promise.resolve();
    },
    now: () => clock.nowMs,
  });
  return { questions, sent, clock, ending };
}

function question(id: string | number, method = "elicitation/create", params?: unknown): JsonObject {
  return { jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) } as JsonObject;
}

Deno.test("ServerQuestions.take() answers a ping, also where nobody answers anything else", async () => {
  const { questions, sent } = createQuestions(undefined);
  for (const id of ["a", 0]) assertEquals(questions.take(question(id, "ping")), true);
  await settled();
  assertEquals(sent, [{ jsonrpc: "2.0", id: "a", result: {} }, { jsonrpc: "2.0", id: 0, result: {} }]);
});

Deno.test("ServerQuestions.take() asks the responder, its parameters an object", async () => {
  const responder = createTestResponder(({ params }) => ({ params }));
  const { questions, sent } = createQuestions(responder);
  for (const params of [{ a: 1 }, undefined, null, [1], "text"]) questions.take(question(1, "roots/list", params));
  await settled();
  assertEquals(sent.map(({ result }) => (result as JsonObject).params), [{ a: 1 }, {}, {}, {}, {}]);
  assertEquals(responder.asked.map(({ method }) => method), Array(5).fill("roots/list"));
});

Deno.test("ServerQuestions.take() passes over what is no request", async () => {
  const responder = createTestResponder();
  const { questions, sent } = createQuestions(responder);
  const others: JsonObject[] = [
    { jsonrpc: "2.0", method: "notifications/message" },
    { jsonrpc: "2.0", id: null, method: "ping" },
    { jsonrpc: "2.0", id: { a: 1 }, method: "ping" },
    { jsonrpc: "2.0", id: 1, method: 7 },
    { jsonrpc: "2.0", id: 1, result: {} },
  ];
  for (const other of others) assertFalse(questions.take(other));
  await settled();
  assertEquals([sent, responder.asked.length], [[], 0]);
});

const NOT_FOUND = { code: -32601, message: "Method not found" };
const FAILED = { code: -32603, message: "The request could not be answered" };

for (
  const [what, responder, error] of [
    ["nobody answers", undefined, NOT_FOUND],
    ["the responder refuses", refusing(new RpcRefusal(-1, "No", { cause: new Error(CANARY) })), {
      code: -1,
      message: "No",
    }],
    ["the responder fails", refusing(new Error(CANARY)), FAILED],
    ["the responder throws no error", refusing(CANARY), FAILED],
  ] as const
) {
  Deno.test(`ServerQuestions.take() sends ${error.code} and nothing of the caller's where ${what}`, async () => {
    const { questions, sent } = createQuestions(responder);
    questions.take(question("q"));
    await settled();
    assertEquals(sent, [{ jsonrpc: "2.0", id: "q", error }]);
    assertNoCanary(sent);
  });
}

function refusing(error: unknown): InputResponder {
  return createTestResponder(() => {
    throw error;
  });
}

Deno.test("ServerQuestions.take() has sixteen questions open at most, and refuses further ones", async () => {
  const gate = Promise.withResolvers<JsonObject>();
  const responder = createTestResponder(() => gate.promise);
  const { questions, sent } = createQuestions(responder);
  for (let id = 0; id < 20; id++) questions.take(question(id));
  await settled();
  assertEquals(sent.map(({ id }) => id), [16, 17, 18, 19]);
  assertEquals(sent[0]?.error, { code: -32603, message: "Too many requests at once" });
  gate.resolve({});
  await settled();
  assertEquals([responder.asked.length, sent.length], [16, 20]);
  questions.take(question("after"));
  await settled();
  assertEquals(sent.at(-1)?.id, "after");
});

Deno.test("F37 ServerQuestions.take() answers 64 questions at once, then one a second: a stream may last for days", async () => {
  const { questions, sent, clock } = createQuestions(undefined);
  for (let id = 0; id < 3_000; id++) assertEquals(questions.take(question(id, "ping")), true);
  await settled();
  assertEquals(sent.map(({ id }) => id), Array.from({ length: 64 }, (_, id) => id));
  clock.nowMs = 2_999;
  for (const id of ["a", "b", "c"]) questions.take(question(id, "ping"));
  clock.nowMs = 3_000;
  for (const id of ["d", "e"]) questions.take(question(id, "ping"));
  await settled();
  assertEquals(sent.slice(64).map(({ id }) => id), ["a", "b", "d"]);
  clock.nowMs = 86_400_000;
  for (let id = 0; id < 100; id++) questions.take(question(id, "ping"));
  await settled();
  assertEquals(sent.length, 67 + 64, "no more is saved up");
});

for (const how of ["it is disposed of", "its signal is aborted"]) {
  Deno.test(`ServerQuestions aborts what is being answered when ${how}, and sends nothing any more`, async () => {
    const responder = createTestResponder(({ signal }) => {
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve({}), { once: true }));
    });
    const { questions, sent, ending } = createQuestions(responder);
    questions.take(question(1));
    await settled();
    if (how === "it is disposed of") questions[Symbol.dispose]();
    else ending.abort();
    questions.take(question(2, "ping"));
    await settled();
    assertEquals([responder.asked[0]?.signal.aborted, sent], [true, []]);
  });
}

Deno.test("ServerQuestions goes on where an answer cannot be sent", async () => {
  let tried = 0;
  const questions = new ServerQuestions({
    responder: undefined,
    signal: new AbortController().signal,
    send: () => Promise.reject(new Error(`broken ${++tried}`)),
  });
  for (let id = 0; id < 20; id++) {
    questions.take(question(id, "ping"));
    await settled();
  }
  assertEquals(tried, 20);
});
