import { assertEquals, assertStrictEquals } from "@std/assert";
import { RpcRefusal } from "../../src/connection/connection.ts";
import { MCPError } from "../../src/errors.ts";
import type { Elicitation, ElicitationAnswer, InputContext, InputHandlers, SamplingAnswer } from "../../src/input.ts";
import { createResponder } from "../../src/server/input_responder.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { CANARY } from "../support/client_support.ts";

const { signal } = new AbortController();

/** What a responder of these handlers answers: the result, or the code and the message of its refusal. */
async function answerOf(handlers: InputHandlers, method: string, params: JsonObject = {}): Promise<unknown> {
  const responder = createResponder("files", handlers);
  return await responder?.answer(method, params, signal).catch((error) => {
    return error instanceof RpcRefusal ? [error.code, error.message] : error;
  });
}

const accept = (content?: ElicitationAnswer["content"]): InputHandlers => ({
  onElicit: () => ({ action: "accept", content }),
});
const SAID: SamplingAnswer = {
  role: "assistant",
  content: { type: "text", text: "Yes" },
  model: "m",
  stopReason: "endTurn",
};
const FORM: JsonObject = { mode: "form", message: "Name?", requestedSchema: { type: "object", properties: {} } };
const PAGE: JsonObject = { mode: "url", message: "Log in", url: "https://example.com/a", elicitationId: "e" };
const ASKED: JsonObject = { messages: [{ role: "user", content: { type: "text", text: "Hi" } }], maxTokens: 10 };

const onElicit = () => ({ action: "accept" } as const);
const onSample = () => SAID;
const onListRoots = () => [];

for (
  const [handlers, expected] of [
    [{ onElicit }, { elicitation: { form: {}, url: {} } }],
    [{ onElicit, elicitationModes: ["form"] }, { elicitation: { form: {} } }],
    [{ onElicit, elicitationModes: ["url"] }, { elicitation: { url: {} } }],
    [{ onSample }, { sampling: {} }],
    [{ onSample, samplingTools: true }, { sampling: { tools: {} } }],
    [{ onListRoots }, { roots: { listChanged: true } }],
    [{ onElicit, onSample, onListRoots }, {
      elicitation: { form: {}, url: {} },
      sampling: {},
      roots: { listChanged: true },
    }],
    [{}, undefined],
    [{ samplingTools: true, elicitationModes: ["form"] }, undefined],
    [undefined, undefined],
  ] as readonly (readonly [InputHandlers | undefined, JsonObject | undefined])[]
) {
  Deno.test(`createResponder() declares ${JSON.stringify(expected)} for ${Object.keys(handlers ?? {})}`, () => {
    assertEquals(createResponder("files", handlers)?.capabilities, expected);
  });
}

Deno.test("InputResponder.answer() hands a form to onElicit with who asks and until when, unknown fields kept", async () => {
  const heard: [Elicitation, InputContext][] = [];
  const handlers: InputHandlers = {
    onElicit: (...asked) => {
      heard.push(asked);
      return { action: "accept", content: { name: "Ada", tags: ["a"] } };
    },
  };
  const { mode: _, ...withoutMode } = FORM;
  assertEquals(await answerOf(handlers, "elicitation/create", { ...withoutMode, later: 1 }), {
    action: "accept",
    content: { name: "Ada", tags: ["a"] },
  });
  assertEquals(heard[0]?.[0], { ...FORM, later: 1 } as unknown);
  assertEquals([heard[0]?.[1].server, heard[0]?.[1].signal instanceof AbortSignal], ["files", true]);
});

Deno.test("InputResponder.answer() hands a page to onElicit, and answers without content", async () => {
  const heard: Elicitation[] = [];
  const handlers: InputHandlers = {
    onElicit: (elicitation) => {
      heard.push(elicitation);
      return { action: "accept", content: { secret: "x" } };
    },
  };
  assertEquals(await answerOf(handlers, "elicitation/create", PAGE), { action: "accept" });
  assertEquals(await answerOf(handlers, "elicitation/create", { ...PAGE, elicitationId: 7 }), { action: "accept" });
  assertEquals(heard, [PAGE, { ...PAGE, elicitationId: undefined }] as readonly unknown[]);
});

