/**
 * The trace that a request belongs to (W3C Trace Context).
 *
 * @module
 */

import type { TraceContext } from "../tool_client.ts";

/**
 * Reads the trace of a request.
 *
 * @param headers Its headers.
 * @returns The trace as the caller wrote it, or `undefined` where there is none; one that is malformed is passed on to
 * nobody.
 */
export function readTrace(headers: Headers): TraceContext | undefined {
  const traceparent = headers.get("traceparent");
  if (traceparent === null) return undefined;
  return { traceparent, tracestate: headers.get("tracestate") ?? undefined };
}
