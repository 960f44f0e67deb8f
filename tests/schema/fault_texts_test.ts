import { assertEquals } from "@std/assert";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { SchemaChecker } from "../../src/schema/schema_checker.ts";

async function faultsOf(schema: JsonObject, value: JsonValue): Promise<readonly string[]> {
  const verdict = await new SchemaChecker().check(schema, value);
  return verdict.kind === "invalid"
    ? verdict.faults.map(({ path, message }) => `${path} | ${message}`)
    : [verdict.kind];
}

const ADDRESS: JsonObject = {
  type: "object",
  properties: { street: { type: "string" }, zip: { type: "string", pattern: "^\\d{5}$" } },
  required: ["street"],
};
const PET: JsonObject = {
  oneOf: [
    { type: "object", properties: { kind: { const: "cat" }, lives: { type: "integer" } }, required: ["kind", "lives"] },
    { type: "object", properties: { kind: { const: "dog" }, tricks: { type: "array" } }, required: ["kind"] },
  ],
};

const CASES: readonly (readonly [what: string, schema: JsonObject, value: JsonValue, ...faults: string[]])[] = [
  ["a wrong type at the top", { type: "object" }, [], " | Expected an object: got an array"],
  ["one of several types", { type: ["string", "null"] }, 1, " | Expected a string or null: got a number"],
  ["a missing key, with its type", ADDRESS, {}, "street | Missing: add it as a string"],
  ["a missing key that says nothing of its type", { required: ["a b"] }, {}, '["a b"] | Missing: add it'],
  [
    "a missing key whose type is behind a reference",
    {
      required: ["unit", "day"],
      properties: { unit: { $ref: "#/$defs/unit" }, day: { anyOf: [{ type: "integer" }, { type: "null" }] } },
      $defs: { unit: { enum: ["C", "F"], type: "string" } },
    },
    {},
    'unit | Missing: add it as one of "C", "F"',
    "day | Missing: add it as an integer or null",
  ],
  [
    "paths through lists and odd keys",
    { properties: { filters: { properties: { dates: { items: { additionalProperties: { type: "null" } } } } } } },
    { filters: { dates: [{ from: null }, { from: 1, "a b": 2, "": 3 }] } },
    "filters.dates[1].from | Expected null: got a number",
    'filters.dates[1]["a b"] | Expected null: got a number',
    'filters.dates[1][""] | Expected null: got a number',
  ],
  [
    "an unknown key",
    { properties: { a: true, b: true }, additionalProperties: false },
    { a: 1, c: 1 },
    'c | Unknown key: allowed are "a", "b"',
  ],
  [
    "an unknown key beside patterns",
    { properties: { a: true }, patternProperties: { "^x_": true }, additionalProperties: false },
    { c: 1 },
    'c | Unknown key: allowed are "a", keys that match its patterns',
  ],
  ["a key where none may be", { additionalProperties: false }, { c: 1 }, "c | Unknown key: none is allowed here"],
  ["an unevaluated key", { unevaluatedProperties: false }, { c: 1 }, "c | Unknown key: leave it out"],
  ["a forbidden key", { properties: { c: false } }, { c: 1 }, "c | Not allowed here: leave it out"],
  ["one of some values", { enum: ["a", "b", 3, null, {}] }, "c", ' | Expected one of "a", "b", 3, null, an object'],
  ["the value rather than its type", { type: "string", enum: ["a", "b"] }, 1, ' | Expected one of "a", "b"'],
  ["the one value", { const: "a" }, "b", ' | Expected "a"'],
  [
    "limits",
    {
      items: [{ minimum: 3 }, { exclusiveMaximum: 3 }, { multipleOf: 5 }],
      $schema: "http://json-schema.org/draft-07/schema#",
    },
    [2, 3, 7],
    "[0] | Expected at least 3: got 2",
    "[1] | Expected less than 3: got 3",
    "[2] | Expected a multiple of 5: got 7",
  ],
  ["a short text", { minLength: 3 }, "😀", " | Expected at least 3 characters: got 1"],
  ["a long list", { maxItems: 1 }, [1, 2], " | Expected at most 1 item: got 2"],
  ["too few keys", { minProperties: 1 }, {}, " | Expected at least 1 key: got 0"],
  ["a pattern", ADDRESS, { street: "x", zip: "1" }, 'zip | Expected text that matches the pattern "^\\\\d{5}$"'],
  ["an item twice", { uniqueItems: true }, [1, 2, 1], "[2] | The same as item 0: leave it out"],
  ["too few of a kind", { contains: { type: "string" } }, [1], " | Expected at least 1 item that is a string: got 0"],
  [
    "a key's name",
    { propertyNames: { maxLength: 2 } },
    { abc: 1 },
    "abc | Key cannot be used: expected at most 2 characters: got 3",
  ],
  ["a key that needs another", { dependentRequired: { a: ["b"] } }, { a: 1 }, 'b | Missing: needed along with "a"'],
  ["what may not fit", { not: { type: "string" } }, "a", " | Fits what is not allowed here"],
  [
    "two alternatives that fit",
    { oneOf: [{ type: "number" }, { minimum: 1 }] },
    2,
    " | Fits 2 alternatives: only one of them may fit",
  ],
  [
    "alternatives of different types as one wish",
    { anyOf: [{ type: "string" }, { enum: [1, 2] }, { type: "null" }] },
    true,
    " | Expected a string, one of 1, 2 or null: got a boolean",
  ],
  [
    "the one alternative of the value's type",
    { properties: { home: { anyOf: [{ type: "null" }, ADDRESS] } } },
    { home: {} },
    "home.street | Missing: add it as a string",
  ],
  ["the alternative that a key names", PET, { kind: "cat" }, "lives | Missing: add it as an integer"],
  ["alternatives that a key would tell apart", PET, { kind: "cow" }, 'kind | Expected "cat" or "dog"'],
  [
    "alternatives that nothing tells apart",
    { anyOf: [{ required: ["a", "b"] }, { required: ["c"] }] },
    {},
    " | Fits none of 2 alternatives; the nearest says of c: Missing: add it",
  ],
];

