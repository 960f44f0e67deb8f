/**
 * The arguments of a tool as they are written on a command line.
 *
 * @module
 */

import { hasOtherNumber } from "../gateway/json_body.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { CliError } from "./cli_error.ts";

/** What the arguments are read with. */
export interface ToolArgumentsDeps {
  /** Reads a file; rejects with a `CliError` where it cannot. */
  readonly readFile: (path: string) => Promise<string>;
  /** Reads the standard input. */
  readonly readStdin: () => Promise<string>;
  /** The schema of the tool's arguments, where it is known; asked for only where it decides. */
  readonly schemaOf: () => Promise<JsonObject | undefined>;
}

const FORMS = `write a JSON object, "key=value" pairs, "@file" or "-" for standard input`;
const PAIR = /^([^=:\s][^=:]*?)(:?=)([^]*)$/;

/**
 * Reads the arguments of a tool: one JSON object, `@file`, `-`, or any number of `key=value` and `key:=json`. The value
 * of `key=value` is a text where the tool's schema wants one, else what it is as JSON.
 *
 * @param words The words behind the tool's name.
 * @param deps What they are read with.
 * @returns The arguments.
 * @throws {CliError} If they cannot be read: `invalid_usage`, `file_not_found`.
 */
export async function readToolArguments(words: readonly string[], deps: ToolArgumentsDeps): Promise<JsonObject> {
  const [first, ...others] = words;
  if (first === undefined) return {};
  const isWhole = first === "-" || first.startsWith("@") || first.trimStart().startsWith("{");
  if (!isWhole) return await readPairs(words, deps);
  if (others.length > 0) throw usage(`Cannot use more than one JSON object as the tool's arguments: ${FORMS}`);
  if (first === "-") return parseObject(await deps.readStdin(), "standard input");
  if (first.startsWith("@")) return parseObject(await deps.readFile(first.slice(1)), `the file "${first.slice(1)}"`);
  return parseObject(first, "the argument");
}

function parseObject(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw usage(`Cannot use ${what} as the tool's arguments as it is not JSON: ${FORMS}`, cause);
  }
  requireExact(text, what);
  if (isJsonObject(value)) return value;
  throw usage(`Cannot use ${what} as the tool's arguments as it is no JSON object: ${FORMS}`);
}

async function readPairs(words: readonly string[], deps: ToolArgumentsDeps): Promise<JsonObject> {
  const members = new Map<string, JsonValue>();
  let properties: JsonObject | undefined;
  for (const word of words) {
    const [, key, sign, text] = PAIR.exec(word) ?? [];
    if (key === undefined || text === undefined) {
      throw usage(`Cannot use "${word}" as an argument of the tool: ${FORMS}`);
    }
    if (members.has(key)) throw usage(`Cannot give argument "${key}" twice: give a list as ${key}:=[…]`);
    const value = parseJson(text);
    if (sign === ":=") {
      if (value === undefined) {
        throw usage(`Cannot use the value of argument "${key}" as it is not JSON: write ${key}=…`);
      }
      requireExact(text, `the value of argument "${key}"`);
      members.set(key, value);
      continue;
    }
    // Most texts are no JSON, and need no schema to be told from it.
    properties ??= value === undefined ? undefined : propertiesOf(await deps.schemaOf());
    const isText = value === undefined || wantsText(properties?.[key]);
    if (!isText) requireExact(text, `the value of argument "${key}"`);
    members.set(key, isText ? text : value);
  }
  return Object.fromEntries(members);
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function requireExact(text: string, what: string): void {
  if (!hasOtherNumber(text)) return;
  throw usage(`Cannot use ${what} as a number in it is too large to be passed on as it is: write it as a text`);
}

function propertiesOf(schema: JsonObject | undefined): JsonObject {
  return isJsonObject(schema?.properties) ? schema.properties : {};
}

function wantsText(schema: JsonValue | undefined): boolean {
  if (!isJsonObject(schema)) return false;
  const { type, enum: values, anyOf, oneOf } = schema;
  // As Python's servers write an optional text.
  const choices = Array.isArray(anyOf) ? anyOf : oneOf;
  if (Array.isArray(choices)) {
    return choices.some(wantsText) &&
      choices.every((one) => wantsText(one) || (isJsonObject(one) && one.type === "null"));
  }
  if (Array.isArray(values)) return values.length > 0 && values.every((value) => typeof value === "string");
  return type === "string" || (Array.isArray(type) && type.every((one) => one === "string" || one === "null"));
}

function usage(message: string, cause?: unknown): CliError {
  return new CliError("invalid_usage", message, { cause });
}
