/**
 * The hot path: one POST, one answer, no SDK, in both eras (specification 2025-11-25, Transports, Streamable HTTP;
 * 2026-07-28, Streamable HTTP).
 *
 * @module
 */

import { delay } from "@std/async";
import type { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { GuardedFetch } from "../guarded_fetch.ts";
import { type HttpFailure, isSessionLost, readHttpFailure, toHttpError } from "../http_failure.ts";
import { type Phase, toDeadlineError, toOutcomeUnknown, toRequestError } from "../network_errors.ts";
import type { JsonObject } from "../protocol.ts";
import { type AnswerCaps, readAnswer, type ReadAnswerOptions, type StreamCursor } from "./answer_reader.ts";
import type { BodyReader } from "./body_reader.ts";
import {
  addModernHeaders,
  isModernError,
  readRpcError,
  toModernParams,
  UNSUPPORTED_VERSION,
} from "./modern_envelope.ts";

/** What is known of the server before the exchange: its era, version and session. */
export interface ExchangeSession {
  /** The server's name. */
  readonly server: string;
  /** The way out to it. */
  readonly send: GuardedFetch;
  /** The protocol era. */
  readonly era: "legacy" | "modern";
  /** The protocol version agreed on. */
  readonly protocolVersion: string;
  /** The session id, where a legacy server gave one. */
  readonly sessionId?: string | undefined;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Takes a stream over whose answer has been read. @default {It is closed} */
  readonly onRest?: ((rest: BodyReader) => void) | undefined;
  /** Waits for a time in milliseconds, or until the signal is aborted. @default {delay} */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** One JSON-RPC request. */
export interface ExchangeRequest {
  /** Unique among all requests of the session, also those of other isolates. */
  readonly id: string;
  /** The method. */
  readonly method: string;
  /** The parameters. */
  readonly params: JsonObject;
  /** The parameter `arguments` as JSON, where `params` has it not. */
  readonly argumentsText?: string | undefined;
  /** What is asked, which decides what a lost answer means. */
  readonly phase: Phase;
  /** The end of the exchange. */
  readonly deadline: Deadline;
  /** How much is read at most. */
  readonly caps: AnswerCaps;
  /** Headers besides those of the protocol. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Told when the request is on its way. */
  readonly onSent?: (() => void) | undefined;
  /** Told of every message that comes before the answer. */
  readonly onMessage?: ((message: JsonObject) => void) | undefined;
  /** What the client can do, for a modern server. @default {{}} */
  readonly capabilities?: JsonObject | undefined;
}

/**
 * The headers of a POST.
 *
 * @param session What is known of the server.
 * @returns Fresh headers, their names in lower case.
 */
export function createSessionHeaders(session: ExchangeSession): Record<string, string> {
  const headers: Record<string, string> = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": session.protocolVersion,
  };
  if (session.sessionId !== undefined) headers["mcp-session-id"] = session.sessionId;
  return headers;
}

/**
 * The head and the body of a request.
 *
 * @param session What is known of the server.
 * @param request What is asked.
 * @returns What the guarded fetch is given, but for the signal.
 */
export function toPost(
  session: ExchangeSession,
  request: Pick<ExchangeRequest, "id" | "method" | "params" | "argumentsText" | "headers" | "capabilities">,
): { readonly method: "POST"; readonly headers: Record<string, string>; readonly body: string } {
  const { id, method, argumentsText } = request;
  const headers = createSessionHeaders(session);
  let { params } = request;
  if (session.era === "modern") {
    params = toModernParams(params, session.protocolVersion, request.capabilities);
    addModernHeaders(headers, method, params);
  }
  for (const [name, value] of request.headers ?? []) headers[name.toLowerCase()] = value;
  const text = JSON.stringify(params);
  const whole = argumentsText === undefined ? text : `{"arguments":${argumentsText},${text.slice(1)}`;
  const body = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(method)},"params":${whole}}`;
  return { method: "POST", headers, body };
}

/**
 * Sends one request and waits for its answer. Whatever happens, the socket is not held beyond it.
 *
 * @param session What is known of the server.
 * @param request What is asked.
 * @returns The JSON-RPC response with the request's id.
 * @throws {MCPError} If there is no such answer; with `session_lost` if the server refused the session or the era.
 */
export async function exchange(session: ExchangeSession, request: ExchangeRequest): Promise<JsonObject> {
  const { server, send, now, onRest } = session;
  const { id, phase, deadline, caps, onMessage, onSent } = request;
  throwIfOver(deadline, { server, phase });
  const post = toPost(session, request);
  const cursor: StreamCursor = {};
  const readOptions = { server, id, caps, onMessage, onRest, cursor };
  let response: Response | undefined;
  try {
    onSent?.();
    response = await send({ ...post, signal: deadline.signal });
    if (!response.ok) return answerOf(await readHttpFailure(response, now()), session, phase);
    const answer = await readToBreak(session, response, readOptions) ??
      await resumeAnswer(session, deadline, readOptions);
    if (answer !== undefined) return answer;
    if (deadline.signal.aborted) throw deadline.signal.reason;
    throw phase === "call"
      ? toOutcomeUnknown(server, "its stream ended without an answer")
      : new MCPError("bad_response", `Cannot use the answer of server "${server}" as its stream ended without it`, {
        server,
        retryable: true,
      });
  } catch (error) {
    throw toRequestError(error, { server, phase, deadline });
  } finally {
    // Also keeps the response reachable until here: once it is collected, an abort no longer closes its body.
    if (response?.bodyUsed !== true) await response?.body?.cancel().catch(() => {});
  }
}

/** How long to wait before a stream is gone on from where the server does not say, in milliseconds. */
const RETRY_MS = 1_000;
/** The least and the most of it, whatever the server says: the first time, and from then on. */
const RETRY_BOUNDS_MS = { first: 100, next: 1_000, most: 30_000 };
/** How often one answer is gone on from. */
const MAX_RESUMPTIONS = 100;

type ResumableOptions = ReadAnswerOptions & { readonly cursor: StreamCursor };

/**
 * Goes on reading where a legacy server ended a stream before the answer; it does so on purpose to free the connection
 * (specification 2025-11-25, Streamable HTTP, Resumability and Redelivery). Nothing is sent again.
 */
async function resumeAnswer(
  session: ExchangeSession,
  deadline: Deadline,
  options: ResumableOptions,
): Promise<JsonObject | undefined> {
  const { cursor } = options;
  const { era, wait = (ms, signal) => delay(ms, { signal }) } = session;
  if (era === "modern") return undefined;
  for (let count = 0; count < MAX_RESUMPTIONS && cursor.lastEventId !== undefined; count++) {
    const { lastEventId } = cursor;
    const { first, next, most } = RETRY_BOUNDS_MS;
    const waitMs = Math.min(Math.max(cursor.retryMs ?? RETRY_MS, count === 0 ? first : next), most);
    // No answer will come in time: what is known of the outcome is said at once.
    if (waitMs >= deadline.remainingMs) return undefined;
    await wait(waitMs, deadline.signal);
    const { "content-type": _, ...headers } = createSessionHeaders(session);
    // That this GET was not let through says nothing of the request before it, which may well have run.
    const response = await session.send({
      method: "GET",
      headers: { ...headers, "accept": "text/event-stream", "last-event-id": lastEventId },
      signal: deadline.signal,
    }).catch(() => undefined);
    if (response?.ok !== true) {
      await response?.body?.cancel();
      return undefined;
    }
    const answer = await readToBreak(session, response, options);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** Reads up to the answer; a stream that breaks off where it can be gone on from is one that has ended. */
async function readToBreak(
  { era }: ExchangeSession,
  response: Response,
  options: ResumableOptions,
): Promise<JsonObject | undefined> {
  try {
    return await readAnswer(response, options);
  } catch (error) {
    if (options.cursor.lastEventId === undefined || era === "modern" || isMCPError(error)) throw error;
    return undefined;
  }
}

/**
 * What a non-2xx answer says: a JSON-RPC error of a modern server, a session or an era that the server does not know,
 * or a failure. In the first two cases nothing ran.
 */
function answerOf(failure: HttpFailure, session: ExchangeSession, phase: Phase): JsonObject {
  const { server, era, sessionId } = session;
  const rpcError = readRpcError(failure.text);
  if (era === "modern") {
    // It no longer speaks our version: which one it does is to be asked again, unless that is what was asked.
    if (rpcError?.code === UNSUPPORTED_VERSION && phase !== "connect") throw toSessionLost(server);
    if (rpcError !== undefined && isModernError(failure.status, rpcError.code)) return { error: { ...rpcError } };
    if (NOT_MODERN.has(failure.status)) throw toSessionLost(server);
  } else if (
    // The server was upgraded, speaks an older transport now, or ended the session; or it wants one all of a sudden.
    MODERN_REFUSALS.has(rpcError?.code ?? 0) || failure.status === 405 ||
    (isSessionLost(failure) && (sessionId !== undefined || failure.status === 400))
  ) {
    throw toSessionLost(server);
  }
  throw toHttpError(failure, { server, phase });
}

/** Statuses with which a legacy server refuses a modern request. */
const NOT_MODERN = new Set([400, 404, 405, 406, 415]);
/** Codes with which a modern server refuses a legacy request. */
const MODERN_REFUSALS = new Set([-32020, -32021, UNSUPPORTED_VERSION]);

function toSessionLost(server: string): MCPError {
  return new MCPError("session_lost", `Cannot go on with the session of server "${server}" as the server ended it`, {
    server,
    retryable: true,
  });
}

/** What is over before it is sent has not run: its error says so. */
function throwIfOver(deadline: Deadline, context: { readonly server: string; readonly phase: Phase }): void {
  if (deadline.cancelled) throw deadline.signal.reason;
  if (deadline.passed) throw toDeadlineError(context.server, context.phase === "call" ? "connect" : context.phase);
}
