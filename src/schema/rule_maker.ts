/**
 * What the keywords of a schema are made from, and the checks of their own shape.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import type { Dialect } from "./dialect.ts";
import type { Evaluation, Frame, Rule, SchemaNode } from "./evaluation.ts";
import { UnusableSchemaError } from "./unusable_schema_error.ts";

/** What a keyword may use while it is made ready. */
export interface RuleContext {
  /** The schema that the keyword stands in. */
  readonly schema: JsonObject;
  /** The same, made ready; `wanted` and `choices` are set by its keywords. */
  readonly self: SchemaNode;
  /** The draft of the document. */
  readonly dialect: Dialect;
  /** Whether the document asks anywhere what was looked at. */
  readonly tracksEvaluated: boolean;
  /** Gives a schema in the same resource, made ready. */
  node(schema: JsonValue): SchemaNode;
  /** Gives the schema that a reference leads to, and how to find a nearer one while checking. */
  follow(reference: string): { readonly node: SchemaNode; toNearest(frame: Frame, evaluation: Evaluation): SchemaNode };
  /** Gives a search for a pattern: `undefined` where it could not be told. */
  pattern(source: string): (text: string, evaluation: Evaluation) => boolean | undefined;
}

/** Makes a keyword ready; `undefined` where it has nothing to check. */
export type RuleMaker = (value: JsonValue, context: RuleContext, keyword: string) => Rule | undefined;

/** Makers by keyword. */
export type RuleMakers = Readonly<Record<string, RuleMaker>>;

function malformed(keyword: string): never {
  throw new UnusableSchemaError(`its keyword "${keyword}" is malformed`);
}

/**
 * Reads a schema, or the schemas of a list or a map, in a keyword.
 *
 * @param value The value of the keyword.
 * @param keyword The keyword.
 * @returns The value.
 * @throws {UnusableSchemaError} If it is neither an object nor a boolean.
 */
export function readSchema(value: JsonValue, keyword: string): JsonObject | boolean {
  return isJsonObject(value) || typeof value === "boolean" ? value : malformed(keyword);
}

/**
 * Reads the list of schemas in a keyword.
 *
 * @param value The value of the keyword.
 * @param keyword The keyword.
 * @returns The schemas.
 * @throws {UnusableSchemaError} If it is not a list of schemas.
 */
export function readSchemas(value: JsonValue, keyword: string): readonly (JsonObject | boolean)[] {
  return Array.isArray(value) ? value.map((schema) => readSchema(schema, keyword)) : malformed(keyword);
}

/**
 * Reads the members of a keyword that maps keys to something.
 *
 * @param value The value of the keyword.
 * @param keyword The keyword.
 * @returns The members.
 * @throws {UnusableSchemaError} If it is not an object.
 */
export function readMap(value: JsonValue, keyword: string): readonly (readonly [string, JsonValue])[] {
  return isJsonObject(value) ? Object.entries(value) : malformed(keyword);
}

/**
 * Reads the names in a keyword.
 *
 * @param value The value of the keyword.
 * @param keyword The keyword.
 * @returns The names.
 * @throws {UnusableSchemaError} If it is not a list of texts.
 */
export function readNames(value: JsonValue, keyword: string): readonly string[] {
  if (!Array.isArray(value)) return malformed(keyword);
  return value.map((name) => typeof name === "string" ? name : malformed(keyword));
}

/**
 * Reads the number in a keyword.
 *
 * @param value The value of the keyword.
 * @param keyword The keyword.
 * @param min The least that it may be.
 * @returns The number.
 * @throws {UnusableSchemaError} If it is not such a number.
 */
export function readNumber(value: JsonValue, keyword: string, min = -Infinity): number {
  return typeof value === "number" && Number.isFinite(value) && value >= min ? value : malformed(keyword);
}

/**
 * Reads the text in a keyword.
 *
 * @param value The value of the keyword.
 * @param keyword The keyword.
 * @returns The text.
 * @throws {UnusableSchemaError} If it is not a text.
 */
export function readText(value: JsonValue, keyword: string): string {
  return typeof value === "string" ? value : malformed(keyword);
}

/**
 * Reads a keyword beside the one that is made ready.
 *
 * @param context The context of the keyword.
 * @param keyword The other keyword.
 * @returns Its value, or `undefined` where the schema does not have it.
 */
export function beside(context: RuleContext, keyword: string): JsonValue | undefined {
  return Object.hasOwn(context.schema, keyword) ? context.schema[keyword] : undefined;
}
