/**
 * A schema with all that is in it by name: references lead to what the document holds itself, never out of it.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { type Dialect, toDialect, toSubschemaShape } from "./dialect.ts";
import { UnusableSchemaError } from "./unusable_schema_error.ts";

/** A schema with a name of its own, and what is named within it. */
export interface SchemaResource {
  /** Its address; only to be compared. */
  readonly uri: string;
  /** The schema itself. */
  readonly root: JsonValue;
  /** The schemas in it that `$anchor` or `$dynamicAnchor` names. */
  readonly anchors: Map<string, JsonValue>;
  /** Those of them that `$dynamicAnchor` names; under the empty name, the root that `$recursiveAnchor` marks. */
  readonly dynamicAnchors: Map<string, JsonValue>;
}

/** Where a reference leads. */
export interface SchemaTarget {
  /** The schema. */
  readonly schema: JsonValue;
  /** The resource that it belongs to. */
  readonly resource: SchemaResource;
  /** The name to look for in the schemas gone through, where the reference is bound to them. */
  readonly dynamicName?: string | undefined;
}

const BASE_URI = "schema://document/";

/** One schema document. */
export class SchemaDocument {
  /** The draft it is written in. */
  readonly dialect: Dialect;
  /** The resource that the document is. */
  readonly main: SchemaResource;
  readonly #resources = new Map<string, SchemaResource>();
  readonly #resourceOf = new Map<JsonValue, SchemaResource>();

  /**
   * Reads a document.
   *
   * @param schema A schema of bounded size and depth that nobody else changes.
   * @throws {UnusableSchemaError} If its draft is not known, or its names cannot be used.
   */
  constructor(schema: JsonObject) {
    const dialect = toDialect(own(schema, "$schema"));
    if (dialect === undefined) throw new UnusableSchemaError("its $schema is not one that is known");
    this.dialect = dialect;
    const main = this.#addResource(BASE_URI, schema);
    this.#walk(schema, main);
    this.main = this.resourceOf(schema) ?? main;
  }

  /**
   * Finds all schemas that a reference can come to while checking.
   *
   * @param name The name that `$dynamicAnchor` gives them.
   * @returns The schemas with their resources.
   */
  findDynamic(name: string): readonly SchemaTarget[] {
    return [...this.#resources.values()].flatMap((resource) => {
      const schema = resource.dynamicAnchors.get(name);
      return schema === undefined ? [] : [{ schema, resource }];
    });
  }

  /**
   * Finds the resource that a schema of this document belongs to.
   *
   * @param schema A schema in the document.
   * @returns Its resource, or `undefined` where no keyword leads to it.
   */
  resourceOf(schema: JsonValue): SchemaResource | undefined {
    return this.#resourceOf.get(schema);
  }

  /**
   * Follows a reference.
   *
   * @param reference The value of `$ref`.
   * @param from The resource that the reference stands in.
   * @returns The schema it leads to.
   * @throws {UnusableSchemaError} If that is not in this document.
   */
  resolve(reference: string, from: SchemaResource): SchemaTarget {
    const [address = "", ...rest] = reference.split("#");
    const resource = address === "" ? from : this.#resources.get(toUri(address, from.uri));
    if (resource === undefined) throw new UnusableSchemaError("one of its references leads out of it");
    const fragment = decode(rest.join("#"));
    if (fragment.startsWith("/")) return this.#follow(fragment.split("/").slice(1), resource);
    const schema = fragment === "" ? resource.root : resource.anchors.get(fragment);
    if (schema === undefined) throw new UnusableSchemaError("one of its references leads nowhere");
    return { schema, resource, dynamicName: resource.dynamicAnchors.has(fragment) ? fragment : undefined };
  }

  #follow(keys: readonly string[], from: SchemaResource): SchemaTarget {
    let [schema, resource] = [from.root, from];
    for (const escaped of keys) {
      const key = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
      const next = isJsonObject(schema) || Array.isArray(schema) ? own(schema, key) : undefined;
      if (next === undefined) throw new UnusableSchemaError("one of its references leads nowhere");
      resource = this.resourceOf(next) ?? resource;
      schema = next;
    }
    return { schema, resource };
  }

  #walk(schema: JsonValue, parent: SchemaResource): void {
    if (!isJsonObject(schema)) return;
    const resource = this.#name(schema, parent);
    this.#resourceOf.set(schema, resource);
    for (const [keyword, value] of Object.entries(schema)) {
      const shape = toSubschemaShape(keyword);
      if (shape === "map") {
        if (isJsonObject(value)) { for (const member of Object.values(value)) this.#walk(member, resource); }
      } else if (shape !== undefined) {
        for (const member of Array.isArray(value) ? value : [value]) this.#walk(member, resource);
      }
    }
  }

  /** Records the names that a schema gives itself. */
  #name(schema: JsonObject, parent: SchemaResource): SchemaResource {
    const { idKeyword, refStandsAlone } = this.dialect;
    if (refStandsAlone && typeof own(schema, "$ref") === "string") return parent;
    const id = own(schema, idKeyword);
    let resource = parent;
    if (typeof id === "string" && id !== "" && id !== "#") {
      if (refStandsAlone && id.startsWith("#")) parent.anchors.set(decode(id.slice(1)), schema);
      else resource = this.#addResource(toUri(id.split("#", 1)[0]!, parent.uri), schema);
    }
    const uri = own(schema, "$schema");
    if (resource !== parent && uri !== undefined && toDialect(uri) !== this.dialect) {
      throw new UnusableSchemaError("its parts are written in several drafts");
    }
    if (refStandsAlone) return resource;
    for (const keyword of ["$anchor", "$dynamicAnchor"]) {
      const name = own(schema, keyword);
      if (typeof name !== "string") continue;
      resource.anchors.set(name, schema);
      if (keyword === "$dynamicAnchor") resource.dynamicAnchors.set(name, schema);
    }
    const isRecursive = this.dialect.keywords.has("$recursiveRef") && own(schema, "$recursiveAnchor") === true;
    if (isRecursive && resource.root === schema) resource.dynamicAnchors.set("", schema);
    return resource;
  }

  #addResource(uri: string, root: JsonValue): SchemaResource {
    if (this.#resources.has(uri)) throw new UnusableSchemaError("two schemas in it have the same name");
    const resource: SchemaResource = { uri, root, anchors: new Map(), dynamicAnchors: new Map() };
    this.#resources.set(uri, resource);
    return resource;
  }
}

/** A member that an object has itself; what every object has is none of a schema's. */
function own(value: JsonObject | JsonValue[], key: string): JsonValue | undefined {
  return Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
}

function toUri(reference: string, base: string): string {
  const url = URL.parse(reference, base);
  if (url === null) throw new UnusableSchemaError("one of its names is not a URI");
  return url.href;
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    throw new UnusableSchemaError("one of its references is malformed");
  }
}
