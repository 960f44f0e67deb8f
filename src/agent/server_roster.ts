/**
 * Which servers an agent has: as its configuration says, and those that were added at run time. Another configuration is
 * prepared first and taken in one step: whoever calls meanwhile finds the servers of before, then those of after.
 *
 * @module
 */

import { pooledMap } from "@std/async";
import { isMCPError, type MCPError } from "../errors.ts";
import { serverOf } from "../config/config_difference.ts";
import { toSortedText } from "../protocol.ts";
import type { AgentConfig, ResolvedAgent, ResolvedServer, ServerConfig } from "../server_config.ts";
import type { SingleServerMCPClient } from "../single_server_client.ts";
import type { RequestOptions } from "../tool_client.ts";
import type { Listing } from "../cache/cached_tools.ts";
import type { AgentContext } from "./agent_context.ts";
import type { AgentWatches } from "./agent_watches.ts";
import type { MadeServer, ServerFactory } from "./server_factory.ts";
import { askForTools, type ServerFleet } from "./server_fleet.ts";
import type { ToolCatalog } from "./tool_catalog.ts";

/** How long a server is waited for that may have a person authorize, in milliseconds; callers leave earlier. */
const PERSON_TIMEOUT_MS = 600_000;

/** What a roster works with. */
export interface ServerRosterDeps {
  /** Makes clients. */
  readonly factory: ServerFactory;
  /** Their tools. */
  readonly catalog: ToolCatalog;
  /** Their clients. */
  readonly fleet: ServerFleet;
  /** Their resources and prompts. */
  readonly context: AgentContext;
  /** Who watches their lists. */
  readonly watches: AgentWatches;
  /** Whether there is a person to authorize. */
  readonly hasPerson: boolean;
  /** How many are connected to at once. */
  readonly concurrency: number;
}

/** What a server is added with. */
export interface ServerSource {
  /** As it was configured. */
  readonly config: ServerConfig;
  /** Values for `${NAME}` in its fields. */
  readonly secrets: Readonly<Record<string, string>> | undefined;
}

/** Another configuration, ready to be taken. */
export interface PreparedServers {
  /**
   * Connects to what is new in it, all at once, before anybody calls there. One that fails is taken all the same: that is
   * what the configuration says.
   *
   * @param options Deadline and cancellation.
   */
  connect(options: RequestOptions): Promise<void>;
  /**
   * Takes it, in one step. Servers of before that are no more, or are others now, end what is under way there first.
   *
   * @param graceMs How long that may take, in milliseconds.
   */
  commit(graceMs: number): void;
  /** Does not take it: what was opened for it is closed. */
  discard(): Promise<void>;
}

/** A server that is known, and everything that was said of it. */
interface Known {
  readonly mark: string;
  /** Whether it is from a configuration. */
  readonly isConfigured: boolean;
  /** Whether its tools are pinned. */
  readonly isPinned: boolean;
}

/** A server that is new, or of which something else is said than before. */
interface Fresh {
  readonly resolved: ResolvedServer;
  readonly made: MadeServer;
  readonly known: Known;
  /** Its client, where it has been connected to already. */
  readonly client?: SingleServerMCPClient;
  readonly listing?: Listing;
  readonly failure?: MCPError | undefined;
}

/** The servers of one agent. */
export class ServerRoster {
  readonly #deps: ServerRosterDeps;
  readonly #known = new Map<string, Known>();
  /** Clients that end what is under way. */
  readonly #retiring = new Set<SingleServerMCPClient>();

  /**
   * Creates an empty roster.
   *
   * @param deps What it works with.
   */
  constructor(deps: ServerRosterDeps) {
    this.#deps = deps;
  }

  /**
   * Whether the tools of a server are pinned.
   *
   * @param server Its name.
   * @returns Whether they are.
   */
  isPinned(server: string): boolean {
    return this.#known.get(server)?.isPinned === true;
  }

  /**
   * Adds a server at the end of the order; nothing is sent.
   *
   * @param resolved The server, checked.
   * @param source What it was made from.
   * @param isConfigured Whether it is from a configuration: then it goes when that does.
   */
  add(resolved: ResolvedServer, source: ServerSource, isConfigured: boolean): void {
    this.#add(this.#toFresh(resolved, source, isConfigured));
  }

  /**
   * Removes a server and closes its connection.
   *
   * @param server Its name.
   */
  async remove(server: string): Promise<void> {
    await this.#take(server)?.close();
  }

