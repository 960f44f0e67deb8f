/**
 * Lists of what servers offer besides tools: all pages, capped; malformed entries dropped one by one, never the list
 * with them.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../protocol.ts";
import { MAX_PAGES } from "../tools/tool_list.ts";

/** How many entries are kept at most. */
export const MAX_ENTRIES = 2_000;
/** How long a URI or a name may be, in characters. */
const MAX_KEY_CHARS = 4_096;
// deno-lint-ignore no-control-regex -- control characters are what it looks for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** A list that can be used. */
export interface ContextList<Entry> {
  /** The entries that are well-formed, in the server's order. */
  readonly entries: readonly Entry[];
  /** How long the list is fresh, in milliseconds, where the server says so of every page: the shortest. */
  readonly ttlMs: number | undefined;
  /** Whether the server lets it be given to anybody, all its pages. @default {false} */
  readonly isPublic?: boolean | undefined;
}

/** What is listed. */
export interface ListedKind {
  /** The method that lists. */
  readonly method: "resources/list" | "resources/templates/list" | "prompts/list";
  /** The field of its result that holds the list. */
  readonly field: "resources" | "resourceTemplates" | "prompts";
  /** The field of an entry by which it is used; no two have the same. */
  readonly key: "uri" | "uriTemplate" | "name";
  /** The capability of a server that has such a list. */
  readonly capability: "resources" | "prompts";
}

/** The resources of a server. */
export const RESOURCES: ListedKind = {
  method: "resources/list",
  field: "resources",
  key: "uri",
  capability: "resources",
};

/** The templates of resources of a server. */
export const RESOURCE_TEMPLATES: ListedKind = {
  method: "resources/templates/list",
  field: "resourceTemplates",
  key: "uriTemplate",
  capability: "resources",
};

/** The prompts of a server. */
export const PROMPTS: ListedKind = { method: "prompts/list", field: "prompts", key: "name", capability: "prompts" };

/**
 * Reads all pages of a list.
 *
 * @param kind What is listed.
 * @param readPage Reads the page that begins at a cursor: its result, unchecked.
 * @returns The entries, and how long they are fresh.
 */
export async function readContextList<Entry>(
  kind: ListedKind,
  readPage: (params: JsonObject) => Promise<JsonObject>,
): Promise<ContextList<Entry>> {
  const entries = new Map<string, Entry>();
  const seen = new Set<string>();
  let ttlMs: number | undefined = Infinity;
  let isPublic = true;
  let params: JsonObject = {};
  for (let page = 1; page <= MAX_PAGES && entries.size < MAX_ENTRIES; page++) {
    const { [kind.field]: listed, nextCursor, ttlMs: pageTtlMs, cacheScope } = await readPage(params);
    isPublic &&= cacheScope === "public";
    ttlMs = ttlMs === undefined || typeof pageTtlMs !== "number" ? undefined : Math.min(ttlMs, Math.max(0, pageTtlMs));
    for (const entry of Array.isArray(listed) ? listed : []) {
      const key = isJsonObject(entry) && isWellFormed(entry) ? entry[kind.key] : undefined;
      if (!isUsable(key)) continue;
      if (!entries.has(key) && entries.size < MAX_ENTRIES) entries.set(key, entry as Entry);
    }
    if (typeof nextCursor !== "string" || seen.has(nextCursor)) break;
    seen.add(nextCursor);
    params = { cursor: nextCursor };
  }
  return { entries: [...entries.values()], ttlMs: ttlMs === Infinity ? undefined : ttlMs, isPublic };
}

/** The fields that callers see as typed are of these types, where they are there. */
function isWellFormed({ name, title, description, mimeType, size, icons, arguments: args }: JsonObject): boolean {
  return isUsable(name) && [title, description, mimeType].every((text) => isOptional(text, "string")) &&
    isOptional(size, "number") &&
    areOptional(icons, (icon) => typeof icon.src === "string") &&
    areOptional(args, (argument) => typeof argument.name === "string");
}

function isOptional(value: unknown, type: "string" | "number"): boolean {
  return value === undefined || typeof value === type;
}

function areOptional(list: unknown, isOne: (one: JsonObject) => boolean): boolean {
  return list === undefined || (Array.isArray(list) && list.every((one) => isJsonObject(one) && isOne(one)));
}

/** A name may be shown: no control or bidirectional characters in what it is used by. */
function isUsable(text: unknown): text is string {
  return typeof text === "string" && text !== "" && text.length <= MAX_KEY_CHARS && !UNSAFE.test(text);
}
