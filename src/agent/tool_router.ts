/**
 * Finds the owner of a tool's name: in memory, then in the route cache, then by asking the servers that could own it.
 *
 * @module
 */

import { type Deadline, OPERATION_TIMEOUT_MS } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import { hasAnswers } from "../input_round.ts";
import { didYouMean, nearestNames, quoteAll } from "../nearest.ts";
import { toNoListError } from "./no_list_error.ts";
import type { ServerFleet } from "./server_fleet.ts";
import type { RoutedResult, RouteSource } from "../status.ts";
import type { Resolution, ToolCatalog } from "./tool_catalog.ts";
import type { CallToolOptions } from "../tool_client.ts";

/** JSON-RPC codes with which a server refuses a tool that it no longer has (specification: Tools, Error Handling). */
const HEADER_MISMATCH = -32020;
const REFUSED = new Set([-32601, -32602, HEADER_MISMATCH]);
/** A list that is younger than this is not asked for again because of an unknown name, in milliseconds. */
const RECHECK_AFTER_MS = 10_000;

/** The owner of a name and how it was found. */
export interface FoundOwner {
  /** The owner. */
  readonly match: Extract<Resolution, { kind: "owned" }>;
  /** How it was found. */
  readonly route: RouteSource;
}

/** What a router works with. */
export interface ToolRouterDeps {
  /** Whose tools they are. */
  readonly agent: string;
  /** What is known. */
  readonly catalog: ToolCatalog;
  /** Whom to ask. */
  readonly fleet: ServerFleet;
  /** How many are asked at once. */
  readonly concurrency: number;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** Routes the tool names of one agent. */
export class ToolRouter {
  readonly #deps: ToolRouterDeps;

  /**
   * Creates a router.
   *
   * @param deps What it works with.
   */
  constructor(deps: ToolRouterDeps) {
    this.#deps = deps;
  }

  /**
   * The owner of a name.
   *
   * @param name Any name.
   * @param deadline How long to look.
   * @returns The owner and how it was found.
   * @throws {MCPError} With `tool_not_found` if no server lists the name; with `tool_ambiguous` if several do and the
   * policy gives it to none; with `deadline_exceeded` if a server that could own it has not answered by then.
   */
  async find(name: string, deadline: Deadline): Promise<FoundOwner> {
    try {
      return await this.#find(name, deadline);
    } catch (error) {
      if (!deadline.passed) throw error;
      const { catalog, fleet } = this.#deps;
      const servers = catalog.unknownServers.length > 0 ? catalog.unknownServers : fleet.servers;
      throw new MCPError(
        "deadline_exceeded",
        `Cannot find the owner of tool "${name}" as the deadline passed while asking the servers ${
          quoteAll(servers)
        }; ` +
          `a qualified name waits for its own server alone`,
        { retryable: true },
      );
    }
  }

  /**
   * Calls a tool at its owner; nowhere else. Where the owner refuses the call because it has dropped the tool, the name
   * may have a new owner: nothing ran, and that one is called.
   *
   * @param name Any name.
   * @param args The tool's arguments.
   * @param options What the caller said of the call.
   * @param deadline The end of the call, finding the owner included.
   * @returns The result and who answered.
   * @throws {MCPError} As {@linkcode ToolRouter.find}, or the owner's own error.
   */
  async call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: CallToolOptions,
    deadline: Deadline,
  ): Promise<RoutedResult> {
    const { catalog, fleet } = this.#deps;
    const startedAt = performance.now();
    let refusal: { readonly server: string; readonly error: MCPError } | undefined;
    for (let corrected = false;; corrected = true) {
      const { match: { server, tool }, route } = await this.find(name, deadline);
      // Answers and state are for the server that asked, and for no other.
      if (refusal !== undefined && refusal.server !== server && hasAnswers(options.round)) throw refusal.error;
      const outdated = this.#mayBeOutdated(server);
      const { client, timeoutMs: configuredMs } = fleet.memberOf(server);
      const totalMs = options.timeoutMs ?? configuredMs ?? OPERATION_TIMEOUT_MS;
      const timeoutMs = Math.max(1, totalMs - (performance.now() - startedAt));
      try {
        const result = await client.callTool(tool, args, { ...options, timeoutMs });
        // Most servers say "no such tool" in a result: the caller has it, and the next call a list that is up to date.
        if (result.isError === true && outdated) void fleet.askAll([server], { concurrency: 1 });
        return { server, tool, route, result };
      } catch (error) {
        if (corrected || !isMCPError(error) || !REFUSED.has(error.rpcCode ?? 0)) throw error;
        if (!outdated && error.rpcCode !== HEADER_MISMATCH) throw error;
        refusal = { server, error };
        await this.#refresh(server, deadline);
        // The arguments that go as headers have changed: nothing ran, and the new list says which they are.
        if (error.rpcCode === HEADER_MISMATCH) continue;
        if (catalog.listOf(server)?.tools.some((listed) => listed.name === tool) === true) throw error;
      }
    }
  }

