/**
 * RFC 9457 problem documents: every error that leaves the gateway, and the one table of status codes.
 *
 * @module
 */

import { type Fault, isMCPError, type MCPErrorCode } from "../errors.ts";
import { RequestError, type RequestErrorCode } from "./request_error.ts";

/**
 * Every value of a problem's `code`.
 *
 * @example
 * ```ts
 * import type { ProblemCode } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const isOfCaller = (code: ProblemCode) => code === "invalid_arguments" || code === "unauthenticated";
 * assertEquals(isOfCaller("internal"), false);
 * ```
 */
export type ProblemCode = MCPErrorCode | RequestErrorCode | "internal";

/**
 * A problem document, `application/problem+json` (RFC 9457).
 *
 * @example
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { createGateway, type Problem } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * await using directory = new MCPClientManager();
 * const gateway = createGateway({ directory }, { open: "loopback" });
 * const response = await gateway.fetch(new Request("http://localhost/status"));
 * const problem: Problem = await response.json();
 * assertEquals([problem.code, problem.status], ["host_refused", 403]);
 * ```
 */
export interface Problem {
  /** A URI for the kind of problem: `urn:portolan:problem:` and the code. */
  readonly type: string;
  /** The kind of problem in words; the same for every problem of the code. */
  readonly title: string;
  /** The status of the response. */
  readonly status: number;
  /** What failed, from a closed list: the codes of `MCPError` and those of the gateway. */
  readonly code: ProblemCode;
  /** This problem in words, without secrets and without text of a server. */
  readonly detail: string;
  /** The server concerned. */
  readonly server?: string;
  /** The request's id, as in the header `X-Request-Id`. */
  readonly requestId: string;
  /** How long to wait before the next attempt, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Names the caller may have meant, nearest first. */
  readonly suggestions?: readonly string[];
  /** What is wrong with the arguments, or with a batch, place by place. */
  readonly faults?: readonly Fault[];
}

/** The status and the title of every code. */
// An upstream's 401 and 403 are 502: the caller's own credentials are not what failed.
export const PROBLEM_KINDS: Readonly<Record<ProblemCode, readonly [status: number, title: string]>> = {
  invalid_arguments: [400, "The arguments are not a JSON object"],
  invalid_header: [400, "A header cannot be used"],
  unauthenticated: [401, "A key is needed"],
  host_refused: [403, "The host is not served here"],
  origin_refused: [403, "The origin may not ask"],
  agent_not_found: [404, "No such agent"],
  server_not_found: [404, "No such server"],
  tool_not_found: [404, "No such tool"],
  resource_not_found: [404, "No such resource"],
  prompt_not_found: [404, "No such prompt"],
  not_found: [404, "No such path"],
  method_not_allowed: [405, "The path has other methods"],
  body_timeout: [408, "The body did not arrive in time"],
  tool_ambiguous: [409, "Several servers list the tool"],
  resource_ambiguous: [409, "Several servers list the resource"],
  prompt_ambiguous: [409, "Several servers list the prompt"],
  idempotency_in_progress: [409, "The call with this idempotency key is running"],
  result_not_kept: [409, "The call was made and its answer is not kept"],
  denied: [403, "The request was refused here"],
  body_too_large: [413, "The body is too large"],
  url_too_long: [414, "The URL is too long"],
  unsupported_media_type: [415, "The body is not JSON"],
  invalid_batch: [422, "The batch has faults"],
  idempotency_key_reused: [422, "The idempotency key belongs to another call"],
  too_many_requests: [429, "A limit is used up"],
  headers_too_large: [431, "The headers are too large"],
  caller_gone: [499, "The caller went away"],
  internal: [500, "The gateway failed"],
  invalid_config: [500, "The configuration has faults"],
  outcome_unknown: [502, "The call may have run and its answer was lost"],
  upstream_error: [502, "The server answered with an error"],
  bad_response: [502, "The server's answer is not MCP"],
  too_large: [502, "The server's answer is too large"],
  unauthorized: [502, "The server does not accept the gateway's credentials"],
  forbidden: [502, "The server does not allow the gateway to do this"],
  redirect_refused: [502, "The server redirects elsewhere"],
  session_lost: [502, "The server ended the session"],
  unsupported_protocol: [502, "No protocol in common with the server"],
  input_required: [502, "The server asks for input"],
  authorization_required: [502, "A person has to authorize the gateway at the server first"],
  auth_failed: [502, "The gateway could get no token for the server"],
  invalid_result: [502, "The tool ran, and its result does not match its schema"],
  not_supported: [502, "The server does not offer this"],
  task_required: [502, "The tool runs only as a task"],
  task_failed: [502, "The tool's task failed"],
  overloaded: [503, "There is more to do than can be done"],
  circuit_open: [503, "The server is left alone for a while"],
  unreachable: [503, "The server cannot be reached"],
  rate_limited: [503, "The server asks to slow down"],
  store_unavailable: [503, "The store cannot keep it at the moment"],
  closed: [503, "The gateway is stopping"],
  deadline_exceeded: [504, "The server did not answer in time"],
  invalid_request: [400, "The request cannot be used"],
  insufficient_scope: [403, "The token has not the scope"],
  key_not_found: [404, "No such key"],
  key_conflict: [409, "The agent's keys do not allow it"],
  pin_changed: [409, "The tool is no longer what was looked at"],
  not_implemented: [501, "The gateway cannot do this"],
  config_changed: [412, "Another version of the configuration is kept"],
  config_refused: [422, "The configuration has faults"],
  config_unavailable: [503, "The configuration cannot be read or kept at the moment"],
  callers_unavailable: [503, "Callers cannot be told apart at the moment"],
  audit_unavailable: [503, "The audit trail cannot be read at the moment"],
};

