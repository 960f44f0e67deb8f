/**
 * What makes a tool one that can be used, whether a server or a store says it.
 *
 * @module
 */

import { isJsonObject, type Tool } from "./protocol.ts";

/** How large a tool's schema may be, in characters of JSON. */
export const MAX_SCHEMA_CHARS = 64 * 1024;

/** Letters, digits and the usual joints: no control, bidirectional or escape characters. */
const NAME = /^[\p{L}\p{M}\p{N}_.\-/: ]{1,128}$/u;
const HINTS = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;

/**
 * Whether a value is a tool that can be used.
 *
 * @param value Anything.
 * @returns Whether {@linkcode findToolFault} finds nothing.
 */
export function isTool(value: unknown): value is Tool {
  return findToolFault(value) === undefined;
}

/**
 * What is wrong with a tool.
 *
 * @param value Anything.
 * @returns The fault in words, without text of the value, or `undefined` where it can be used.
 */
export function findToolFault(value: unknown): string | undefined {
  if (!isJsonObject(value)) return "it is not an object";
  const { name, title, description, inputSchema, outputSchema, annotations } = value;
  if (typeof name !== "string" || !NAME.test(name) || name === "__proto__") return "its name cannot be used";
  if (!isOptional(title, "string")) return "its title is not a text";
  if (!isOptional(description, "string")) return "its description is not a text";
  if (!isJsonObject(inputSchema)) return "its inputSchema is not an object";
  if (outputSchema !== undefined && !isJsonObject(outputSchema)) return "its outputSchema is not an object";
  for (const [key, schema] of Object.entries({ inputSchema, outputSchema })) {
    if (schema !== undefined && JSON.stringify(schema).length > MAX_SCHEMA_CHARS) {
      return `its ${key} passes ${MAX_SCHEMA_CHARS} characters`;
    }
  }
  if (annotations === undefined) return undefined;
  if (!isJsonObject(annotations) || !isOptional(annotations.title, "string")) return "its annotations are malformed";
  return HINTS.every((hint) => isOptional(annotations[hint], "boolean")) ? undefined : "its annotations are malformed";
}

function isOptional(value: unknown, type: "string" | "boolean"): boolean {
  return value === undefined || typeof value === type;
}
