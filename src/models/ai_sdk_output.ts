/**
 * Results of tools for the AI SDK.
 *
 * @module
 */

import type { JsonValue, ToolResult } from "../protocol.ts";
import { type ContentOptions, toParts } from "./result_parts.ts";
import { toText } from "./text_content.ts";

/**
 * A part of a result: text, or a file.
 *
 * @example
 * ```ts
 * import { type AISDKOutputPart, toAISDKOutput } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const toTypes = (parts: readonly AISDKOutputPart[]) => parts.map((part) => part.type);
 * const output = toAISDKOutput({ content: [{ type: "image", data: "iVBO", mimeType: "image/png" }] });
 * assertEquals(output.type === "content" ? toTypes(output.value) : [], ["file"]);
 * ```
 */
export type AISDKOutputPart =
  | {
    /** The kind of part. */
    readonly type: "text";
    /** The text. */
    readonly text: string;
  }
  | {
    /** The kind of part. */
    readonly type: "file";
    /** The media type. */
    readonly mediaType: string;
    /** The bytes. */
    readonly data: {
      /** How the bytes are given. */
      readonly type: "data";
      /** The bytes as base64. */
      readonly data: string;
    };
    /** The name of the file, where the server gives one. */
    readonly filename?: string;
  };

/**
 * A result as the AI SDK tells it to any model: `output` of a `tool-result` part.
 *
 * @example
 * ```ts
 * import { type AISDKOutput, toAISDKOutput } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const output: AISDKOutput = toAISDKOutput({ content: [], structuredContent: { celsius: 21 } });
 * const part = { type: "tool-result", toolCallId: "call_1", toolName: "weather", output };
 * assertEquals(part.output, { type: "json", value: { celsius: 21 } });
 * ```
 */
export type AISDKOutput =
  | {
    /** The kind of output. */
    readonly type: "text" | "error-text";
    /** The text. */
    readonly value: string;
  }
  | {
    /** The kind of output. */
    readonly type: "json" | "error-json";
    /** The data. */
    readonly value: JsonValue;
  }
  | {
    /** The kind of output. */
    readonly type: "content";
    /** The parts. */
    readonly value: AISDKOutputPart[];
  };

/**
 * Makes the AI SDK's output of a result: text where it is all text, JSON where it is all data, content where there are
 * files, an error where the tool failed.
 *
 * @example
 * ```ts
 * import { toAISDKOutput } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const output = toAISDKOutput({ content: [{ type: "text", text: "No such file" }], isError: true });
 * assertEquals(output, { type: "error-text", value: "No such file" });
 * ```
 *
 * @param result What the tool answered.
 * @param options Caps.
 * @returns The output.
 * @throws {RangeError} If a cap is no whole number.
 */
export function toAISDKOutput(result: ToolResult, options: ContentOptions = {}): AISDKOutput {
  const { content, structuredContent, isError } = result;
  const text = toText(result, options);
  // Data that is cut is no JSON any more.
  if (content.length === 0 && structuredContent !== undefined && text === JSON.stringify(structuredContent)) {
    return { type: isError ? "error-json" : "json", value: structuredContent };
  }
  if (isError) return { type: "error-text", value: text };
  const parts = toParts(result, options);
  if (parts.every(({ kind }) => kind === "text")) return { type: "text", value: text };
  const value = parts.map((part): AISDKOutputPart => {
    if (part.kind === "text") return { type: "text", text: part.text };
    const { mediaType, data, name } = part;
    const filename = name === undefined ? {} : { filename: name };
    return { type: "file", mediaType, data: { type: "data", data }, ...filename };
  });
  return { type: "content", value };
}
