/**
 * The port: what one server, all servers of an agent, and anything that wraps them have in common.
 *
 * @module
 */

import type { Progress, Tool, ToolResult } from "./protocol.ts";

/** What a caller may say of any request. */
export interface RequestOptions {
  /** The longest the request may take, all its steps included, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Aborting it cancels the request; its reason is rethrown unchanged. */
  readonly signal?: AbortSignal | undefined;
}

/** What a caller may say of a tool call. */
export interface CallToolOptions extends RequestOptions {
  /** Told of the progress that the server reports. What it throws is ignored. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * The longest silence while the call runs, in milliseconds. Progress ends a silence; it does not prolong `timeoutMs`.
   * @default {undefined, a call may be silent as long as it may last}
   */
  readonly idleTimeoutMs?: number | undefined;
  /** The trace that the call belongs to, passed on to the server as headers and in `_meta`. */
  readonly trace?: TraceContext | undefined;
}

/** A trace (W3C Trace Context; specification 2026-07-28, Overview, `_meta`). */
export interface TraceContext {
  /** The header `traceparent`. */
  readonly traceparent: string;
  /** The header `tracestate`. */
  readonly tracestate?: string | undefined;
}

/** Lists and calls tools. One server, or many behind one name: the caller cannot tell. */
export interface ToolClient extends AsyncDisposable {
  /**
   * The tools that can be called.
   *
   * @param options Deadline and cancellation.
   * @returns Every tool, under the name to call it by.
   * @throws {MCPError} If no list could be had.
   */
  listTools(options?: RequestOptions): Promise<readonly Tool[]>;
  /**
   * Calls a tool. Sent at most once: a call whose answer was lost is `outcome_unknown`, never repeated.
   *
   * @param name The name under which the tool is listed.
   * @param args The arguments, a JSON object.
   * @param options Deadline, cancellation, progress.
   * @returns What the tool answered, also where it answered `isError: true`.
   * @throws {MCPError} If there is no answer.
   */
  callTool(name: string, args?: Readonly<Record<string, unknown>>, options?: CallToolOptions): Promise<ToolResult>;
  /** Frees everything the client opened. Idempotent. */
  close(): Promise<void>;
}
