import { assertEquals } from "@std/assert";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { SchemaChecker } from "../../src/schema/schema_checker.ts";
import type { SchemaVerdict } from "../../src/schema/schema_verdict.ts";
import { assertNoLag } from "../support/event_loop_lag.ts";

interface Hostile {
  readonly what: string;
  readonly schemas: readonly JsonObject[];
  readonly value: JsonValue;
  readonly verdict: SchemaVerdict["kind"];
}

function many<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function keyed(count: number, make: (index: number) => readonly [string, JsonValue]): JsonObject {
  return Object.fromEntries(many(count, make));
}

const REDOS = "a".repeat(50) + "!";
const DOUBLED: JsonObject = {
  $ref: "#/$defs/d0",
  $defs: keyed(60, (index) => {
    const next = { $ref: `#/$defs/d${Math.min(index + 1, 59)}` };
    return [`d${index}`, index === 59 ? { type: "string" } : { allOf: [next, next] }];
  }),
};

const HOSTILE: readonly Hostile[] = [
  {
    what: "F28 patterns that take for ever",
    schemas: ["^(a+)+$", "^((a+)+)+$", "^(a|a)*$", "^(a|aa)+$"].map((pattern) => ({ pattern })),
    value: REDOS,
    verdict: "invalid",
  },
  {
    what: "F28 such a pattern for the names of keys",
    schemas: [{ patternProperties: { "^(a+)+$": true }, additionalProperties: false }],
    value: { [REDOS]: 1 },
    verdict: "invalid",
  },
  {
    what: "F28 a pattern for a text of half a million characters: skipped",
    schemas: [{ pattern: "^(a+)+$" }],
    value: "a".repeat(500_000) + "!",
    verdict: "valid",
  },
  {
    what: "F28 thousands of large patterns",
    schemas: [{ patternProperties: keyed(3_000, (index) => [`(.{40}){40}${index}`, true]) }],
    value: { ["a".repeat(2_000)]: 1 },
    verdict: "unusable",
  },
  {
    what: "F29 2,000 schemas at once",
    schemas: many(2_000, (index) => ({
      type: "object",
      properties: keyed(6, (key) => [`property_${key}`, { type: "string", minLength: index }]),
    })),
    value: { property_0: 1 },
    verdict: "invalid",
  },
  {
    what: "F30 20,000 properties",
    schemas: [{ properties: keyed(20_000, (index) => [`p${index}`, { type: "string" }]) }],
    value: {},
    verdict: "unusable",
  },
  {
    what: "as many properties as 64 KiB hold",
    schemas: [{
      properties: keyed(1_900, (index) => [`p${index}`, { type: "string" }]),
      required: [...many(1_900, (index) => `p${index}`)],
    }],
    value: {},
    verdict: "invalid",
  },
  { what: "schemas that double with every reference", schemas: [DOUBLED], value: 1, verdict: "unusable" },
  {
    what: "thousands of alternatives for each of thousands of items",
    schemas: [{ items: { anyOf: [...many(3_000, (index) => ({ const: index }))] } }],
    value: [...many(9_000, () => -1)],
    verdict: "unusable",
  },
  {
    what: "thousands of items that have to differ",
    schemas: [{ uniqueItems: true }],
    value: [...many(9_000, (index) => index)],
    verdict: "valid",
  },
  {
    what: "references to the next, 1,500 times",
    schemas: [{
      $ref: "#/$defs/0",
      $defs: keyed(1_501, (index) => [`${index}`, index === 1_500 || { $ref: `#/$defs/${index + 1}` }]),
    }],
    value: 1,
    verdict: "unusable",
  },
  {
    what: "the same slow schema 20 times at once",
    schemas: many(20, () => DOUBLED),
    value: 1,
    verdict: "unusable",
  },
];

for (const { what, schemas, value, verdict } of HOSTILE) {
  Deno.test(`SchemaChecker.check() does not stop the event loop: ${what}`, async () => {
    await assertNoLag({
      what,
      plain: () => Promise.resolve(JSON.parse(JSON.stringify([schemas, value]))),
      work: async () => {
        const checker = new SchemaChecker();
        const verdicts = await Promise.all(schemas.map((schema) => checker.check(schema, value)));
        assertEquals(verdicts.filter(({ kind }) => kind !== verdict), []);
      },
    });
  });
}
