import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { SchemaChecker, type SchemaCheckerOptions } from "../../src/schema/schema_checker.ts";
import { DRAFT_07 } from "./_verdicts.ts";

async function reasonOf(schema: JsonObject, value: unknown, options?: SchemaCheckerOptions): Promise<string> {
  const verdict = await new SchemaChecker(options).check(schema, value);
  return verdict.kind === "unusable" ? verdict.reason : verdict.kind;
}

function nested(levels: number): JsonValue {
  let value: JsonValue = 1;
  for (let level = 1; level < levels; level++) value = [value];
  return value;
}

const UNUSABLE: readonly (readonly [what: string, schema: JsonObject, reason: string])[] = [
  ["an unknown $schema", { $schema: "https://example.com/mine" }, "its $schema is not one that is known"],
  ["a $schema that is no text", { $schema: null }, "its $schema is not one that is known"],
  [
    "parts in another draft",
    { properties: { a: { $id: "a.json", $schema: DRAFT_07 } } },
    "its parts are written in several drafts",
  ],
  ["a $ref into the network", { $ref: "https://example.com/s.json" }, "one of its references leads out of it"],
  ["a $ref to a file", { items: { $ref: "other.json#/a" } }, "one of its references leads out of it"],
  ["a $ref to what is not there", { $ref: "#/$defs/a" }, "one of its references leads nowhere"],
  ["a $ref to what every object has", { $ref: "#/constructor" }, "one of its references leads nowhere"],
  ["a $ref that is no URI", { $ref: "http://[" }, "one of its names is not a URI"],
  ["a $ref that cannot be decoded", { $ref: "#/%E0%A4" }, "one of its references is malformed"],
  ["two schemas of one name", { $defs: { a: { $id: "x" }, b: { $id: "x" } } }, "two schemas in it have the same name"],
  ["a $ref to itself", { $ref: "#" }, "its references go too deep, or round in circles"],
  [
    "references in a circle",
    { anyOf: [{ $ref: "#/$defs/a" }], $defs: { a: { not: { $ref: "#" } } } },
    "its references go too deep, or round in circles",
  ],
  ["a malformed type", { type: "text" }, 'its keyword "type" is malformed'],
  ["a type that every object has", { type: "constructor" }, 'its keyword "type" is malformed'],
  ["no type", { type: [] }, 'its keyword "type" is malformed'],
  ["malformed properties", { properties: { a: 1 } }, 'its keyword "properties" is malformed'],
  ["a mark where names are wanted", { required: true }, 'its keyword "required" is malformed'],
  ["a list where a schema is wanted", { items: [true] }, 'its keyword "items" is malformed'],
  ["alternatives that are none", { anyOf: { a: true } }, 'its keyword "anyOf" is malformed'],
  ["a limit that is none", { minLength: -1 }, 'its keyword "minLength" is malformed'],
  ["a divisor of zero", { multipleOf: 0 }, 'its keyword "multipleOf" is malformed'],
  ["a pattern that is no text", { pattern: 1 }, 'its keyword "pattern" is malformed'],
  ["64 KiB and a character", { description: "x".repeat(65_520) }, "it passes 65536 characters"],
  ["129 levels", { default: nested(128) }, "it has more than 128 levels"],
];

for (const [what, schema, reason] of UNUSABLE) {
  Deno.test(`SchemaChecker.check() says nothing of a value where the schema has ${what}`, async () => {
    assertEquals(await reasonOf(schema, "value"), reason);
  });
}

Deno.test("SchemaChecker.check() takes schemas up to 64 KiB and 128 levels", async () => {
  assertEquals(await reasonOf({ description: "x".repeat(65_536 - 18) }, 1), "valid");
  assertEquals(await reasonOf({ default: nested(127) }, 1), "valid");
});

Deno.test("SchemaChecker.check() takes values up to its limits", async () => {
  const nodes = (count: number) => Array.from({ length: count - 1 }, () => 0);
  assertEquals(await reasonOf({}, nodes(10_000)), "valid");
  assertEquals(await reasonOf({}, nodes(10_001)), "the value is too large to be checked");
  assertEquals(await reasonOf({}, "x".repeat(1_048_576)), "valid");
  assertEquals(await reasonOf({}, { ["x".repeat(1_048_576)]: 1 }), "the value is too large to be checked");
  assertEquals(await reasonOf({}, nested(64)), "valid");
  assertEquals(await reasonOf({}, nested(65)), "the value has more than 64 levels");
  assertEquals(
    await reasonOf({ items: true }, [1, 2, 3], { maxSteps: 5 }),
    "checking the value with it takes too long",
  );
});

