/**
 * What the gateway asks of the agents behind it, and the one place where it decides who may use which.
 *
 * @module
 */

import { nearestNames } from "../nearest.ts";
import type { AgentStatus, OwnedTool, RoutedResult, ToolRoute } from "../status.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";
import { type Access, mayUse } from "./keys.ts";
import { RequestError } from "./request_error.ts";

/** What a caller may say of a reconnection. */
export interface AgentReconnectOptions extends RequestOptions {
  /** The server to reconnect; every server that is not connected where it is left out. */
  readonly server?: string | undefined;
}

/** All servers of one agent, as the gateway uses them. `MultiServerMCPClient` is one. */
export interface AgentClient {
  /**
   * The agent's tools, each with the server that owns it.
   *
   * @param options Deadline and cancellation.
   * @returns Every tool that the agent may call.
   */
  listOwnedTools(options?: RequestOptions): Promise<readonly OwnedTool[]>;
  /**
   * Calls a tool of the server that owns it.
   *
   * @param name The name under which the tool is listed.
   * @param args The arguments.
   * @param options Deadline, cancellation, progress.
   * @returns What the tool answered, and who answered.
   */
  callToolRouted(name: string, args: Record<string, unknown>, options?: CallToolOptions): Promise<RoutedResult>;
  /**
   * Tells who owns a tool's name, without calling it.
   *
   * @param name The name under which the tool is listed.
   * @param options Deadline and cancellation.
   * @returns The owner, and how it is known.
   */
  routeTool(name: string, options?: RequestOptions): Promise<ToolRoute>;
  /** Tells what is known of the agent, without asking a server. */
  getStatus(): AgentStatus;
  /**
   * Connects again.
   *
   * @param options Which server, deadline and cancellation.
   * @returns Server by server, whether it is connected now.
   * @throws {MCPError} If the agent has no such server: `server_not_found`.
   */
  reconnect(options?: AgentReconnectOptions): Promise<Record<string, boolean>>;
}

/** All agents, as the gateway uses them. `MCPClientManager` is one. */
export interface AgentDirectory {
  /** The names of the agents, in the order of the configuration. */
  readonly agents: readonly string[];
  /**
   * The client of an agent; created without I/O.
   *
   * @param agent The agent's name.
   * @returns Its client.
   * @throws {MCPError} If there is no such agent: `agent_not_found`.
   */
  openClient(agent: string): AgentClient;
  /** Tells what is known of every agent, without asking a server. */
  getStatusSummary(): Record<string, AgentStatus>;
}

/**
 * The client of an agent that a caller may use. An agent that does not exist and one that the key does not open get
 * the same error, after the same work.
 *
 * @param directory All agents.
 * @param access What the caller's key opens.
 * @param agent The agent's name.
 * @returns Its client.
 * @throws {RequestError} If there is no such agent for this caller: `agent_not_found`.
 */
export function openAgent(directory: AgentDirectory, access: Access, agent: string): AgentClient {
  const visible = directory.agents.filter((name) => mayUse(access, name));
  if (visible.includes(agent)) return directory.openClient(agent);
  throw new RequestError("agent_not_found", "Cannot find the agent as the key opens no agent of this name", {
    suggestions: nearestNames(agent, visible),
  });
}
