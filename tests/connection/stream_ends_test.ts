import { assertEquals } from "@std/assert";
import { SingleServerMCPClient } from "@portolan/mcp";
import { BodyReader } from "../../src/connection/body_reader.ts";
import { StreamEnds } from "../../src/connection/stream_ends.ts";
import { endlessSse, event } from "../support/behaviours.ts";
import { until } from "../support/client_support.ts";
import { startRawServer } from "../support/fault_server.ts";

const ANSWER = { content: [{ type: "text", text: "ok" }] };

/** A stream of which a test decides when it ends. */
function toStream(type?: "bytes") {
  let cancelled = 0;
  const { promise, resolve } = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>>();
  const source = {
    start: (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => resolve(controller),
    cancel: () => void cancelled++,
  };
  const body = type === "bytes"
    ? new ReadableStream({ ...source, type } as unknown as UnderlyingByteSource) as ReadableStream<Uint8Array>
    : new ReadableStream<Uint8Array>(source);
  return { rest: new BodyReader(new Response(), body), controller: promise, cancelled: () => cancelled };
}

for (const type of [undefined, "bytes"] as const) {
  Deno.test(`StreamEnds.take() lets a stream end by itself: ${type}`, async () => {
    const ends = new StreamEnds();
    const stream = toStream(type);
    ends.take(stream.rest);
    const controller = await stream.controller;
    controller.enqueue(new Uint8Array(10));
    controller.close();
    await until(() => stream.rest.bytes === 10);
    await ends.close();
    assertEquals(stream.cancelled(), 0);
  });

  Deno.test(`StreamEnds.take() closes a stream that does not end soon, and one that goes on: ${type}`, async () => {
    const ends = new StreamEnds();
    const silent = toStream(type);
    const talkative = toStream(type);
    ends.take(silent.rest);
    ends.take(talkative.rest);
    const controller = await talkative.controller;
    for (let kib = 0; kib < 8; kib++) controller.enqueue(new Uint8Array(1024));
    await until(() => talkative.cancelled() === 1);
    assertEquals(silent.cancelled(), 0);
    await until(() => silent.cancelled() === 1);
    await ends.close();
  });

  Deno.test(`StreamEnds.close() closes what has not ended, and what comes later at once: ${type}`, async () => {
    const ends = new StreamEnds();
    const streams = [toStream(type), toStream(type)];
    ends.take(streams[0]!.rest);
    await ends.close();
    assertEquals(streams[0]!.cancelled(), 1);
    ends.take(streams[1]!.rest);
    await ends.close();
    assertEquals(streams[1]!.cancelled(), 1);
  });
}

Deno.test("StreamEnds.take() takes 64 streams and closes those beyond at once", async () => {
  const ends = new StreamEnds();
  const streams = Array.from({ length: 65 }, () => toStream());
  for (const { rest } of streams) ends.take(rest);
  await until(() => streams[64]!.cancelled() === 1);
  assertEquals(streams.filter(({ cancelled }) => cancelled() > 0).length, 1);
  await ends.close();
});

Deno.test("StreamEnds.take() minds no stream that breaks off", async () => {
  const ends = new StreamEnds();
  const stream = toStream();
  ends.take(stream.rest);
  (await stream.controller).error(new TypeError("broken"));
  await ends.close();
});

Deno.test("SingleServerMCPClient.callTool() uses a connection again whose stream ended after the answer", async () => {
  await using server = startRawServer({
    "tools/call": ({ rpc }) => {
      const text = event({ jsonrpc: "2.0", id: rpc.id ?? null, result: ANSWER });
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode(text));
          await new Promise((resolve) => setTimeout(resolve));
          controller.close();
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
  });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  for (let call = 0; call < 20; call++) {
    await client.callTool("echo");
    await until(() => server.openStreams() === 0);
  }
  // Three connections at most served the handshake and 20 calls.
  assertEquals(server.acceptedConnections() <= 3, true, `${server.acceptedConnections()} connections`);
});

Deno.test("SingleServerMCPClient.close() closes a stream that goes on after the answer", async () => {
  await using server = startRawServer({
    "tools/call": endlessSse((rpc) => event({ jsonrpc: "2.0", id: rpc.id ?? null, result: ANSWER }), 10),
  });
  const client = new SingleServerMCPClient("files", { url: server.url });
  await client.callTool("echo");
  await client.close();
  await until(() => server.openStreams() === 0);
});
