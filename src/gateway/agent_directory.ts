/**
 * What the gateway asks of the agents behind it, and the one place where it decides who may use which.
 *
 * @module
 */

import type { ServerInfo } from "../context.ts";
import type { ClientEventListener } from "../events.ts";
import { type Access, mayUse } from "../callers/access.ts";
import { isAgentName, toChallenge } from "../callers/protected_resource.ts";
import type { FeatureClient } from "../feature_client.ts";
import type { ListKind, ListWatch } from "../list_watch.ts";
import { nearestNames } from "../nearest.ts";
import type { Tool } from "../protocol.ts";
import type { AgentStatus, ListFreshness, OwnedTool, RoutedResult, ToolRoute } from "../status.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";
import type { PinDecision, PinnedTool, PinOutcome } from "../tools/pinned_tool.ts";
import { RequestError } from "./request_error.ts";

/**
 * What a caller may say of a reconnection.
 *
 * @example
 * ```ts
 * import type { AgentClient, AgentReconnectOptions } from "@portolan/mcp/gateway";
 *
 * const options: AgentReconnectOptions = { server: "files", timeoutMs: 5_000 };
 * const reconnectFiles = async (client: AgentClient) => (await client.reconnect(options)).files ?? false;
 * ```
 */
export interface AgentReconnectOptions extends RequestOptions {
  /** The server to reconnect; every server that is not connected where it is left out. */
  readonly server?: string | undefined;
}

/**
 * All servers of one agent, as the gateway uses them. `MultiServerMCPClient` is one.
 *
 * @example
 * ```ts
 * import { MultiServerMCPClient } from "@portolan/mcp";
 * import type { AgentClient } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * await using kairos = new MultiServerMCPClient("Kairos", { servers: { files: { url: "http://localhost:9/mcp" } } });
 * const client: AgentClient = kairos;
 * assertEquals(client.getStatus().totalServers, 1);
 * ```
 */
export interface AgentClient
  extends
    Pick<FeatureClient, "listResources" | "listResourceTemplates" | "readResource" | "subscribeResource">,
    Pick<FeatureClient, "listPrompts" | "getPrompt" | "complete"> {
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
  /**
   * The tool of a name, from what is known now. Asks nobody.
   *
   * @param name The name under which the tool is listed.
   * @returns The tool as its server lists it, or `undefined` where no owner is known.
   */
  findTool(name: string): Tool | undefined;
  /**
   * What a server says of itself. Asks nobody.
   *
   * @param server Its name.
   * @returns What it said when it was connected to, or `undefined` where that is not known.
   */
  getServerInfo(server: string): ServerInfo | undefined;
  /**
   * How long a list is fresh, and for whom, as far as the servers say. Asks nobody.
   *
   * @param kind Which list.
   * @returns The shortest time, and the narrowest scope.
   */
  getListFreshness(kind: ListKind | "templates"): ListFreshness;
  /**
   * Tells when a list changes.
   *
   * @param onChange Told which list has changed.
   * @param options Deadline and cancellation of the beginning.
   * @returns What ends it.
   */
  watchLists(onChange: (kind: ListKind) => void, options?: RequestOptions): Promise<ListWatch>;
  /** Tells what is known of the agent, without asking a server. */
  getStatus(): AgentStatus;
  /**
   * The pinned tools of the agent's servers. A client need not offer it.
   *
   * @param options Deadline and cancellation.
   * @returns Every tool of a server whose tools are pinned, as far as the agent may use it.
   */
  listPins?(options?: RequestOptions): Promise<readonly PinnedTool[]>;
  /**
   * Accepts a pinned tool as it is now, or withholds it. A client need not offer it.
   *
   * @param decision Which tool, and what is decided.
   * @param options Deadline and cancellation.
   * @returns What came of it.
   * @throws {MCPError} With `server_not_found` or `tool_not_found`.
   */
  decidePin?(decision: PinDecision, options?: RequestOptions): Promise<PinOutcome>;
  /**
   * Connects again.
   *
   * @param options Which server, deadline and cancellation.
   * @returns Server by server, whether it is connected now.
   * @throws {MCPError} If the agent has no such server: `server_not_found`.
   */
  reconnect(options?: AgentReconnectOptions): Promise<Record<string, boolean>>;
}

/**
 * All agents, as the gateway uses them. `MCPClientManager` is one.
 *
 * @example A gateway for some of the agents
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { type AgentDirectory, createGateway, digestKey } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * await using manager = new MCPClientManager({ agents: { Kairos: { servers: {} }, Internal: { servers: {} } } });
 * const directory: AgentDirectory = {
 *   agents: ["Kairos"],
 *   openClient: (agent) => manager.openClient(agent),
 *   getStatusSummary: () => ({ Kairos: manager.openClient("Kairos").getStatus() }),
 * };
 * const gateway = createGateway({ directory }, { keys: { "*": [await digestKey("a key")] } });
 * assertEquals(typeof gateway.fetch, "function");
 * ```
 */
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
  /**
   * Forgets what is cached of one agent, or of all; connections stay. A directory need not offer it.
   *
   * @param agent The agent's name; every agent where it is left out.
   */
  flushCache?(agent?: string): Promise<void>;
  /**
   * Has a listener told of what happens to the clients of all agents. A directory need not offer it.
   *
   * @param listener Told of each event; what it throws is ignored.
   * @returns What ends it.
   */
  watchEvents?(listener: ClientEventListener): () => void;
}

/**
 * The client of an agent that a caller may use.
 *
 * @param directory All agents.
 * @param access What the caller's key or token opens.
 * @param agent The agent's name.
 * @returns Its client.
 * @throws {RequestError} If there is no such agent for this caller: `agent_not_found`, or `insufficient_scope`.
 */
export function openAgent(directory: AgentDirectory, access: Access, agent: string): AgentClient {
  requireAgent(directory, access, agent);
  return directory.openClient(agent);
}

/**
 * How the agents stand that a caller may use.
 *
 * @param directory All agents.
 * @param access What the caller's key or token opens.
 * @returns The status of each of them, by name.
 */
export function visibleStatus(directory: AgentDirectory, access: Access): Record<string, AgentStatus> {
  const all = Object.entries(directory.getStatusSummary());
  return Object.fromEntries(all.filter(([agent]) => mayUse(access, agent)));
}

/**
 * Refuses an agent that a caller may not use. One that does not exist and one that the caller may not use get the same
 * error, after the same work. Where a token names agents by scopes the error names the scope that it lacks, also of an
 * agent that does not exist: the caller has said the name itself.
 *
 * @param directory All agents.
 * @param access What the caller's key or token opens.
 * @param agent The agent's name.
 * @throws {RequestError} If there is no such agent for this caller: `agent_not_found`, or `insufficient_scope`.
 */
export function requireAgent(directory: AgentDirectory, access: Access, agent: string): void {
  const visible = directory.agents.filter((name) => mayUse(access, name));
  if (visible.includes(agent)) return;
  const { stepUp } = access;
  if (stepUp !== undefined && access.agents !== "*" && isAgentName(agent)) {
    const scope = stepUp.scopePrefix + agent;
    const challenge = toChallenge({ error: "insufficient_scope", scope, metadataUrl: stepUp.metadataUrl });
    throw new RequestError("insufficient_scope", "Cannot use the agent as the token has no scope for this name", {
      headers: { "www-authenticate": challenge },
    });
  }
  throw new RequestError("agent_not_found", "Cannot find the agent as the key opens no agent of this name", {
    suggestions: nearestNames(agent, visible),
  });
}
