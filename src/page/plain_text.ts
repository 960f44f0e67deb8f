/**
 * Texts of servers as a page shows them: bounded, and free of what is not seen or turns around the text beside it.
 *
 * @module
 */

import { cutText } from "../models/cut_text.ts";
import { UNSEEN } from "../models/unseen.ts";

/**
 * Makes a text fit to be shown. It is still to be escaped, which JSX does.
 *
 * @param value A text; anything else is none.
 * @param maxChars How much of it is kept.
 * @returns The text.
 */
export function toPlainText(value: unknown, maxChars: number): string {
  if (typeof value !== "string") return "";
  // What is cut off is not looked at: a text can have megabytes.
  const plain = cutText(value, maxChars).replaceAll(/\r\n?/g, "\n");
  return plain.replaceAll(UNSEEN, (char) => char === "\n" ? "\n" : char === "\t" ? " " : "").trim();
}

/**
 * The same as one line.
 *
 * @param value A text; anything else is none.
 * @param maxChars How much of it is kept.
 * @returns The line.
 */
export function toPlainLine(value: unknown, maxChars: number): string {
  return toPlainText(value, maxChars).replaceAll(/\s+/g, " ");
}
