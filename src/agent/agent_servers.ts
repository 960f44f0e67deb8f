/**
 * The servers of one agent: their clients, what is known of them, and who finds the owner of a name.
 *
 * @module
 */

import type { FinishedAuthorization } from "../auth/finish_authorization.ts";
import { AgentContext } from "./agent_context.ts";
import { AgentPins } from "./agent_pins.ts";
import { AgentTools, type ConnectOptions } from "./agent_tools.ts";
import { AgentWatches } from "./agent_watches.ts";
import type { ContextKind } from "./context_catalog.ts";
import { CONNECT_TIMEOUT_MS } from "../connection/connector.ts";
import { beginOperation, checkTimeout } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import type { ListKind, ListWatch } from "../list_watch.ts";
import type { MultiServerMCPClientOptions, ReconnectOptions, TellOptions } from "../multi_server_options.ts";
import { RouteCache } from "../route_cache.ts";
import { LIST_KINDS, ListChanges } from "../server/list_changes.ts";
import { type AgentConfig, resolveAgent, resolveServer, type ServerConfig } from "../server_config.ts";
import { ServerFactory } from "./server_factory.ts";
import { ServerFleet } from "./server_fleet.ts";
import { type PreparedServers, ServerRoster, sourceOf } from "./server_roster.ts";
import type { SingleServerMCPClient } from "../single_server_client.ts";
import type { AgentStatus, ListFreshness, ServerStatus } from "../status.ts";
import { ToolCatalog } from "./tool_catalog.ts";
import type { Tool } from "../protocol.ts";
import type { RequestOptions } from "../tool_client.ts";
import { WorkCount } from "../work_count.ts";

/** How many servers are asked at once where nobody says. */
const CONCURRENT_CONNECTIONS = 32;
/** How long the route cache remembers that a server gave no list, in milliseconds; long past its freshness. */
const NEGATIVE_TTL_MS = 600_000;

/** Tells a server something. */
export type Tell = (client: SingleServerMCPClient, options: RequestOptions) => Promise<void>;

/** Adds, finds and closes the servers of one agent. */
export class AgentServers {
  /** Their tools. */
  readonly tools: AgentTools;
  /** Their resources and prompts. */
  readonly context: AgentContext;
  /** Their pinned tools. */
  readonly pins: AgentPins;
  readonly #agent: string;
  readonly #factory: ServerFactory;
  readonly #catalog: ToolCatalog;
  readonly #fleet: ServerFleet;
  readonly #changes = new ListChanges();
  readonly #watches: AgentWatches;
  readonly #roster: ServerRoster;
  readonly #work = new WorkCount();
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;

