/**
 * What stands between a caller and a client: sees the request on its way in and the result on its way out.
 *
 * @module
 */

import type { Completion, Prompt, PromptResult, Resource, ResourceResult, ResourceTemplate } from "../context.ts";
import type { Tool, ToolResult } from "../protocol.ts";
import type {
  CallToolRequest,
  CompleteRequest,
  GetPromptRequest,
  InterceptedRequest,
  ListToolsRequest,
  ReadResourceRequest,
  RequestKind,
  ResultOf,
} from "./requests.ts";

/**
 * Passes a request on, to the next interceptor and at last to the client. Without an argument it passes on the request
 * that the interceptor was given. It may be called never, once, or often; also at once.
 *
 * @example
 * ```ts
 * import type { Next } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const orElse = <Request, Result>(next: Next<Request, Result>, other: Result) => next().catch(() => other);
 * const next: Next<unknown, string> = () => Promise.reject(new Error("Cannot answer"));
 * assertEquals(await orElse(next, "nothing"), "nothing");
 * ```
 */
export type Next<Request, Result> = (request?: Request) => Promise<Result>;

/**
 * Intercepts the kinds of requests for which it has a method; the others pass by it. Where it has `any` too, that is
 * outside of the other. What a method throws is what the caller gets.
 *
 * An interceptor that takes longer than the request may is left behind: the caller is told, and `next` passes on
 * nothing more. What it left running when it answered is aborted by the request's signal.
 *
 * @example
 * ```ts
 * import type { Interceptor } from "@portolan/mcp/interceptors";
 *
 * const marked: Interceptor = {
 *   async callTool(request, next) {
 *     const result = await next(request.with({ args: { ...request.args, source: "agent" } }));
 *     return { ...result, content: result.content.slice(0, 10) };
 *   },
 * };
 * ```
 */
export interface Interceptor {
  /**
   * Intercepts requests of all kinds.
   *
   * @param request The request; `target` says what it is about.
   * @param next Passes it on.
   * @returns The result for the caller.
   */
  any?<K extends RequestKind>(
    request: InterceptedRequest<K>,
    next: Next<InterceptedRequest<K>, ResultOf<K>>,
  ): ResultOf<K> | Promise<ResultOf<K>>;
  /**
   * Intercepts tool calls.
   *
   * @param request The call.
   * @param next Passes it on.
   * @returns The result for the caller.
   */
  callTool?(request: CallToolRequest, next: Next<CallToolRequest, ToolResult>): ToolResult | Promise<ToolResult>;
  /**
   * Intercepts the listing of tools.
   *
   * @param request The request.
   * @param next Passes it on.
   * @returns The tools for the caller.
   */
  listTools?(
    request: ListToolsRequest,
    next: Next<ListToolsRequest, readonly Tool[]>,
  ): readonly Tool[] | Promise<readonly Tool[]>;
  /**
   * Intercepts the reading of resources.
   *
   * @param request The request.
   * @param next Passes it on.
   * @returns The contents for the caller.
   */
  readResource?(
    request: ReadResourceRequest,
    next: Next<ReadResourceRequest, ResourceResult>,
  ): ResourceResult | Promise<ResourceResult>;
  /**
   * Intercepts the listing of resources.
   *
   * @param request The request.
   * @param next Passes it on.
   * @returns The resources for the caller.
   */
  listResources?(
    request: InterceptedRequest<"list_resources">,
    next: Next<InterceptedRequest<"list_resources">, readonly Resource[]>,
  ): readonly Resource[] | Promise<readonly Resource[]>;
  /**
   * Intercepts the listing of templates of resources.
   *
   * @param request The request.
   * @param next Passes it on.
   * @returns The templates for the caller.
   */
  listResourceTemplates?(
    request: InterceptedRequest<"list_resource_templates">,
    next: Next<InterceptedRequest<"list_resource_templates">, readonly ResourceTemplate[]>,
  ): readonly ResourceTemplate[] | Promise<readonly ResourceTemplate[]>;
  /**
   * Intercepts the getting of prompts.
   *
   * @param request The request.
   * @param next Passes it on.
   * @returns The messages for the caller.
   */
  getPrompt?(
    request: GetPromptRequest,
    next: Next<GetPromptRequest, PromptResult>,
  ): PromptResult | Promise<PromptResult>;
  /**
   * Intercepts the listing of prompts.
   *
   * @param request The request.
   * @param next Passes it on.
   * @returns The prompts for the caller.
   */
  listPrompts?(
    request: InterceptedRequest<"list_prompts">,
    next: Next<InterceptedRequest<"list_prompts">, readonly Prompt[]>,
  ): readonly Prompt[] | Promise<readonly Prompt[]>;
  /**
   * Intercepts completions.
   *
   * @param request The request.
   * @param next Passes it on.
   * @returns The values for the caller.
   */
  complete?(request: CompleteRequest, next: Next<CompleteRequest, Completion>): Completion | Promise<Completion>;
}
