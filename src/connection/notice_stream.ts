/**
 * The stream on which a server tells that its tools have changed: a GET of the legacy era, a `subscriptions/listen` of
 * the modern one. Read until it ends, with a cap on every event; nothing of it is kept.
 *
 * @module
 */

import { createParser } from "eventsource-parser";
import { readHttpFailure } from "../http_failure.ts";
import { isJsonObject } from "../protocol.ts";
import { createSessionHeaders, type ExchangeSession, toPost } from "./call_exchange.ts";
import { readRpcError } from "./modern_envelope.ts";

/** How large an event may be, in characters. */
const MAX_EVENT_CHARS = 1024 * 1024;
/** What a server says when its tools have changed. */
const LIST_CHANGED = "notifications/tools/list_changed";
/** Statuses with which a server says that it has no such stream; others may pass. */
const NOT_OFFERED = new Set([405, 406, 501]);
/** JSON-RPC codes with which a modern server says so. */
const NOT_KNOWN = new Set([-32601, -32602]);

/**
 * Opens the stream and reads it to its end.
 *
 * @param session What is known of the server.
 * @param id Unique among the requests of the session.
 * @param onChange Told of each notice.
 * @param signal Ends the reading and closes the stream.
 * @returns `true` when the stream has ended; `false` where the server offers none.
 */
export async function readNotices(
  session: ExchangeSession,
  id: string,
  onChange: () => void,
  signal: AbortSignal,
): Promise<boolean> {
  const response = await session.send({ ...toOpening(session, id), signal });
  if (!response.ok) {
    const { status, text } = await readHttpFailure(response, session.now());
    return !NOT_OFFERED.has(status) && !NOT_KNOWN.has(readRpcError(text)?.code ?? 0);
  }
  const isStream = (response.headers.get("content-type") ?? "").toLowerCase().startsWith("text/event-stream");
  if (!isStream || response.body === null) {
    await response.body?.cancel();
    return false;
  }
  let broken = false;
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: ({ data }) => {
      if (data.includes(LIST_CHANGED) && isListChanged(data)) onChange();
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
    // Keeps the response reachable until here: once it is collected, an abort no longer closes its body.
    if (!response.bodyUsed) await response.body.cancel();
  }
  return true;
}

function toOpening(session: ExchangeSession, id: string) {
  if (session.era === "legacy") {
    const { "content-type": _, ...headers } = createSessionHeaders(session);
    return { method: "GET", headers: { ...headers, accept: "text/event-stream" } } as const;
  }
  return toPost(session, { id, method: "subscriptions/listen", params: { notifications: { toolsListChanged: true } } });
}

function isListChanged(data: string): boolean {
  try {
    const message: unknown = JSON.parse(data);
    return isJsonObject(message) && message.method === LIST_CHANGED;
  } catch {
    return false;
  }
}
