import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mendSchema } from "../../src/models/mended_schema.ts";
import { isStrictSchema } from "../../src/models/strict_schema.ts";
import { fitSchema } from "../../src/models/vendor_schema.ts";
import type { JsonObject } from "../../src/protocol.ts";

const STRING = { type: "string" };
const NUMBER = { type: "number" };
const REFUSED = ["anyOf", "oneOf", "allOf", "enum", "const", "not", "$ref"];

Deno.test("fitSchema() leaves an object as it is, without $schema", () => {
  const schema = { type: "object", properties: { a: STRING }, required: ["a"], additionalProperties: false };
  const fitted = fitSchema({ $schema: "http://json-schema.org/draft-07/schema#", ...schema });
  assertEquals(fitted, { schema: { ...schema, type: "object" }, folded: false });
});

Deno.test("fitSchema() makes an object of what says nothing or nonsense", () => {
  for (const schema of [{}, { type: "string" }, { type: ["object", "null"] }, { properties: [], required: "a" }]) {
    assertEquals(fitSchema(schema as JsonObject).schema, { type: "object", properties: {} });
  }
});

Deno.test("fitSchema() folds alternatives into one object and says what belongs together", () => {
  const { schema, folded } = fitSchema({
    anyOf: [
      { type: "object", properties: { content: STRING, mode: STRING }, required: ["content", "mode"] },
      { type: "object", properties: { url: STRING, mode: NUMBER }, required: ["url", "mode"] },
    ],
  });
  assertEquals([schema, folded], [{
    type: "object",
    properties: { content: STRING, mode: { anyOf: [STRING, NUMBER] }, url: STRING },
    required: ["mode"],
    description: "Give the arguments of at least one of these: content; url.",
  }, true]);
});

Deno.test("fitSchema() tells alternatives apart by their constant", () => {
  const variant = (kind: string, rest: JsonObject) => ({
    properties: { kind: { const: kind }, ...rest },
    required: ["kind", ...Object.keys(rest)],
    additionalProperties: false,
  });
  const { schema } = fitSchema({ oneOf: [variant("file", { path: STRING }), variant("web", { url: STRING })] });
  assertEquals(schema, {
    type: "object",
    properties: { kind: { anyOf: [{ const: "file" }, { const: "web" }] }, path: STRING, url: STRING },
    required: ["kind"],
    additionalProperties: false,
    description: 'Give the arguments of exactly one of these: kind = "file", path; kind = "web", url.',
  });
});

Deno.test("fitSchema() joins what must all hold", () => {
  const { schema } = fitSchema({
    description: "Both",
    properties: { a: { description: "An a" } },
    allOf: [{ properties: { a: STRING }, required: ["a"] }, {
      properties: { a: { type: "string", minLength: 1 }, b: NUMBER },
    }],
  });
  assertEquals(schema, {
    type: "object",
    properties: { a: { description: "An a", type: "string", minLength: 1 }, b: NUMBER },
    required: ["a"],
    description: "Both",
  });
  const { schema: conflict } = fitSchema({ allOf: [{ properties: { a: STRING } }, { properties: { a: NUMBER } }] });
  assertEquals(conflict.properties, { a: { allOf: [STRING, NUMBER] } });
});

Deno.test("fitSchema() follows a reference at the top and keeps the definitions", () => {
  const $defs = { Input: { properties: { next: { $ref: "#/$defs/Input" } }, required: ["next"] } };
  const { schema } = fitSchema({ $ref: "#/$defs/Input", $defs });
  assertEquals(schema, { type: "object", $defs, properties: { next: { $ref: "#/$defs/Input" } }, required: ["next"] });
});

Deno.test("fitSchema() keeps alternatives that a reference points into", () => {
  const { schema } = fitSchema({
    anyOf: [{ properties: { a: STRING } }, { properties: { b: { $ref: "#/anyOf/0/properties/a" } } }],
  });
  assertEquals(schema.properties.b, { $ref: "#/$defs/folded/anyOf/0/properties/a" });
  assertEquals((schema.$defs as { folded: { anyOf: unknown[] } }).folded.anyOf[0], { properties: { a: STRING } });
});

Deno.test("fitSchema() says in words what it cannot keep", () => {
  const { schema } = fitSchema({ properties: { a: STRING }, not: { required: ["a", "b"] }, enum: [{ a: "x" }] });
  assertEquals(schema.description, 'Must not match: {"required":["a","b"]}\nMust be one of: [{"a":"x"}]');
});

