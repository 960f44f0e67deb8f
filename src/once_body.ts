/**
 * The body of a request that is sent at most once.
 *
 * @module
 */

const ENCODER = new TextEncoder();

/**
 * Makes a body. Deno silently sends a POST again when a reused connection closes before the answer, so that a tool runs
 * twice. It cannot do that with a stream. A `Blob` is sent as one, with its length, which some servers want; its own
 * stream costs more than one that has the bytes at hand.
 *
 * @param text What is sent, as UTF-8.
 * @returns The body.
 */
export function toOnceBody(text: string): Blob {
  const bytes = ENCODER.encode(text);
  const body = new Blob([bytes]);
  body.stream = () =>
    new ReadableStream({
      type: "bytes",
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    });
  return body;
}
