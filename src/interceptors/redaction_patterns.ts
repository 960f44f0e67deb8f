/**
 * Patterns of what is often not to be passed on. Each takes time in proportion to the text, whatever the text.
 *
 * @module
 */

/** What stands for what was taken out. */
export const REDACTED = "[redacted]";

/**
 * What is taken out of a text: an exact text, a regular expression, or a function that gives the text without it.
 * Whoever writes a regular expression answers for the time it takes.
 *
 * @example
 * ```ts
 * import { redaction, type RedactionPattern } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const patterns: readonly RedactionPattern[] = [
 *   "Project Nightfall",
 *   /\bK-\d{6}\b/g,
 *   (text) => text.replaceAll(/(?<=password: )\S+/g, "[redacted]"),
 * ];
 * assertEquals(typeof redaction({ patterns }).callTool, "function");
 * ```
 */
export type RedactionPattern = string | RegExp | ((text: string) => string);

/**
 * Patterns to choose from. They find what looks like such a thing; they are no proof that there is none.
 *
 * @example
 * ```ts
 * import { type CommonRedactionPatterns, redaction, redactionPatterns } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const { bearerToken, jwt }: CommonRedactionPatterns = redactionPatterns;
 * assertEquals(typeof redaction({ patterns: [bearerToken, jwt] }).callTool, "function");
 * ```
 */
export interface CommonRedactionPatterns {
  /** Addresses of e-mail. */
  readonly email: RedactionPattern;
  /** Numbers of payment cards: 13 to 19 digits, in groups or not, with a check digit (Luhn) that fits. */
  readonly cardNumber: RedactionPattern;
  /** `Bearer` with its token, as in a header. */
  readonly bearerToken: RedactionPattern;
  /** JSON Web Tokens. */
  readonly jwt: RedactionPattern;
}

// Each begins where no character of its own kind stands before, or with a literal: so no text makes it start over and over.
const EMAIL = /(?<![\p{L}\p{N}._%+'-])[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;
const BEARER = /\bBearer[ \t]+[A-Za-z0-9\-._~+/]+=*/gi;
const JWT = /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g;

const DIGIT_RUN = /\d(?:[ -]?\d){12,}/g;
const MIN_DIGITS = 13;
const MAX_DIGITS = 19;
/** Of the schemes in use. */
const CARD_BEGINNING = /^[2-6]/;

/**
 * Patterns to choose from.
 *
 * @example
 * ```ts
 * import { redaction, redactionPatterns } from "@portolan/mcp/interceptors";
 *
 * const { email, cardNumber } = redactionPatterns;
 * const discreet = redaction({ patterns: [email, cardNumber, "Project Nightfall"] });
 * ```
 */
export const redactionPatterns: CommonRedactionPatterns = Object.freeze({
  email: EMAIL,
  cardNumber: redactCardNumbers,
  bearerToken: BEARER,
  jwt: JWT,
});

function redactCardNumbers(text: string): string {
  return text.replaceAll(DIGIT_RUN, redactRun);
}

/** A card's number is whole groups of a run: a number inside of a longer one is none. */
function redactRun(run: string): string {
  const groups = [...run.matchAll(/\d+/g)];
  let redacted = "";
  let done = 0;
  for (let first = 0; first < groups.length; first++) {
    const last = findLastGroup(groups, first);
    if (last === undefined) continue;
    redacted += run.slice(done, groups[first]!.index) + REDACTED;
    done = groups[last]!.index + groups[last]![0].length;
    first = last;
  }
  return redacted + run.slice(done);
}

/** The group with which the longest card number ends that begins with another. */
function findLastGroup(groups: readonly RegExpExecArray[], first: number): number | undefined {
  let digits = "";
  let found: number | undefined;
  for (let last = first; last < groups.length; last++) {
    digits += groups[last]![0];
    if (digits.length > MAX_DIGITS) break;
    if (digits.length >= MIN_DIGITS && CARD_BEGINNING.test(digits) && fitsLuhn(digits)) found = last;
  }
  return found;
}

function fitsLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
