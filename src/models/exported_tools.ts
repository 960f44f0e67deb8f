/**
 * What all exports of tools have in common: names that lead back, capped descriptions, schemas that vendors accept.
 *
 * @module
 */

import { MCPError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, type Tool } from "../protocol.ts";
import { checkCap, cutText } from "./cut_text.ts";
import { renameReference } from "./schema_pointer.ts";
import { createVendorNames } from "./vendor_names.ts";
import { fitSchema, type VendorSchema } from "./vendor_schema.ts";

/**
 * What may be said of any export.
 *
 * @example
 * ```ts
 * import { type ExportOptions, toOpenAITools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const options: ExportOptions = { maxDescriptionChars: 8 };
 * const tool = { name: "read", description: "Reads a file", inputSchema: { type: "object" } };
 * assertEquals(toOpenAITools([tool], options).changes, [{ tool: "read", change: "description_cut" }]);
 * ```
 */
export interface ExportOptions {
  /**
   * How many UTF-16 units a description may have; a longer one ends in an ellipsis. `Infinity` cuts nothing.
   * @default {1024, beyond which OpenAI refuses; 8192 for Anthropic}
   */
  readonly maxDescriptionChars?: number | undefined;
  /**
   * Whether a tool's title and its hints (read-only, destructive, …) are added to its description: vendors have no field
   * for them. Hints are the server's word.
   * @default {false}
   */
  readonly includeHints?: boolean | undefined;
}

/**
 * What an export had to change about a tool, so that a vendor takes it.
 *
 * @example
 * ```ts
 * import { type ToolChange, toOpenAITools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const toLine = ({ tool, change }: ToolChange) => `${tool}: ${change}`;
 * const { changes } = toOpenAITools([{ name: "files.read", inputSchema: { type: "object" } }]);
 * assertEquals(changes.map(toLine), ["files.read: renamed"]);
 * ```
 */
export interface ToolChange {
  /** The tool's name as it was given. */
  readonly tool: string;
  /**
   * `renamed`: the vendor knows it by another name; `description_cut`: its description was too long;
   * `alternatives_folded`: the alternatives at the top of its schema became one object; `arguments_renamed`: arguments
   * had names that the vendor refuses; `left_out`: another tool of the same name came first.
   */
  readonly change: "renamed" | "description_cut" | "alternatives_folded" | "arguments_renamed" | "left_out";
}

/**
 * A call in the words of the tools that were exported.
 *
 * @example
 * ```ts
 * import { type ExportedCall, toOpenAITools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const { callOf } = toOpenAITools([{ name: "search", inputSchema: { type: "object" } }]);
 * const call: ExportedCall | undefined = callOf("search", '{"query":"harbour"}');
 * assertEquals(call, { name: "search", args: { query: "harbour" } });
 * ```
 */
export interface ExportedCall {
  /** The tool's name as it was given. */
  readonly name: string;
  /** Its arguments under the names that the tool knows. */
  readonly args: JsonObject;
}

/**
 * Tools for a vendor, and the way back from what its model says.
 *
 * @example
 * ```ts
 * import { type AnthropicTool, type ExportedTools, toAnthropicTools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const exported: ExportedTools<AnthropicTool> = toAnthropicTools([
 *   { name: "search", inputSchema: { type: "object" } },
 * ]);
 * assertEquals(exported.nameOf("a name that the model made up"), undefined);
 * ```
 */
export interface ExportedTools<ToolShape> {
  /** The tools; give them to the vendor's client. */
  readonly tools: ToolShape[];
  /** What had to be changed; empty where the vendor takes all as it is. */
  readonly changes: readonly ToolChange[];
  /**
   * The tool behind a name.
   *
   * @param vendorName The name in the model's call.
   * @returns The name as it was given, or `undefined` where no exported tool has this name.
   */
  nameOf(vendorName: string): string | undefined;
  /**
   * The call that a model asks for.
   *
   * @param vendorName The name in the model's call.
   * @param input The arguments in the model's call: an object, or JSON text of one. Empty text is no arguments.
   * @returns The call to make, or `undefined` where no exported tool has this name.
   * @throws {MCPError} With code `invalid_arguments` if the input is no JSON object.
   */
  callOf(vendorName: string, input: unknown): ExportedCall | undefined;
}

/** A tool on its way to a vendor. */
export interface ExportedTool {
  /** The name for the vendor. */
  readonly name: string;
  /** The description; absent where there is nothing to say. */
  readonly description?: string;
  /** The schema of the arguments. */
  readonly schema: VendorSchema;
}

