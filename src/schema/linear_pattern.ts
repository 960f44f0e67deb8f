/**
 * Patterns of JSON Schema that take a time in proportion to the text, whatever the pattern: all ways through it are
 * followed at once, none is tried again. Only a single character is ever given to the engine of the platform.
 *
 * @module
 */

import { type CharTest, parsePattern, type PatternState } from "./pattern_parser.ts";

/** Searches texts for one pattern. */
export class LinearPattern {
  /** How many states the pattern has. */
  readonly stateCount: number;
  readonly #states: readonly PatternState[];
  readonly #anchored: boolean;
  /** The place in the text, from 1, at which a state was last entered. */
  readonly #enteredAt: Float64Array;
  #clock = 0;

  /**
   * Reads a pattern.
   *
   * @param source The pattern, in the syntax of ECMAScript with the flag `u`; marks may be escaped without need.
   * @param maxStates How many states it may have.
   * @param charTests Tests for sets of characters that were made before, by their source.
   * @throws {SyntaxError} If it is malformed, too large, or looks around or back.
   */
  constructor(source: string, maxStates: number, charTests: Map<string, CharTest> = new Map()) {
    const { states, anchored } = parsePattern(source, maxStates, charTests);
    this.#states = states;
    this.#anchored = anchored;
    this.stateCount = states.length;
    this.#enteredAt = new Float64Array(states.length);
  }

  /**
   * Searches a text.
   *
   * @param text The text.
   * @param meter Counts what was done; it may throw to end the search.
   * @returns Whether the pattern is found in the text.
   */
  test(text: string, meter: (states: number) => void = () => {}): boolean {
    let current: number[] = [];
    let before = -1;
    for (let index = 0;; index++) {
      const now = text.codePointAt(index) ?? -1;
      this.#clock++;
      const entered: number[] = [];
      const starts = this.#anchored && index > 0 ? current : [...current, 0];
      if (starts.length === 0) return false;
      if (this.#enter(starts, before, now, entered)) return true;
      meter(entered.length + 1);
      if (now === -1) return false;
      current = [];
      for (const at of entered) {
        const state = this.#states[at]!;
        if (state.kind === "char" && state.test(now)) current.push(state.next);
      }
      before = now;
      if (now > 0xffff) index++;
    }
  }

  /** Goes on without a character as far as it goes; tells whether the end of the pattern was reached. */
  #enter(starts: number[], before: number, now: number, entered: number[]): boolean {
    for (let at = starts.pop(); at !== undefined; at = starts.pop()) {
      if (this.#enteredAt[at] === this.#clock) continue;
      this.#enteredAt[at] = this.#clock;
      entered.push(at);
      const state = this.#states[at]!;
      if (state.kind === "end") return true;
      if (state.kind === "fork") starts.push(...state.next);
      if (state.kind === "assert" && state.test(before, now)) starts.push(state.next);
    }
    return false;
  }
}
