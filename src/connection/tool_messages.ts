/**
 * The bodies of answers, checked: results, and those of `tools/list` and `tools/call`.
 *
 * @module
 */

import { MCPError } from "../errors.ts";
import { toKnownCapabilities, UndeclaredInputError } from "../input_round.ts";
import { tell } from "../tell.ts";
import { type ContentBlock, isJsonObject, type JsonObject, type Progress, type ToolResult } from "../protocol.ts";

/** One page of a tool list, as the server sent it. */
export interface ToolPage {
  /** The tools, unchecked. */
  readonly tools: readonly unknown[];
  /** Where the next page begins, or `undefined` on the last one. */
  readonly nextCursor: string | undefined;
  /** How long the page is fresh, in milliseconds, where the server says so. */
  readonly ttlMs?: number | undefined;
  /** Whether the server lets it be given to anybody. */
  readonly isPublic: boolean;
}

/** What a legacy server adds to what belongs to a task: the id, which opens the task to whoever has it. */
const RELATED_TASK = "io.modelcontextprotocol/related-task";

/** JSON-RPC code: the person has to visit pages first (specification 2025-11-25, Elicitation, URL mode). */
const URL_ELICITATION_REQUIRED = -32042;

/** JSON-RPC code: the client would have to be asked something that it cannot answer (specification 2026-07-28). */
const MISSING_CAPABILITY = -32021;

/**
 * The result of a JSON-RPC response. Where a legacy server answers that pages have to be visited first, that is put as a
 * modern server would: nothing ran, and the request is to be sent again after it. It puts a request off by that error
 * alone: what answers with a result has run, and is complete.
 *
 * @param answer The response.
 * @param context Whose it is and what was asked, for the error; the era where that matters.
 * @returns Its result.
 * @throws {MCPError} With `upstream_error` if it is an error, with `input_required` if it is one that says so; with
 * `bad_response` if it is neither.
 */
export function toResult(
  answer: JsonObject,
  context: { readonly server: string; readonly method: string; readonly era?: "legacy" | "modern" },
): JsonObject {
  const { server, method, era } = context;
  if (isJsonObject(answer.error)) {
    if (answer.error.code === URL_ELICITATION_REQUIRED) return toInputRequired(answer.error);
    const rpcCode = typeof answer.error.code === "number" ? answer.error.code : undefined;
    if (rpcCode === MISSING_CAPABILITY) {
      const { data } = answer.error;
      throw new UndeclaredInputError(
        `Cannot use ${method} of server "${server}" as it would ask for input that no handler gives`,
        { server, rpcCode, requiredCapabilities: toKnownCapabilities(Object(data).requiredCapabilities) },
      );
    }
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
  if (era === "legacy") checkResultType(answer.result, server);
  return answer.result;
}

/**
 * The parameters of a request as a legacy server knows them: what answers the modern era's questions has no place there.
 *
 * @param params The parameters.
 * @returns A copy without the answers.
 */
export function toLegacyParams(params: JsonObject): JsonObject {
  const { inputResponses: _, requestState: __, ...rest } = params;
  return rest;
}

function toInputRequired({ data }: JsonObject): JsonObject {
  const elicitations = isJsonObject(data) && Array.isArray(data.elicitations) ? data.elicitations : [];
  const requests = elicitations.map((params, index) => [`${index}`, { method: "elicitation/create", params }]);
  return { resultType: "input_required", inputRequests: Object.fromEntries(requests), isRefusal: true };
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
  return { tools: result.tools, nextCursor, ttlMs, isPublic: result.cacheScope === "public" };
}

/**
 * What a tool answered, with unknown fields kept.
 *
 * @param result The result of `tools/call`.
 * @param server Whose it is, for the error.
 * @returns The result; its content is an empty list where the server sent none.
 * @throws {MCPError} With `bad_response` if its content is not a list of blocks, or it is no complete result.
 */
export function toToolResult(result: JsonObject, server: string): ToolResult {
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
    ...(structuredContent === undefined ? {} : { structuredContent }),
    ...(typeof isError === "boolean" ? { isError } : {}),
  };
}

/**
 * Refuses a result that is not complete. A kind that is not known is invalid; none is a complete one (specification
 * 2026-07-28, ResultType).
 *
 * @param result The result.
 * @param server Whose it is, for the error.
 * @throws {MCPError} With `bad_response`.
 */
export function checkResultType({ resultType = "complete" }: JsonObject, server: string): void {
  if (resultType === "complete") return;
  throw new MCPError("bad_response", `Cannot use the answer of server "${server}" as its kind of result is unknown`, {
    server,
  });
}

/**
 * Whether a value is a block of content. Blocks of kinds that this version does not know are.
 *
 * @param block Anything.
 * @returns Whether it can be shown as one.
 */
export function isContentBlock(block: unknown): block is ContentBlock {
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
 * What a server says in a task, without the id of the task: it is not the caller's.
 *
 * @param said A result, or the parameters of a notice.
 * @returns The same without it.
 */
export function withoutTaskId(said: JsonObject): JsonObject {
  if (!isJsonObject(said._meta) || !(RELATED_TASK in said._meta)) return said;
  const { _meta: { [RELATED_TASK]: _, ...meta }, ...rest } = said;
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta };
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
  const { progressToken: _, total, message: text, ...rest } = withoutTaskId(params);
  tell(onProgress, {
    ...rest,
    progress: params.progress,
    total: typeof total === "number" ? total : undefined,
    message: typeof text === "string" ? text : undefined,
  });
}
