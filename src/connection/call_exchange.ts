/**
 * The hot path: one POST, one answer, no SDK (specification 2025-11-25, Transports, Streamable HTTP).
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import type { GuardedFetch } from "../guarded_fetch.ts";
import { isSessionLost, readHttpFailure, toHttpError } from "../http_failure.ts";
import { type Phase, toDeadlineError, toOutcomeUnknown, toRequestError } from "../network_errors.ts";
import type { JsonObject } from "../protocol.ts";
import { type AnswerCaps, readAnswer } from "./answer_reader.ts";

/** What is known of the server before the exchange: its session and version. */
export interface ExchangeSession {
  /** The server's name. */
  readonly server: string;
  /** The way out to it. */
  readonly fetch: GuardedFetch;
  /** The session id, where the server gave one. */
  readonly sessionId: string | undefined;
  /** The protocol version agreed on. */
  readonly protocolVersion: string;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** One JSON-RPC request. */
export interface ExchangeRequest {
  /** Unique among all requests of the session, also those of other isolates. */
  readonly id: string;
  /** The method. */
  readonly method: string;
  /** The parameters. */
  readonly params: JsonObject;
  /** What is asked, which decides what a lost answer means. */
  readonly phase: Phase;
  /** The end of the exchange. */
  readonly deadline: Deadline;
  /** How much is read at most. */
  readonly caps: AnswerCaps;
  /** Told of every message that comes before the answer. */
  readonly onMessage?: ((message: JsonObject) => void) | undefined;
  /** Told when the request is on its way. */
  readonly onSent?: (() => void) | undefined;
}

/**
 * The headers of a POST within a session.
 *
 * @param session The session.
 * @returns Fresh headers.
 */
export function createSessionHeaders(session: ExchangeSession): Headers {
  const headers = new Headers({
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": session.protocolVersion,
  });
  if (session.sessionId !== undefined) headers.set("mcp-session-id", session.sessionId);
  return headers;
}

/**
 * Sends one request and waits for its answer. Whatever happens, the socket is not held beyond it.
 *
 * @param session What is known of the server.
 * @param request What is asked.
 * @returns The JSON-RPC response with the request's id.
 * @throws {MCPError} If there is no such answer; with `session_lost` if the server refused the session.
 */
export async function exchange(session: ExchangeSession, request: ExchangeRequest): Promise<JsonObject> {
  const { server, fetch, now } = session;
  const { id, method, params, phase, deadline, caps, onMessage, onSent } = request;
  throwIfOver(deadline, { server, phase });
  const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
  const work = new AbortController();
  const stop = () => work.abort(deadline.signal.reason);
  deadline.signal.addEventListener("abort", stop, { once: true });
  let response: Response | undefined;
  try {
    onSent?.();
    response = await fetch({ method: "POST", headers: createSessionHeaders(session), body, signal: work.signal });
    if (!response.ok) {
      const failure = await readHttpFailure(response, now());
      if (session.sessionId !== undefined && isSessionLost(failure)) throw toSessionLost(server);
      throw toHttpError(failure, { server, phase });
    }
    const answer = await readAnswer(response, { server, id, caps, onMessage });
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
    deadline.signal.removeEventListener("abort", stop);
    // Also keeps the response reachable until here: once it is collected, an abort no longer closes its body.
    if (response?.bodyUsed !== true) await response?.body?.cancel().catch(() => {});
    work.abort();
  }
}

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
