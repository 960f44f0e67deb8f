/**
 * The bodies of answers about resources, prompts and completions, checked. Unknown fields are kept.
 *
 * @module
 */

import { checkResultType, isContentBlock } from "../connection/tool_messages.ts";
import type { Completion, PromptMessage, PromptResult, ResourceResult } from "../context.ts";
import { MCPError } from "../errors.ts";
import { isJsonObject, type JsonObject, type ResourceContents } from "../protocol.ts";

/** How many values of a completion are kept (specification: Completion). */
const MAX_VALUES = 100;

/**
 * What a resource holds.
 *
 * @param result The result of `resources/read`.
 * @param server Whose it is, for the error.
 * @returns The contents.
 * @throws {MCPError} With `bad_response` if they are none.
 */
export function toResourceResult(result: JsonObject, server: string): ResourceResult {
  checkResultType(result, server);
  const { contents } = result;
  if (!Array.isArray(contents) || !contents.every(isContents)) throw malformed(server, "resources/read");
  return { ...result, contents };
}

/**
 * The messages of a prompt.
 *
 * @param result The result of `prompts/get`.
 * @param server Whose it is, for the error.
 * @returns The messages.
 * @throws {MCPError} With `bad_response` if they are none.
 */
export function toPromptResult(result: JsonObject, server: string): PromptResult {
  checkResultType(result, server);
  const { messages, description, ...rest } = result;
  if (!Array.isArray(messages) || !messages.every(isMessage)) throw malformed(server, "prompts/get");
  return { ...rest, messages, ...(typeof description === "string" ? { description } : {}) };
}

/**
 * The values of a completion.
 *
 * @param result The result of `completion/complete`.
 * @param server Whose it is, for the error.
 * @returns The values.
 * @throws {MCPError} With `bad_response` if they are none.
 */
export function toCompletion(result: JsonObject, server: string): Completion {
  checkResultType(result, server);
  const { values, total, hasMore } = isJsonObject(result.completion) ? result.completion : {};
  if (!Array.isArray(values) || !values.every((value) => typeof value === "string")) {
    throw malformed(server, "completion/complete");
  }
  return {
    values: values.slice(0, MAX_VALUES),
    ...(typeof total === "number" ? { total } : {}),
    ...(typeof hasMore === "boolean" ? { hasMore } : {}),
  };
}

function isContents(value: unknown): value is ResourceContents & JsonObject {
  return isJsonObject(value) && typeof value.uri === "string" &&
    (typeof value.text === "string" || typeof value.blob === "string");
}

function isMessage(value: unknown): value is PromptMessage & JsonObject {
  return isJsonObject(value) && (value.role === "user" || value.role === "assistant") && isContentBlock(value.content);
}

function malformed(server: string, method: string): MCPError {
  return new MCPError("bad_response", `Cannot use the answer of server "${server}" to ${method} as it is malformed`, {
    server,
  });
}
