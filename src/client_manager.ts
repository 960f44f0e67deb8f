/**
 * The clients of many agents.
 *
 * @module
 */

import { arrange } from "./agent/server_order.ts";
import { AuthStore } from "./auth/auth_store.ts";
import type { FinishedAuthorization } from "./auth/finish_authorization.ts";
import { CONNECT_TIMEOUT_MS } from "./connection/connector.ts";
import { beginOperation, checkTimeout } from "./deadline.ts";
import { type ConfigDifference, diffConfigs } from "./config/config_difference.ts";
import { MCPError } from "./errors.ts";
import type { ClientEventListener } from "./events.ts";
import type { ApplyConfigOptions } from "./apply_config_options.ts";
import { MultiServerMCPClient, serversOf } from "./multi_server_client.ts";
import type { ConnectToServersOptions, MultiServerMCPClientOptions, ReconnectOptions } from "./multi_server_options.ts";
import { didYouMean, nearestNames } from "./nearest.ts";
import { type AgentConfig, type PortolanConfig, resolveAgent } from "./server_config.ts";
import { checkAgents, discardAgent, prepareAgents, prepareChange, type PreparedAgent } from "./prepared_agents.ts";
import { SharedConnections } from "./server/server_links.ts";
import type { AgentStatus } from "./status.ts";
import { tell } from "./tell.ts";
import type { RequestOptions } from "./tool_client.ts";

/** How long calls under way at what is no more may go on where nobody says, in milliseconds. */
const GRACE_MS = 60_000;

/**
 * What all clients of a manager are created with; they share connections where they would send the same.
 *
 * @example
 * ```ts
 * import { MCPClientManager, type MCPClientManagerOptions, MemoryRouteStore } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const options: MCPClientManagerOptions = { store: new MemoryRouteStore(), toolsTtlMs: 60_000 };
 * const servers = { files: { url: "http://localhost:9/mcp" } };
 * await using manager = new MCPClientManager({ agents: { Kairos: { servers } } }, options);
 * assertEquals(manager.agents, ["Kairos"]);
 * ```
 */
export type MCPClientManagerOptions = MultiServerMCPClientOptions;

/**
 * Keeps one {@linkcode MultiServerMCPClient} per agent: adds, finds, reconnects and closes them.
 *
 * @example
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using manager = new MCPClientManager({
 *   agents: { Kairos: { servers: { fileio: { url: "http://localhost:9/mcp" } } } },
 * });
 * assertEquals(await manager.addClient("Kairos"), false);
 * assertEquals(manager.getStatusSummary().Kairos?.connectedServers, 0);
 * ```
 */
