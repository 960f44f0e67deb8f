/**
 * The keywords that look at a value as a whole: its type, which one it is, and how large it is.
 *
 * @module
 */

import { isJsonObject, type JsonValue } from "../protocol.ts";
import type { Rule } from "./evaluation.ts";
import { countText, listTexts, quoteText, quoteValue, toTypeName } from "./fault_text.ts";
import { beside, readNames, readNumber, readText, type RuleContext, type RuleMakers } from "./rule_maker.ts";
import { UnusableSchemaError } from "./unusable_schema_error.ts";

const TYPES: ReadonlyMap<string, { readonly name: string; readonly has: (value: JsonValue) => boolean }> = new Map([
  ["null", { name: "null", has: (value) => value === null }],
  ["boolean", { name: "a boolean", has: (value) => typeof value === "boolean" }],
  ["integer", { name: "an integer", has: (value) => Number.isInteger(value) }],
  ["number", { name: "a number", has: (value) => typeof value === "number" }],
  ["string", { name: "a string", has: (value) => typeof value === "string" }],
  ["array", { name: "an array", has: Array.isArray }],
  ["object", { name: "an object", has: (value) => isJsonObject(value) }],
]);
/** How many characters count as one step where a value is written down to compare it. */
const CHARS_PER_STEP = 8;
/** How much of a pattern is told. */
const MAX_PATTERN_LENGTH = 256;
const DIVISION_STEPS = 8;

/**
 * Writes a value down so that equal values, and only those, are equal texts.
 *
 * @param value Any JSON.
 * @returns The text.
 */
export function toCanonicalText(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(toCanonicalText).join()}]`;
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${toCanonicalText(value[key]!)}`);
  return `{${members.join()}}`;
}

/** Looks at numbers only. */
function numberRule(fits: (value: number) => boolean, wish: string): Rule {
  return (_evaluation, frame) => {
    const { value } = frame;
    if (typeof value === "number" && !fits(value)) frame.fail(`Expected ${wish}: got ${value}`);
  };
}

/** In draft-04 `exclusiveMinimum` is a mark beside `minimum`. */
function limitRule(value: JsonValue, context: RuleContext, keyword: string): Rule | undefined {
  if (typeof value === "boolean" && context.dialect.exclusiveIsMark) return undefined;
  const limit = readNumber(value, keyword);
  const isMin = keyword === "minimum" || keyword === "exclusiveMinimum";
  const isOpen = keyword.startsWith("exclusive") ||
    (context.dialect.exclusiveIsMark && beside(context, isMin ? "exclusiveMinimum" : "exclusiveMaximum") === true);
  if (isMin) {
    return isOpen
      ? numberRule((value) => value > limit, `more than ${limit}`)
      : numberRule((value) => value >= limit, `at least ${limit}`);
  }
  return isOpen
    ? numberRule((value) => value < limit, `less than ${limit}`)
    : numberRule((value) => value <= limit, `at most ${limit}`);
}

/** How much of something a value has; `undefined` where it is not of the type that is counted. */
type Counter = (value: JsonValue) => number | undefined;

function countRule(value: JsonValue, keyword: string, noun: string, count: Counter): Rule {
  const limit = readNumber(value, keyword, 0);
  const isMin = keyword.startsWith("min");
  return (evaluation, frame) => {
    if (typeof frame.value === "string") evaluation.spend(frame.value.length / CHARS_PER_STEP);
    const found = count(frame.value);
    if (found === undefined || (isMin ? found >= limit : found <= limit)) return;
    frame.fail(`Expected at ${isMin ? "least" : "most"} ${countText(limit, noun)}: got ${found}`);
  };
}

function countChars(value: JsonValue): number | undefined {
  if (typeof value !== "string") return undefined;
  let count = value.length;
  for (let index = 0; index < value.length - 1; index++) if (value.codePointAt(index)! > 0xffff) count--;
  return count;
}

function countItems(value: JsonValue): number | undefined {
  return Array.isArray(value) ? value.length : undefined;
}

function countKeys(value: JsonValue): number | undefined {
  return isJsonObject(value) ? Object.keys(value).length : undefined;
}

