/**
 * Whether a schema lies within what OpenAI's strict mode accepts.
 *
 * @module
 */

import { isJsonObject, type JsonValue } from "../protocol.ts";
import type { VendorSchema } from "./vendor_schema.ts";

const MAX_NESTING = 5;
const MAX_PROPERTIES = 100;
const KEYWORDS: ReadonlySet<string> = new Set([
  "additionalProperties",
  "anyOf",
  "const",
  "description",
  "enum",
  "items",
  "properties",
  "required",
  "title",
  "type",
]);

/**
 * Tells whether a schema can be sent in strict mode as it is: every object is closed and requires all it names, and
 * nothing is used but the keywords that strict mode has had from its beginning. Nothing is rewritten, since a rewritten
 * schema makes models send `null` where the tool expects an argument to be absent.
 *
 * @param schema A schema.
 * @returns Whether it can.
 */
export function isStrictSchema(schema: VendorSchema): boolean {
  const budget = { properties: MAX_PROPERTIES };
  return schema.anyOf === undefined && isStrict(schema, budget, 0);
}

function isStrict(value: JsonValue | undefined, budget: { properties: number }, depth: number): boolean {
  if (!isJsonObject(value) || depth > MAX_NESTING) return false;
  if (Object.keys(value).some((keyword) => !KEYWORDS.has(keyword))) return false;
  const { type, anyOf, items, properties, required, additionalProperties } = value;
  if (anyOf !== undefined) {
    return Array.isArray(anyOf) && type === undefined && anyOf.every((one) => isStrict(one, budget, depth + 1));
  }
  if (type === "array") return isStrict(items, budget, depth + 1);
  if (type !== "object") return typeof type === "string";
  if (additionalProperties !== false || !isJsonObject(properties) || !Array.isArray(required)) return false;
  const names = Object.keys(properties);
  budget.properties -= names.length;
  if (budget.properties < 0 || names.some((name) => !required.includes(name))) return false;
  // What is required but not named is refused too.
  if (required.some((name) => typeof name !== "string" || !names.includes(name))) return false;
  return names.every((name) => isStrict(properties[name], budget, depth + 1));
}
