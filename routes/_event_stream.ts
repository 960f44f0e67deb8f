/**
 * Answers that are streams of events.
 *
 * @module
 */

import type { Context, Env } from "hono";
import { accepts } from "hono/accepts";
import { streamSSE } from "hono/streaming";
import type { GatewayEnv } from "../src/gateway/gateway_env.ts";
import { JoinedSignal } from "../src/joined_signal.ts";
import type { Progress } from "../src/protocol.ts";

/** Sends an event; resolves when the caller can take the next one. */
export type SendEvent = (event: string, value: unknown) => Promise<void>;

/**
 * Whether the caller prefers a stream of events to JSON.
 *
 * @param c The context of the request.
 * @returns Whether it says so.
 */
export function wantsStream(c: Context<GatewayEnv>): boolean {
  if (c.req.header("accept")?.includes("text/event-stream") !== true) return false;
  const supports = ["application/json", "text/event-stream"];
  return accepts(c, { header: "Accept", supports, default: "application/json" }) === "text/event-stream";
}

/**
 * Answers with a stream.
 *
 * @param c The context of the request.
 * @param write Writes the events; its signal aborts when the caller goes away. Never rejects.
 * @returns The response.
 */
export function streamEvents<E extends Env>(
  c: Context<E>,
  write: (send: SendEvent, signal: AbortSignal) => Promise<void>,
): Response {
  const response = streamSSE(c, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    using joined = new JoinedSignal(c.req.raw.signal, gone.signal);
    await write((event, value) => stream.writeSSE({ event, data: JSON.stringify(value) }), joined.signal);
  });
  // Both belong to the connection, which is the server's business, and HTTP/2 forbids them.
  response.headers.delete("connection");
  response.headers.delete("transfer-encoding");
  response.headers.set("x-accel-buffering", "no");
  return response;
}

/**
 * Sends the newest notice when the one before has left: a caller who reads slowly misses some, and none pile up.
 *
 * @param send Sends a notice.
 * @returns Where notices go, and when the last one has left.
 */
export function sendLatest(send: (value: Progress) => Promise<void>): {
  push(value: Progress): void;
  sent(): Promise<void>;
} {
  let next: Progress | undefined;
  let sending: Promise<void> | undefined;
  const sendAll = async () => {
    while (next !== undefined) {
      const value = next;
      next = undefined;
      await send(value);
    }
    sending = undefined;
  };
  return {
    push: (value) => {
      next = value;
      sending ??= sendAll();
    },
    sent: async () => await sending,
  };
}
