/**
 * What a value has to be like, as people read it beside its field.
 *
 * @module
 */

import type { JsonObject } from "../protocol.ts";
import { toPlainLine } from "./plain_text.ts";

const MAX_PATTERN_CHARS = 120;
const MAX_FORMAT_CHARS = 40;
/** What the control itself says. */
const SHOWN_FORMATS: ReadonlySet<unknown> = new Set(["date", "password"]);

/**
 * Writes the hints of a schema.
 *
 * @param schema The schema of a field.
 * @param type The type of its value.
 * @returns The hints, none where there is nothing to say.
 */
export function toHints(schema: JsonObject, type: string | undefined): readonly string[] {
  switch (type) {
    case "string":
      return [...toFormat(schema), ...toRange(schema.minLength, schema.maxLength, "character"), ...toPattern(schema)];
    case "integer":
      return ["whole number", ...toBounds(schema)];
    case "number":
      return ["number", ...toBounds(schema)];
    case "array":
      return toRange(schema.minItems, schema.maxItems, "item");
    default:
      return [];
  }
}

function toFormat({ format }: JsonObject): readonly string[] {
  if (SHOWN_FORMATS.has(format)) return [];
  if (format === "date-time") return ["in UTC"];
  const name = toPlainLine(format, MAX_FORMAT_CHARS);
  return name === "" ? [] : [name];
}

function toPattern({ pattern, format }: JsonObject): readonly string[] {
  // Generators write the pattern of a format too, which tells people less.
  if (typeof format === "string") return [];
  const text = toPlainLine(pattern, MAX_PATTERN_CHARS);
  return text === "" ? [] : [`matches ${text}`];
}

function toBounds(schema: JsonObject): readonly string[] {
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below, multipleOf } = schema;
  const isAbove = typeof above === "number";
  const isBelow = typeof below === "number";
  const bounds = typeof minimum === "number" && typeof maximum === "number" && !isAbove && !isBelow
    ? [`${minimum} to ${maximum}`]
    : [
      ...(isAbove ? [`more than ${above}`] : typeof minimum === "number" ? [`at least ${minimum}`] : []),
      ...(isBelow ? [`less than ${below}`] : typeof maximum === "number" ? [`at most ${maximum}`] : []),
    ];
  return [...bounds, ...(typeof multipleOf === "number" ? [`a multiple of ${multipleOf}`] : [])];
}

function toRange(min: unknown, max: unknown, noun: string): readonly string[] {
  const least = typeof min === "number" && min > 0 ? min : undefined;
  const most = typeof max === "number" ? max : undefined;
  if (least === undefined && most === undefined) return [];
  if (least !== undefined && most !== undefined) return [`${least} to ${most} ${noun}s`];
  const count = least ?? most;
  return [`at ${least === undefined ? "most" : "least"} ${count} ${noun}${count === 1 ? "" : "s"}`];
}
