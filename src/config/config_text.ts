/**
 * Turns the text of a configuration file into data, whatever the text does.
 *
 * @module
 */

import { type FaultList, quote } from "./config_checks.ts";
import { MAX_TEXT_LENGTH, MAX_VALUES, parseJsonText } from "./json_text.ts";
import { parse } from "@std/yaml";

const MAX_ALIASES = 100;
const MAX_ALIASED_LENGTH = 32 * MAX_TEXT_LENGTH;
const MAX_DIRECTIVES = 10;

/** What the parser says, by a part of it; the rest of its words may quote the text and is not shown. */
const SYNTAX_FAULTS: ReadonlyMap<string, string> = new Map([
  ["duplicated key", "a key stands twice in one mapping"],
  ["unknown tag", "a tag is not known"],
  ["explicit tag", "a tag does not fit its value"],
  ["unidentified alias", "an alias has no anchor"],
  ["within a flow collection", "a bracket or brace is not closed"],
  ["within a double quoted scalar", "a double quote is not closed"],
  ["within a single quoted scalar", "a single quote is not closed"],
  ["indentation", "the indentation is wrong"],
  ["more than 1 document", "there are several documents"],
  ["non-printable characters", "there are characters that do not print"],
]);

/**
 * Parses YAML, JSON included, within limits: 1 MiB of text, 100,000 values counted as often as aliases repeat them,
 * 100 aliases. There are no dates, no merge keys and no tags beyond YAML's core schema.
 *
 * @param text The text of the file.
 * @param source What to call the text in faults.
 * @param faults Takes the fault; it never quotes the text.
 * @returns The data, a tree or a bounded graph; or `undefined` after a fault.
 */
export function parseText(text: string, source: string | undefined, faults: FaultList): unknown {
  const before = faults.count;
  const data = parseWithin(text, (reason) => {
    faults.add("", `Cannot read ${source === undefined ? "the text" : quote(source)} as YAML or JSON: ${reason}`);
  });
  return faults.count > before ? undefined : data;
}

function parseWithin(text: string, fail: (reason: string) => void): unknown {
  if (text.length > MAX_TEXT_LENGTH) {
    return fail(`too large, it has ${text.length} characters and may have ${MAX_TEXT_LENGTH}`);
  }
  const json = parseJsonText(text);
  if (json !== undefined) return json;
  // An alias as a key is written out by the parser itself, before anything can be counted.
  const aliases = countMatches(text, /(?<=^|[\s\[\]{},:?-])\*[^\s,\[\]{}]/gm);
  if (aliases > MAX_ALIASES || aliases * text.length > MAX_ALIASED_LENGTH) {
    return fail("too many aliases for its length: write the values out");
  }
  // The parser's time grows with the square of their number.
  if (countMatches(text, /^%/gm) > MAX_DIRECTIVES) return fail('too many lines that start with "%"');
  let data: unknown;
  try {
    data = parse(text, { schema: "core" });
  } catch (error) {
    return fail(error instanceof RangeError ? "nested too deeply" : syntaxFault(error));
  }
  if (data === null) return fail("empty, write at least one agent");
  if (!isWithin(data, MAX_VALUES)) return fail(`too large, it holds more than ${MAX_VALUES} values with its aliases`);
  return data;
}

function syntaxFault(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  const place = /( at line \d+, column \d+):\n/.exec(message);
  const words = message.slice(0, place?.index ?? message.length);
  const known = [...SYNTAX_FAULTS].find(([part]) => words.includes(part));
  return `${known?.[1] ?? "the syntax is wrong"}${place?.[1] ?? ""}`;
}

function countMatches(text: string, pattern: RegExp): number {
  let count = 0;
  for (const _ of text.matchAll(pattern)) if (++count > MAX_ALIASES) break;
  return count;
}

/** Aliases make a small text a huge tree or a circle: values are counted as a walk would meet them. */
function isWithin(data: unknown, budget: number): boolean {
  let count = 0;
  const waiting = [data];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (++count > budget) return false;
    if (typeof value !== "object" || value === null) continue;
    const members = Array.isArray(value) ? value : Object.values(value);
    if (count + waiting.length + members.length > budget) return false;
    for (const member of members) waiting.push(member);
  }
  return true;
}
