/**
 * A stream of messages to one caller (Server-Sent Events), which never grows beyond what its reader is behind.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** How long a stream may be silent before a comment keeps it alive, in milliseconds. */
export const KEEP_ALIVE_MS = 20_000;

/** How many messages wait for a reader at most; more of those that may be missed are dropped. */
const MAX_WAITING = 256;

const ENCODER = new TextEncoder();
const KEEP_ALIVE = ENCODER.encode(": \n\n");

/** How a stream is kept. */
export interface MessageStreamOptions {
  /** Told once when nothing is sent any more: the stream has ended, or its reader has gone. */
  readonly onClosed?: (() => void) | undefined;
  /** Sends a comment where nothing else was sent for that long, in milliseconds. @default {undefined, it may be silent} */
  readonly keepAlive?: { readonly ms: number; readonly clock: Clock } | undefined;
}

/** Messages on their way to one reader. */
export class MessageStream {
  readonly #options: MessageStreamOptions;
  /** What waits, in order. Those with a key of their own are replaced by newer ones. */
  readonly #waiting = new Map<string | symbol, string>();
  #wake: (() => void) | undefined;
  #stopKeepAlive: (() => void) | undefined;
  #silent = false;
  #ended = false;
  #gone = false;

  /**
   * Creates a stream.
   *
   * @param options How it is kept.
   */
  constructor(options: MessageStreamOptions = {}) {
    this.#options = options;
    this.#restartKeepAlive();
  }

  /** Whether what is sent has no reader any more: they have gone, or the stream has ended. */
  get closed(): boolean {
    return this.#ended || this.#gone;
  }

  /**
   * Sends a message, which is never dropped.
   *
   * @param message The message as JSON.
   */
  send(message: string): void {
    if (this.closed) return;
    this.#waiting.set(Symbol(), message);
    this.#stir();
  }

  /**
   * Sends a message that may be missed: where it still waits when the next one of its key comes, it is replaced; where
   * too many wait, it is dropped.
   *
   * @param message The message as JSON.
   * @param key What it is about. @default {Nothing that another message would be about}
   */
  offer(message: string, key: string | symbol = Symbol()): void {
    if (this.closed || (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(key))) return;
    this.#waiting.set(key, message);
    this.#stir();
  }

  /**
   * Ends the stream once everything has been read.
   *
   * @param last The last message as JSON, where there is one.
   */
  end(last?: string): void {
    if (this.closed) return;
    if (last !== undefined) this.#waiting.set(Symbol(), last);
    this.#ended = true;
    this.#stopKeepAlive?.();
    this.#stir();
    this.#options.onClosed?.();
  }

  /**
   * The response that carries the stream. To be asked for once.
   *
   * @param headers Further headers.
   * @returns The response.
   */
  toResponse(headers: Readonly<Record<string, string>> = {}): Response {
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => this.#pull(controller),
      cancel: () => {
        if (this.#gone) return;
        this.#gone = true;
        this.#waiting.clear();
        this.#stopKeepAlive?.();
        this.#stir();
        if (!this.#ended) this.#options.onClosed?.();
      },
    }, { highWaterMark: 0 });
    return new Response(body, {
      // A proxy on the way is not to collect what is to be seen at once.
      headers: { "content-type": "text/event-stream", "x-accel-buffering": "no", ...headers },
    });
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (!this.#gone) {
      const [next] = this.#waiting;
      if (next !== undefined) {
        this.#waiting.delete(next[0]);
        return controller.enqueue(ENCODER.encode(`event: message\ndata: ${next[1]}\n\n`));
      }
      if (this.#ended) return controller.close();
      if (this.#silent) {
        this.#restartKeepAlive();
        return controller.enqueue(KEEP_ALIVE);
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #stir(): void {
    this.#restartKeepAlive();
    this.#wake?.();
  }

  #restartKeepAlive(): void {
    this.#stopKeepAlive?.();
    this.#silent = false;
    const { keepAlive } = this.#options;
    if (keepAlive === undefined || this.closed) return;
    this.#stopKeepAlive = keepAlive.clock.after(keepAlive.ms, () => {
      this.#silent = true;
      this.#wake?.();
    });
  }
}
