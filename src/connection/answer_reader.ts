/**
 * Reads an HTTP answer up to the one JSON-RPC message that was asked for: capped, and closed when it is found.
 *
 * @module
 */

import { createParser } from "eventsource-parser";
import { MCPError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";

/** How much of an answer is read at most. */
export interface AnswerCaps {
  /** Of the whole answer once decompressed, in bytes. */
  readonly maxBodyBytes: number;
  /** Of one event of a stream, in characters. */
  readonly maxEventChars: number;
}

/** How many messages a JSON array may hold; batches exist in the protocol version 2025-03-26 alone. */
const MAX_BATCH = 100;

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
}

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
  if (mediaType === "text/event-stream") return await readEvents(response.body, options);
  if (mediaType === "application/json") return await readJson(response.body, options);
  await response.body.cancel();
  throw badResponse(server, "its content type is neither JSON nor an event stream");
}

async function readJson(body: ReadableStream<Uint8Array>, options: ReadAnswerOptions): Promise<JsonObject> {
  const { server, id, caps, onMessage } = options;
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of capped(body, server, caps)) text += decoder.decode(chunk, { stream: true });
  const value = parseJson(text + decoder.decode(), server);
  const messages = Array.isArray(value) ? value : [value];
  if (messages.length > MAX_BATCH) throw tooLarge(server, `a batch of ${messages.length} messages`);
  const answer = messages.map((message) => sort(message, id, onMessage)).find((found) => found !== undefined);
  if (answer === undefined) throw badResponse(server, "its answer has another id than the request");
  return answer;
}

async function readEvents(
  body: ReadableStream<Uint8Array>,
  options: ReadAnswerOptions,
): Promise<JsonObject | undefined> {
  const { server, id, caps, onMessage } = options;
  let answer: JsonObject | undefined;
  let fault: MCPError | undefined;
  const parser = createParser({
    maxBufferSize: caps.maxEventChars,
    onEvent: ({ data, event }) => {
      if (answer !== undefined || data === "" || (event !== undefined && event !== "message")) return;
      if (data.length > caps.maxEventChars) throw tooLarge(server, "an event of its stream");
      answer = sort(parseJson(data, server), id, onMessage);
    },
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") fault = tooLarge(server, "an event of its stream");
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of capped(body, server, caps)) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    if (fault !== undefined) throw fault;
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** The chunks of a body up to the cap; leaving the loop closes the body. */
async function* capped(
  body: ReadableStream<Uint8Array>,
  server: string,
  caps: AnswerCaps,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > caps.maxBodyBytes) throw tooLarge(server, `more than ${caps.maxBodyBytes} bytes`);
    yield chunk;
  }
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
