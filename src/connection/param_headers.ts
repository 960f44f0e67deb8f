/**
 * Arguments that a modern server wants as headers too (specification 2026-07-28, Streamable HTTP, Custom Headers from
 * Tool Parameters).
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";

/** One property of a tool's arguments that is sent as a header. */
export interface ParamHeader {
  /** The header's name: `Mcp-Param-` and what the schema says. */
  readonly header: string;
  /** The keys that lead to the property. */
  readonly path: readonly string[];
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;
const PRIMITIVES = new Set(["string", "integer", "boolean"]);
/** How deep a schema is looked through, and how many of its parts. */
const MAX_DEPTH = 32;
const MAX_PARTS = 20_000;

/**
 * Reads which arguments of a tool are sent as headers.
 *
 * @param inputSchema The tool's schema.
 * @returns The headers, or `undefined` where the schema breaks a rule: the tool must not be used.
 */
export function readParamHeaders(inputSchema: JsonObject): readonly ParamHeader[] | undefined {
  // Nearly no schema has them: the text tells at once.
  if (!JSON.stringify(inputSchema).includes('"x-mcp-header"')) return [];
  const found: ParamHeader[] = [];
  const taken = new Set<string>();
  let parts = 0;
  const visit = (schema: JsonValue | undefined, path: readonly string[] | undefined, depth: number): boolean => {
    if (++parts > MAX_PARTS || depth > MAX_DEPTH) return false;
    if (Array.isArray(schema)) return schema.every((part) => visit(part, undefined, depth + 1));
    if (!isJsonObject(schema)) return true;
    if ("x-mcp-header" in schema && path !== undefined && path.length > 0) {
      const name = schema["x-mcp-header"];
      if (typeof name !== "string" || !TOKEN.test(name) || taken.has(name.toLowerCase())) return false;
      if (typeof schema.type !== "string" || !PRIMITIVES.has(schema.type)) return false;
      taken.add(name.toLowerCase());
      found.push({ header: `Mcp-Param-${name}`, path });
    } else if ("x-mcp-header" in schema) {
      return false;
    }
    return Object.entries(schema).every(([key, part]) => {
      if (key !== "properties" || !isJsonObject(part)) return visit(part, undefined, depth + 1);
      // Only a chain of `properties` leads to a place whose value can be read from the arguments.
      return Object.entries(part).every(([name, property]) => visit(property, path && [...path, name], depth + 1));
    });
  };
  return visit(inputSchema, [], 0) ? found : undefined;
}

/**
 * The headers of one call.
 *
 * @param params Which arguments are sent as headers.
 * @param args The arguments.
 * @returns Names and encoded values; absent and null arguments have none.
 */
export function toParamHeaders(
  params: readonly ParamHeader[],
  args: JsonObject,
): readonly (readonly [string, string])[] {
  return params.flatMap(({ header, path }) => {
    let value: JsonValue | undefined = args;
    for (const key of path) value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    const isPrimitive = typeof value === "string" || typeof value === "boolean" || Number.isSafeInteger(value);
    return isPrimitive ? [[header, toHeaderValue(String(value))] as const] : [];
  });
}

/**
 * Encodes a value for a header (specification 2026-07-28, Streamable HTTP, Value Encoding).
 *
 * @param value Any text.
 * @returns The text, or its Base64 form where it could not be carried as it is.
 */
export function toHeaderValue(value: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/.test(value);
  const looksEncoded = value.startsWith("=?base64?") && value.endsWith("?=");
  if (value === "" || (isPlain && !looksEncoded)) return value;
  return `=?base64?${new TextEncoder().encode(value).toBase64()}?=`;
}
