/**
 * Values of single fields as the texts that a form sends, and back.
 *
 * An empty control says nothing: its value is left out. The empty text itself is written as JSON.
 *
 * @module
 */

import type { JsonValue } from "../protocol.ts";
import { sizeUp } from "../schema/json_size.ts";
import type { ChoiceField, ControlField, LinesField, TextField } from "./form_field.ts";

/** What a control says. */
export type Said =
  | { readonly kind: "value"; readonly value: JsonValue }
  | { readonly kind: "nothing" }
  /** What is wrong, and in which item of a list. */
  | { readonly kind: "fault"; readonly message: string; readonly index?: number };

/** The most characters of a text or of JSON. */
const MAX_FIELD_CHARS = 1_048_576;
const LIMITS = { maxChars: MAX_FIELD_CHARS, maxNodes: 200_000, maxDepth: 256 } as const;
const MAX_NUMBER_CHARS = 400;
const MAX_LINES = 10_000;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const DATE = /^\d{4}-\d\d-\d\d$/;
const LOCAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?$/;
const NOTHING: Said = { kind: "nothing" };

/**
 * Writes a value for the control of a field.
 *
 * @param field The field.
 * @param value Its value.
 * @returns The texts that the control sends, or `undefined` where it cannot say just this value.
 */
export function toFieldTexts(field: ControlField, value: JsonValue): readonly string[] | undefined {
  switch (field.kind) {
    case "text":
      return toTexts(field, value);
    case "number": {
      const isNumber = typeof value === "number" && (!field.isInteger || Number.isInteger(value));
      return isNumber ? [JSON.stringify(value)] : undefined;
    }
    case "flag":
      return typeof value === "boolean" ? (value ? ["true"] : []) : undefined;
    case "choice": {
      const text = JSON.stringify(value);
      return field.options.some((option) => option.text === text) ? [text] : undefined;
    }
    case "choices":
      return toChosen(field, value);
    case "lines":
      return toLines(field, value);
  }
}

/**
 * Reads what the control of a field sent.
 *
 * @param field The field.
 * @param texts The texts that came under its name.
 * @returns What it says.
 */
export function readFieldTexts(field: ControlField, texts: readonly string[]): Said {
  const text = (texts[0] ?? "").replaceAll("\r\n", "\n");
  if (text.length > MAX_FIELD_CHARS) return toFault(`Too long: write at most ${MAX_FIELD_CHARS} characters`);
  switch (field.kind) {
    case "text":
      return readText(field, text);
    case "number":
      return text.trim() === "" ? NOTHING : readNumber(text.trim(), field.isInteger);
    case "flag":
      return toSaid(texts.includes("true"));
    case "choice": {
      if (text === "") return NOTHING;
      const chosen = field.options.find((option) => option.text === texts[0]);
      return chosen === undefined ? toFault("Not one of the choices") : toSaid(chosen.value);
    }
    case "choices": {
      const known = new Set(field.options.map((option) => option.text));
      if (!texts.every((text) => known.has(text))) return toFault("Not one of the choices");
      if (texts.length === 0 && !field.isRequired) return NOTHING;
      return toSaid(field.options.flatMap(({ text, value }) => texts.includes(text) ? [value] : []));
    }
    case "lines":
      return readLines(field, text);
  }
}

/**
 * Reads JSON as a person wrote it.
 *
 * @param text The text.
 * @returns What it says; a blank text says nothing.
 */
export function readJson(text: string): Said {
  if (text.trim() === "") return NOTHING;
  if (text.length > MAX_FIELD_CHARS) return toFault(`Too long: write at most ${MAX_FIELD_CHARS} characters`);
  try {
    let isExactly = true;
    const value: JsonValue = JSON.parse(text, (_, member, { source }: { source?: string } = {}) => {
      if (typeof member === "number" && source !== undefined) isExactly &&= keepsNumber(source, member);
      return member;
    });
    if (!isExactly) return toFault("Has a number that cannot be sent exactly: write it as a text, or shorter");
    const size = sizeUp(value, LIMITS);
    if (size === "plain" || size === "foreign") return toSaid(value);
    return toFault(size === "too_deep" ? `Too deep: at most ${LIMITS.maxDepth} levels` : "Too large");
  } catch (error) {
    const place = /line (\d+) column (\d+)/.exec(error instanceof Error ? error.message : "");
    return toFault(place === null ? "Not JSON" : `Not JSON: look at line ${place[1]}, column ${place[2]}`);
  }
}

