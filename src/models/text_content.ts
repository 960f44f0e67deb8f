/**
 * Results of tools as plain text.
 *
 * @module
 */

import type { ToolResult } from "../protocol.ts";
import { type ContentOptions, toParts } from "./result_parts.ts";

/**
 * Makes text of a result: its blocks one below the other, files described in words. Whether the tool failed is not said.
 *
 * @example
 * ```ts
 * import { toText } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const text = toText({ content: [{ type: "text", text: "a long answer" }] }, { maxChars: 6 });
 * assertEquals(text, "a long\n[7 more characters left out]");
 * ```
 *
 * @param result What the tool answered.
 * @param options Caps.
 * @returns The text; never empty.
 * @throws {RangeError} If a cap is no whole number.
 */
export function toText(result: ToolResult, options: ContentOptions = {}): string {
  const parts = toParts(result, options, () => false);
  return parts.map((part) => part.kind === "text" ? part.text : "").join("\n");
}
