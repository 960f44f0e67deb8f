/**
 * A schema as a form needs it: references followed, `null` told apart, alternatives of one kind made one.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { SchemaDocument, type SchemaResource } from "../schema/schema_document.ts";
import { toDialect } from "../schema/dialect.ts";
import { sizeUp } from "../schema/json_size.ts";

const LIMITS = { maxChars: 65_536, maxNodes: 20_000, maxDepth: 64 } as const;
const MAX_HOPS = 16;
/** How many schemas are looked at for one form: alternatives that refer to each other multiply. */
const MAX_STEPS = 10_000;
const REFERENCES = ["$ref", "$dynamicRef", "$recursiveRef"] as const;
const ALTERNATIVES = ["anyOf", "oneOf"] as const;

/** A schema that a field is made from. */
export interface FieldSchema {
  /** Its keywords, with those of what it refers to. */
  readonly schema: JsonObject;
  /** The one type that its value has, or `undefined` where there are several or none is known. */
  readonly type: string | undefined;
  /** The values that are allowed, each with its name, where they are listed. */
  readonly options: readonly { readonly value: JsonValue; readonly name: JsonValue | undefined }[] | undefined;
  /** Whether `null` is allowed too. */
  readonly isNullable: boolean;
}

/** The schemas in one document. */
export class FormSchemas {
  /** The schema of the whole; empty where it is too large to be looked at. */
  readonly root: JsonObject;
  readonly #document: SchemaDocument | undefined;
  #steps = 0;

  /**
   * Looks through a schema.
   *
   * @param schema Any schema.
   */
  constructor(schema: JsonObject) {
    const isBounded = sizeUp(schema, LIMITS) === "plain";
    const bounded = isBounded ? schema : {};
    const { $schema: draft, ...rest } = bounded;
    // A schema whose draft is not known is read as one of today.
    this.root = toDialect(draft) === undefined ? rest : bounded;
    this.#document = openDocument(this.root);
  }

  /**
   * Finds out what a field of a schema is.
   *
   * @param given A schema in the document.
   * @returns What it is, or `undefined` where no value is allowed.
   */
  settle(given: JsonValue): FieldSchema | undefined {
    return this.#settle(given, MAX_HOPS);
  }

  #settle(given: JsonValue, hops: number): FieldSchema | undefined {
    if (given === false) return undefined;
    if (++this.#steps > MAX_STEPS) return { schema: {}, type: undefined, options: undefined, isNullable: false };
    let schema: JsonObject = isJsonObject(given) ? given : {};
    let resource = this.#document?.resourceOf(schema);
    let isNullable = false;
    for (; hops > 0; hops--) {
      const next = this.#followReference(schema, resource) ?? mergeOnly(schema);
      if (next !== undefined) {
        ({ schema, resource = resource } = next);
        continue;
      }
      const keyword = ALTERNATIVES.find((keyword) => Array.isArray(schema[keyword]));
      if (keyword === undefined || isSettled(schema)) break;
      const { [keyword]: alternatives, ...base } = schema;
      const branches = (Array.isArray(alternatives) ? alternatives.slice(0, 256) : [])
        .flatMap((branch) => this.#settle(branch, Math.min(hops - 1, 3)) ?? []);
      const others = branches.filter(({ type }) => type !== "null");
      isNullable ||= others.length < branches.length || others.some((branch) => branch.isNullable);
      const [only, ...more] = others;
      if (only === undefined) break;
      if (more.length > 0) {
        const options = others.flatMap(({ options = [] }) => options);
        const areOptions = others.every((other) => other.options !== undefined);
        return { schema: base, type: undefined, options: areOptions ? options : undefined, isNullable };
      }
      return { ...only, schema: { ...only.schema, ...base }, isNullable };
    }
    return toFieldSchema(schema, isNullable);
  }

  #followReference(schema: JsonObject, from: SchemaResource | undefined): Step | undefined {
    const keyword = REFERENCES.find((keyword) => Object.hasOwn(schema, keyword));
    if (keyword === undefined) return undefined;
    const { [keyword]: reference, ...beside } = schema;
    const document = this.#document;
    if (document === undefined || typeof reference !== "string") return { schema: beside };
    try {
      const target = document.resolve(reference, from ?? document.main);
      if (!isJsonObject(target.schema)) return { schema: beside };
      return { schema: { ...target.schema, ...beside }, resource: target.resource };
    } catch {
      // It leads nowhere: what stands beside it is all that is known.
      return { schema: beside };
    }
  }
}

interface Step {
  readonly schema: JsonObject;
  readonly resource?: SchemaResource | undefined;
}

/** `allOf` with one member, as generators write a reference with a description beside it. */
function mergeOnly(schema: JsonObject): Step | undefined {
  const { allOf, ...base } = schema;
  if (!Array.isArray(allOf) || allOf.length !== 1 || !isJsonObject(allOf[0])) return undefined;
  return { schema: { ...allOf[0], ...base } };
}

/** Whether a schema says what its value is, whatever alternatives stand beside. */
function isSettled(schema: JsonObject): boolean {
  return ["properties", "enum", "const", "items"].some((keyword) => Object.hasOwn(schema, keyword)) ||
    (typeof schema.type === "string" && schema.type !== "null");
}

function toFieldSchema(schema: JsonObject, isNullable: boolean): FieldSchema {
  if (Object.hasOwn(schema, "const")) {
    const options = [{ value: schema.const ?? null, name: schema.title }];
    return { schema, type: undefined, options, isNullable };
  }
  if (Array.isArray(schema.enum)) {
    const names: JsonValue[] = Array.isArray(schema.enumNames) ? schema.enumNames : [];
    const options = schema.enum.map((value, index) => ({ value, name: names[index] }));
    return { schema, type: undefined, options, isNullable };
  }
  const given = Array.isArray(schema.type) ? schema.type : [schema.type ?? guessType(schema)];
  const types = given.filter((type) => type !== "null");
  const type = types.length === 1 ? types[0] : given.length > 0 && types.length === 0 ? "null" : undefined;
  return {
    schema,
    type: typeof type === "string" ? type : undefined,
    options: undefined,
    isNullable: isNullable || types.length < given.length,
  };
}

function guessType(schema: JsonObject): JsonValue {
  const has = (...keywords: string[]) => keywords.some((keyword) => Object.hasOwn(schema, keyword));
  if (has("properties")) return "object";
  if (has("items", "minItems", "maxItems")) return "array";
  if (has("minLength", "maxLength", "pattern", "format")) return "string";
  if (has("minimum", "maximum", "multipleOf")) return "number";
  return "any";
}

function openDocument(schema: JsonObject): SchemaDocument | undefined {
  try {
    return new SchemaDocument(schema);
  } catch {
    // Its names cannot be used: it has no references then.
    return undefined;
  }
}