  /**
   * Creates the clients; nothing is sent.
   *
   * @param agent The agent's name.
   * @param config Its servers and their secrets.
   * @param options The route store, handlers, and what differs in tests.
   * @throws {ConfigError} If the configuration has faults, all of them at once (`invalid_config`).
   * @throws {RangeError} If `storeSecret` is shorter than 16 bytes.
   */
  constructor(agent: string, config: AgentConfig, options: MultiServerMCPClientOptions) {
    const { store, toolsTtlMs: ttlMs = 300_000, onWarning, now = Date.now } = options;
    checkTimeout("toolsTtlMs", ttlMs);
    const { servers, collisions: policy } = resolveAgent(agent, config);
    this.#agent = agent;
    this.#factory = new ServerFactory({
      ...options,
      agent,
      now,
      onToolsStale: (server) => void this.tools.askAnew(server),
      onContextStale: (server, what) => this.context.invalidate(server, what),
    });
    const changes = this.#changes;
    const catalog = this.#catalog = new ToolCatalog({
      policy,
      changes,
      cache: store && new RouteCache(store, { ttlMs, negativeTtlMs: NEGATIVE_TTL_MS, onWarning, now }),
      now,
      ttlMs,
      onLoaded: (server, tools) => fleet.adopt(server, tools),
    });
    const fleet = this.#fleet = new ServerFleet(catalog);
    const concurrency = CONCURRENT_CONNECTIONS;
    const deps = { agent, now, concurrency, closed: this.#closed.signal, work: this.#work };
    this.#watches = new AgentWatches({ changes, clients: () => this.names.map((server) => this.clientOf(server)) });
    this.tools = new AgentTools({ ...deps, catalog, fleet, changes });
    this.pins = new AgentPins({
      servers: () => this.names.filter((server) => this.#roster.isPinned(server)),
      clientOf: (server) => this.clientOf(server),
      askAnew: (server) => this.tools.askAnew(server),
    });
    this.context = new AgentContext({
      ...deps,
      policy,
      ttlMs,
      changes,
      memberOf: (server) => fleet.memberOf(server),
      hintsOf: (server, kind) => {
        const client = fleet.clientOf(server);
        return { ttlMs: client?.listTtlMs(kind), isPublic: client?.listCacheScope(kind) === "public" };
      },
    });
    this.#roster = new ServerRoster({
      factory: this.#factory,
      catalog,
      fleet,
      context: this.context,
      watches: this.#watches,
      hasPerson: options.onAuthorize !== undefined,
      concurrency,
    });
    for (const server of servers) {
      const source = sourceOf(config, server.name);
      if (source !== undefined) this.#roster.add(server, source, true);
    }
  }

  /** The names of the servers, in order. */
  get names(): readonly string[] {
    return this.#fleet.servers;
  }

  /**
   * Finishes the authorization that a person's browser comes back from.
   *
   * @param callbackUrl The URL that the browser was sent back to, or its path and query.
   * @param options Deadline and cancellation.
   * @returns Whose tokens have come, and of which server.
   * @throws {MCPError} With `auth_failed` if the answer is refused, or is a refusal; with `deadline_exceeded`.
   */
  async finishAuthorization(callbackUrl: string | URL, options: RequestOptions): Promise<FinishedAuthorization> {
    using deadline = beginOperation(options, this.#closed.signal);
    return await this.#factory.finishAuthorization(callbackUrl, deadline.signal);
  }

  /**
   * The client of a server.
   *
   * @param server Its name.
   * @returns The client.
   * @throws {MCPError} With `server_not_found` if there is no server of that name.
   */
  clientOf(server: string): SingleServerMCPClient {
    const client = this.#fleet.clientOf(server);
    if (client !== undefined) return client;
    throw new MCPError("server_not_found", `Cannot use server "${server}" as agent "${this.#agent}" has none`, {
      server,
    });
  }

  /**
   * The client of the server that owns a tool's name, from what is known now.
   *
   * @param name Any name.
   * @returns The client, or `undefined` where no owner is known.
   */
  ownerOf(name: string): SingleServerMCPClient | undefined {
    const found = this.#catalog.resolve(name);
    return found.kind === "owned" ? this.#fleet.clientOf(found.server) : undefined;
  }

  /**
   * The tool of a name, from what is known now.
   *
   * @param name Any name.
   * @returns The tool as its server lists it, or `undefined` where no owner is known.
   */
  findTool(name: string): Tool | undefined {
    const found = this.#catalog.resolve(name);
    if (found.kind !== "owned") return undefined;
    return this.#catalog.listOf(found.server)?.tools.find((tool) => tool.name === found.tool);
  }

  /**
   * Adds a server at the end of the order; nothing is sent.
   *
   * @param server Its name.
   * @param config Where it is and how to talk to it.
   * @param secrets Values for `${NAME}` in its fields.
   * @throws {ConfigError} If the configuration has faults (`invalid_config`).
   * @throws {MCPError} With `invalid_config` if the name is taken.
   */
  add(server: string, config: ServerConfig, secrets: Readonly<Record<string, string>>): void {
    this.throwIfClosed();
    if (this.names.includes(server)) {
      const message = `Cannot add server "${server}" as there is one of that name: remove it first`;
      throw new MCPError("invalid_config", message, { server });
    }
    this.#roster.add(resolveServer(server, config, secrets), { config, secrets }, false);
  }

  /**
   * Removes a server and what it listed, and closes its connection.
   *
   * @param server Its name.
   * @throws {MCPError} With `server_not_found` if there is no server of that name.
   */
  async remove(server: string): Promise<void> {
    this.clientOf(server);
    await this.#roster.remove(server);
  }

  /**
   * Prepares another configuration of the agent; nothing is sent, and nothing is changed yet.
   *
   * @param config The configuration.
   * @returns What takes it.
   * @throws {ConfigError} If the configuration has faults, all of them at once (`invalid_config`).
   */
  prepare(config: AgentConfig): PreparedServers {
    this.throwIfClosed();
    return this.#roster.prepare(resolveAgent(this.#agent, config), config);
  }

  /**
   * Connects to servers and lists their tools.
   *
   * @param servers Which ones.
   * @param options The pool, deadlines and cancellation; `reconnect` to open new connections.
   * @returns For each server whether it is connected.
   * @throws The reason of the caller's signal, if that is aborted.
   */
  async connect(servers: readonly string[], options: ConnectOptions): Promise<Record<string, boolean>> {
    const connected = await this.tools.connect(servers, options);
    for (const server of servers) if (connected[server] === true) this.context.connected(server);
    return connected;
  }

  /**
   * Connects anew to the servers that are not connected, or to one that is named.
   *
   * @param options Which server; the rest as of {@linkcode AgentServers.connect}.
   * @returns For each server that was tried whether it is connected.
   * @throws {MCPError} With `server_not_found` if there is no server of that name.
   */
  async reconnect(options: ReconnectOptions): Promise<Record<string, boolean>> {
    const { server } = options;
    if (server !== undefined) this.clientOf(server);
    const down = this.names.filter((name) => !this.clientOf(name).isConnected);
    return await this.connect(server === undefined ? down : [server], { ...options, reconnect: true });
  }

  /**
   * Watches the lists of all servers, also of those that are added later.
   *
   * @param onChange Told which lists have changed.
   * @param options How long the streams are waited for, and cancellation.
   * @returns The watch.
   * @throws The reason of the caller's signal, if that is aborted.
   */
  async watchLists(onChange: (kind: ListKind) => void, options: RequestOptions): Promise<ListWatch> {
    using deadline = beginOperation({ timeoutMs: CONNECT_TIMEOUT_MS, ...options }, this.#closed.signal);
    return await this.#watches.open(onChange, deadline);
  }

  /**
   * How long what all servers list of a kind is fresh.
   *
   * @param kind Which lists.
   * @returns What is known now.
   */
  freshnessOf(kind: "tools" | ContextKind): ListFreshness {
    return kind === "tools" ? this.#catalog.freshness : this.context.freshnessOf(kind);
  }

  /** Forgets what all servers listed: who asks next is given what they list then. */
  async flush(): Promise<void> {
    this.throwIfClosed();
    this.context.flush();
    await this.#catalog.flush();
    for (const server of this.names) this.clientOf(server).forgetTools();
    for (const kind of LIST_KINDS) this.#changes.tell(kind);
  }

  /**
   * Tells servers something, all at once, each behind its own deadline.
   *
   * @param servers Which ones, where the caller names none.
   * @param options Which one, deadline and cancellation.
   * @param tell Tells one.
   * @returns For each of them whether it could be told.
   * @throws {MCPError} With `server_not_found` if there is no server of the name that the caller gives.
   */
  async tell(servers: readonly string[], options: TellOptions, tell: Tell): Promise<Record<string, boolean>> {
    const { server, ...request } = options;
    this.throwIfClosed();
    checkTimeout("timeoutMs", request.timeoutMs);
    const clients = (server === undefined ? servers : [server]).map((name) => this.clientOf(name));
    const told = clients.map(async (client) => {
      return [client.server, await tell(client, request).then(() => true, () => false)] as const;
    });
    return Object.fromEntries(await Promise.all(told));
  }

  /**
   * The status of every server.
   *
   * @returns A snapshot by server name.
   */
  getConnectionStatus(): Record<string, ServerStatus> {
    return Object.fromEntries(this.names.map((server) => [server, this.#fleet.statusOf(server)]));
  }

  /**
   * The status of the agent.
   *
   * @returns A snapshot.
   */
  getStatus(): AgentStatus {
    const servers = this.getConnectionStatus();
    const all = Object.values(servers);
    return {
      agent: this.#agent,
      connectedServers: all.filter(({ state }) => state === "connected").length,
      totalServers: all.length,
      totalTools: this.#catalog.tools.length,
      servers,
      shadowed: this.#catalog.shadowed,
    };
  }

  /** Throws `closed` after {@linkcode AgentServers.close}. */
  throwIfClosed(): void {
    this.#closed.signal.throwIfAborted();
  }

  /**
   * Closes once nothing is under way any more.
   *
   * @param graceMs How long that may take, in milliseconds; then it is ended.
   */
  async closeWhenIdle(graceMs: number): Promise<void> {
    await this.#work.idle(graceMs);
    await this.close();
  }

  /** Ends what is under way with `closed` and closes every connection, also where one fails to close. Idempotent. */
  close(): Promise<void> {
    this.#closed.abort(new MCPError("closed", `Cannot use the client of agent "${this.#agent}" as it is closed`));
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    await Promise.all([this.#watches.close(), this.#fleet.close(), this.#roster.close(), this.context.close()]);
  }
}