/** Whether a value is one of those that a schema names. */
function identityRule(values: readonly JsonValue[], context: RuleContext): Rule {
  const texts = new Set(values.map(toCanonicalText));
  const isSmall = values.every((value) => typeof value !== "object" || value === null);
  const wanted = values.length === 1 ? quoteValue(values[0]) : `one of ${listTexts(values.map(quoteValue))}`;
  context.self.wanted = wanted;
  return (evaluation, frame) => {
    const { value } = frame;
    const isOther = isSmall && typeof value === "object" && value !== null;
    const text = isOther ? undefined : toCanonicalText(value);
    evaluation.spend((text?.length ?? 0) / CHARS_PER_STEP);
    if (text === undefined || !texts.has(text)) frame.fail(`Expected ${wanted}`, { wanted, isIdentity: true });
  };
}

/** Exact for all numbers that JSON can write: what is 0.3 there is not a bit more than 3 times 0.1. */
function isMultipleOf(value: number, divisor: number): boolean {
  const [[a, exponentA], [b, exponentB]] = [toDecimal(value), toDecimal(divisor)];
  const shift = exponentA - exponentB;
  return shift >= 0 ? (a * 10n ** BigInt(shift)) % b === 0n : a % (b * 10n ** BigInt(-shift)) === 0n;
}

function toDecimal(value: number): [digits: bigint, exponent: number] {
  const [digits = "", exponent = "0"] = String(Math.abs(value)).split("e");
  const [whole = "", fraction = ""] = digits.split(".");
  return [BigInt(whole + fraction), Number(exponent) - fraction.length];
}

/** The keywords of this file. */
export const VALUE_RULES: RuleMakers = {
  enum: (value, context, keyword) => {
    if (!Array.isArray(value)) throw new UnusableSchemaError(`its keyword "${keyword}" is malformed`);
    return identityRule(value, context);
  },
  const: (value, context) => identityRule([value], context),
  type: (value, context, keyword) => {
    const types = readNames(typeof value === "string" ? [value] : value, keyword).map((name) => TYPES.get(name));
    if (types.length === 0 || !types.every((type) => type !== undefined)) {
      throw new UnusableSchemaError(`its keyword "${keyword}" is malformed`);
    }
    const wanted = listTexts(types.map(({ name }) => name), " or ");
    context.self.wanted ??= wanted;
    return (_evaluation, frame) => {
      // Which values are wanted says more than of which type they are.
      if (frame.failed || types.some((type) => type.has(frame.value))) return;
      frame.fail(`Expected ${wanted}: got ${toTypeName(frame.value)}`, { wanted });
    };
  },
  minimum: limitRule,
  maximum: limitRule,
  exclusiveMinimum: limitRule,
  exclusiveMaximum: limitRule,
  multipleOf: (value, _context, keyword) => {
    const divisor = readNumber(value, keyword, Number.MIN_VALUE);
    const rule = numberRule((value) => isMultipleOf(value, divisor), `a multiple of ${divisor}`);
    return (evaluation, frame) => {
      evaluation.spend(DIVISION_STEPS);
      rule(evaluation, frame);
    };
  },
  minLength: (value, _context, keyword) => countRule(value, keyword, "character", countChars),
  maxLength: (value, _context, keyword) => countRule(value, keyword, "character", countChars),
  minItems: (value, _context, keyword) => countRule(value, keyword, "item", countItems),
  maxItems: (value, _context, keyword) => countRule(value, keyword, "item", countItems),
  minProperties: (value, _context, keyword) => countRule(value, keyword, "key", countKeys),
  maxProperties: (value, _context, keyword) => countRule(value, keyword, "key", countKeys),
  pattern: (value, context, keyword) => {
    const source = readText(value, keyword);
    const search = context.pattern(source);
    const message = `Expected text that matches the pattern ${quoteText(source, MAX_PATTERN_LENGTH)}`;
    return (evaluation, frame) => {
      if (typeof frame.value !== "string") return;
      const found = search(frame.value, evaluation);
      if (found === false) frame.fail(message);
      if (found === undefined) frame.unsure = true;
    };
  },
};
