/**
 * What happens to a client, as it happens.
 *
 * @module
 */

import type { MCPErrorCode } from "./errors.ts";
import type { BreakerState } from "./resilience/breaker.ts";

/** What every event tells. */
export interface EventBase {
  /** The agent, where the client is one of an agent's. */
  readonly agent?: string | undefined;
  /** The server concerned. */
  readonly server: string;
}

/** A connection was opened: the first one, or one after a failure (`recovered`). */
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

/** A connection could not be opened or was lost. */
export interface FailedEvent extends EventBase {
  /** What happened. */
  readonly type: "failed";
  /** What failed. */
  readonly code: MCPErrorCode;
  /** The failure in words, without secrets and without text of the server. */
  readonly message: string;
}

/** The server lists other tools than before. */
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

/** The circuit breaker of a server changed its state. */
export interface BreakerEvent extends EventBase {
  /** What happened. */
  readonly type: "breaker";
  /** Where it stands now. */
  readonly state: BreakerState;
}

/** A call has ended. */
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

/** What happens to a client. Further types may be added in a minor version. */
export type ClientEvent = ConnectedEvent | FailedEvent | ToolsChangedEvent | BreakerEvent | CallEvent;

/** Told of events. What it throws is ignored: it must not end the work it is told of. */
export type EventListener = (event: ClientEvent) => void;

/**
 * Tells a listener of an event.
 *
 * @param listener Whom to tell; `undefined` is nobody.
 * @param event What happened.
 */
export function tell(listener: EventListener | undefined, event: ClientEvent): void {
  try {
    const answer: unknown = listener?.(event);
    // A listener that is asynchronous after all must not end the process.
    if (answer instanceof Promise) answer.catch(() => {});
  } catch {
    // The work goes on.
  }
}
