/**
 * What makes a tool one that can be used, whether a server or a store says it.
 *
 * @module
 */

import { isJsonObject, type Tool } from "../protocol.ts";

/** How large a tool's schema may be, in characters of JSON. */
export const MAX_SCHEMA_CHARS = 64 * 1024;

/** Letters, digits and the usual joints: no control, bidirectional or escape characters. */
const NAME = /^[\p{L}\p{M}\p{N}_.\-/: ]{1,128}$/u;
const HINTS = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;

/**
 * Reads a tool.
 *
 * @param value Anything.
 * @returns The value itself where it can be used as a tool; else the fault in words, without text of the value.
 */
export function toTool(value: unknown): Tool | string {
  if (!isJsonObject(value)) return "it is not an object";
  const { name, title, description, inputSchema, outputSchema, annotations } = value;
  if (typeof name !== "string" || !NAME.test(name) || name === "__proto__") return "its name cannot be used";
  if (!isOptional(title, "string")) return "its title is not a text";
  if (!isOptional(description, "string")) return "its description is not a text";
  if (!isJsonObject(inputSchema)) return "its inputSchema is not an object";
  if (outputSchema !== undefined && !isJsonObject(outputSchema)) return "its outputSchema is not an object";
  for (const [key, schema] of [["inputSchema", inputSchema], ["outputSchema", outputSchema]] as const) {
    if (schema !== undefined && JSON.stringify(schema).length > MAX_SCHEMA_CHARS) {
      return `its ${key} passes ${MAX_SCHEMA_CHARS} characters`;
    }
  }
  if (annotations !== undefined && !areAnnotations(annotations)) return "its annotations are malformed";
  return isTool(value) ? withoutMalformedExtras(value) : "it is not a tool";
}

/** What only adorns a tool is not worth losing it. */
function withoutMalformedExtras(tool: Tool): Tool {
  const { icons, execution } = tool;
  const areIcons = icons === undefined ||
    (Array.isArray(icons) && icons.every((icon) => isJsonObject(icon) && typeof icon.src === "string"));
  const isExecution = execution === undefined ||
    (isJsonObject(execution) && isOptional(execution.taskSupport, "string"));
  if (areIcons && isExecution) return tool;
  const { icons: _, execution: __, ...rest } = tool;
  return { ...rest, ...(areIcons ? { icons } : {}), ...(isExecution ? { execution } : {}) } as Tool;
}

/** The shape alone; {@linkcode toTool} has looked at what is in it. */
function isTool(value: unknown): value is Tool {
  return isJsonObject(value) && typeof value.name === "string" && isJsonObject(value.inputSchema);
}

function areAnnotations(annotations: unknown): boolean {
  return isJsonObject(annotations) && isOptional(annotations.title, "string") &&
    HINTS.every((hint) => isOptional(annotations[hint], "boolean"));
}

function isOptional(value: unknown, type: "string" | "boolean"): boolean {
  return value === undefined || typeof value === type;
}
