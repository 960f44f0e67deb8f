/**
 * The lists of an agent, in pages where they are long (specification: Pagination).
 *
 * @module
 */

import type { ListKind } from "../list_watch.ts";
import type { JsonObject } from "../protocol.ts";
import type { Exchange } from "./exchange.ts";
import { checkOffered } from "./offer.ts";
import { toEraResult } from "./results.ts";
import { INVALID_PARAMS, RpcError } from "./rpc.ts";

/** How many entries a page has. Many clients read one page only: nearly every list is to fit. */
export const PAGE_ENTRIES = 1_000;

/**
 * Answers `tools/list`: the tools as their servers list them, under the names to call them by.
 *
 * @param exchange The request.
 * @returns A page of the list.
 */
export async function listTools(exchange: Exchange): Promise<JsonObject> {
  const owned = await exchange.client.listOwnedTools({ signal: exchange.signal });
  return toPage(exchange, "tools", owned, ({ name, tool }) => tool.name === name ? tool : { ...tool, name });
}

/**
 * Answers `resources/list`: a URI that several servers list is there once, as that of the first.
 *
 * @param exchange The request.
 * @returns A page of the list.
 */
export async function listResources(exchange: Exchange): Promise<JsonObject> {
  checkOffered(exchange, "resources");
  const owned = await exchange.client.listOwnedResources({ signal: exchange.signal });
  return toPage(exchange, "resources", firstOfEach(owned, ({ uri }) => uri), ({ resource }) => resource);
}

/**
 * Answers `resources/templates/list`.
 *
 * @param exchange The request.
 * @returns A page of the list.
 */
export async function listTemplates(exchange: Exchange): Promise<JsonObject> {
  checkOffered(exchange, "resources");
  const owned = await exchange.client.listOwnedResourceTemplates({ signal: exchange.signal });
  const templates = firstOfEach(owned, ({ uriTemplate }) => uriTemplate);
  return toPage(exchange, "resourceTemplates", templates, ({ template }) => template);
}

/**
 * Answers `prompts/list`: the prompts as their servers list them, under the names to get them by.
 *
 * @param exchange The request.
 * @returns A page of the list.
 */
export async function listPrompts(exchange: Exchange): Promise<JsonObject> {
  checkOffered(exchange, "prompts");
  const owned = await exchange.client.listOwnedPrompts({ signal: exchange.signal });
  return toPage(exchange, "prompts", owned, ({ name, prompt }) => prompt.name === name ? prompt : { ...prompt, name });
}

type Field = Exclude<ListKind, "templates"> | "resourceTemplates";

function toPage<T>(
  exchange: Exchange,
  field: Field,
  entries: readonly T[],
  toEntry: (entry: T) => object,
): JsonObject {
  const from = readCursor(exchange.request.params.cursor, field, entries.length);
  const to = from + PAGE_ENTRIES;
  const page = entries.length <= PAGE_ENTRIES ? entries : entries.slice(from, to);
  const result = {
    [field]: page.map(toEntry) as unknown as JsonObject[],
    ...(to < entries.length ? { nextCursor: btoa(`${field}:${to}`) } : {}),
  };
  if (exchange.frame.era === "legacy") return result;
  const kind = field === "resourceTemplates" ? "templates" : field;
  return toEraResult(exchange, result, exchange.client.getListFreshness(kind));
}

/** Where a page begins: a cursor is of one list, and of no use once that has become shorter. */
function readCursor(cursor: unknown, field: string, length: number): number {
  if (cursor === undefined) return 0;
  const text = typeof cursor === "string" && /^[A-Za-z0-9+/]{1,64}={0,2}$/.test(cursor) ? decode(cursor) : "";
  const [kind, offset = ""] = text.split(":");
  const from = kind === field && /^[1-9]\d{0,8}$/.test(offset) ? Number(offset) : 0;
  if (from > 0 && from < length && from % PAGE_ENTRIES === 0) return from;
  throw new RpcError(INVALID_PARAMS, "Cannot list from the cursor as it is none of this list: begin without one");
}

function decode(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}

function firstOfEach<T>(entries: readonly T[], toKey: (entry: T) => string): readonly T[] {
  const seen = new Set<string>();
  return entries.filter((entry) => !seen.has(toKey(entry)) && seen.add(toKey(entry)));
}
