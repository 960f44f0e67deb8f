import { assertEquals, assertRejects } from "@std/assert";
import { createSdkFetch, type SdkFetchOptions } from "../../src/connection/sdk_fetch.ts";
import { MCPError } from "../../src/errors.ts";
import { until } from "../support/client_support.ts";

const REQUEST = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize" });
const NOTICE = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized", params: { requestId: 1 } });

/** The `fetch` for the SDK over an answer of the test's choice. */
function createTestFetch(answer: () => Response, more: Partial<SdkFetchOptions> = {}) {
  let sent = 0;
  let ended = 0;
  const sdkFetch = createSdkFetch({
    server: "files",
    send: () => {
      sent++;
      return Promise.resolve(answer());
    },
    signal: new AbortController().signal,
    now: Date.now,
    maxBytes: 100,
    allowGet: false,
    onRequest: () => () => void ended++,
    onFailure: () => undefined,
    ...more,
  });
  const url = "http://localhost:9/mcp";
  return {
    post: (body = REQUEST) => sdkFetch(url, { method: "POST", body }),
    get: () => sdkFetch(url),
    sent: () => sent,
    ended: () => ended,
  };
}

function chunked(...chunks: readonly string[]): Response {
  const parts = chunks.map((chunk) => new TextEncoder().encode(chunk));
  const headers = { "content-type": "text/event-stream" };
  return new Response(ReadableStream.from(parts) as ReadableStream<Uint8Array<ArrayBuffer>>, { headers });
}

Deno.test("createSdkFetch() answers a GET with 405 where none is allowed, and sends nothing", async () => {
  const { get, sent } = createTestFetch(() => new Response("never"));
  assertEquals([(await get()).status, sent()], [405, 0]);
});

Deno.test("createSdkFetch() rejects 202 to a request, and takes it to a notification", async () => {
  const { post } = createTestFetch(() => new Response(null, { status: 202 }));
  assertEquals((await assertRejects(() => post(), MCPError)).code, "bad_response");
  assertEquals((await post(NOTICE)).status, 202);
  const sse = createTestFetch(() => new Response(null, { status: 202 }), { allowGet: true });
  assertEquals((await sse.post()).status, 202, "the answer comes on the stream");
});

Deno.test("createSdkFetch() hands on the start of a failure, or throws what it is told to", async () => {
  const plain = createTestFetch(() => new Response("x".repeat(10_000), { status: 500 }));
  const response = await plain.post();
  assertEquals([response.status, (await response.text()).length <= 2_048], [500, true]);
  const error = new MCPError("closed", "told to");
  const told = createTestFetch(() => new Response(null, { status: 500 }), { onFailure: () => error });
  assertEquals(await told.post().catch((error) => error), error);
});

Deno.test("createSdkFetch() tells when the stream that carries the answers has ended, and of no other", async () => {
  const streamable = createTestFetch(() => chunked("data: 1\n\n"));
  assertEquals([await (await streamable.post()).text(), streamable.ended()], ["data: 1\n\n", 1]);
  const sse = createTestFetch(() => chunked("data: 1\n\n"), { allowGet: true });
  await (await sse.post()).text();
  assertEquals(sse.ended(), 0);
  await (await sse.get()).text();
  assertEquals(sse.ended(), 1);
});

Deno.test("createSdkFetch() tells the end of a stream that breaks off", async () => {
  const broken = () => new Response(new ReadableStream({ pull: (own) => own.error(new Error("broken")) }));
  const { post, ended } = createTestFetch(broken);
  await assertRejects(async () => await (await post()).text(), Error, "broken");
  await until(() => ended() === 1);
});

Deno.test("createSdkFetch() rejects with too_large past the cap of one answer", async () => {
  const { post, ended } = createTestFetch(() => chunked("x".repeat(60), "x".repeat(60)));
  const response = await post();
  assertEquals((await assertRejects(() => response.text(), MCPError)).code, "too_large");
  await until(() => ended() === 1);
});

for (const newline of ["\n", "\r", "\r\n"]) {
  Deno.test(`createSdkFetch() caps one event of a GET stream, not the stream: ${JSON.stringify(newline)}`, async () => {
    const event = `data: ${"x".repeat(60)}${newline}${newline}`;
    const many = createTestFetch(() => chunked(...event.repeat(20)), { allowGet: true });
    assertEquals((await (await many.get()).text()).length, 20 * event.length);
    const lines = `data: x${newline}`.repeat(20);
    for (const chunks of [[lines], [...lines]]) {
      const one = createTestFetch(() => chunked(...chunks), { allowGet: true });
      const response = await one.get();
      assertEquals((await assertRejects(() => response.text(), MCPError)).code, "too_large");
    }
  });
}
