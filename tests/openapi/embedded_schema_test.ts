import { assert, assertEquals } from "@std/assert";
import { embedSchema } from "../../src/openapi/embedded_schema.ts";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { SchemaChecker } from "../../src/schema/schema_checker.ts";
import { assertValidDocument } from "./_validators.ts";

/** A document with one schema embedded. */
function toDocument(schema: JsonObject): string {
  const { components } = embedSchema(schema, "call");
  const content = { "application/json": { schema: { $ref: "#/components/schemas/call" } } };
  return JSON.stringify({
    openapi: "3.1.0",
    info: { title: "Test", version: "1" },
    paths: {
      "/call": {
        post: { operationId: "call", requestBody: { content }, responses: { 200: { description: "Answered." } } },
      },
    },
    components: { schemas: Object.fromEntries(components) },
  });
}

/** The embedded schema as one that stands alone. */
function toAlone(schema: JsonObject): JsonObject {
  const components = JSON.stringify(Object.fromEntries(embedSchema(schema, "call").components));
  return { $ref: "#/$defs/call", $defs: JSON.parse(components.replaceAll("#/components/schemas/", "#/$defs/")) };
}

interface Case {
  readonly what: string;
  readonly schema: JsonObject;
  readonly good: readonly JsonValue[];
  readonly bad: readonly JsonValue[];
}

const DRAFT_07 = "http://json-schema.org/draft-07/schema#";
const TREE: JsonObject = {
  type: "object",
  properties: { value: { type: "integer" }, children: { type: "array", items: { $ref: "#" } } },
  required: ["value"],
};

/** What keeps its meaning exactly. */
const EXACT: readonly Case[] = [
  {
    what: "a recursive schema",
    schema: TREE,
    good: [{ value: 1, children: [{ value: 2 }] }],
    bad: [{ value: 1, children: [{}] }],
  },
  {
    what: "definitions of both names, and a path into one",
    schema: {
      properties: { a: { $ref: "#/$defs/port" }, b: { $ref: "#/definitions/port/properties/name" } },
      $defs: { port: { type: "object", required: ["name"] } },
      definitions: { port: { properties: { name: { type: "string" } } } },
    },
    good: [{ a: { name: 1 }, b: "x" }],
    bad: [{ a: {} }, { b: 1 }],
  },
  {
    what: "a reference to a property beside it, with characters that pointers escape",
    schema: {
      properties: { "a/b~c d%": { type: "integer" }, copy: { $ref: "#/properties/a~1b~0c%20d%25" } },
    },
    good: [{ "a/b~c d%": 1, copy: 2 }],
    bad: [{ copy: "2" }],
  },
  {
    what: "names by $id and $anchor",
    schema: {
      $id: "https://example.com/call",
      properties: { a: { $ref: "port" }, b: { $ref: "#here" }, c: { $ref: "https://example.com/port#inner" } },
      $defs: {
        one: { $id: "port", type: "string", $defs: { x: { $anchor: "inner", const: 7 } } },
        two: { $anchor: "here", type: "boolean" },
      },
    },
    good: [{ a: "x", b: true, c: 7 }],
    bad: [{ a: 1 }, { b: 1 }, { c: 8 }],
  },
  {
    what: "a dynamic reference that has one target",
    schema: {
      $dynamicAnchor: "node",
      type: "object",
      properties: { next: { $dynamicRef: "#node" } },
      additionalProperties: false,
    },
    good: [{ next: { next: {} } }],
    bad: [{ next: { other: 1 } }],
  },
  {
    what: "schemas that are true or false",
    schema: { properties: { any: true, none: false, ref: { $ref: "#/$defs/no" } }, $defs: { no: false } },
    good: [{ any: [1] }],
    bad: [{ none: 1 }, { ref: 1 }],
  },
  {
    what: "places of a list and dependencies of draft-07",
    schema: {
      $schema: DRAFT_07,
      properties: {
        pair: { type: "array", items: [{ type: "string" }, { type: "integer" }], additionalItems: false },
        any: { type: "array", items: { type: "string" }, additionalItems: false },
      },
      dependencies: { card: ["address"], vip: { required: ["since"] } },
    },
    good: [{ pair: ["a", 1] }, { any: ["a", "b"] }, { card: 1, address: 2 }, { vip: 1, since: 2 }],
    bad: [{ pair: ["a", 1, 2] }, { pair: [1] }, { any: [1] }, { card: 1 }, { vip: 1 }],
  },
  {
    what: "a reference of draft-07, beside which nothing counts",
    schema: {
      $schema: DRAFT_07,
      properties: { a: { $ref: "#/definitions/text", maxLength: 1, description: "A text" } },
      definitions: { text: { type: "string" } },
    },
    good: [{ a: "long" }],
    bad: [{ a: 1 }],
  },
  {
    what: "a reference of today, beside which all counts",
    schema: { properties: { a: { $ref: "#/$defs/text", maxLength: 1 } }, $defs: { text: { type: "string" } } },
    good: [{ a: "l" }],
    bad: [{ a: "long" }, { a: 1 }],
  },
  {
    what: "the limits of draft-04",
    schema: {
      $schema: "http://json-schema.org/draft-04/schema#",
      properties: {
        a: { minimum: 1, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: false },
        b: { maximum: 5, exclusiveMaximum: true },
      },
    },
    good: [{ a: 5 }, { b: 4 }],
    bad: [{ a: 1 }, { a: 6 }, { b: 5 }],
  },
  {
    what: "the recursive reference of 2019-09",
    schema: {
      $schema: "https://json-schema.org/draft/2019-09/schema",
      $recursiveAnchor: true,
      properties: { next: { $recursiveRef: "#" }, value: { type: "string" } },
    },
    good: [{ next: { value: "a" } }],
    bad: [{ next: { value: 1 } }],
  },
  {
    what: "every kind of condition",
    schema: {
      type: "object",
      properties: {
        n: { anyOf: [{ type: "integer", multipleOf: 5 }, { type: "null" }] },
        o: { oneOf: [{ const: "a" }, { enum: ["b", "c"] }] },
        p: { not: { type: "string" } },
        l: { type: "array", contains: { type: "integer" }, maxContains: 1, uniqueItems: true, maxItems: 3 },
      },
      patternProperties: { "^x-": { type: "string", minLength: 2 } },
      additionalProperties: false,
      if: { required: ["n"] },
      then: { required: ["o"] },
      propertyNames: { maxLength: 5 },
      minProperties: 1,
    },
    good: [{ n: 10, o: "a" }, { n: null, o: "c" }, { p: 1 }, { "x-a": "ab" }, { l: [1, "a"] }],
    bad: [{ n: 3, o: "a" }, { n: 5 }, { o: "d" }, { p: "s" }, { "x-a": "a" }, { l: [1, 2] }, { other: 1 }, {}],
  },
];

