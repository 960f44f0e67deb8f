/** Servers that ask too much, the wrong thing, the wrong one, or at the wrong time. */

import { assertEquals, assertFalse, assertLessOrEqual } from "@std/assert";
import { type Elicitation, type InputHandlers, MultiServerMCPClient, SharedConnections } from "@portolan/mcp";
import { ServerQuestions } from "../../src/connection/server_questions.ts";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { after, type Behaviour, event, hang, sse } from "../support/behaviours.ts";
import { assertNoCanary, CANARY, codeOf, failureOf, textOf, until } from "../support/client_support.ts";
import { startRawServer } from "../support/fault_server.ts";
import { aborted } from "../support/interventions.ts";
import { settled } from "../support/manual_time.ts";
import { features, featureTest, openStream, repliesTo } from "./_feature_case.ts";

/** How many questions of one stream are answered at once; then one a second. */
const MAX_QUESTIONS = 64;
const FORM: JsonObject = { message: "Name?", requestedSchema: { type: "object", properties: {} } };
const RESULT: JsonObject = { content: [{ type: "text", text: "done" }] };
const ACCEPT = { action: "accept" as const };

function question(id: JsonValue, method = "elicitation/create", params: JsonObject = FORM): JsonObject {
  return { jsonrpc: "2.0", id, method, params };
}

/** An SSE answer with these messages before it, and those after it. */
function asking(before: readonly JsonObject[], behind: readonly JsonObject[] = []): Behaviour {
  return ({ rpc }) => {
    const messages = [...before, { jsonrpc: "2.0", id: rpc.id ?? null, result: RESULT }, ...behind];
    return sse(messages.map(event).join(""));
  };
}

