/**
 * The body of a request that is sent at most once.
 *
 * @module
 */

const ENCODER = new TextEncoder();

/** A body with a length, which the runtime takes for a `Blob`. */
class OnceBlob {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      start: (controller) => {
        controller.enqueue(this.#bytes);
        controller.close();
      },
    });
  }
}

// It inherits what the runtime knows a blob by: to make a blob for each request is to register its bytes and to free
// them again, which costs more than sending them.
Object.setPrototypeOf(OnceBlob.prototype, new Blob());

/**
 * Makes a body. Deno silently sends a POST again when a reused connection closes before the answer, so that a tool runs
 * twice. It cannot do that with a stream. A `Blob` is sent as one, with its length, which some servers want.
 *
 * @param text What is sent, as UTF-8.
 * @returns The body.
 */
export function toOnceBody(text: string): Blob {
  return new OnceBlob(ENCODER.encode(text)) as unknown as Blob;
}
