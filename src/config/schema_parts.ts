/**
 * What the parts of the configuration's JSON Schema are made of.
 *
 * @module
 */

import type { JsonObject } from "../protocol.ts";

/** A key that the parser knows and that is not here is an error of types, and so is one that it does not know. */
export type Properties<Keys extends readonly string[]> = Readonly<Record<Keys[number], JsonObject>>;

/** A text that refers to something: what it becomes is not known before it is read. */
export const REFERENCE: JsonObject = { type: "string", pattern: "\\$\\{" };

/**
 * A text of a certain form, or one with a reference in it.
 *
 * @param schema What the text is like.
 * @param description What it is for.
 * @returns The schema.
 */
export function textOr(schema: JsonObject, description: string): JsonObject {
  return { description, anyOf: [{ type: "string", ...schema }, REFERENCE] };
}

/**
 * A URL, http or https, or a text with a reference in it.
 *
 * @param description What is there.
 * @returns The schema.
 */
export function urlOf(description: string): JsonObject {
  return textOr({ pattern: `^${inAnyCase("http")}[Ss]?://[^\\s]+$` }, description);
}

/**
 * One of a few words, or a reference.
 *
 * @param words The words.
 * @param description What they choose.
 * @param byDefault The word that holds where none is given.
 * @returns The schema.
 */
export function choice(words: Iterable<string>, description: string, byDefault?: string): JsonObject {
  const anyOf = [{ enum: [...words] }, REFERENCE];
  return { description, ...(byDefault !== undefined && { default: byDefault }), anyOf };
}

/**
 * A yes or no, or a reference.
 *
 * @param description What it says.
 * @param byDefault What holds where nothing is given.
 * @returns The schema.
 */
export function flag(description: string, byDefault: boolean): JsonObject {
  return { description, default: byDefault, anyOf: [{ type: "boolean" }, REFERENCE] };
}

/**
 * A whole number, or a reference.
 *
 * @param minimum The least.
 * @param maximum The most.
 * @param description What it says.
 * @param byDefault What holds where nothing is given.
 * @returns The schema.
 */
export function whole(minimum: number, maximum: number, description: string, byDefault?: number): JsonObject {
  const anyOf = [{ type: "integer", minimum, maximum }, REFERENCE];
  return { description, ...(byDefault !== undefined && { default: byDefault }), anyOf };
}

/**
 * A mapping with known keys alone.
 *
 * @param properties The keys.
 * @param more What else holds of it.
 * @returns The schema.
 */
export function mapping(properties: Readonly<Record<string, JsonObject>>, more: JsonObject = {}): JsonObject {
  return { type: "object", additionalProperties: false, properties: { ...properties }, ...more };
}

/**
 * A mapping of names to something.
 *
 * @param names What the names are like.
 * @param values What they stand for.
 * @param description What it is for.
 * @returns The schema.
 */
export function record(names: JsonObject, values: JsonObject, description: string): JsonObject {
  return { description, type: "object", propertyNames: names, additionalProperties: values };
}

/**
 * The name of a server or an agent.
 *
 * @param maxLength How many characters it may have.
 * @returns The schema.
 */
export function nameOf(maxLength: number): JsonObject {
  return { pattern: "^[A-Za-z][A-Za-z0-9_-]*$", maxLength };
}

/**
 * Refers to a definition.
 *
 * @param name The definition.
 * @returns The schema.
 */
export function refTo(name: string): JsonObject {
  return { $ref: `#/definitions/${name}` };
}

/**
 * A pattern that matches a text in upper and lower case alike: JSON Schema has no flags.
 *
 * @param text Letters, digits and hyphens.
 * @returns The pattern, without anchors.
 */
export function inAnyCase(text: string): string {
  return text.replaceAll(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);
}
