import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { SingleServerMCPClient } from "@portolan/mcp";
import { isJsonObject, type JsonObject } from "../src/protocol.ts";
import { codeOf, until } from "./support/client_support.ts";
import { answer, type Behaviour, endlessSse, event, hang, sequence } from "./support/behaviours.ts";
import { startRawServer } from "./support/fault_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";
import { modernScript } from "./support/modern_script.ts";
import { startModernServer } from "./support/modern_server.ts";

const PARENT = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

Deno.test("F21 SingleServerMCPClient.callTool() gives up after a silence that is too long, and closes the socket", async () => {
  await using server = startRawServer({ "tools/call": hang });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  assertEquals(await codeOf(client.callTool("any", {}, { idleTimeoutMs: 30 })), "deadline_exceeded");
  await until(() => server.openStreams() === 0);
});

for (const era of ["legacy", "modern"] as const) {
  Deno.test(`SingleServerMCPClient.callTool() takes no silence for the server's that a person thinks in: ${era}`, async () => {
    const params = { mode: "form", message: "Name?", requestedSchema: { type: "object", properties: {} } };
    const question = { method: "elicitation/create", params };
    const content: JsonObject[] = [];
    const answered = Promise.withResolvers<void>();
    const legacy: Behaviour = ({ rpc: { id = null } }) => {
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        async start(controller) {
          const send = (message: JsonObject) => controller.enqueue(new TextEncoder().encode(event(message)));
          send({ jsonrpc: "2.0", id: "q-1", ...question });
          await answered.promise;
          send({ jsonrpc: "2.0", id, result: { content } });
          controller.close();
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    };
    const asks = answer({ resultType: "input_required", inputRequests: { who: question } });
    await using server = era === "legacy"
      ? startRawServer({
        "tools/call": legacy,
        "POST": () => (answered.resolve(), new Response(null, { status: 202 })),
      })
      : startRawServer(modernScript({ "tools/call": sequence(asks, answer({ resultType: "complete", content })) }));
    await using client = new SingleServerMCPClient("files", { url: server.url });
    await client.connect();
    const onElicit = () => delay(400).then(() => ({ action: "accept" as const, content: {} }));
    const result = await client.callTool("echo", {}, { idleTimeoutMs: 150, input: { onElicit } });
    assertEquals(result.content, []);
  });
}

Deno.test("F39 SingleServerMCPClient.callTool() lets progress end a silence, and never the total", async () => {
  const progress = (rpc: { readonly params?: unknown }) => {
    const meta = isJsonObject(rpc.params) && isJsonObject(rpc.params._meta) ? rpc.params._meta : {};
    return event({
      jsonrpc: "2.0",
      method: "notifications/progress",
      params: { progressToken: meta.progressToken ?? "", progress: 1 },
    });
  };
  await using server = startRawServer({ "tools/call": endlessSse(progress, 10) });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  let heard = 0;
  const call = client.callTool("any", {}, { idleTimeoutMs: 200, timeoutMs: 600, onProgress: () => void heard++ });
  assertEquals(await codeOf(call), "deadline_exceeded");
  // Many more notices than silences would have fitted in.
  assertEquals(heard > 20, true);
  await until(() => server.openStreams() === 0);
});

for (const [era, start] of [["legacy", startMCPServer], ["modern", startModernServer]] as const) {
  Deno.test(`SingleServerMCPClient.callTool() passes a trace on, as headers and in _meta: ${era}`, async () => {
    await using server = await start();
    await using client = new SingleServerMCPClient("files", { url: server.url });
    await client.callTool("whoami", {}, { trace: { traceparent: PARENT, tracestate: "a=1" } });
    const request = server.requests.find(({ rpcMethod }) => rpcMethod === "tools/call");
    assertEquals([request?.headers.get("traceparent"), request?.headers.get("tracestate")], [PARENT, "a=1"]);
    const params = isJsonObject(request?.body) && isJsonObject(request.body.params) ? request.body.params : {};
    const meta = isJsonObject(params._meta) ? params._meta : {};
    assertEquals([meta.traceparent, meta.tracestate], [PARENT, "a=1"]);
  });
}
