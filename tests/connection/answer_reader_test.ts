import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { type AnswerCaps, readAnswer } from "../../src/connection/answer_reader.ts";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { failureOf } from "../support/client_support.ts";

const CAPS: AnswerCaps = { maxBodyBytes: 10_000, maxEventChars: 5_000 };
const JSON_TYPE = "application/json";
const SSE_TYPE = "text/event-stream";
const ENCODER = new TextEncoder();

interface Body {
  readonly response: Response;
  readonly cancelled: () => boolean;
}

/** An answer in chunks, which tells whether the rest was given up. */
function toBody(type: string, ...chunks: readonly (string | Uint8Array<ArrayBuffer>)[]): Body {
  let cancelled = false;
  let at = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const chunk = chunks[at++];
      if (chunk === undefined) controller.close();
      else controller.enqueue(typeof chunk === "string" ? ENCODER.encode(chunk) : chunk);
    },
    cancel: () => void (cancelled = true),
  }, { highWaterMark: 0 });
  return { response: new Response(body, { headers: { "content-type": type } }), cancelled: () => cancelled };
}

async function read(body: Body, more: { id?: string; onMessage?: (message: JsonObject) => void } = {}) {
  return await readAnswer(body.response, { server: "files", id: "id-1", caps: CAPS, ...more });
}

function message(result: JsonValue, id: JsonValue = "id-1"): JsonObject {
  return { jsonrpc: "2.0", id, result };
}

function event(value: JsonValue): string {
  return `event: message\ndata: ${JSON.stringify(value)}\n\n`;
}

const NOTICE = { jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1 } };
const PING = { jsonrpc: "2.0", id: "id-1", method: "ping" };

for (const type of [JSON_TYPE, "Application/JSON; charset=utf-8"]) {
  Deno.test(`readAnswer() reads a JSON answer: ${type}`, async () => {
    assertEquals(await read(toBody(type, JSON.stringify(message("ö")))), message("ö"));
  });
}

for (const type of [SSE_TYPE, "text/event-stream;charset=utf-8"]) {
  Deno.test(`readAnswer() reads an SSE answer and leaves what follows: ${type}`, async () => {
    const body = toBody(type, `: hello\n\nretry: 0\n\n${event(message("ö"))}`, event(message("second")));
    assertEquals(await read(body), message("ö"));
    assertEquals(body.cancelled(), true);
  });
}

Deno.test("readAnswer() resolves to an error with the id, and to one whose id the server could not read", async () => {
  for (const id of ["id-1", null]) {
    const error = { jsonrpc: "2.0", id, error: { code: -32600, message: "no" } };
    assertEquals(await read(toBody(JSON_TYPE, JSON.stringify(error))), error);
    assertEquals(await read(toBody(SSE_TYPE, event(error))), error);
  }
});

Deno.test("readAnswer() tells of the messages before the answer, and takes no request for an answer", async () => {
  for (const type of [JSON_TYPE, SSE_TYPE]) {
    const told: unknown[] = [];
    const all = [NOTICE, PING, message(1)];
    const text = type === JSON_TYPE ? JSON.stringify(all) : all.map(event).join("");
    assertEquals(await read(toBody(type, text), { onMessage: ({ method }) => told.push(method) }), message(1));
    assertEquals(told, ["notifications/progress", "ping"]);
  }
});

Deno.test("F22 readAnswer() takes no answer with another id", async () => {
  for (const id of ["id-2", 1, null, ["id-1"], { id: "id-1" }]) {
    await failureOf(() => read(toBody(JSON_TYPE, JSON.stringify(message("foreign", id)))), "bad_response");
    assertEquals(await read(toBody(SSE_TYPE, event(message("foreign", id)), event(message("own")))), message("own"));
    assertEquals(await read(toBody(SSE_TYPE, event(message("foreign", id)))), undefined);
  }
  const noId = { jsonrpc: "2.0", result: 1 };
  assertEquals(await read(toBody(SSE_TYPE, event(noId))), undefined);
  assertEquals(await read(toBody(SSE_TYPE, event({ jsonrpc: "2.0", id: "id-1" }))), undefined);
});

Deno.test("F24 readAnswer() resolves to the first of two answers", async () => {
  assertEquals(await read(toBody(SSE_TYPE, event(message("first")) + event(message("second")))), message("first"));
  assertEquals(await read(toBody(JSON_TYPE, JSON.stringify([message(1), message(2)]))), message(1));
});

Deno.test("F5 readAnswer() is undefined where a stream ends without the answer", async () => {
  for (const chunks of [[], [": nothing\n\n"], [event(NOTICE)], ["data: {}\n\n"], ["event: other\ndata: 1\n\n"]]) {
    assertEquals(await read(toBody(SSE_TYPE, ...chunks)), undefined);
  }
});

