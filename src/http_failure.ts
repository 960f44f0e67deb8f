/**
 * What an HTTP status of a server means.
 *
 * @module
 */

import { MCPError } from "./errors.ts";
import { type Phase, PHASE_WORDS } from "./network_errors.ts";

/** How much is read of the body of an error, in bytes. */
export const MAX_ERROR_BODY_BYTES = 2048;

/** A non-2xx answer, with the little that is kept of it. */
export interface HttpFailure {
  /** The HTTP status. */
  readonly status: number;
  /** The start of the body, never shown to a caller. */
  readonly text: string;
  /** What `Retry-After` asks for, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Reads the little that is kept of a non-2xx answer and closes it.
 *
 * @param response The answer.
 * @param nowMs The time, for a `Retry-After` that is a date, in milliseconds since the epoch.
 * @returns What was kept.
 */
export async function readHttpFailure(response: Response, nowMs: number): Promise<HttpFailure> {
  return {
    status: response.status,
    text: await readStart(response),
    retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), nowMs),
  };
}

/** The first bytes of a body as text; the rest is not read. */
async function readStart(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    while (bytes < MAX_ERROR_BODY_BYTES) {
      const { value, done } = await reader.read();
      if (done) break;
      bytes += value.length;
      text += decoder.decode(value.subarray(0, MAX_ERROR_BODY_BYTES), { stream: true });
    }
  } catch {
    // A body that breaks off still has a status, and the status is the answer.
  } finally {
    await reader.cancel().catch(() => {});
  }
  return text;
}

/** `Retry-After` is seconds or a date (RFC 9110, section 10.2.3). */
function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/**
 * Whether an answer says that the session is gone: 404, or 400 that speaks of the session
 * (specification 2025-11-25, Transports, Session Management; some servers answer 400 instead).
 *
 * @param failure The answer to a request that was made in a session, or as if there were none to be had.
 * @returns Whether a new session should be opened.
 */
export function isSessionLost(failure: HttpFailure): boolean {
  return failure.status === 404 || (failure.status === 400 && /session|not initialized/i.test(failure.text));
}

/**
 * The error of a non-2xx answer.
 *
 * @param failure The answer.
 * @param context Whose answer it was, and to what.
 * @returns An `MCPError` without a word of the server.
 */
export function toHttpError(
  failure: HttpFailure,
  context: { readonly server: string; readonly phase: Phase },
): MCPError {
  const { server, phase } = context;
  const { status, retryAfterMs } = failure;
  const what = PHASE_WORDS[phase];
  const options = { server, httpStatus: status, retryAfterMs };
  if (status === 401) {
    return new MCPError(
      "unauthorized",
      `Cannot ${what} server "${server}" as it answered 401: check its credential`,
      options,
    );
  }
  if (status === 403) {
    return new MCPError(
      "forbidden",
      `Cannot ${what} server "${server}" as it answered 403: its credential does not allow this`,
      options,
    );
  }
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
    return new MCPError("rate_limited", `Cannot ${what} server "${server}" as it answered ${status}: try again later`, {
      ...options,
      retryable: true,
    });
  }
  return new MCPError("upstream_error", `Cannot ${what} server "${server}" as it answered HTTP ${status}`, {
    ...options,
    retryable: phase !== "call" && status >= 500,
  });
}
