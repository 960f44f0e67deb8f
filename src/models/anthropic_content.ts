/**
 * Results of tools for Anthropic's models.
 *
 * @module
 */

import type { ToolResult } from "../protocol.ts";
import { type ContentOptions, type ResultPart, toParts } from "./result_parts.ts";

/**
 * A block of a tool's result: text, an image, or a document.
 *
 * @example
 * ```ts
 * import { type AnthropicContentBlock, toAnthropicContent } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const isImage = (block: AnthropicContentBlock) => block.type === "image";
 * const { content } = toAnthropicContent({ content: [{ type: "image", data: "iVBO", mimeType: "image/png" }] });
 * assertEquals(content.filter(isImage).length, 1);
 * ```
 */
export type AnthropicContentBlock =
  | {
    /** The kind of block. */
    readonly type: "text";
    /** The text. */
    readonly text: string;
  }
  | {
    /** The kind of block. */
    readonly type: "image";
    /** The image. */
    readonly source: {
      /** How the bytes are given. */
      readonly type: "base64";
      /** The media type. */
      readonly media_type: AnthropicImageType;
      /** The bytes. */
      readonly data: string;
    };
  }
  | {
    /** The kind of block. */
    readonly type: "document";
    /** The document. */
    readonly source: {
      /** How the bytes are given. */
      readonly type: "base64";
      /** The media type. */
      readonly media_type: "application/pdf";
      /** The bytes. */
      readonly data: string;
    };
  };

/**
 * The images that the Messages API takes.
 *
 * @example
 * ```ts
 * import type { AnthropicContentBlock, AnthropicImageType } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const toBlock = (media_type: AnthropicImageType, bytes: Uint8Array): AnthropicContentBlock => ({
 *   type: "image",
 *   source: { type: "base64", media_type, data: bytes.toBase64() },
 * });
 * assertEquals(toBlock("image/png", new Uint8Array([137, 80, 78])).type, "image");
 * ```
 */
export type AnthropicImageType = "image/gif" | "image/jpeg" | "image/png" | "image/webp";

/**
 * What a `tool_result` block says besides the call that it answers.
 *
 * @example
 * ```ts
 * import { type AnthropicContent, toAnthropicContent } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const answer: AnthropicContent = toAnthropicContent({ content: [{ type: "text", text: "21 °C" }] });
 * assertEquals({ type: "tool_result", tool_use_id: "toolu_1", ...answer }.content, [{ type: "text", text: "21 °C" }]);
 * ```
 */
export interface AnthropicContent {
  /** The blocks; at least one. */
  readonly content: AnthropicContentBlock[];
  /** There where the tool failed. */
  readonly is_error?: true;
}

/**
 * Makes the content of a `tool_result` block. Images and PDFs are shown, other files described in words. Where the tool
 * failed all of it is text: the API refuses other blocks beside `is_error`.
 *
 * @example
 * ```ts
 * import { toAnthropicContent } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const result = { content: [{ type: "text", text: "No such file" }], isError: true } as const;
 * const block = { type: "tool_result", tool_use_id: "toolu_1", ...toAnthropicContent(result) };
 * assertEquals(block.is_error, true);
 * ```
 *
 * @param result What the tool answered.
 * @param options Caps.
 * @returns The fields of the block.
 * @throws {RangeError} If a cap is no whole number.
 */
export function toAnthropicContent(result: ToolResult, options: ContentOptions = {}): AnthropicContent {
  const isError = result.isError === true;
  const accepts = (type: string) => !isError && (isAnthropicImage(type) || type === "application/pdf");
  const content = toParts(result, options, accepts).map(toBlock);
  return isError ? { content, is_error: true } : { content };
}

function toBlock(part: ResultPart): AnthropicContentBlock {
  if (part.kind === "text") return { type: "text", text: part.text };
  const { mediaType, data } = part;
  if (isAnthropicImage(mediaType)) return { type: "image", source: { type: "base64", media_type: mediaType, data } };
  return { type: "document", source: { type: "base64", media_type: "application/pdf", data } };
}

function isAnthropicImage(mediaType: string): mediaType is AnthropicImageType {
  return ["image/gif", "image/jpeg", "image/png", "image/webp"].includes(mediaType);
}
