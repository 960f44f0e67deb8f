/**
 * The bodies of `tools/list` and `tools/call` answers, checked.
 *
 * @module
 */

import { MCPError } from "../errors.ts";
import { type ContentBlock, isJsonObject, type JsonObject, type Progress, type ToolResult } from "../protocol.ts";
import type { ToolPage } from "./connection.ts";

/**
 * The result of a JSON-RPC response.
 *
 * @param answer The response.
 * @param context Whose it is and what was asked, for the error.
 * @returns Its result.
 * @throws {MCPError} With `upstream_error` if it is an error; with `bad_response` if it is neither.
 */
export function toResult(
  answer: JsonObject,
  context: { readonly server: string; readonly method: string },
): JsonObject {
  const { server, method } = context;
  if (isJsonObject(answer.error)) {
    const rpcCode = typeof answer.error.code === "number" ? answer.error.code : undefined;
    throw new MCPError(
      "upstream_error",
      `Cannot use ${method} of server "${server}" as it answered with the JSON-RPC error ${
        rpcCode ?? "without a code"
      }`,
      { server, rpcCode },
    );
  }
  if (!isJsonObject(answer.result)) {
    throw new MCPError("bad_response", `Cannot use the answer of server "${server}" to ${method} as it has no result`, {
      server,
    });
  }
  return answer.result;
}

/**
 * A page of the tool list.
 *
 * @param result The result of `tools/list`.
 * @param server Whose it is, for the error.
 * @returns The page; its tools are not checked yet.
 * @throws {MCPError} With `bad_response` if it holds no list.
 */
export function toToolPage(result: JsonObject, server: string): ToolPage {
  checkResultType(result, server);
  if (!Array.isArray(result.tools)) {
    throw new MCPError("bad_response", `Cannot list the tools of server "${server}" as its answer holds no list`, {
      server,
    });
  }
  const nextCursor = typeof result.nextCursor === "string" ? result.nextCursor : undefined;
  const ttlMs = typeof result.ttlMs === "number" ? Math.max(0, result.ttlMs) : undefined;
  return { tools: result.tools, nextCursor, ttlMs };
}

/**
 * What a tool answered, with unknown fields kept.
 *
 * @param result The result of `tools/call`.
 * @param server Whose it is, for the error.
 * @returns The result; its content is an empty list where the server sent none.
 * @throws {MCPError} With `input_required` if the server asks for input instead (specification 2026-07-28, Multi
 * Round-Trip Requests); with `bad_response` if its content is not a list of blocks.
 */
export function toToolResult(result: JsonObject, server: string): ToolResult {
  if (result.resultType === "input_required") {
    throw new MCPError("input_required", `Cannot finish the call to server "${server}" as it asks for input first`, {
      server,
    });
  }
  checkResultType(result, server);
  const content: unknown = result.content ?? [];
  if (!Array.isArray(content) || !content.every(isContentBlock)) {
    throw new MCPError(
      "bad_response",
      `Cannot use the answer of server "${server}" as its content is not MCP content`,
      {
        server,
      },
    );
  }
  const { structuredContent, isError, ...rest } = result;
  return {
    ...rest,
    content,
    ...(isJsonObject(structuredContent) ? { structuredContent } : {}),
    ...(typeof isError === "boolean" ? { isError } : {}),
  };
}

/** A kind of result that is not known is invalid; none is a complete one (specification 2026-07-28, ResultType). */
function checkResultType({ resultType = "complete" }: JsonObject, server: string): void {
  if (resultType === "complete") return;
  throw new MCPError("bad_response", `Cannot use the answer of server "${server}" as its kind of result is unknown`, {
    server,
  });
}

/** Blocks of kinds that this version does not know are kept as they are. */
function isContentBlock(block: unknown): block is ContentBlock {
  if (!isJsonObject(block) || typeof block.type !== "string") return false;
  switch (block.type) {
    case "text":
      return typeof block.text === "string";
    case "image":
    case "audio":
      return typeof block.data === "string" && typeof block.mimeType === "string";
    case "resource":
      return isJsonObject(block.resource);
    case "resource_link":
      return typeof block.uri === "string";
    default:
      return true;
  }
}

/**
 * Tells a caller of progress, where a message is a notice of it. What the caller's function throws is ignored: it must
 * not end the call.
 *
 * @param message Any message of the server.
 * @param token The token of the call; notices of other calls are passed over.
 * @param onProgress Whom to tell.
 */
export function tellProgress(message: JsonObject, token: string, onProgress: (progress: Progress) => void): void {
  const params = message.params;
  if (message.method !== "notifications/progress" || !isJsonObject(params)) return;
  if (params.progressToken !== token || typeof params.progress !== "number") return;
  const total = typeof params.total === "number" ? params.total : undefined;
  const text = typeof params.message === "string" ? params.message : undefined;
  try {
    onProgress({ progress: params.progress, total, message: text });
  } catch {
    // The call goes on.
  }
}
