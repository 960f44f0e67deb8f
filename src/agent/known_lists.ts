/**
 * One kind of list of all servers of an agent (resources, resource templates or prompts): asked for when it is needed,
 * kept for a while in memory.
 *
 * @module
 */

import { pooledMap } from "@std/async";
import type { ContextList } from "../server/context_list.ts";
import { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { ListKind } from "../list_watch.ts";
import type { ListChanges } from "../server/list_changes.ts";
import { SharedTask } from "../shared_task.ts";
import type { ListFreshness } from "../status.ts";
import type { RequestOptions } from "../tool_client.ts";
import { type ListAge, toListFreshness } from "./list_freshness.ts";
import { arrange } from "./server_order.ts";

/** How long asking a server may take where nobody says, in milliseconds. */
export const ASK_TIMEOUT_MS = 10_000;
/** How long a failure to list keeps a server from being asked again, in milliseconds. */
const NEGATIVE_FRESH_MS = 30_000;
/** A list is not asked for again earlier, whatever the server says of it, in milliseconds. */
const MIN_FRESH_MS = 1_000;
/** How often a list is asked for again because the server said, while it answered, that it has changed. */
const MAX_REPEATS = 2;

/** What is known of one server's list. */
export interface KnownEntries<T> extends ListAge {
  /** The entries as listed; empty after a failure. */
  readonly entries: readonly T[];
  /** Why there is no list, where the server was asked and gave none. */
  readonly failure: MCPError | undefined;
  /** When it was last asked, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** An entry and the server that lists it. */
export interface ListedEntry<T> {
  /** The server. */
  readonly server: string;
  /** The entry as its server lists it. */
  readonly entry: T;
}

/** How a round of asking is run. */
export interface AskListOptions {
  /** Ends the waiting for all of them. */
  readonly signal?: AbortSignal | undefined;
  /** Told as each server settles. */
  readonly onSettled?: (() => void) | undefined;
}

/** What lists work with. */
export interface KnownListsDeps<T> {
  /** Asks a server. */
  readonly read: (server: string, options: RequestOptions) => Promise<ContextList<T>>;
  /** How many servers are asked at once. */
  readonly concurrency: number;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** How long a list is fresh where the server does not say, in milliseconds. */
  readonly ttlMs: number;
  /** Told that what follows from the lists is to be computed anew. */
  readonly onChange: () => void;
  /** Who watches the lists, and what they are to them. @default {undefined, nobody does} */
  readonly watched?: { readonly changes: ListChanges; readonly kind: ListKind } | undefined;
}

interface Slot<T> {
  readonly timeoutMs: number;
  readonly ask: SharedTask<void>;
  list: KnownEntries<T> | undefined;
  /** How often the server has said that its list has changed. */
  changes: number;
  /** Whether it has said so since it was last asked. */
  changed: boolean;
  /** How often in a row a server with entries said that it has none. */
  empties: number;
  /** Until when nobody waits for a new list because the last one did not come, in milliseconds since the epoch. */
  notAwaitedUntilMs: number;
}

/** The lists of one kind, by server. */
export class KnownLists<T> {
  readonly #deps: KnownListsDeps<T>;
  readonly #slots = new Map<string, Slot<T>>();
  readonly #closed = new AbortController();
  #refreshing: Promise<void> | undefined;

  /**
   * Creates lists of no server.
   *
   * @param deps What they work with.
   */
  constructor(deps: KnownListsDeps<T>) {
    this.#deps = deps;
  }

  /**
   * Adds a server at the end of the order.
   *
   * @param server Its name.
   * @param timeoutMs The longest that asking it may take, in milliseconds. @default {10_000}
   */
  add(server: string, timeoutMs: number = ASK_TIMEOUT_MS): void {
    const ask = new SharedTask<void>((deadline) => this.#ask(server, slot, deadline));
    const slot: Slot<T> = {
      timeoutMs,
      ask,
      list: undefined,
      changes: 0,
      changed: false,
      empties: 0,
      notAwaitedUntilMs: 0,
    };
    this.#slots.set(server, slot);
    this.#deps.onChange();
  }

  /**
   * Removes a server and what it listed.
   *
   * @param server Its name.
   */
  remove(server: string): void {
    this.#slots.delete(server);
    this.#deps.onChange();
  }

  /**
   * Puts the servers in another order.
   *
   * @param servers Their names, in order; others come after them.
   */
  arrange(servers: readonly string[]): void {
    arrange(this.#slots, servers);
    this.#deps.onChange();
  }

  /** The names of the servers, in order. */
  get servers(): readonly string[] {
    return [...this.#slots.keys()];
  }

  /** Servers that have never answered, in order. */
  get unknownServers(): readonly string[] {
    return this.#serversOf(({ list }) => list === undefined);
  }

  /** Servers whose list is past its time, in order. */
  get staleServers(): readonly string[] {
    const nowMs = this.#deps.now();
    return this.#serversOf(({ list }) => list !== undefined && list.staleAtMs <= nowMs);
  }

  /**
   * Servers that have said that their list has changed and are worth waiting for, in order. One that says so and does not
   * give the list is not: it would hold up the lists of all others.
   */
  get changedServers(): readonly string[] {
    const nowMs = this.#deps.now();
    return this.#serversOf(({ list, changed, notAwaitedUntilMs }) => {
      return changed && list !== undefined && list.staleAtMs <= nowMs && notAwaitedUntilMs <= nowMs;
    });
  }

  /** Servers at which a person has to authorize first, in order: any moment they may have. */
  get unauthorizedServers(): readonly string[] {
    return this.#serversOf(({ list }) => list?.failure?.code === "authorization_required");
  }

  /** Every entry, in the order of the servers. */
  get entries(): readonly ListedEntry<T>[] {
    return [...this.#slots].flatMap(([server, { list }]) => (list?.entries ?? []).map((entry) => ({ server, entry })));
  }

  /** How long what all servers list is fresh. */
  get freshness(): ListFreshness {
    const lists = [...this.#slots.values()].map(({ list }) => list?.failure === undefined ? list : undefined);
    return toListFreshness(lists, this.#deps.now(), this.#deps.ttlMs);
  }

  /** Forgets what all servers listed: they are asked when it is needed, also where one is being asked now. */
  flush(): void {
    for (const slot of this.#slots.values()) {
      Object.assign(slot, {
        list: undefined,
        empties: 0,
        changes: slot.changes + 1,
        changed: true,
        notAwaitedUntilMs: 0,
      });
    }
    this.#deps.onChange();
  }

  /**
   * What is known of a server's list.
   *
   * @param server Its name.
   * @returns The list, or `undefined` where nothing is known.
   */
  listOf(server: string): KnownEntries<T> | undefined {
    return this.#slots.get(server)?.list;
  }

  /**
   * Whether a server is worth asking once more for what it does not list: a list younger than that is believed.
   *
   * @param server Its name.
   * @param ageMs How old a list has to be, in milliseconds.
   * @returns Whether it is; for one that failed, whether its failure is past its time.
   */
  isOutdated(server: string, ageMs: number): boolean {
    const list = this.#slots.get(server)?.list;
    if (list === undefined) return false;
    const nowMs = this.#deps.now();
    return list.staleAtMs <= nowMs || (list.failure === undefined && nowMs - list.atMs >= ageMs);
  }

  /**
   * Declares that what is known of a server's list is no longer true. It is used until the server has answered anew.
   *
   * @param server Its name.
   * @returns Whether the server had ever been asked.
   */
  invalidate(server: string): boolean {
    const slot = this.#slots.get(server);
    if (slot === undefined || (slot.list === undefined && !slot.ask.running)) return false;
    slot.changes++;
    slot.changed = true;
    if (slot.list !== undefined) slot.list = { ...slot.list, staleAtMs: 0 };
    return true;
  }

  /**
   * Forgets that a server gave no list: it is asked again when its list is needed.
   *
   * @param server Its name.
   */
  forgetFailure(server: string): void {
    const slot = this.#slots.get(server);
    if (slot?.list?.failure === undefined) return;
    slot.list = undefined;
    this.#deps.onChange();
  }

  /**
   * Asks servers, all at once as far as the pool goes, each behind its own deadline. Never rejects because of a server.
   *
   * @param servers Which ones.
   * @param options The end of the waiting, and whom to tell.
   */
  async askAll(servers: readonly string[], options: AskListOptions = {}): Promise<void> {
    const outcomes = pooledMap(this.#deps.concurrency, servers, async (server) => {
      const slot = this.#slots.get(server);
      if (slot !== undefined) await this.#join(slot, options);
      options.onSettled?.();
    });
    for await (const _ of outcomes) { /* Each is recorded where it is asked. */ }
  }

  /** Asks for the lists past their time in the background, where that is not under way already. */
  refreshStale(): void {
    if (this.#refreshing !== undefined) return;
    const stale = this.staleServers;
    if (stale.length > 0) this.#refreshing = this.askAll(stale).finally(() => this.#refreshing = undefined);
  }

  /** Ends what is under way, waits for its end, and asks nobody from then on. */
  async close(): Promise<void> {
    const reason = new Error("The client is closed");
    this.#closed.abort(reason);
    await Promise.allSettled([...this.#slots.values()].map(({ ask }) => ask.abort(reason)));
  }

  async #join(slot: Slot<T>, { signal }: AskListOptions): Promise<void> {
    using deadline = new Deadline(slot.timeoutMs, { signal });
    for (let repeats = 0; repeats <= MAX_REPEATS; repeats++) {
      const { changes } = slot;
      const answered = await slot.ask.join(deadline, slot.timeoutMs).then(() => true, () => false);
      if (!answered || slot.changes === changes) return;
    }
  }

  async #ask(server: string, slot: Slot<T>, deadline: Deadline): Promise<void> {
    this.#closed.signal.throwIfAborted();
    const { changes } = slot;
    const options = { timeoutMs: Math.max(1, deadline.remainingMs), signal: deadline.signal };
    try {
      const heard = await this.#deps.read(server, options);
      this.#take(slot, heard, slot.changes === changes);
    } catch (error) {
      if (!deadline.cancelled) this.#fail(slot, isMCPError(error) ? error : toFailure(server, error));
      throw error;
    }
  }

  /** An empty list replaces a good one where the server had announced a change, or where a second one confirms it. */
  #take(slot: Slot<T>, heard: ContextList<T>, isCurrent: boolean): void {
    const { entries, ttlMs = this.#deps.ttlMs, isPublic = false } = heard;
    const had = (slot.list?.entries.length ?? 0) > 0;
    slot.empties = entries.length === 0 ? slot.empties + 1 : 0;
    const believed = !had || entries.length > 0 || slot.changed || slot.empties > 1;
    const { list: before, changed: isAnnounced } = slot;
    if (isCurrent) slot.changed = false;
    slot.notAwaitedUntilMs = 0;
    const atMs = this.#deps.now();
    const freshMs = believed ? Math.max(ttlMs, MIN_FRESH_MS) : NEGATIVE_FRESH_MS;
    this.#set(slot, {
      entries: believed ? entries : slot.list?.entries ?? [],
      failure: undefined,
      atMs,
      staleAtMs: isCurrent ? atMs + freshMs : 0,
      freshUntilMs: atMs + ttlMs,
      isPublic,
    });
    if (before !== undefined && !isAnnounced) this.#tellNews(before.entries, slot.list?.entries ?? []);
  }

  /** What the server has announced, those who watch have been told of. */
  #tellNews(before: readonly T[], after: readonly T[]): void {
    const { watched } = this.#deps;
    if (watched?.changes.watched !== true || before === after) return;
    if (JSON.stringify(before) !== JSON.stringify(after)) watched.changes.tell(watched.kind);
  }

  /** A failure does not replace a good list: that goes on, and is not asked for with every request. */
  #fail(slot: Slot<T>, failure: MCPError): void {
    const { list } = slot;
    const atMs = this.#deps.now();
    const staleAtMs = slot.notAwaitedUntilMs = atMs + NEGATIVE_FRESH_MS;
    const age = { atMs, staleAtMs, freshUntilMs: atMs, isPublic: false };
    if (list === undefined || list.failure !== undefined) this.#set(slot, { entries: [], failure, ...age });
    else slot.list = { ...list, atMs, staleAtMs: Math.max(list.staleAtMs, staleAtMs) };
  }

  #set(slot: Slot<T>, list: KnownEntries<T>): void {
    slot.list = list;
    this.#deps.onChange();
  }

  #serversOf(holds: (slot: Slot<T>) => boolean): readonly string[] {
    return [...this.#slots].filter(([, slot]) => holds(slot)).map(([server]) => server);
  }
}

function toFailure(server: string, cause: unknown): MCPError {
  return new MCPError("unreachable", `Cannot have a list of server "${server}" as asking for it failed`, {
    server,
    cause,
  });
}