for (const action of ["decline", "cancel"] as const) {
  Deno.test(`InputResponder.answer() sends no content where the person chose ${action}`, async () => {
    const handlers: InputHandlers = { onElicit: () => Promise.resolve({ action, content: { a: "b" } }) };
    assertEquals(await answerOf(handlers, "elicitation/create", FORM), { action });
  });
}

Deno.test("InputResponder.answer() fills fields that are left out with the form's defaults, of every kind", async () => {
  const properties = JSON.parse(`{
    "name": { "type": "string", "default": "Ada" },
    "age": { "type": "integer", "default": 36 },
    "score": { "type": "number", "default": 0.5 },
    "member": { "type": "boolean", "default": false },
    "color": { "type": "string", "enum": ["red", "blue"], "default": "blue" },
    "tags": { "type": "array", "items": { "type": "string", "enum": ["a", "b"] }, "default": ["a"] },
    "free": { "type": "string" },
    "odd": 7,
    "__proto__": { "type": "string", "default": "own" },
    "toString": { "type": "string", "default": "own" }
  }`);
  const params = { ...FORM, requestedSchema: { type: "object", properties } };
  const defaults = { name: "Ada", age: 36, score: 0.5, member: false, color: "blue", tags: ["a"] };
  const content = async (given?: ElicitationAnswer["content"]) => {
    const answer = await answerOf(accept(given), "elicitation/create", params) as { content: JsonObject };
    return JSON.stringify(answer.content);
  };
  const own = '"__proto__":"own","toString":"own"}';
  assertEquals(await content(), `${JSON.stringify(defaults).slice(0, -1)},${own}`);
  const { name: _, member: __, ...others } = defaults;
  const given = { name: "", member: true };
  assertEquals(await content(given), `${JSON.stringify({ ...given, ...others }).slice(0, -1)},${own}`);
});

Deno.test("InputResponder.answer() takes a form without properties", async () => {
  for (const requestedSchema of [{}, { properties: null }, { properties: [1] }] as readonly JsonObject[]) {
    assertEquals(await answerOf(accept(), "elicitation/create", { ...FORM, requestedSchema }), {
      action: "accept",
      content: {},
    });
  }
});

/** Parameters that never reach a handler, with the field that the refusal names. */
const INVALID: readonly (readonly [string, JsonObject, string, InputHandlers?])[] = [
  ["elicitation/create", { ...FORM, mode: "later" }, "mode"],
  ["elicitation/create", { ...FORM, mode: "url" }, "mode", { elicitationModes: ["form"] }],
  ["elicitation/create", FORM, "mode", { elicitationModes: ["url"] }],
  ["elicitation/create", { ...FORM, message: 7 }, "message"],
  ["elicitation/create", { ...FORM, message: "x".repeat(16_385) }, "message"],
  ["elicitation/create", { mode: "form", message: "Name?" }, "requestedSchema"],
  ["elicitation/create", { ...FORM, requestedSchema: [] }, "requestedSchema"],
  ["elicitation/create", { mode: "url", message: "Log in" }, "url"],
  ["elicitation/create", { ...PAGE, url: "example.com" }, "url"],
  ["elicitation/create", { ...PAGE, url: "javascript:alert(1)" }, "url"],
  ["elicitation/create", { ...PAGE, url: "file:///etc/passwd" }, "url"],
  ["sampling/createMessage", { maxTokens: 10 }, "messages"],
  ["sampling/createMessage", { ...ASKED, messages: ["Hi"] }, "messages"],
  ["sampling/createMessage", { ...ASKED, maxTokens: "10" }, "maxTokens"],
  ["sampling/createMessage", { ...ASKED, tools: [] }, "tools"],
  ["sampling/createMessage", { ...ASKED, toolChoice: { mode: "auto" } }, "tools"],
];

for (const [index, [method, params, field, more]] of INVALID.entries()) {
  Deno.test(`InputResponder.answer() refuses invalid parameters of ${method} by its field: ${field} (${index + 1})`, async () => {
    let asked = 0;
    const count = () => {
      asked++;
      throw new Error("It is not to be asked");
    };
    const handlers = { onElicit: count, onSample: count, ...more };
    assertEquals(await answerOf(handlers, method, params), [-32602, `Invalid params: ${field}`]);
    assertEquals(asked, 0);
  });
}