const DEFAULT_RETRY_AFTER_MS = 1_000;

/**
 * The problem document of an error. An error that is neither an `MCPError` nor a `RequestError` says nothing of itself.
 *
 * @param error What was thrown.
 * @param requestId The id of the request it was thrown in.
 * @returns The document.
 */
export function toProblem(error: unknown, requestId: string): Problem {
  if (error instanceof RequestError) {
    const problem = describe(error.code, error.message, requestId, error);
    return error.faults.length === 0 ? problem : { ...problem, faults: error.faults };
  }
  if (!isMCPError(error) || !Object.hasOwn(PROBLEM_KINDS, error.code)) {
    return describe("internal", "Cannot answer the request as the gateway failed", requestId);
  }
  // The faults name paths of the operator's configuration: they are for the operator, not for the caller.
  if (error.code === "invalid_config") {
    return describe(error.code, "Cannot answer the request as the configuration has faults", requestId);
  }
  // Nothing of the URL to open: it is for the person whose tokens it is about, and the gateway knows none.
  if (error.code === "authorization_required") {
    const which = error.server === undefined ? "the server" : `server "${error.server}"`;
    return describe(error.code, `Cannot use ${which} as a person has to authorize first`, requestId, error);
  }
  const problem = describe(error.code, error.message, requestId, error);
  // What is an object and does not match the tool's schema can be mended by its sender (RFC 9110, 15.5.21).
  if (error.code !== "invalid_arguments" || error.faults.length === 0) return problem;
  return { ...problem, status: 422, title: "The arguments do not match the tool's schema", faults: error.faults };
}

/**
 * The headers of a response that carries a problem.
 *
 * @param problem The problem.
 * @returns `Content-Type`, and what the status asks for: `Retry-After` in seconds, `WWW-Authenticate`.
 */
export function problemHeaders(problem: Problem): Record<string, string> {
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (problem.retryAfterMs !== undefined) headers["retry-after"] = String(Math.ceil(problem.retryAfterMs / 1_000));
  if (problem.status === 401) headers["www-authenticate"] = "Bearer";
  return headers;
}

interface Known {
  readonly server?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly suggestions?: readonly string[] | undefined;
}

function describe(code: ProblemCode, detail: string, requestId: string, known: Known = {}): Problem {
  const [status, title] = PROBLEM_KINDS[code];
  const retryAfterMs = known.retryAfterMs ?? (status === 503 ? DEFAULT_RETRY_AFTER_MS : undefined);
  return {
    type: `urn:portolan:problem:${code}`,
    title,
    status,
    code,
    detail,
    ...(known.server === undefined ? {} : { server: known.server }),
    requestId,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(known.suggestions === undefined || known.suggestions.length === 0 ? {} : { suggestions: known.suggestions }),
  };
}
