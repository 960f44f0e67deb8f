/**
 * The one place that every call of a tool passes, whichever door it came through.
 *
 * @module
 */

import { isMCPError } from "../errors.ts";
import type { RoutedResult } from "../status.ts";
import type { TraceContext } from "../tool_client.ts";
import type { BegunCall, CallListener, CallRecord, RecordedOutcome } from "./call_record.ts";
import { RequestError } from "./request_error.ts";

/**
 * Makes a call part of a trace.
 *
 * @example
 * ```ts
 * import type { CallTracer } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const ended: string[] = [];
 * const tracer: CallTracer = {
 *   trace: (call, work) => work(call.trace, ({ tool, outcome }) => ended.push(`${tool}: ${outcome}`)),
 * };
 * assertEquals(typeof tracer.trace, "function");
 * ```
 */
export interface CallTracer {
  /**
   * Makes a call within a span of its own.
   *
   * @param call The call.
   * @param work Makes it; given the trace that is passed on to the server.
   * @param onEnd To be told how it ended.
   * @returns What the call resolves to.
   */
  trace(
    call: BegunCall,
    work: (trace: TraceContext | undefined, onEnd: (record: CallRecord) => void) => Promise<RoutedResult>,
  ): Promise<RoutedResult>;
}

/** What a journal works with. */
export interface CallJournalDeps {
  /** Makes calls parts of traces; `undefined` passes on the callers' own. */
  readonly tracer?: CallTracer | undefined;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

const NOBODY = () => {};

/** Tells of each call that has ended. One for each gateway. */
export class CallJournal {
  readonly #tracer: CallTracer | undefined;
  readonly #now: () => number;
  readonly #listeners: CallListener[] = [];

  /**
   * Creates a journal that nobody listens to yet.
   *
   * @param deps What it works with.
   */
  constructor({ tracer, now = Date.now }: CallJournalDeps = {}) {
    this.#tracer = tracer;
    this.#now = now;
  }

  /**
   * Has a listener told of every call from now on.
   *
   * @param listener The listener; what it throws is ignored.
   */
  listen(listener: CallListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Makes a call.
   *
   * @param call What is called, by whom.
   * @param work Makes it; given the trace that is passed on to the server.
   * @returns What it resolves to.
   */
  run(call: BegunCall, work: (trace: TraceContext | undefined) => Promise<RoutedResult>): Promise<RoutedResult> {
    if (this.#tracer === undefined) return this.#observe(call, () => work(call.trace), NOBODY);
    return this.#tracer.trace(call, (trace, onEnd) => this.#observe(call, () => work(trace), onEnd));
  }

  async #observe(
    call: BegunCall,
    work: () => Promise<RoutedResult>,
    onEnd: (record: CallRecord) => void,
  ): Promise<RoutedResult> {
    const atMs = this.#now();
    const began = performance.now();
    try {
      const routed = await work();
      this.#tell(call, { routed, atMs, began }, onEnd);
      return routed;
    } catch (error) {
      this.#tell(call, { error, atMs, began }, onEnd);
      throw error;
    }
  }

  #tell(call: BegunCall, ended: Ended, onEnd: (record: CallRecord) => void): void {
    const { args, trace: _trace, rpc: _rpc, ...what } = call;
    const { routed, error, atMs, began } = ended;
    const record: CallRecord = {
      ...what,
      server: routed?.server ?? (isMCPError(error) ? error.server : undefined),
      toolName: routed?.tool,
      route: routed?.route,
      outcome: routed === undefined ? toOutcome(error) : routed.result.isError === true ? "tool_error" : "ok",
      atMs,
      durationMs: performance.now() - began,
    };
    onEnd(record);
    for (const listener of this.#listeners) {
      try {
        listener(record, args);
      } catch {
        // Whoever takes notes must not fail the call.
      }
    }
  }
}

interface Ended {
  readonly routed?: RoutedResult;
  readonly error?: unknown;
  readonly atMs: number;
  readonly began: number;
}

function toOutcome(error: unknown): RecordedOutcome {
  if (isMCPError(error)) return error.code;
  if (error instanceof RequestError) return error.code === "caller_gone" ? "cancelled" : "closed";
  // A caller's own reason, where the call was cancelled by the protocol.
  return error instanceof Error && error.name === "RequestCancelled" ? "cancelled" : "internal";
}
