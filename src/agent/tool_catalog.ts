/**
 * What one agent knows of its servers' tools: the merged lists, who owns a name, and how fresh that is.
 *
 * @module
 */

import type { CachedTools, EpochToken, Listing } from "../cache/cached_tools.ts";
import {
  type CatalogServer,
  createSlot,
  keyOf,
  type KnownList,
  listedNamesOf,
  type ListStatus,
  namesOf,
  NEGATIVE_FRESH_MS,
  type Slot,
  toKnownList,
  toListStatus,
  toolsOf,
} from "./catalog_slot.ts";
import { toListFreshness } from "./list_freshness.ts";
import { namespaceOf, serversToAwait } from "./name_owners.ts";
import type { Tool } from "../protocol.ts";
import type { RouteCache } from "../route_cache.ts";
import type { ListChanges } from "../server/list_changes.ts";
import type { CollisionPolicy } from "../server_config.ts";
import { arrange } from "./server_order.ts";
import type { ListFreshness, OwnedTool, ShadowedTool } from "../status.ts";
import { diffTools } from "../tools/tool_diff.ts";
import { createNameTable, type NameMatch, type NameTable } from "./tool_names.ts";

/** For how long one isolate alone refreshes a list, in milliseconds. */
const LEASE_MS = 10_000;
/** After how long the others look whether it has, in milliseconds. */
const LEASE_POLL_MS = 2_000;
/** A list is not asked for again earlier, whatever the server says of it, in milliseconds. */
const MIN_FRESH_MS = 1_000;

/** What a name stands for as far as is known. */
export type Resolution =
  | Extract<NameMatch, { kind: "owned" }>
  | Extract<NameMatch, { kind: "ambiguous" }>
  /** Servers whose list could still change the answer. */
  | { readonly kind: "undecided"; readonly waitFor: readonly string[] }
  | { readonly kind: "unknown" };

/** What a catalogue works with. */
export interface ToolCatalogDeps {
  /** Who owns a bare name that several servers list. */
  readonly policy: CollisionPolicy;
  /** The route cache, where there is one: its keys take a while to compute. */
  readonly cache?: RouteCache | undefined;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** How long a list of a server is fresh where the server does not say, in milliseconds. */
  readonly ttlMs: number;
  /** Who watches the lists. @default {undefined, nobody does} */
  readonly changes?: ListChanges | undefined;
  /** Told of each list that comes from the route cache. */
  readonly onLoaded?: ((server: string, tools: readonly Tool[]) => void) | undefined;
}

/** The merged tool lists of one agent. */
export class ToolCatalog {
  readonly #deps: ToolCatalogDeps;
  readonly #slots = new Map<string, Slot>();
  #policy: CollisionPolicy;
  /** What follows from the lists; computed once, as each call asks for it. */
  #table: NameTable | undefined;
  #unknown: readonly string[] | undefined;
  #freshUntilMs: number | undefined;
  #loading: Promise<void> | undefined;
  /** How often everything was forgotten. */
  #flushes = 0;

  /**
   * Creates an empty catalogue.
   *
   * @param deps What it works with.
   */
  constructor(deps: ToolCatalogDeps) {
    this.#deps = deps;
    this.#policy = deps.policy;
  }

  /**
   * Adds a server at the end of the order.
   *
   * @param server The server; its list is not known yet.
   */
  add(server: CatalogServer): void {
    this.#slots.set(server.server, createSlot(server));
    this.#forget();
  }

  /**
   * The names that a server's tools have as it lists them, or as the one before it in its place did.
   *
   * @param server Its name.
   * @returns The names.
   */
  claimsOf(server: string): readonly string[] {
    const slot = this.#slots.get(server);
    return slot === undefined ? [] : listedNamesOf(slot);
  }

  /**
   * Removes a server and its tools.
   *
   * @param server Its name.
   */
  remove(server: string): void {
    this.#slots.delete(server);
    this.#forget();
  }

