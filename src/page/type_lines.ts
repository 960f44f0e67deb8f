/**
 * A schema as a type that people read: one line for each member, with what the schema says of it.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { toComponentName } from "./api_document.ts";
import { toPlainLine } from "./plain_text.ts";

/** A line of a type. */
export interface TypeLine {
  /** How far it is indented. */
  readonly depth: number;
  /** The type, or a part of one. */
  readonly code: string;
  /** What the schema says of it. */
  readonly note: string;
}

const MAX_LINES = 200;
const MAX_DEPTH = 6;
const MAX_CHOICES = 12;
const MAX_NOTE_CHARS = 120;
const MAX_CODE_CHARS = 80;

/**
 * Writes a schema as a type.
 *
 * @param schema A schema that stands alone.
 * @returns The lines: the type, then each type that it names.
 */
export function toTypeLines(schema: JsonObject): readonly TypeLine[] {
  return new TypeWriter(schema).write();
}

class TypeWriter {
  readonly #schema: JsonObject;
  readonly #components: JsonObject;
  readonly #lines: TypeLine[] = [];
  readonly #named = new Set<string>();

  constructor(schema: JsonObject) {
    const { components, ...rest } = schema;
    this.#schema = rest;
    const schemas = isJsonObject(components) ? components.schemas : undefined;
    this.#components = isJsonObject(schemas) ? schemas : {};
  }

  write(): readonly TypeLine[] {
    const name = toComponentName(this.#schema.$ref);
    if (name !== undefined) this.#named.add(name);
    const root = name === undefined ? this.#schema : this.#component(name);
    this.#add(0, "", root, "");
    // What is named on the way is added at the end.
    for (const name of this.#named) {
      if (root === this.#component(name)) continue;
      this.#add(0, `${toShortName(name)} = `, this.#component(name), "");
    }
    const { length } = this.#lines;
    if (length <= MAX_LINES) return this.#lines;
    return [...this.#lines.slice(0, MAX_LINES), { depth: 0, code: `… ${length - MAX_LINES} more lines`, note: "" }];
  }

  #component(name: string): JsonValue {
    return Object.hasOwn(this.#components, name) ? this.#components[name] ?? true : true;
  }

  #add(depth: number, before: string, schema: JsonValue, after: string): void {
    if (this.#lines.length > 10 * MAX_LINES) return;
    const note = isJsonObject(schema) ? toPlainLine(schema.description ?? schema.title, MAX_NOTE_CHARS) : "";
    const list = toListed(schema);
    const object = list ?? schema;
    if (!isBlock(object) || depth >= MAX_DEPTH) {
      this.#lines.push({ depth, code: before + this.#toCode(schema) + after, note });
      return;
    }
    this.#lines.push({ depth, code: `${before}{`, note });
    const required: JsonValue[] = Array.isArray(object.required) ? object.required : [];
    for (const [key, member] of Object.entries(object.properties)) {
      const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
      this.#add(depth + 1, `${toPlainLine(name, MAX_CODE_CHARS)}${required.includes(key) ? "" : "?"}: `, member, "");
    }
    this.#lines.push({ depth, code: `}${list === undefined ? "" : "[]"}${after}`, note: "" });
  }

  #toCode(schema: JsonValue, depth = 0): string {
    if (!isJsonObject(schema)) return schema === false ? "never" : "any";
    if (depth > MAX_DEPTH) return "…";
    const name = toComponentName(schema.$ref);
    if (name !== undefined) {
      this.#named.add(name);
      return toShortName(name);
    }
    if (Object.hasOwn(schema, "const")) return toLiteral(schema.const ?? null);
    if (Array.isArray(schema.enum)) return toUnion(schema.enum.map(toLiteral), " | ");
    for (const [keyword, sign] of [["anyOf", " | "], ["oneOf", " | "], ["allOf", " & "]] as const) {
      const parts = schema[keyword];
      if (Array.isArray(parts)) return toUnion(parts.map((part) => this.#toCode(part, depth + 1)), sign);
    }
    const types: JsonValue[] = Array.isArray(schema.type) ? schema.type : [schema.type ?? "any"];
    return toUnion(types.map((type) => this.#toTyped(schema, String(type), depth)), " | ");
  }

  #toTyped(schema: JsonObject, type: string, depth: number): string {
    if (type === "array") {
      const item = this.#toCode(schema.items ?? true, depth + 1);
      return / [|&] /.test(item) ? `(${item})[]` : `${item}[]`;
    }
    if (type !== "object") return toPlainLine(type, MAX_CODE_CHARS);
    const { additionalProperties: rest, properties } = schema;
    if (isJsonObject(rest)) return `{ [name]: ${this.#toCode(rest, depth + 1)} }`;
    return isJsonObject(properties) && Object.keys(properties).length > 0 ? "{ … }" : "object";
  }
}

type Block = JsonObject & { readonly properties: JsonObject };

/** Whether a schema is written as a block: an object with members. */
function isBlock(schema: JsonValue): schema is Block {
  return isJsonObject(schema) && isJsonObject(schema.properties) && Object.keys(schema.properties).length > 0 &&
    schema.$ref === undefined;
}

/** The items of a list whose items are written as a block. */
function toListed(schema: JsonValue): JsonValue | undefined {
  if (!isJsonObject(schema) || schema.type !== "array") return undefined;
  return schema.items !== undefined && isBlock(schema.items) ? schema.items : undefined;
}

function toLiteral(value: JsonValue): string {
  return toPlainLine(JSON.stringify(value), MAX_CODE_CHARS);
}

function toUnion(parts: readonly string[], sign: string): string {
  const different = [...new Set(parts)];
  if (different.length <= MAX_CHOICES) return different.join(sign) || "any";
  return `${different.slice(0, MAX_CHOICES).join(sign)}${sign}… ${different.length} in all`;
}

/** Components of tools begin with the name of their operation. */
function toShortName(name: string): string {
  return toPlainLine(name.slice(name.lastIndexOf(".") + 1), MAX_CODE_CHARS);
}
