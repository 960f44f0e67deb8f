/**
 * What is kept of every server's tool list between requests and isolates, and the rules that make it harmless: the
 * cache can cost time, never correctness.
 *
 * @module
 */

import type {
  CachedTools,
  CommitOutcome,
  EpochToken,
  Listing,
  RouteEntry,
  RouteEntryHead,
} from "./cache/cached_tools.ts";
import { isJsonObject, type Tool } from "./protocol.ts";
import {
  isToolList,
  isWorthMore,
  MAX_ENTRY_BYTES,
  parseRouteEntry,
  ROUTE_ENTRY_VERSION,
  toInvalidated,
  toPlain,
  toStored,
} from "./cache/route_entry.ts";
import type { RouteKey, RouteStore } from "./route_store.ts";
import { RouteStoreGuard, type RouteStoreGuardOptions } from "./cache/route_store_guard.ts";
import type { ServerCacheKey } from "./cache/server_cache_key.ts";
import { inBatches, joinToolChunks, readToolChunk, toChunkKey, toToolChunks } from "./cache/tool_chunks.ts";

/** How a {@linkcode RouteCache} keeps its entries. */
export interface RouteCacheOptions extends RouteStoreGuardOptions {
  /** How long a list is fresh where the server does not say, in milliseconds. @default {300_000} */
  readonly ttlMs?: number | undefined;
  /** How long a list may be used at all, in milliseconds; caps every `ttlMs` too. @default {86_400_000} */
  readonly maxStaleMs?: number | undefined;
  /** How long "asked, no list" is remembered, in milliseconds; `0`: not at all. @default {30_000} */
  readonly negativeTtlMs?: number | undefined;
}

interface Head {
  readonly entry: RouteEntry | undefined;
  readonly corrupt: boolean;
  readonly token: EpochToken & { readonly version: string | null };
}

const MAX_SKEW_MS = 5_000;
// Longer than any listing: as long as the key has a value, a listing begun before that value cannot be committed.
const MIN_RETENTION_MS = 3_600_000;
const MAX_BUMP_TRIES = 4;
const MAX_KEYS = 10_000;

/** Keeps tool lists in a route store. No method ever rejects because of the store. */
export class RouteCache {
  #guard: RouteStoreGuard | undefined;
  readonly #now: () => number;
  readonly #ttlMs: number;
  readonly #maxStaleMs: number;
  readonly #negativeTtlMs: number;
  // Invalidations that the store has not taken yet: nothing is read or written under these keys before it has.
  readonly #pending = new Map<string, symbol>();
  // The epochs of our own invalidations: a read that is behind may still show what was there before.
  readonly #floors = new Map<string, number>();

  /**
   * Creates a cache.
   *
   * @param store Where entries are kept; borrowed. `undefined`: nothing is kept.
   * @param options Times, warnings and the clock.
   * @throws {RangeError} If a time is not a number of milliseconds.
   */
  constructor(store: RouteStore | undefined, options: RouteCacheOptions = {}) {
    const { ttlMs = 300_000, maxStaleMs = 86_400_000, negativeTtlMs = 30_000, now = Date.now } = options;
    for (const [name, value] of Object.entries({ ttlMs, maxStaleMs, negativeTtlMs })) {
      if (!Number.isFinite(value) || value < 0) {
        throw new RangeError(`Cannot use ${name} as a time in milliseconds: ${String(value)}`);
      }
    }
    this.#guard = store === undefined ? undefined : new RouteStoreGuard(store, options);
    this.#now = now;
    this.#ttlMs = Math.min(ttlMs, maxStaleMs);
    this.#maxStaleMs = maxStaleMs;
    this.#negativeTtlMs = Math.min(negativeTtlMs, maxStaleMs);
  }