/** The same, with the answer once the promise has settled. */
function askingUntil(before: readonly JsonObject[], settling: Promise<unknown>): Behaviour {
  return ({ rpc }) => {
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async start(controller) {
        controller.enqueue(encoder.encode(before.map(event).join("")));
        await settling;
        try {
          controller.enqueue(encoder.encode(event({ jsonrpc: "2.0", id: rpc.id ?? null, result: RESULT })));
          controller.close();
        } catch {
          // The client has left.
        }
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}

/** Handlers that accept everything and keep what they were asked. */
function accepting() {
  const asked: Elicitation[] = [];
  const input: InputHandlers = { onElicit: (elicitation) => (asked.push(elicitation), ACCEPT), onListRoots: () => [] };
  return { asked, input };
}

const FLOOD = Array.from({ length: 10_000 }, (_, id) => question(id));
const PINGS = Array.from({ length: 3_000 }, (_, id) => ({ jsonrpc: "2.0", id, method: "ping" }));

featureTest("F37 10,000 elicitations on the stream of a call: few reach the person, the call has its answer", {
  "tools/call": asking(FLOOD),
}, async ({ call, faulty }) => {
  const { asked, input } = accepting();
  assertEquals(textOf(await call("hi", { input })), "done");
  assertLessOrEqual(asked.length, MAX_QUESTIONS);
  assertLessOrEqual(repliesTo(faulty).length, MAX_QUESTIONS);
}, { answeredAtOnce: MAX_QUESTIONS + 2 });

const answered = Promise.withResolvers<void>();
featureTest("F37 3,000 pings on the stream of a call: few are answered, the call has its answer", {
  "tools/call": askingUntil(PINGS, answered.promise),
}, async ({ call, faulty }) => {
  const calling = call("hi");
  await until(() => repliesTo(faulty).length >= MAX_QUESTIONS);
  answered.resolve();
  assertEquals(textOf(await calling), "done");
  assertLessOrEqual(repliesTo(faulty).length, MAX_QUESTIONS + 5);
}, { answeredAtOnce: MAX_QUESTIONS + 3 });

featureTest("F37 pings whose answers the server never takes: the call has its answer, and all is freed", {
  POST: hang,
  "tools/call": asking(PINGS),
}, async ({ call, faulty }) => {
  assertEquals(textOf(await call("hi")), "done");
  await until(() => faulty.openStreams() === 0);
}, { answeredAtOnce: 4 });

/** Questions whose answers are never taken; how many are on their way. */
function createUntaken(sendTimeoutMs?: number) {
  const sending = { open: 0, nowMs: 0 };
  const ending = new AbortController();
  const questions = new ServerQuestions({
    responder: undefined,
    signal: ending.signal,
    sendTimeoutMs,
    now: () => sending.nowMs,
    send: async (_, signal) => {
      sending.open++;
      await aborted(signal);
      sending.open--;
    },
  });
  return { questions, sending, ending };
}

Deno.test("F37 ServerQuestions has few answers on their way, however long a server does not take them", async () => {
  const { questions, sending, ending } = createUntaken();
  for (let count = 0; count < 1_000; count++, sending.nowMs += 1_000) {
    questions.take({ jsonrpc: "2.0", id: count, method: count % 2 === 0 ? "ping" : "roots/list" });
    await settled();
  }
  assertEquals(sending.open, MAX_QUESTIONS);
  ending.abort();
  await until(() => sending.open === 0);
});

Deno.test("F37 ServerQuestions gives up an answer that a server does not take in time, and answers on", async () => {
  const { questions, sending, ending } = createUntaken(20);
  for (let id = 0; id < MAX_QUESTIONS; id++) questions.take({ jsonrpc: "2.0", id, method: "ping" });
  await settled();
  assertEquals(sending.open, MAX_QUESTIONS);
  await until(() => sending.open === 0);
  sending.nowMs += 1_000;
  questions.take({ jsonrpc: "2.0", id: "later", method: "ping" });
  await until(() => sending.open === 1);
  ending.abort();
  await until(() => sending.open === 0);
});

featureTest("F17 sampling with 5 MB on the stream of a call: too_large, nobody is asked", {
  "tools/call": asking([
    question(1, "sampling/createMessage", { messages: [{ text: "x".repeat(5e6) }], maxTokens: 1 }),
  ]),
}, async ({ call }) => {
  let asked = 0;
  const onSample = () => {
    asked++;
    return { role: "assistant", model: "m", content: { type: "text", text: "" } } as const;
  };
  await failureOf(() => call("hi", { input: { onSample } }), "too_large");
  assertEquals(asked, 0);
});

/** Questions that no handler may see, and what the server is told. */
const REFUSED: readonly (readonly [string, JsonObject, number])[] = [
  ["an unknown method", question(1, "files/delete", { path: "/" }), -32601],
  ["a method called constructor", question(1, "constructor"), -32601],
  ["a capability that was not declared", question(1, "sampling/createMessage", { messages: [], maxTokens: 1 }), -32601],
  ["a form without a schema", question(1, "elicitation/create", { message: "Name?" }), -32602],
  ["a message of 1 MB", question(1, "elicitation/create", { ...FORM, message: "x".repeat(1e6) }), -32602],
  [
    "a javascript: URL",
    question(1, "elicitation/create", { mode: "url", message: "m", url: "javascript:alert(1)" }),
    -32602,
  ],
  ["a file: URL", question(1, "elicitation/create", { mode: "url", message: "m", url: "file:///etc/passwd" }), -32602],
  ["a mode that is none", question(1, "elicitation/create", { ...FORM, mode: "__proto__" }), -32602],
];

for (const [what, asked, code] of REFUSED) {
  const replied = Promise.withResolvers<void>();
  featureTest(`F22 ${what} on the stream of a call: refused with ${code}, nobody is asked`, {
    "tools/call": askingUntil([asked], replied.promise),
  }, async ({ call, faulty }) => {
    const { asked, input } = accepting();
    const calling = call("hi", { input });
    await until(() => repliesTo(faulty).length === 1);
    replied.resolve();
    assertEquals(textOf(await calling), "done");
    assertEquals([repliesTo(faulty).map(({ id, error }) => [id, (error as JsonObject).code]), asked], [
      [[1, code]],
      [],
    ]);
  });
}

const IDS: readonly JsonValue[] = [null, { a: 1 }, [1], true];
featureTest("F22 questions whose ids are none: passed over, the call has its answer", {
  "tools/call": asking(IDS.map((id) => question(id))),
}, async ({ call, faulty }) => {
  const { asked, input } = accepting();
  assertEquals(textOf(await call("hi", { input })), "done");
  assertEquals([asked, repliesTo(faulty)], [[], []]);
});

featureTest("F24 questions behind the answer: nobody is asked", {
  "tools/call": asking([], Array.from({ length: 20 }, (_, id) => question(id))),
}, async ({ call, faulty }) => {
  const { asked, input } = accepting();
  assertEquals(textOf(await call("hi", { input })), "done");
  assertEquals(textOf(await call("hi", { input })), "done");
  assertEquals([asked, repliesTo(faulty)], [[], []]);
});

featureTest("F2 a handler that never settles: the deadline ends the call, its signal is aborted, nothing is left", {
  "tools/call": askingUntil([question(1)], new Promise(() => {})),
}, async ({ call, faulty }) => {
  let signal: AbortSignal | undefined;
  const onElicit = (_: Elicitation, context: { readonly signal: AbortSignal }) => {
    signal = context.signal;
    return new Promise<never>(() => {});
  };
  await failureOf(() => call("hi", { input: { onElicit }, timeoutMs: 300 }), "deadline_exceeded");
  assertEquals([signal?.aborted, repliesTo(faulty)], [true, []]);
});

for (const kind of ["throws", "rejects", "answers nonsense"]) {
  const replied = Promise.withResolvers<void>();
  featureTest(`S4 a handler that ${kind} with a secret: the server is told nothing of it`, {
    "tools/call": askingUntil([question(1)], replied.promise),
  }, async ({ call, faulty }) => {
    const onElicit = () => {
      if (kind === "throws") throw new Error(CANARY);
      return kind === "rejects" ? Promise.reject(new Error(CANARY)) : { action: CANARY as "accept" };
    };
    const calling = call("hi", { input: { onElicit } });
    await until(() => repliesTo(faulty).length === 1);
    replied.resolve();
    assertEquals(textOf(await calling), "done");
    assertEquals((repliesTo(faulty)[0]!.error as JsonObject).code, -32603);
    assertNoCanary(faulty.requests.map(({ body }) => body));
  });
}

Deno.test("F23 questions beside two agents' calls on one connection: neither agent is asked", async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const called = Promise.withResolvers<void>();
  let calls = 0;
  await using server = startRawServer({
    ...features(),
    GET: openStream("", called.promise.then(() => event(question("who")))),
    "tools/call": async (context) => {
      if (++calls === 2) called.resolve();
      return await after(gate)(context);
    },
  }, { sessionId: "s-1" });
  const connections = new SharedConnections();
  const servers = { files: { url: server.url } };
  await using kairos = new MultiServerMCPClient("Kairos", { servers }, { connections });
  await using mercurius = new MultiServerMCPClient("Mercurius", { servers }, { connections });
  const [one, other] = [accepting(), accepting()];
  const calling = [
    kairos.callTool("files__echo", { text: "hi" }, { input: one.input }),
    mercurius.callTool("files__echo", { text: "hi" }, { input: other.input }),
  ];
  await until(() => repliesTo(server).length === 1);
  open();
  assertEquals((await Promise.all(calling)).map(textOf), ["hi", "hi"]);
  assertEquals([one.asked, other.asked], [[], []]);
  assertEquals((repliesTo(server)[0]!.error as JsonObject).code, -32601);
  await Promise.all([kairos.close(), mercurius.close()]);
  await until(() => server.openStreams() === 0);
});

const [arrived, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
featureTest("F24 a question beside a call that ends meanwhile: its handler is told so, although the stream goes on", {
  GET: openStream("", arrived.promise.then(() => event(question("late")))),
  "tools/call": (context) => {
    arrived.resolve();
    return after(asked.promise)(context);
  },
}, async ({ call, client, faulty }) => {
  await client.connectToServers();
  let signal: AbortSignal | undefined;
  const onElicit = (_: Elicitation, context: { readonly signal: AbortSignal }) => {
    signal = context.signal;
    asked.resolve();
    return new Promise<never>(() => {});
  };
  assertEquals(textOf(await call("hi", { input: { onElicit } })), "hi");
  await settled();
  assertEquals([signal?.aborted, faulty.openStreams()], [true, 1]);
  assertFalse(repliesTo(faulty).some(({ result }) => result !== undefined));
}, { config: { watch: true }, liveStreams: 1 });

featureTest("F37 questions on the stream of notices that no call waits for: refused, bounded in number", {
  GET: openStream(FLOOD.slice(0, 3_000).map(event).join("")),
}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  await until(() => repliesTo(faulty).length >= MAX_QUESTIONS);
  assertEquals(textOf(await call("still")), "still");
  assertLessOrEqual(repliesTo(faulty).length, MAX_QUESTIONS + 5);
  assertFalse(repliesTo(faulty).some(({ result }) => result !== undefined));
  assertEquals(await codeOf(client.readResource("faulty://a")), "ok");
}, { config: { watch: true }, liveStreams: 1, answeredAtOnce: MAX_QUESTIONS + 2 });

/** A server of the old SSE transport, with a way to say something on its stream. */
function startOldServer(post: Behaviour) {
  const encoder = new TextEncoder();
  let stream: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  const say = (text: string) => stream?.enqueue(encoder.encode(text));
  const gone = () => new Response(null, { status: 404 });
  const onStream: Behaviour = async ({ respondOk }) => {
    say(event(await respondOk().json()));
    return new Response(null, { status: 202 });
  };
  const server = startRawServer({
    "server/discover": gone,
    initialize: (context) => new URL(context.request.url).pathname === "/mcp" ? gone() : onStream(context),
    "tools/list": onStream,
    "tools/call": onStream,
    POST: post,
    GET: () => {
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (controller) => void (stream = controller) });
      say("event: endpoint\ndata: /messages\n\n");
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
  });
  return { server, say };
}

