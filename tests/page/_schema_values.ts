import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";

/** A schema, and values that fit it. */
interface SchemaValues {
  readonly schema: JsonObject;
  readonly values: fc.Arbitrary<JsonValue>;
}

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom("\n", "\r", "\0", " ", "a", "<", "&", '"', "\ud800", "\t", "é", "~"),
    maxLength: 6,
  }),
  fc.string({ maxLength: 12 }),
);
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value === 0 ? 0 : value);
const integer = fc.maxSafeInteger();
const json = fc.jsonValue({ depthSize: "small" }).map(normalize) as fc.Arbitrary<JsonValue>;
const time = fc.date({ min: new Date("1900-01-01"), max: new Date("2100-01-01"), noInvalidDate: true }).map((date) =>
  `${date.toISOString().slice(0, 19)}Z`
);
const key = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8 }),
  fc.constantFrom("__proto__", "constructor", "", "a b", "a/b", "a~json", "query", "ä\n", "[0]", "x.y"),
);

const scalars: readonly SchemaValues[] = [
  { schema: { type: "string" }, values: text },
  { schema: { type: "string", maxLength: 5_000, description: "<script>alert(1)</script>" }, values: text },
  { schema: { type: "string", format: "date" }, values: fc.oneof(time.map((at) => at.slice(0, 10)), text) },
  { schema: { type: "string", format: "date-time" }, values: fc.oneof(time, text) },
  { schema: { type: "string", format: "email", default: "me@example.com" }, values: text },
  { schema: { type: "string", format: "password" }, values: text },
  { schema: { type: "number", title: "How much" }, values: number },
  { schema: { type: "integer", minimum: 0, default: 3 }, values: integer },
  { schema: { type: "boolean" }, values: fc.boolean() },
  { schema: { const: "only" }, values: fc.constant("only") },
  { schema: { enum: ["a", 'b"', 3, null, { x: 1 }, "a"] }, values: fc.constantFrom("a", 'b"', 3, null, { x: 1 }) },
  {
    schema: { oneOf: [{ const: "eu", title: "Europe" }, { const: "us", title: "America" }], default: "us" },
    values: fc.constantFrom("eu", "us"),
  },
];
const others: readonly SchemaValues[] = [
  { schema: {}, values: json },
  { schema: { type: ["string", "number"] }, values: fc.oneof(text, number) },
  { schema: { anyOf: [{ type: "object" }, { type: "array" }] }, values: fc.oneof(fc.constant({}), fc.array(json)) },
  { schema: { type: "array", items: { type: "string" } }, values: fc.array(text, { maxLength: 4 }) },
  { schema: { type: "array", items: { type: "integer" }, default: [1] }, values: fc.array(integer, { maxLength: 4 }) },
  { schema: { type: "array", items: { type: "object" } }, values: fc.array(fc.constant({ a: 1 }), { maxLength: 2 }) },
  {
    schema: { type: "array", items: { enum: ["red", "green", "blue"] } },
    values: fc.array(fc.constantFrom("red", "green", "blue"), { maxLength: 4 }),
  },
];

const simple = fc.constantFrom(...scalars, ...others);
const field: fc.Arbitrary<SchemaValues> = fc.oneof(
  simple,
  simple.map(({ schema, values }) => ({
    schema: { anyOf: [schema, { type: "null" }], default: null },
    values: fc.oneof(values, fc.constant(null)),
  })),
  simple.map(({ schema, values }) => ({ schema: { $ref: "#/$defs/a", $defs: { a: schema } }, values })),
);

function group(member: fc.Arbitrary<SchemaValues>): fc.Arbitrary<SchemaValues> {
  const entry = fc.tuple(key, member, fc.boolean());
  return fc.uniqueArray(entry, { selector: ([key]) => key, maxLength: 5 }).map((entries) => ({
    schema: {
      type: "object",
      properties: Object.fromEntries(entries.map(([key, { schema }]) => [key, hoist(schema)])),
      required: entries.flatMap(([key, , isRequired]) => isRequired ? [key] : []),
    },
    values: fc.tuple(...entries.map(([key, { values }, isRequired]) => {
      const member = values.map((value) => [[key, value]] as const);
      return isRequired ? member : fc.oneof(member, fc.constant([]));
    })).map((members) => normalize(Object.fromEntries(members.flat()))),
  }));
}

/** References lead from the root, so that these schemas do without them there. */
function hoist(schema: JsonObject): JsonObject {
  const { $ref, $defs, ...rest } = schema;
  return $ref === undefined ? schema : { allOf: [($defs as { a: JsonObject }).a], ...rest };
}

/** Objects with the values that fit their schemas, down to three levels. */
export const schemasWithValues: fc.Arbitrary<{ schema: JsonObject; value: JsonObject }> = group(
  fc.oneof({ weight: 4, arbitrary: field }, { weight: 1, arbitrary: group(fc.oneof(field, group(field))) }),
).chain(({ schema, values }) => values.map((value) => ({ schema, value: value as JsonObject })));

const keywords = fc.constantFrom(
  ..."type enum const default title description properties required items anyOf oneOf allOf $ref $defs format".split(
    " ",
  ),
  ..."maxLength minimum pattern examples additionalProperties $schema $id id prefixItems $dynamicRef enumNames".split(
    " ",
  ),
);
const values = fc.oneof(
  fc.constantFrom<JsonValue>("object", "string", "array", "null", "#", "#/properties/a", "#/$defs/a", true, false),
  fc.constantFrom<JsonValue>("http://json-schema.org/draft-04/schema#", ["string", "null"], ["a"], [], {}, -1, 1e308),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>,
);

/** What a hostile server may call a schema. */
export const hostileSchemas: fc.Arbitrary<JsonObject> = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.dictionary(
    keywords,
    fc.oneof(
      { depthSize: "small" },
      values,
      tie("schema"),
      fc.array(tie("schema"), { maxLength: 3 }),
      fc.dictionary(key, tie("schema"), { maxKeys: 3 }),
    ),
    { maxKeys: 5 },
  ) as fc.Arbitrary<JsonObject>,
})).schema;

/** A value as JSON has it: without `-0`, and without a prototype of its own. */
function normalize(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value));
}
