/**
 * The stream on which a server tells what has changed, and asks: a GET of the legacy era, a `subscriptions/listen` of
 * the modern one. Read until it ends, with a cap on every event; nothing of it is kept.
 *
 * @module
 */

import { createParser } from "eventsource-parser";
import { readHttpFailure } from "../http_failure.ts";
import { type JsonObject, parseJsonObject } from "../protocol.ts";
import { EVENT_ID, type StreamCursor } from "./answer_reader.ts";
import { createSessionHeaders, type ExchangeSession, toPost } from "./call_exchange.ts";
import type { NoticeFilter } from "./connection.ts";
import { readRpcError } from "./modern_envelope.ts";

/** How large an event may be, in characters. */
const MAX_EVENT_CHARS = 1024 * 1024;
/** Statuses with which a server says that it has no such stream; others may pass. */
const NOT_OFFERED = new Set([405, 406, 501]);
/** JSON-RPC codes with which a modern server says so. */
const NOT_KNOWN = new Set([-32601, -32602]);

/** How the stream is read. */
export interface ReadNoticesOptions {
  /** Unique among the requests of the session. */
  readonly id: string;
  /** Which notices are wanted. */
  readonly filter: NoticeFilter;
  /** Ends the reading and closes the stream. */
  readonly signal: AbortSignal;
  /** Where an earlier stream of the session ended; kept up to date. */
  readonly cursor: StreamCursor;
  /** Told once the stream is open. */
  readonly onOpen?: (() => void) | undefined;
  /** Told of every notification and request on it. */
  readonly onMessage: (message: JsonObject) => void;
}

/**
 * Opens the stream and reads it to its end.
 *
 * @param session What is known of the server.
 * @param options How it is read.
 * @returns `true` when the stream has ended; `false` where the server offers none.
 */
export async function readNotices(session: ExchangeSession, options: ReadNoticesOptions): Promise<boolean> {
  const { signal, cursor, onOpen, onMessage } = options;
  const response = await session.send({ ...toOpening(session, options), signal });
  if (!response.ok) {
    const { status, text } = await readHttpFailure(response, session.now());
    // It may be the place that the server no longer knows: the next stream begins anew.
    cursor.lastEventId = undefined;
    return !NOT_OFFERED.has(status) && !NOT_KNOWN.has(readRpcError(text)?.code ?? 0);
  }
  const isStream = (response.headers.get("content-type") ?? "").toLowerCase().startsWith("text/event-stream");
  if (!isStream || response.body === null) {
    await response.body?.cancel();
    return false;
  }
  onOpen?.();
  let broken = false;
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: ({ data, id }) => {
      if (id !== undefined) cursor.lastEventId = EVENT_ID.test(id) ? id : undefined;
      const message = data.includes('"method"') ? parse(data) : undefined;
      if (message !== undefined) onMessage(message);
    },
    onError: (error) => {
      broken ||= error.type === "max-buffer-size-exceeded";
    },
  });
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body) {
      parser.feed(decoder.decode(chunk, { stream: true }));
      if (broken) break;
    }
  } finally {
    // Who closes a stream begins anew: a stream that is gone on from brings what was missed while it was lost.
    if (signal.aborted) cursor.lastEventId = undefined;
    // Keeps the response reachable until here: once it is collected, an abort no longer closes its body.
    if (!response.bodyUsed) await response.body.cancel();
  }
  return true;
}

function toOpening(session: ExchangeSession, { id, filter, cursor }: ReadNoticesOptions) {
  if (session.era === "modern") {
    const { tools, prompts, resources, uris } = filter;
    const notifications: JsonObject = {
      ...(tools ? { toolsListChanged: true } : {}),
      ...(prompts ? { promptsListChanged: true } : {}),
      ...(resources ? { resourcesListChanged: true } : {}),
      ...(uris.length === 0 ? {} : { resourceSubscriptions: [...uris] }),
    };
    return toPost(session, { id, method: "subscriptions/listen", params: { notifications } });
  }
  const { "content-type": _, ...headers } = createSessionHeaders(session);
  const { lastEventId } = cursor;
  const last = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  return { method: "GET", headers: { ...headers, accept: "text/event-stream", ...last } } as const;
}

function parse(data: string): JsonObject | undefined {
  const message = parseJsonObject(data);
  return typeof message?.method === "string" ? message : undefined;
}
