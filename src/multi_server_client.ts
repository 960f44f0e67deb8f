/**
 * All MCP servers of one agent behind one client.
 *
 * @module
 */

import { checkTimeout, Deadline } from "./deadline.ts";
import { MCPError } from "./errors.ts";
import type { ConnectToServersOptions, MultiServerMCPClientOptions, ReconnectOptions } from "./multi_server_options.ts";
import type { Tool, ToolResult } from "./protocol.ts";
import { RouteCache } from "./route_cache.ts";
import {
  type AgentConfig,
  resolveAgent,
  type ResolvedServer,
  resolveServer,
  type ServerConfig,
} from "./server_config.ts";
import { ServerFleet } from "./agent/server_fleet.ts";
import { ServerFactory } from "./agent/server_factory.ts";
import type { SingleServerMCPClient } from "./single_server_client.ts";
import type { AgentStatus, OwnedTool, RoutedResult, ServerStatus, ToolRoute } from "./status.ts";
import { ToolCatalog } from "./agent/tool_catalog.ts";
import type { CallToolOptions, RequestOptions, ToolClient } from "./tool_client.ts";
import { CALL_TIMEOUT_MS, ToolRouter } from "./agent/tool_router.ts";

/** How many servers are asked at once where nobody says. */
const CONCURRENT_CONNECTIONS = 32;
/** How long the route cache remembers that a server gave no list, in milliseconds; long past its freshness. */
const NEGATIVE_TTL_MS = 600_000;

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
export class MultiServerMCPClient implements ToolClient {
  /** The agent's name. */
  readonly agent: string;
  readonly #now: () => number;
  readonly #factory: ServerFactory;
  readonly #catalog: ToolCatalog;
  readonly #fleet: ServerFleet;
  readonly #router: ToolRouter;
  readonly #closed = new AbortController();
  #refreshing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

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
    const { store, toolsTtlMs = 300_000, onWarning, now = Date.now } = options;
    checkTimeout("toolsTtlMs", toolsTtlMs);
    const { servers, collisions } = resolveAgent(agent, config);
    this.agent = agent;
    this.#now = now;
    const cacheOptions = { ttlMs: toolsTtlMs, negativeTtlMs: NEGATIVE_TTL_MS, onWarning, now };
    const cache = store && new RouteCache(store, cacheOptions);
    const onToolsStale = (server: string) => void this.#askAnew(server);
    this.#factory = new ServerFactory({ ...options, agent, now, onToolsStale });
    this.#catalog = new ToolCatalog({
      policy: collisions,
      cache,
      now,
      ttlMs: toolsTtlMs,
      onLoaded: (server, tools) => this.#fleet.clientOf(server)?.adoptTools(tools),
    });
    this.#fleet = new ServerFleet(this.#catalog);
    const { catalog, fleet } = { catalog: this.#catalog, fleet: this.#fleet };
    this.#router = new ToolRouter({ agent, catalog, fleet, now, concurrency: CONCURRENT_CONNECTIONS });
    for (const server of servers) this.#add(server, config.servers[server.name]!, secretsOf(config, server.name));
  }

  /** The names of the servers, in order. */
  get servers(): readonly string[] {
    return this.#fleet.servers;
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
    return await this.#connect(this.servers, options, false);
  }

  /**
   * Connects anew to the servers that are not connected, or to one that is named.
   *
   * @param options Which server; the rest as of {@linkcode MultiServerMCPClient.connectToServers}.
   * @returns For each server that was tried whether it is connected.
   * @throws {MCPError} With `server_not_found` if there is no server of that name.
   */
  async reconnect(options: ReconnectOptions = {}): Promise<Record<string, boolean>> {
    const { server } = options;
    if (server !== undefined) this.#clientOf(server);
    const down = this.servers.filter((name) => this.#clientOf(name).isConnected === false);
    return await this.#connect(server === undefined ? down : [server], options, true);
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

  /**
   * As {@linkcode MultiServerMCPClient.listTools}, with the server that owns each tool.
   *
   * @param options Deadline and cancellation.
   * @returns The tools, in the order of the servers.
   * @throws {MCPError} If not one server has listed its tools.
   */
  async listOwnedTools(options: RequestOptions = {}): Promise<readonly OwnedTool[]> {
    this.#throwIfClosed();
    checkTimeout("timeoutMs", options.timeoutMs);
    using deadline = this.#deadline(options);
    if (this.#catalog.unknownServers.length > 0) await deadline.race(this.#catalog.loadFromCache()).catch(() => {});
    const unknown = this.#catalog.unknownServers;
    if (unknown.length > 0) {
      await this.#fleet.askAll(unknown, { concurrency: CONCURRENT_CONNECTIONS, signal: deadline.signal });
    }
    if (deadline.cancelled) throw deadline.signal.reason;
    const lists = this.servers.map((server) => this.#catalog.listOf(server));
    if (lists.length > 0 && lists.every((list) => list === undefined || list.failed)) {
      throw this.#router.toNoList(`list the tools of agent "${this.agent}"`, this.servers);
    }
    this.#refreshStale();
    return this.#catalog.tools;
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

  /**
   * As {@linkcode MultiServerMCPClient.callTool}, with the server that answered and how it was found.
   *
   * @param name The name under which the tool is listed, or `server__tool`.
   * @param args Its arguments. @default {{}}
   * @param options Deadline, cancellation, progress.
   * @returns The result and its server.
   * @throws {MCPError} As {@linkcode MultiServerMCPClient.callTool}.
   */
  async callToolRouted(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallToolOptions = {},
  ): Promise<RoutedResult> {
    this.#throwIfClosed();
    checkTimeout("timeoutMs", options.timeoutMs);
    using deadline = this.#deadline(options);
    try {
      return await this.#router.call(name, args, options, deadline);
    } finally {
      this.#refreshStale();
    }
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
    this.#throwIfClosed();
    checkTimeout("timeoutMs", options.timeoutMs);
    using deadline = this.#deadline(options);
    const { match: { server, tool, reason, shadowedServers }, route } = await this.#router.find(name, deadline);
    const list = this.#catalog.listOf(server);
    const nowMs = this.#now();
    const ageMs = list === undefined ? 0 : Math.max(0, nowMs - list.atMs);
    return { name, server, tool, route, reason, ageMs, fresh: (list?.staleAtMs ?? 0) > nowMs, shadowedServers };
  }

  /**
   * The client of the server that owns a name, from what is known now. Asks nobody.
   *
   * @param name The name under which a tool is listed, or `server__tool`.
   * @returns The client, or `undefined` where no owner is known.
   */
  findClientForTool(name: string): SingleServerMCPClient | undefined {
    const found = this.#catalog.resolve(name);
    return found.kind === "owned" ? this.#fleet.clientOf(found.server) : undefined;
  }

  /**
   * The status of every server. Asks nobody.
   *
   * @returns A snapshot by server name.
   */
  getConnectionStatus(): Record<string, ServerStatus> {
    return Object.fromEntries(this.servers.map((server) => [server, this.#fleet.statusOf(server)]));
  }

  /**
   * The status of the agent. Asks nobody.
   *
   * @returns A snapshot.
   */
  getStatus(): AgentStatus {
    const servers = this.getConnectionStatus();
    const all = Object.values(servers);
    return {
      agent: this.agent,
      connectedServers: all.filter(({ state }) => state === "connected").length,
      totalServers: all.length,
      totalTools: this.#catalog.tools.length,
      servers,
      shadowed: this.#catalog.shadowed,
    };
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
    this.#throwIfClosed();
    if (this.servers.includes(server)) {
      throw new MCPError(
        "invalid_config",
        `Cannot add server "${server}" as there is one of that name: remove it first`,
        {
          server,
        },
      );
    }
    this.#add(resolveServer(server, config, secrets), config, secrets);
  }

  /**
   * Removes a server and its tools, and closes its connection.
   *
   * @param server Its name.
   * @throws {MCPError} With `server_not_found` if there is no server of that name.
   */
  async removeServer(server: string): Promise<void> {
    this.#clientOf(server);
    this.#catalog.remove(server);
    await this.#fleet.remove(server);
  }

  /**
   * Accepts tools of a server as they are now, where its configuration pins them.
   *
   * @param server Its name.
   * @param names The tools, by their names at that server; all where none are named.
   * @returns The names of the tools that had changed.
   * @throws {MCPError} With `server_not_found` if there is no server of that name, or if it does not list its tools.
   */
  async acceptTools(server: string, names?: readonly string[]): Promise<readonly string[]> {
    this.#throwIfClosed();
    const accepted = await this.#clientOf(server).acceptTools(names);
    if (accepted.length > 0) await this.#askAnew(server);
    return accepted;
  }

  /** Ends what is under way with `closed` and closes every connection, also where one fails to close. Idempotent. */
  close(): Promise<void> {
    this.#closed.abort(new MCPError("closed", `Cannot use the client of agent "${this.agent}" as it is closed`));
    return this.#closing ??= this.#fleet.close();
  }

  /** As {@linkcode MultiServerMCPClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #add(resolved: ResolvedServer, config: ServerConfig, secrets: Readonly<Record<string, string>> | undefined): void {
    const { name: server, tools: filter, timeoutMs } = resolved;
    const { client, toKey } = this.#factory.make(resolved, config, secrets);
    this.#catalog.add({ server, filter, toKey });
    this.#fleet.add(client, timeoutMs);
  }

  /** The server says that its tools have changed: what is known of them no longer holds. */
  async #askAnew(server: string): Promise<void> {
    await this.#catalog.invalidate(server);
    if (this.#closing === undefined) await this.#fleet.askAll([server], { concurrency: 1 });
  }

  async #connect(
    servers: readonly string[],
    options: ConnectToServersOptions,
    reconnect: boolean,
  ): Promise<Record<string, boolean>> {
    const { concurrentConnections: concurrency = CONCURRENT_CONNECTIONS, timeoutMs, signal, onServerSettled } = options;
    this.#throwIfClosed();
    checkTimeout("timeoutMs", timeoutMs);
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new RangeError(`Cannot use concurrentConnections as a count from 1 up: ${String(concurrency)}`);
    }
    const ask = { concurrency, timeoutMs, signal, reconnect, onSettled: onServerSettled };
    const connected = await this.#fleet.askAll(servers, ask);
    signal?.throwIfAborted();
    return connected;
  }

  /** The end of an operation, by the caller or by `close()`. */
  #deadline({ timeoutMs = CALL_TIMEOUT_MS, signal }: RequestOptions): Deadline {
    return new Deadline(timeoutMs, { signal, owner: this.#closed.signal });
  }

  /** Lists past their time are asked for again once the caller has an answer. */
  #refreshStale(): void {
    if (this.#closing !== undefined || this.#refreshing !== undefined) return;
    const stale = this.#catalog.staleServers;
    if (stale.length > 0) this.#refreshing = this.#refresh(stale).finally(() => this.#refreshing = undefined);
  }

  async #refresh(stale: readonly string[]): Promise<void> {
    const renewals = await Promise.all(stale.map((server) => this.#catalog.renew(server)));
    const asked = stale.filter((_, index) => renewals[index]);
    if (this.#closing === undefined) await this.#fleet.askAll(asked, { concurrency: CONCURRENT_CONNECTIONS });
  }

  #clientOf(server: string): SingleServerMCPClient {
    const client = this.#fleet.clientOf(server);
    if (client !== undefined) return client;
    throw new MCPError("server_not_found", `Cannot use server "${server}" as agent "${this.agent}" has none`, {
      server,
    });
  }

  #throwIfClosed(): void {
    this.#closed.signal.throwIfAborted();
  }
}

/** A server may be called `constructor`: only what the configuration says itself counts. */
function secretsOf({ secrets = {} }: AgentConfig, server: string): Readonly<Record<string, string>> | undefined {
  return Object.hasOwn(secrets, server) ? secrets[server] : undefined;
}
