/**
 * Which environment variables a configuration speaks of.
 *
 * @module
 */

const REFERENCE = /\$\{env:([A-Za-z_][A-Za-z0-9_]{0,127})(?=\}|:-)/g;

/**
 * Finds the variables of a configuration before it is read: a program may be allowed to read no others.
 *
 * @example
 * ```ts
 * import { variablesOf } from "./variables.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(variablesOf('{ url: "${env:URL:-http://[::1]}", headers: { a: "${env:KEY}", b: "${TOKEN}" } }'), [
 *   "KEY",
 *   "URL",
 * ]);
 * ```
 *
 * @param text The text of the configuration, in whatever form; what stands in a comment counts too.
 * @returns The names, each once, in order of the alphabet.
 */
export function variablesOf(text: string): readonly string[] {
  return [...new Set([...text.matchAll(REFERENCE)].map(([, name = ""]) => name))].sort();
}