  /**
   * Puts the servers in another order, and their bare names under another policy.
   *
   * @param servers The names of the servers, in order; others come after them.
   * @param policy Who owns a bare name that several servers list.
   */
  arrange(servers: readonly string[], policy: CollisionPolicy): void {
    arrange(this.#slots, servers);
    this.#policy = policy;
    this.#forget();
  }

  /**
   * What is known of a server's tools.
   *
   * @param server Its name.
   * @returns The list, or `undefined` where nothing is known.
   */
  listOf(server: string): KnownList | undefined {
    return this.#slots.get(server)?.list;
  }

  /** Servers of which nothing is known, in order. */
  get unknownServers(): readonly string[] {
    return this.#unknown ??= [...this.#slots.values()].filter((slot) => slot.list === undefined)
      .map((slot) => slot.server);
  }

  /** Servers whose list is past its time, in order. */
  get staleServers(): readonly string[] {
    const nowMs = this.#deps.now();
    if (this.#freshUntilMs !== undefined && this.#freshUntilMs > nowMs) return [];
    const slots = [...this.#slots.values()];
    this.#freshUntilMs = Math.min(...slots.map(({ list }) => list?.staleAtMs ?? Infinity));
    return slots.filter(({ list }) => list !== undefined && list.staleAtMs <= nowMs)
      .map((slot) => slot.server);
  }

  /** Every tool of the agent under the name to call it by, in the order of the servers. */
  get tools(): readonly OwnedTool[] {
    const byServer = new Map([...this.#slots].map(([server, slot]) => {
      return [server, new Map(toolsOf(slot).map((tool) => [tool.name, tool]))];
    }));
    return this.#names().exposed.flatMap(({ name, server, tool: toolName }) => {
      const tool = byServer.get(server)?.get(toolName);
      return tool === undefined ? [] : [{ name, server, toolName, tool }];
    });
  }

