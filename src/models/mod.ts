/**
 * Tools and their results for language models: in the shapes of OpenAI, Anthropic and the AI SDK, in few tokens, and
 * found by words. Pure functions over what a client lists and what a tool answers; nothing of a vendor is imported.
 *
 * @example From a client's tools to a model and back
 * ```ts
 * import { toAnthropicContent, toAnthropicTools } from "@portolan/mcp/models";
 * import { assertEquals } from "@std/assert";
 *
 * const { tools, callOf } = toAnthropicTools([{ name: "files.read", inputSchema: { type: "object" } }]);
 * // const message = await anthropic.messages.create({ tools, … });
 * const call = callOf(tools[0]!.name, { path: "a.txt" });
 * assertEquals(call, { name: "files.read", args: { path: "a.txt" } });
 * // const result = await client.callTool(call.name, call.args);
 * const { content } = toAnthropicContent({ content: [{ type: "text", text: "Hello" }] });
 * assertEquals(content, [{ type: "text", text: "Hello" }]);
 * ```
 *
 * @module
 */

export { type AISDKOutput, type AISDKOutputPart, toAISDKOutput } from "./ai_sdk_output.ts";
export {
  type AISDKSchema,
  type AISDKTool,
  type AISDKTools,
  type AISDKToolsOptions,
  type CallTool,
  toAISDKTools,
} from "./ai_sdk_tools.ts";
export {
  type AnthropicContent,
  type AnthropicContentBlock,
  type AnthropicImageType,
  toAnthropicContent,
} from "./anthropic_content.ts";
export { type AnthropicTool, type AnthropicToolsOptions, toAnthropicTools } from "./anthropic_tools.ts";
export type { ExportedCall, ExportedTools, ExportOptions, ToolChange } from "./exported_tools.ts";
export { type LeanListingOptions, toLeanListing } from "./lean_listing.ts";
export { type OpenAIContentOptions, type OpenAIContentPart, toOpenAIContent } from "./openai_content.ts";
export {
  type OpenAIChatTool,
  type OpenAIResponsesTool,
  type OpenAIToolsOptions,
  toOpenAITools,
} from "./openai_tools.ts";
export type { ContentOptions } from "./result_parts.ts";
export { toText } from "./text_content.ts";
export { estimateTokens } from "./token_estimate.ts";
export { type FoundTool, ToolSearch, type ToolSearchOptions } from "./tool_search.ts";
export type { VendorSchema } from "./vendor_schema.ts";
export type {
  ContentBlock,
  EmbeddedResourceContent,
  JsonObject,
  JsonValue,
  MediaContent,
  ResourceLinkContent,
  TextContent,
  Tool,
  ToolAnnotations,
  ToolResult,
} from "../protocol.ts";
