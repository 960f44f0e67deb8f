/**
 * A server's tool list: all pages, capped; malformed tools dropped one by one, never the list with them.
 *
 * @module
 */

import type { Tool } from "../protocol.ts";
import { toTool } from "./tool_shape.ts";

/** How many pages are read at most. */
export const MAX_PAGES = 64;
/** How many tools are kept at most. */
export const MAX_TOOLS = 2_000;
/** How many warnings are kept at most. */
const MAX_WARNINGS = 20;

/** A page of a tool list, unchecked. */
export interface RawToolPage {
  /** The tools as the server sent them. */
  readonly tools: readonly unknown[];
  /** Where the next page begins; `undefined` on the last. */
  readonly nextCursor: string | undefined;
  /** How long the page is fresh, in milliseconds, where the server says so. */
  readonly ttlMs?: number | undefined;
  /** Whether the server lets the page be given to anybody. @default {false} */
  readonly isPublic?: boolean | undefined;
}

/** A tool list that can be used. */
export interface ToolList {
  /** The tools that are well-formed, in the server's order. */
  readonly tools: readonly Tool[];
  /** Whether the list was cut at a cap. */
  readonly partial: boolean;
  /** What was dropped and why, without text of the server. */
  readonly warnings: readonly string[];
  /** How long the list is fresh, in milliseconds, where the server says so of every page: the shortest. */
  readonly ttlMs?: number | undefined;
  /** Whether the server lets it be given to anybody, all its pages. @default {false} */
  readonly isPublic?: boolean | undefined;
}

/**
 * Reads all pages of a tool list.
 *
 * @param readPage Reads the page that begins at a cursor.
 * @param findFault What else is wrong with a well-formed tool, in words; `undefined` where nothing is.
 * @returns The tools that are well-formed.
 */
export async function readToolList(
  readPage: (cursor: string | undefined) => Promise<RawToolPage>,
  findFault: (tool: Tool) => string | undefined = () => undefined,
): Promise<ToolList> {
  const tools = new Map<string, Tool>();
  const warnings: string[] = [];
  const warn = (text: string) => void (warnings.length < MAX_WARNINGS && warnings.push(text));
  const seen = new Set<string>();
  let cursor: string | undefined;
  let ttlMs: number | undefined = Infinity;
  let isPublic = true;
  const toList = (partial: boolean): ToolList => {
    return { tools: [...tools.values()], partial, warnings, ttlMs: ttlMs === Infinity ? undefined : ttlMs, isPublic };
  };
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { tools: raw, nextCursor, ttlMs: pageTtlMs, isPublic: isPagePublic } = await readPage(cursor);
    isPublic &&= isPagePublic === true;
    ttlMs = ttlMs === undefined || pageTtlMs === undefined ? undefined : Math.min(ttlMs, pageTtlMs);
    for (const [index, value] of raw.entries()) {
      if (tools.size === MAX_TOOLS) {
        warn(`Cut at ${MAX_TOOLS} tools`);
        return toList(true);
      }
      const tool = toTool(value);
      const fault = typeof tool === "string"
        ? tool
        : tools.has(tool.name)
        ? "its name is listed twice"
        : findFault(tool);
      if (typeof tool === "string" || fault !== undefined) warn(`Dropped tool ${index + 1} of page ${page}: ${fault}`);
      else tools.set(tool.name, tool);
    }
    if (nextCursor === undefined) return toList(false);
    if (seen.has(nextCursor)) {
      warn(`Stopped after page ${page}: its cursor leads back to an earlier page`);
      return toList(true);
    }
    seen.add(cursor = nextCursor);
  }
  warn(`Stopped after ${MAX_PAGES} pages`);
  return toList(true);
}
