/**
 * Ready behaviours of a raw server: each answers one request in one wrong way.
 *
 * @module
 */

import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { aborted } from "./interventions.ts";

/** The JSON-RPC message that a request carries. */
export interface RpcMessage {
  /** The method; empty where the body is no JSON-RPC request. */
  readonly method: string;
  /** The id; `undefined` for a notification. */
  readonly id: string | number | undefined;
  /** The parameters. */
  readonly params: JsonObject;
}

/** What a behaviour is told. */
export interface BehaviourContext {
  /** The message. */
  readonly rpc: RpcMessage;
  /** The HTTP request; its body is read already, its `signal` is aborted when the client leaves or the server stops. */
  readonly request: Request;
  /** The correct answer. */
  respondOk(): Response;
}

/** Answers one request. `Response.error()` drops the connection. */
export type Behaviour = (context: BehaviourContext) => Response | Promise<Response>;

/** The correct answer. */
export const ok: Behaviour = ({ respondOk }) => respondOk();

/** Reads the request, then closes the connection without an answer. */
export const drop: Behaviour = () => Response.error();

/** Never answers, until the client leaves. */
export const hang: Behaviour = async ({ request }) => {
  await aborted(request.signal);
  return Response.error();
};

/** Sends the head of an SSE answer and then nothing, until the client leaves. */
export const hangAfterHead: Behaviour = () => stream(sseHeaders, () => new Promise<never>(() => {}));

/** Waits, then behaves. */
export function after(waiting: Promise<unknown>, behaviour: Behaviour = ok): Behaviour {
  return async (context) => {
    await Promise.race([waiting, aborted(context.request.signal)]);
    return await behaviour(context);
  };
}

/** The first requests get these behaviours, one each; all later ones the last. */
export function sequence(...behaviours: readonly [Behaviour, ...Behaviour[]]): Behaviour {
  let at = 0;
  return (context) => (behaviours[Math.min(at++, behaviours.length - 1)] ?? ok)(context);
}

/** An HTTP status. */
export function status(code: number, options: { headers?: HeadersInit; body?: string } = {}): Behaviour {
  return () => new Response(options.body ?? null, { status: code, headers: options.headers ?? {} });
}

/** 429, or another status, with `Retry-After` in seconds. */
export function rateLimited(retryAfterSeconds: number | string, code = 429): Behaviour {
  return status(code, { headers: { "retry-after": String(retryAfterSeconds) } });
}

/** The session is unknown: 404, or 400 as server-everything says it. */
export function sessionGone(code: 404 | 400 = 404): Behaviour {
  const message = code === 404 ? "Session not found" : "Bad Request: No valid session ID provided";
  const error = { code: code === 404 ? -32001 : -32000, message };
  return () => Response.json({ jsonrpc: "2.0", error, id: null }, { status: code });
}

/** A login page with status 200. */
export const htmlPage: Behaviour = () =>
  new Response("<!doctype html><title>Log in</title><form></form>", { headers: { "content-type": "text/html" } });

/** JSON that breaks off. */
export const invalidJson: Behaviour = () => new Response('{"jsonrpc":"2.0","id":', { headers: jsonHeaders });

/** A redirect. */
export function redirectTo(url: string, code: 301 | 302 | 303 | 307 | 308 = 307): Behaviour {
  return status(code, { headers: { location: url } });
}

/** A result of the test's choice. */
export function answer(result: JsonValue): Behaviour {
  return ({ rpc }) => Response.json({ jsonrpc: "2.0", id: rpc.id ?? null, result });
}

/** A result of the test's choice, as SSE, after other events. */
export function answerSse(result: JsonValue, before = ""): Behaviour {
  return ({ rpc }) => sse(before + event({ jsonrpc: "2.0", id: rpc.id ?? null, result }));
}

/** A JSON-RPC error. */
export function rpcError(code: number, message: string, data?: JsonValue): Behaviour {
  const error = data === undefined ? { code, message } : { code, message, data };
  return ({ rpc }) => Response.json({ jsonrpc: "2.0", id: rpc.id ?? null, error });
}

/** 202 without a body, also to a request. */
export const acceptedOnly: Behaviour = status(202);

/** The right result under another id. */
export function wrongId(id: string | number = "another"): Behaviour {
  return async ({ respondOk }) => {
    const message = await respondOk().json();
    return Response.json({ ...message, id });
  };
}

/** Two answers to one request, as SSE; the second differs. */
export function answerTwice(first: JsonValue, second: JsonValue): Behaviour {
  return ({ rpc: { id = null } }) =>
    sse(event({ jsonrpc: "2.0", id, result: first }) + event({ jsonrpc: "2.0", id, result: second }));
}

