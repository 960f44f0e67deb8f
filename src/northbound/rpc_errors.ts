/**
 * Every error that leaves the MCP endpoint, and the one table of JSON-RPC codes.
 *
 * @module
 */

import { isMCPError } from "../errors.ts";
import { type Problem, type ProblemCode, problemHeaders, toProblem } from "../gateway/problem.ts";
import { RequestError } from "../gateway/request_error.ts";
import type { JsonObject } from "../protocol.ts";
import {
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  RESOURCE_NOT_FOUND,
  RpcError,
  type RpcId,
  SERVER_ERROR,
  writeError,
} from "./rpc.ts";

/** Codes that are the same in both eras. What is not here has a code of the era. */
const CODES: Partial<Readonly<Record<ProblemCode, number>>> = {
  tool_not_found: INVALID_PARAMS,
  tool_ambiguous: INVALID_PARAMS,
  prompt_not_found: INVALID_PARAMS,
  prompt_ambiguous: INVALID_PARAMS,
  resource_ambiguous: INVALID_PARAMS,
  invalid_arguments: INVALID_PARAMS,
  not_supported: METHOD_NOT_FOUND,
  internal: INTERNAL_ERROR,
};

/** What an error is about. */
export interface ErrorContext {
  /** The id of the HTTP request, as in `X-Request-Id`. */
  readonly requestId: string;
  /** The era of the caller, where it is known. */
  readonly era?: "legacy" | "modern" | undefined;
  /** The resource that was asked for, where one was. */
  readonly uri?: unknown;
}

/**
 * The error that a caller gets. An error that nobody expected says nothing of itself.
 *
 * @param error What was thrown.
 * @param context What it is about.
 * @returns The error.
 */
export function toRpcError(error: unknown, { requestId, era, uri }: ErrorContext): RpcError {
  if (error instanceof RpcError) return error;
  const problem = toProblem(error, requestId);
  if (error instanceof RequestError) {
    const code = error.code === "invalid_arguments" ? PARSE_ERROR : INVALID_REQUEST;
    return new RpcError(code, problem.detail, { status: problem.status, data: toData(problem, false) });
  }
  const retryable = isMCPError(error) && error.retryable;
  // What a server behind the gateway does is no failure of this exchange: clients read no error from another status.
  const status = problem.code === "internal" ? 500 : problem.code === "closed" ? 503 : 200;
  const about = problem.code === "resource_not_found" && typeof uri === "string" ? { uri } : {};
  const data = { ...about, ...toData(problem, retryable) };
  return new RpcError(toCode(problem.code, era), problem.detail, { status, data });
}

/**
 * The response that carries an error.
 *
 * @param error The error.
 * @param id The id of the request; that of the error where it is left out.
 * @param headers Further headers.
 * @returns The response.
 */
export function errorResponse(
  error: RpcError,
  id: RpcId | null = error.id,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(writeError(id, error), {
    status: error.status,
    headers: { "content-type": "application/json", ...errorHeaders(error), ...headers },
  });
}

/**
 * The headers that an error's status asks for.
 *
 * @param error The error.
 * @returns `Retry-After` in seconds, `Allow`.
 */
export function errorHeaders({ status, data }: RpcError): Record<string, string> {
  const retryAfterMs = data?.retryAfterMs;
  return {
    ...(status === 405 ? { allow: "POST" } : {}),
    ...(status === 200 || typeof retryAfterMs !== "number"
      ? {}
      : { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) }),
  };
}

/**
 * The response that carries a problem on the path of the endpoint, before anything of the body is known.
 *
 * @param problem The problem.
 * @param headers Further headers.
 * @returns The response.
 */
export function problemResponse(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const code = problem.code === "internal" ? INTERNAL_ERROR : INVALID_REQUEST;
  const { status } = problem;
  const error = new RpcError(code, problem.detail, { status, data: toData(problem, false) });
  const { "content-type": _, ...rest } = problemHeaders(problem);
  return errorResponse(error, null, { ...rest, ...headers });
}

function toCode(code: ProblemCode, era: "legacy" | "modern" | undefined): number {
  if (code === "resource_not_found") return era === "modern" ? INVALID_PARAMS : RESOURCE_NOT_FOUND;
  // Since 2026-07-28 nobody is to make up codes between -32000 and -32099.
  return CODES[code] ?? (era === "modern" ? INTERNAL_ERROR : SERVER_ERROR);
}

function toData(problem: Problem, retryable: boolean): JsonObject {
  const { code, server, requestId, retryAfterMs, suggestions, faults } = problem;
  return {
    code,
    ...(server === undefined ? {} : { server }),
    retryable: retryable || problem.status === 503 || problem.status === 429,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(suggestions === undefined ? {} : { suggestions: [...suggestions] }),
    ...(faults === undefined ? {} : { faults: faults.map(({ path, message }) => ({ path, message })) }),
    requestId,
  };
}
