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
  return toPage(exchange, "tools", owned.map(({ name, tool }) => tool.name === name ? tool : { ...tool, name }));
}

/**
 * Answers `resources/list`: a URI that several servers list is there once, as that of the first.
 *
 * @param exchange The request.
 * @returns A page of the list.
 */
export async function listResources(exchange: Exchange): Promise<JsonObject> {
  checkOffered(exchange, "resources");
  return toPage(exchange, "resources", await exchange.client.listResources({ signal: exchange.signal }));
}

/**
 * Answers `resources/templates/list`.
 *
 * @param exchange The request.
 * @returns A page of the list.
 */
export async function listTemplates(exchange: Exchange): Promise<JsonObject> {
  checkOffered(exchange, "resources");
  const templates = await exchange.client.listResourceTemplates({ signal: exchange.signal });
  return toPage(exchange, "resourceTemplates", templates);
}

/**
 * Answers `prompts/list`: the prompts as their servers list them, under the names to get them by.
 *
 * @param exchange The request.
 * @returns A page of the list.
 */
export async function listPrompts(exchange: Exchange): Promise<JsonObject> {
  checkOffered(exchange, "prompts");
  return toPage(exchange, "prompts", await exchange.client.listPrompts({ signal: exchange.signal }));
}

type Field = Exclude<ListKind, "templates"> | "resourceTemplates";

function toPage(exchange: Exchange, field: Field, entries: readonly object[]): JsonObject {
  const from = readCursor(exchange.request.params.cursor, field, entries.length);
  const to = from + PAGE_ENTRIES;
  const page = entries.length <= PAGE_ENTRIES ? entries : entries.slice(from, to);
  const result = {
    [field]: page as JsonObject[],
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
