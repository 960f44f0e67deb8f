import { assert, assertEquals, assertFalse, assertLess } from "@std/assert";
import fc from "fast-check";
import { FaultList } from "../../src/config/config_checks.ts";
import { parseConfig } from "../../src/config_file.ts";
import { parseText } from "../../src/config/config_text.ts";
import { ConfigError, type ConfigFault } from "../../src/errors.ts";

/** The one fault of a text. */
function faultOf(text: string, source?: string): ConfigFault {
  const faults = new FaultList();
  assertEquals(parseText(text, source, faults), undefined);
  assertEquals(faults.count, 1);
  try {
    faults.throwIfAny();
  } catch (error) {
    if (error instanceof ConfigError && error.faults[0] !== undefined) return error.faults[0];
  }
  throw new Error("unreachable");
}

Deno.test("parseText() reads YAML's core schema, without dates and merge keys", () => {
  const faults = new FaultList();
  const data = parseText('a: 2020-01-01\nb: yes\nc: [1, null, true]\nd: { "<<": {} }', undefined, faults);
  assertEquals(data, { a: "2020-01-01", b: "yes", c: [1, null, true], d: { "<<": {} } });
  assertEquals(faults.count, 0);
});

/** What is wrong, the text, and the start of the reason. */
const FAULTS: readonly (readonly [string, string, string])[] = [
  ["an empty text", "", "empty, write at least one agent"],
  ["a comment alone", "# nothing\n", "empty"],
  ["a duplicate key", "a: hunter22\nb:\n  c: 1\n  c: 2", "a key stands twice in one mapping at line 4, column 3"],
  ["a syntax fault", 'a: "hunter22\nb: [', "a double quote is not closed"],
  ["an unknown tag", "a: !!hunter22 x", "a tag is not known at line 1"],
  ["an alias without anchor", "a: *hunter22", "an alias has no anchor at"],
  ["several documents", "a: 1\n---\nb: 2", "there are several documents"],
];

for (const [name, text, reason] of FAULTS) {
  Deno.test(`parseText() rejects ${name} without quoting the text`, () => {
    const { path, message } = faultOf(text);
    assertEquals(path, "");
    const start = `Cannot read the text as YAML or JSON: ${reason}`;
    assertEquals(message.slice(0, start.length), start);
    assertFalse(message.includes("hunter22"));
  });
}

Deno.test("parseText() names its source", () => {
  assertEquals(
    faultOf("a: [", "portolan.yaml").message,
    'Cannot read "portolan.yaml" as YAML or JSON: a bracket or brace is not closed at line 2, column 1',
  );
});

const MIB = 1_048_576;
/** Ten lists, each of nine times the one before. */
const BOMB = ["&l0 [x]", ...Array.from({ length: 9 }, (_, index) => `&l${index + 1} [${Array(9).fill(`*l${index}`)}]`)]
  .map((list) => `- ${list}\n`).join("");

const HOSTILE: readonly (readonly [string, string, string, number])[] = [
  ["an alias bomb", BOMB, "too large, it holds more than 100000 values", 50],
  [
    "an alias bomb of keys",
    `a: &a [${"x,".repeat(200_000)}]\nb:\n${"- ? *a\n  : 1\n".repeat(20_000)}`,
    "too many aliases",
    50,
  ],
  ["a circle of aliases", "&a { b: *a, c: *a }", "too large, it holds more than 100000 values", 50],
  ["aliases without end", `a: &a 1\nb: [${"*a,".repeat(101)}]`, "too many aliases", 50],
  ["10 MB", "a".repeat(10 * MIB), "too large, it has 10485760 characters and may have 1048576", 50],
  ["deep brackets", "[".repeat(MIB), "nested too deeply", 500],
  ["deep mappings", "{a: ".repeat(MIB / 4), "nested too deeply", 500],
  ["directives without end", "%A b\n".repeat(MIB / 5), 'too many lines that start with "%"', 500],
];

for (const [name, text, reason, limitMs] of HOSTILE) {
  Deno.test(`parseText() rejects ${name} with one fault within ${limitMs} ms`, () => {
    const times = [1, 2, 3].map(() => {
      const start = performance.now();
      assert(faultOf(text).message.includes(reason));
      return performance.now() - start;
    });
    // The quickest of three, as the machine may be busy with something else.
    assertLess(Math.min(...times), limitMs);
  });
}

Deno.test("parseConfig() throws nothing but ConfigError on any text", () => {
  const token = fc.constantFrom(
    ...[
      "servers:",
      "agents:",
      "mcpServers:",
      " a: ",
      "{",
      "}",
      "[",
      "]",
      ",",
      "\n",
      "  ",
      "- ",
      "? ",
      ": ",
      "&a ",
      "*a",
    ],
    ...[
      "url: http://[::1]",
      "secrets: ",
      "<<: ",
      "${T}",
      "${env:A}",
      "'",
      '"',
      "|\n",
      "!!str ",
      "__proto__: ",
      "%",
      "---\n",
    ],
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(token, { maxLength: 30 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (any) => {
      try {
        parseConfig(any);
      } catch (error) {
        assert(error instanceof ConfigError, String(error));
      }
    }),
    { numRuns: 1_000 },
  );
});
