/**
 * Where the references of a schema lead, and which of them lead back to where they stand.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { toDialect, toSubschemaShape } from "../schema/dialect.ts";
import { SchemaDocument } from "../schema/schema_document.ts";
import { isSchema } from "./schema_keywords.ts";

/** The keywords that are references, whatever the draft. */
export const REFERENCE_KEYWORDS = ["$ref", "$dynamicRef", "$recursiveRef"] as const;
const REFERENCE = /"\$(?:ref|dynamicRef|recursiveRef)":/;
/** The keywords whose schemas look at the same value as the schema that they stand in. */
const IN_PLACE: ReadonlySet<string> = new Set(
  ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"],
);

/** The references of one schema. */
export class SchemaReferences {
  /** The schema whose references they are. */
  readonly root: JsonObject;
  readonly #document: SchemaDocument | undefined = undefined;
  /** References that would be followed for ever without looking at anything else. */
  readonly #loops = new Map<JsonObject, Set<string>>();

  /**
   * Looks through a schema.
   *
   * @param schema A schema of bounded size and depth.
   */
  constructor(schema: JsonObject) {
    const { $schema: draft, ...rest } = schema;
    // A schema whose draft is not known is read as one of today.
    this.root = toDialect(draft) === undefined ? rest : schema;
    // Most schemas have no references: nothing is looked for in them.
    if (!REFERENCE.test(JSON.stringify(this.root))) return;
    this.#document = openDocument(this.root);
    this.#findLoops();
  }

  /** Whether `$ref` makes what stands beside it mean nothing. */
  get standAlone(): boolean {
    return this.#document?.dialect.refStandsAlone === true;
  }

  /**
   * Finds the schemas that one refers to.
   *
   * @param schema A schema in the document.
   * @returns What it refers to; without what is not in the document, cannot be told before a value is looked at, or
   * leads back here.
   */
  targetsOf(schema: JsonObject): readonly (JsonObject | boolean)[] {
    if (this.#document === undefined) return [];
    return REFERENCE_KEYWORDS.flatMap((keyword) => {
      const target = this.#resolve(schema, keyword);
      return target === undefined || this.#loops.get(schema)?.has(keyword) === true ? [] : [target];
    });
  }

  #resolve(schema: JsonObject, keyword: typeof REFERENCE_KEYWORDS[number]): JsonObject | boolean | undefined {
    const reference = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
    const document = this.#document;
    if (document === undefined || typeof reference !== "string") return undefined;
    // As in drafts of before 2019, a keyword of another draft means nothing.
    if (keyword !== "$ref" && !document.dialect.keywords.has(keyword)) return undefined;
    try {
      const { schema: target, dynamicName } = document.resolve(reference, document.resourceOf(schema) ?? document.main);
      const bound = keyword === "$recursiveRef" ? "" : keyword === "$dynamicRef" ? dynamicName : undefined;
      if (bound !== undefined && document.findDynamic(bound).length > 1) return undefined;
      return isSchema(target) ? target : undefined;
    } catch {
      return undefined;
    }
  }

  #findLoops(): void {
    const state = new Map<JsonObject, "open" | "done">();
    const visit = (schema: JsonObject): void => {
      state.set(schema, "open");
      for (const keyword of REFERENCE_KEYWORDS) {
        const target = this.#resolve(schema, keyword);
        if (!isJsonObject(target)) continue;
        if (state.get(target) === "open") {
          this.#loops.set(schema, (this.#loops.get(schema) ?? new Set()).add(keyword));
        } else if (!state.has(target)) visit(target);
      }
      for (const [keyword, child] of childrenOf(schema)) {
        if (IN_PLACE.has(keyword) && !state.has(child)) visit(child);
      }
      state.set(schema, "done");
    };
    const queue = [this.root];
    for (let schema = queue.pop(); schema !== undefined; schema = queue.pop()) {
      if (!state.has(schema)) visit(schema);
      for (const [, child] of childrenOf(schema)) queue.push(child);
    }
  }
}

/** Nothing where its names contradict each other: then no reference can be followed. */
function openDocument(schema: JsonObject): SchemaDocument | undefined {
  try {
    return new SchemaDocument(schema);
  } catch {
    return undefined;
  }
}

function childrenOf(schema: JsonObject): (readonly [keyword: string, child: JsonObject])[] {
  return Object.entries(schema).flatMap(([keyword, value]) => {
    const shape = toSubschemaShape(keyword);
    if (shape === undefined) return [];
    const members: readonly JsonValue[] = shape === "map"
      ? isJsonObject(value) ? Object.values(value) : []
      : Array.isArray(value)
      ? value
      : [value];
    return members.filter(isJsonObject).map((member) => [keyword, member] as const);
  });
}