for (const [what, schema, value, ...faults] of CASES) {
  Deno.test(`SchemaChecker.check() says what is wrong and what to write: ${what}`, async () => {
    assertEquals(await faultsOf(schema, value), faults);
  });
}

Deno.test("SchemaChecker.check() gives 20 faults at most", async () => {
  const faults = await faultsOf({ items: { type: "string" } }, Array.from({ length: 500 }, (_, index) => index));
  assertEquals([faults.length, faults[0]], [20, "[0] | Expected a string: got a number"]);
});

Deno.test("SchemaChecker.check() bounds every text, whatever the schema and the value name", async () => {
  const long = "k".repeat(5_000);
  const names = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`${index}${"n".repeat(200)}`, true]));
  let value: JsonValue = { [long]: 1 };
  let schema: JsonObject = { properties: names, additionalProperties: false };
  for (let level = 0; level < 15; level++) {
    value = { ["key".repeat(15)]: value };
    schema = { additionalProperties: schema };
  }
  const verdict = await new SchemaChecker().check(schema, value);
  if (verdict.kind !== "invalid") throw new Error(verdict.kind);
  const [{ path, message } = { path: "", message: "" }] = verdict.faults;
  assertEquals([path.length, path.startsWith("…"), path.endsWith('…"]')], [256, true, true]);
  assertEquals([message.length, message.startsWith('Unknown key: allowed are "')], [512, true]);
});

Deno.test("SchemaChecker.check() escapes what is not seen or turns the text around", async () => {
  const faults = await faultsOf({ properties: { "a\u202eb": { const: "\u2066x\n\u200b" } } }, { "a\u202eb": 1 });
  assertEquals(faults, ['["a\\u{202e}b"] | Expected "\\u{2066}x\\n\\u{200b}"']);
});
