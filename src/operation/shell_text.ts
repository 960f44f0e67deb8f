/**
 * Commands for a shell, written so that it takes each word as it is.
 *
 * @module
 */

/**
 * Quotes a word.
 *
 * @param word The word.
 * @returns The word, in single quotes where a shell would make something else of it.
 */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Quotes a word in which variables are to be filled in.
 *
 * @param parts Its parts: a text, or the name of a variable.
 * @returns The word, in double quotes where it has variables.
 */
export function quoteTemplate(parts: readonly (string | { readonly name: string })[]): string {
  if (parts.every((part) => typeof part === "string")) return quoteWord(parts.join(""));
  const inner = parts.map((part) => {
    return typeof part === "string" ? part.replaceAll(/[\\"`$]/g, (char) => `\\${char}`) : `\${${part.name}}`;
  });
  return `"${inner.join("")}"`;
}
