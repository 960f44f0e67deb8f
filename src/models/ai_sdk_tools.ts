/**
 * Tools for the AI SDK (`ai`, version 7), without importing it.
 *
 * @module
 */

import type { JsonObject, Tool, ToolResult } from "../protocol.ts";
import { type AISDKOutput, toAISDKOutput } from "./ai_sdk_output.ts";
import { type ExportedTools, type ExportOptions, exportTools } from "./exported_tools.ts";
import { checkContentOptions, type ContentOptions } from "./result_parts.ts";
import type { VendorSchema } from "./vendor_schema.ts";

/**
 * Calls a tool: `callTool` of any client.
 *
 * @example
 * ```ts
 * import { MultiServerMCPClient } from "@portolan/mcp";
 * import { type CallTool, toAISDKTools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * await using client = new MultiServerMCPClient("Kairos", { servers: {} });
 * const call: CallTool = (name, args, options) => client.callTool(name, args, { ...options, timeoutMs: 20_000 });
 * assertEquals(toAISDKTools([], call).tools, {});
 * ```
 */
export type CallTool = (
  name: string,
  args: JsonObject,
  options: { readonly signal?: AbortSignal | undefined },
) => Promise<ToolResult>;

/**
 * A schema that the AI SDK takes for one of its own (it carries the SDK's mark), and every other framework for one of
 * Standard Schema. Arguments are not checked here: the server does.
 *
 * @example
 * ```ts
 * import { type AISDKSchema, toAISDKTools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const call = () => Promise.resolve({ content: [] });
 * const { tools } = toAISDKTools([{ name: "search", inputSchema: { type: "object" } }], call);
 * const schema: AISDKSchema = tools.search!.inputSchema;
 * assertEquals(schema.jsonSchema, { type: "object", properties: {} });
 * ```
 */
export interface AISDKSchema {
  /** The JSON Schema. */
  readonly jsonSchema: VendorSchema;
  /** No check of the SDK's. */
  readonly validate: undefined;
  /** The schema as Standard Schema has it. */
  readonly "~standard": {
    /** The version of Standard Schema. */
    readonly version: 1;
    /** Who made the schema. */
    readonly vendor: "portolan";
    /** Takes any value. */
    readonly validate: (value: unknown) => {
      /** The value as it was given. */
      readonly value: unknown;
    };
    /** The JSON Schema, for what takes Standard JSON Schema. */
    readonly jsonSchema: {
      /** The schema of what is given. */
      readonly input: () => Record<string, unknown>;
      /** The schema of what comes of it: the same. */
      readonly output: () => Record<string, unknown>;
    };
  };
}

/**
 * A tool of the AI SDK.
 *
 * @example A tool that is told of in other words
 * ```ts
 * import { type AISDKTool, toAISDKTools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const describe = (tool: AISDKTool, description: string): AISDKTool => ({ ...tool, description });
 * const call = () => Promise.resolve({ content: [] });
 * const { tools } = toAISDKTools([{ name: "del", inputSchema: { type: "object" } }], call);
 * assertEquals(describe(tools.del!, "Deletes a file for good.").type, "dynamic");
 * ```
 */
export interface AISDKTool {
  /** The SDK's word for a tool whose arguments are not known when the program is written. */
  readonly type: "dynamic";
  /** What it does; absent where the server does not say. */
  readonly description?: string;
  /** The schema of its arguments. */
  readonly inputSchema: AISDKSchema;
  /**
   * Calls the tool.
   *
   * @param args The arguments that the model gives.
   * @param options Cancellation.
   * @returns What the tool answered, also where it answered `isError: true`.
   */
  readonly execute: (
    args: unknown,
    options: { readonly abortSignal?: AbortSignal | undefined },
  ) => Promise<ToolResult>;
  /**
   * Tells the model of a result.
   *
   * @param options The result.
   * @returns What the model is told.
   */
  readonly toModelOutput: (options: { readonly output: ToolResult }) => AISDKOutput;
}

