/**
 * What happens to a client, as it happens.
 *
 * @module
 */

import type { MCPErrorCode } from "./errors.ts";
import type { BreakerState } from "./resilience/breaker.ts";

/**
 * What every event tells.
 *
 * @example
 * ```ts
 * import type { EventBase } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toTopic = ({ agent = "default", server }: EventBase) => `mcp/${agent}/${server}`;
 * assertEquals(toTopic({ agent: "Kairos", server: "files" }), "mcp/Kairos/files");
 * ```
 */
export interface EventBase {
  /** The agent, where the client is one of an agent's. */
  readonly agent?: string | undefined;
  /** The server concerned. */
  readonly server: string;
}

/**
 * A connection was opened: the first one, or one after a failure (`recovered`).
 *
 * @example
 * ```ts
 * import type { ConnectedEvent } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toLine = ({ type, server, era, transport }: ConnectedEvent) => `${server} ${type} (${era}, ${transport})`;
 * const how = { era: "modern", transport: "streamable_http", resumed: false } as const;
 * const event: ConnectedEvent = { type: "recovered", server: "files", ...how };
 * assertEquals(toLine(event), "files recovered (modern, streamable_http)");
 * ```
 */
export interface ConnectedEvent extends EventBase {
  /** What happened. */
  readonly type: "connected" | "recovered";
  /** The protocol era. */
  readonly era: "legacy" | "modern";
  /** The transport. */
  readonly transport: "streamable_http" | "sse";
  /** Whether it goes on from an earlier connection, without a handshake. */
  readonly resumed: boolean;
}

/**
 * A connection could not be opened or was lost.
 *
 * @example
 * ```ts
 * import type { FailedEvent } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const isOurs = ({ code }: FailedEvent) => code === "unauthorized" || code === "forbidden" || code === "auth_failed";
 * const message = 'Cannot connect to server "files" as nothing answers';
 * assertEquals(isOurs({ type: "failed", server: "files", code: "unreachable", message }), false);
 * ```
 */
export interface FailedEvent extends EventBase {
  /** What happened. */
  readonly type: "failed";
  /** What failed. */
  readonly code: MCPErrorCode;
  /** The failure in words, without secrets and without text of the server. */
  readonly message: string;
}

/**
 * The server lists other tools than before.
 *
 * @example
 * ```ts
 * import type { ToolsChangedEvent } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toAlarm = ({ server, changed }: ToolsChangedEvent) => changed.map((tool) => `Review ${tool} of ${server}`);
 * const event = { type: "tools_changed", server: "files", added: ["copy"], removed: [], changed: ["read"] } as const;
 * assertEquals(toAlarm(event), ["Review read of files"]);
 * ```
 */
export interface ToolsChangedEvent extends EventBase {
  /** What happened. */
  readonly type: "tools_changed";
  /** Tools that are new. */
  readonly added: readonly string[];
  /** Tools that are gone. */
  readonly removed: readonly string[];
  /** Tools whose description, schema or hints changed. */
  readonly changed: readonly string[];
}

/**
 * The circuit breaker of a server changed its state.
 *
 * @example
 * ```ts
 * import type { BreakerEvent } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const isDown = ({ state }: BreakerEvent) => state === "open";
 * assertEquals(isDown({ type: "breaker", server: "files", state: "half_open" }), false);
 * ```
 */
export interface BreakerEvent extends EventBase {
  /** What happened. */
  readonly type: "breaker";
  /** Where it stands now. */
  readonly state: BreakerState;
}

/**
 * A call has ended.
 *
 * @example
 * ```ts
 * import type { CallEvent } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toMetric = ({ server, tool, outcome, durationMs }: CallEvent) => `${server}.${tool}.${outcome} ${durationMs}`;
 * const event = { type: "call", server: "files", tool: "read", outcome: "ok", durationMs: 12 } as const;
 * assertEquals(toMetric(event), "files.read.ok 12");
 * ```
 */
export interface CallEvent extends EventBase {
  /** What happened. */
  readonly type: "call";
  /** The tool's name at the server. */
  readonly tool: string;
  /** How it ended: `ok`, `tool_error` (a result with `isError`), `cancelled`, or the code of the failure. */
  readonly outcome: "ok" | "tool_error" | "cancelled" | MCPErrorCode;
  /** How long it took, connecting included, in milliseconds. */
  readonly durationMs: number;
}

/**
 * Something happened to the tokens of a server.
 *
 * @example
 * ```ts
 * import type { AuthorizationEvent } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const needsPerson = ({ type }: AuthorizationEvent) => type === "authorization_required";
 * assertEquals(needsPerson({ type: "token_renewed", server: "calendar" }), false);
 * ```
 */
export interface AuthorizationEvent extends EventBase {
  /** A token was renewed without a person; a person has to authorize; there is a token that was granted anew. */
  readonly type: "token_renewed" | "authorization_required" | "authorized";
}

/**
 * What happens to a client. Further types may be added in a minor version.
 *
 * @example
 * ```ts
 * import type { ClientEvent } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * function toLevel(event: ClientEvent): "info" | "warn" {
 *   if (event.type === "call") return event.outcome === "ok" ? "info" : "warn";
 *   return event.type === "failed" || (event.type === "breaker" && event.state === "open") ? "warn" : "info";
 * }
 * assertEquals(toLevel({ type: "breaker", server: "files", state: "open" }), "warn");
 * ```
 */
export type ClientEvent =
  | ConnectedEvent
  | FailedEvent
  | ToolsChangedEvent
  | BreakerEvent
  | CallEvent
  | AuthorizationEvent;

/**
 * Told of events. What it throws is ignored: it must not end the work it is told of.
 *
 * @example
 * ```ts
 * import { type ClientEventListener, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const failed: string[] = [];
 * const onEvent: ClientEventListener = ({ type, server }) => void (type === "failed" && failed.push(server));
 * await using client = new SingleServerMCPClient("files", { url: "http://localhost:9/mcp" }, { onEvent });
 * await assertRejects(() => client.connect());
 * assertEquals(failed, ["files"]);
 * ```
 */
export type ClientEventListener = (event: ClientEvent) => void;
