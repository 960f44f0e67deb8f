/**
 * Says at once that a value is valid, where schema and value are plain: what most tools and calls are. Everything else
 * is left to the real check, which takes longer to load than a call takes.
 *
 * @module
 */

import { isJsonObject } from "../protocol.ts";

/** How deep values are looked into here. */
const MAX_DEPTH = 8;
/** How many values are looked at here. */
const MAX_NODES = 256;
/** Keywords that say nothing of validity in any draft that is known. */
const SILENT = new Set([
  ..."$comment title description default examples example format deprecated readOnly writeOnly".split(" "),
  ..."contentEncoding contentMediaType x-mcp-header".split(" "),
]);
/** The drafts in which the keywords below mean the same. */
const DRAFT = /^https?:\/\/json-schema\.org\/(?:draft\/20(?:19-09|20-12)|draft-0[67])\/schema#?$/;

/** How much has been looked at. */
interface Budget {
  nodes: number;
}

/**
 * Whether a value is certainly valid.
 *
 * @param schema The schema.
 * @param value The value.
 * @returns `true` where it is valid; `false` where that cannot be said here.
 */
export function isPlainlyValid(schema: unknown, value: unknown): boolean {
  return isValid(schema, value, { nodes: MAX_NODES }, 0);
}

function isValid(schema: unknown, value: unknown, budget: Budget, depth: number): boolean {
  if (depth > MAX_DEPTH || budget.nodes-- === 0 || !isJsonObject(schema) || !isPlain(schema)) return false;
  for (const keyword in schema) {
    if (!Object.hasOwn(schema, keyword)) return false;
    const expected = schema[keyword];
    switch (keyword) {
      case "type":
        if (typeof expected !== "string" || !isOfType(expected, value)) return false;
        break;
      case "$schema":
        if (depth > 0 || typeof expected !== "string" || !DRAFT.test(expected)) return false;
        break;
      case "enum":
        if (!Array.isArray(expected) || typeof value === "object" || !isAmong(expected, value)) return false;
        break;
      case "minimum":
        if (!isNumber(expected) || !isNumber(value) || value < expected) return false;
        break;
      case "maximum":
        if (!isNumber(expected) || !isNumber(value) || value > expected) return false;
        break;
      case "required":
        if (!Array.isArray(expected) || !isJsonObject(value) || !expected.every((key) => has(value, key))) return false;
        break;
      case "items":
        if (!Array.isArray(value) || !every(value, (item) => isValid(expected, item, budget, depth + 1))) return false;
        break;
      case "properties":
      case "additionalProperties":
        break;
      default:
        if (!SILENT.has(keyword)) return false;
    }
  }
  // Without a type, a schema says nothing of other types than its keywords are about; that is left to the real check.
  if (schema.type === undefined || !isPlain(value)) return false;
  if (schema.type === "array" && schema.items === undefined) return areJson(value, budget, depth + 1);
  return schema.type !== "object" || areMembersValid(schema, value, budget, depth);
}

function areMembersValid(
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
  budget: Budget,
  depth: number,
): boolean {
  const { properties = {}, additionalProperties = true } = schema;
  if (
    !isJsonObject(value) || !isJsonObject(properties) || !isPlain(properties) ||
    typeof additionalProperties !== "boolean"
  ) {
    return false;
  }
  for (const key in value) {
    // What JSON leaves out is not there.
    if (!Object.hasOwn(value, key) || value[key] === undefined) return false;
    if (Object.hasOwn(properties, key)) {
      if (!isValid(properties[key], value[key], budget, depth + 1)) return false;
    } else if (!additionalProperties || !isJson(value[key], budget, depth + 1)) return false;
  }
  return true;
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case "object":
      return isJsonObject(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isSafeInteger(value);
    case "number":
      return Number.isFinite(value);
    case "null":
      return value === null;
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    default:
      return false;
  }
}

/** Nothing that would be written as something else: no date, no instance of a class, nothing that writes itself. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if ("toJSON" in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

/** Whether a value that nothing is asked of is JSON as it stands. */
function isJson(value: unknown, budget: Budget, depth: number): boolean {
  if (depth > MAX_DEPTH || budget.nodes-- === 0 || !isPlain(value)) return false;
  if (typeof value === "object" && value !== null) return areJson(value, budget, depth + 1);
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

function areJson(value: unknown, budget: Budget, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return every(Array.isArray(value) ? value : Object.values(value), (member) => isJson(member, budget, depth));
}

/** Looks at the holes of a list too: JSON writes `null` there. */
function every(items: readonly unknown[], test: (item: unknown) => boolean): boolean {
  for (let index = 0; index < items.length; index++) if (!test(items[index])) return false;
  return true;
}

function isAmong(values: readonly unknown[], value: unknown): boolean {
  return values.includes(value);
}

/** A number that JSON can write. */
function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function has(value: Readonly<Record<string, unknown>>, key: unknown): boolean {
  return typeof key === "string" && Object.prototype.propertyIsEnumerable.call(value, key) && value[key] !== undefined;
}