Deno.test("SchemaChecker.check() looks at a value as JSON writes it", async () => {
  const schema = { properties: { a: { type: "string" }, b: { type: "null" } }, additionalProperties: false };
  const value = { a: new Date(0), b: NaN, c: undefined, d: () => {} };
  assertEquals(await reasonOf(schema, value), "valid");
  assertEquals(await reasonOf({ items: { type: "null" } }, [undefined, Infinity]), "valid");
  assertEquals(await reasonOf({ type: "object" }, new Map([["a", 1]])), "valid");
  assertEquals(await reasonOf({ type: "object" }, Object.assign(Object.create(null), { a: 1 })), "valid");
});

Deno.test("SchemaChecker.check() says nothing of what is not JSON", async () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assertEquals(await reasonOf({}, undefined), "the value is not JSON");
  assertEquals(await reasonOf({}, () => {}), "the value is not JSON");
  assertEquals(await reasonOf({}, 1n), "the value is not JSON");
  assertEquals(await reasonOf({}, circle), "the value has more than 64 levels");
  assertEquals(await reasonOf({}, { toJSON: () => ({ a: nested(80) }) }), "the value has more than 64 levels");
});

Deno.test("SchemaChecker.check() says nothing where a schema has a circle or a number that JSON does not have", async () => {
  const schema: JsonObject = { type: "object" };
  schema.self = schema;
  assertEquals(await reasonOf(schema, {}), "it has more than 128 levels");
  assertEquals(await reasonOf({ minimum: NaN }, 1), 'its keyword "minimum" is malformed');
});

Deno.test("SchemaChecker.check() neither changes a schema nor a value", async () => {
  const schema = Object.freeze({ $defs: Object.freeze({ a: Object.freeze({ $id: "a" }) }), $ref: "a" });
  assertEquals(await reasonOf(schema, Object.freeze({})), "valid");
});

/** Patterns that look ahead cannot be run in one go; what else the schema says still counts. */
Deno.test("SchemaChecker.check() skips a pattern that cannot be run, and nothing else", async () => {
  const odd = "(?=a)a";
  assertEquals(await reasonOf({ pattern: odd, minLength: 1 }, "b"), "valid");
  assertEquals(await reasonOf({ pattern: odd, minLength: 1 }, ""), "invalid");
  assertEquals(await reasonOf({ not: { pattern: odd } }, "a"), "valid");
  assertEquals(await reasonOf({ oneOf: [{ pattern: odd }, { minLength: 0 }] }, "b"), "valid");
  assertEquals(
    await reasonOf({ patternProperties: { [odd]: { type: "null" } }, additionalProperties: false }, { a: 1 }),
    "valid",
  );
  assertEquals(await reasonOf({ patternProperties: { [odd]: true }, unevaluatedProperties: false }, { a: 1 }), "valid");
  assertEquals(await reasonOf({ if: { pattern: odd }, then: false, else: false }, "a"), "valid");
  assertEquals(await reasonOf({ contains: { pattern: odd }, maxContains: 1 }, ["b", "c"]), "valid");
  assertEquals(await reasonOf({ not: { contains: { pattern: odd } } }, ["b"]), "valid");
  const either = { properties: { a: true } };
  const condition = { if: { properties: { k: { pattern: odd } } }, then: either, else: either };
  assertEquals(
    await reasonOf({ ...condition, properties: { k: true }, unevaluatedProperties: false }, { k: "b", a: 1 }),
    "valid",
  );
});

const { schema: anySchema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<JsonObject>({ pattern: "^a" }, { pattern: "b$" }, { minLength: 2 }, { type: "string" }, {
      const: "ab",
    }),
    fc.record({ not: tie("schema") }),
    fc.record({ if: tie("schema"), then: tie("schema"), else: tie("schema") }),
    fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ oneOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }), unevaluatedProperties: tie("schema") }),
    fc.record({ allOf: fc.array(tie("schema"), { maxLength: 2 }), unevaluatedItems: fc.constant(false) }),
    fc.record({
      contains: tie("schema"),
      minContains: fc.nat(2),
      maxContains: fc.nat(2),
      unevaluatedItems: tie("schema"),
    }),
    fc.record({ properties: fc.record({ ab: tie("schema") }), additionalProperties: tie("schema") }),
    fc.record({ patternProperties: fc.record({ "^a": tie("schema") }), additionalProperties: fc.boolean() }),
    fc.record({ patternProperties: fc.record({ "b$": tie("schema") }), unevaluatedProperties: fc.constant(false) }),
    fc.record({ propertyNames: tie("schema"), items: tie("schema") }),
  ) as fc.Arbitrary<JsonObject>,
}));
const anyValue = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom("a", "ab", "b", "", 1),
    fc.array(tie("value"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("a", "ab", "b"), tie("value"), { maxKeys: 2 }),
  ),
})).value as fc.Arbitrary<JsonValue>;

