/**
 * A schema of a tool as a part of an OpenAPI 3.1 document: valid there whatever a server gave, with references that
 * lead to components of the document. It never says more than the schema does: what cannot be said is left out.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { toSubschemaShape } from "../schema/dialect.ts";
import { sizeUp } from "../schema/json_size.ts";
import {
  isAnnotation,
  isPattern,
  isPlainKeyword,
  isSchema,
  takeKeyword,
  toNames,
  withoutMarks,
} from "./schema_keywords.ts";
import { REFERENCE_KEYWORDS, SchemaReferences } from "./schema_references.ts";

const LIMITS = { maxChars: 64 * 1024, maxNodes: 10_000, maxDepth: 64 };
/** Parts that are referred to are written out where they stand and once more: how many schemas that may make. */
const MAX_WRITTEN = 10_000;
const MAX_NAME_CHARS = 64;
/** What would say more than it does where anything in it were left out. */
const STRICT: ReadonlySet<string> = new Set(
  ["not", "if", "then", "else", "maxContains", "unevaluatedItems", "unevaluatedProperties"],
);
const COMPONENTS = "#/components/schemas/";

/** What is written elsewhere, or beside something else. */
const ELSEWHERE: ReadonlySet<string> = new Set([...REFERENCE_KEYWORDS, "$defs", "definitions", "additionalItems"]);

/** An embedded schema. */
export interface EmbeddedSchema {
  /** The components that it is, by name: first itself, then what it refers to. */
  readonly components: ReadonlyMap<string, JsonObject>;
  /** Whether the schema was left out, as it is too large. */
  readonly leftOut: boolean;
}

/**
 * Embeds a schema.
 *
 * @example
 * ```ts
 * import { embedSchema } from "./embedded_schema.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const schema = { type: "object", properties: { to: { $ref: "#/$defs/port" } }, $defs: { port: { type: "string" } } };
 * assertEquals(Object.fromEntries(embedSchema(schema, "sail_arguments").components), {
 *   sail_arguments: { type: "object", properties: { to: { $ref: "#/components/schemas/sail_arguments.port" } } },
 *   "sail_arguments.port": { type: "string" },
 * });
 * ```
 *
 * @param schema The schema as a server gives it.
 * @param name The name of its component; the names of further ones begin with it and a dot.
 * @returns The components.
 */
export function embedSchema(schema: JsonObject, name: string): EmbeddedSchema {
  try {
    // What is no JSON as it stands was made here, not sent.
    if (sizeUp(schema, LIMITS) !== "plain") throw new TooLarge();
    const exact = new Writer(schema, name, false);
    const components = exact.write();
    return { components: exact.lost ? new Writer(schema, name, true).write() : components, leftOut: false };
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    const description = "The schema is too large to be shown.";
    return { components: new Map([[name, { type: "object", description }]]), leftOut: true };
  }
}

type Entry = readonly [keyword: string, value: JsonValue];

class TooLarge extends Error {}

class Writer {
  /** Whether a demand was left out. */
  lost = false;
  readonly #lenient: boolean;
  readonly #references: SchemaReferences;
  readonly #name: string;
  readonly #names = new Map<JsonObject, string>();
  /** How many components wanted the same name. */
  readonly #wanted = new Map<string, number>();
  readonly #open: (readonly [name: string, schema: JsonObject])[] = [];
  readonly #labels = new Map<JsonObject, string>();
  #written = 0;

  constructor(schema: JsonObject, name: string, lenient: boolean) {
    this.#lenient = lenient;
    this.#references = new SchemaReferences(schema);
    this.#name = name;
    this.#label(this.#references.root);
  }

