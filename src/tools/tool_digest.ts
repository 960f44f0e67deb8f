/**
 * What a model is told of a tool, and the digest that stands for it.
 *
 * @module
 */

import { sha256Hex } from "../cache/sha256.ts";
import { isJsonObject, type JsonValue, type Tool } from "../protocol.ts";

/** How large what a model is told of a tool may be to be kept and shown, in bytes of JSON. */
export const MAX_TEXT_BYTES = 16 * 1024;

/** What a model is told of a tool, besides its name. */
export type ToolText = Pick<Tool, "description" | "inputSchema">;

const encoder = new TextEncoder();

/**
 * SHA-256 over what a model is told of a tool.
 *
 * @param name Its name.
 * @param text Its description and its arguments; the order of keys says nothing.
 * @returns 64 hexadecimal digits.
 */
export function toToolDigest(name: string, { description, inputSchema }: ToolText): Promise<string> {
  return sha256Hex(JSON.stringify(toCanonical({ name, description: description ?? null, inputSchema })));
}

/**
 * What a model is told of a tool, and nothing else of it.
 *
 * @param tool The tool.
 * @returns Its description, where it has one, and its arguments.
 */
export function toToolText({ description, inputSchema }: ToolText): ToolText {
  return description === undefined ? { inputSchema } : { description, inputSchema };
}

/**
 * What a model is told of a tool, as JSON.
 *
 * @param tool The tool.
 * @returns The JSON; `undefined` where it is larger than 16 KiB.
 */
export function writeToolText({ description, inputSchema }: ToolText): string | undefined {
  const text = JSON.stringify({ description, inputSchema });
  return encoder.encode(text).byteLength > MAX_TEXT_BYTES ? undefined : text;
}

/**
 * Reads what {@linkcode writeToolText} has written, from where somebody may have changed it.
 *
 * @param text The JSON.
 * @param name The tool's name.
 * @param digest What it must have been pinned as.
 * @returns What a model was told; `undefined` where it is not that.
 */
export async function readToolText(text: string, name: string, digest: string): Promise<ToolText | undefined> {
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value) || !isJsonObject(value.inputSchema)) return undefined;
    const { description, inputSchema } = value;
    if (description !== undefined && typeof description !== "string") return undefined;
    const read = toToolText({ description, inputSchema });
    return await toToolDigest(name, read) === digest ? read : undefined;
  } catch {
    return undefined;
  }
}

/** The same value with the keys of every object in order: their order says nothing. */
function toCanonical(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(toCanonical);
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value).sort();
  return keys.map((key) => [key, toCanonical(value[key] ?? null)]);
}
