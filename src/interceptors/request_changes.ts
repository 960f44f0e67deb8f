/**
 * What an interceptor may change of a request before it passes it on.
 *
 * @module
 */

import type { CompletionArgument, CompletionReference } from "../context.ts";
import type { ReadOptions } from "../feature_client.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";

/**
 * What can be changed of any request.
 *
 * @example
 * ```ts
 * import type { RequestChanges } from "@portolan/mcp/interceptors";
 *
 * const hurry: RequestChanges = { options: { timeoutMs: 5_000 } }; // next(request.with(hurry))
 * ```
 */
export interface RequestChanges {
  /** Laid over the options there are: what is not named stays. */
  readonly options?: RequestOptions | undefined;
}

/**
 * What can be changed of a tool call.
 *
 * @example
 * ```ts
 * import type { CallToolChanges, CallToolRequest } from "@portolan/mcp/interceptors";
 *
 * const sign = ({ args }: CallToolRequest): CallToolChanges => ({ args: { ...args, user: "kairos" } });
 * ```
 */
export interface CallToolChanges extends RequestChanges {
  /** Another tool. */
  readonly name?: string | undefined;
  /** Other arguments, instead of all there are. */
  readonly args?: Readonly<Record<string, unknown>> | undefined;
  /** Laid over the options there are: what is not named stays. */
  readonly options?: CallToolOptions | undefined;
}

/**
 * What can be changed of the reading of a resource.
 *
 * @example
 * ```ts
 * import type { ReadResourceChanges } from "@portolan/mcp/interceptors";
 *
 * const fromNotes: ReadResourceChanges = { options: { server: "notes" } }; // next(request.with(fromNotes))
 * ```
 */
export interface ReadResourceChanges extends RequestChanges {
  /** Another resource. */
  readonly uri?: string | undefined;
  /** Laid over the options there are: what is not named stays. */
  readonly options?: ReadOptions | undefined;
}

/**
 * What can be changed of the getting of a prompt.
 *
 * @example
 * ```ts
 * import type { GetPromptChanges, GetPromptRequest } from "@portolan/mcp/interceptors";
 *
 * const inEnglish = ({ args }: GetPromptRequest): GetPromptChanges => ({ args: { ...args, language: "en" } });
 * ```
 */
export interface GetPromptChanges extends RequestChanges {
  /** Another prompt. */
  readonly name?: string | undefined;
  /** Other arguments, instead of all there are. */
  readonly args?: Readonly<Record<string, string>> | undefined;
  /** Laid over the options there are: what is not named stays. */
  readonly options?: ReadOptions | undefined;
}

/**
 * What can be changed of a completion.
 *
 * @example
 * ```ts
 * import type { CompleteChanges } from "@portolan/mcp/interceptors";
 *
 * const soon: CompleteChanges = { options: { timeoutMs: 500 } }; // next(request.with(soon))
 * ```
 */
export interface CompleteChanges extends RequestChanges {
  /** Another prompt or template. */
  readonly reference?: CompletionReference | undefined;
  /** Another argument. */
  readonly argument?: CompletionArgument | undefined;
  /** Laid over the options there are: what is not named stays. */
  readonly options?: ReadOptions | undefined;
}
