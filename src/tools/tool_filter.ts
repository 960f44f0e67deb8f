/**
 * Which tools of a server an agent may see and call.
 *
 * @module
 */

/**
 * Which tools of a server an agent may see and call. `*` in a pattern stands for any characters; `deny` wins.
 *
 * @example
 * ```ts
 * import type { ServerConfig, ToolFilter } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const tools: ToolFilter = { allow: ["read_*", "list_*"], deny: ["read_secret"] };
 * const server: ServerConfig = { url: "https://files.example.com/mcp", tools };
 * assertEquals(server.tools?.deny, ["read_secret"]);
 * ```
 */
export interface ToolFilter {
  /** Patterns of the tools that are let through; an empty list lets nothing through. @default {["*"]} */
  readonly allow?: readonly string[] | undefined;
  /** Patterns of the tools that are withheld. @default {[]} */
  readonly deny?: readonly string[] | undefined;
}

/**
 * Whether a filter lets a tool through.
 *
 * @example
 * ```ts
 * import { isToolAllowed } from "./tool_filter.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isToolAllowed({ deny: ["delete_*"] }, "read_file"), true);
 * assertEquals(isToolAllowed({ deny: ["delete_*"] }, "delete_file"), false);
 * ```
 *
 * @param filter The filter; `undefined` lets everything through.
 * @param toolName The name by which the server lists the tool; upper and lower case differ.
 * @returns Whether a pattern of `allow` and none of `deny` matches the whole name.
 */
export function isToolAllowed(filter: ToolFilter | undefined, toolName: string): boolean {
  if (filter?.deny?.some((pattern) => matches(pattern, toolName)) === true) return false;
  return filter?.allow?.some((pattern) => matches(pattern, toolName)) ?? true;
}

/** Going back to the last star is enough, so the cost is at most the product of both lengths, never exponential. */
function matches(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < name.length;) {
    if (pattern[at] === "*") {
      star = at++;
      resume = index;
    } else if (pattern[at] === name[index]) {
      at++;
      index++;
    } else if (star !== -1) {
      at = star + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
