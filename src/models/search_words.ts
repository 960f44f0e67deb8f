/**
 * The words of texts, folded so that people's words and tools' words meet.
 *
 * @module
 */

const MAX_WORD_CHARS = 40;
const WORD = /[\p{L}\p{N}]+/gu;
const CAMEL = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;
const MARKS = /\p{M}+/gu;
// These scripts put no space between words; pairs of characters stand in for words.
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+$/u;
const VOWEL = /[aeiouy]/;
const STOP_WORDS: ReadonlySet<string> = new Set(
  ("a an and are as at be by can do for from has have how i if in into is it its me my not of on or our so that the " +
    "their them then there these they this to was we what when which who will with you your").split(" "),
);

/**
 * Takes a text apart: words of any script, without accents, camelCase and snake_case split, plurals and the endings
 * -ing and -ed taken off, the commonest English words left out.
 *
 * @example
 * ```ts
 * import { toWords } from "./search_words.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(toWords("listFiles in the cafés"), ["listfil", "list", "fil", "caf"]);
 * ```
 *
 * @param text The text.
 * @param maxWords How many words are given back at most.
 * @param known What is known of words already, kept and added to: an index sees the same words again and again.
 * @returns The words in the order of the text, repeated ones repeated.
 */
export function toWords(
  text: string,
  maxWords = Infinity,
  known: Map<string, readonly string[]> = new Map(),
): string[] {
  const words: string[] = [];
  // Composed first: an accent that stands alone would end a word.
  for (const [found] of text.normalize("NFC").matchAll(WORD)) {
    if (words.length >= maxWords) break;
    const raw = found.slice(0, MAX_WORD_CHARS);
    let folded = known.get(raw);
    if (folded === undefined) known.set(raw, folded = splitWord(raw));
    words.push(...folded);
  }
  return words.slice(0, maxWords);
}

function splitWord(raw: string): string[] {
  const parts = raw.split(CAMEL);
  // "GitHub" is looked for as "github" too.
  return (parts.length > 1 ? [raw, ...parts] : parts).flatMap(foldWord);
}

function foldWord(raw: string): string[] {
  const word = raw.normalize("NFKD").replace(MARKS, "").toLowerCase();
  if (STOP_WORDS.has(word)) return [];
  if (!UNSPACED.test(word) || word.length < 3) return [toStem(word)];
  const characters = [...word];
  return characters.slice(1).map((character, at) => `${characters[at]}${character}`);
}

/** A light stem: enough for "lists", "listing" and "listed", and for no more. */
function toStem(word: string): string {
  let stem = word;
  if (stem.length > 4 && stem.endsWith("ies")) stem = `${stem.slice(0, -3)}y`;
  else if (/(?:ss|sh|ch|x|z)es$/.test(stem)) stem = stem.slice(0, -2);
  else if (stem.length > 3 && /[^sui]s$/.test(stem)) stem = stem.slice(0, -1);
  for (const ending of ["ing", "ed"]) {
    const rest = stem.slice(0, -ending.length);
    if (!stem.endsWith(ending) || rest.length < 3 || !VOWEL.test(rest)) continue;
    stem = rest.length > 3 && /([bdgmnprt])\1$/.test(rest) ? rest.slice(0, -1) : rest;
    break;
  }
  return stem.length > 3 && stem.endsWith("e") ? stem.slice(0, -1) : stem;
}