Deno.test("F13 readAnswer() rejects with bad_response where the answer is not JSON", async () => {
  for (const text of ["", "{", "<html>", '{"jsonrpc":"2.0"} x', "null", "7", "[]", "{}"]) {
    await failureOf(() => read(toBody(JSON_TYPE, text)), "bad_response");
  }
  const body = toBody(SSE_TYPE, "data: {broken\n\n", event(message(1)));
  await failureOf(() => read(body), "bad_response");
  assertEquals(body.cancelled(), true);
});

for (const type of ["text/html", "text/plain", "", "application/json-seq", "text/event-stream-x"]) {
  Deno.test(`F14 readAnswer() rejects with bad_response for the content type "${type}" and closes the body`, async () => {
    const body = toBody(type, JSON.stringify(message(1)), "more");
    await failureOf(() => read(body), "bad_response");
    assertEquals(body.cancelled(), true);
  });
}

Deno.test("readAnswer() rejects with bad_response for an answer without a body, and for 202", async () => {
  const headers = { "content-type": JSON_TYPE };
  const answers = [
    new Response(null, { status: 200, headers }),
    new Response(null, { status: 204 }),
    new Response(JSON.stringify(message(1)), { status: 202, headers }),
  ];
  for (const response of answers) {
    await failureOf(() => readAnswer(response, { server: "files", id: "id-1", caps: CAPS }), "bad_response");
  }
});

Deno.test("F17 readAnswer() stops at the cap of a body, however it comes", async () => {
  const large = JSON.stringify(message("x".repeat(CAPS.maxBodyBytes)));
  for (const chunks of [[large], [...large].map((character) => character)]) {
    const body = toBody(JSON_TYPE, ...chunks, "never read", "never read");
    await failureOf(() => read(body), "too_large");
    assertEquals(body.cancelled(), true);
  }
  const exact = JSON.stringify(message(""));
  const fits = JSON.stringify(message("x".repeat(CAPS.maxBodyBytes - exact.length)));
  assertEquals((await read(toBody(JSON_TYPE, fits)))?.id, "id-1");
});

Deno.test("F19 readAnswer() stops at the cap of an event and of a line that never ends", async () => {
  const line = toBody(SSE_TYPE, "data: ", ...Array.from({ length: 100 }, () => "x".repeat(1_000)));
  await failureOf(() => read(line), "too_large");
  assertEquals(line.cancelled(), true);
  const many = toBody(SSE_TYPE, ...Array.from({ length: 100 }, () => `data: ${"x".repeat(500)}\n`), "never read");
  await failureOf(() => read(many), "too_large");
});

Deno.test("F38 readAnswer() refuses a batch of more than 100 messages", async () => {
  const batch = (count: number) => JSON.stringify([...Array.from({ length: count - 1 }, () => ({})), message(1)]);
  assertEquals(await read(toBody(JSON_TYPE, batch(100))), message(1));
  await failureOf(() => read(toBody(JSON_TYPE, batch(101))), "too_large");
});

Deno.test("F6 readAnswer() rejects with what broke the body", async () => {
  for (const type of [JSON_TYPE, SSE_TYPE]) {
    const broken = new TypeError("error reading a body");
    const body = new ReadableStream({ pull: (controller) => controller.error(broken) });
    const response = new Response(body, { headers: { "content-type": type } });
    const options = { server: "files", id: "id-1", caps: CAPS };
    assertStrictEquals(await assertRejects(() => readAnswer(response, options)), broken);
  }
});

Deno.test("readAnswer() reads an answer cut into chunks at any byte, with any line ends", async () => {
  const newlines = fc.constantFrom("\n", "\r\n", "\r");
  const cuts = fc.array(fc.nat(400), { maxLength: 6 });
  await fc.assert(fc.asyncProperty(newlines, cuts, fc.string({ unit: "binary" }), async (newline, at, text) => {
    const own = message(text.toWellFormed());
    const whole = (`: hi\n\n${event(NOTICE)}id: 7\n${event(own)}: bye\n\n`).replaceAll("\n", newline);
    const bytes = ENCODER.encode(whole);
    const offsets = [0, ...at.map((offset) => Math.min(offset, bytes.length)).sort((a, b) => a - b), bytes.length];
    const chunks = offsets.slice(1).map((end, index) => bytes.slice(offsets[index], end));
    assertEquals(await read(toBody(SSE_TYPE, ...chunks)), own);
  }));
});

Deno.test("readAnswer() is undefined for an answer that breaks off at any byte, and never half an answer", async () => {
  const own = message({ text: "größe 検索", list: [1, 2, 3] });
  const bytes = ENCODER.encode(`: hi\n\n${event(NOTICE)}${event(own)}`);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (end) => {
      assertEquals(await read(toBody(SSE_TYPE, bytes.slice(0, end))), undefined);
    }),
    { numRuns: 2 * bytes.length },
  );
  assertEquals(await read(toBody(SSE_TYPE, bytes)), own);
});

Deno.test("readAnswer() rejects a JSON answer that breaks off at any byte", async () => {
  const bytes = ENCODER.encode(JSON.stringify(message("größe")));
  for (let end = 0; end < bytes.length; end++) {
    await failureOf(() => read(toBody(JSON_TYPE, bytes.slice(0, end))), "bad_response");
  }
});
