/**
 * A tool's result as texts and files, whatever kinds of blocks it is made of.
 *
 * @module
 */

import { type ContentBlock, isJsonObject, type JsonObject, type ToolResult } from "../protocol.ts";
import { checkCap, headOf } from "./cut_text.ts";

/**
 * How much of a result a model is told. What is left out is said.
 *
 * @example
 * ```ts
 * import { type ContentOptions, toText } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const options: ContentOptions = { maxChars: 3 };
 * assertEquals(toText({ content: [{ type: "text", text: "harbour" }] }, options), "har\n[4 more characters left out]");
 * ```
 */
export interface ContentOptions {
  /** How many UTF-16 units of text are kept, over all blocks; `Infinity` keeps all. @default {100000} */
  readonly maxChars?: number | undefined;
  /** How many bytes of files are kept, over all blocks; `0` describes each file in words. @default {5242880, 5 MiB} */
  readonly maxFileBytes?: number | undefined;
}

/** A text of a result. */
export interface TextPart {
  /** The kind of part. */
  readonly kind: "text";
  /** The text; never blank. */
  readonly text: string;
}

/** A file of a result. */
export interface FilePart {
  /** The kind of part. */
  readonly kind: "file";
  /** The media type, well-formed and without parameters. */
  readonly mediaType: string;
  /** The bytes as base64. */
  readonly data: string;
  /** The name of the file, where the server gives one. */
  readonly name?: string | undefined;
}

/** A part of a result. */
export type ResultPart = TextPart | FilePart;

const MEDIA_TYPE = /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/;
const MAX_NAME_CHARS = 255;
const NOTHING = "[The tool answered with nothing]";

/**
 * Takes a result apart. Every text is kept, also that of kinds of blocks that are not known, as JSON; data
 * (`structuredContent`) is told as JSON where no block has a text. There is at least one part.
 *
 * @param result What the tool answered.
 * @param options Caps.
 * @param accepts Which media types may be files; others are described in words.
 * @returns The parts.
 * @throws {RangeError} If a cap is no whole number.
 */
export function toParts(
  result: ToolResult,
  options: ContentOptions = {},
  accepts: (mediaType: string) => boolean = () => true,
): readonly ResultPart[] {
  const { maxChars, maxFileBytes } = checkContentOptions(options);
  const parts = result.content.map(toPart).filter((part) => part.kind === "file" || part.text.trim() !== "");
  if (result.structuredContent !== undefined && !parts.some(({ kind }) => kind === "text")) {
    parts.push(textPart(JSON.stringify(result.structuredContent)));
  }
  const capped = capTexts(capFiles(parts, maxFileBytes, accepts), maxChars);
  return capped.length === 0 ? [textPart(NOTHING)] : capped;
}

/**
 * Checks caps.
 *
 * @param options Caps as a caller gives them.
 * @returns The caps, none left open.
 * @throws {RangeError} If a cap is no whole number.
 */
export function checkContentOptions(
  options: ContentOptions,
): { readonly maxChars: number; readonly maxFileBytes: number } {
  const { maxChars = 100_000, maxFileBytes = 5_242_880 } = options;
  return { maxChars: checkCap("maxChars", maxChars), maxFileBytes: checkCap("maxFileBytes", maxFileBytes) };
}

function toPart(block: ContentBlock): ResultPart {
  // A server may send what no specification knows, and fields of other types than it says.
  const { type, text, data, mimeType, resource }: { readonly [field: string]: unknown } = block;
  if (type === "text" && typeof text === "string") return textPart(text);
  if ((type === "image" || type === "audio") && typeof data === "string") return filePart(mimeType, data);
  if (type === "resource" && isJsonObject(resource)) return toResourcePart(resource) ?? jsonPart(block);
  if (type === "resource_link") return toLinkPart(block);
  return jsonPart(block);
}

function toResourcePart(resource: JsonObject): ResultPart | undefined {
  const { uri, mimeType, text, blob } = resource;
  const name = typeof uri === "string" ? uri : "";
  if (typeof text === "string") return textPart(name === "" ? text : `Resource ${name}:\n${text}`);
  if (typeof blob !== "string") return undefined;
  const file = name.split(/[?#]/, 1)[0]!.split("/").at(-1)!.slice(-MAX_NAME_CHARS).toWellFormed();
  return filePart(mimeType, blob, file === "" ? undefined : file);
}

function toLinkPart(block: { readonly [field: string]: unknown }): ResultPart {
  const { uri, name, mimeType, description } = block;
  if (typeof uri !== "string") return jsonPart(block);
  const words = [name, mimeType, description].filter((word) => typeof word === "string" && word !== "");
  return textPart(`Link to resource ${uri}${words.length === 0 ? "" : ` (${words.join("; ")})`}`);
}

/** Half a character, which JSON from a server can hold, would make vendors refuse the whole request. */
function textPart(text: string): TextPart {
  return { kind: "text", text: text.toWellFormed() };
}

function jsonPart(value: unknown): TextPart {
  return textPart(JSON.stringify(value));
}

function filePart(mimeType: unknown, data: string, name?: string): FilePart {
  const type = typeof mimeType === "string" ? mimeType.split(";", 1)[0]!.trim().toLowerCase() : "";
  const mediaType = MEDIA_TYPE.test(type) ? type : "application/octet-stream";
  return { kind: "file", mediaType, data, name };
}

function capFiles(parts: readonly ResultPart[], maxBytes: number, accepts: (mediaType: string) => boolean) {
  let left = maxBytes;
  return parts.map((part): ResultPart => {
    if (part.kind === "text") return part;
    const bytes = Math.floor(part.data.length * 3 / 4);
    const what = part.name === undefined ? part.mediaType : `${part.name}, ${part.mediaType}`;
    if (!accepts(part.mediaType) || bytes === 0) return textPart(`[File left out: ${what}, ${bytes} bytes]`);
    if (bytes > left) return textPart(`[File left out as it is too large: ${what}, ${bytes} bytes]`);
    left -= bytes;
    return part;
  });
}

function capTexts(parts: readonly ResultPart[], maxChars: number): readonly ResultPart[] {
  const kept: ResultPart[] = [];
  let left = maxChars;
  let lost = 0;
  for (const part of parts) {
    if (part.kind === "file") {
      kept.push(part);
      continue;
    }
    const head = headOf(part.text, left);
    if (head.trim() !== "") kept.push(textPart(head));
    lost += part.text.length - head.length;
    left = lost > 0 ? 0 : left - head.length;
  }
  if (lost > 0) kept.push(textPart(`[${lost} more characters left out]`));
  return kept;
}
