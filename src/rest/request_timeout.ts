/**
 * The smaller deadline of a caller: the header `X-Request-Timeout-Ms`.
 *
 * @module
 */

import { Deadline, MAX_TIMER_MS, OPERATION_TIMEOUT_MS } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import { RequestError } from "../gateway/request_error.ts";
import type { RequestOptions } from "../tool_client.ts";

/** The name of the header. */
export const TIMEOUT_HEADER = "x-request-timeout-ms";

/**
 * Reads the header.
 *
 * @param header Its value, or `undefined` where there is none.
 * @returns The time in milliseconds, or `undefined` where nothing is said.
 * @throws {RequestError} If it is not a positive integer: `invalid_header`.
 */
export function parseRequestTimeout(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const timeoutMs = /^\d{1,15}$/.test(header) ? Number(header) : 0;
  if (timeoutMs > 0) return Math.min(timeoutMs, MAX_TIMER_MS);
  throw new RequestError(
    "invalid_header",
    "Cannot use the header X-Request-Timeout-Ms as a time: send a positive integer of milliseconds",
  );
}

/**
 * Does work that ends by the caller's deadline, where that is sooner than the one it has anyway.
 *
 * @param timeoutMs How long the caller waits, in milliseconds, or `undefined` where nothing is said.
 * @param signal Ends the work too.
 * @param work The work, with the options of its request.
 * @returns What the work resolves to.
 * @throws {MCPError} With `deadline_exceeded` at the caller's deadline.
 */
export async function withinTime<T>(
  timeoutMs: number | undefined,
  signal: AbortSignal,
  work: (options: RequestOptions) => Promise<T>,
): Promise<T> {
  if (timeoutMs === undefined) return await work({ signal });
  // No server's time is shorter than this where nobody says: as an option, it prolongs nothing.
  if (timeoutMs <= OPERATION_TIMEOUT_MS) return await work({ signal, timeoutMs });
  using deadline = new Deadline(timeoutMs, { signal });
  try {
    return await work({ signal: deadline.signal });
  } catch (error) {
    if (!deadline.passed) throw error;
    throw new MCPError("deadline_exceeded", `Cannot answer within the ${timeoutMs} ms that the caller waits`);
  }
}