  /**
   * The error of servers of which not one has listed its tools.
   *
   * @param what What cannot be done without a list.
   * @param servers The servers, at least one.
   * @returns The error that leads a person to the authorization server, where one has to authorize; else an `MCPError`
   * with the code of the first server's failure.
   */
  toNoList(what: string, servers: readonly string[]): MCPError {
    const { fleet } = this.#deps;
    return toNoListError(
      what,
      servers.map((server) => {
        // A failure that only the route cache knows of has no error here.
        const code = fleet.statusOf(server).lastError?.code ?? "unreachable";
        return { server, code, error: fleet.failureOf(server) };
      }),
    );
  }

  async #find(name: string, deadline: Deadline): Promise<FoundOwner> {
    const { catalog } = this.#deps;
    let route: RouteSource = "memory";
    const asked = new Set<string>();
    let found = catalog.resolve(name);
    if (found.kind === "undecided") {
      await deadline.race(catalog.loadFromCache());
      found = catalog.resolve(name);
      route = "cache";
    }
    for (; found.kind === "undecided"; found = catalog.resolve(name)) {
      route = "discovery";
      for (const server of found.waitFor) asked.add(server);
      await this.#askUntilOneSettles(found.waitFor, deadline);
    }
    if (found.kind === "unknown") {
      route = "discovery";
      await this.#recheck(deadline, asked);
      found = catalog.resolve(name);
    }
    if (found.kind === "owned") return { match: found, route };
    throw found.kind === "ambiguous" ? this.#toAmbiguous(name, found) : this.#toNotFound(name);
  }

  /** Asks a server anew because a call showed that its list is out of date. */
  async #refresh(server: string, deadline: Deadline): Promise<void> {
    const { catalog, fleet, concurrency } = this.#deps;
    await deadline.race(catalog.invalidate(server));
    await fleet.askAll([server], { concurrency, signal: deadline.signal, anew: true });
  }

  /** Whether a list may be out of date: from the cache, or not from just now. */
  #mayBeOutdated(server: string): boolean {
    const list = this.#deps.catalog.listOf(server);
    return list !== undefined && (list.from === "cache" || this.#deps.now() - list.atMs >= RECHECK_AFTER_MS);
  }

  /** All are asked at once; the first that settles may decide. The others go on: the next call needs them. */
  async #askUntilOneSettles(servers: readonly string[], deadline: Deadline): Promise<void> {
    const { fleet, concurrency } = this.#deps;
    const settled = Promise.withResolvers<void>();
    fleet.askAll(servers, { concurrency, onSettled: () => settled.resolve() }).finally(() => settled.resolve());
    await deadline.race(settled.promise);
  }

  /** A name nobody lists may be new: lists that are not from just now are asked for once more. */
  async #recheck(deadline: Deadline, asked: ReadonlySet<string>): Promise<void> {
    const { catalog, fleet, concurrency, now } = this.#deps;
    const { unauthorized } = fleet;
    const outdated = fleet.servers.filter((server) => {
      const list = catalog.listOf(server);
      if (unauthorized.includes(server)) return !asked.has(server);
      return list?.failed === true ? list.staleAtMs <= now() : this.#mayBeOutdated(server);
    });
    if (outdated.length > 0) await deadline.race(fleet.askAll(outdated, { concurrency, signal: deadline.signal }));
  }

  #toAmbiguous(name: string, found: Extract<Resolution, { kind: "ambiguous" }>): MCPError {
    const suggestions = found.owners.map(({ exposedAs }) => exposedAs);
    const owners = found.owners.map(({ server }) => `"${server}"`).join(", ");
    return new MCPError(
      "tool_ambiguous",
      `Cannot call tool "${name}" as the servers ${owners} list it: call ${quoteAll(suggestions, " or ")}`,
      { suggestions },
    );
  }

  /** Where not one server that could own the name has listed its tools, nobody knows that it does not exist. */
  #toNotFound(name: string): MCPError {
    const { agent, catalog, fleet } = this.#deps;
    const namespace = catalog.namespaceOf(name);
    const candidates = namespace === undefined ? fleet.servers : [namespace];
    if (candidates.length > 0 && candidates.every((server) => catalog.listOf(server)?.failed === true)) {
      return this.toNoList(`call tool "${name}"`, candidates);
    }
    const suggestions = nearestNames(name, catalog.tools.map((tool) => tool.name));
    const failed = fleet.servers.filter((server) => catalog.listOf(server)?.failed === true);
    const asked = fleet.servers.filter((server) => !failed.includes(server));
    return new MCPError(
      "tool_not_found",
      `Cannot call tool "${name}" as no server of agent "${agent}" lists it: servers asked are ${
        quoteAll(asked) || "none"
      }${failed.length === 0 ? "" : `, servers that did not answer are ${quoteAll(failed)}`}${didYouMean(suggestions)}`,
      { suggestions },
    );
  }
}
