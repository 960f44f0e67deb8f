/**
 * All MCP servers of one agent behind one client.
 *
 * @module
 */

import { AgentServers } from "./agent/agent_servers.ts";
import { firstOfEach } from "./agent/name_owners.ts";
import type { FinishedAuthorization } from "./auth/finish_authorization.ts";
import type {
  Completion,
  CompletionArgument,
  CompletionReference,
  LogLevel,
  Prompt,
  PromptResult,
  Resource,
  ResourceResult,
  ResourceTemplate,
  ServerInfo,
} from "./context.ts";
import type { FeatureClient, ReadOptions, ResourceSubscription } from "./feature_client.ts";
import type {
  ConnectToServersOptions,
  MultiServerMCPClientOptions,
  ReconnectOptions,
  TellOptions,
} from "./multi_server_options.ts";
import type { ListKind, ListWatch } from "./list_watch.ts";
import type { Tool, ToolResult } from "./protocol.ts";
import type { AgentConfig, ServerConfig } from "./server_config.ts";
import type { SingleServerMCPClient } from "./single_server_client.ts";
import type {
  AgentStatus,
  ListFreshness,
  OwnedPrompt,
  OwnedResource,
  OwnedResourceTemplate,
  OwnedTool,
  RoutedResult,
  ServerStatus,
  ToolRoute,
} from "./status.ts";
import type { CallToolOptions, RequestOptions } from "./tool_client.ts";
import type { PinDecision, PinnedTool, PinOutcome } from "./tools/pinned_tool.ts";

let reveal: (client: MultiServerMCPClient) => AgentServers;

/**
 * The client of one agent: connects to all its servers at once, routes each call to the server that owns the tool, and
 * lives with the failure of some. Calls may start before it is connected: what is missing is asked for.
 *
 * @example
 * ```ts
 * import { MultiServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using client = new MultiServerMCPClient("Kairos", {
 *   servers: {
 *     fileio: { url: "http://localhost:9/mcp" },
 *     calendar: { url: "http://localhost:9/mcp", headers: { authorization: "Bearer ${TOKEN}" } },
 *   },
 *   secrets: { calendar: { TOKEN: "hunter22" } },
 * });
 * assertEquals(await client.connectToServers({ timeoutMs: 1_000 }), { fileio: false, calendar: false });
 * ```
 */
export class MultiServerMCPClient implements FeatureClient {
  /** The agent's name. */
  readonly agent: string;
  readonly #servers: AgentServers;

  static {
    reveal = (client) => client.#servers;
  }

  /**
   * Creates a client; nothing is sent.
   *
   * @param agent The agent's name.
   * @param config Its servers, in the order that decides who owns a bare tool name, and their secrets.
   * @param options The route store, and what differs in tests.
   * @throws {ConfigError} If the configuration has faults, all of them at once (`invalid_config`).
   * @throws {RangeError} If `storeSecret` is shorter than 16 bytes.
   */
  constructor(agent: string, config: AgentConfig, options: MultiServerMCPClientOptions = {}) {
    this.agent = agent;
    this.#servers = new AgentServers(agent, config, options);
  }

  /** The names of the servers, in order. */
  get servers(): readonly string[] {
    return this.#servers.names;
  }

  /**
   * Connects to all servers at once and lists their tools. Never throws because a server is down.
   *
   * @param options The pool (32 at once), the longest each server may take (10 s where nobody says), cancellation.
   * @returns For each server whether it is connected.
   * @throws The reason of the caller's signal, if that is aborted.
   * @throws {MCPError} With `closed` after `close()`.
   */
  async connectToServers(options: ConnectToServersOptions = {}): Promise<Record<string, boolean>> {
    return await this.#servers.connect(this.servers, options);
  }

  /**
   * Connects anew to the servers that are not connected, or to one that is named.
   *
   * @param options Which server; the rest as of {@linkcode MultiServerMCPClient.connectToServers}.
   * @returns For each server that was tried whether it is connected.
   * @throws {MCPError} With `server_not_found` if there is no server of that name.
   */
  async reconnect(options: ReconnectOptions = {}): Promise<Record<string, boolean>> {
    return await this.#servers.reconnect(options);
  }

  /**
   * The tools of all servers, each under the name to call it by. Servers that do not answer are left out.
   *
   * @param options Deadline and cancellation.
   * @returns The tools, in the order of the servers.
   * @throws {MCPError} If not one server has listed its tools.
   */
  async listTools(options: RequestOptions = {}): Promise<readonly Tool[]> {
    return (await this.listOwnedTools(options)).map(({ name, tool }) => ({ ...tool, name }));
  }

  /** As {@linkcode MultiServerMCPClient.listTools}, with the server that owns each tool. */
  async listOwnedTools(options: RequestOptions = {}): Promise<readonly OwnedTool[]> {
    return await this.#servers.tools.listOwned(options);
  }

