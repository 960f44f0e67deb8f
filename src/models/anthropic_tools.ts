/**
 * Tools for Anthropic's models.
 *
 * @module
 */

import type { Tool } from "../protocol.ts";
import { type ExportedTools, type ExportOptions, exportTools } from "./exported_tools.ts";
import type { VendorSchema } from "./vendor_schema.ts";

/**
 * A tool as the Messages API takes it.
 *
 * @example
 * ```ts
 * import { type AnthropicTool, estimateTokens, toAnthropicTools } from "@portolan/mcp/models";
 * import { assertLess } from "@std/assert";
 *
 * const costOf = (tools: readonly AnthropicTool[]) => estimateTokens(tools);
 * const { tools } = toAnthropicTools([{ name: "search", inputSchema: { type: "object" } }]);
 * assertLess(costOf(tools), 40);
 * ```
 */
export interface AnthropicTool {
  /** The name: at most 64 of `[A-Za-z0-9_-]`. */
  readonly name: string;
  /** What it does; absent where the server does not say. */
  readonly description?: string;
  /** The schema of its arguments. */
  readonly input_schema: VendorSchema;
  /** Where the prompt may be cached up to; on the last tool only. */
  readonly cache_control?: {
    /** The kind of cache. */
    readonly type: "ephemeral";
    /** How long it is kept. */
    readonly ttl: "5m" | "1h";
  };
}

/**
 * How tools are exported to Anthropic.
 *
 * @example
 * ```ts
 * import { type AnthropicToolsOptions, toAnthropicTools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const options: AnthropicToolsOptions = { cacheTtl: "1h" };
 * const { tools } = toAnthropicTools([{ name: "search", inputSchema: { type: "object" } }], options);
 * assertEquals(tools.at(-1)?.cache_control, { type: "ephemeral", ttl: "1h" });
 * ```
 */
export interface AnthropicToolsOptions extends ExportOptions {
  /** Sets a cache breakpoint behind the last tool, so that the list is billed once. @default {undefined, none} */
  readonly cacheTtl?: "5m" | "1h" | undefined;
}

/** What the API accepts as a name at the top of a schema's `properties`. */
const ARGUMENT_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * Makes Anthropic's tools. Names are made to fit and lead back by an exact table, those of arguments too (`$filter`), for
 * which calls go through `callOf`; alternatives at the top of a schema, which the API refuses, are folded into one object.
 *
 * @example
 * ```ts
 * import { toAnthropicTools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const { tools, nameOf } = toAnthropicTools([{ name: "search", inputSchema: { type: "object" } }]);
 * assertEquals(tools, [{ name: "search", input_schema: { type: "object", properties: {} } }]);
 * assertEquals(nameOf("search"), "search");
 * ```
 *
 * @param tools The tools; of several with one name, the first is taken.
 * @param options Caps and caching.
 * @returns The tools, what was changed about them, and the way back from the model's calls.
 * @throws {RangeError} If the cap of descriptions is no whole number.
 */
export function toAnthropicTools(
  tools: readonly Tool[],
  options: AnthropicToolsOptions = {},
): ExportedTools<AnthropicTool> {
  const { maxDescriptionChars = 8_192, includeHints = false, cacheTtl } = options;
  const rules = { maxDescriptionChars, includeHints, argumentName: ARGUMENT_NAME };
  const exported = exportTools(tools, rules, ({ schema, ...named }): AnthropicTool => ({
    ...named,
    input_schema: schema,
  }));
  const last = exported.tools.at(-1);
  if (cacheTtl === undefined || last === undefined) return exported;
  const marked: AnthropicTool = { ...last, cache_control: { type: "ephemeral", ttl: cacheTtl } };
  return { ...exported, tools: [...exported.tools.slice(0, -1), marked] };
}
