import { assertEquals } from "@std/assert";
import { z } from "zod";
import { type InputResponder, RpcRefusal } from "../../src/connection/connection.ts";
import { connectLegacy } from "../../src/connection/legacy_connection.ts";
import { StreamableConnection } from "../../src/connection/streamable_connection.ts";
import { Deadline } from "../../src/deadline.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { type Behaviour, event, hangAfterHead, sse, status } from "../support/behaviours.ts";
import { assertNoCanary, CANARY, until } from "../support/client_support.ts";
import { ask, createTestDesk, createTestResponder, createTestSession } from "../support/connection_support.ts";
import { type RawServer, startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { textResult } from "../support/test_tools.ts";

const TOOLS = { tools: true, prompts: false, resources: false, uris: [] } as const;

function connectRaw(server: RawServer, responder?: InputResponder, era: "legacy" | "modern" = "legacy") {
  const desk = createTestDesk(responder);
  const connection = new StreamableConnection(createTestSession(server.url, era), { resumed: false, desk });
  return { connection, desk };
}

/** What was sent without a method: answers to the server's questions. */
function answersTo(server: RawServer): readonly JsonObject[] {
  const sent = server.requests.filter(({ method, rpcMethod }) => method === "POST" && rpcMethod === undefined);
  return sent.map(({ body }) => body as JsonObject);
}

/** Asks on the stream of a call, and answers the call once the test says so. */
function asking(questions: readonly JsonObject[], until: Promise<unknown>): Behaviour {
  return ({ rpc }) => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async start(controller) {
        const send = (message: JsonObject) => controller.enqueue(new TextEncoder().encode(event(message)));
        for (const question of questions) send(question);
        await until;
        send({ jsonrpc: "2.0", id: rpc.id ?? null, result: { content: [] } });
        controller.close();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}

const ELICIT: JsonObject = { jsonrpc: "2.0", id: "q-1", method: "elicitation/create", params: { message: "Name?" } };

Deno.test("StreamableConnection.request() answers a legacy server on the stream of the call by a POST of the session", async () => {
  const answered = Promise.withResolvers<void>();
  await using server = startRawServer({
    "tools/call": asking([ELICIT, { jsonrpc: "2.0", id: 7, method: "ping" }], answered.promise),
  });
  const responder = createTestResponder();
  const { connection } = connectRaw(server);
  const result = ask(connection, { input: responder });
  await until(() => answersTo(server).length === 2);
  answered.resolve();
  assertEquals(await result, { content: [] });
  assertEquals(answersTo(server).toSorted((a, b) => String(a.id).localeCompare(String(b.id))), [
    { jsonrpc: "2.0", id: 7, result: {} },
    { jsonrpc: "2.0", id: "q-1", result: { method: "elicitation/create" } },
  ]);
  assertEquals(responder.asked.map(({ params }) => params), [{ message: "Name?" }]);
  const posted = server.requests.find(({ rpcMethod }) => rpcMethod === undefined);
  assertEquals(posted?.headers.get("mcp-session-id"), "s-1");
  await connection.close();
});

Deno.test("StreamableConnection.request() turns to the desk where the request has no responder of its own", async () => {
  for (const responder of [undefined, createTestResponder()]) {
    const answered = Promise.withResolvers<void>();
    await using server = startRawServer({ "tools/call": asking([ELICIT], answered.promise) });
    const { connection } = connectRaw(server, responder);
    const result = ask(connection);
    await until(() => answersTo(server).length === 1);
    answered.resolve();
    await result;
    const refusal = { error: { code: -32601, message: "Method not found" } };
    const expected = responder === undefined ? refusal : { result: { method: "elicitation/create" } };
    assertEquals(answersTo(server), [{ jsonrpc: "2.0", id: "q-1", ...expected }]);
    await connection.close();
  }
});

Deno.test("StreamableConnection.request() ends a question with the call, and sends no answer after it", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = startRawServer({ "tools/call": asking([ELICIT], asked.promise) });
  const { connection } = connectRaw(server);
  const responder = createTestResponder(({ signal }) => {
    asked.resolve();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve({}), { once: true }));
  });
  await ask(connection, { input: responder });
  assertEquals([responder.asked[0]?.signal.aborted, answersTo(server)], [true, []]);
  await connection.close();
});

Deno.test("StreamableConnection.request() ends a question when the caller gives the call up", async () => {
  const controller = new AbortController();
  await using server = startRawServer({ "tools/call": asking([ELICIT], new Promise(() => {})) });
  const { connection } = connectRaw(server);
  const responder = createTestResponder(({ signal }) => {
    queueMicrotask(() => controller.abort("enough"));
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve({}), { once: true }));
  });
  assertEquals(
    await ask(connection, { input: responder, signal: controller.signal }).catch((error) => error),
    "enough",
  );
  assertEquals(responder.asked[0]?.signal.aborted, true);
  await until(() => server.openStreams() === 0 && server.count("notifications/cancelled") === 1);
  assertEquals(answersTo(server), []);
  await connection.close();
});

Deno.test("StreamableConnection.request() goes on where an answer to the server is refused", async () => {
  const answered = Promise.withResolvers<void>();
  await using server = startRawServer({
    "tools/call": asking([ELICIT], answered.promise),
    POST: (context) => {
      answered.resolve();
      return status(500)(context);
    },
  });
  const { connection } = connectRaw(server);
  assertEquals(await ask(connection, { input: createTestResponder() }), { content: [] });
  await connection.close();
});

