/**
 * Lets streams end by themselves once their answers have been read. Under HTTP/1.1 a connection is used again only if
 * its last answer has ended: closing a stream a moment too early costs the next call a new connection.
 *
 * @module
 */

import type { BodyReader } from "./body_reader.ts";

/** How long a stream may go on after its answer, in milliseconds. */
const MAX_REST_MS = 50;
/** How much may still come on it, in bytes. */
const MAX_REST_BYTES = 4 * 1024;
/** How many streams may be ending; others are closed at once. */
const MAX_ENDING = 64;

/** The streams of one connection whose answers have been read. */
export class StreamEnds {
  readonly #ending = new Map<BodyReader, Promise<void>>();
  #closed = false;

  /**
   * Takes a stream over and sees to its end.
   *
   * @param rest What is left of it.
   */
  take(rest: BodyReader): void {
    const isTooMany = this.#closed || this.#ending.size >= MAX_ENDING;
    const ended = (isTooMany ? rest.cancel() : waitForEnd(rest)).finally(() => this.#ending.delete(rest));
    this.#ending.set(rest, ended);
  }

  /** Closes the streams that are still open. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#ending].map(([rest, ended]) => rest.cancel().then(() => ended)));
  }
}

/** Never rejects. */
async function waitForEnd(rest: BodyReader): Promise<void> {
  const timer = setTimeout(() => rest.cancel(), MAX_REST_MS);
  const maxBytes = rest.bytes + MAX_REST_BYTES;
  try {
    while (rest.bytes <= maxBytes) if (await rest.read() === undefined) return;
    await rest.cancel();
  } catch {
    // It broke off after its answer: nothing is lost.
  } finally {
    clearTimeout(timer);
  }
}