/** How tools are exported, all options decided. */
export interface ExportRules {
  /** The cap of a description, in UTF-16 units. */
  readonly maxDescriptionChars: number;
  /** Whether title and hints are added to the description. */
  readonly includeHints: boolean;
  /** What the vendor accepts as the name of an argument; any name, without it. */
  readonly argumentName?: RegExp | undefined;
}

/**
 * Exports tools.
 *
 * @param tools The tools; of several with one name, the first is taken.
 * @param rules What the vendor accepts.
 * @param shape The vendor's shape of a tool.
 * @returns The tools in the order given.
 * @throws {RangeError} If the cap of descriptions is no whole number.
 */
export function exportTools<ToolShape>(
  tools: readonly Tool[],
  rules: ExportRules,
  shape: (tool: ExportedTool) => ToolShape,
): ExportedTools<ToolShape> {
  checkCap("maxDescriptionChars", rules.maxDescriptionChars);
  const { byName, byVendorName } = createVendorNames(tools.map(({ name }) => name));
  const changes: ToolChange[] = [];
  const shapes = new Map<string, ToolShape>();
  const argumentNames = new Map<string, ReadonlyMap<string, string>>();
  for (const tool of tools) {
    const vendorName = byName.get(tool.name)!;
    const note = (change: ToolChange["change"]) => changes.push({ tool: tool.name, change });
    if (shapes.has(vendorName)) {
      note("left_out");
      continue;
    }
    if (vendorName !== tool.name) note("renamed");
    const description = describe(tool, rules.includeHints).toWellFormed();
    if (description.length > rules.maxDescriptionChars) note("description_cut");
    const { schema, folded } = fitSchema(tool.inputSchema);
    if (folded) note("alternatives_folded");
    const renamed = renameArguments(schema, rules.argumentName);
    if (renamed !== undefined) {
      note("arguments_renamed");
      argumentNames.set(vendorName, renamed.byVendorName);
    }
    const cut = cutText(description, rules.maxDescriptionChars);
    const words = cut === "" ? {} : { description: cut };
    shapes.set(vendorName, shape({ name: vendorName, ...words, schema: renamed?.schema ?? schema }));
  }
  return {
    tools: [...shapes.values()],
    changes,
    nameOf: (vendorName) => byVendorName.get(vendorName),
    callOf(vendorName, input) {
      const name = byVendorName.get(vendorName);
      if (name === undefined) return undefined;
      const args = toArguments(name, input);
      const names = argumentNames.get(vendorName);
      return { name, args: names === undefined ? args : renameKeys(args, names) };
    },
  };
}

function describe({ name, title, description = "", annotations = {} }: Tool, includeHints: boolean): string {
  if (!includeHints) return description;
  const shown = title ?? annotations.title;
  const hints = [
    annotations.readOnlyHint === true ? "read-only" : "",
    annotations.destructiveHint === true ? "destructive" : "",
    annotations.idempotentHint === true ? "idempotent" : "",
    annotations.openWorldHint === true ? "open world" : "",
  ].filter((hint) => hint !== "");
  const head = typeof shown === "string" && shown !== "" && shown !== name ? `${shown}: ` : "";
  return `${head}${description}${hints.length === 0 ? "" : ` (${hints.join(", ")})`}`.trim();
}

function renameArguments(schema: VendorSchema, accepted: RegExp | undefined) {
  const names = Object.keys(schema.properties);
  if (accepted === undefined || names.every((name) => accepted.test(name))) return undefined;
  const { byName, byVendorName } = createVendorNames(names, accepted);
  const required = schema.required?.map((name) => byName.get(name) ?? name);
  // A reference to what is not there any more would fail the whole request.
  const text = JSON.stringify(schema, (key, value) => {
    return key === "$ref" && typeof value === "string" ? renameReference(value, byName) : value;
  });
  const { properties, ...rest }: VendorSchema = JSON.parse(text);
  const renamed: VendorSchema = {
    ...rest,
    type: "object",
    properties: renameKeys(properties, byName),
    ...(required === undefined ? {} : { required }),
  };
  return { schema: renamed, byVendorName };
}

function renameKeys(record: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [names.get(key) ?? key, value]));
}

function toArguments(tool: string, input: unknown): JsonObject {
  const value = typeof input === "string" ? parse(tool, input) : input;
  if (isJsonObject(value)) return value;
  throw new MCPError("invalid_arguments", `Cannot call tool "${tool}" as its arguments are not a JSON object`);
}

function parse(tool: string, text: string): JsonValue {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own message would repeat the text.
    throw new MCPError("invalid_arguments", `Cannot call tool "${tool}" as its arguments are not JSON`);
  }
}
