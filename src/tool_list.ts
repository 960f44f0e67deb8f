/**
 * A server's tool list: all pages, capped; malformed tools dropped one by one, never the list with them.
 *
 * @module
 */

import type { Tool } from "./protocol.ts";
import { findToolFault, isTool } from "./tool_shape.ts";

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
}

/** A tool list that can be used. */
export interface ToolList {
  /** The tools that are well-formed, in the server's order. */
  readonly tools: readonly Tool[];
  /** Whether the list was cut at a cap. */
  readonly partial: boolean;
  /** What was dropped and why, without text of the server. */
  readonly warnings: readonly string[];
}

/**
 * Reads all pages of a tool list.
 *
 * @param readPage Reads the page that begins at a cursor.
 * @returns The tools that are well-formed.
 */
export async function readToolList(
  readPage: (cursor: string | undefined) => Promise<RawToolPage>,
): Promise<ToolList> {
  const tools = new Map<string, Tool>();
  const warnings: string[] = [];
  const warn = (text: string) => void (warnings.length < MAX_WARNINGS && warnings.push(text));
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { tools: raw, nextCursor } = await readPage(cursor);
    for (const [index, value] of raw.entries()) {
      if (tools.size === MAX_TOOLS) {
        warn(`Cut at ${MAX_TOOLS} tools`);
        return { tools: [...tools.values()], partial: true, warnings };
      }
      const dropped = `Dropped tool ${index + 1} of page ${page}`;
      if (!isTool(value)) warn(`${dropped}: ${findToolFault(value)}`);
      else if (tools.has(value.name)) warn(`${dropped}: its name is listed twice`);
      else tools.set(value.name, value);
    }
    if (nextCursor === undefined) return { tools: [...tools.values()], partial: false, warnings };
    if (seen.has(nextCursor)) {
      warn(`Stopped after page ${page}: its cursor leads back to an earlier page`);
      return { tools: [...tools.values()], partial: true, warnings };
    }
    seen.add(cursor = nextCursor);
  }
  warn(`Stopped after ${MAX_PAGES} pages`);
  return { tools: [...tools.values()], partial: true, warnings };
}
