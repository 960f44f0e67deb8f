/**
 * The schema of a tool's arguments as the model vendors accept it: one object at the top, without alternatives.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { cutText } from "./cut_text.ts";
import { mendSchema } from "./mended_schema.ts";
import { lookUp } from "./schema_pointer.ts";

/**
 * A JSON Schema of arguments that vendors accept.
 *
 * @example
 * ```ts
 * import { toOpenAITools, type VendorSchema } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const inputSchema = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
 * const { tools } = toOpenAITools([{ name: "read", inputSchema }]);
 * const schema: VendorSchema | undefined = tools[0]?.parameters;
 * assertEquals(schema?.required, ["path"]);
 * ```
 */
export interface VendorSchema {
  /** Arguments are an object. */
  readonly type: "object";
  /** A schema for each argument. */
  readonly properties: JsonObject;
  // Absent rather than `undefined`, as the vendors' own types have it. The same holds of what is exported elsewhere.
  /** The names of the arguments that must be given. */
  readonly required?: string[];
  /** Further keywords. */
  readonly [keyword: string]: JsonValue;
}

/** A schema as vendors accept it. */
export interface FittedSchema {
  /** The schema. */
  readonly schema: VendorSchema;
  /** Whether alternatives at the top were folded into one object, which says less. */
  readonly folded: boolean;
}

/** What an object has to be, all alternatives considered. */
interface Fold {
  readonly properties: Map<string, JsonValue>;
  readonly required: Set<string>;
  readonly hints: string[];
  /** Whether arguments that are not named are refused. */
  closed: boolean;
  /** How a person would call this alternative. */
  readonly label: string;
}

/** What vendors refuse at the top of a schema; OpenAI names all but `$ref`, Anthropic the first three. */
const FOLDED = ["anyOf", "oneOf", "allOf", "enum", "const", "not", "$ref"] as const;
const FOLDED_POINTER = /^#\/(?:anyOf|oneOf|allOf)\//;
const FOLDED_HOME = "#/$defs/folded/";
const MAX_WORK = 10_000;
const WORK_PER_NODE = 20;
const MAX_DEPTH = 16;
const MAX_HINTS = 8;
const MAX_HINT_CHARS = 400;

/**
 * Fits a schema. A schema that has no alternatives at its top keeps its meaning entirely. Otherwise the arguments of all
 * alternatives become one object, an argument is required where every alternative requires it, an argument of which an
 * alternative says nothing is what the others say, and what is lost is said in the description: which sets of arguments
 * belong together.
 *
 * @example
 * ```ts
 * import { fitSchema } from "./vendor_schema.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const string = { type: "string" };
 * const { schema } = fitSchema({ properties: { id: string, url: string }, oneOf: [{ required: ["id"] }, { required: ["url"] }] });
 * assertEquals(schema, {
 *   type: "object",
 *   properties: { id: string, url: string },
 *   description: "Give the arguments of exactly one of these: id; url.",
 * });
 * ```
 *
 * @param inputSchema The schema as the server gives it.
 * @returns The schema for a vendor.
 */
export function fitSchema(inputSchema: JsonObject): FittedSchema {
  const { $schema: _, type: __, properties, required, ...rest } = mendSchema(inputSchema);
  const folded = FOLDED.some((keyword) => Object.hasOwn(rest, keyword));
  if (!folded) return { schema: assemble(rest, asObject(properties), namesIn(required), []), folded };
  const root = withHome({ ...rest, properties: asObject(properties), required: namesIn(required) });
  const fold = foldNode(root, { root, work: 0 }, 0);
  const kept = Object.fromEntries(Object.entries(root).filter(([key]) => !FOLDED.some((keyword) => keyword === key)));
  if (fold.closed && kept.additionalProperties === undefined) kept.additionalProperties = false;
  return {
    schema: assemble(
      kept,
      Object.fromEntries(fold.properties),
      [...fold.required],
      [...new Set(fold.hints)].slice(0, MAX_HINTS),
    ),
    folded,
  };
}

function assemble(
  rest: JsonObject,
  properties: JsonObject,
  required: string[],
  hints: readonly string[],
): VendorSchema {
  const { description, required: _, properties: __, ...keywords } = rest;
  const words = [typeof description === "string" ? description : "", ...hints].filter((text) => text !== "");
  return {
    ...keywords,
    type: "object",
    properties,
    ...(required.length === 0 ? {} : { required }),
    ...(words.length === 0 ? {} : { description: words.join("\n") }),
  };
}

/** Keeps alternatives reachable that a `$ref` elsewhere in the schema points into: a dead pointer fails the request. */
function withHome(schema: JsonObject): JsonObject {
  let isUsed = false;
  const text = JSON.stringify(schema, (key, value) => {
    if (key !== "$ref" || typeof value !== "string" || !FOLDED_POINTER.test(value)) return value;
    isUsed = true;
    return value.replace("#/", FOLDED_HOME);
  });
  if (!isUsed) return schema;
  const moved: JsonObject = JSON.parse(text);
  const { anyOf = [], oneOf = [], allOf = [] } = moved;
  return { ...moved, $defs: { ...asObject(moved.$defs), folded: { anyOf, oneOf, allOf } } };
}