  /**
   * Prepares another configuration; nothing is sent, and nothing is changed yet.
   *
   * @param agent The agent, checked.
   * @param config The same, as it was configured.
   * @returns What takes it.
   */
  prepare(agent: ResolvedAgent, config: AgentConfig): PreparedServers {
    const wanted = agent.servers.flatMap((resolved) => {
      const source = sourceOf(config, resolved.name);
      return source === undefined ? [] : [this.#toFresh(resolved, source, true)];
    });
    let fresh = wanted.filter(({ resolved, known }) => this.#known.get(resolved.name)?.mark !== known.mark);
    return {
      connect: async (options) => {
        const connecting = pooledMap(this.#deps.concurrency, fresh, (one) => connectFirst(one, options));
        fresh = await Array.fromAsync(connecting);
      },
      commit: (graceMs) => this.#commit(agent, wanted, fresh, graceMs),
      discard: async () => void await Promise.allSettled(fresh.map(({ client }) => client?.close())),
    };
  }

  /** Ends what is under way at servers of before. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#retiring].map((client) => client.close()));
  }

  #commit(agent: ResolvedAgent, wanted: readonly Fresh[], fresh: readonly Fresh[], graceMs: number): void {
    const names = wanted.map(({ resolved }) => resolved.name);
    const gone = [...this.#known].flatMap(([name, known]) => {
      return known.isConfigured && !names.includes(name) ? [name] : [];
    });
    const { catalog, fleet, context } = this.#deps;
    // What a server owned stays its own where the one in its place does not answer: no call slides to another.
    const claims = new Map(fresh.map(({ resolved: { name } }) => [name, catalog.claimsOf(name)]));
    const retired = [...gone, ...fresh.map(({ resolved }) => resolved.name)].map((name) => this.#take(name));
    for (const one of fresh) this.#add(one, claims.get(one.resolved.name));
    // One that was added at run time may be named now.
    for (const { resolved: { name }, known } of wanted) this.#known.set(name, known);
    fleet.arrange(names);
    catalog.arrange(names, agent.collisions);
    context.arrange(names, agent.collisions);
    for (const one of fresh) void this.#record(one);
    for (const client of retired) if (client !== undefined) void this.#retire(client, graceMs);
  }

  /** What has been listed already: here at once, then for other isolates. */
  async #record({ resolved: { name }, known, listing }: Fresh): Promise<void> {
    const { catalog } = this.#deps;
    if (listing === undefined) return;
    await catalog.record(name, listing, undefined);
    if ("failed" in listing || listing.tools.length === 0) return;
    const token = await catalog.begin(name);
    if (this.#known.get(name) === known) await catalog.record(name, listing, token);
  }

  async #retire(client: SingleServerMCPClient, graceMs: number): Promise<void> {
    this.#retiring.add(client);
    await client.closeWhenIdle(graceMs).catch(() => {});
    this.#retiring.delete(client);
  }

  #take(server: string): SingleServerMCPClient | undefined {
    const { catalog, context, watches, fleet } = this.#deps;
    if (!this.#known.delete(server)) return undefined;
    // First what looks at its client.
    catalog.remove(server);
    context.remove(server);
    const client = fleet.detach(server);
    watches.removed(client);
    return client;
  }

  #add({ resolved, made, known, client, failure }: Fresh, before?: readonly string[]): void {
    const { catalog, fleet, context, watches, hasPerson } = this.#deps;
    const { name: server, tools: filter, timeoutMs } = resolved;
    const asksPerson = hasPerson && resolved.auth?.grant === "authorization_code";
    const patienceMs = asksPerson ? PERSON_TIMEOUT_MS : undefined;
    this.#known.set(server, known);
    const pins = known.isPinned
      ? {
        withheld: () => fleet.memberOf(server).client.withheldTools,
        refresh: () => fleet.memberOf(server).client.refreshPins(),
      }
      : undefined;
    catalog.add({ server, filter, toKey: made.toKey, pins, before });
    const makeClient = client === undefined ? made.makeClient : () => client;
    fleet.add({ server, makeClient, timeoutMs, patienceMs, failure });
    // One that is made already is the fleet's from here on, whether or not anybody calls.
    if (client !== undefined) fleet.clientOf(server);
    context.add(server, timeoutMs ?? patienceMs);
    watches.added(() => fleet.memberOf(server).client);
  }

  #toFresh(resolved: ResolvedServer, { config, secrets }: ServerSource, isConfigured: boolean): Fresh {
    const made = this.#deps.factory.make(resolved, config, secrets);
    const mark = toSortedText([config, secrets ?? {}]);
    return { resolved, made, known: { mark, isConfigured, isPinned: resolved.pin !== "off" } };
  }
}

/**
 * What a configuration says of a server.
 *
 * @param config The agent.
 * @param server The server's name.
 * @returns What the server is added with, or `undefined` where the agent has none of that name.
 */
export function sourceOf(config: AgentConfig, server: string): ServerSource | undefined {
  const { config: own, secrets } = serverOf(config, server);
  return own === undefined ? undefined : { config: own, secrets };
}

async function connectFirst(fresh: Fresh, options: RequestOptions): Promise<Fresh> {
  const client = fresh.made.makeClient();
  try {
    await client.connect(options);
    return { ...fresh, client, listing: await askForTools(client, options) };
  } catch (error) {
    if (options.signal?.aborted === true) return { ...fresh, client };
    return { ...fresh, client, listing: { failed: true }, failure: isMCPError(error) ? error : undefined };
  }
}
