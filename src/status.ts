/**
 * What a server, an agent and a route look like from outside.
 *
 * @module
 */

import type { MCPErrorCode } from "./errors.ts";
import type { LatencySummary } from "./latency.ts";
import type { Tool, ToolResult } from "./protocol.ts";
import type { BreakerState } from "./resilience/breaker.ts";

/** Where a server's connection stands. */
export type ServerState = "idle" | "connecting" | "connected" | "failed" | "closed";

/** The last failure of a server. */
export interface LastError {
  /** What failed. */
  readonly code: MCPErrorCode;
  /** The failure in words, without secrets and without text of the server. */
  readonly message: string;
  /** When it happened, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** What is known of one server of one agent. */
export interface ServerStatus {
  /** The configured name. */
  readonly server: string;
  /** The configured URL without its query and fragment. */
  readonly url: string;
  /** Where the connection stands. */
  readonly state: ServerState;
  /** The protocol era, once known: `legacy` is 2024-11-05 … 2025-11-25. */
  readonly era: "legacy" | "modern" | undefined;
  /** The transport, once known. */
  readonly transport: "streamable_http" | "sse" | undefined;
  /** The protocol version agreed on, once known. */
  readonly protocolVersion: string | undefined;
  /** How many tools the server lists and the filters let through; `undefined` before the first list. */
  readonly toolCount: number | undefined;
  /** Where the tool list came from: the server, the route cache, or nowhere yet. */
  readonly toolsFrom: "server" | "cache" | undefined;
  /** Whether the list was cut at a cap or a listing failed half-way. */
  readonly toolsPartial: boolean;
  /** How long the list is fresh, in milliseconds, where the server says so. */
  readonly toolsTtlMs: number | undefined;
  /** What was dropped from the list, and why. */
  readonly warnings: readonly string[];
  /** How long the last answered request took, in milliseconds. */
  readonly latencyMs: number | undefined;
  /** Percentiles of the last answered requests; `undefined` before the first. */
  readonly latency: LatencySummary | undefined;
  /** Where the circuit breaker stands. */
  readonly breaker: BreakerState;
  /** How many requests are under way. */
  readonly running: number;
  /** How many requests wait for their turn. */
  readonly waiting: number;
  /** Since when it is connected, in milliseconds since the epoch. */
  readonly connectedAtMs: number | undefined;
  /** The last failure, kept after a recovery. */
  readonly lastError: LastError | undefined;
}

/** A bare name that a server lists and another server owns. */
export interface ShadowedTool {
  /** The bare name. */
  readonly tool: string;
  /** The server that owns the bare name, or `undefined` where the policy gives it to none. */
  readonly owner: string | undefined;
  /** The server whose tool is reachable by its qualified name only. */
  readonly server: string;
  /** The name to call it by. */
  readonly exposedAs: string;
}

/** What is known of one agent. */
export interface AgentStatus {
  /** The agent's name. */
  readonly agent: string;
  /** How many of its servers are connected. */
  readonly connectedServers: number;
  /** How many servers it has. */
  readonly totalServers: number;
  /** How many tools it can call. */
  readonly totalTools: number;
  /** Every server by its configured name. */
  readonly servers: Readonly<Record<string, ServerStatus>>;
  /** Tools whose bare name belongs to another server. */
  readonly shadowed: readonly ShadowedTool[];
}

/** How the owner of a tool was found: known here, read from the route cache, or asked of the servers. */
export type RouteSource = "memory" | "cache" | "discovery";

/** A tool of an agent with the server that owns it. */
export interface OwnedTool {
  /** The name to call it by. */
  readonly name: string;
  /** The server that owns it. */
  readonly server: string;
  /** Its name at that server. */
  readonly toolName: string;
  /** The tool as its server lists it, under its name at that server. */
  readonly tool: Tool;
}

/** What a tool answered, and who answered. */
export interface RoutedResult {
  /** The server that answered. */
  readonly server: string;
  /** The tool's name at that server. */
  readonly tool: string;
  /** How the owner was found. */
  readonly route: RouteSource;
  /** What the tool answered. */
  readonly result: ToolResult;
}

/** Who owns a tool's name, and how that is known. */
export interface ToolRoute {
  /** The name that was asked for. */
  readonly name: string;
  /** The server that owns it. */
  readonly server: string;
  /** The tool's name at that server. */
  readonly tool: string;
  /** How the owner was found. */
  readonly route: RouteSource;
  /** Why this server owns the name, in words. */
  readonly reason: string;
  /** How old the owner's tool list is, in milliseconds. */
  readonly ageMs: number;
  /** Whether that list is within its time to live. */
  readonly fresh: boolean;
  /** Other servers that list the same bare name, in the order of the configuration. */
  readonly shadowedServers: readonly string[];
}