interface Walk {
  readonly root: JsonObject;
  /** Nodes and properties looked at, over the whole walk: references may fan out without end. */
  work: number;
}

function foldNode(node: JsonObject, walk: Walk, depth: number): Fold {
  const fold: Fold = {
    properties: new Map(Object.entries(asObject(node.properties))),
    required: new Set(namesIn(node.required)),
    hints: [],
    closed: node.additionalProperties === false,
    label: toLabel(node),
  };
  walk.work += WORK_PER_NODE + fold.properties.size;
  if (depth > MAX_DEPTH) return fold;
  const target = typeof node.$ref === "string" ? lookUp(walk.root, node.$ref) : undefined;
  const parts = [...(target === undefined ? [] : [target]), ...listIn(node.allOf)];
  for (const part of foldAll(parts, walk, depth).folds) foldIn(fold, part);
  for (const keyword of ["oneOf", "anyOf"] as const) {
    const { folds, isComplete } = foldAll(listIn(node[keyword]), walk, depth);
    const howMany = keyword === "oneOf" ? "exactly one" : "at least one";
    if (folds.length > 0) foldAlternatives(fold, folds, isComplete ? howMany : undefined);
  }
  if (node.not !== undefined) fold.hints.push(cutText(`Must not match: ${JSON.stringify(node.not)}`, MAX_HINT_CHARS));
  const values = node.const === undefined ? listIn(node.enum) : [node.const];
  if (values.length > 0) fold.hints.push(cutText(`Must be one of: ${JSON.stringify(values)}`, MAX_HINT_CHARS));
  return fold;
}

/** Folds each part until the walk has done enough. */
function foldAll(parts: readonly JsonValue[], walk: Walk, depth: number) {
  const folds: Fold[] = [];
  for (const part of parts) {
    if (part !== true && !isJsonObject(part)) continue;
    if (walk.work > MAX_WORK) return { folds, isComplete: false };
    folds.push(foldNode(asObject(part), walk, depth + 1));
  }
  return { folds, isComplete: true };
}

/** Both hold. */
function foldIn(fold: Fold, part: Fold): void {
  for (const [name, schema] of part.properties) {
    const own = fold.properties.get(name);
    fold.properties.set(name, own === undefined ? schema : both(own, schema));
  }
  for (const name of part.required) fold.required.add(name);
  fold.hints.push(...part.hints);
}

/** One of them holds, or one of more than these where `howMany` is not said: then nothing is required for them. */
function foldAlternatives(fold: Fold, variants: readonly Fold[], howMany: string | undefined): void {
  const names = new Set(variants.flatMap(({ properties }) => [...properties.keys()]));
  for (const name of names) {
    const own = fold.properties.get(name);
    const schemas = variants.flatMap(({ properties }) => properties.get(name) ?? []);
    // Where one alternative says nothing of an argument, what the object itself says of it holds.
    if (own !== undefined && schemas.length < variants.length) continue;
    fold.properties.set(name, own === undefined ? oneOf(schemas) : both(own, oneOf(schemas)));
  }
  if (howMany === undefined) return;
  const common = [...variants[0]?.required ?? []].filter((name) =>
    variants.every(({ required }) => required.has(name))
  );
  const labels = variants.map(({ required, properties, label }) => {
    const own = [...required].flatMap((name) => {
      const value = asObject(properties.get(name)).const;
      if (value !== undefined) return `${name} = ${JSON.stringify(value)}`;
      return fold.required.has(name) || common.includes(name) ? [] : name;
    });
    return own.length > 0 ? own.join(", ") : label || "nothing more";
  });
  for (const name of common) fold.required.add(name);
  if (variants.every(({ closed }) => closed)) fold.closed = true;
  if (new Set(labels).size > 1) {
    fold.hints.push(cutText(`Give the arguments of ${howMany} of these: ${labels.join("; ")}.`, MAX_HINT_CHARS));
  }
  fold.hints.push(...new Set(variants.flatMap(({ hints }) => hints)));
}

function both(a: JsonValue, b: JsonValue): JsonValue {
  if (a === true || a === b || JSON.stringify(a) === JSON.stringify(b)) return b;
  if (b === true || !isJsonObject(a) || !isJsonObject(b)) return a;
  const isDisjoint = Object.keys(b).every((key) => !Object.hasOwn(a, key) || a[key] === b[key]);
  return isDisjoint ? { ...a, ...b } : { allOf: [a, b] };
}

function oneOf(schemas: readonly JsonValue[]): JsonValue {
  const distinct = [...new Map([...new Set(schemas)].map((schema) => [JSON.stringify(schema), schema])).values()];
  return distinct.length === 1 ? distinct[0]! : { anyOf: distinct };
}

function toLabel({ title, description }: JsonObject): string {
  const label = typeof title === "string" ? title : description;
  return typeof label === "string" ? cutText(label, 80) : "";
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listIn(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function namesIn(value: JsonValue | undefined): string[] {
  return listIn(value).filter((name) => typeof name === "string");
}