for (const [what, post] of [["takes", () => new Response(null, { status: 202 })], ["never takes", hang]] as const) {
  for (const method of ["ping", "roots/list"]) {
    Deno.test(`F37 3,000 times ${method} on an old SSE stream of a server that ${what} the answers: few are sent`, async () => {
      const { server, say } = startOldServer(post);
      await using _ = server;
      await using client = new MultiServerMCPClient("Kairos", { servers: { s: { url: server.url } } });
      assertEquals(await client.connectToServers(), { s: true });
      say(Array.from({ length: 3_000 }, (_, id) => event({ jsonrpc: "2.0", id, method })).join(""));
      await until(() => repliesTo(server).length >= MAX_QUESTIONS);
      assertEquals(textOf(await client.callTool("s__echo", { text: "hi" })), "hi");
      assertLessOrEqual(server.openConnections(), MAX_QUESTIONS + 5);
      await client.close();
      await until(() => server.openStreams() === 0);
    });
  }
}

Deno.test("F37 3,000 pings before the answer to initialize: few are answered at once, and it is connected to", async () => {
  let [open, mostOpen] = [0, 0];
  await using server = startRawServer({
    POST: async (context) => {
      mostOpen = Math.max(mostOpen, ++open);
      await after(Promise.resolve())(context);
      open--;
      return new Response(null, { status: 202 });
    },
    initialize: async ({ respondOk }) => sse(PINGS.map(event).join("") + event(await respondOk().json())),
  });
  await using client = new MultiServerMCPClient("Kairos", { servers: { s: { url: server.url } } });
  assertEquals(await client.connectToServers(), { s: true });
  assertLessOrEqual(mostOpen, MAX_QUESTIONS);
  assertLessOrEqual(server.acceptedConnections(), MAX_QUESTIONS + 5);
});