Deno.test("fitSchema() leaves nothing at the top that vendors refuse, and ends on schemas without end", () => {
  const circle = { $defs: { A: { allOf: Array(50).fill({ $ref: "#/$defs/A" }) } }, $ref: "#/$defs/A" };
  const missing = { $ref: "#/$defs/Nowhere" };
  const remote = { $ref: "https://example.com/schema" };
  const odd = { anyOf: [true, false, null, "x"], oneOf: {}, allOf: [[]], const: 1, properties: { a: true } };
  for (const schema of [circle, missing, remote, odd] as JsonObject[]) {
    const fitted = fitSchema(schema).schema;
    assertEquals(REFUSED.filter((keyword) => keyword in fitted), []);
    assertEquals(fitted.type, "object");
  }
});

Deno.test("fitSchema() requires nothing for alternatives that say nothing, or that are too many to look at", () => {
  const { schema } = fitSchema({ anyOf: [true, { properties: { a: STRING }, required: ["a"] }] });
  assertEquals([schema.required, schema.properties], [undefined, { a: STRING }]);
  const many = Array.from({ length: 600 }, (_, at) => ({ properties: { [`a${at}`]: STRING }, required: ["x"] }));
  const { schema: cut } = fitSchema({ properties: { x: STRING }, anyOf: many });
  assertEquals([cut.required, "a0" in cut.properties, "a599" in cut.properties], [undefined, true, false]);
});

Deno.test("fitSchema() does not change what it is given, nor drop an argument called like a member of every object", () => {
  const schema: JsonObject = JSON.parse('{"properties":{"__proto__":{"type":"array"},"constructor":{}},"oneOf":[{}]}');
  const before = JSON.stringify(schema);
  assertEquals(Object.keys(fitSchema(schema).schema.properties), ["__proto__", "constructor"]);
  assertEquals(JSON.stringify(schema), before);
});

Deno.test("mendSchema() says in the words of 2020-12 what older drafts say", () => {
  const tuple = { type: "array", items: [STRING, NUMBER], additionalItems: false };
  const mended = mendSchema({
    properties: {
      tuple,
      open: { type: "array", items: [STRING], additionalItems: NUMBER },
      any: { type: ["array", "null"] },
      above: { minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
      nested: { anyOf: [{ type: "array" }] },
    },
  });
  assertEquals(mended.properties, {
    tuple: { type: "array", prefixItems: [STRING, NUMBER], items: {}, maxItems: 2 },
    open: { type: "array", prefixItems: [STRING], items: NUMBER },
    any: { type: ["array", "null"], items: {} },
    above: { exclusiveMinimum: 1, maximum: 9 },
    nested: { anyOf: [{ type: "array", items: {} }] },
  });
});

Deno.test("mendSchema() leaves values alone that only look like schemas", () => {
  const schema = {
    default: { type: "array" },
    enum: [{ type: "array" }],
    properties: { items: { const: { items: [] } } },
  };
  assertEquals(mendSchema(schema), schema);
});

Deno.test("mendSchema() ends on a schema that is nested without measure", () => {
  let schema: JsonObject = { type: "array" };
  for (let depth = 0; depth < 1_000; depth++) schema = { items: schema };
  assertStringIncludes(JSON.stringify(mendSchema(schema)), '{"type":"array"}');
});

Deno.test("isStrictSchema() takes closed objects of required arguments only", () => {
  const closed = (properties: JsonObject, required = Object.keys(properties)) =>
    isStrictSchema({ type: "object", properties, required, additionalProperties: false });
  assert(closed({ a: STRING, b: { type: "array", items: NUMBER }, c: { anyOf: [STRING, { type: "null" }] } }));
  assertEquals(closed({ a: STRING }, []), false);
  assertEquals(closed({ a: STRING }, ["a", "b"]), false);
  assertEquals(closed({ a: { type: "object", properties: {} } }), false);
  assertEquals(closed({ a: { type: "string", format: "uri" } }), false);
  assertEquals(closed({ a: { type: ["string", "null"] } }), false);
  assertEquals(closed({ a: {} }), false);
  assertEquals(isStrictSchema({ type: "object", properties: {}, additionalProperties: false }), false);
});
