/**
 * Schemas of older drafts, written so that vendors that check against JSON Schema 2020-12 take them.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";

const MAX_DEPTH = 64;
const SCHEMAS_BY_NAME: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "dependentSchemas",
  "patternProperties",
  "properties",
]);
const SCHEMA_LISTS: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const SCHEMAS: ReadonlySet<string> = new Set([
  "additionalProperties",
  "contains",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
]);

/**
 * Rewrites what a later draft writes differently, at every depth, and says the same: tuples (`items` as a list) become
 * `prefixItems`, a boolean `exclusiveMinimum` becomes a number, an array without `items` gets `items: {}` (OpenAI
 * refuses it otherwise).
 *
 * @param schema A schema; it is not changed.
 * @returns Its like.
 */
export function mendSchema(schema: JsonObject): JsonObject {
  return mendObject(schema, 0);
}

function mend(value: JsonValue, depth: number): JsonValue {
  return isJsonObject(value) && depth < MAX_DEPTH ? mendObject(value, depth) : value;
}

function mendObject(schema: JsonObject, depth: number): JsonObject {
  const mended = mendArray(mendLimit(mendLimit(schema, "minimum", "exclusiveMinimum"), "maximum", "exclusiveMaximum"));
  return mapValues(mended, (value, key) => {
    if (SCHEMAS.has(key)) return mend(value, depth + 1);
    if (SCHEMA_LISTS.has(key) && Array.isArray(value)) return value.map((one) => mend(one, depth + 1));
    if (SCHEMAS_BY_NAME.has(key) && isJsonObject(value)) return mapValues(value, (one) => mend(one, depth + 1));
    return value;
  });
}

/** Draft 4 says by a boolean whether the limit itself is left out. */
function mendLimit(schema: JsonObject, limit: string, exclusive: string): JsonObject {
  const isExclusive = schema[exclusive];
  if (typeof isExclusive !== "boolean") return schema;
  const { [limit]: value, [exclusive]: _, ...rest } = schema;
  if (value === undefined) return rest;
  return { ...rest, [isExclusive ? exclusive : limit]: value };
}

function mendArray(schema: JsonObject): JsonObject {
  const { items, additionalItems, ...rest } = schema;
  if (Array.isArray(items)) {
    const max = typeof rest.maxItems === "number" ? Math.min(rest.maxItems, items.length) : items.length;
    const isClosed = additionalItems === false;
    return {
      ...rest,
      prefixItems: items,
      items: isJsonObject(additionalItems) ? additionalItems : {},
      ...(isClosed ? { maxItems: max } : {}),
    };
  }
  const isArray = schema.type === "array" || (Array.isArray(schema.type) && schema.type.includes("array"));
  return isArray && items === undefined ? { ...schema, items: {} } : schema;
}

function mapValues(record: JsonObject, map: (value: JsonValue, key: string) => JsonValue): JsonObject {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
