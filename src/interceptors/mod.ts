/**
 * Interceptors around a client: functions that see each request on its way in and each result on its way out, and
 * ready ones that retry, cache, redact, ask for approval and limit rates.
 *
 * @example
 * ```ts
 * import { MCPError, MultiServerMCPClient } from "@portolan/mcp";
 * import { type Interceptor, interceptTools, resultCache } from "@portolan/mcp/interceptors";
 * import { assertRejects } from "@std/assert";
 *
 * const signed: Interceptor = {
 *   callTool: (request, next) => next(request.with({ args: { ...request.args, user: "kairos" } })),
 * };
 * await using client = interceptTools(
 *   new MultiServerMCPClient("Kairos", { servers: { files: { url: "http://localhost:9/mcp" } } }),
 *   [signed, resultCache({ ttlMs: 30_000, tools: ["read_file"] })],
 * );
 * await assertRejects(() => client.callTool("read_file", { path: "a.txt" }), MCPError);
 * ```
 *
 * @module
 */

export { approval, type ApprovalOptions, type ApprovalReason } from "./approval.ts";
export type { InterceptOptions } from "./chain.ts";
export { intercept } from "./intercept.ts";
export type { Interceptor, Next } from "./interceptor.ts";
export { interceptTools } from "./intercept_tools.ts";
export { rateLimit, type RateLimitOptions } from "./rate_limit.ts";
export { redaction, type RedactionOptions } from "./redaction.ts";
export { type CommonRedactionPatterns, type RedactionPattern, redactionPatterns } from "./redaction_patterns.ts";
export type {
  CallToolChanges,
  CompleteChanges,
  GetPromptChanges,
  ReadResourceChanges,
  RequestChanges,
} from "./request_changes.ts";
export {
  type CallToolRequest,
  type CompleteRequest,
  type GetPromptRequest,
  type InterceptedRequest,
  isCallToolRequest,
  type ListToolsRequest,
  type ReadResourceRequest,
  type RequestKind,
  type RequestOf,
  type RequestsByKind,
  type ResultOf,
  type ResultsByKind,
} from "./requests.ts";
export { type ResultCache, resultCache, type ResultCacheOptions } from "./result_cache.ts";
export { retryPolicy, type RetryPolicyBudget, type RetryPolicyOptions } from "./retry_policy.ts";
export type { ToolDescription } from "./tool_book.ts";