/** What cannot be said whole: nothing may be demanded that the schema does not demand. */
const PARTLY: readonly Case[] = [
  {
    what: "a reference to nowhere",
    schema: { properties: { a: { $ref: "#/$defs/none", minLength: 2 } } },
    good: [{ a: 1 }],
    bad: [{ a: "x" }],
  },
  {
    what: "a reference out of the schema, negated and as an alternative",
    schema: {
      properties: {
        a: { not: { $ref: "https://example.com/schema.json" } },
        b: { oneOf: [{ $ref: "file:///etc/passwd" }, { type: "string" }] },
        c: { if: { $ref: "other.json" }, then: false },
        d: { type: "integer" },
      },
    },
    good: [{ a: 1 }, { b: "x" }, { c: 1 }],
    bad: [{ d: "x" }],
  },
  {
    what: "references that go round in a circle",
    schema: {
      properties: { a: { $ref: "#/$defs/a" }, b: { $ref: "#/$defs/c" }, c: { type: "string" } },
      $defs: {
        a: { $ref: "#/$defs/b" },
        b: { $ref: "#/$defs/a", type: "string" },
        c: { allOf: [{ $ref: "#/$defs/c" }] },
      },
    },
    good: [{ a: "x", b: 1 }],
    bad: [{ c: 1 }],
  },
  {
    what: "a dynamic reference with two targets",
    schema: {
      $dynamicAnchor: "node",
      properties: { a: { $ref: "#/$defs/other" }, b: { type: "string" } },
      $defs: { other: { $id: "other", $dynamicAnchor: "node", properties: { c: { $dynamicRef: "#node" } } } },
    },
    good: [{ a: { c: { d: 1 } } }],
    bad: [{ b: 1 }],
  },
  {
    what: "keywords that are malformed",
    schema: {
      type: "strange",
      properties: {
        a: 7,
        b: { type: [], minLength: -1, pattern: "(", enum: "x", required: "y", items: 7 },
        c: { type: "string" },
      },
      patternProperties: { "(": { type: "string" } },
      additionalProperties: false,
      required: [1],
      allOf: {},
      anyOf: [],
      $defs: [],
    },
    good: [{ a: 1, b: [1] }, { "(": "x" }],
    bad: [{ c: 1 }],
  },
  {
    what: "a draft that is not known",
    schema: {
      $schema: "https://example.com/dialect",
      properties: { a: { $ref: "#/$defs/a" } },
      $defs: { a: { type: "string" } },
    },
    good: [{ a: "x" }],
    bad: [{ a: 1 }],
  },
  {
    what: "two parts of one name",
    schema: {
      properties: { a: { $ref: "x" }, b: { type: "string" } },
      $defs: { p: { $id: "x" }, q: { $id: "x", type: "string" } },
    },
    good: [{ a: 1 }],
    bad: [{ b: 1 }],
  },
];