  /**
   * Calls a tool at the server that owns its name. Sent at most once.
   *
   * @param name The name under which the tool is listed, or `server__tool`.
   * @param args Its arguments. @default {{}}
   * @param options Deadline over everything, finding the owner included (30 s where nobody says), cancellation, progress.
   * @returns What the tool answered, also where it answered `isError: true`.
   * @throws {MCPError} With `tool_not_found`, `tool_ambiguous`, `invalid_arguments`, or the owner's own error: a call
   * never slides to another server that lists the same name.
   */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallToolOptions = {},
  ): Promise<ToolResult> {
    return (await this.callToolRouted(name, args, options)).result;
  }

  /** As {@linkcode MultiServerMCPClient.callTool}, with the server that answered and how it was found. */
  async callToolRouted(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallToolOptions = {},
  ): Promise<RoutedResult> {
    return await this.#servers.tools.call(name, args, options);
  }

  /**
   * Explains who owns a name.
   *
   * @param name The name under which a tool is listed, or `server__tool`.
   * @param options Deadline and cancellation.
   * @returns The owner, why, and how fresh that is.
   * @throws {MCPError} With `tool_not_found` or `tool_ambiguous`.
   */
  async routeTool(name: string, options: RequestOptions = {}): Promise<ToolRoute> {
    return await this.#servers.tools.route(name, options);
  }

  /**
   * The client of the server that owns a name, from what is known now. Asks nobody.
   *
   * @param name The name under which a tool is listed, or `server__tool`.
   * @returns The client, or `undefined` where no owner is known.
   */
  findClientForTool(name: string): SingleServerMCPClient | undefined {
    return this.#servers.ownerOf(name);
  }

  /** As {@linkcode MultiServerMCPClient.findClientForTool}: the tool itself, as its server lists it. */
  findTool(name: string): Tool | undefined {
    return this.#servers.findTool(name);
  }

  /**
   * The resources of all servers, each URI once. Servers that do not answer are left out.
   *
   * @param options Deadline and cancellation.
   * @returns The resources, in the order of the servers.
   * @throws {MCPError} If not one server has answered.
   */
  async listResources(options: RequestOptions = {}): Promise<readonly Resource[]> {
    const owned = await this.listOwnedResources(options);
    return firstOfEach(owned, ({ uri }) => uri).map(({ resource }) => resource);
  }

  /** As {@linkcode MultiServerMCPClient.listResources}, with the servers: a URI that several list is there several times. */
  async listOwnedResources(options: RequestOptions = {}): Promise<readonly OwnedResource[]> {
    return await this.#servers.context.listResources(options);
  }

  /** As {@linkcode MultiServerMCPClient.listResources}, of the templates of resources. */
  async listResourceTemplates(options: RequestOptions = {}): Promise<readonly ResourceTemplate[]> {
    const owned = await this.listOwnedResourceTemplates(options);
    return firstOfEach(owned, ({ uriTemplate }) => uriTemplate).map(({ template }) => template);
  }

  /** As {@linkcode MultiServerMCPClient.listOwnedResources}, of the templates of resources. */
  async listOwnedResourceTemplates(options: RequestOptions = {}): Promise<readonly OwnedResourceTemplate[]> {
    return await this.#servers.context.listTemplates(options);
  }

  /**
   * As {@linkcode FeatureClient.readResource}: at the server that lists the URI, else at the one with a template that it
   * follows; nowhere else.
   *
   * @throws {MCPError} With `resource_not_found`, `resource_ambiguous`, `server_not_found`, or the owner's own error.
   */
  async readResource(uri: string, options: ReadOptions = {}): Promise<ResourceResult> {
    return await this.#servers.context.read(uri, options);
  }

  /**
   * As {@linkcode FeatureClient.subscribeResource}, at the server where it is read; until that is removed at the latest.
   *
   * @throws {MCPError} With `not_supported`, or as {@linkcode MultiServerMCPClient.readResource}.
   */
  async subscribeResource(
    uri: string,
    onUpdate: (uri: string) => void,
    options: ReadOptions = {},
  ): Promise<ResourceSubscription> {
    return await this.#servers.context.subscribe(uri, onUpdate, options);
  }

  /** As {@linkcode MultiServerMCPClient.listResources}, of the prompts, each under the name to get it by. */
  async listPrompts(options: RequestOptions = {}): Promise<readonly Prompt[]> {
    return (await this.listOwnedPrompts(options)).map(({ name, prompt }) => ({ ...prompt, name }));
  }

  /** As {@linkcode MultiServerMCPClient.listPrompts}, with the server that owns each prompt. */
  async listOwnedPrompts(options: RequestOptions = {}): Promise<readonly OwnedPrompt[]> {
    return await this.#servers.context.listPrompts(options);
  }

  /**
   * As {@linkcode FeatureClient.getPrompt}, at the server that owns the name; `server__prompt` always works.
   *
   * @throws {MCPError} With `prompt_not_found`, `prompt_ambiguous`, `server_not_found`, or the owner's own error.
   */
  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: ReadOptions = {},
  ): Promise<PromptResult> {
    return await this.#servers.context.getPrompt(name, args, options);
  }

  /**
   * As {@linkcode FeatureClient.complete}, at the server that owns the prompt's name or lists the template.
   *
   * @throws {MCPError} As {@linkcode MultiServerMCPClient.getPrompt} and {@linkcode MultiServerMCPClient.readResource}.
   */
  async complete(
    reference: CompletionReference,
    argument: CompletionArgument,
    options: ReadOptions = {},
  ): Promise<Completion> {
    return await this.#servers.context.complete(reference, argument, options);
  }

  /**
   * As {@linkcode SingleServerMCPClient.watchLists}, of all servers, also of those that are down now or are added later;
   * what this client knows is brought up to date.
   */
  async watchLists(onChange: (kind: ListKind) => void, options: RequestOptions = {}): Promise<ListWatch> {
    return await this.#servers.watchLists(onChange, options);
  }

  /**
   * Has all servers, or one that is named, log from a level on.
   *
   * @param level The level.
   * @param options Which server, deadline and cancellation.
   * @returns For each server whether it could be told.
   * @throws {MCPError} With `server_not_found` if there is no server of that name.
   */
  async setLogLevel(level: LogLevel, options: TellOptions = {}): Promise<Record<string, boolean>> {
    return await this.#servers.tell(this.servers, options, (client, request) => client.setLogLevel(level, request));
  }

  /**
   * Tells all servers that are connected, or one that is named, that the roots have changed.
   *
   * @param options Which server, deadline and cancellation.
   * @returns For each of them whether it could be told.
   * @throws {MCPError} With `server_not_found` if there is no server of that name.
   */
  async notifyRootsChanged(options: TellOptions = {}): Promise<Record<string, boolean>> {
    const connected = this.servers.filter((server) => this.#servers.clientOf(server).isConnected);
    return await this.#servers.tell(connected, options, (client, request) => client.notifyRootsChanged(request));
  }

  /** As {@linkcode SingleServerMCPClient.finishAuthorization}; any client with the same store and secret can. */
  async finishAuthorization(callbackUrl: string | URL, options: RequestOptions = {}): Promise<FinishedAuthorization> {
    return await this.#servers.finishAuthorization(callbackUrl, options);
  }

  /** As {@linkcode SingleServerMCPClient.getServerInfo}, of one server; `server_not_found` if there is none of that name. */
  getServerInfo(server: string): ServerInfo | undefined {
    return this.#servers.clientOf(server).getServerInfo();
  }

  /** The status of every server by its name, as it is now. Asks nobody. */
  getConnectionStatus(): Record<string, ServerStatus> {
    return this.#servers.getConnectionStatus();
  }

  /** The status of the agent, as it is now. Asks nobody. */
  getStatus(): AgentStatus {
    return this.#servers.getStatus();
  }

  /**
   * How long what all servers list is fresh, and who may be given it. Asks nobody.
   *
   * @param kind Which lists.
   * @returns What is known now.
   */
  getListFreshness(kind: "tools" | "resources" | "templates" | "prompts"): ListFreshness {
    return this.#servers.freshnessOf(kind);
  }

  /** Forgets what all servers listed, here and in the store: who asks next is given what they list then. */
  async flushCache(): Promise<void> {
    await this.#servers.flush();
  }

  /**
   * Adds a server at the end of the order; nothing is sent.
   *
   * @param server Its name.
   * @param config Where it is and how to talk to it.
   * @param secrets Values for `${NAME}` in its fields.
   * @throws {ConfigError} If the configuration has faults or the name is taken (`invalid_config`).
   */
  addServer(server: string, config: ServerConfig, secrets: Readonly<Record<string, string>> = {}): void {
    this.#servers.add(server, config, secrets);
  }

  /**
   * Removes a server and its tools, and closes its connection.
   *
   * @param server Its name.
   * @throws {MCPError} With `server_not_found` if there is no server of that name.
   */
  async removeServer(server: string): Promise<void> {
    await this.#servers.remove(server);
  }

  /** As {@linkcode SingleServerMCPClient.acceptTools}, of one server; `server_not_found` if there is none of that name. */
  async acceptTools(server: string, names?: readonly string[]): Promise<readonly string[]> {
    this.#servers.throwIfClosed();
    return await this.#servers.pins.accept(server, names);
  }

  /** As {@linkcode SingleServerMCPClient.listPins}, of all servers whose tools are pinned. */
  async listPins(options: RequestOptions = {}): Promise<readonly PinnedTool[]> {
    this.#servers.throwIfClosed();
    return await this.#servers.pins.list(options);
  }

  /**
   * As {@linkcode SingleServerMCPClient.decidePin}, and the list is made anew. Every other client of the same store obeys
   * the decision 10 s later at the latest.
   */
  async decidePin(decision: PinDecision, options: RequestOptions = {}): Promise<PinOutcome> {
    this.#servers.throwIfClosed();
    return await this.#servers.pins.decide(decision, options);
  }

  /** Ends what is under way with `closed` and closes every connection, also where one fails to close. Idempotent. */
  close(): Promise<void> {
    return this.#servers.close();
  }

  /** As {@linkcode MultiServerMCPClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The servers of a client, for the manager that it belongs to. */
export function serversOf(client: MultiServerMCPClient): AgentServers {
  return reveal(client);
}
