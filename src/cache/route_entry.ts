/**
 * The form in which the route cache stores what it knows of one server, and the rules by which it is read back.
 *
 * @module
 */

import type { Listing, RouteEntry, RouteEntryHead } from "./cached_tools.ts";
import { toTool } from "../tools/tool_shape.ts";
import { isJsonObject, type JsonObject, type Tool } from "../protocol.ts";
import { MAX_ROUTE_VALUE_BYTES, type RouteKey } from "../route_store.ts";

/** The version of the form. An entry of another version is a miss. */
export const ROUTE_ENTRY_VERSION = 1;
/** How many tools an entry may have; longer lists are not stored. */
export const MAX_ENTRY_TOOLS = 2_000;
/** How large the JSON of all tools of an entry may be, in bytes; larger lists are not stored. */
export const MAX_ENTRY_BYTES = 8 * 1024 * 1024;

/** An entry that cannot be used: broken (and worth deleting), or written by a later version of this package. */
export type UnusableEntry = "corrupt" | "newer";

const MAX_DATE_MS = 8.64e15;
const MAX_CHUNKS = 200;

/**
 * Reads an entry. Everything about it is checked; nothing of the given value is kept.
 *
 * @param value What the store returned.
 * @param key The key it was read from.
 * @returns The entry, or why it cannot be used.
 */
export function parseRouteEntry(value: unknown, key: RouteKey): RouteEntry | UnusableEntry {
  const plain = toPlain(value, MAX_ROUTE_VALUE_BYTES);
  if (!isJsonObject(plain)) return "corrupt";
  if (typeof plain.v === "number" && plain.v > ROUTE_ENTRY_VERSION) return "newer";
  return isEntry(plain) && isSameKey(plain.key, key) ? plain : "corrupt";
}

/**
 * Reads a tool list.
 *
 * @param value A parsed list.
 * @returns Whether it is a list of at most 2,000 well-formed tools.
 */
export function isToolList(value: unknown): value is readonly Tool[] {
  return Array.isArray(value) && value.length <= MAX_ENTRY_TOOLS &&
    value.every((tool) => typeof toTool(tool) !== "string");
}

/**
 * Makes a plain copy of a value.
 *
 * @param value Anything.
 * @param maxBytes How large its JSON may be, in bytes.
 * @returns The copy, or `undefined` where the value is not JSON or too large.
 */
export function toPlain(value: unknown, maxBytes: number): unknown {
  try {
    const json = JSON.stringify(value);
    if (json === undefined || json.length > maxBytes) return undefined;
    if (new TextEncoder().encode(json).byteLength > maxBytes) return undefined;
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * What is left of an entry after an invalidation: its list, marked, or nothing but the new epoch.
 *
 * @param entry The entry, where there is a usable one.
 * @param key The key it is written under.
 * @param mark The new epoch, the time now and the end of an entry without a list, in milliseconds since the epoch.
 * @returns The entry to write.
 */
export function toInvalidated(
  entry: RouteEntry | undefined,
  key: RouteKey,
  mark: { readonly epoch: number; readonly nowMs: number; readonly expiresAtMs: number },
): RouteEntry {
  const { epoch, nowMs, expiresAtMs } = mark;
  if (entry?.state === "good" || entry?.state === "stale") return { ...entry, epoch, state: "stale" };
  return {
    v: ROUTE_ENTRY_VERSION,
    key,
    epoch,
    state: "none",
    writtenAtMs: nowMs,
    staleAtMs: nowMs,
    expiresAtMs,
    partial: false,
    toolCount: 0,
  };
}

/**
 * The entry as what a store takes.
 *
 * @param entry The entry.
 * @returns Plain JSON, or `undefined` where it is larger than a store takes.
 */
export function toStored(entry: RouteEntry): JsonObject | undefined {
  const plain = toPlain(entry, MAX_ROUTE_VALUE_BYTES);
  return isJsonObject(plain) ? plain : undefined;
}

/**
 * Whether what is kept is not to be replaced by what came of a listing: a failed, an empty or a broken-off one.
 *
 * @param kept The entry that would be replaced, still usable.
 * @param listing What the server answered.
 * @returns Whether the entry stays.
 */
export function isWorthMore(kept: RouteEntryHead, listing: Listing): boolean {
  if (kept.state !== "good" && kept.state !== "stale") return false;
  if ("failed" in listing) return true;
  if (listing.tools.length === 0) return kept.toolCount > 0 && listing.confirmedEmpty !== true;
  return listing.partial && !kept.partial && kept.state === "good" && listing.tools.length < kept.toolCount;
}

function isEntry(value: object): value is RouteEntry {
  const entry = value as { readonly [member in keyof RouteEntry]?: unknown };
  const { v, key, epoch, state, writtenAtMs, staleAtMs, expiresAtMs, partial, toolCount, tools, chunks } = entry;
  if (v !== ROUTE_ENTRY_VERSION || !isStringArray(key) || !isDate(epoch) || typeof partial !== "boolean") return false;
  if (!isDate(writtenAtMs) || !isDate(staleAtMs) || !isDate(expiresAtMs)) return false;
  if (staleAtMs < writtenAtMs || expiresAtMs < staleAtMs || !isCount(toolCount)) return false;
  if (state === "negative" || state === "none") return tools === undefined && chunks === undefined && toolCount === 0;
  if (state !== "good" && state !== "stale") return false;
  if (chunks === undefined) return isToolList(tools) && tools.length === toolCount;
  return tools === undefined && isStringArray(chunks) && chunks.length > 0 && chunks.length <= MAX_CHUNKS &&
    chunks.every((address) => /^[0-9a-f]{64}$/.test(address));
}

function isStringArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === "string");
}

function isDate(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= MAX_DATE_MS;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= MAX_ENTRY_TOOLS;
}

function isSameKey(echo: RouteKey, key: RouteKey): boolean {
  return echo.length === key.length && key.every((part, index) => part === echo[index]);
}