Deno.test("SchemaChecker.check() rejects nothing for a pattern that it skips", async () => {
  const checker = new SchemaChecker();
  await fc.assert(
    fc.asyncProperty(anySchema, anyValue, async (schema, value) => {
      // The same patterns, once written so that they cannot be run.
      const skipped = JSON.parse(JSON.stringify(schema).replaceAll('"^a"', '"(?=)^a"').replaceAll('"b$"', '"(?=)b$"'));
      const [sure, unsure] = [await checker.check(schema, value), await checker.check(skipped, value)];
      if (unsure.kind === "invalid") assertEquals(sure.kind, "invalid");
      assertEquals([sure, unsure].filter(({ kind }) => kind === "unusable"), []);
    }),
    { numRuns: 2_000 },
  );
});

/** A checker whose clock goes on by a millisecond whenever it is looked at, and the pauses it has made. */
function watched(options: SchemaCheckerOptions = {}): { readonly checker: SchemaChecker; readonly pauses: string[] } {
  let nowMs = 0;
  const pauses: string[] = [];
  const pause = () => Promise.resolve(void pauses.push(`at ${nowMs}`));
  return { checker: new SchemaChecker({ pause, now: () => nowMs++, ...options }), pauses };
}

Deno.test("SchemaChecker.check() compiles one after the other, and lets other work run every few milliseconds", async () => {
  const { checker, pauses } = watched();
  const schemas = Array.from({ length: 25 }, (_, index) => ({ const: index }));
  const verdicts = await Promise.all(schemas.map((schema) => checker.check(schema, 1)));
  assertEquals(verdicts.filter(({ kind }) => kind === "valid").length, 1);
  assertEquals(pauses, ["at 9", "at 18", "at 27"]);
  await Promise.all(schemas.map((schema) => checker.check(schema, 1)));
  assertEquals(pauses.length, 3);
});

Deno.test("SchemaChecker.check() keeps the schemas used last", async () => {
  let nowMs = 0;
  const { checker, pauses } = watched({ maxCompiled: 2, now: () => (nowMs += 10) });
  const [a, b, c] = [{ const: "a" }, { const: "b" }, { const: "c" }];
  for (const schema of [a, b, a, c]) await checker.check(schema, 1);
  /** What is not kept has to be compiled, and then there is a pause before the next schema is. */
  const isKept = async (schema: JsonObject) => {
    const before = pauses.length;
    await Promise.all([checker.check(schema, 1), checker.check({ before }, 1)]);
    return pauses.length === before;
  };
  assertEquals([await isKept(a), await isKept(b)], [true, false]);
});

Deno.test("SchemaChecker.check() lets other work run between slow checks of the same schema", async () => {
  let nowMs = 0;
  const { checker, pauses } = watched({ maxSteps: 100, now: () => (nowMs += 10) });
  const schema = { items: { type: "number" } };
  await checker.check(schema, []);
  await Promise.all(Array.from({ length: 5 }, () => checker.check(schema, [1, 2, 3, 4, 5, 6, 7, 8])));
  // The first one tells that they are slow; after the last one nobody waits.
  assertEquals(pauses.length, 3);
});

Deno.test("SchemaChecker.check() goes on where the pause fails", async () => {
  let nowMs = 0;
  const { checker } = watched({ pause: () => Promise.reject(new Error("no timer")), now: () => (nowMs += 10) });
  const checks = [{ const: 1 }, { const: 2 }, { const: 3 }].map((schema) => checker.check(schema, 2));
  assertEquals((await Promise.all(checks)).map(({ kind }) => kind), ["invalid", "valid", "invalid"]);
});

Deno.test("SchemaChecker refuses options that are no positive integers", () => {
  for (const maxSteps of [0, -1, 1.5, NaN, Infinity]) {
    const wording = `Cannot create a schema checker as maxSteps has to be a positive integer: ${maxSteps}`;
    assertThrows(() => new SchemaChecker({ maxSteps }), RangeError, wording);
  }
});
