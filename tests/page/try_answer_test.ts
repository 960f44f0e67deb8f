import { assert, assertEquals, assertRejects } from "@std/assert";
import { askOnce, MAX_SHOWN_BYTES } from "../../src/page/try_answer.ts";

const { signal } = new AbortController();

/** A body that goes on until it is cancelled. */
function endless(part: string, onCancel: () => void): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(part);
  return new ReadableStream({ pull: (controller) => controller.enqueue(bytes), cancel: onCancel });
}

Deno.test("askOnce() shows status, headers in order, and text", async () => {
  const headers = { "x-b": "2", "content-type": "application/problem+json", "x-a": "1" };
  const answer = await askOnce(() => Promise.resolve(new Response('{"a":1}', { status: 404, headers })), { signal });
  const { tookMs, ...rest } = answer;
  assert(tookMs >= 0);
  assertEquals(rest, {
    status: 404,
    headers: [["content-type", "application/problem+json"], ["x-a", "1"], ["x-b", "2"]],
    text: '{"a":1}',
    bytes: 7,
    cut: undefined,
  });
});

Deno.test("F17 askOnce() reads no further than its cap, and ends what goes on", async () => {
  let cancelled = 0;
  let ended: AbortSignal | undefined;
  const body = endless("x".repeat(100_000), () => cancelled++);
  const answer = await askOnce((signal) => {
    ended = signal;
    return Promise.resolve(new Response(body, { headers: { "content-type": "text/plain" } }));
  }, { signal });
  assertEquals([answer.text?.length, answer.cut, cancelled, ended?.aborted], [MAX_SHOWN_BYTES, "size", 1, true]);
});

Deno.test("F19 askOnce() listens to a stream no longer than a while", async () => {
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("event: progress\n\n")),
    cancel: () => cancelled.resolve(),
  });
  const response = new Response(body, { headers: { "content-type": "text/event-stream" } });
  const answer = await askOnce(() => Promise.resolve(response), { signal, streamMs: 20 });
  await cancelled.promise;
  assertEquals([answer.text, answer.cut], ["event: progress\n\n", "time"]);
});

Deno.test("askOnce() shows no bytes that are no text, and an answer without a body", async () => {
  const image = new Response(new Uint8Array(5), { headers: { "content-type": "image/png" } });
  const shown = await askOnce(() => Promise.resolve(image), { signal });
  assertEquals([shown.text, shown.bytes], [undefined, 5]);
  const nothing = await askOnce(() => Promise.resolve(new Response(null, { status: 204 })), { signal });
  assertEquals([nothing.text, nothing.bytes], ["", 0]);
});

Deno.test("askOnce() gives up with whoever waits", async () => {
  const gone = new AbortController();
  const reason = new Error("gone");
  const asked = askOnce(
    (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    gone,
  );
  gone.abort(reason);
  assertEquals(await assertRejects(() => asked), reason);
});
