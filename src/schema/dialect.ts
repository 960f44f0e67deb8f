/**
 * The drafts of JSON Schema: which keywords each has, and what they hold.
 *
 * @module
 */

/** What a keyword holds that is a schema itself. */
export type SubschemaShape = "schema" | "list" | "map";

/** One draft. */
export interface Dialect {
  /** The keywords that mean something in it. */
  readonly keywords: ReadonlySet<string>;
  /** The keyword that names a schema. */
  readonly idKeyword: "id" | "$id";
  /** Whether `$ref` makes all keywords beside it mean nothing. */
  readonly refStandsAlone: boolean;
  /** Whether `items` may be a list, one schema for each place. */
  readonly itemsMayBeList: boolean;
  /** Whether `exclusiveMinimum` is a mark beside `minimum`, not a limit. */
  readonly exclusiveIsMark: boolean;
  /** Whether what `contains` finds counts as looked at. */
  readonly containsEvaluates: boolean;
}

const DRAFT_04 = [
  ..."$ref type enum multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern".split(
    " ",
  ),
  ..."items additionalItems maxItems minItems uniqueItems maxProperties minProperties required properties".split(" "),
  ..."patternProperties additionalProperties dependencies allOf anyOf oneOf not".split(" "),
];
const DRAFT_06 = [...DRAFT_04, "const", "contains", "propertyNames"];
const DRAFT_07 = [...DRAFT_06, "if"];
const DRAFT_2019 = [
  ...DRAFT_07.filter((keyword) => keyword !== "dependencies"),
  ..."dependentRequired dependentSchemas minContains maxContains unevaluatedItems unevaluatedProperties $recursiveRef"
    .split(" "),
];
const DRAFT_2020 = [
  ...DRAFT_2019.filter((keyword) => keyword !== "additionalItems" && keyword !== "$recursiveRef"),
  ..."prefixItems $dynamicRef".split(" "),
];

const OLD: Omit<Dialect, "keywords"> = {
  idKeyword: "$id",
  refStandsAlone: true,
  itemsMayBeList: true,
  exclusiveIsMark: false,
  containsEvaluates: false,
};
const DIALECTS: ReadonlyMap<string, Dialect> = new Map<string, Dialect>([
  ["json-schema.org/draft-04/schema", { ...OLD, keywords: new Set(DRAFT_04), idKeyword: "id", exclusiveIsMark: true }],
  ["json-schema.org/draft-06/schema", { ...OLD, keywords: new Set(DRAFT_06) }],
  ["json-schema.org/draft-07/schema", { ...OLD, keywords: new Set(DRAFT_07) }],
  ["json-schema.org/draft/2019-09/schema", { ...OLD, keywords: new Set(DRAFT_2019), refStandsAlone: false }],
  ["json-schema.org/draft/2020-12/schema", {
    keywords: new Set(DRAFT_2020),
    idKeyword: "$id",
    refStandsAlone: false,
    itemsMayBeList: false,
    exclusiveIsMark: false,
    containsEvaluates: true,
  }],
]);
const DEFAULT_URI = "https://json-schema.org/draft/2020-12/schema";

/** The keywords that hold schemas; `items` and `dependencies` have two shapes each. */
const SHAPES: ReadonlyMap<string, SubschemaShape> = new Map([
  ..."additionalItems items contains additionalProperties propertyNames not if then else unevaluatedItems"
    .split(" ").map((keyword) => [keyword, "schema"] as const),
  ["unevaluatedProperties", "schema"],
  ..."prefixItems allOf anyOf oneOf".split(" ").map((keyword) => [keyword, "list"] as const),
  ..."$defs definitions properties patternProperties dependentSchemas dependencies"
    .split(" ").map((keyword) => [keyword, "map"] as const),
]);

/**
 * Finds the draft that a schema is written in.
 *
 * @param uri Its `$schema`; 2020-12 where it has none, as MCP has it.
 * @returns The draft, or `undefined` where it is not one that is known.
 */
export function toDialect(uri: unknown = DEFAULT_URI): Dialect | undefined {
  return typeof uri === "string" ? DIALECTS.get(uri.replace(/^https?:\/\//, "").replace(/#$/, "")) : undefined;
}

/**
 * Tells what a keyword holds.
 *
 * @param keyword The keyword.
 * @returns The shape, or `undefined` where it holds no schema.
 */
export function toSubschemaShape(keyword: string): SubschemaShape | undefined {
  return SHAPES.get(keyword);
}