Deno.test("InputResponder.answer() hands a sampling request to onSample, with tools where it takes them", async () => {
  const tools = { tools: [{ name: "a" }], toolChoice: { mode: "auto" } };
  const heard: unknown[] = [];
  const onSample: InputHandlers["onSample"] = (request) => {
    heard.push(request);
    return SAID;
  };
  assertEquals(await answerOf({ onSample }, "sampling/createMessage", { ...ASKED, later: 1 }), SAID as unknown);
  const withTools = { ...ASKED, ...tools };
  assertEquals(await answerOf({ onSample, samplingTools: true }, "sampling/createMessage", withTools), SAID as unknown);
  assertEquals(heard, [{ ...ASKED, later: 1 }, withTools]);
});

Deno.test("InputResponder.answer() lists the roots, and their names where they have one", async () => {
  const roots = [{ uri: "file:///a", name: "A" }, { uri: "file:///b", secret: CANARY }];
  assertEquals(await answerOf({ onListRoots: () => roots }, "roots/list"), {
    roots: [{ uri: "file:///a", name: "A" }, { uri: "file:///b" }],
  });
});

Deno.test("InputResponder.answer() knows no method for which there is no handler", async () => {
  const cases: readonly (readonly [InputHandlers, string, JsonObject])[] = [
    [{ onSample }, "elicitation/create", FORM],
    [{ onElicit }, "sampling/createMessage", ASKED],
    [{ onElicit }, "roots/list", {}],
    [{ onElicit, onSample, onListRoots }, "ping", {}],
    [{ onElicit, onSample, onListRoots }, "__proto__", {}],
  ];
  for (const [handlers, method, params] of cases) {
    assertEquals(await answerOf(handlers, method, params), [-32601, "Method not found"]);
  }
});

const fails = () => {
  throw new Error(CANARY);
};

/** Handlers that do not answer as they should. */
const FAILING: readonly (readonly [string, InputHandlers, string, JsonObject])[] = [
  ["onElicit throws", { onElicit: fails }, "elicitation/create", FORM],
  ["onElicit rejects", { onElicit: () => Promise.reject(CANARY) }, "elicitation/create", FORM],
  ["onElicit answers another action", { onElicit: () => ({ action: CANARY } as never) }, "elicitation/create", FORM],
  ["onElicit answers nothing", { onElicit: () => undefined as never }, "elicitation/create", FORM],
  ["onSample throws", { onSample: fails }, "sampling/createMessage", ASKED],
  [
    "onSample answers no model",
    { onSample: () => ({ ...SAID, model: undefined } as never) },
    "sampling/createMessage",
    ASKED,
  ],
  ["onSample answers text", { onSample: () => CANARY as never }, "sampling/createMessage", ASKED],
  ["onListRoots throws", { onListRoots: fails }, "roots/list", {}],
  ["onListRoots names a page", { onListRoots: () => [{ uri: `https://${CANARY}` }] }, "roots/list", {}],
];

for (const [what, handlers, method, params] of FAILING) {
  Deno.test(`InputResponder.answer() says nothing but that it failed where ${what}`, async () => {
    assertEquals(await answerOf(handlers, method, params), [-32603, "The request could not be answered"]);
  });
}

Deno.test("InputResponder.answer() says that it was rejected where a handler denies it, and keeps the cause", async () => {
  const denied = new MCPError("denied", `Cannot do it: ${CANARY}`, { server: "files" });
  const responder = createResponder("files", { onSample: () => Promise.reject(denied) });
  const refusal = await responder?.answer("sampling/createMessage", ASKED, signal).catch((error) => error);
  assertEquals([refusal.code, refusal.message], [-1, "The request was rejected"]);
  assertStrictEquals(refusal.cause, denied);
});

Deno.test("InputResponder.answer() no longer waits once its signal is aborted, whatever the handler does", async () => {
  const controller = new AbortController();
  let told: AbortSignal | undefined;
  const responder = createResponder("files", {
    onElicit: (_, context) => {
      told = context.signal;
      return new Promise(() => {});
    },
  });
  const waiting = responder?.answer("elicitation/create", FORM, controller.signal).catch((error) => error);
  controller.abort(new Error(CANARY));
  assertEquals([(await waiting).code, told?.aborted], [-32603, true]);
});