Deno.test("StreamableConnection.request() has a real legacy server's question answered, and nothing of a failure", async () => {
  const answers: unknown[] = [];
  await using server = await startMCPServer({
    tools: [{
      name: "ask",
      inputSchema: { text: z.string() },
      run: async (_args, { sendRequest }) => {
        const params = { mode: "form", message: "Name?", requestedSchema: { type: "object", properties: {} } } as const;
        const answer = await sendRequest({ method: "elicitation/create", params }, z.looseObject({})).catch(String);
        answers.push(answer);
        return textResult("done");
      },
    }],
  });
  const responder = createTestResponder(({ params }) => {
    if (answers.length > 0) throw answers.length === 1 ? new RpcRefusal(-1, "No") : new Error(CANARY);
    return { action: "accept", content: { heard: params.message as string } };
  });
  using deadline = new Deadline(10_000);
  const desk = createTestDesk(responder);
  const { send, now } = createTestSession(server.url);
  const url = new URL(server.url);
  const transport = "streamable_http";
  const connection = await connectLegacy({ server: "files", url, transport, send, desk, deadline, now });
  assertEquals(connection.declared, ["elicitation", "elicitation.form"]);
  for (let calls = 0; calls < 3; calls++) {
    const params = { name: "ask", arguments: { text: "a" } };
    assertEquals(await ask(connection, { params, input: responder }), textResult("done") as unknown as JsonObject);
  }
  assertEquals(answers, [
    { action: "accept", content: { heard: "Name?" } },
    "McpError: MCP error -1: No",
    "McpError: MCP error -32603: The request could not be answered",
  ]);
  assertNoCanary(answers);
  await connection.close();
});

Deno.test("StreamableConnection.listen() answers questions and passes notices to the desk", async () => {
  const changed: JsonObject = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };
  await using server = startRawServer({ GET: () => sse(event(changed) + event(ELICIT)) });
  const responder = createTestResponder();
  const { connection, desk } = connectRaw(server, responder);
  // The stream has ended before its question is answered: a live one has not.
  assertEquals(await connection.listen({ filter: TOOLS, signal: new AbortController().signal }), true);
  assertEquals([desk.notices, responder.asked.length], [[changed], 1]);
  await connection.close();
});

Deno.test("StreamableConnection.listen() sends the answer to a question while its stream is open", async () => {
  await using server = startRawServer({ GET: asking([ELICIT], new Promise(() => {})) });
  const { connection } = connectRaw(server, createTestResponder());
  const controller = new AbortController();
  const ended = connection.listen({ filter: TOOLS, signal: controller.signal }).catch(() => "ended");
  await until(() => answersTo(server).length === 1);
  controller.abort();
  assertEquals([await ended, answersTo(server)[0]?.id], ["ended", "q-1"]);
  await connection.close();
});

Deno.test("StreamableConnection.listen() goes on after the last event of the session's last stream", async () => {
  const changed = event({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
  await using server = startRawServer({ GET: () => sse(`id: e-1\n${changed}`) });
  const { connection } = connectRaw(server);
  const { signal } = new AbortController();
  for (let streams = 0; streams < 2; streams++) await connection.listen({ filter: TOOLS, signal });
  await connection.close();
  const other = connectRaw(server).connection;
  await other.listen({ filter: TOOLS, signal });
  await other.close();
  const streams = server.requests.filter(({ method }) => method === "GET");
  assertEquals(streams.map(({ headers }) => headers.get("last-event-id")), [null, "e-1", null]);
});

Deno.test("StreamableConnection.close() ends the stream of notices", async () => {
  for (const era of ["legacy", "modern"] as const) {
    await using server = startRawServer({ GET: hangAfterHead, "subscriptions/listen": hangAfterHead });
    const { connection } = connectRaw(server, undefined, era);
    const ended = connection.listen({ filter: TOOLS, signal: new AbortController().signal }).catch(() => "ended");
    await until(() => server.openStreams() === 1);
    await connection.close();
    assertEquals(await ended, "ended");
    await until(() => server.openStreams() === 0);
  }
});

Deno.test("StreamableConnection.idle() settles when no request is under way", async () => {
  const answered = Promise.withResolvers<void>();
  await using server = startRawServer({ "tools/call": asking([], answered.promise) });
  const { connection } = connectRaw(server);
  await connection.idle();
  const calls = [ask(connection), ask(connection)];
  let idle = false;
  const waiting = connection.idle().then(() => idle = true);
  await until(() => server.openStreams() === 2);
  assertEquals(idle, false);
  answered.resolve();
  await Promise.all(calls);
  await waiting;
  await connection.close();
});

Deno.test("StreamableConnection.request() keeps what answers questions from a legacy server", async () => {
  await using server = startRawServer();
  const { connection } = connectRaw(server);
  const params = { name: "echo", inputResponses: { a: {} }, requestState: "s" };
  await ask(connection, { params });
  assertEquals((server.requests[0]?.body as JsonObject).params, { name: "echo" });
  await connection.close();
});

Deno.test("StreamableConnection.request() declares to a modern server what the request's responder can do", async () => {
  await using server = startRawServer();
  const { connection } = connectRaw(server, undefined, "modern");
  const capabilities = { extensions: { a: {} } };
  await ask(connection, { input: createTestResponder(), capabilities, logLevel: "warning" });
  await ask(connection);
  const meta = "io.modelcontextprotocol/";
  const sent = server.requests.map(({ body }) => ((body as JsonObject).params as JsonObject)._meta as JsonObject);
  assertEquals(sent.map((fields) => fields[`${meta}clientCapabilities`]), [
    { elicitation: { form: {} }, extensions: { a: {} } },
    {},
  ]);
  assertEquals(sent.map((fields) => fields[`${meta}logLevel`]), ["warning", undefined]);
  await connection.close();
});
