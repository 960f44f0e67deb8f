/**
 * What is exported fits the vendors' own types. Each pair below fails to compile where our shape stops fitting, or where
 * a vendor's type has silently become `any`.
 */

import type Anthropic from "@anthropic-ai/sdk";
import { assertEquals } from "@std/assert";
import type { ModelMessage, ToolSet } from "ai";
import type OpenAI from "openai";
import {
  toAISDKOutput,
  toAISDKTools,
  toAnthropicContent,
  toAnthropicTools,
  toOpenAIContent,
  toOpenAITools,
} from "@portolan/mcp/models";
import type { ToolResult } from "../../src/protocol.ts";
import { HUNDRED_TOOLS } from "./hundred_tools.ts";

const RESULT: ToolResult = { content: [{ type: "text", text: "Hello" }] };
const call = () => Promise.resolve(RESULT);

Deno.test("toOpenAITools() gives what the types of OpenAI's Responses API take", () => {
  const tools: OpenAI.Responses.FunctionTool[] = toOpenAITools(HUNDRED_TOOLS).tools;
  const params: Pick<OpenAI.Responses.ResponseCreateParams, "tools"> = { tools: toOpenAITools(HUNDRED_TOOLS).tools };
  // @ts-expect-error The shape of the other API
  const wrong: OpenAI.Responses.FunctionTool[] = toOpenAITools(HUNDRED_TOOLS, { api: "chat" }).tools;
  assertEquals([tools.length, params.tools?.length, wrong.length], [100, 100, 100]);
});

Deno.test("toOpenAITools() gives what the types of OpenAI's Chat Completions API take", () => {
  const tools: OpenAI.Chat.Completions.ChatCompletionFunctionTool[] =
    toOpenAITools(HUNDRED_TOOLS, { api: "chat" }).tools;
  // @ts-expect-error The shape of the other API
  const wrong: OpenAI.Chat.Completions.ChatCompletionTool[] = toOpenAITools(HUNDRED_TOOLS).tools;
  assertEquals([tools.length, wrong.length], [100, 100]);
});

Deno.test("toOpenAIContent() gives what the types of both APIs of OpenAI take", () => {
  const output: OpenAI.Responses.ResponseInputItem = {
    type: "function_call_output",
    call_id: "call_1",
    output: toOpenAIContent(RESULT),
  };
  const message: OpenAI.Chat.Completions.ChatCompletionToolMessageParam = {
    role: "tool",
    tool_call_id: "call_1",
    content: toOpenAIContent(RESULT, { api: "chat" }),
  };
  const wrong: OpenAI.Chat.Completions.ChatCompletionToolMessageParam = {
    ...message,
    // @ts-expect-error Images are for the other API
    content: toOpenAIContent(RESULT),
  };
  assertEquals([output.output, message.content, wrong.content], ["Hello", "Hello", "Hello"]);
});

Deno.test("toAnthropicTools() gives what the types of Anthropic's Messages API take", () => {
  const tools: Anthropic.Tool[] = toAnthropicTools(HUNDRED_TOOLS, { cacheTtl: "1h" }).tools;
  const params: Pick<Anthropic.MessageCreateParams, "tools"> = { tools: toAnthropicTools(HUNDRED_TOOLS).tools };
  // @ts-expect-error The shape of another vendor
  const wrong: Anthropic.Tool[] = toOpenAITools(HUNDRED_TOOLS).tools;
  assertEquals([tools.length, params.tools?.length, wrong.length], [100, 100, 100]);
});

Deno.test("toAnthropicContent() gives what the types of Anthropic's Messages API take", () => {
  const block: Anthropic.ToolResultBlockParam = {
    type: "tool_result",
    tool_use_id: "toolu_1",
    ...toAnthropicContent(RESULT),
  };
  const wrong: Anthropic.ToolResultBlockParam = {
    ...block,
    // @ts-expect-error The shape of another vendor
    content: toOpenAIContent(RESULT),
  };
  assertEquals([block.content, wrong.content], [[{ type: "text", text: "Hello" }], "Hello"]);
});

Deno.test("toAISDKTools() gives what the AI SDK takes as its tools", () => {
  const tools: ToolSet = toAISDKTools(HUNDRED_TOOLS, call).tools;
  // @ts-expect-error The shape of another vendor
  const wrong: ToolSet = { one: toOpenAITools(HUNDRED_TOOLS).tools[0]! };
  assertEquals([Object.keys(tools).length, Object.keys(wrong).length], [100, 1]);
});

Deno.test("toAISDKOutput() gives what the AI SDK takes as the output of a tool", () => {
  const message: ModelMessage = {
    role: "tool",
    content: [{ type: "tool-result", toolCallId: "1", toolName: "read", output: toAISDKOutput(RESULT) }],
  };
  const wrong: ModelMessage = {
    role: "tool",
    // @ts-expect-error A result is no output
    content: [{ type: "tool-result", toolCallId: "1", toolName: "read", output: RESULT }],
  };
  assertEquals([message.content.length, wrong.content.length], [1, 1]);
});
