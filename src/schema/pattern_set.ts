/**
 * The patterns of one schema, within a common limit.
 *
 * @module
 */

import type { Evaluation } from "./evaluation.ts";
import { LinearPattern } from "./linear_pattern.ts";
import type { CharTest } from "./pattern_parser.ts";

/** Searches a text; `undefined` where that cannot be told. */
export type PatternSearch = (text: string, evaluation: Evaluation) => boolean | undefined;

const MAX_STATES = 2_000;
const MAX_ALL_STATES = 10_000;
/** How many states may be entered in one search: tens of thousands of characters with a usual pattern. */
const MAX_VISITS = 100_000;
const VISITS_PER_STEP = 4;
/** What a test of a set costs to make, in steps. */
const CHAR_TEST_STEPS = 100;

/** Ends a search that takes too long, alone. */
class TooManyVisits extends Error {}

/** Keeps the patterns of one schema; each is read when a text is first searched for it. */
export class PatternSet {
  readonly #searches = new Map<string, PatternSearch>();
  readonly #charTests = new Map<string, CharTest>();
  #statesLeft = MAX_ALL_STATES;

  /**
   * Gives the search for a pattern.
   *
   * @param source The pattern.
   * @returns The search; it tells nothing where the pattern cannot be run in one go.
   */
  toSearch(source: string): PatternSearch {
    let search = this.#searches.get(source);
    if (search === undefined) this.#searches.set(source, search = this.#create(source));
    return search;
  }

  #create(source: string): PatternSearch {
    let pattern: LinearPattern | "unknown" | "unusable" = "unknown";
    return (text, evaluation) => {
      if (pattern === "unknown") pattern = this.#read(source, evaluation);
      return pattern === "unusable" ? undefined : search(pattern, text, evaluation);
    };
  }

  #read(source: string, evaluation: Evaluation): LinearPattern | "unusable" {
    const testsBefore = this.#charTests.size;
    const maxStates = Math.min(MAX_STATES, this.#statesLeft);
    let states = maxStates;
    try {
      const pattern = new LinearPattern(source, maxStates, this.#charTests);
      states = pattern.stateCount;
      this.#statesLeft -= states;
      return pattern;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return "unusable";
    } finally {
      const tests = this.#charTests.size - testsBefore;
      evaluation.spend(source.length + states / VISITS_PER_STEP + tests * CHAR_TEST_STEPS);
    }
  }
}

function search(pattern: LinearPattern, text: string, evaluation: Evaluation): boolean | undefined {
  let visits = 0;
  try {
    return pattern.test(text, (states) => {
      visits += states;
      if (visits > MAX_VISITS) throw new TooManyVisits();
    });
  } catch (error) {
    if (!(error instanceof TooManyVisits)) throw error;
    return undefined;
  } finally {
    evaluation.spend(visits / VISITS_PER_STEP);
  }
}
