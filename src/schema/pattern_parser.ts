/**
 * Reads patterns into states to go through.
 *
 * @module
 */

/** Whether a set of characters has one, given as a code point. */
export type CharTest = (codePoint: number) => boolean;

/** One state; the numbers are those of the states that follow. */
export type PatternState =
  | { readonly kind: "char"; readonly test: CharTest; readonly next: number }
  | { readonly kind: "assert"; readonly test: (before: number, now: number) => boolean; readonly next: number }
  | { readonly kind: "fork"; readonly next: number[] }
  | { readonly kind: "end" };

/** A pattern to go through, from state 0. */
export interface PatternProgram {
  /** The states. */
  readonly states: readonly PatternState[];
  /** Whether it is found at the start of a text or nowhere. */
  readonly anchored: boolean;
}

type Expression =
  | { readonly kind: "char"; readonly test: CharTest }
  | { readonly kind: "assert"; readonly mark: string }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Expression[] }
  | { readonly kind: "repeat"; readonly part: Expression; readonly min: number; readonly max: number };

const MAX_SOURCE_LENGTH = 4_096;
const MAX_NESTING = 100;
const ESCAPE = new RegExp(
  "\\\\(?:u\\{0*[0-9a-f]{1,6}\\}|u[dD][89abAB][0-9a-f]{2}\\\\u[dD][c-fC-F][0-9a-f]{2}|u[0-9a-f]{4}|x[0-9a-f]{2}" +
    "|c[a-z]|0(?![0-9])|[dswtnvfr]|p\\{[^{}\\\\]{1,64}\\}|(?<mark>[^A-Za-z0-9]))",
  "iuy",
);
const SET = /\[(?:[^\]\\]|\\[^])*\]/uy;
const QUANTIFIER = /(?:[*+?]|\{(?<min>\d{1,9})(?<range>,(?<max>\d{1,9})?)?\})\??/uy;
const GROUP = /\((?:\?:|\?<(?![=!])[^<>()[\]]+>|(?!\?))/uy;
/** Marks that are often escaped in a set although the flag `u` forbids it. */
const NEEDLESS_ESCAPE = /[ "'!#%&,:;<=>@_`~]/;
const ASCII_WORD = /^\w$/;

/**
 * Reads a pattern.
 *
 * @param source The pattern.
 * @param maxStates How many states it may have.
 * @param charTests Tests that were made before, by their source; new ones are added.
 * @returns Its states.
 * @throws {SyntaxError} If it is malformed, too large, or has what cannot be followed in one go.
 */
export function parsePattern(source: string, maxStates: number, charTests: Map<string, CharTest>): PatternProgram {
  if (source.length > MAX_SOURCE_LENGTH) throw new SyntaxError("The pattern is too long");
  const expression = new PatternReader(source, charTests).read();
  const states: PatternState[] = [];
  build(expression, states, maxStates);
  states.push({ kind: "end" });
  return { states, anchored: isAnchored(expression) };
}

class PatternReader {
  readonly #source: string;
  readonly #charTests: Map<string, CharTest>;
  #at = 0;
  #nesting = 0;

  constructor(source: string, charTests: Map<string, CharTest>) {
    this.#source = source;
    this.#charTests = charTests;
  }

  read(): Expression {
    const expression = this.#choice();
    if (this.#at < this.#source.length) throw new SyntaxError("The pattern closes what it has not opened");
    return expression;
  }

  #choice(): Expression {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return parts.length === 1 ? parts[0]! : { kind: "choice", parts };
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#source[this.#at]!)) parts.push(this.#quantified());
    return { kind: "sequence", parts };
  }

  #quantified(): Expression {
    const part = this.#atom();
    const found = this.#match(QUANTIFIER);
    if (found === undefined) return part;
    if (part.kind === "assert") throw new SyntaxError("The pattern repeats what has no length");
    const [mark] = found[0];
    if (mark !== "{") return { kind: "repeat", part, min: mark === "+" ? 1 : 0, max: mark === "?" ? 1 : Infinity };
    const { min, range, max } = found.groups!;
    const least = Number(min);
    const most = range === undefined ? least : Number(max ?? Infinity);
    if (most < least) throw new SyntaxError("The pattern has a range in the wrong order");
    return { kind: "repeat", part, min: least, max: most };
  }

  #atom(): Expression {
    for (const mark of ["^", "$", "\\b", "\\B"]) if (this.#take(mark)) return { kind: "assert", mark };
    if (this.#match(GROUP) !== undefined) {
      if (++this.#nesting > MAX_NESTING) throw new SyntaxError("The pattern is nested too deep");
      const inner = this.#choice();
      if (!this.#take(")")) throw new SyntaxError("The pattern does not close what it has opened");
      this.#nesting--;
      return inner;
    }
    const escape = this.#match(ESCAPE);
    const mark = escape?.groups?.mark;
    if (mark !== undefined) return { kind: "char", test: toLiteral(mark) };
    const set = escape?.[0] ?? this.#match(SET)?.[0] ?? (this.#take(".") ? "." : undefined);
    if (set !== undefined) return { kind: "char", test: this.#toTest(set) };
    const literal = String.fromCodePoint(this.#source.codePointAt(this.#at)!);
    if ("\\()[]{}*+?".includes(literal)) throw new SyntaxError("The pattern has something that is not understood");
    this.#at += literal.length;
    return { kind: "char", test: toLiteral(literal) };
  }

  #take(text: string): boolean {
    const found = this.#source.startsWith(text, this.#at);
    if (found) this.#at += text.length;
    return found;
  }

  #match(token: RegExp): RegExpExecArray | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#source) ?? undefined;
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #toTest(set: string): CharTest {
    let test = this.#charTests.get(set);
    if (test === undefined) this.#charTests.set(set, test = toCharTest(set));
    return test;
  }
}

function toLiteral(character: string): CharTest {
  const wanted = character.codePointAt(0)!;
  return (codePoint) => codePoint === wanted;
}

/** The platform knows its sets best; a set and one character leave it nothing to try twice. */
function toCharTest(set: string): CharTest {
  const plain = set.replaceAll(/\\([^])/g, (escape, mark: string) => NEEDLESS_ESCAPE.test(mark) ? mark : escape);
  const single = new RegExp(`^${plain}$`, "u");
  const ascii = new Map<number, boolean>();
  return (codePoint) => {
    if (codePoint > 0x7f) return single.test(String.fromCodePoint(codePoint));
    let has = ascii.get(codePoint);
    if (has === undefined) ascii.set(codePoint, has = single.test(String.fromCodePoint(codePoint)));
    return has;
  };
}

function isWord(codePoint: number): boolean {
  return codePoint !== -1 && ASCII_WORD.test(String.fromCodePoint(codePoint));
}

const ASSERTIONS: Readonly<Record<string, (before: number, now: number) => boolean>> = {
  "^": (before) => before === -1,
  "$": (_before, now) => now === -1,
  "\\b": (before, now) => isWord(before) !== isWord(now),
  "\\B": (before, now) => isWord(before) === isWord(now),
};

/** Adds the states of an expression; whatever is added next follows them. */
function build(expression: Expression, states: PatternState[], maxStates: number): void {
  if (states.length >= maxStates) throw new SyntaxError("The pattern has too many states");
  const next = states.length + 1;
  if (expression.kind === "char") states.push({ kind: "char", test: expression.test, next });
  if (expression.kind === "assert") states.push({ kind: "assert", test: ASSERTIONS[expression.mark]!, next });
  if (expression.kind === "sequence") {
    for (const part of expression.parts) build(part, states, maxStates);
    // Nothing is a state too: else nothing, repeated a billion times, would never reach the limit.
    if (expression.parts.length === 0) states.push({ kind: "fork", next: [next] });
  }
  if (expression.kind === "choice") buildChoice(expression.parts, states, maxStates);
  if (expression.kind === "repeat") buildRepeat(expression, states, maxStates);
}

function buildChoice(parts: readonly Expression[], states: PatternState[], maxStates: number): void {
  const starts: number[] = [];
  const ends: number[][] = [];
  states.push({ kind: "fork", next: starts });
  for (const part of parts) {
    starts.push(states.length);
    build(part, states, maxStates);
    const end: number[] = [];
    states.push({ kind: "fork", next: end });
    ends.push(end);
  }
  for (const end of ends) end.push(states.length);
}

function buildRepeat(
  { part, min, max }: Expression & { kind: "repeat" },
  states: PatternState[],
  maxStates: number,
): void {
  const copies = max === Infinity ? min : max;
  const leaves: number[][] = [];
  for (let copy = 0; copy < copies; copy++) {
    if (copy >= min) {
      const leave = [states.length + 1];
      states.push({ kind: "fork", next: leave });
      leaves.push(leave);
    }
    build(part, states, maxStates);
  }
  if (max === Infinity) {
    const fork = states.length;
    const leave = [fork + 1];
    states.push({ kind: "fork", next: leave });
    build(part, states, maxStates);
    states.push({ kind: "fork", next: [fork] });
    leaves.push(leave);
  }
  for (const leave of leaves) leave.push(states.length);
}

function isAnchored(expression: Expression): boolean {
  if (expression.kind === "assert") return expression.mark === "^";
  if (expression.kind === "choice") return expression.parts.every(isAnchored);
  return expression.kind === "sequence" && expression.parts[0] !== undefined && isAnchored(expression.parts[0]);
}
