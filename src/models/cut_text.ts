/**
 * Texts cut to a length without breaking a character.
 *
 * @module
 */

/**
 * The beginning of a text.
 *
 * @param text The text.
 * @param maxChars How many UTF-16 units it may have; one fewer is kept where the last would be half a character.
 * @returns The text itself where it is short enough.
 */
export function headOf(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const last = text.charCodeAt(maxChars - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, Math.max(0, isHalf ? maxChars - 1 : maxChars));
}

/**
 * A text that ends in an ellipsis where it had to be cut.
 *
 * @example
 * ```ts
 * import { cutText } from "./cut_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cutText("Reads a file", 8), "Reads a…");
 * ```
 *
 * @param text The text.
 * @param maxChars How many UTF-16 units it may have, the ellipsis included.
 * @returns The text itself where it is short enough.
 */
export function cutText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return maxChars < 1 ? "" : `${headOf(text, maxChars - 1).trimEnd()}…`;
}

/**
 * Checks a cap that a caller gives.
 *
 * @param name The option's name.
 * @param value Its value.
 * @param min The least that makes sense.
 * @returns The value.
 * @throws {RangeError} If it is not a whole number of at least `min`; `Infinity` is allowed.
 */
export function checkCap(name: string, value: number, min = 0): number {
  if (value >= min && (Number.isInteger(value) || value === Infinity)) return value;
  throw new RangeError(`Cannot use option "${name}" as a whole number of at least ${min}: ${value}`);
}
