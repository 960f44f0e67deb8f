/**
 * The port: one connection to one server, whatever its era and transport.
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";
import type { JsonObject, Progress, ToolResult } from "../protocol.ts";
import type { TraceContext } from "../tool_client.ts";

/** What a call may be given on its way. */
export interface ConnectionCallOptions {
  /** The end of the call. */
  readonly deadline: Deadline;
  /** Told of the progress that the server reports. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Told when the call has left, and of everything that the server sends before the answer. */
  readonly onHeard?: (() => void) | undefined;
  /** Where the call belongs to, passed on to the server. */
  readonly trace?: TraceContext | undefined;
  /** The arguments as JSON, where the caller has it already: large ones are costly to write twice. */
  readonly argumentsText?: string | undefined;
  /** The tool's schema, where it is known: it may name arguments that are sent as headers too. */
  readonly inputSchema?: JsonObject | undefined;
}

/** One page of a tool list, as the server sent it. */
export interface ToolPage {
  /** The tools, unchecked. */
  readonly tools: readonly unknown[];
  /** Where the next page begins, or `undefined` on the last one. */
  readonly nextCursor: string | undefined;
  /** How long the page is fresh, in milliseconds, where the server says so. */
  readonly ttlMs?: number | undefined;
}

/** What is worth keeping of a connection: with it the next isolate has less to ask, or nothing. */
export interface SavedConnection {
  /** The protocol era. */
  readonly era: "legacy" | "modern";
  /** The transport. */
  readonly transport: "streamable_http" | "sse";
  /** The protocol version agreed on. */
  readonly protocolVersion: string;
  /** The session, where the server gave one; it opens a door. */
  readonly sessionId?: string | undefined;
  /** Whether it can be gone on from without a handshake. */
  readonly resumable: boolean;
}

/** One connection to one server. */
export interface Connection {
  /** The protocol era. */
  readonly era: "legacy" | "modern";
  /** The transport in use. */
  readonly transport: "streamable_http" | "sse";
  /** The protocol version agreed on. */
  readonly protocolVersion: string;
  /** Whether it can still be used; a lost one is replaced by its owner. */
  readonly lost: boolean;
  /** Whether it goes on from what an earlier one left, with no handshake of its own. */
  readonly resumed: boolean;
  /** What a later one could go on from. */
  readonly saved: SavedConnection;
  /**
   * Reads one page of the tool list.
   *
   * @param cursor Where the page begins; `undefined` for the first.
   * @param deadline The end of the listing.
   * @returns The page.
   */
  listTools(cursor: string | undefined, deadline: Deadline): Promise<ToolPage>;
  /**
   * Calls a tool, at most once.
   *
   * @param name The tool's name at this server.
   * @param args Its arguments.
   * @param options Deadline and progress.
   * @returns What the tool answered.
   */
  callTool(name: string, args: JsonObject, options: ConnectionCallOptions): Promise<ToolResult>;
  /**
   * Waits for notices that the server's tools have changed.
   *
   * @param onChange Told of each.
   * @param signal Ends the waiting and closes the stream.
   * @returns When the stream has ended; `false` where the server offers none.
   */
  listen(onChange: () => void, signal: AbortSignal): Promise<boolean>;
  /**
   * Frees everything, within a second. Idempotent.
   *
   * @param options Whether the session is kept at the server, because another isolate may go on with it.
   */
  close(options?: { readonly keepSession?: boolean }): Promise<void>;
}