/** Waits for a second request, then gives each the id of the other. */
export function swapped(): Behaviour {
  type Other = string | number | undefined;
  let waiting: { id: Other; resolve: (other: Other) => void } | undefined;
  return async ({ rpc, request, respondOk }) => {
    const { promise, resolve } = Promise.withResolvers<Other>();
    const partner = waiting;
    waiting = partner === undefined ? { id: rpc.id, resolve } : undefined;
    partner?.resolve(rpc.id);
    const id = partner === undefined ? await Promise.race([promise, aborted(request.signal)]) : partner.id;
    if (waiting?.resolve === resolve) waiting = undefined;
    if (id === undefined) return Response.error();
    const message = await respondOk().json();
    return Response.json({ ...message, id });
  };
}

/** An SSE answer that ends politely without the answer; `before` are events sent first. */
export function sseEnds(before = ": nothing\n\n"): Behaviour {
  return () => sse(before);
}

/** An SSE answer whose connection breaks in the middle of an event. */
export const sseBreaks: Behaviour = () => {
  let sent = false;
  return stream(sseHeaders, () => {
    if (sent) throw new Error("broken");
    sent = true;
    return Promise.resolve('event: message\ndata: {"jsonrpc":"2.0",');
  });
};

/** A JSON answer of that many bytes: a valid result with one long text. */
export function oversizeJson(bytes: number): Behaviour {
  return ({ rpc }) => {
    const id = JSON.stringify(rpc.id ?? null);
    const head = `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`;
    return repeated(jsonHeaders, head, "x", bytes, '"}]}}');
  };
}

/** An error with a body of that many bytes. */
export function oversizeError(bytes: number, code = 500): Behaviour {
  return () => repeated({ "content-type": "text/plain" }, "", "x", bytes, "", code);
}

/** An SSE line that never ends. */
export const endlessSseLine: Behaviour = () => repeated(sseHeaders, "data: ", "x", Infinity, "");

/** The same SSE events for ever, without the answer. */
export function endlessSse(text: string | ((rpc: RpcMessage) => string), intervalMs = 0): Behaviour {
  return ({ rpc, request }) => {
    const events = typeof text === "string" ? text : text(rpc);
    return stream(sseHeaders, async () => {
      if (intervalMs > 0) await pause(intervalMs, request.signal);
      return events;
    });
  };
}

/** A JSON answer of which one byte comes at a time. */
export function slowDrip(intervalMs: number): Behaviour {
  return async ({ respondOk, request }) => {
    const text = await respondOk().text();
    let at = 0;
    return stream(jsonHeaders, async () => {
      await pause(intervalMs, request.signal);
      return text[at++];
    });
  };
}

/** A gzip-compressed JSON answer that is small on the wire and that many bytes long. */
export function gzipBomb(bytes: number): Behaviour {
  return (context) => {
    const body = Promise.resolve(oversizeJson(bytes)(context));
    const zipped = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
    void body.then((response) => response.body?.pipeThrough(new CompressionStream("gzip")).pipeTo(zipped.writable))
      .catch(() => {});
    return new Response(zipped.readable, { headers: { ...jsonHeaders, "content-encoding": "gzip" } });
  };
}

/** SSE text of one JSON-RPC message. */
export function event(message: JsonValue): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

/** A whole SSE answer. */
export function sse(text: string): Response {
  return new Response(text, { headers: sseHeaders });
}

const jsonHeaders = { "content-type": "application/json" };
const sseHeaders = { "content-type": "text/event-stream" };
const CHUNK_BYTES = 65_536;

/** An answer whose body is made piece by piece until `next` gives `undefined`. */
function stream(headers: Record<string, string>, next: () => Promise<string | undefined>, code = 200): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const text = await next();
      if (text === undefined) controller.close();
      else controller.enqueue(encoder.encode(text));
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status: code, headers });
}

function repeated(
  headers: Record<string, string>,
  head: string,
  unit: string,
  bytes: number,
  tail: string,
  code = 200,
): Response {
  const chunk = unit.repeat(CHUNK_BYTES);
  let left = bytes - head.length - tail.length;
  const parts = (function* () {
    yield head;
    for (; left > 0; left -= CHUNK_BYTES) yield left < CHUNK_BYTES ? unit.repeat(left) : chunk;
    yield tail;
  })();
  return stream(headers, () => Promise.resolve(parts.next().value ?? undefined), code);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, aborted(signal)]);
  clearTimeout(timer);
}
