/**
 * The HTTP+SSE transport of MCP 2024-11-05, server side, over web streams.
 *
 * @module
 */

import type { JSONRPCMessage, Transport } from "./sdk_server.ts";

/** One connection: messages out over the stream of `GET /sse`, messages in by `receive()`. */
export class OldSseTransport implements Transport {
  readonly sessionId: string = crypto.randomUUID();
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport["onmessage"];
  readonly #encoder = new TextEncoder();
  readonly #stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;

  /** Opens the stream; its first event names `messagesPath`, where the client sends to. */
  constructor(messagesPath: string) {
    this.#stream = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
      cancel: () => {
        this.#controller = undefined;
        this.onclose?.();
      },
    });
    this.#write("endpoint", `${messagesPath}?sessionId=${this.sessionId}`);
  }

  /** The answer to `GET /sse`. */
  response(): Response {
    return new Response(this.#stream, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
    });
  }

  /** Takes a message that the client sent. */
  receive(message: JSONRPCMessage): void {
    this.onmessage?.(message);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    this.#write("message", JSON.stringify(message));
    return Promise.resolve();
  }

  close(): Promise<void> {
    const controller = this.#controller;
    this.#controller = undefined;
    controller?.close();
    if (controller !== undefined) this.onclose?.();
    return Promise.resolve();
  }

  #write(event: string, data: string): void {
    this.#controller?.enqueue(this.#encoder.encode(`event: ${event}\ndata: ${data}\n\n`));
  }
}
