import { assertEquals, assertStrictEquals } from "@std/assert";
import { acceptedContent, inputRequired } from "@modelcontextprotocol/server";
import { SingleServerMCPClient } from "@portolan/mcp";
import { z } from "zod";
import { type InputResponder, RpcRefusal } from "../../src/connection/connection.ts";
import { Deadline } from "../../src/deadline.ts";
import { MCPError } from "../../src/errors.ts";
import { askInRounds, MAX_ROUNDS } from "../../src/server/input_rounds.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { answer, rpcError, sequence } from "../support/behaviours.ts";
import { assertNoCanary, CANARY, failureOf, textOf } from "../support/client_support.ts";
import { createTestResponder } from "../support/connection_support.ts";
import { startRawServer } from "../support/fault_server.ts";
import { modernScript } from "../support/modern_script.ts";
import { startModernServer } from "../support/modern_server.ts";

const PARAMS: JsonObject = { name: "ask" };
const DONE: JsonObject = { resultType: "complete", content: [] };

function asking(inputRequests?: JsonObject, requestState?: string): JsonObject {
  return {
    resultType: "input_required",
    ...(inputRequests === undefined ? {} : { inputRequests }),
    ...(requestState === undefined ? {} : { requestState }),
  };
}

function question(message: string, method = "elicitation/create"): JsonObject {
  return { method, params: { message } };
}

