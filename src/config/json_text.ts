/**
 * Reads a text that is plain JSON, for which nothing that reads YAML has to be loaded.
 *
 * @module
 */

/** The most characters that the text of a configuration may have. */
export const MAX_TEXT_LENGTH = 1_048_576;
/** The most values that a configuration may hold. */
export const MAX_VALUES = 100_000;

/** A text in quotes, and the colon behind it where it is a key. */
const STRING = /"(?:[^"\\]|\\.)*"[ \t\r\n]*(:?)/g;

/**
 * Reads a JSON object.
 *
 * @param text Any text.
 * @returns The object; or `undefined` where the text is something else, is too large, or has a key twice in one mapping:
 * then whoever reads YAML, which JSON is, says what is wrong.
 */
export function parseJsonText(text: string): unknown {
  if (text.length > MAX_TEXT_LENGTH || !/^[ \t\r\n]*\{/.test(text)) return undefined;
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  let keys = 0;
  for (const [, colon] of text.matchAll(STRING)) if (colon !== "") keys++;
  // Of two equal keys the parser has kept one.
  return countKeys(data) === keys ? data : undefined;
}

/** How many keys a tree has; `undefined` where it holds too many values. */
function countKeys(data: unknown): number | undefined {
  let keys = 0;
  let values = 0;
  const waiting = [data];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (++values > MAX_VALUES) return undefined;
    if (typeof value !== "object" || value === null) continue;
    const members = Array.isArray(value) ? value : Object.values(value);
    if (!Array.isArray(value)) keys += members.length;
    for (const member of members) waiting.push(member);
  }
  return keys;
}