export class MCPClientManager implements AsyncDisposable {
  readonly #options: MCPClientManagerOptions & { readonly authStore: AuthStore };
  readonly #configs: Map<string, AgentConfig>;
  readonly #clients = new Map<string, MultiServerMCPClient>();
  readonly #listeners = new Set<ClientEventListener>();
  /** Agents that were added at run time: no configuration that does not name them removes them. */
  readonly #added = new Set<string>();
  /** Clients of agents that were removed, as long as something is under way there. */
  readonly #retiring = new Set<MultiServerMCPClient>();
  #config: PortolanConfig;
  #applying: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /**
   * Creates a manager; nothing is sent.
   *
   * @param config The agents, as `parseConfig()` of `@portolan/mcp/config` returns them.
   * @param options What all clients are created with.
   * @throws {ConfigError} If the configuration of an agent has faults (`invalid_config`).
   */
  constructor(config: PortolanConfig = { agents: {} }, options: MCPClientManagerOptions = {}) {
    const { store, storeSecret, now } = options;
    const authStore = options.authStore ?? new AuthStore({ store, storeSecret, now });
    this.#options = {
      ...options,
      authStore,
      connections: options.connections ?? new SharedConnections(),
      onWarning: toTellOnce(options.onWarning),
      onEvent: (event) => {
        tell(options.onEvent, event);
        for (const listener of this.#listeners) tell(listener, event);
      },
    };
    this.#config = config;
    this.#configs = new Map(Object.entries(config.agents));
    for (const [agent, agentConfig] of this.#configs) resolveAgent(agent, agentConfig);
  }

  /** The names of all agents, configured or added. */
  get agents(): readonly string[] {
    return [...this.#configs.keys()];
  }

  /**
   * Creates the client of an agent and connects it to all its servers. An agent that has a client keeps it, and what is
   * not connected is tried again.
   *
   * @param agent The agent's name.
   * @param config Its servers, where it is not in the manager's configuration.
   * @param options How its servers are connected to.
   * @returns Whether at least one server is connected.
   * @throws {MCPError} With `agent_not_found` if it has no configuration; with `invalid_config` if it has one already
   * and another is given, or if the configuration has faults.
   */
  async addClient(agent: string, config?: AgentConfig, options: ConnectToServersOptions = {}): Promise<boolean> {
    this.#throwIfClosed();
    if (config !== undefined) {
      if (this.#configs.has(agent)) {
        throw new MCPError(
          "invalid_config",
          `Cannot add agent "${agent}" as there is one of that name: remove it first`,
        );
      }
      resolveAgent(agent, config);
      this.#configs.set(agent, config);
      this.#added.add(agent);
    }
    const connected = await this.openClient(agent).connectToServers(options);
    return Object.values(connected).includes(true);
  }

  /**
   * Creates the clients of all agents and connects them, all at once.
   *
   * @param options How servers are connected to.
   * @returns For each agent whether at least one of its servers is connected.
   */
  async connectAll(options: ConnectToServersOptions = {}): Promise<Record<string, boolean>> {
    const outcomes = this.agents.map(async (agent) => {
      return [agent, await this.addClient(agent, undefined, options)] as const;
    });
    return Object.fromEntries(await Promise.all(outcomes));
  }

  /**
   * The client of an agent, created where it does not exist yet; it connects when it is used.
   *
   * @param agent The agent's name.
   * @returns Its client, owned by the manager.
   * @throws {MCPError} With `agent_not_found` if there is no such agent; with `closed` after `close()`.
   */
  openClient(agent: string): MultiServerMCPClient {
    this.#throwIfClosed();
    return this.#clientOf(agent);
  }

  /**
   * The client of an agent, where it exists.
   *
   * @param agent The agent's name.
   * @returns Its client, owned by the manager, or `undefined` where it was not added.
   */
  getClient(agent: string): MultiServerMCPClient | undefined {
    return this.#clients.get(agent);
  }

  /**
   * Removes an agent and closes its connections.
   *
   * @param agent The agent's name.
   * @returns Whether there was one.
   */
  async removeClient(agent: string): Promise<boolean> {
    const client = this.#clients.get(agent);
    this.#clients.delete(agent);
    const existed = this.#configs.delete(agent);
    this.#added.delete(agent);
    await client?.close();
    return existed;
  }

  /**
   * Takes another configuration, in one step, without failing a call because of it. It is checked whole before anything
   * changes. Agents and servers that are the same keep their connections; a server that is changed gets a new client,
   * which is connected before the switch, and the old one ends what is under way there; so does what is removed. Agents
   * and servers that were added at run time stay. One configuration is taken after the other.
   *
   * @param config The configuration.
   * @param options How to connect to what is new, and how long calls under way may go on.
   * @returns What is different: names alone.
   * @throws {ConfigError} If it has faults, all of them at once (`invalid_config`): everything goes on as it was.
   * @throws {MCPError} With `closed` after `close()`.
   */
  async applyConfig(config: PortolanConfig, options: ApplyConfigOptions = {}): Promise<ConfigDifference> {
    this.#throwIfClosed();
    const { graceMs = GRACE_MS } = options;
    checkTimeout("timeoutMs", options.timeoutMs);
    checkTimeout("graceMs", graceMs);
    checkAgents(config);
    const applied = this.#applying.then(() => this.#apply(config, { ...options, graceMs }));
    this.#applying = applied.catch(() => {});
    return await applied;
  }

  /**
   * The status of every agent. Asks nobody.
   *
   * @returns A snapshot by agent name; agents that were not used yet have idle servers.
   */
  getStatusSummary(): Record<string, AgentStatus> {
    return Object.fromEntries(this.agents.map((agent) => [agent, this.#clientOf(agent).getStatus()]));
  }

  /**
   * Connects an agent anew to the servers that are not connected, or to one that is named.
   *
   * @param agent The agent's name.
   * @param options Which server, and how it is connected to.
   * @returns For each server that was tried whether it is connected.
   * @throws {MCPError} With `agent_not_found` or `server_not_found`.
   */
  async reconnectClient(agent: string, options: ReconnectOptions = {}): Promise<Record<string, boolean>> {
    return await this.openClient(agent).reconnect(options);
  }

  /**
   * Connects all agents anew to the servers that are not connected.
   *
   * @param options How servers are connected to.
   * @returns For each agent and each server that was tried whether it is connected.
   */
  async reconnectAll(options: ConnectToServersOptions = {}): Promise<Record<string, Record<string, boolean>>> {
    const outcomes = this.agents.map(async (agent) => [agent, await this.reconnectClient(agent, options)] as const);
    return Object.fromEntries(await Promise.all(outcomes));
  }

  /**
   * Forgets what the servers of an agent, or of all agents, listed, here and in the store: who asks next is given what
   * they list then. Sessions stay; other isolates go on with what they remember until that is past its time.
   *
   * @param agent The agent's name. @default {All agents}
   * @throws {MCPError} With `agent_not_found` if there is no such agent; with `closed` after `close()`.
   */
  async flushCache(agent?: string): Promise<void> {
    this.#throwIfClosed();
    const agents = agent === undefined ? this.agents : [agent];
    await Promise.all(agents.map((name) => this.#clientOf(name)).map((client) => client.flushCache()));
  }

  /**
   * Has a listener told of what happens to the clients of all agents, from now on.
   *
   * @param listener Told of each event; what it throws is ignored.
   * @returns What ends it.
   */
  watchEvents(listener: ClientEventListener): () => void {
    const own: ClientEventListener = (event) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /**
   * Finishes the authorization that a person's browser comes back from, in any isolate with the same store and secret.
   * It is the answer to a flow of any agent, unless all act for one `principal`. A host of several people finishes with
   * the client of the one whose session the browser has, as that refuses the flow of another: who sends somebody else
   * their own URL to open would get the tokens of that person otherwise.
   *
   * @param callbackUrl The URL that the browser was sent back to, or its path and query.
   * @param options Deadline (30 s where nobody says) and cancellation.
   * @returns Whose tokens have come, and of which server.
   * @throws {MCPError} With `auth_failed` if the answer is refused, or is a refusal; with `deadline_exceeded`.
   */
  async finishAuthorization(callbackUrl: string | URL, options: RequestOptions = {}): Promise<FinishedAuthorization> {
    this.#throwIfClosed();
    using deadline = beginOperation(options);
    const { finishAuthorization } = await import("./auth/finish_authorization.ts");
    const { authStore: store, principal, fetch, now } = this.#options;
    return await finishAuthorization(callbackUrl, { store, principal, fetch, now, signal: deadline.signal });
  }

  /** Closes all clients, also where one fails to close. Idempotent. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** As {@linkcode MCPClientManager.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #clientOf(agent: string): MultiServerMCPClient {
    const existing = this.#clients.get(agent);
    if (existing !== undefined) return existing;
    const config = this.#configs.get(agent);
    if (config === undefined) throw this.#toNotFound(agent);
    const client = new MultiServerMCPClient(agent, config, this.#options);
    this.#clients.set(agent, client);
    return client;
  }

  async #apply(
    config: PortolanConfig,
    options: ApplyConfigOptions & { readonly graceMs: number },
  ): Promise<ConfigDifference> {
    this.#throwIfClosed();
    const { connect = true, timeoutMs = CONNECT_TIMEOUT_MS, signal, graceMs } = options;
    const wanted = new Map(Object.entries(config.agents));
    // One that was added at run time, and is named now, is the configuration's from here on.
    const known = [...this.#configs].filter(([agent]) => wanted.has(agent) || !this.#added.has(agent));
    const difference = diffConfigs({ ...this.#config, agents: Object.fromEntries(known) }, config);
    const prepared = await prepareAgents(difference, config, {
      clientOf: (agent) => this.#clients.get(agent),
      create: (agent, agentConfig) => new MultiServerMCPClient(agent, agentConfig, this.#options),
    }, connect ? { timeoutMs, signal } : undefined);
    if (this.#closing !== undefined || signal?.aborted === true) {
      await Promise.allSettled(prepared.map(discardAgent));
      this.#throwIfClosed();
      signal?.throwIfAborted();
    }
    // From here on in one step.
    for (const one of prepared) this.#take(one, graceMs);
    for (const { agent } of difference.changed) {
      const client = this.#clients.get(agent);
      const isLate = client !== undefined && !prepared.some((one) => one.client === client);
      if (isLate) this.#take(prepareChange(agent, client, config), graceMs);
    }
    for (const agent of difference.removed) {
      this.#configs.delete(agent);
      this.#retire(agent, graceMs);
    }
    for (const [agent, agentConfig] of wanted) {
      this.#added.delete(agent);
      this.#configs.set(agent, agentConfig);
    }
    arrange(this.#configs, [...wanted.keys()]);
    this.#config = config;
    return difference;
  }

  #take(prepared: PreparedAgent, graceMs: number): void {
    const { agent, client, servers } = prepared;
    if (servers === undefined) {
      // Somebody may have added one of that name meanwhile.
      this.#retire(agent, graceMs);
      this.#clients.set(agent, client);
    } else if (this.#clients.get(agent) === client) {
      servers.commit(graceMs);
    } else {
      void discardAgent(prepared);
    }
  }

  #retire(agent: string, graceMs: number): void {
    const client = this.#clients.get(agent);
    this.#clients.delete(agent);
    if (client === undefined) return;
    this.#retiring.add(client);
    serversOf(client).closeWhenIdle(graceMs).finally(() => this.#retiring.delete(client));
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#clients.values(), ...this.#retiring].map((client) => client.close()));
  }

  #throwIfClosed(): void {
    if (this.#closing !== undefined) throw new MCPError("closed", "Cannot use the manager as it is closed");
  }

  #toNotFound(agent: string): MCPError {
    const suggestions = nearestNames(agent, this.#configs.keys());
    return new MCPError(
      "agent_not_found",
      `Cannot find agent "${agent}" as the configuration has none of that name${didYouMean(suggestions)}`,
      { suggestions },
    );
  }
}

/** All agents have the same store: what happens to it happens to each of them, and is told once. */
function toTellOnce(onWarning: ((message: string) => void) | undefined): ((message: string) => void) | undefined {
  if (onWarning === undefined) return undefined;
  let last: string | undefined;
  return (message) => {
    if (message === last) return;
    last = message;
    onWarning(message);
  };
}