interface Asking {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Asks a server whose answers are given; further ones are the last. */
async function askAll(
  results: readonly JsonObject[],
  responder?: InputResponder,
  { timeoutMs = 10_000, signal }: Asking = {},
) {
  const sent: JsonObject[] = [];
  using deadline = new Deadline(timeoutMs, { signal });
  const send = (params: JsonObject) => {
    sent.push(params);
    return Promise.resolve(results[Math.min(sent.length, results.length) - 1]!);
  };
  const outcome = await askInRounds({ server: "files", params: PARAMS, responder, deadline, send }).catch((error) =>
    error
  );
  return { outcome, sent, code: outcome instanceof MCPError ? outcome.code : undefined };
}

Deno.test("askInRounds() sends once what is answered at once", async () => {
  for (const result of [DONE, {}, { resultType: "later" }]) {
    const { outcome, sent } = await askAll([result]);
    assertStrictEquals(outcome, result);
    assertEquals(sent, [PARAMS]);
  }
});

Deno.test("askInRounds() sends the answers by the server's keys, with the state of that round byte for byte", async () => {
  const state = '{"a": 1,\t"b":"\\u00e9é\u2028\\\\"}';
  const responder = createTestResponder(({ method, params }) => ({ method, ...params }));
  const first = asking({ name: question("Name?"), roots: { method: "roots/list" } }, state);
  const { outcome, sent } = await askAll([first, asking({ age: question("Age?") }), DONE], responder);
  assertStrictEquals(outcome, DONE);
  assertEquals(sent, [
    PARAMS,
    {
      ...PARAMS,
      inputResponses: { name: { method: "elicitation/create", message: "Name?" }, roots: { method: "roots/list" } },
      requestState: state,
    },
    { ...PARAMS, inputResponses: { age: { method: "elicitation/create", message: "Age?" } } },
  ]);
});

Deno.test("askInRounds() keeps keys like __proto__ as what they are", async () => {
  const questions = JSON.parse('{"__proto__":{"method":"roots/list"},"constructor":{"method":"roots/list"}}');
  const { sent } = await askAll([asking(questions), DONE], createTestResponder());
  assertEquals(
    JSON.stringify(sent[1]),
    '{"name":"ask","inputResponses":{"__proto__":{"method":"roots/list"},"constructor":{"method":"roots/list"}}}',
  );
});

Deno.test("askInRounds() asks all questions of a round at once", async () => {
  const both = Promise.withResolvers<JsonObject>();
  let asked = 0;
  const responder = createTestResponder(() => {
    if (++asked === 2) both.resolve({});
    return both.promise;
  });
  const { outcome } = await askAll([asking({ a: question("A?"), b: question("B?") }), DONE], responder);
  assertStrictEquals(outcome, DONE);
});

Deno.test("askInRounds() sends again after a while what was only put off, with its state and no answers", async () => {
  const { outcome, sent } = await askAll([asking(undefined, "s-1"), asking(undefined, "s-2"), DONE]);
  assertStrictEquals(outcome, DONE);
  assertEquals(sent.slice(1), [{ ...PARAMS, requestState: "s-1" }, { ...PARAMS, requestState: "s-2" }]);
});

Deno.test("askInRounds() puts a request off no longer than its deadline", async () => {
  const { outcome } = await askAll([asking(undefined, "s")], undefined, { timeoutMs: 150 });
  assertEquals([outcome.name, outcome instanceof MCPError], ["DeadlinePassed", false]);
});

Deno.test("F42 askInRounds() rejects with input_required where the questions do not end", async () => {
  const { code, sent } = await askAll([asking({ a: question("Again?") }, "s")], createTestResponder());
  assertEquals([code, sent.length], ["input_required", 1 + MAX_ROUNDS]);
});

/** Results that are no questions. */
const MALFORMED: readonly JsonObject[] = [
  asking(),
  { resultType: "input_required", inputRequests: [question("A?")] },
  { resultType: "input_required", inputRequests: null },
  { resultType: "input_required", inputRequests: { a: question("A?") }, requestState: 7 },
  { resultType: "input_required", inputRequests: { a: "elicitation/create" } },
  { resultType: "input_required", inputRequests: { a: { params: {} } } },
  { resultType: "input_required", inputRequests: { a: { method: 7 } } },
  { resultType: "input_required", inputRequests: { a: { method: "roots/list", params: [] } } },
];

for (const result of MALFORMED) {
  Deno.test(`askInRounds() rejects with bad_response for malformed questions: ${JSON.stringify(result)}`, async () => {
    const { code, sent } = await askAll([result], createTestResponder());
    assertEquals([code, sent.length], ["bad_response", 1]);
  });
}

for (
  const [what, result] of [
    ["questions", asking(Object.fromEntries(Array.from({ length: 33 }, (_, key) => [`k${key}`, question("?")])))],
    ["state", asking({}, "x".repeat(256 * 1024 + 1))],
  ] as const
) {
  Deno.test(`askInRounds() rejects with too_large, and asks nobody, for too much ${what}`, async () => {
    const responder = createTestResponder();
    const { code, sent } = await askAll([result], responder);
    assertEquals([code, sent.length, responder.asked.length], ["too_large", 1, 0]);
  });
}

/** Responders that do not answer, and what the error says of it. */
const UNANSWERED: readonly (readonly [string, InputResponder | undefined, string, string])[] = [
  ["nobody answers", undefined, "elicitation/create", "by elicitation/create, which no handler answers"],
  [
    "no handler is there",
    refusing(-32601),
    "sampling/createMessage",
    "by sampling/createMessage, which no handler answers",
  ],
  ["the handler fails", refusing(-32603), "roots/list", "by roots/list, which was not answered"],
  ["the method is unknown", refusing(-32601), CANARY, "by an unknown method, which no handler answers"],
];

function refusing(code: number): InputResponder {
  return createTestResponder(() => {
    throw new RpcRefusal(code, "No", { cause: new Error("of the handler") });
  });
}

for (const [what, responder, method, text] of UNANSWERED) {
  Deno.test(`askInRounds() rejects with input_required where ${what}`, async () => {
    const { outcome, code, sent } = await askAll([asking({ [CANARY]: question(CANARY, method) }, CANARY)], responder);
    assertEquals([code, sent.length], ["input_required", 1]);
    assertEquals(outcome.message, `Cannot finish the request to server "files" as it asks for input ${text}`);
    assertEquals(outcome.cause?.message, responder === undefined ? undefined : "of the handler");
    assertNoCanary(outcome);
  });
}

Deno.test("askInRounds() stops asking a person where another question of the round has no answer", async () => {
  const responder = createTestResponder(({ method, signal }) => {
    if (method === "roots/list") throw new RpcRefusal(-32601, "Method not found");
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
  });
  const { code } = await askAll([asking({ a: question("Name?"), b: { method: "roots/list" } })], responder);
  assertEquals([code, responder.asked[0]?.signal.aborted], ["input_required", true]);
});

Deno.test("askInRounds() rejects with the caller's reason where it gives up while a person is asked", async () => {
  const controller = new AbortController();
  const responder = createTestResponder(({ signal }) => {
    queueMicrotask(() => controller.abort("enough"));
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new RpcRefusal(-32603, "No")), { once: true });
    });
  });
  const { outcome } = await askAll([asking({ a: question("Name?") })], responder, { signal: controller.signal });
  assertEquals(outcome, "enough");
});

