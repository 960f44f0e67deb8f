/**
 * The port: one connection to one server, whatever its era and transport.
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";
import type { JsonObject, Progress, ToolResult } from "../protocol.ts";

/** What a call may be given on its way. */
export interface ConnectionCallOptions {
  /** The end of the call. */
  readonly deadline: Deadline;
  /** Told of the progress that the server reports. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** One page of a tool list, as the server sent it. */
export interface ToolPage {
  /** The tools, unchecked. */
  readonly tools: readonly unknown[];
  /** Where the next page begins, or `undefined` on the last one. */
  readonly nextCursor: string | undefined;
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
  /** Ends the session and frees everything, within a second. Idempotent. */
  close(): Promise<void>;
}
