/**
 * Texts that others wrote, made fit for a line that people and programs read.
 *
 * @module
 */

// Controls, and what hides, turns the direction of a text, or breaks its line: they would fool who reads it.
// deno-lint-ignore no-control-regex -- control characters are what it looks for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const PLAIN = /^[\x20-\x7e]*$/;

/**
 * A text without what cannot be seen.
 *
 * @param text The text.
 * @returns The text with a replacement character for each such one; it is of one line.
 */
export function cleanText(text: string): string {
  return PLAIN.test(text) ? text : text.toWellFormed().replace(UNSAFE, "\ufffd");
}

/**
 * A value as JSON of one line, in ASCII where a character would not be seen.
 *
 * @param value The value.
 * @returns The JSON. What it holds is not changed.
 */
export function toJsonLine(value: unknown): string {
  const json = JSON.stringify(value);
  return PLAIN.test(json)
    ? json
    : json.replace(UNSAFE, (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
