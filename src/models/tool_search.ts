/**
 * Search over tools by words, so that a model need not be told of all of them.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type Tool } from "../protocol.ts";
import { checkCap } from "./cut_text.ts";
import { toWords } from "./search_words.ts";

/**
 * What may be said of a search.
 *
 * @example
 * ```ts
 * import { ToolSearch, type ToolSearchOptions } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const options: ToolSearchOptions = { limit: 1 };
 * const inputSchema = { type: "object" };
 * const search = new ToolSearch([{ name: "read_file", inputSchema }, { name: "write_file", inputSchema }]);
 * assertEquals(search.search("file", options).length, 1);
 * ```
 */
export interface ToolSearchOptions {
  /** How many tools are found at most. @default {5} */
  readonly limit?: number | undefined;
}

/**
 * A tool that was found.
 *
 * @example
 * ```ts
 * import { type FoundTool, ToolSearch } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const nameOf = ({ tool }: FoundTool) => tool.name;
 * const search = new ToolSearch([{ name: "read_file", inputSchema: { type: "object" } }]);
 * assertEquals(search.search("read").map(nameOf), ["read_file"]);
 * ```
 */
export interface FoundTool {
  /** The tool. */
  readonly tool: Tool;
  /** How well it matches: greater than 0; to be compared within one search alone. */
  readonly score: number;
}

interface Posting {
  readonly tool: number;
  /** How often the word occurs, each field by its weight. */
  weight: number;
}

const MAX_TOOLS = 10_000;
const MAX_FIELD_CHARS = 8_192;
const MAX_WORDS = 1_000;
const MAX_ARGUMENTS = 100;
const MAX_QUERY_CHARS = 1_000;
const MAX_QUERY_WORDS = 32;
const MIN_PREFIX_CHARS = 3;
const PREFIX_WEIGHT = 0.5;
const SATURATION = 1.2;
const LENGTH_INFLUENCE = 0.75;
const NAME_WEIGHT = 3;
const TITLE_WEIGHT = 2;
const DESCRIPTION_WEIGHT = 1;
const ARGUMENT_WEIGHT = 0.5;

/**
 * An index of tools: BM25 (k1 = 1.2, b = 0.75) over name, title, description and arguments, words of a name counting
 * most. Building it takes time linear in the tools' text, about ten times that of `JSON.stringify` on the same list; a
 * query takes a few hundredths of that, as it looks only at tools that share a word with it. The five best of a hundred
 * tools have about 4 % of the tokens of all. Words alone are compared: "website" does not find `browser_navigate`.
 *
 * @example
 * ```ts
 * import { ToolSearch } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const inputSchema = { type: "object" };
 * const search = new ToolSearch([
 *   { name: "read_file", description: "Reads a file from the disk", inputSchema },
 *   { name: "send_mail", description: "Sends a message", inputSchema },
 * ]);
 * assertEquals(search.search("reading files").map(({ tool }) => tool.name), ["read_file"]);
 * ```
 */
export class ToolSearch {
  readonly #tools: readonly Tool[];
  readonly #postings = new Map<string, Posting[]>();
  /** The weighted count of words of each tool. */
  readonly #lengths: readonly number[];
  readonly #meanLength: number;

  /**
   * Builds the index. A list that has changed needs a new one.
   *
   * @param tools The tools, 10,000 at most.
   * @throws {RangeError} If there are more.
   */
  constructor(tools: readonly Tool[]) {
    if (tools.length > MAX_TOOLS) {
      throw new RangeError(`Cannot index tools as at most ${MAX_TOOLS} are allowed: ${tools.length}`);
    }
    this.#tools = [...tools];
    const known = new Map<string, readonly string[]>();
    this.#lengths = this.#tools.map((tool, at) => this.#index(tool, at, known));
    this.#meanLength = this.#lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, tools.length);
  }

  /** How many tools are indexed. */
  get size(): number {
    return this.#tools.length;
  }

  /**
   * Finds tools. A word that no tool has is looked for as the beginning of words ("repo" finds "repository").
   *
   * @param query Words in any order; the first 1,000 characters and 32 words count.
   * @param options How many to find.
   * @returns The tools that share a word with the query, best first, equally good ones in the order of the list.
   * @throws {RangeError} If the limit is no whole number of at least 1.
   */
  search(query: string, options: ToolSearchOptions = {}): readonly FoundTool[] {
    const { limit = 5 } = options;
    checkCap("limit", limit, 1);
    const scores = new Map<number, number>();
    for (const word of new Set(toWords(query.slice(0, MAX_QUERY_CHARS), MAX_QUERY_WORDS))) {
      const postings = this.#postings.get(word);
      if (postings !== undefined) this.#score(postings, 1, scores);
      else for (const similar of this.#beginningWith(word)) this.#score(similar, PREFIX_WEIGHT, scores);
    }
    return [...scores]
      .sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || a - b)
      .slice(0, limit)
      .map(([at, score]) => ({ tool: this.#tools[at]!, score }));
  }

  /** Indexes one tool and gives back its length. */
  #index(tool: Tool, at: number, known: Map<string, readonly string[]>): number {
    const counts = new Map<string, number>();
    let length = 0;
    for (const [text, weight] of fieldsOf(tool)) {
      for (const word of toWords(text.slice(0, MAX_FIELD_CHARS), MAX_WORDS, known)) {
        counts.set(word, (counts.get(word) ?? 0) + weight);
        length += weight;
      }
    }
    for (const [word, weight] of counts) {
      const postings = this.#postings.get(word);
      if (postings === undefined) this.#postings.set(word, [{ tool: at, weight }]);
      else postings.push({ tool: at, weight });
    }
    return length;
  }

  #score(postings: readonly Posting[], factor: number, scores: Map<number, number>): void {
    const rarity = Math.log(1 + (this.#tools.length - postings.length + 0.5) / (postings.length + 0.5));
    for (const { tool, weight } of postings) {
      const relativeLength = this.#lengths[tool]! / this.#meanLength;
      const damping = SATURATION * (1 - LENGTH_INFLUENCE + LENGTH_INFLUENCE * relativeLength);
      const score = factor * rarity * weight * (SATURATION + 1) / (weight + damping);
      scores.set(tool, (scores.get(tool) ?? 0) + score);
    }
  }

  *#beginningWith(word: string): Iterable<readonly Posting[]> {
    if (word.length < MIN_PREFIX_CHARS) return;
    for (const [known, postings] of this.#postings) if (known.startsWith(word)) yield postings;
  }
}

function* fieldsOf({ name, title, description, annotations, inputSchema }: Tool): Iterable<readonly [string, number]> {
  yield [name, NAME_WEIGHT];
  const shown = title ?? annotations?.title;
  if (typeof shown === "string") yield [shown, TITLE_WEIGHT];
  if (typeof description === "string") yield [description, DESCRIPTION_WEIGHT];
  yield* argumentsOf(inputSchema);
}

function* argumentsOf({ properties }: JsonObject): Iterable<readonly [string, number]> {
  if (!isJsonObject(properties)) return;
  for (const [name, schema] of Object.entries(properties).slice(0, MAX_ARGUMENTS)) {
    yield [name, ARGUMENT_WEIGHT];
    if (isJsonObject(schema) && typeof schema.description === "string") yield [schema.description, ARGUMENT_WEIGHT];
  }
}
