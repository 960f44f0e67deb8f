/**
 * Texts of servers in a document: data, whatever shows them or is generated from them.
 *
 * @module
 */

import { cutText } from "../models/cut_text.ts";
import { UNSEEN } from "../models/unseen.ts";

/** What begins markup, a link or an image in CommonMark. */
const ACTIVE = /[<>&[\]]/g;
const ESCAPES: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", "&": "&amp;", "[": "\\[", "]": "\\]" };

/**
 * Makes a text of a server one that nothing acts on: no markup, no links, no end of a comment in generated code.
 *
 * @param text The text.
 * @param maxChars How much of it is kept.
 * @returns The text in CommonMark.
 */
export function toServerText(text: string, maxChars: number): string {
  const plain = cutText(text, maxChars)
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(UNSEEN, (char) => char === "\n" || char === "\t" ? char : "")
    .replaceAll("*/", "* /");
  return plain.replaceAll(ACTIVE, (char) => ESCAPES[char] ?? char).trim();
}

/**
 * The same as one line.
 *
 * @param text The text.
 * @param maxChars How much of it is kept.
 * @returns The line.
 */
export function toServerLine(text: string, maxChars: number): string {
  return toServerText(text.replaceAll(/\s+/g, " "), maxChars);
}
