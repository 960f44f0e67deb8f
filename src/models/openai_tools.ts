/**
 * Tools for OpenAI's models.
 *
 * @module
 */

import type { Tool } from "../protocol.ts";
import { type ExportedTool, type ExportedTools, type ExportOptions, exportTools } from "./exported_tools.ts";
import { isStrictSchema } from "./strict_schema.ts";
import type { VendorSchema } from "./vendor_schema.ts";

/**
 * A function as the Responses API takes it.
 *
 * @example
 * ```ts
 * import { type OpenAIResponsesTool, toOpenAITools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const { tools } = toOpenAITools([{ name: "search", inputSchema: { type: "object" } }]);
 * const first: OpenAIResponsesTool | undefined = tools[0];
 * assertEquals([first?.type, first?.name, first?.strict], ["function", "search", false]);
 * ```
 */
export interface OpenAIResponsesTool {
  /** The kind of tool. */
  readonly type: "function";
  /** The name: at most 64 of `[A-Za-z0-9_-]`. */
  readonly name: string;
  /** What it does; absent where the server does not say. */
  readonly description?: string;
  /** The schema of its arguments. */
  readonly parameters: VendorSchema;
  /** Whether the model keeps to the schema exactly. Always said: the API decides for itself otherwise. */
  readonly strict: boolean;
}

/**
 * A function as the Chat Completions API takes it.
 *
 * @example
 * ```ts
 * import { type OpenAIChatTool, toOpenAITools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const { tools } = toOpenAITools([{ name: "search", inputSchema: { type: "object" } }], { api: "chat" });
 * const first: OpenAIChatTool | undefined = tools[0];
 * assertEquals(first?.function.name, "search");
 * ```
 */
export interface OpenAIChatTool {
  /** The kind of tool. */
  readonly type: "function";
  /** The function. */
  readonly function: Omit<OpenAIResponsesTool, "type">;
}

/**
 * How tools are exported to OpenAI.
 *
 * @example
 * ```ts
 * import { type OpenAIToolsOptions, toOpenAITools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const options: OpenAIToolsOptions & { readonly api: "chat" } = { api: "chat", strict: "where_possible" };
 * const properties = { zone: { type: "string" } };
 * const inputSchema = { type: "object", properties, required: ["zone"], additionalProperties: false };
 * const { tools } = toOpenAITools([{ name: "now", inputSchema }], options);
 * assertEquals(tools[0]?.function.strict, true);
 * ```
 */
export interface OpenAIToolsOptions extends ExportOptions {
  /** Which API the tools are for; their shapes differ. @default {"responses"} */
  readonly api?: "responses" | "chat" | undefined;
  /**
   * `where_possible` asks for strict mode for tools whose schema allows it as it is (closed objects, no optional
   * arguments, basic keywords); no schema is rewritten for it.
   * @default {"off"}
   */
  readonly strict?: "off" | "where_possible" | undefined;
}

/**
 * Makes OpenAI's tools. Names are made to fit and lead back by an exact table; descriptions are cut at 1024 characters,
 * which is what the API accepts; alternatives at the top of a schema, which it refuses, are folded into one object.
 *
 * @example
 * ```ts
 * import { toOpenAITools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const { tools, callOf } = toOpenAITools([{ name: "files.read", description: "Reads", inputSchema: { type: "object" } }]);
 * assertEquals(tools[0]?.parameters, { type: "object", properties: {} });
 * assertEquals(callOf(tools[0]!.name, '{"path":"a"}'), { name: "files.read", args: { path: "a" } });
 * ```
 *
 * @param tools The tools; of several with one name, the first is taken.
 * @param options The API, strict mode, caps.
 * @returns The tools, what was changed about them, and the way back from the model's calls.
 * @throws {RangeError} If the cap of descriptions is no whole number.
 */
export function toOpenAITools(
  tools: readonly Tool[],
  options?: OpenAIToolsOptions & { readonly api?: "responses" | undefined },
): ExportedTools<OpenAIResponsesTool>;
/**
 * Makes the tools of OpenAI's Chat Completions API.
 *
 * @param tools The tools; of several with one name, the first is taken.
 * @param options The API, strict mode, caps.
 * @returns The tools, what was changed about them, and the way back from the model's calls.
 * @throws {RangeError} If the cap of descriptions is no whole number.
 */
export function toOpenAITools(
  tools: readonly Tool[],
  options: OpenAIToolsOptions & { readonly api: "chat" },
): ExportedTools<OpenAIChatTool>;
/**
 * Makes the tools of either API, as the options say.
 *
 * @param tools The tools; of several with one name, the first is taken.
 * @param options The API, strict mode, caps.
 * @returns The tools and the way back.
 * @throws {RangeError} If the cap of descriptions is no whole number.
 */
export function toOpenAITools(
  tools: readonly Tool[],
  options?: OpenAIToolsOptions,
): ExportedTools<OpenAIResponsesTool> | ExportedTools<OpenAIChatTool>;
export function toOpenAITools(
  tools: readonly Tool[],
  options: OpenAIToolsOptions = {},
): ExportedTools<OpenAIResponsesTool> | ExportedTools<OpenAIChatTool> {
  const { api = "responses", strict = "off", maxDescriptionChars = 1_024, includeHints = false } = options;
  const rules = { maxDescriptionChars, includeHints };
  const toFunction = ({ schema, ...named }: ExportedTool) => ({
    ...named,
    parameters: schema,
    strict: strict === "where_possible" && isStrictSchema(schema),
  });
  if (api === "chat") {
    return exportTools(tools, rules, (tool): OpenAIChatTool => ({ type: "function", function: toFunction(tool) }));
  }
  return exportTools(tools, rules, (tool): OpenAIResponsesTool => ({ type: "function", ...toFunction(tool) }));
}
