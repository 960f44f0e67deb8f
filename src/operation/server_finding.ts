/**
 * What trying a server has shown.
 *
 * @module
 */

import type { MCPErrorCode } from "../errors.ts";

/** What a warning is about. Further codes may be added in a minor version. */
export type WarningCode =
  | "plaintext_credential"
  | "tools_partial"
  | "tools_dropped"
  | "tools_changed"
  | "tools_none"
  | "tools_shadowed"
  | "pattern_unused"
  | "sse_only"
  | "slow";

/** Something about a server that works, and that is worth a look. */
export interface ServerWarning {
  /** What it is about. */
  readonly code: WarningCode;
  /** What was found, in one sentence without a final period. */
  readonly message: string;
  /** What to do about it, likewise. */
  readonly advice: string;
}

/** What trying one server of one agent has shown. No text of the server but the names of tools, and no secret, is in it. */
export interface ServerFinding {
  /** The agent. */
  readonly agent: string;
  /** The server. */
  readonly server: string;
  /** Whether it was connected to and listed its tools. */
  readonly ok: boolean;
  /** What failed; `undefined` where nothing did. */
  readonly code?: MCPErrorCode | undefined;
  /** What was found, in one sentence without a final period; that of a faulty configuration has a line for each fault. */
  readonly message: string;
  /** What to do about the fault, in one sentence without a final period; empty where there is none. */
  readonly advice: string;
  /** What works and is worth a look all the same. */
  readonly warnings: readonly ServerWarning[];
  /** The protocol era, once known: `legacy` is 2024-11-05 … 2025-11-25. */
  readonly era?: "legacy" | "modern" | undefined;
  /** The transport, once known. */
  readonly transport?: "streamable_http" | "sse" | undefined;
  /** The protocol version agreed on, once known. */
  readonly protocolVersion?: string | undefined;
  /** How many of its tools the agent may call; `undefined` where it has not listed them. */
  readonly toolCount?: number | undefined;
  /** How long connecting and listing took, in milliseconds. */
  readonly durationMs: number;
}
