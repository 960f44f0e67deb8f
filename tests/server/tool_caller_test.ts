import { assertEquals } from "@std/assert";
import { SharedConnections, SingleServerMCPClient } from "@portolan/mcp";
import type { InputHandlers } from "../../src/input.ts";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { answer, type Behaviour, event, sequence } from "../support/behaviours.ts";
import { textOf, until } from "../support/client_support.ts";
import { type RawServer, startRawServer } from "../support/fault_server.ts";

/** A stream that a test writes to. */
class TestStream {
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;

  /** Answers with the stream, after a first message. */
  respond(first?: JsonObject): Response {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#controller = controller;
        if (first !== undefined) this.send(first);
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  send(message: JsonObject): void {
    this.#controller?.enqueue(new TextEncoder().encode(event(message)));
  }
}

function question(id: string): JsonObject {
  const requestedSchema = { type: "object", properties: {} };
  const params = { mode: "form", message: "Name?", requestedSchema };
  return { jsonrpc: "2.0", id, method: "elicitation/create", params };
}

const says = (name: string): InputHandlers => ({ onElicit: () => ({ action: "accept", content: { name } }) });
const said = (id: string, name: string): JsonObject => {
  return { jsonrpc: "2.0", id, result: { action: "accept", content: { name } } };
};
const refused = (id: string): JsonObject => {
  return { jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } };
};

/** What was sent without a method: answers to the server's questions. */
function answersTo(server: RawServer): readonly unknown[] {
  const sent = server.requests.filter(({ method, rpcMethod }) => method === "POST" && rpcMethod === undefined);
  return sent.map(({ body }) => body);
}

Deno.test("ToolCaller.call() answers what is asked beside its task, during a poll and between two", async () => {
  const beside = new TestStream();
  const polled = Promise.withResolvers<void>();
  const task = { taskId: "t-1", status: "working", pollInterval: 100 };
  const tools = [{ name: "slow", inputSchema: { type: "object" }, execution: { taskSupport: "required" } }];
  const capabilities = { tools: {}, tasks: { requests: { tools: { call: {} } } } };
  let isDone = false;
  const poll: Behaviour = async (context) => {
    if (isDone) return await answer({ ...task, status: "completed" })(context);
    await polled.promise;
    return await answer(task)(context);
  };
  await using server = startRawServer({
    "initialize": answer({ protocolVersion: "2025-11-25", capabilities, serverInfo: { name: "files", version: "1" } }),
    "tools/call": answer({ task }),
    "tasks/get": poll,
    "tasks/result": answer({ content: [{ type: "text", text: "done" }] }),
    "GET": () => beside.respond(),
    "POST": () => new Response(null, { status: 202 }),
  }, { tools });
  await using client = new SingleServerMCPClient("files", { url: server.url }, { input: says("client") });
  await client.connect();
  const call = client.callTool("slow", {}, { input: says("call") });
  await until(() => server.count("tasks/get") === 1);
  beside.send(question("during"));
  await until(() => answersTo(server).length === 1);
  polled.resolve();
  await until(() => server.openStreams() === 1);
  beside.send(question("between"));
  await until(() => answersTo(server).length === 2);
  isDone = true;
  assertEquals(textOf(await call), "done");
  assertEquals(answersTo(server), [said("during", "call"), said("between", "call")]);
});

Deno.test("ToolCaller.call() is not asked on the stream of what another client of the link does", async () => {
  const list = new TestStream();
  const run = Promise.withResolvers<void>();
  let listId: JsonValue = null;
  const asks: Behaviour = ({ rpc }) => {
    listId = rpc.id ?? null;
    return list.respond(question("list"));
  };
  await using server = startRawServer({
    "tools/list": sequence(answer({ tools: [] }), asks),
    "tools/call": async (context) => {
      await run.promise;
      return context.respondOk();
    },
    "POST": () => new Response(null, { status: 202 }),
  });
  const connections = new SharedConnections();
  await using kairos = new SingleServerMCPClient("files", { url: server.url }, { connections });
  await using mercurius = new SingleServerMCPClient("files", { url: server.url }, { connections });
  await kairos.connect();
  const call = kairos.callTool("echo", { text: "hi" }, { input: says("Kairos") });
  await until(() => server.count("tools/call") === 1);
  const listing = mercurius.listTools();
  await until(() => answersTo(server).length === 1);
  list.send({ jsonrpc: "2.0", id: listId, result: { tools: [] } });
  assertEquals([await listing, answersTo(server)], [[], [refused("list")]]);
  run.resolve();
  assertEquals(textOf(await call), "hi");
});