/**
 * Tools for the AI SDK.
 *
 * @example
 * ```ts
 * import { type AISDKTools, toAISDKTools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const call = () => Promise.resolve({ content: [] });
 * const exported: AISDKTools = toAISDKTools([{ name: "files.read", inputSchema: { type: "object" } }], call);
 * assertEquals(Object.keys(exported.tools).map(exported.nameOf), ["files.read"]);
 * ```
 */
export interface AISDKTools extends Omit<ExportedTools<AISDKTool>, "tools"> {
  /** The tools by name: the `tools` of `generateText` and `streamText`. */
  readonly tools: Record<string, AISDKTool>;
}

/**
 * How tools are exported to the AI SDK.
 *
 * @example
 * ```ts
 * import { type AISDKToolsOptions, toAISDKTools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const options: AISDKToolsOptions = { includeHints: true, maxChars: 20_000, maxFileBytes: 0 };
 * const call = () => Promise.resolve({ content: [] });
 * assertEquals(toAISDKTools([], call, options).changes, []);
 * ```
 */
export interface AISDKToolsOptions extends ExportOptions, ContentOptions {}

const SCHEMA_MARK = Symbol.for("vercel.ai.schema");

/**
 * Makes the AI SDK's tools. They fit any model that the SDK speaks to: names and schemas are made to fit as for OpenAI
 * and Anthropic, and lead back by an exact table when a tool is executed.
 *
 * @example
 * ```ts
 * import { toAISDKTools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const call = (name: string) => Promise.resolve({ content: [{ type: "text" as const, text: `${name} ran` }] });
 * const { tools } = toAISDKTools([{ name: "search", inputSchema: { type: "object" } }], call);
 * // await generateText({ model, prompt, tools });
 * const output = await tools.search!.execute({}, {});
 * assertEquals(tools.search!.toModelOutput({ output }), { type: "text", value: "search ran" });
 * ```
 *
 * @param tools The tools; of several with one name, the first is taken.
 * @param call Calls a tool; `(name, args, options) => client.callTool(name, args, options)`.
 * @param options Caps of descriptions and of results.
 * @returns The tools by name, what was changed about them, and the way back from the model's calls.
 * @throws {RangeError} If a cap is no whole number.
 */
export function toAISDKTools(tools: readonly Tool[], call: CallTool, options: AISDKToolsOptions = {}): AISDKTools {
  const { maxDescriptionChars = 1_024, includeHints = false } = options;
  const contentOptions = checkContentOptions(options);
  // Of the vendors behind the SDK, some refuse an argument named `$filter`; all take what Anthropic takes.
  const rules = { maxDescriptionChars, includeHints, argumentName: /^[A-Za-z0-9_.-]{1,64}$/ };
  const { tools: shapes, ...exported } = exportTools(tools, rules, ({ name, schema, ...described }) => {
    const tool: AISDKTool = {
      type: "dynamic",
      ...described,
      inputSchema: toAISDKSchema(schema),
      execute: async (args, { abortSignal }) => {
        const { name: given, args: named } = exported.callOf(name, args)!;
        return await call(given, named, { signal: abortSignal });
      },
      toModelOutput: ({ output }) => toAISDKOutput(output, contentOptions),
    };
    return [name, tool] as const;
  });
  return { ...exported, tools: Object.fromEntries(shapes) };
}

function toAISDKSchema(jsonSchema: VendorSchema): AISDKSchema {
  const standard: AISDKSchema["~standard"] = {
    version: 1,
    vendor: "portolan",
    validate: (value) => ({ value }),
    jsonSchema: { input: () => ({ ...jsonSchema }), output: () => ({ ...jsonSchema }) },
  };
  const schema = { jsonSchema, validate: undefined, "~standard": standard };
  return Object.assign(schema, { [SCHEMA_MARK]: true });
}