  /**
   * What is known of a server. Broken entries are removed on the way.
   *
   * @param key The server's key.
   * @returns The list or the failure that is kept, or `undefined` where there is none to be had.
   */
  async load(key: ServerCacheKey): Promise<CachedTools | undefined> {
    const head = await this.#read(key);
    if (head === undefined) return undefined;
    const { entry, token } = head;
    if (head.corrupt) await this.#delete(key, token.version);
    // Left there, an entry from the future would look new when our clock gets to it.
    if (entry !== undefined && this.#isFuture(entry)) await this.#clear(key, token);
    const ageMs = entry && this.#ageMs(entry);
    if (entry === undefined || ageMs === undefined || entry.state === "none") return undefined;
    if (entry.state === "negative") {
      return this.#isBehind(key, entry) ? undefined : { kind: "negative", fresh: true, ageMs, epochToken: token };
    }
    const tools = entry.tools ?? await this.#readChunks(key, entry, token);
    if (tools === undefined) return undefined;
    const invalidated = entry.state === "stale" || this.#isBehind(key, entry);
    const { partial, writtenAtMs } = entry;
    const freshMs = Math.min(entry.staleAtMs - writtenAtMs, this.#maxStaleMs);
    const fresh = !invalidated && ageMs < freshMs;
    return { kind: "tools", tools, partial, fresh, invalidated, ageMs, freshMs, writtenAtMs, epochToken: token };
  }

  /**
   * Marks the beginning of a listing: to be called before the server is asked.
   *
   * @param key The server's key.
   * @returns What {@linkcode RouteCache.commit} must still find there.
   */
  async begin(key: ServerCacheKey): Promise<EpochToken> {
    return (await this.#read(key))?.token ?? { epoch: 0, version: undefined };
  }

  /**
   * Stores what came of a listing, if nothing else was written since the token was read. A failed, an empty or a
   * broken-off listing does not replace a good list.
   *
   * @param key The server's key.
   * @param listing What the server answered.
   * @param read The token that was read before the server was asked.
   * @returns How it ended.
   */
  async commit(key: ServerCacheKey, listing: Listing, read: EpochToken): Promise<CommitOutcome> {
    const { version, replaces } = read;
    if (version === undefined || !(await this.#settle(key))) return "unavailable";
    if (read.epoch < (this.#floors.get(toId(key)) ?? 0)) return "conflict";
    if (replaces !== undefined && this.#ageMs(replaces) !== undefined && isWorthMore(replaces, listing)) {
      return "skipped";
    }

    const made = await this.#makeEntry(key, listing, read.epoch);
    if (made === undefined) return "skipped";
    const expiresAtMs = this.#retentionEndMs();
    const written = await inBatches(made.chunks, async ({ address, value }) => {
      return await this.#run((store) => store.set(toChunkKey(address), value, { expiresAtMs })) !== undefined;
    });
    if (!written.every(Boolean)) return "unavailable";
    const stored = toStored(made.entry);
    if (stored === undefined) return "skipped";
    const answer = await this.#run((store) => store.set(key, stored, { expiresAtMs, ifVersion: version }));
    if (answer === undefined) return "unavailable";
    if (answer.value === undefined) return "conflict";

    const kept = new Set(made.entry.chunks);
    const dropped = (replaces?.chunks ?? []).filter((address) => !kept.has(address));
    await inBatches(dropped, (address) => this.#run((store) => store.delete(toChunkKey(address))));
    return "stored";
  }

  /**
   * Declares that what is kept of a server is no longer true. No list that was begun before can be committed after,
   * and what is kept is not fresh. While the store is away the key is not used, and it is told as soon as it is back.
   *
   * @param key The server's key.
   */
  async invalidate(key: ServerCacheKey): Promise<void> {
    if (this.#guard === undefined) return;
    this.#pending.set(toId(key), Symbol());
    // To forget an invalidation would be wrong for ever; to forget the store costs time only.
    if (this.#pending.size > MAX_KEYS) this.#guard = undefined;
    await this.#settle(key);
  }

  /**
   * Asks to be the one isolate that refreshes a list. A store that is away lends to everybody.
   *
   * @param key The server's key.
   * @param forMs How long the lease is held, in milliseconds; nobody gives it back.
   * @returns Whether this isolate is to refresh.
   */
  async lease(key: ServerCacheKey, forMs: number): Promise<boolean> {
    const leaseKey = toLeaseKey(key);
    const nowMs = this.#now();
    const held = await this.#run((store) => store.get(leaseKey));
    if (held === undefined) return true;
    const untilMs = isJsonObject(held.value?.value) ? held.value.value.untilMs : undefined;
    // One that ends later than any could is of a clock that is wrong.
    if (typeof untilMs === "number" && untilMs > nowMs && untilMs <= nowMs + forMs + MAX_SKEW_MS) return false;
    const ifVersion = held.value?.version ?? null;
    const expiresAtMs = nowMs + forMs;
    const taken = await this.#run((store) => store.set(leaseKey, { untilMs: expiresAtMs }, { expiresAtMs, ifVersion }));
    return taken === undefined || taken.value !== undefined;
  }

  /** Makes good what the store has missed; false while it cannot be used for the key. */
  async #settle(key: ServerCacheKey): Promise<boolean> {
    const id = toId(key);
    const mark = this.#pending.get(id);
    if (mark === undefined) return this.#guard !== undefined;
    for (let tries = 0; tries < MAX_BUMP_TRIES; tries++) {
      const head = await this.#readHead(key);
      if (head === undefined) return false;
      const { token } = head;
      const nowMs = this.#now();
      const entry = head.entry !== undefined && this.#ageMs(head.entry) !== undefined ? head.entry : undefined;
      const next = { epoch: Math.max(token.epoch + 1, nowMs), nowMs, expiresAtMs: this.#retentionEndMs() };
      const stored = toStored(toInvalidated(entry, key, next)) ?? toStored(toInvalidated(undefined, key, next));
      if (stored === undefined) return false;
      const options = { expiresAtMs: next.expiresAtMs, ifVersion: token.version };
      const answer = await this.#run((store) => store.set(key, stored, options));
      if (answer === undefined) return false;
      if (answer.value === undefined) continue;
      this.#raiseFloor(id, next.epoch);
      if (this.#pending.get(id) === mark) this.#pending.delete(id);
      return !this.#pending.has(id);
    }
    return false;
  }

  #raiseFloor(id: string, epoch: number): void {
    const floor = Math.max(epoch, this.#floors.get(id) ?? 0);
    this.#floors.delete(id);
    this.#floors.set(id, floor);
    if (this.#floors.size <= MAX_KEYS) return;
    const [oldest] = this.#floors.keys();
    if (oldest !== undefined) this.#floors.delete(oldest);
  }

  async #read(key: ServerCacheKey): Promise<Head | undefined> {
    return await this.#settle(key) ? await this.#readHead(key) : undefined;
  }

  async #readHead(key: ServerCacheKey): Promise<Head | undefined> {
    const answer = await this.#run((store) => store.get(key));
    if (answer === undefined) return undefined;
    const item = answer.value;
    const floor = this.#floors.get(toId(key)) ?? 0;
    const parsed = item === undefined ? undefined : parseRouteEntry(item.value, key);
    const version = item?.version ?? null;
    if (typeof parsed !== "object") {
      // Epochs follow the clock, so that they grow even over a key whose entry was forgotten.
      const token = { epoch: Math.max(floor, this.#now()), version };
      return { entry: undefined, corrupt: parsed === "corrupt", token };
    }
    const { tools: _tools, ...replaces } = parsed;
    return { entry: parsed, corrupt: false, token: { epoch: Math.max(floor, parsed.epoch), version, replaces } };
  }

  async #readChunks(
    key: ServerCacheKey,
    entry: RouteEntry,
    token: EpochToken,
  ): Promise<readonly Tool[] | undefined> {
    const parts = await inBatches(entry.chunks ?? [], async (address) => {
      const answer = await this.#run((store) => store.get(toChunkKey(address)));
      if (answer === undefined) return "unavailable";
      const bytes = await readToolChunk(answer.value?.value, address, key);
      if (bytes === undefined && answer.value != null) await this.#delete(toChunkKey(address), answer.value.version);
      return bytes ?? "corrupt";
    });
    if (parts.includes("unavailable")) return undefined;
    const tools = joinToolChunks(parts.filter((part) => typeof part !== "string"));
    if (!parts.includes("corrupt") && isToolList(tools) && tools.length === entry.toolCount) return tools;
    await this.#clear(key, token);
    return undefined;
  }

  // Replaced, not deleted: an empty key would let in a listing that was begun before the key was ever written.
  async #clear(key: ServerCacheKey, { epoch, version }: EpochToken): Promise<void> {
    const expiresAtMs = this.#retentionEndMs();
    const empty = toStored(toInvalidated(undefined, key, { epoch, nowMs: this.#now(), expiresAtMs }));
    if (empty !== undefined) await this.#run((store) => store.set(key, empty, { expiresAtMs, ifVersion: version }));
  }

  async #makeEntry(key: ServerCacheKey, listing: Listing, epoch: number) {
    const nowMs = this.#now();
    const base = { v: ROUTE_ENTRY_VERSION, key, epoch, writtenAtMs: nowMs, partial: false, toolCount: 0 } as const;
    if ("failed" in listing) {
      const endMs = nowMs + this.#negativeTtlMs;
      const entry: RouteEntry = { ...base, state: "negative", staleAtMs: endMs, expiresAtMs: endMs };
      return { entry, chunks: [] };
    }
    const tools = toPlain(listing.tools, MAX_ENTRY_BYTES);
    if (!isToolList(tools)) return undefined;
    const { ttlMs = this.#ttlMs, partial } = listing;
    const freshMs = ttlMs >= 0 ? Math.min(ttlMs, this.#maxStaleMs) : this.#ttlMs;
    const list = { state: "good", staleAtMs: nowMs + freshMs, expiresAtMs: nowMs + this.#maxStaleMs } as const;
    const entry: RouteEntry = { ...base, ...list, partial, toolCount: tools.length, tools };
    if (toStored(entry) !== undefined) return { entry, chunks: [] };
    const chunks = await toToolChunks(JSON.stringify(tools), key);
    const { tools: _tools, ...head } = entry;
    return { entry: { ...head, chunks: chunks.map(({ address }) => address) }, chunks };
  }

  /** How old an entry is, or `undefined` where it may not be used: too old, or from the future, by our clock. */
  #ageMs(entry: RouteEntryHead): number | undefined {
    const ageMs = this.#now() - entry.writtenAtMs;
    const capMs = entry.state === "negative" ? this.#negativeTtlMs : this.#maxStaleMs;
    const isAlive = !this.#isFuture(entry) && ageMs < Math.min(entry.expiresAtMs - entry.writtenAtMs, capMs);
    return isAlive ? Math.max(0, ageMs) : undefined;
  }

  #isFuture(entry: RouteEntryHead): boolean {
    return entry.writtenAtMs - this.#now() > MAX_SKEW_MS;
  }

  /** Whether an entry is older than the last invalidation that was asked for here. */
  #isBehind(key: ServerCacheKey, entry: RouteEntry): boolean {
    const id = toId(key);
    return this.#pending.has(id) || entry.epoch < (this.#floors.get(id) ?? 0);
  }

  #retentionEndMs(): number {
    return this.#now() + Math.max(this.#maxStaleMs, MIN_RETENTION_MS);
  }

  async #delete(key: RouteKey, ifVersion: string | null): Promise<void> {
    if (ifVersion !== null) await this.#run((store) => store.delete(key, { ifVersion }));
  }

  async #run<T>(operation: (store: RouteStore) => Promise<T>): Promise<{ readonly value: T } | undefined> {
    return await this.#guard?.run(operation);
  }
}

/** A lease lies beside the list that it is for. */
function toLeaseKey([version, , ...owner]: ServerCacheKey): RouteKey {
  return [version, "lease", ...owner];
}

function toId(key: ServerCacheKey): string {
  return JSON.stringify(key);
}
