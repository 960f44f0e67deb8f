/**
 * The guarded way out in the shape that the SDK's transports take, with the traps of SDK 1.x closed: no endless
 * streams, no unread failures, no answer that never comes.
 *
 * @module
 */

import { MCPError } from "../errors.ts";
import type { GuardedFetch } from "../guarded_fetch.ts";
import { type HttpFailure, readHttpFailure } from "../http_failure.ts";

/** What is read of a request of the SDK: its package and this code may name different versions of `RequestInit`. */
export interface SdkRequestInit {
  /** The HTTP method. */
  readonly method?: string | undefined;
  /** The headers, in a shape that `Headers` takes. */
  readonly headers?: unknown;
  /** The body; text, where there is one. */
  readonly body?: unknown;
  /** Ends the request. */
  readonly signal?: AbortSignal | null | undefined;
}

/** What the SDK's transports call. */
export type SdkFetch = (url: string | URL, init?: SdkRequestInit) => Promise<Response>;

/** How many answers to a server's own questions may be on their way; the SDK answers every ping that a server sends. */
const MAX_REPLIES = 64;

/** How the SDK's requests are watched. */
export interface SdkFetchOptions {
  /** The server's name. */
  readonly server: string;
  /** The way out to it. */
  readonly send: GuardedFetch;
  /** Ends every request made here. */
  readonly signal: AbortSignal;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** How many bytes are read at most: of one answer, and of one event where there is a GET stream. */
  readonly maxBytes: number;
  /** Whether the SDK may open a GET stream. */
  readonly allowGet: boolean;
  /** Told before every request that leaves; what it returns is told when the answers it brought have ended. */
  readonly onRequest: () => () => void;
  /** Told of every non-2xx answer; what it returns is thrown in its place. */
  readonly onFailure: (failure: HttpFailure) => MCPError | undefined;
}

/**
 * Makes a `fetch` for the SDK.
 *
 * @param options How its requests are watched.
 * @returns A function for the `fetch` option of the SDK's transports.
 */
export function createSdkFetch(options: SdkFetchOptions): SdkFetch {
  const { server, send, signal, now, maxBytes, allowGet, onRequest, onFailure } = options;
  let replies = 0;

  return async (url, init = {}) => {
    if (!isReply(init.body)) return await run(url, init);
    // A server that asks faster than it takes answers, or takes none, gets no more of them.
    if (replies >= MAX_REPLIES) return new Response(null, { status: 202 });
    replies++;
    try {
      return await run(url, init);
    } finally {
      replies--;
    }
  };

  async function run(url: string | URL, init: SdkRequestInit): Promise<Response> {
    const method = init.method === "POST" || init.method === "DELETE" ? init.method : "GET";
    // The SDK opens a GET stream after every handshake; 405 is how a server declines it.
    if (method === "GET" && !allowGet) return new Response(null, { status: 405 });
    const onEnd = onRequest();
    const body = typeof init.body === "string" ? init.body : undefined;
    const response = await send({
      method,
      url: new URL(url),
      headers: Object.fromEntries(new Headers(init.headers as HeadersInit | undefined)),
      body,
      signal: init.signal ? AbortSignal.any([init.signal, signal]) : signal,
    });
    if (!response.ok) {
      const failure = await readHttpFailure(response, now());
      const error = onFailure(failure);
      if (error !== undefined) throw error;
      return new Response(failure.text, { status: failure.status, headers: response.headers });
    }
    if (body !== undefined && response.status === 202 && /^\{.*"id":/.test(body)) {
      // With SSE the answer to a request comes on the stream; with Streamable HTTP it would never come.
      if (!allowGet) {
        await response.body?.cancel();
        throw new MCPError("bad_response", `Cannot use the answer of server "${server}" as it is 202 to a request`, {
          server,
        });
      }
    }
    const carriesAnswers = method === (allowGet ? "GET" : "POST");
    const measure = method === "GET" ? createEventMeasure() : createBodyMeasure();
    return watch(response, carriesAnswers ? onEnd : () => {}, (chunk) => {
      if (measure(chunk) <= maxBytes) return;
      throw new MCPError("too_large", `Cannot read the answer of server "${server}" as it passes ${maxBytes} bytes`, {
        server,
      });
    });
  }
}

/** Whether a body is a JSON-RPC response, as the SDK writes it: the method of a request is its first member. */
function isReply(body: unknown): boolean {
  return typeof body === "string" &&
    (body.startsWith('{"result":') || /^\{"jsonrpc":"2\.0","id":[^,]*,"error":/.test(body));
}

/** Says how large what a chunk belongs to has become, in bytes. */
type Measure = (chunk: Uint8Array) => number;

function createBodyMeasure(): Measure {
  let bytes = 0;
  return (chunk) => bytes += chunk.length;
}

/** A blank line ends an event; lines end with LF, CR or both. */
function createEventMeasure(): Measure {
  const [LF, CR] = [10, 13];
  let bytes = 0;
  let last = LF;
  return (chunk) => {
    for (const byte of chunk) {
      bytes++;
      const endsLine = byte === LF || byte === CR;
      const isSecondHalf = byte === LF && last === CR;
      if (endsLine && !isSecondHalf && (last === LF || last === CR)) bytes = 0;
      last = byte;
    }
    return bytes;
  };
}

/** The same answer, its chunks checked and its end told. */
function watch(response: Response, onEnd: () => void, check: (chunk: Uint8Array) => void): Response {
  if (response.body === null || response.status === 202) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { value, done } = await reader.read();
        if (done) {
          controller.close();
          onEnd();
          return;
        }
        check(value);
        controller.enqueue(value);
      } catch (error) {
        controller.error(error);
        await reader.cancel().catch(() => {});
        onEnd();
      }
    },
    async cancel() {
      await reader.cancel().catch(() => {});
      // Keeps the response reachable as long as its body is: once it is collected, an abort no longer closes it.
      void response.status;
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}
