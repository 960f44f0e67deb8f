/**
 * The answer to one request: JSON, or a stream from the first message on that has to leave before the response, or where
 * the response takes long.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { KEEP_ALIVE_MS, MessageStream } from "./message_stream.ts";

/**
 * How long a response may take before a stream is begun for it, in milliseconds. Until a response has begun, Deno does not
 * notice that a caller has gone whose request was longer than some hundred bytes; and proxies lose patience.
 */
export const SLOW_MS = 1_000;

/** Where messages go that leave before the response. */
export interface Outlet {
  /** Whether anything can be sent: the caller takes streams, and is still there. */
  readonly isOpen: boolean;
  /**
   * Sends a message.
   *
   * @param message The message as JSON.
   */
  send(message: string): void;
  /**
   * Sends a message that may be missed; one that still waits when the next of its key comes is replaced.
   *
   * @param message The message as JSON.
   * @param key What it is about.
   */
  offer(message: string, key?: string): void;
}

/** What a request is answered with. */
export interface Reply {
  /** The response as JSON; `undefined` where there is none, because the request was cancelled. */
  readonly message: string | undefined;
  /** The status, where nothing has been sent yet. @default {200} */
  readonly status?: number | undefined;
  /** Headers, where nothing has been sent yet. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How an answer is given. */
export interface AnswerOptions {
  /** What the caller takes: what it does not is not sent. */
  readonly takes: { readonly json: boolean; readonly stream: boolean };
  /** Headers of the response, whichever kind it is. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Tells the time. */
  readonly clock: Clock;
  /** Told once when the reader of a stream goes away before the response. */
  readonly onGone: () => void;
}

/**
 * Answers a request.
 *
 * @param options How.
 * @param work Does what is asked; it never rejects.
 * @returns The response, as soon as it is decided which kind it is.
 */
export function answer(options: AnswerOptions, work: (outlet: Outlet) => Promise<Reply>): Promise<Response> {
  const { takes, headers: own, clock, onGone } = options;
  const { promise, resolve } = Promise.withResolvers<Response>();
  let stream: MessageStream | undefined;
  let replied = false;
  const begin = (): MessageStream => {
    if (stream === undefined) {
      stream = new MessageStream({
        onClosed: () => replied ? undefined : onGone(),
        keepAlive: { ms: KEEP_ALIVE_MS, clock },
      });
      resolve(stream.toResponse(own));
    }
    return stream;
  };
  const outlet: Outlet = {
    get isOpen() {
      return takes.stream && !replied && stream?.closed !== true;
    },
    send: (message) => outlet.isOpen ? begin().send(message) : undefined,
    offer: (message, key) => outlet.isOpen ? begin().offer(message, key) : undefined,
  };
  const finish = async () => {
    const stopTimer = takes.stream ? clock.after(SLOW_MS, begin) : undefined;
    const { message, status = 200, headers } = await work(outlet);
    stopTimer?.();
    replied = true;
    const isJson = message !== undefined && (takes.json || status !== 200);
    if (stream === undefined && isJson) {
      const all = { "content-type": "application/json", ...own, ...headers };
      return resolve(new Response(message, { status, headers: all }));
    }
    begin().end(message);
  };
  void finish();
  return promise;
}