function toTexts({ input }: TextField, value: JsonValue): readonly string[] | undefined {
  if (typeof value !== "string" || value === "" || !canBeTyped(value)) return undefined;
  if (input === "password" && value.includes("\n")) return undefined;
  if (input === "date") return DATE.test(value) && isRealDate(`${value}T00:00:00Z`) ? [value] : undefined;
  if (input !== "date_time") return [value];
  return value.endsWith("Z") && isRealDate(value) ? [value.slice(0, -1)] : undefined;
}

/** What HTML or a form would change is not typed: a carriage return, a NUL, half a character. */
function canBeTyped(text: string): boolean {
  return !/[\r\0]/.test(text) && text.isWellFormed() && text.length <= MAX_FIELD_CHARS;
}

/** Whether a time to the second is one that the calendar has, and that a control takes. */
function isRealDate(text: string): boolean {
  const ms = Date.parse(text);
  return ms > Date.UTC(1000, 0) && new Date(ms).toISOString() === text.replace("Z", ".000Z");
}

function readText({ input }: TextField, text: string): Said {
  if (text === "") return NOTHING;
  if (input === "date") return DATE.test(text) ? toSaid(text) : toFault("Not a date: write it as 2026-12-24");
  if (input !== "date_time") return toSaid(text);
  if (!LOCAL_TIME.test(text)) return toFault("Not a time: write it as 2026-12-24T18:00");
  // Browsers leave out seconds that are none.
  return toSaid(`${text.length === 16 ? `${text}:00` : text}Z`);
}

function readNumber(text: string, isInteger: boolean): Said {
  if (text.length > MAX_NUMBER_CHARS || !NUMBER.test(text)) {
    const isComma = /^[+-]?\d+,\d+$/.test(text);
    return toFault(isComma ? "Not a number: write a point, not a comma" : "Not a number: write digits");
  }
  const value = Number(text);
  if (!Number.isFinite(value)) return toFault("Too large a number");
  if (isInteger && !Number.isInteger(value)) return toFault("Not a whole number: leave out what follows the point");
  if (/^[+-]?\d+$/.test(text) && !isExact(text.replace("+", ""), value)) {
    return toFault("Too many digits: the number cannot be sent exactly");
  }
  return toSaid(value);
}

function keepsNumber(text: string, value: number): boolean {
  return Number.isFinite(value) && (!/^-?\d+$/.test(text) || (text.length <= MAX_NUMBER_CHARS && isExact(text, value)));
}

/** Whether the digits of a whole number are all kept. */
function isExact(digits: string, value: number): boolean {
  // Above, a number is written with an exponent.
  return Math.abs(value) < 1e21 && BigInt(digits) === BigInt(String(value));
}

function toChosen({ options, isRequired }: ChoiceField, value: JsonValue): readonly string[] | undefined {
  if (!Array.isArray(value) || (value.length === 0 && !isRequired)) return undefined;
  const texts = value.map((item) => JSON.stringify(item));
  const places = texts.map((text) => options.findIndex((option) => option.text === text));
  const isInOrder = places.every((place, index) => place > (places[index - 1] ?? -1));
  return isInOrder ? texts : undefined;
}

function toLines({ item, isRequired }: LinesField, value: JsonValue): readonly string[] | undefined {
  if (!Array.isArray(value) || (value.length === 0 && !isRequired) || value.length > MAX_LINES) return undefined;
  const lines = value.flatMap((member) => {
    if (item === "text") return typeof member === "string" && isLine(member) ? [member] : [];
    const isNumber = typeof member === "number" && (item === "number" || Number.isInteger(member));
    return isNumber ? [JSON.stringify(member)] : [];
  });
  return lines.length === value.length ? [lines.join("\n")] : undefined;
}

function isLine(text: string): boolean {
  return text !== "" && !text.includes("\n") && canBeTyped(text);
}

function readLines({ item, isRequired }: LinesField, text: string): Said {
  const lines = text.split("\n").filter((line) => item === "text" ? line !== "" : line.trim() !== "");
  if (lines.length > MAX_LINES) return toFault(`Too many: write at most ${MAX_LINES} lines`);
  if (lines.length === 0 && !isRequired) return NOTHING;
  if (item === "text") return toSaid(lines);
  const values: JsonValue[] = [];
  for (const [index, line] of lines.entries()) {
    const said = readNumber(line.trim(), item === "integer");
    if (said.kind === "fault") return { ...said, index };
    if (said.kind === "value") values.push(said.value);
  }
  return toSaid(values);
}

function toSaid(value: JsonValue): Said {
  return { kind: "value", value };
}

function toFault(message: string): Said {
  return { kind: "fault", message };
}
