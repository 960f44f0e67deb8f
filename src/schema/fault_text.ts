/**
 * Texts of faults for a model: short, and free of characters that are not seen or that turn the text around.
 *
 * @module
 */

/** A place in a value, from the innermost key outwards; `undefined` is the whole value. */
export interface Place {
  /** Where the object or list is that holds the key. */
  readonly parent: Place | undefined;
  /** The key, or the index in a list. */
  readonly key: string | number;
}

const MAX_LISTED = 10;
const MAX_PATH_LENGTH = 256;
const MAX_MESSAGE_LENGTH = 512;
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
/** Control, format (bidirectional, zero-width), private and unassigned characters, and line ends. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Quotes a text of a schema or a value.
 *
 * @param text Any text.
 * @param maxLength How much of it is told.
 * @returns The text as a JSON string, cut, with unseen characters escaped.
 */
export function quoteText(text: string, maxLength = 64): string {
  return escapeUnseen(JSON.stringify(text.length > maxLength ? `${text.slice(0, maxLength)}…` : text));
}

/**
 * Writes a value of a schema, as in `enum`.
 *
 * @param value Any JSON.
 * @returns Texts and plain values in JSON; `an object` and `an array` for those, as they can be large.
 */
export function quoteValue(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  return typeof value === "object" && value !== null ? toTypeName(value) : String(value);
}

/**
 * Lists the first ten of some texts.
 *
 * @param texts Texts that are quoted already.
 * @param last What stands before the last one: `" or "`.
 * @returns The list.
 */
export function listTexts(texts: readonly string[], last = ", "): string {
  if (texts.length > MAX_LISTED) return `${texts.slice(0, MAX_LISTED).join(", ")}, … (${texts.length} in all)`;
  return texts.length < 2 ? texts.join() : `${texts.slice(0, -1).join(", ")}${last}${texts.at(-1)}`;
}

/**
 * Counts in words.
 *
 * @param count How many.
 * @param noun What, one of it.
 * @returns `1 item`, `2 items`.
 */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Names the type of a value.
 *
 * @param value Any JSON.
 * @returns The type with its article: `an object`, `null`.
 */
export function toTypeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * Writes a place as a path.
 *
 * @param place The place.
 * @returns The path, as `filters.dates[0].from` or `["a b"]`; the end of it where it is long.
 */
export function toPath(place: Place | undefined): string {
  const parts: string[] = [];
  let length = 0;
  for (let at = place; at !== undefined && length <= MAX_PATH_LENGTH; at = at.parent) {
    const { key, parent } = at;
    const part = typeof key === "number" ? `[${key}]` : PLAIN_KEY.test(key) ? `.${key}` : `[${quoteText(key)}]`;
    parts.unshift(parent === undefined && part.startsWith(".") ? part.slice(1) : part);
    length += part.length;
  }
  const path = parts.join("");
  return path.length > MAX_PATH_LENGTH ? `…${path.slice(1 - MAX_PATH_LENGTH)}`.toWellFormed() : path;
}

/**
 * Bounds a message.
 *
 * @param message The message.
 * @returns Its first 512 characters.
 */
export function boundMessage(message: string): string {
  return message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH - 1).toWellFormed()}…` : message;
}

function escapeUnseen(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
