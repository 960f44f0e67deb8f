/**
 * What the gateway notes of each call of a tool, whichever door it came through.
 *
 * @module
 */

import type { MCPErrorCode } from "../errors.ts";
import type { JsonObject } from "../protocol.ts";
import type { RouteSource } from "../status.ts";
import type { TraceContext } from "../tool_client.ts";

/**
 * The way a call came in: alone by REST, in a batch, or over MCP.
 *
 * @example
 * ```ts
 * import type { CallDoor } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const isHttp = (door: CallDoor) => door === "rest" || door === "batch";
 * assertEquals(isHttp("mcp"), false);
 * ```
 */
export type CallDoor = "rest" | "batch" | "mcp";

/**
 * How a call ended: `ok`; `tool_error` for a result with `isError`; `cancelled` where the caller went away; `internal`
 * where the gateway itself failed; else the code of the failure.
 *
 * @example
 * ```ts
 * import type { RecordedOutcome } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const isOurFault = (outcome: RecordedOutcome) => outcome === "internal";
 * assertEquals(isOurFault("unreachable"), false);
 * ```
 */
export type RecordedOutcome = "ok" | "tool_error" | "cancelled" | "internal" | MCPErrorCode;

/**
 * A call that is about to be made.
 *
 * @example
 * ```ts
 * import type { BegunCall } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const toSpanName = ({ tool }: BegunCall) => `tools/call ${tool}`;
 * const call = { requestId: "r1", caller: "local", agent: "Kairos", door: "rest", tool: "read", args: {} } as const;
 * assertEquals(toSpanName({ ...call, trace: undefined }), "tools/call read");
 * ```
 */
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
  /** What its message says of itself, where it came over MCP. */
  readonly rpc?: BegunRpc | undefined;
}

/**
 * What a message that came over MCP says of itself.
 *
 * @example
 * ```ts
 * import type { BegunRpc } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const isModern = ({ protocolVersion }: BegunRpc) => protocolVersion >= "2026-07-28";
 * assertEquals(isModern({ id: "1", protocolVersion: "2025-11-25", isTraced: false }), false);
 * ```
 */
export interface BegunRpc {
  /** Its id. */
  readonly id: string;
  /** The version of the protocol. */
  readonly protocolVersion: string;
  /** Whether it names the trace itself, in `_meta`; else the trace is that of its HTTP request. */
  readonly isTraced: boolean;
}

/**
 * A call that has ended. It holds neither arguments nor results.
 *
 * @example
 * ```ts
 * import type { CallRecord, RequestRecord } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const hasFailed = ({ outcome }: CallRecord) => outcome !== "ok" && outcome !== "tool_error";
 * const countFailed = ({ calls }: Pick<RequestRecord, "calls">) => calls.filter(hasFailed).length;
 * assertEquals(countFailed({ calls: [] }), 0);
 * ```
 */
export interface CallRecord extends Omit<BegunCall, "args" | "trace" | "rpc"> {
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
