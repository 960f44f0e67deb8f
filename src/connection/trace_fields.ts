/**
 * Where a trace stands in a request (W3C Trace Context; specification 2026-07-28, Overview, `_meta`).
 *
 * @module
 */

import type { JsonObject } from "../protocol.ts";
import type { TraceContext } from "../tool_client.ts";

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/**
 * The members of `_meta`.
 *
 * @param trace The trace; one that is malformed is left out, as the recommendation says.
 * @returns A fresh object.
 */
export function toTraceFields(trace: TraceContext | undefined): JsonObject {
  return Object.fromEntries(toTraceHeaders(trace));
}

/**
 * The headers.
 *
 * @param trace The trace; one that is malformed is left out.
 * @returns Names and values.
 */
export function toTraceHeaders(trace: TraceContext | undefined): [name: string, value: string][] {
  if (trace === undefined || !TRACEPARENT.test(trace.traceparent)) return [];
  const { traceparent, tracestate } = trace;
  const state = tracestate !== undefined && TRACESTATE.test(tracestate) ? [["tracestate", tracestate]] as const : [];
  return [["traceparent", traceparent], ...state.map(([name, value]): [string, string] => [name, value])];
}
