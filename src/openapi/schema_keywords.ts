/**
 * What may stand in a schema of an OpenAPI 3.1 document, apart from other schemas.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { toServerText } from "./server_text.ts";

const MAX_TEXT_CHARS = 1_024;
const MAX_PATTERN_CHARS = 1_024;
const TYPES: ReadonlySet<JsonValue> = new Set(["null", "boolean", "object", "array", "number", "string", "integer"]);

/** Takes a keyword's value as it can stand in a document, or `undefined` where it cannot. */
type Taker = (value: JsonValue) => JsonValue | undefined;

const number: Taker = (value) => typeof value === "number" ? value : undefined;
const count: Taker = (value) => Number.isSafeInteger(value) && Number(value) >= 0 ? value : undefined;
const flag: Taker = (value) => typeof value === "boolean" ? value : undefined;
const text: Taker = (value) => typeof value === "string" ? toServerText(value, MAX_TEXT_CHARS) : undefined;
const word: Taker = (value) => typeof value === "string" && /^[\w.+\-/ ;=]{1,64}$/.test(value) ? value : undefined;
const anything: Taker = (value) => value;
const list: Taker = (value) => Array.isArray(value) && value.length > 0 ? value : undefined;

/** The keywords whose values are no schemas. Extensions are not among them: generators obey some. */
const TAKERS: ReadonlyMap<string, Taker> = new Map<string, Taker>([
  ["type", (value) => Array.isArray(value) ? toTypes(value) : TYPES.has(value) ? value : undefined],
  ["enum", list],
  ["const", anything],
  ["multipleOf", (value) => typeof value === "number" && value > 0 ? value : undefined],
  ...["maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"].map((keyword) => [keyword, number] as const),
  ...["maxLength", "minLength", "maxItems", "minItems", "maxContains", "minContains", "maxProperties", "minProperties"]
    .map((keyword) => [keyword, count] as const),
  ["pattern", (value) => typeof value === "string" && isPattern(value) ? value : undefined],
  ["uniqueItems", flag],
  ["required", (value) => Array.isArray(value) ? toNames(value) : undefined],
  ["title", text],
  ["description", text],
  ["default", anything],
  ["deprecated", flag],
  ["readOnly", flag],
  ["writeOnly", flag],
  ["examples", list],
  ["format", word],
  ["contentEncoding", word],
  ["contentMediaType", word],
]);

/** What says something of a value and demands nothing. */
const ANNOTATIONS: ReadonlySet<string> = new Set(
  ["title", "description", "default", "deprecated", "readOnly", "writeOnly", "examples", "format", "contentEncoding"],
);

/**
 * Takes a keyword that holds no schema.
 *
 * @param keyword The keyword.
 * @param value Its value.
 * @returns The value as it can stand in a document, or `undefined` where it cannot.
 */
export function takeKeyword(keyword: string, value: JsonValue): JsonValue | undefined {
  return TAKERS.get(keyword)?.(value);
}

/**
 * Whether a keyword is one that holds no schema.
 *
 * @param keyword The keyword.
 * @returns Whether {@linkcode takeKeyword} knows it.
 */
export function isPlainKeyword(keyword: string): boolean {
  return TAKERS.has(keyword);
}

/**
 * Whether a keyword demands nothing of a value.
 *
 * @param keyword The keyword.
 * @returns Whether it only says something.
 */
export function isAnnotation(keyword: string): boolean {
  return ANNOTATIONS.has(keyword);
}

/**
 * Whether a text is a regular expression of JSON Schema.
 *
 * @param source The text.
 * @returns Whether it is, and is not too long.
 */
export function isPattern(source: string): boolean {
  if (source.length > MAX_PATTERN_CHARS) return false;
  try {
    return new RegExp(source, "u") instanceof RegExp;
  } catch {
    return false;
  }
}

/**
 * Names of members that must be there.
 *
 * @param value The names as a schema has them.
 * @returns Each once; without `__proto__`, which no request can hold. `undefined` where one is no text.
 */
export function toNames(value: readonly JsonValue[]): JsonValue | undefined {
  if (!value.every((name) => typeof name === "string")) return undefined;
  return [...new Set(value)].filter((name) => name !== "__proto__");
}

/**
 * Writes the limits of draft 04, which are marks beside others, as those of today.
 *
 * @param schema A schema.
 * @returns The same where it has no such marks.
 */
export function withoutMarks(schema: JsonObject): JsonObject {
  if (typeof schema.exclusiveMinimum !== "boolean" && typeof schema.exclusiveMaximum !== "boolean") return schema;
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, ...rest } = schema;
  const lower = toLimit("minimum", "exclusiveMinimum", minimum, exclusiveMinimum);
  return { ...rest, ...lower, ...toLimit("maximum", "exclusiveMaximum", maximum, exclusiveMaximum) };
}

/**
 * Whether a value is an object that can be a schema.
 *
 * @param value A value.
 * @returns Whether it is an object or a boolean.
 */
export function isSchema(value: JsonValue | undefined): value is JsonObject | boolean {
  return typeof value === "boolean" || isJsonObject(value);
}

function toLimit(
  name: string,
  exclusiveName: string,
  limit: JsonValue | undefined,
  mark: JsonValue | undefined,
): JsonObject {
  if (typeof mark === "number") return { [exclusiveName]: mark, ...(limit === undefined ? {} : { [name]: limit }) };
  if (limit === undefined) return {};
  return { [mark === true ? exclusiveName : name]: limit };
}

function toTypes(value: readonly JsonValue[]): JsonValue | undefined {
  const types = [...new Set(value)];
  return types.length > 0 && types.every((type) => TYPES.has(type)) ? types : undefined;
}
