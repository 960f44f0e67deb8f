/**
 * The tools of all servers of one agent: asked for, listed, routed to and kept fresh.
 *
 * @module
 */

import { beginOperation, checkTimeout } from "../deadline.ts";
import type { ConnectToServersOptions } from "../multi_server_options.ts";
import type { ListChanges } from "../server/list_changes.ts";
import type { ServerFleet } from "./server_fleet.ts";
import type { OwnedTool, RoutedResult, ToolRoute } from "../status.ts";
import type { ToolCatalog } from "./tool_catalog.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";
import type { WorkCount } from "../work_count.ts";
import { ToolRouter } from "./tool_router.ts";

/** How servers are connected to. */
export interface ConnectOptions extends ConnectToServersOptions {
  /** Open a new connection although there is one. @default {false} */
  readonly reconnect?: boolean | undefined;
}

/** What the tools of an agent work with. */
export interface AgentToolsDeps {
  /** The agent's name. */
  readonly agent: string;
  /** What is known. */
  readonly catalog: ToolCatalog;
  /** Whom to ask. */
  readonly fleet: ServerFleet;
  /** Who watches the lists. */
  readonly changes: ListChanges;
  /** How many servers are asked at once where nobody says. */
  readonly concurrency: number;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborted when the agent's client is closed. */
  readonly closed: AbortSignal;
  /** Counts what is under way. */
  readonly work: WorkCount;
}

/** Lists and calls the tools of one agent. */
export class AgentTools {
  readonly #deps: AgentToolsDeps;
  readonly #router: ToolRouter;
  #refreshing: Promise<void> | undefined;

  /**
   * Creates the tools; nothing is sent.
   *
   * @param deps What they work with.
   */
  constructor(deps: AgentToolsDeps) {
    this.#deps = deps;
    this.#router = new ToolRouter(deps);
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
    const { closed, fleet, concurrency: defaultConcurrency } = this.#deps;
    const { concurrentConnections: concurrency = defaultConcurrency, timeoutMs, signal, reconnect } = options;
    closed.throwIfAborted();
    checkTimeout("timeoutMs", timeoutMs);
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new RangeError(`Cannot use concurrentConnections as a count from 1 up: ${String(concurrency)}`);
    }
    const { onServerSettled: onSettled } = options;
    const connected = await fleet.askAll(servers, { concurrency, timeoutMs, signal, reconnect, onSettled });
    signal?.throwIfAborted();
    return connected;
  }

  /**
   * The tools of all servers that have listed them.
   *
   * @param options Deadline and cancellation.
   * @returns The tools with their owners, in the order of the servers.
   * @throws {MCPError} If not one server has listed its tools.
   */
  async listOwned(options: RequestOptions): Promise<readonly OwnedTool[]> {
    const { agent, catalog, fleet, concurrency } = this.#deps;
    using deadline = beginOperation(options, this.#deps.closed);
    using _ = this.#deps.work.begin();
    const pins = catalog.refreshPins();
    if (pins !== undefined) await deadline.race(pins).catch(() => {});
    if (catalog.unknownServers.length > 0) await deadline.race(catalog.loadFromCache()).catch(() => {});
    const unknown = [...catalog.unknownServers, ...fleet.unauthorized];
    if (unknown.length > 0) await fleet.askAll(unknown, { concurrency, signal: deadline.signal });
    // Servers that have come meanwhile, or have been replaced while they were asked.
    const others = deadline.signal.aborted ? [] : catalog.unknownServers;
    if (others.length > 0) await fleet.askAll(others, { concurrency, signal: deadline.signal });
    if (deadline.cancelled) throw deadline.signal.reason;
    if (this.#hasNoList()) {
      // There is nothing else to give meanwhile.
      await fleet.askAll(catalog.staleServers, { concurrency, signal: deadline.signal });
      if (deadline.cancelled) throw deadline.signal.reason;
      if (this.#hasNoList()) throw this.#router.toNoList(`list the tools of agent "${agent}"`, fleet.servers);
    }
    this.#refreshStale();
    return catalog.tools;
  }

  /**
   * Calls a tool at the server that owns its name.
   *
   * @param name Any name.
   * @param args The tool's arguments.
   * @param options Deadline, cancellation, progress.
   * @returns The result and its server.
   * @throws {MCPError} If there is no owner, or with the owner's own error.
   */
  async call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: CallToolOptions,
  ): Promise<RoutedResult> {
    using deadline = beginOperation(options, this.#deps.closed);
    using _ = this.#deps.work.begin();
    try {
      return await this.#router.call(name, args, options, deadline);
    } finally {
      this.#refreshStale();
    }
  }

  /**
   * Explains who owns a name.
   *
   * @param name Any name.
   * @param options Deadline and cancellation.
   * @returns The owner, why, and how fresh that is.
   * @throws {MCPError} If there is no owner.
   */
  async route(name: string, options: RequestOptions): Promise<ToolRoute> {
    using deadline = beginOperation(options, this.#deps.closed);
    using _ = this.#deps.work.begin();
    const { match: { server, tool, reason, shadowedServers }, route } = await this.#router.find(name, deadline);
    const list = this.#deps.catalog.listOf(server);
    const nowMs = this.#deps.now();
    const ageMs = list === undefined ? 0 : Math.max(0, nowMs - list.atMs);
    return { name, server, tool, route, reason, ageMs, fresh: (list?.staleAtMs ?? 0) > nowMs, shadowedServers };
  }

  /**
   * Asks a server for its tools because what is known of them no longer holds.
   *
   * @param server Its name.
   */
  async askAnew(server: string): Promise<void> {
    const { catalog, changes, closed, fleet } = this.#deps;
    const before = changes.countOf("tools");
    await catalog.invalidate(server);
    if (closed.aborted) return;
    const listed = await fleet.askAll([server], { concurrency: 1, anew: true });
    // The server said so, or could not say so for a while, although no difference is seen.
    if (listed[server] === true && changes.countOf("tools") === before) changes.tell("tools");
  }

  /** Whether there are servers, and not one of them has listed its tools. */
  #hasNoList(): boolean {
    const { catalog, fleet } = this.#deps;
    const lists = fleet.servers.map((server) => catalog.listOf(server));
    return lists.length > 0 && lists.every((list) => list === undefined || list.failed);
  }

  /** Lists past their time are asked for again once the caller has an answer. */
  #refreshStale(): void {
    if (this.#deps.closed.aborted || this.#refreshing !== undefined) return;
    const stale = this.#deps.catalog.staleServers;
    if (stale.length > 0) this.#refreshing = this.#refresh(stale).finally(() => this.#refreshing = undefined);
  }

  async #refresh(stale: readonly string[]): Promise<void> {
    const { catalog, closed, fleet, concurrency } = this.#deps;
    const renewals = await Promise.all(stale.map((server) => catalog.renew(server)));
    const asked = stale.filter((_, index) => renewals[index]);
    if (!closed.aborted) await fleet.askAll(asked, { concurrency });
  }
}
