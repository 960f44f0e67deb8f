/**
 * The resources and prompts of all servers of one agent: listed, routed to, completed and kept fresh.
 *
 * @module
 */

import type { Completion, CompletionArgument, CompletionReference, PromptResult, ResourceResult } from "../context.ts";
import { ContextCatalog, type ContextKind } from "./context_catalog.ts";
import { type ContextMember, ContextRouter, type ContextSend, type ContextTarget } from "./context_router.ts";
import { beginOperation } from "../deadline.ts";
import type { FeatureClient, ReadOptions, ResourceSubscription } from "../feature_client.ts";
import type { KnownLists } from "./known_lists.ts";
import { ResourceWatches } from "./resource_watches.ts";
import type { ContextList } from "../server/context_list.ts";
import type { ListChanges } from "../server/list_changes.ts";
import type { CollisionPolicy } from "../server_config.ts";
import type { ListFreshness, OwnedPrompt, OwnedResource, OwnedResourceTemplate } from "../status.ts";
import type { RequestOptions } from "../tool_client.ts";
import type { WorkCount } from "../work_count.ts";

/** What the context of an agent works with. */
export interface AgentContextDeps {
  /** The agent's name. */
  readonly agent: string;
  /** Who owns a bare prompt name, or a URI, that several servers list. */
  readonly policy: CollisionPolicy;
  /** The server of a name; throws `server_not_found` where there is none. */
  readonly memberOf: (server: string) => ContextMember;
  /**
   * How long the list that a server has just given is fresh, in milliseconds, and whether it may be given to anybody,
   * where the server says so.
   * @default {Nothing is known of that}
   */
  readonly hintsOf?:
    | ((server: string, kind: ContextKind) => Pick<ContextList<unknown>, "ttlMs" | "isPublic">)
    | undefined;
  /** Who watches the lists. @default {undefined, nobody does} */
  readonly changes?: ListChanges | undefined;
  /** How many servers are asked at once. */
  readonly concurrency: number;
  /** How long a list is fresh where the server does not say, in milliseconds. */
  readonly ttlMs: number;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborted when the agent's client is closed. */
  readonly closed: AbortSignal;
  /** Counts what is under way. */
  readonly work: WorkCount;
}

/** Lists and uses the resources and prompts of one agent. */
export class AgentContext {
  readonly #deps: AgentContextDeps;
  readonly #catalog: ContextCatalog;
  readonly #router: ContextRouter;
  readonly #watches: ResourceWatches;

  /**
   * Creates the context; nothing is sent.
   *
   * @param deps What it works with.
   */
  constructor(deps: AgentContextDeps) {
    const { agent, policy, memberOf, hintsOf, changes, concurrency, ttlMs, now } = deps;
    this.#deps = deps;
    const toReader = <T>(kind: ContextKind, list: (client: FeatureClient, options: RequestOptions) => Promise<T>) => {
      return async (server: string, options: RequestOptions) => {
        const entries = await list(memberOf(server).client, options);
        return { ttlMs: undefined, ...hintsOf?.(server, kind), entries };
      };
    };
    const readers = {
      resources: toReader("resources", (client, options) => client.listResources(options)),
      templates: toReader("templates", (client, options) => client.listResourceTemplates(options)),
      prompts: toReader("prompts", (client, options) => client.listPrompts(options)),
    };
    this.#catalog = new ContextCatalog({ policy, readers, changes, concurrency, ttlMs, now });
    this.#router = new ContextRouter({ agent, catalog: this.#catalog, memberOf });
    this.#watches = new ResourceWatches((uri, onUpdate, options) => this.#subscribe(uri, onUpdate, options));
  }