Deno.test("SingleServerMCPClient.callTool() ends with its deadline while a person is asked", async () => {
  const form = { method: "elicitation/create", params: { message: "Name?", requestedSchema: { type: "object" } } };
  await using server = startRawServer(modernScript({ "tools/call": answer(asking({ a: form }, "s")) }));
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const input = { onElicit: () => new Promise<never>(() => {}) };
  await failureOf(() => client.callTool("echo", {}, { input, timeoutMs: 200 }), "deadline_exceeded");
  assertEquals(server.count("tools/call"), 1);
});

const PAGE = { mode: "url", message: "Log in", url: "https://example.com/log-in", elicitationId: "e" };

Deno.test("SingleServerMCPClient.callTool() has pages visited that a legacy server asks for, and sends the call again", async () => {
  const required = rpcError(-32042, "Visit it", { elicitations: [PAGE] });
  await using server = startRawServer({ "tools/call": sequence(required, answer(DONE)) });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const visited: unknown[] = [];
  const onElicit = (elicitation: { readonly [field: string]: unknown }) => {
    visited.push(elicitation.url);
    return { action: "accept" } as const;
  };
  await client.callTool("echo", { text: "a" }, { input: { onElicit } });
  const sent = server.requests.filter(({ rpcMethod }) => rpcMethod === "tools/call");
  const args = sent.map(({ body }) => (body as { params: JsonObject }).params);
  assertEquals(visited, [PAGE.url]);
  assertEquals(args.map(({ arguments: given, inputResponses }) => [given, inputResponses]), [
    [{ text: "a" }, undefined],
    [{ text: "a" }, undefined],
  ]);
});

for (const action of ["decline", "cancel"] as const) {
  Deno.test(`SingleServerMCPClient.callTool() does not ask a second time where the person chose ${action}`, async () => {
    await using server = startRawServer({ "tools/call": rpcError(-32042, "Visit it", { elicitations: [PAGE] }) });
    await using client = new SingleServerMCPClient("files", { url: server.url });
    let asked = 0;
    const onElicit = () => ({ action, asked: asked++ });
    await failureOf(() => client.callTool("echo", {}, { input: { onElicit } }), "input_required");
    assertEquals([asked, server.count("tools/call")], [1, 1]);
  });
}

Deno.test("SingleServerMCPClient.callTool() rejects with input_required where nobody visits pages", async () => {
  await using server = startRawServer({ "tools/call": rpcError(-32042, CANARY, { elicitations: [PAGE] }) });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await failureOf(() => client.callTool("echo"), "input_required");
  const input = { onElicit: () => ({ action: "accept" } as const), elicitationModes: ["form"] as const };
  await failureOf(() => client.callTool("echo", {}, { input }), "input_required");
  assertEquals(server.count("tools/call"), 2);
});

Deno.test("SingleServerMCPClient.callTool() answers what a real modern server asks, in rounds with its state", async () => {
  const form = { type: "object", properties: { name: { type: "string", default: "Ada" } } } as const;
  await using server = startModernServer({
    configure: (mcp) => {
      mcp.registerTool("greet", { inputSchema: z.looseObject({}) }, (_args, { mcpReq }) => {
        const { name } = acceptedContent(mcpReq.inputResponses, "name", z.object({ name: z.string() })) ?? {};
        if (name !== undefined) return { content: [{ type: "text", text: `Hello ${name}, ${mcpReq.requestState()}` }] };
        const elicit = inputRequired.elicit({ message: "Name?", requestedSchema: form });
        return inputRequired({ inputRequests: { name: elicit }, requestState: "state 1" });
      });
    },
  });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const input = { onElicit: () => ({ action: "accept" } as const) };
  assertEquals(textOf(await client.callTool("greet", {}, { input })), "Hello Ada, state 1");
  assertEquals(server.count("tools/call"), 2);
});