  /** How long what all servers list is fresh. */
  get freshness(): ListFreshness {
    const lists = [...this.#slots.values()].map(({ list }) => list?.failed === true ? undefined : list);
    return toListFreshness(lists, this.#deps.now(), this.#deps.ttlMs);
  }

  /** Tools whose bare name belongs to another server. */
  get shadowed(): readonly ShadowedTool[] {
    return this.#names().shadowed;
  }

  /**
   * Who owns a name. The order in which servers answered changes nothing: where a server that has not answered could
   * own the name, the answer is `undecided`.
   *
   * @param name Any name.
   * @returns What is known.
   */
  resolve(name: string): Resolution {
    const match = this.#names().resolve(name);
    const unknown = this.unknownServers;
    const waitFor = unknown.length === 0 ? [] : this.#couldChange(name, match, unknown);
    if (waitFor.length > 0) return { kind: "undecided", waitFor };
    return match ?? { kind: "unknown" };
  }

  /**
   * The server to which a qualified name belongs, whether or not it lists such a tool.
   *
   * @param name Any name.
   * @returns The server with the longest name for which `name` begins with `server__`, or `undefined`.
   */
  namespaceOf(name: string): string | undefined {
    return namespaceOf(name, [...this.#slots.keys()]);
  }

  /**
   * Reads what was decided elsewhere of pinned tools.
   *
   * @returns The reading, which never rejects; or `undefined` where there is nothing to read yet.
   */
  refreshPins(): Promise<unknown> | undefined {
    const readings = [...this.#slots.values()].flatMap(({ pins }) => pins?.refresh() ?? []);
    return readings.length === 0 ? undefined : Promise.all(readings);
  }

  /** Reads what the route cache has of the servers of which nothing is known. */
  async loadFromCache(): Promise<void> {
    await (this.#loading ??= this.#load().finally(() => this.#loading = undefined));
  }

  /**
   * Sees to a list that is past its time: takes what another isolate has listed meanwhile, or asks for the lease to list
   * it here.
   *
   * @param server Its name.
   * @returns Whether the server is to be asked by this isolate now.
   */
  async renew(server: string): Promise<boolean> {
    const { cache, now } = this.#deps;
    const slot = this.#slots.get(server);
    if (slot?.list === undefined) return false;
    if (cache === undefined) return true;
    const key = await keyOf(slot);
    const { atMs } = slot.list;
    const cached = await cache.load(key);
    if (slot.list === undefined) return false;
    if (cached?.kind === "tools" && cached.fresh && now() - cached.ageMs > atMs) {
      this.#take(slot, cached);
      return false;
    }
    if (await cache.lease(key, LEASE_MS)) return true;
    this.#setStaleAt(slot, now() + LEASE_POLL_MS);
    return false;
  }

  /**
   * Marks the beginning of a listing.
   *
   * @param server Its name.
   * @returns What {@linkcode ToolCatalog.record} is to be given.
   */
  async begin(server: string): Promise<EpochToken | undefined> {
    const slot = this.#slots.get(server);
    if (slot === undefined) return undefined;
    slot.begunAt = this.#flushes;
    return await this.#deps.cache?.begin(await keyOf(slot));
  }

  /**
   * Takes what came of a listing, here and in the route cache. A failed or empty list does not replace a good one; an
   * empty one that is confirmed by a second does.
   *
   * @param server Its name.
   * @param listing What the server answered.
   * @param token What `begin()` returned.
   */
  async record(server: string, listing: Listing, token: EpochToken | undefined): Promise<void> {
    const slot = this.#slots.get(server);
    if (slot === undefined) return;
    const { now, ttlMs, cache } = this.#deps;
    const failed = "failed" in listing;
    const good = slot.list !== undefined && !slot.list.failed && slot.list.tools.length > 0;
    slot.empties = !failed && listing.tools.length === 0 ? slot.empties + 1 : 0;
    const confirmedEmpty = slot.empties > 1;
    if (!good || (!failed && (listing.tools.length > 0 || confirmedEmpty))) {
      const atMs = now();
      const freshMs = failed ? NEGATIVE_FRESH_MS : listing.ttlMs ?? ttlMs;
      this.#set(slot, {
        tools: failed ? [] : listing.tools,
        failed,
        partial: !failed && listing.partial,
        from: "server",
        atMs,
        staleAtMs: slot.begunAt !== this.#flushes ? 0 : atMs + Math.max(freshMs, MIN_FRESH_MS),
        freshUntilMs: atMs + freshMs,
        isPublic: !failed && listing.isPublic === true,
      });
    } else if (slot.list !== undefined) {
      // Asked and no wiser: the list goes on, and is not asked for with every call.
      this.#setStaleAt(slot, Math.max(slot.list.staleAtMs, now() + NEGATIVE_FRESH_MS));
    }
    if (token !== undefined && cache !== undefined) {
      await cache.commit(await keyOf(slot), failed ? listing : { ...listing, confirmedEmpty }, token);
    }
  }

  /**
   * Declares that what is known of a server's tools is no longer true, here and in the route cache.
   *
   * @param server Its name.
   */
  async invalidate(server: string): Promise<void> {
    const slot = this.#slots.get(server);
    if (slot === undefined) return;
    this.#setStaleAt(slot, 0);
    await this.#deps.cache?.invalidate(await keyOf(slot));
  }

  /** Forgets what all servers listed, here and in the route cache: they are asked when it is needed. */
  async flush(): Promise<void> {
    this.#flushes++;
    await Promise.all([...this.#slots.keys()].map((server) => this.invalidate(server)));
    for (const slot of this.#slots.values()) Object.assign(slot, { list: undefined, empties: 0 });
    this.#forget();
  }

  /**
   * What the catalogue adds to the status of a server.
   *
   * @param server Its name.
   * @returns The fields that are about its list.
   */
  statusOf(server: string): ListStatus {
    return toListStatus(this.#slots.get(server));
  }

  async #load(): Promise<void> {
    const { cache } = this.#deps;
    const flushes = this.#flushes;
    if (cache === undefined) return;
    await Promise.all(
      [...this.#slots.values()].filter((slot) => slot.list === undefined).map(async (slot) => {
        // What is withheld there keeps its name, which must be known before a call is routed.
        const [cached] = await Promise.all([keyOf(slot).then((key) => cache.load(key)), slot.pins?.refresh()]);
        // A list that was invalidated tells nothing of who owns a name: the server is asked first.
        if (
          slot.list !== undefined || flushes !== this.#flushes || cached === undefined ||
          (cached.kind === "tools" && cached.invalidated)
        ) return;
        this.#take(slot, cached);
      }),
    );
  }

  #take(slot: Slot, cached: CachedTools): void {
    this.#set(slot, toKnownList(cached, this.#deps.now()));
    if (cached.kind === "tools") this.#deps.onLoaded?.(slot.server, cached.tools);
  }

  #set(slot: Slot, list: KnownList): void {
    const { changes } = this.#deps;
    // What the server itself has listed, its client has compared already.
    const isCompared = list.from === "cache" || changes?.watched === true;
    const before = slot.list === undefined || !isCompared ? undefined : toolsOf(slot);
    slot.list = list;
    this.#forget();
    if (before === undefined || diffTools(before, toolsOf(slot)) === undefined) return;
    slot.changedAtMs = list.atMs;
    changes?.tell("tools");
  }

  /** What was listed is used until then, or no longer. */
  #setStaleAt(slot: Slot, staleAtMs: number): void {
    if (slot.list !== undefined) slot.list = { ...slot.list, staleAtMs };
    this.#freshUntilMs = undefined;
  }

  /** What follows from the lists is computed anew. */
  #forget(): void {
    this.#table = undefined;
    this.#unknown = undefined;
    this.#freshUntilMs = undefined;
  }

  #names(): NameTable {
    return this.#table ??= createNameTable(
      [...this.#slots.values()].map((slot) => ({ server: slot.server, tools: namesOf(slot) })),
      this.#policy,
    );
  }

  /** The servers among the unknown ones whose list could change what a name stands for. */
  #couldChange(name: string, match: NameMatch | undefined, unknown: readonly string[]): readonly string[] {
    const servers = [...this.#slots.keys()];
    const owner = match?.kind === "owned" ? match.server : undefined;
    return serversToAwait({ name, owner, known: match !== undefined, servers, unknown, policy: this.#policy });
  }
}
