import { assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LinearPattern } from "../../src/schema/linear_pattern.ts";

const MAX_STATES = 2_000;

const { pattern } = fc.letrec<{ atom: string; term: string; pattern: string }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(
      "a",
      "b",
      "1",
      "é",
      "😀",
      "-",
      "\\.",
      "\\/",
      "\\-",
      "\\u0061",
      "\\x62",
      "\\u{1F600}",
      "\\ud83d\\ude00",
    ),
    fc.constantFrom(
      ".",
      "\\d",
      "\\W",
      "\\s",
      "\\p{L}",
      "\\P{Lu}",
      "[ab]",
      "[^a]",
      "[\\w.-]",
      "[\\]a]",
      "[]",
      "[^]",
      "[😀-😎]",
    ),
    tie("pattern").map((inner) => `(${inner})`),
    tie("pattern").map((inner) => `(?:${inner})`),
  ),
  term: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(tie("atom"), fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,3}", "{0}", "{2,}", "+?")),
    }
      .arbitrary.map(([atom, quantifier]) => atom + quantifier),
    fc.constantFrom("^", "$", "\\b", "\\B"),
  ),
  pattern: fc.array(fc.array(tie("term"), { maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((choices) => choices.map((terms) => terms.join("")).join("|")),
}));
const text = fc.array(fc.constantFrom("a", "b", "1", "é", "😀", "\ud83d", " ", ".", "-", "\n", "\u2028"), {
  maxLength: 8,
})
  .map((characters) => characters.join(""));

/** Nested repetitions can ask for more states than any pattern may have; that is not what is looked at here. */
function readUnlessLarge(source: string): LinearPattern | undefined {
  try {
    return new LinearPattern(source, MAX_STATES);
  } catch (error) {
    if (error instanceof SyntaxError && error.message === "The pattern has too many states") return undefined;
    throw error;
  }
}

Deno.test("LinearPattern.test() finds what RegExp finds", () => {
  fc.assert(
    fc.property(pattern, text, (source, text) => {
      const read = readUnlessLarge(source);
      fc.pre(read !== undefined);
      // V8 finds `\B` in the middle of a surrogate pair, where the standard does not look.
      fc.pre(!source.includes("\\B") || !/\p{Extended_Pictographic}/u.test(text));
      // The platform refuses a hyphen that is escaped outside of a set.
      assertEquals(read.test(text), new RegExp(source.replaceAll("\\-", "-"), "u").test(text));
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("LinearPattern.test() takes a number of steps in proportion to the text", () => {
  for (
    const source of ["^(a+)+$", "^((a+)+)+$", "(a|aa)+$", "^(a|a?)+$", "(.*)(.*)(.*)b", "(?:a?){30}a{30}$", "((a*)*)*b"]
  ) {
    const stepsOf = (length: number) => {
      let steps = 0;
      new LinearPattern(source, MAX_STATES).test("a".repeat(length) + "!", (entered) => steps += entered);
      return steps;
    };
    assertLess(stepsOf(2_000), 2.2 * stepsOf(1_000), source);
  }
});

Deno.test("LinearPattern.test() stops early where a pattern is bound to the start", () => {
  let steps = 0;
  const found = new LinearPattern("^(?:x|y)z", MAX_STATES).test("a".repeat(10_000), (entered) => steps += entered);
  assertEquals(found, false);
  assertLess(steps, 20);
});

for (const source of ["\\_", "\\@", '\\"', "[\\w\\_\\@\\-]", "a\\-b", "\\ "]) {
  Deno.test(`LinearPattern reads ${source}, as the marks mean themselves`, () => {
    assertEquals(new LinearPattern(source, MAX_STATES).test('_@"a-b '), true);
  });
}

for (
  const source of [
    ...["(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(a)\\1", "(?<n>a)\\k<n>", "(?i:a)", "(?P<n>a)", "\\A", "\\Z", "\\1"],
    ...[
      "(",
      ")",
      "(a",
      "a)",
      "[a",
      "*a",
      "a**",
      "a{2,1}",
      "{",
      "}",
      "]",
      "\\",
      "^*",
      "\\b+",
      "[b-a]",
      "\\p{Foo}",
      "\\u{110000}",
    ],
    ...[
      "a{2001}",
      "((a{20}){20}){20}",
      "(((((?:){9}){9}){9}){9}){9}",
      "(?:){999999999}",
      "(".repeat(101) + ")".repeat(101),
    ],
    "a".repeat(4_097),
  ]
) {
  Deno.test(`LinearPattern refuses ${source.length > 40 ? `${source.slice(0, 40)}…` : source}`, () => {
    assertThrows(() => new LinearPattern(source, MAX_STATES), SyntaxError);
  });
}
