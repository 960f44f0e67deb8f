/**
 * Reads the body of an answer chunk by chunk, into one small buffer where that can be: the 64 KiB that a default reader
 * takes for each chunk cost more than the call.
 *
 * @module
 */

const FIRST_CHUNK_BYTES = 4 * 1024;
const MAX_CHUNK_BYTES = 64 * 1024;

/** The body of one answer. */
export class BodyReader {
  readonly #response: Response;
  readonly #small: ReadableStreamBYOBReader | undefined;
  readonly #any: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #buffer: ArrayBuffer | undefined;
  #bytes = 0;

  /**
   * Takes a body over.
   *
   * @param response The answer. It stays reachable as long as its body is read: once it is collected, an abort no longer
   * closes the body.
   * @param body Its body.
   */
  constructor(response: Response, body: ReadableStream<Uint8Array>) {
    this.#response = response;
    this.#small = openSmall(body);
    this.#any = this.#small === undefined ? body.getReader() : undefined;
  }

  /** How many bytes have been read. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads on.
   *
   * @returns Some bytes, which are good until the next reading; `undefined` at the end.
   */
  async read(): Promise<Uint8Array | undefined> {
    const chunk = this.#small === undefined ? (await this.#any?.read())?.value : await this.#readSmall(this.#small);
    this.#bytes += chunk?.length ?? 0;
    return chunk;
  }

  /** Closes the body; what is left of it is not read. Never rejects. */
  async cancel(): Promise<void> {
    await (this.#small ?? this.#any)?.cancel().catch(() => {});
    void this.#response.status;
  }

  async #readSmall(reader: ReadableStreamBYOBReader): Promise<Uint8Array | undefined> {
    const { value, done } = await reader.read(new Uint8Array(this.#buffer ?? new ArrayBuffer(FIRST_CHUNK_BYTES)));
    if (done) return undefined;
    // Who fills the buffer has more to send.
    const isFull = value.length === value.buffer.byteLength && value.length < MAX_CHUNK_BYTES;
    this.#buffer = isFull ? new ArrayBuffer(MAX_CHUNK_BYTES) : value.buffer;
    return value;
  }
}

/**
 * Reads a body as text, no further than a cap.
 *
 * @param response The answer.
 * @param body Its body.
 * @param maxBytes The most bytes it may have.
 * @returns The text, or `undefined` where there are more.
 */
export async function readTextWithin(
  response: Response,
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<string | undefined> {
  const reader = new BodyReader(response, body);
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
      if (reader.bytes > maxBytes) return undefined;
      text += decoder.decode(chunk, { stream: true });
    }
  } finally {
    await reader.cancel();
  }
  return text + decoder.decode();
}

/** A reader into a buffer of ours; a body that was made in JavaScript may have none. */
function openSmall(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}
