/**
 * Text of others for a terminal: what would move its cursor, colour it or turn its direction is shown, not done.
 *
 * @module
 */

import { cutText } from "../models/cut_text.ts";
import { UNSEEN } from "../models/unseen.ts";

const MARK = /^[\p{M}]$/u;
const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$/u;

/**
 * Makes text of others harmless; its lines and tabs stay.
 *
 * @param text Any text.
 * @returns The text, in which other characters that do not print stand as `\u{1b}`.
 */
export function safeText(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(
    UNSEEN,
    (char) => char === "\n" || char === "\t" ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/**
 * Makes text of others harmless and one line.
 *
 * @param text Any text.
 * @param maxChars How long it may be.
 * @returns The line, its white space made single blanks.
 */
export function safeLine(text: string, maxChars = 1_000): string {
  return cutText(safeText(text.slice(0, 4 * maxChars)).replaceAll(/\s+/g, " ").trim(), maxChars);
}

/**
 * How many columns a text takes on a terminal.
 *
 * @param text One line without escape sequences.
 * @returns The columns: 2 for an ideograph and for an emoji, 0 for a mark on the character before.
 */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of text) width += MARK.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

/**
 * Cuts a text to columns.
 *
 * @param text One line without escape sequences.
 * @param columns How many columns there are.
 * @returns The text, with `…` at the end where it was cut.
 */
export function fitWidth(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let width = 1;
  let kept = "";
  for (const char of text) {
    width += widthOf(char);
    if (width > columns) break;
    kept += char;
  }
  return columns < 1 ? "" : `${kept.trimEnd()}…`;
}