for (const { what, schema, good, bad } of [...EXACT, ...PARTLY]) {
  Deno.test(`embedSchema() says the same, in a valid document: ${what}`, async () => {
    await assertValidDocument(toDocument(schema));
    const checker = new SchemaChecker();
    const alone = toAlone(schema);
    const judge = (values: readonly JsonValue[]) =>
      Promise.all(values.map(async (value) => (await checker.check(alone, value)).kind));
    assertEquals(await judge(good), good.map(() => "valid"));
    assertEquals(await judge(bad), bad.map(() => "invalid"));
  });
}

for (const { what, schema, good, bad } of EXACT) {
  Deno.test(`the schema itself says so: ${what}`, async () => {
    const checker = new SchemaChecker();
    for (const value of good) assertEquals((await checker.check(schema, value)).kind, "valid");
    for (const value of bad) assertEquals((await checker.check(schema, value)).kind, "invalid");
  });
}

Deno.test("embedSchema() makes nothing of a server's that a generator obeys, and nothing that acts", async () => {
  const schema = {
    type: "object",
    title: "</title><script>",
    description: "*/ evil() /* [click](javascript:x)",
    "x-go-type": "evil.Type",
    "x-enum-varnames": ["evil"],
    xml: { name: "evil" },
    discriminator: { propertyName: "evil" },
    externalDocs: { url: "http://evil.example" },
    $comment: "evil",
    properties: { a: { type: "string", "x-go-type-import": "evil", format: "evil();\n" } },
  };
  await assertValidDocument(toDocument(schema));
  assertEquals(Object.fromEntries(embedSchema(schema, "call").components), {
    call: {
      type: "object",
      title: "&lt;/title&gt;&lt;script&gt;",
      description: "* / evil() /* \\[click\\](javascript:x)",
      properties: { a: { type: "string" } },
    },
  });
});

Deno.test("embedSchema() drops an argument that no request can hold", async () => {
  const schema: JsonObject = JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}},' +
      '"required":["__proto__","constructor"],"dependentRequired":{"__proto__":["a"]},"$defs":{"__proto__":{}}}',
  );
  await assertValidDocument(toDocument(schema));
  const { call } = Object.fromEntries(embedSchema(schema, "call").components);
  assertEquals(
    JSON.stringify(call),
    '{"type":"object","properties":{"constructor":{"type":"string"}},"required":["constructor"]}',
  );
  assertEquals(({} as { type?: unknown }).type, undefined);
});

function nested(levels: number): JsonObject {
  let schema: JsonObject = { type: "string" };
  for (let level = 0; level < levels; level++) schema = { properties: { a: schema } };
  return schema;
}

function keyed(count: number, make: (index: number) => readonly [string, JsonValue]): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => make(index)));
}

for (
  const [what, schema, leftOut] of [
    ["20,000 properties", { properties: keyed(20_000, (index) => [`p${index}`, {}]) }, true],
    ["a text of a megabyte", { properties: { a: { enum: ["x".repeat(1_000_000)] } } }, true],
    ["10,000 levels", nested(10_000), true],
    ["30 levels", nested(30), false],
    ["2,000 properties", { properties: keyed(2_000, (index) => [`p${index}`, { type: "string" }]) }, false],
    ["a chain of 300 references", {
      $ref: "#/$defs/d0",
      $defs: keyed(
        1_500,
        (index) => [`d${index}`, index === 299 ? { type: "string" } : { $ref: `#/$defs/d${index + 1}` }],
      ),
    }, false],
    ["200 references to one long way down", {
      properties: keyed(200, (index) => [`p${index}`, { $ref: `#/$defs/a${"/properties/a".repeat(index % 25)}` }]),
      $defs: { a: nested(30) },
    }, false],
    ["definitions whose names differ only in what no component's name can hold", {
      properties: keyed(50, (index) => [`p${index}`, { $ref: `#/$defs/${"%21".repeat(index)}` }]),
      $defs: keyed(50, (index) => ["!".repeat(index), { const: index }]),
    }, false],
  ] as readonly (readonly [string, JsonObject, boolean])[]
) {
  Deno.test(`F30 embedSchema() makes a valid document of ${what}`, async () => {
    const embedded = embedSchema(schema, "call");
    assertEquals(embedded.leftOut, leftOut);
    assert(JSON.stringify(Object.fromEntries(embedded.components)).length < 4_000_000);
    await assertValidDocument(toDocument(schema));
  });
}
