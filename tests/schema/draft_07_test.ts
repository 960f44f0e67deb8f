import type { JsonObject } from "../../src/protocol.ts";
import { DRAFT_07, type Row, verdictTests } from "./_verdicts.ts";

const rows: readonly Row[] = [
  {
    what: "items as a list, additionalItems",
    schema: { items: [{ type: "string" }, { type: "number" }], additionalItems: { type: "null" } },
    fits: [[], ["a"], ["a", 1], ["a", 1, null]],
    fails: [[1], ["a", "b"], ["a", 1, 2]],
  },
  {
    what: "additionalItems beside one schema for all items means nothing",
    schema: { items: { type: "number" }, additionalItems: false },
    fits: [[1, 2]],
    fails: [["a"]],
  },
  {
    what: "dependencies of both kinds",
    schema: { dependencies: { card: ["name"], age: { properties: { name: { minLength: 2 } } } } },
    fits: [{}, { card: 1, name: "" }, { age: 1, name: "ab" }],
    fails: [{ card: 1 }, { age: 1, name: "a" }],
  },
  {
    what: "$ref makes what is beside it mean nothing",
    schema: {
      definitions: { text: { $id: "#text", type: "string" } },
      properties: { a: { $ref: "#/definitions/text", maxLength: 1 }, b: { $ref: "#text" } },
    },
    fits: [{ a: "abc", b: "x" }],
    fails: [{ a: 1 }, { b: 1 }],
  },
  {
    what: "$ref at the root, as generators write it",
    schema: { $ref: "#/definitions/args", definitions: { args: { type: "object", required: ["a"] } } },
    fits: [{ a: 1 }],
    fails: [{}, 1],
  },
  {
    what: "contains, const, propertyNames, if",
    schema: {
      contains: { const: 1 },
      propertyNames: { pattern: "^[a-z]+$" },
      if: { type: "string" },
      then: { minLength: 1 },
    },
    fits: [[2, 1], { abc: 1 }, "a"],
    fails: [[2], [], { A: 1 }, ""],
  },
  {
    what: "keywords of later drafts mean nothing",
    schema: {
      prefixItems: [{ type: "number" }],
      dependentRequired: { a: ["b"] },
      unevaluatedProperties: false,
      minContains: 5,
      contains: { type: "string" },
    },
    fits: [["a"], { a: 1 }],
    fails: [[1]],
  },
];

function inDraft(uri: string): readonly Row[] {
  return rows.map((row) => ({ ...row, schema: { $schema: uri, ...row.schema } }));
}

verdictTests("draft-07", inDraft(DRAFT_07));
verdictTests(
  "draft-07 by https and without a fragment",
  inDraft("https://json-schema.org/draft-07/schema").slice(0, 1),
);

const DRAFT_04: JsonObject = { $schema: "http://json-schema.org/draft-04/schema#" };
const DRAFT_2019: JsonObject = { $schema: "https://json-schema.org/draft/2019-09/schema" };

verdictTests("draft-04", [{
  what: "exclusive limits are marks",
  schema: { ...DRAFT_04, minimum: 1, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: false },
  fits: [1.1, 5],
  fails: [1, 5.1],
}, {
  what: "id names a schema, const means nothing",
  schema: { ...DRAFT_04, definitions: { a: { id: "#a", type: "string" } }, items: { $ref: "#a", const: 1 }, const: 1 },
  fits: [["x"]],
  fails: [[1]],
}]);

verdictTests("2019-09", [{
  what: "$recursiveRef to the outermost $recursiveAnchor",
  schema: {
    ...DRAFT_2019,
    $id: "https://example.com/strict-tree",
    $recursiveAnchor: true,
    $ref: "tree",
    unevaluatedProperties: false,
    $defs: {
      tree: {
        $id: "https://example.com/tree",
        $recursiveAnchor: true,
        properties: { data: true, children: { items: { $recursiveRef: "#" } } },
      },
    },
  },
  fits: [{ children: [{ data: 1 }] }],
  fails: [{ children: [{ daat: 1 }] }],
}, {
  what: "what contains finds has not been looked at",
  schema: { ...DRAFT_2019, items: [true], contains: { type: "string" }, unevaluatedItems: false },
  fits: [["a"]],
  fails: [[1, "a"]],
}]);
