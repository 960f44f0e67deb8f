/**
 * What a catalogue knows of one server's tools.
 *
 * @module
 */

import type { CachedTools } from "../cache/cached_tools.ts";
import type { ServerCacheKey } from "../cache/server_cache_key.ts";
import type { Tool } from "../protocol.ts";
import type { ToolFilter } from "../tools/tool_filter.ts";
import { isToolAllowed } from "../tools/tool_filter.ts";
import type { ServerStatus } from "../status.ts";
import type { ListAge } from "./list_freshness.ts";

/** How long a failure to list keeps a server from being asked again, in milliseconds. */
export const NEGATIVE_FRESH_MS = 30_000;

/** What a server listed, or that it did not. */
export interface KnownList extends ListAge {
  /** The tools as listed; the filter is applied when they are looked at. Empty after a failure. */
  readonly tools: readonly Tool[];
  /** Whether the server was asked and gave no list. */
  readonly failed: boolean;
  /** Whether the list was cut or broke off. */
  readonly partial: boolean;
  /** Who said so. */
  readonly from: "server" | "cache";
  /** When it was asked, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** The pins of a server, as far as its catalogue needs them. */
export interface PinView {
  /** The names of the tools that are withheld, as far as is known here. */
  readonly withheld: () => readonly string[];
  /** Reads what was decided elsewhere; `undefined` where there is nothing to read yet. */
  readonly refresh: () => Promise<void> | undefined;
}

/** A server of the catalogue. */
export interface CatalogServer {
  /** Its name. */
  readonly server: string;
  /** Which of its tools the agent may see and call. */
  readonly filter: ToolFilter;
  /** Tells where the route cache keeps its list; asked once, when that is needed. */
  readonly toKey: () => Promise<ServerCacheKey>;
  /** Its pins. @default {undefined, its tools are not pinned} */
  readonly pins?: PinView | undefined;
  /** The names that the server before it in its place had; they count until it lists its own. @default {[]} */
  readonly before?: readonly string[] | undefined;
}

/** A server and what it listed. */
export interface Slot extends CatalogServer {
  /** What it listed last; `undefined` where nothing is known. */
  list: KnownList | undefined;
  /** Where the route cache keeps it. */
  key: Promise<ServerCacheKey> | undefined;
  /** How often in a row a server with tools said that it has none. */
  empties: number;
  /** How often everything had been forgotten when the listing began that is under way. */
  begunAt: number;
  /** When its list was last seen to differ, in milliseconds since the epoch. */
  changedAtMs: number | undefined;
}

/** What the status of a server tells of its list. */
export type ListStatus = Pick<
  ServerStatus,
  "toolCount" | "toolsFrom" | "toolsPartial" | "toolsUpdatedAtMs" | "toolsChangedAtMs" | "toolsExpireAtMs"
>;

/**
 * Makes a slot of which nothing is known.
 *
 * @param server The server.
 * @returns The slot.
 */
export function createSlot(server: CatalogServer): Slot {
  return { ...server, list: undefined, key: undefined, empties: 0, begunAt: 0, changedAtMs: undefined };
}

/**
 * Where the route cache keeps a server's list; computed once.
 *
 * @param slot The server.
 * @returns The key.
 */
export function keyOf(slot: Slot): Promise<ServerCacheKey> {
  return slot.key ??= slot.toKey();
}

/**
 * The tools that the agent may see and call.
 *
 * @param slot The server.
 * @returns The tools of its list that the filter lets through and no pin withholds.
 */
export function toolsOf(slot: Slot): readonly Tool[] {
  const withheld = new Set(slot.pins?.withheld());
  return slot.list?.tools.filter(({ name }) => isToolAllowed(slot.filter, name) && !withheld.has(name)) ?? [];
}

/**
 * The names that belong to a server. A tool that is withheld keeps its name: a call must not slide to another server that
 * lists the same one.
 *
 * @param slot The server.
 * @returns The names of its list, and of what is withheld, that the filter lets through.
 */
export function namesOf(slot: Slot): readonly string[] {
  const names = new Set([...listedNamesOf(slot), ...slot.pins?.withheld() ?? []]);
  return [...names].filter((name) => isToolAllowed(slot.filter, name));
}

/**
 * The names of what a server lists, or of what the one before it in its place listed.
 *
 * @param slot The server.
 * @returns The names.
 */
export function listedNamesOf(slot: Slot): readonly string[] {
  return slot.list?.failed === false ? slot.list.tools.map(({ name }) => name) : slot.before ?? [];
}

/**
 * What is known from the route cache.
 *
 * @param cached What that has.
 * @param nowMs The time, in milliseconds since the epoch.
 * @returns The list.
 */
export function toKnownList(cached: CachedTools, nowMs: number): KnownList {
  const atMs = nowMs - cached.ageMs;
  const failed = cached.kind === "negative";
  const staleAtMs = atMs + (failed ? NEGATIVE_FRESH_MS : cached.freshMs);
  return {
    tools: failed ? [] : cached.tools,
    failed,
    partial: !failed && cached.partial,
    from: "cache",
    atMs,
    staleAtMs,
    freshUntilMs: staleAtMs,
    // What its server said of that is not kept.
    isPublic: false,
  };
}

/**
 * What the status of a server tells of its list.
 *
 * @param slot The server, where there is one.
 * @returns The fields.
 */
export function toListStatus(slot: Slot | undefined): ListStatus {
  const list = slot?.list;
  if (slot === undefined || list === undefined || list.failed) {
    const unknown = { toolCount: undefined, toolsFrom: undefined, toolsPartial: false } as const;
    return { ...unknown, toolsUpdatedAtMs: undefined, toolsChangedAtMs: slot?.changedAtMs, toolsExpireAtMs: undefined };
  }
  return {
    toolCount: toolsOf(slot).length,
    toolsFrom: list.from,
    toolsPartial: list.partial,
    toolsUpdatedAtMs: list.atMs,
    toolsChangedAtMs: slot.changedAtMs,
    // What no longer holds has no time of its own: it has ended when it was made.
    toolsExpireAtMs: Math.max(list.atMs, list.staleAtMs),
  };
}
