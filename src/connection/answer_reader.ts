/**
 * Reads an HTTP answer up to the one JSON-RPC message that was asked for: capped, and closed when it is found.
 *
 * @module
 */

import { createParser } from "eventsource-parser";
import { MCPError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { BodyReader } from "./body_reader.ts";

/** How much of an answer is read at most. */
export interface AnswerCaps {
  /** Of the whole answer once decompressed, in bytes. */
  readonly maxBodyBytes: number;
  /** Of one event of a stream, in characters. */
  readonly maxEventChars: number;
}

/** How many messages a JSON array may hold; batches exist in the protocol version 2025-03-26 alone. */
const MAX_BATCH = 100;

/** Where a stream can be gone on from when it ends early (specification 2025-11-25, Streamable HTTP, Resumability). */
export interface StreamCursor {
  /** The id of the last event that had one. */
  lastEventId?: string | undefined;
  /** How long to wait before that, in milliseconds, where the server says so. */
  retryMs?: number | undefined;
}

/** How an answer is read. */
export interface ReadAnswerOptions {
  /** Whose answer it is. */
  readonly server: string;
  /** The id that was sent; no other message is an answer. */
  readonly id: string;
  /** How much is read at most. */
  readonly caps: AnswerCaps;
  /** Told of every notification and request that comes before the answer. */
  readonly onMessage?: ((message: JsonObject) => void) | undefined;
  /** Takes a stream over whose answer has been read. @default {It is closed} */
  readonly onRest?: ((rest: BodyReader) => void) | undefined;
  /** Kept up to date with where the stream stands. */
  readonly cursor?: StreamCursor | undefined;
}

/** An id goes into a header: what does not fit there is none. */
export const EVENT_ID = /^[\x21-\x7e](?:[\x20-\x7e]{0,510}[\x21-\x7e])?$/;

const WHOLE = new TextDecoder();
/** How much room is made for a body of unknown length, in bytes; doubled as it grows. */
const FIRST_BYTES = 8 * 1024;

/**
 * Reads up to the answer to one request.
 *
 * @param response A 2xx answer; its body is read or cancelled.
 * @param options What is looked for.
 * @returns The JSON-RPC response with that id, or `undefined` where a stream ended without it.
 * @throws {MCPError} With `too_large` past a cap; with `bad_response` if the answer is not MCP.
 */
export async function readAnswer(response: Response, options: ReadAnswerOptions): Promise<JsonObject | undefined> {
  const { server } = options;
  const mediaType = (response.headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
  if (response.body === null || response.status === 202) {
    await response.body?.cancel();
    throw badResponse(server, `it answered ${response.status} without a body`);
  }
  if (mediaType === "text/event-stream") return await readEvents(response, response.body, options);
  if (mediaType === "application/json") return pick(await readText(response, response.body, options), options);
  await response.body.cancel();
  throw badResponse(server, "its content type is neither JSON nor an event stream");
}

/** The whole body as text. */
async function readText(
  response: Response,
  body: ReadableStream<Uint8Array>,
  { server, caps }: ReadAnswerOptions,
): Promise<string> {
  const lengthBytes = lengthOf(response);
  if (lengthBytes !== undefined && lengthBytes <= caps.maxBodyBytes) {
    const text = await response.text();
    if (text.length > caps.maxBodyBytes) throw tooLarge(server, `more than ${caps.maxBodyBytes} bytes`);
    return text;
  }
  const reader = new BodyReader(response, body);
  try {
    if (lengthBytes !== undefined) throw tooLarge(server, `more than ${caps.maxBodyBytes} bytes`);
    // Decoded when all of it is there: what is too large costs no more than its reading.
    let bytes = new Uint8Array(FIRST_BYTES);
    for (;;) {
      const at = reader.bytes;
      const chunk = await readOn(reader, server, caps);
      if (chunk === undefined) return WHOLE.decode(bytes.subarray(0, at));
      if (reader.bytes > bytes.length) {
        const grown = new Uint8Array(Math.max(2 * bytes.length, reader.bytes));
        grown.set(bytes.subarray(0, at));
        bytes = grown;
      }
      bytes.set(chunk, at);
    }
  } finally {
    await reader.cancel();
  }
}

/**
 * The length of a body where the server is held to it: then the runtime reads it as a whole, which costs half of reading
 * it in chunks. A compressed body has the length that it had on the way, and a chunked one any that the server says.
 */
function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get("content-length");
  const isExact = length !== null && !headers.has("content-encoding") && !headers.has("transfer-encoding");
  return isExact && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** The answer in a body that is a message, or an array of messages. */
function pick(text: string, { server, id, onMessage }: ReadAnswerOptions): JsonObject {
  const value = parseJson(text, server);
  const messages = Array.isArray(value) ? value : [value];
  if (messages.length > MAX_BATCH) throw tooLarge(server, `a batch of ${messages.length} messages`);
  const answer = messages.map((message) => sort(message, id, onMessage)).find((found) => found !== undefined);
  if (answer === undefined) throw badResponse(server, "its answer has another id than the request");
  return answer;
}

async function readEvents(
  response: Response,
  body: ReadableStream<Uint8Array>,
  options: ReadAnswerOptions,
): Promise<JsonObject | undefined> {
  const { server, id, caps, onMessage, onRest, cursor = {} } = options;
  let answer: JsonObject | undefined;
  let fault: MCPError | undefined;
  const parser = createParser({
    maxBufferSize: caps.maxEventChars,
    onRetry: (retryMs) => {
      cursor.retryMs = retryMs;
    },
    onEvent: ({ data, event, id: eventId }) => {
      if (eventId !== undefined) cursor.lastEventId = EVENT_ID.test(eventId) ? eventId : undefined;
      if (answer !== undefined || data === "" || (event !== undefined && event !== "message")) return;
      if (data.length > caps.maxEventChars) throw tooLarge(server, "an event of its stream");
      answer = sort(parseJson(data, server), id, onMessage);
    },
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") fault = tooLarge(server, "an event of its stream");
    },
  });
  const reader = new BodyReader(response, body);
  const decode = createDecoder();
  let isOver = false;
  try {
    while (answer === undefined) {
      const chunk = await readOn(reader, server, caps);
      isOver = chunk === undefined;
      if (chunk === undefined) return undefined;
      parser.feed(decode(chunk));
      if (fault !== undefined) throw fault;
    }
    if (onRest !== undefined) {
      isOver = true;
      onRest(reader);
    }
    return answer;
  } finally {
    if (!isOver) await reader.cancel();
  }
}

/** The next chunk of a body up to its cap. */
async function readOn(reader: BodyReader, server: string, caps: AnswerCaps): Promise<Uint8Array | undefined> {
  const chunk = await reader.read();
  if (reader.bytes > caps.maxBodyBytes) throw tooLarge(server, `more than ${caps.maxBodyBytes} bytes`);
  return chunk;
}

/** Decodes chunk by chunk. As long as none ends within a character, each is decoded at once, which costs far less. */
function createDecoder(): (chunk?: Uint8Array) => string {
  let decoder: TextDecoder | undefined;
  let isFirst = true;
  return (chunk) => {
    if (chunk === undefined) return decoder?.decode() ?? "";
    if (decoder === undefined && isFirst && (chunk.at(-1) ?? 0xff) < 0x80) {
      isFirst = false;
      return WHOLE.decode(chunk);
    }
    // A byte order mark is one at the beginning alone.
    decoder ??= new TextDecoder("utf-8", { ignoreBOM: !isFirst });
    isFirst = false;
    return decoder.decode(chunk, { stream: true });
  };
}

/** The answer looked for, or `undefined` where the message is something else on the way. */
function sort(
  message: unknown,
  id: string,
  onMessage: ((message: JsonObject) => void) | undefined,
): JsonObject | undefined {
  if (!isJsonObject(message)) return undefined;
  if ("method" in message) {
    onMessage?.(message);
    return undefined;
  }
  // A server that could not read the request's id answers with an error that has none (JSON-RPC 2.0, section 5).
  const isOurs = message.id === id || (message.id === null && "error" in message);
  return isOurs && ("result" in message || "error" in message) ? message : undefined;
}

function parseJson(text: string, server: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badResponse(server, "its answer is not JSON");
  }
}

function badResponse(server: string, why: string): MCPError {
  return new MCPError("bad_response", `Cannot use the answer of server "${server}" as ${why}`, { server });
}

function tooLarge(server: string, what: string): MCPError {
  return new MCPError("too_large", `Cannot read the answer of server "${server}" as it is too large: ${what}`, {
    server,
  });
}
