import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { JsonObject } from "../../src/protocol.ts";
import { CompiledSchema } from "../../src/schema/compiled_schema.ts";
import { isPlainlyValid } from "../../src/schema/plain_check.ts";

const SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: {
    city: { type: "string", description: "Where" },
    days: { type: "integer", minimum: 1, maximum: 14 },
    units: { type: "string", enum: ["metric", "imperial"] },
    tags: { type: "array", items: { type: "string" } },
  },
  required: ["city"],
  additionalProperties: false,
};

/** The object with a member that JSON leaves out. */
function hidden<T extends object>(target: T, key: string, value: unknown): T {
  return Object.defineProperty(target, key, { value });
}

const ROWS: readonly (readonly [what: string, schema: unknown, value: unknown, said: boolean])[] = [
  ["plain arguments", SCHEMA, { city: "Oslo", days: 3, units: "metric", tags: ["a", "b"] }, true],
  ["nothing where nothing is required", { type: "object" }, {}, true],
  ["further members that are allowed", { type: "object" }, { a: [1, { b: null }] }, true],
  ["a member that is missing", SCHEMA, { days: 3 }, false],
  ["a member that is undefined", SCHEMA, { city: undefined }, false],
  ["a member that is not allowed", SCHEMA, { city: "Oslo", town: "Oslo" }, false],
  ["another type", SCHEMA, { city: 7 }, false],
  ["a number that is no integer", SCHEMA, { city: "Oslo", days: 1.5 }, false],
  ["a number that is no number in JSON", { type: "object" }, { a: NaN }, false],
  ["a number out of bounds", SCHEMA, { city: "Oslo", days: 15 }, false],
  ["a value out of the enum", SCHEMA, { city: "Oslo", units: "cubits" }, false],
  ["a date, which JSON writes as a string", { type: "object" }, new Date(0), false],
  ["a member that is written by toJSON", { type: "object" }, { at: new Date(0) }, false],
  ["a pattern", { type: "string", pattern: "^a" }, "a", false],
  ["a reference", { $ref: "#/$defs/a", type: "string" }, "a", false],
  ["an unknown draft", { $schema: "https://example.com/mine", type: "string" }, "a", false],
  ["no type", { minimum: 3 }, 5, false],
  ["a schema that is a boolean", true, 5, false],
  ["a list of anything", { type: "array" }, [1, ["a", { b: null }]], true],
  ["a hole in a list, which JSON writes as null", { type: "array", items: { type: "string" } }, new Array(2), false],
  ["a hole in a list that nothing is asked of", { type: "object" }, { list: new Array(2) }, false],
  ["what JSON cannot write, in a list that nothing is asked of", { type: "array" }, [1n], false],
  ["a list with a toJSON of its own", { type: "array" }, hidden([], "toJSON", () => "text"), false],
  ["an object with a hidden toJSON", { type: "object" }, hidden({}, "toJSON", () => "text"), false],
  ["a member with a hidden toJSON", { type: "object" }, { a: hidden([], "toJSON", () => "text") }, false],
  ["a member that is hidden from JSON", { type: "object", required: ["a"] }, hidden({}, "a", 1), false],
  ["a member that is inherited", { type: "object", required: ["a"] }, Object.create({ a: 1 }), false],
  ["a limit that is no number in JSON", { type: "number", minimum: -Infinity }, 5, false],
  ["a schema that writes itself", hidden({ type: "string" }, "toJSON", () => false), "a", false],
  ["an argument called toJSON", { type: "object", properties: { toJSON: { type: "string" } } }, { toJSON: "a" }, false],
  ["the zero with a sign, which JSON writes without", { type: "integer", minimum: 0 }, -0, true],
  ["a property called __proto__", JSON.parse('{"type":"object","required":["__proto__"]}'), {}, false],
  ["a property called constructor", { type: "object", required: ["constructor"] }, {}, false],
];

for (const [what, schema, value, said] of ROWS) {
  Deno.test(`isPlainlyValid() is ${said} of ${what}`, () => assertEquals(isPlainlyValid(schema, value), said));
}

Deno.test("isPlainlyValid() looks at no more than its share", () => {
  assertEquals(isPlainlyValid({ type: "object" }, { list: Array.from({ length: 300 }, () => 1) }), false);
  let deep: unknown = 1;
  for (let level = 0; level < 20; level++) deep = { deep };
  assertEquals(isPlainlyValid({ type: "object" }, { deep }), false);
});

Deno.test("isPlainlyValid() says of nothing that it is valid which the real check refuses", () => {
  const type = fc.constantFrom("object", "array", "string", "integer", "number", "boolean", "null");
  const keyword = fc.oneof(
    fc.constant({}),
    fc.record({
      enum: fc.array(fc.oneof(fc.constantFrom("a", "b"), fc.integer({ min: 0, max: 3 })), { minLength: 1 }),
    }),
    fc.record({ minimum: fc.integer({ min: -3, max: 3 }) }),
    fc.record({ maximum: fc.integer({ min: -3, max: 3 }) }),
    fc.record({ required: fc.array(fc.constantFrom("a", "b", "toString"), { maxLength: 2 }) }),
    fc.record({ additionalProperties: fc.boolean() }),
    fc.record({ title: fc.string() }),
  );
  const leaf = fc.tuple(type, keyword).map(([name, rest]) => ({ type: name, ...rest }));
  const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.tuple(leaf, fc.dictionary(fc.constantFrom("a", "b", "c"), tie("schema")))
        .map(([own, properties]) => ({ ...own, properties })),
      fc.tuple(leaf, tie("schema")).map(([own, items]) => ({ ...own, items })),
    ),
  }));
  const small = fc.oneof(fc.constantFrom("a", "b", null, true), fc.integer({ min: -3, max: 3 }));
  const value = fc.oneof(small, fc.array(small, { maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }));
  const named = fc.dictionary(fc.constantFrom("a", "b", "c", "toString"), value);
  let said = 0;
  fc.assert(
    fc.property(schema, fc.oneof(value, named), (candidate, subject) => {
      if (!isPlainlyValid(candidate, subject)) return;
      said++;
      const { verdict } = new CompiledSchema(JSON.stringify(candidate)).check(subject as JsonObject, 100_000);
      assertEquals(verdict, { kind: "valid" });
    }),
    { numRuns: 3_000 },
  );
  assert(said > 50, `It spoke only ${said} times`);
});
