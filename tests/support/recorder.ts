/**
 * Records what reached a server, and which of its exchanges are still open.
 *
 * @module
 */

import { isJsonObject } from "../../src/protocol.ts";

/** A request that reached a server. */
export interface RecordedRequest {
  /** The HTTP method. */
  readonly method: string;
  /** The path, without the query. */
  readonly path: string;
  /** The query with its `?`, or empty. */
  readonly query: string;
  /** The headers as they came. */
  readonly headers: Headers;
  /** The JSON-RPC method, where the body is one message that has one. */
  readonly rpcMethod: string | undefined;
  /** The JSON-RPC id, where the body is one message that has one. */
  readonly rpcId: string | number | undefined;
  /** The parsed body; the text where it is no JSON; `undefined` where there is none. */
  readonly body: unknown;
  /** When it came, by `performance.now()`. */
  readonly atMs: number;
}

/** Keeps the requests of one server and counts its open exchanges. */
export class Recorder {
  /** Every request, in the order of arrival. */
  readonly requests: RecordedRequest[] = [];
  readonly #open = new Set<symbol>();

  /** Reads the request's body and records both. */
  async record(request: Request): Promise<RecordedRequest> {
    const atMs = performance.now();
    const url = new URL(request.url);
    const text = request.body === null ? "" : await request.text();
    const body = text === "" ? undefined : parseOrKeep(text);
    const rpcMethod = isJsonObject(body) && typeof body.method === "string" ? body.method : undefined;
    const id = isJsonObject(body) ? body.id : undefined;
    const recorded = {
      method: request.method,
      path: url.pathname,
      query: url.search,
      headers: new Headers(request.headers),
      rpcMethod,
      rpcId: typeof id === "string" || typeof id === "number" ? id : undefined,
      body,
      atMs,
    };
    this.requests.push(recorded);
    return recorded;
  }

  /** How many requests had this JSON-RPC method. */
  count(rpcMethod: string): number {
    return this.requests.filter((request) => request.rpcMethod === rpcMethod).length;
  }

  /** How many exchanges are open: not answered yet, or with an answer whose body has not ended. */
  openStreams(): number {
    return this.#open.size;
  }

  /** Runs a handler and counts its exchange as open until the body of the answer has ended or was given up. */
  async track(handle: () => Promise<Response>, onEnd: () => void = () => {}): Promise<Response> {
    const key = Symbol();
    this.#open.add(key);
    const end = () => {
      if (this.#open.delete(key)) onEnd();
    };
    try {
      const response = await handle();
      if (response.body !== null) return withEnd(response, response.body, end);
      end();
      return response;
    } catch (error) {
      end();
      throw error;
    }
  }
}

function withEnd(response: Response, body: ReadableStream<Uint8Array<ArrayBuffer>>, end: () => void): Response {
  const reader = body.getReader();
  const watched = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
  return new Response(watched, { status: response.status, headers: response.headers });
}

function parseOrKeep(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