  write(): ReadonlyMap<string, JsonObject> {
    const components = new Map<string, JsonObject>();
    this.#nameOf(this.#references.root);
    // What is written refers to further ones.
    for (const [name, schema] of this.#open) components.set(name, this.#writeObject(schema));
    return components;
  }

  /** Remembers under which names definitions stand. */
  #label(schema: JsonObject): void {
    const stack: JsonValue[] = [schema];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (typeof next !== "object" || next === null) continue;
      if (!Array.isArray(next)) {
        for (const keyword of ["definitions", "$defs"]) {
          const definitions = Object.hasOwn(next, keyword) ? next[keyword] : undefined;
          if (!isJsonObject(definitions)) continue;
          for (const [label, definition] of Object.entries(definitions)) {
            if (isJsonObject(definition)) this.#labels.set(definition, label);
          }
        }
      }
      stack.push(...Object.values(next));
    }
  }

  /** The name of the component that a schema is; from now on it is one. */
  #nameOf(schema: JsonObject): string {
    const known = this.#names.get(schema);
    if (known !== undefined) return known;
    const label = (this.#labels.get(schema) ?? "part").replaceAll(/[^A-Za-z0-9_]+/g, "_").slice(0, MAX_NAME_CHARS);
    const wanted = schema === this.#references.root ? this.#name : `${this.#name}.${label}`;
    const count = (this.#wanted.get(wanted) ?? 0) + 1;
    this.#wanted.set(wanted, count);
    // No label holds a dot: what follows one is no other's label.
    const name = count === 1 ? wanted : `${wanted}.${count}`;
    this.#names.set(schema, name);
    this.#open.push([name, schema]);
    return name;
  }

  #write(schema: JsonValue): JsonObject {
    if (schema === false) return { not: {} };
    if (isJsonObject(schema)) return this.#writeObject(schema);
    if (schema !== true) this.lost = true;
    return {};
  }

  #writeObject(given: JsonObject): JsonObject {
    if (++this.#written > MAX_WRITTEN) throw new TooLarge();
    const targets = this.#references.targetsOf(given).map((target) => {
      return typeof target === "boolean" ? this.#write(target) : { $ref: `${COMPONENTS}${this.#nameOf(target)}` };
    });
    if (targets.length < REFERENCE_KEYWORDS.filter((keyword) => Object.hasOwn(given, keyword)).length) this.lost = true;
    const alone = this.#references.standAlone && Object.hasOwn(given, "$ref");
    const schema = withoutMarks(given);
    const written: Entry[] = [];
    for (const [keyword, value] of Object.entries(schema)) {
      if (ELSEWHERE.has(keyword) || (alone && !isAnnotation(keyword))) continue;
      if (this.#lenient && (STRICT.has(keyword) || (keyword === "additionalProperties" && !areNamed(schema)))) continue;
      written.push(
        ...isPlainKeyword(keyword) ? this.#writePlain(keyword, value) : this.#writeNested(keyword, value, schema),
      );
    }
    const [first, ...more] = targets;
    if (first === undefined) return Object.fromEntries(written);
    if (more.length === 0 && typeof first.$ref === "string") return { ...first, ...Object.fromEntries(written) };
    const { allOf, ...rest } = Object.fromEntries(written);
    return { ...rest, allOf: [...targets, ...(Array.isArray(allOf) ? allOf : [])] };
  }

  #writePlain(keyword: string, value: JsonValue): readonly Entry[] {
    const plain = takeKeyword(keyword, value);
    if (plain !== undefined) return [[keyword, plain]];
    if (!isAnnotation(keyword)) this.lost = true;
    return [];
  }

  /** A keyword that holds schemas, under its name of today. */
  #writeNested(keyword: string, value: JsonValue, beside: JsonObject): readonly Entry[] {
    if (keyword === "items" && Array.isArray(value)) return this.#writePlaces(value, beside);
    if (keyword === "dependencies" || keyword === "dependentRequired") return this.#writeDependencies(value);
    const shape = toSubschemaShape(keyword);
    if (shape === undefined) return [];
    if (shape === "map" && isJsonObject(value)) return [[keyword, this.#writeMap(keyword, value)]];
    if (shape === "list" && Array.isArray(value) && value.length > 0) {
      // Alternatives of which a part is left out may overlap.
      const name = this.#lenient && keyword === "oneOf" ? "anyOf" : keyword;
      const members: JsonValue[] = value.map((member) => this.#write(member));
      return name !== keyword && Object.hasOwn(beside, name) ? [] : [[name, members]];
    }
    if (shape === "schema" && isSchema(value)) {
      const stays = typeof value === "boolean" && keyword.endsWith("Properties");
      return [[keyword, stays ? value : this.#write(value)]];
    }
    this.lost = true;
    return [];
  }

  #writeMap(keyword: string, value: JsonObject): JsonObject {
    const members = Object.entries(value).filter(([key]) => key !== "__proto__");
    const kept = keyword === "patternProperties" ? members.filter(([key]) => isPattern(key)) : members;
    if (kept.length < members.length) this.lost = true;
    return Object.fromEntries(kept.map(([key, member]) => [key, this.#write(member)]));
  }

  #writePlaces(places: readonly JsonValue[], { additionalItems }: JsonObject): readonly Entry[] {
    const rest: readonly Entry[] = isSchema(additionalItems) ? [["items", this.#write(additionalItems)]] : [];
    if (places.length === 0) return rest;
    return [["prefixItems", places.map((place) => this.#write(place))], ...rest];
  }

  #writeDependencies(value: JsonValue): readonly Entry[] {
    if (!isJsonObject(value)) return [];
    const names: Entry[] = [];
    const schemas: Entry[] = [];
    for (const [key, member] of Object.entries(value)) {
      if (key === "__proto__") continue;
      const required = Array.isArray(member) ? toNames(member) : undefined;
      if (required !== undefined) names.push([key, required]);
      else schemas.push([key, this.#write(member)]);
    }
    return [
      ...(names.length === 0 ? [] : [["dependentRequired", Object.fromEntries(names)] as const]),
      ...(schemas.length === 0 ? [] : [["dependentSchemas", Object.fromEntries(schemas)] as const]),
    ];
  }
}

/** Whether all members that a schema names are named in its document too. */
function areNamed({ properties = {}, patternProperties }: JsonObject): boolean {
  return isJsonObject(properties) && patternProperties === undefined;
}