  /**
   * Adds a server at the end of the order.
   *
   * @param server Its name.
   * @param timeoutMs The longest any operation with it may take, in milliseconds, where the configuration says.
   */
  add(server: string, timeoutMs: number | undefined): void {
    for (const list of this.#catalog.lists) list.add(server, timeoutMs);
    this.#watches.added(server);
  }

  /**
   * Removes a server and what it listed.
   *
   * @param server Its name.
   */
  remove(server: string): void {
    for (const list of this.#catalog.lists) list.remove(server);
    this.#watches.removed(server);
  }

  /**
   * Puts the servers in another order, and what several list under another policy.
   *
   * @param servers The names of the servers, in order; others come after them.
   * @param policy Who owns a bare prompt name, or a URI, that several servers list.
   */
  arrange(servers: readonly string[], policy: CollisionPolicy): void {
    this.#catalog.arrange(servers, policy);
  }

  /**
   * The server has been connected to: that it gave no lists before says nothing any more.
   *
   * @param server Its name.
   */
  connected(server: string): void {
    for (const list of this.#catalog.lists) list.forgetFailure(server);
  }

  /**
   * The server says that its lists have changed: those that were asked for are asked for anew.
   *
   * @param server Its name.
   * @param what Which of its lists.
   */
  invalidate(server: string, what: "resources" | "prompts"): void {
    const { prompts, resources, templates } = this.#catalog;
    const lists: readonly KnownLists<unknown>[] = what === "prompts" ? [prompts] : [resources, templates];
    for (const list of lists) {
      if (list.invalidate(server) && !this.#deps.closed.aborted) void list.askAll([server]);
    }
  }

  /**
   * How long what all servers list of a kind is fresh.
   *
   * @param kind Which lists.
   * @returns What is known now.
   */
  freshnessOf(kind: ContextKind): ListFreshness {
    return this.#catalog[kind].freshness;
  }

  /** Forgets what all servers listed. */
  flush(): void {
    for (const list of this.#catalog.lists) list.flush();
  }

  /**
   * The resources of all servers that have listed them.
   *
   * @param options Deadline and cancellation.
   * @returns The resources with their servers, in the order of the servers.
   * @throws {MCPError} If not one server has answered.
   */
  async listResources(options: RequestOptions): Promise<readonly OwnedResource[]> {
    await this.#list("resources", this.#catalog.resources, options);
    return this.#catalog.ownedResources;
  }

  /**
   * The resource templates of all servers that have listed them.
   *
   * @param options Deadline and cancellation.
   * @returns The templates with their servers, in the order of the servers.
   * @throws {MCPError} If not one server has answered.
   */
  async listTemplates(options: RequestOptions): Promise<readonly OwnedResourceTemplate[]> {
    await this.#list("resource templates", this.#catalog.templates, options);
    return this.#catalog.ownedTemplates;
  }

  /**
   * The prompts of all servers that have listed them.
   *
   * @param options Deadline and cancellation.
   * @returns The prompts under the names to get them by, in the order of the servers.
   * @throws {MCPError} If not one server has answered.
   */
  async listPrompts(options: RequestOptions): Promise<readonly OwnedPrompt[]> {
    await this.#list("prompts", this.#catalog.prompts, options);
    return this.#catalog.ownedPrompts;
  }

  /**
   * Reads a resource at its owner.
   *
   * @param uri Its URI.
   * @param options Deadline, cancellation, and the server where several list it.
   * @returns What it holds.
   * @throws {MCPError} If there is no owner, or with the owner's own error.
   */
  async read(uri: string, options: ReadOptions): Promise<ResourceResult> {
    const target = { action: "read resource", kind: "resource", name: uri } as const;
    return await this.#use(target, options, (client, _, rest) => client.readResource(uri, rest));
  }

  /**
   * Watches a resource at its owner, until the subscription is closed or the owner is removed; one that is replaced is
   * watched on.
   *
   * @param uri Its URI.
   * @param onUpdate Told of what has changed.
   * @param options Deadline, cancellation, and the server where several list it.
   * @returns The subscription.
   * @throws {MCPError} If there is no owner, or with the owner's own error.
   */
  async subscribe(
    uri: string,
    onUpdate: (uri: string) => void,
    options: ReadOptions,
  ): Promise<ResourceSubscription> {
    return await this.#watches.open(uri, onUpdate, options);
  }

  /**
   * Gets a prompt from its owner.
   *
   * @param name Any name.
   * @param args Its arguments.
   * @param options Deadline, cancellation, and the server where several list it.
   * @returns The messages.
   * @throws {MCPError} If there is no owner, or with the owner's own error.
   */
  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> | undefined,
    options: ReadOptions,
  ): Promise<PromptResult> {
    const target = { action: "get prompt", kind: "prompt", name } as const;
    return await this.#use(target, options, (client, ownName, rest) => client.getPrompt(ownName, args, rest));
  }

  /**
   * Asks the owner of a prompt or a template for values of an argument.
   *
   * @param reference Whose argument; a prompt by any of its names.
   * @param argument The argument and what has been typed of it.
   * @param options Deadline, cancellation, and the server where several list it.
   * @returns The values.
   * @throws {MCPError} If there is no owner, or with the owner's own error.
   */
  async complete(
    reference: CompletionReference,
    argument: CompletionArgument,
    options: ReadOptions,
  ): Promise<Completion> {
    if (reference.type === "ref/prompt") {
      const target = { action: "complete an argument of prompt", kind: "prompt", name: reference.name } as const;
      return await this.#use(target, options, (client, name, rest) => {
        return client.complete({ ...reference, name }, argument, rest);
      });
    }
    const target = { action: "complete a variable of resource", kind: "template", name: reference.uri } as const;
    return await this.#use(target, options, (client, _, rest) => client.complete(reference, argument, rest));
  }

  /** Ends the asking that is under way, and waits for its end. */
  async close(): Promise<void> {
    await Promise.all(this.#catalog.lists.map((list) => list.close()));
  }

  async #subscribe(
    uri: string,
    onUpdate: (uri: string) => void,
    options: ReadOptions,
  ): Promise<ResourceSubscription> {
    const target = { action: "watch resource", kind: "resource", name: uri } as const;
    return await this.#use(target, options, (client, _, rest) => client.subscribeResource(uri, onUpdate, rest));
  }

  async #use<T>(target: ContextTarget, options: ReadOptions, send: ContextSend<T>): Promise<T> {
    using deadline = beginOperation(options, this.#deps.closed);
    using _ = this.#deps.work.begin();
    try {
      return await this.#router.use(target, options, deadline, send);
    } finally {
      this.#refreshStale();
    }
  }

  async #list(what: string, list: KnownLists<unknown>, options: RequestOptions): Promise<void> {
    using deadline = beginOperation(options, this.#deps.closed);
    using _ = this.#deps.work.begin();
    const ask = async (servers: readonly string[]) => {
      if (servers.length > 0) await list.askAll(servers, { signal: deadline.signal });
      if (deadline.cancelled) throw deadline.signal.reason;
    };
    await ask([...list.unknownServers, ...list.changedServers, ...list.unauthorizedServers]);
    // Servers that have come meanwhile, or have been replaced while they were asked.
    if (!deadline.signal.aborted) await ask(list.unknownServers);
    // There is nothing else to give meanwhile.
    if (hasNoList(list)) await ask(list.staleServers);
    if (hasNoList(list)) {
      throw this.#router.toNoList(`list the ${what} of agent "${this.#deps.agent}"`, list, list.servers);
    }
    this.#refreshStale();
  }

  /** Lists past their time are asked for again once the caller has an answer. */
  #refreshStale(): void {
    if (this.#deps.closed.aborted) return;
    for (const list of this.#catalog.lists) list.refreshStale();
  }
}

/** Whether there are servers, and not one of them has given the list. */
function hasNoList(list: KnownLists<unknown>): boolean {
  const lists = list.servers.map((server) => list.listOf(server));
  return lists.length > 0 && lists.every((known) => known === undefined || known.failure !== undefined);
}
