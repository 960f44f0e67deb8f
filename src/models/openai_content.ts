/**
 * Results of tools for OpenAI's models.
 *
 * @module
 */

import type { ToolResult } from "../protocol.ts";
import { type ContentOptions, type ResultPart, toParts } from "./result_parts.ts";
import { toText } from "./text_content.ts";

/**
 * A part of a function's output: text, an image, or a file.
 *
 * @example
 * ```ts
 * import { type OpenAIContentPart, toOpenAIContent } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const output: string | OpenAIContentPart[] = toOpenAIContent({
 *   content: [{ type: "image", data: "iVBO", mimeType: "image/png" }],
 * });
 * assertEquals(output, [{ type: "input_image", image_url: "data:image/png;base64,iVBO" }]);
 * ```
 */
export type OpenAIContentPart =
  | {
    /** The kind of part. */
    readonly type: "input_text";
    /** The text. */
    readonly text: string;
  }
  | {
    /** The kind of part. */
    readonly type: "input_image";
    /** The image as a data URL. */
    readonly image_url: string;
  }
  | {
    /** The kind of part. */
    readonly type: "input_file";
    /** The name of the file. */
    readonly filename: string;
    /** The file as a data URL. */
    readonly file_data: string;
  };

/**
 * How results are made into content for OpenAI.
 *
 * @example
 * ```ts
 * import { type OpenAIContentOptions, toOpenAIContent } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const options: OpenAIContentOptions & { readonly api: "chat" } = { api: "chat", maxChars: 20_000 };
 * const content: string = toOpenAIContent({ content: [{ type: "text", text: "21 °C" }] }, options);
 * assertEquals({ role: "tool", tool_call_id: "call_1", content }.content, "21 °C");
 * ```
 */
export interface OpenAIContentOptions extends ContentOptions {
  /** Which API the content is for: that of Chat Completions is text alone. @default {"responses"} */
  readonly api?: "responses" | "chat" | undefined;
}

const IMAGES: ReadonlySet<string> = new Set(["image/gif", "image/jpeg", "image/png", "image/webp"]);
const PDF = "application/pdf";
const FAILED = "The tool failed:";

/**
 * Makes the `output` of a `function_call_output`: one text, or parts where there are images or PDFs. Other files are
 * described in words. The API has no field for a failure: it is said before the text.
 *
 * @example
 * ```ts
 * import { toOpenAIContent } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(toOpenAIContent({ content: [], structuredContent: { celsius: 21 } }), '{"celsius":21}');
 * ```
 *
 * @param result What the tool answered.
 * @param options The API, caps.
 * @returns The content.
 * @throws {RangeError} If a cap is no whole number.
 */
export function toOpenAIContent(
  result: ToolResult,
  options?: OpenAIContentOptions & { readonly api?: "responses" | undefined },
): string | OpenAIContentPart[];
/**
 * Makes the `content` of a message with role `tool`.
 *
 * @param result What the tool answered.
 * @param options The API, caps.
 * @returns The text.
 * @throws {RangeError} If a cap is no whole number.
 */
export function toOpenAIContent(result: ToolResult, options: OpenAIContentOptions & { readonly api: "chat" }): string;
/**
 * Makes the content for either API, as the options say.
 *
 * @param result What the tool answered.
 * @param options The API, caps.
 * @returns The content.
 * @throws {RangeError} If a cap is no whole number.
 */
export function toOpenAIContent(result: ToolResult, options?: OpenAIContentOptions): string | OpenAIContentPart[];
export function toOpenAIContent(
  result: ToolResult,
  options: OpenAIContentOptions = {},
): string | OpenAIContentPart[] {
  const accepts = (mediaType: string) => IMAGES.has(mediaType) || mediaType === PDF;
  const parts = options.api === "chat" ? [] : toParts(result, options, accepts);
  if (parts.every(({ kind }) => kind === "text")) {
    const text = toText(result, options);
    return result.isError ? `${FAILED}\n${text}` : text;
  }
  const content = parts.map(toContentPart);
  return result.isError ? [{ type: "input_text", text: FAILED }, ...content] : content;
}

function toContentPart(part: ResultPart): OpenAIContentPart {
  if (part.kind === "text") return { type: "input_text", text: part.text };
  const url = `data:${part.mediaType};base64,${part.data}`;
  if (part.mediaType !== PDF) return { type: "input_image", image_url: url };
  return { type: "input_file", filename: part.name ?? "file.pdf", file_data: url };
}
