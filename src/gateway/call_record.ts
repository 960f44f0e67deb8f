/**
 * What the gateway notes of each call of a tool, whichever door it came through.
 *
 * @module
 */

import type { MCPErrorCode } from "../errors.ts";
import type { JsonObject } from "../protocol.ts";
import type { RouteSource } from "../status.ts";
import type { TraceContext } from "../tool_client.ts";

/** The way a call came in: alone by REST, in a batch, or over MCP. */
export type CallDoor = "rest" | "batch" | "mcp";

/**
 * How a call ended: `ok`; `tool_error` for a result with `isError`; `cancelled` where the caller went away; `internal`
 * where the gateway itself failed; else the code of the failure.
 */
export type RecordedOutcome = "ok" | "tool_error" | "cancelled" | "internal" | MCPErrorCode;

/** A call that is about to be made. */
export interface BegunCall {
  /** The id of the request that it is made for; the calls of a batch share it. */
  readonly requestId: string;
  /** Who calls; see `Access.caller`. */
  readonly caller: string;
  /** Whose tool it is. */
  readonly agent: string;
  /** How it came in. */
  readonly door: CallDoor;
  /** The name that it is called by: what the caller wrote. */
  readonly tool: string;
  /** The arguments. */
  readonly args: JsonObject;
  /** The trace that the caller has it belong to. */
  readonly trace: TraceContext | undefined;
}

/** A call that has ended. It holds neither arguments nor results. */
export interface CallRecord extends Omit<BegunCall, "args" | "trace"> {
  /** The server that answered or failed, where one was found. */
  readonly server: string | undefined;
  /** The tool's name at that server, where it answered. */
  readonly toolName: string | undefined;
  /** How the owner was found, where it answered. */
  readonly route: RouteSource | undefined;
  /** How it ended. */
  readonly outcome: RecordedOutcome;
  /** When it began, in milliseconds since the epoch. */
  readonly atMs: number;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
}

/** Told of each call that has ended, with its arguments; at once, so that it has to be quick. */
export type CallListener = (record: CallRecord, args: JsonObject) => void;
