/**
 * What the gateway itself refuses, before or without asking an agent's client.
 *
 * @module
 */

import type { Fault } from "../errors.ts";

/**
 * Why the gateway refuses a request; they stand next to the codes of `MCPError` in a problem's `code`.
 *
 * | code | status | meaning |
 * |---|---|---|
 * | `invalid_arguments` | 400 | the body is not a JSON object |
 * | `invalid_header` | 400 | a header has no value that can be used |
 * | `unauthenticated` | 401 | no key, or none that is known |
 * | `host_refused`, `origin_refused` | 403 | the `Host` or `Origin` header is not one that is served |
 * | `not_found`, `agent_not_found` | 404 | no such path; no such agent, or not for this key |
 * | `method_not_allowed` | 405 | the path exists with other methods |
 * | `body_timeout` | 408 | the body took too long to arrive |
 * | `idempotency_in_progress` | 409 | the call with this idempotency key is still running |
 * | `result_not_kept` | 409 | the call with this idempotency key was made, and its answer is kept nowhere |
 * | `body_too_large` | 413 | the body passed its cap |
 * | `url_too_long` | 414 | the URL passed its cap |
 * | `unsupported_media_type` | 415 | the body is not sent as `application/json` |
 * | `invalid_batch` | 422 | the body is not a batch of calls |
 * | `idempotency_key_reused` | 422 | the idempotency key belongs to another call |
 * | `caller_gone` | 499 | the caller closed the connection; nobody reads the answer |
 * | `closed` | 503 | the gateway is stopping |
 * | `invalid_request` | 400 | a part of the request other than a tool's arguments cannot be used |
 * | `insufficient_scope` | 403 | the token has no scope for an agent of this name, whether there is one or not |
 * | `key_not_found` | 404 | the agent has no key of this id |
 * | `key_conflict` | 409 | the keys there are do not allow another one |
 * | `pin_changed` | 409 | the tool is no longer what was looked at; nothing was decided |
 * | `not_implemented` | 501 | what the gateway stands on cannot do this |
 * | `callers_unavailable` | 503 | who the caller is cannot be found out, or its keys not changed, at the moment |
 * | `store_unavailable` | 503 | what an idempotency key promises, or a decision, cannot be kept at the moment |
 * | `audit_unavailable` | 503 | the audit trail cannot be read at the moment |
 * | `config_changed` | 412 | another version of the configuration is kept than the one to be replaced |
 * | `config_refused` | 422 | the configuration has faults, and everything goes on as it was |
 * | `config_unavailable` | 503 | the store of the configuration does not answer at the moment |
 * | `too_many_requests` | 429 | a limit of the caller or of the agent is used up |
 * | `headers_too_large` | 431 | the headers passed a cap |
 * | `overloaded` | 503 | the gateway has more to do than it can |
 *
 * @example
 * ```ts
 * import type { RequestErrorCode } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const isWorthAnother = (code: RequestErrorCode) => code === "closed" || code === "too_many_requests";
 * assertEquals(isWorthAnother("unauthenticated"), false);
 * ```
 */
export type RequestErrorCode =
  | "invalid_arguments"
  | "invalid_header"
  | "invalid_batch"
  | "unauthenticated"
  | "host_refused"
  | "origin_refused"
  | "not_found"
  | "agent_not_found"
  | "method_not_allowed"
  | "body_timeout"
  | "body_too_large"
  | "url_too_long"
  | "unsupported_media_type"
  | "idempotency_in_progress"
  | "idempotency_key_reused"
  | "result_not_kept"
  | "store_unavailable"
  | "caller_gone"
  | "closed"
  | "invalid_request"
  | "insufficient_scope"
  | "key_not_found"
  | "key_conflict"
  | "pin_changed"
  | "not_implemented"
  | "callers_unavailable"
  | "config_changed"
  | "config_refused"
  | "config_unavailable"
  | "audit_unavailable"
  | "too_many_requests"
  | "headers_too_large"
  | "overloaded";

/**
 * The error of a path that does not exist, or not for this caller.
 *
 * @returns The error.
 */
export function toPathNotFound(): RequestError {
  return new RequestError("not_found", "Cannot find the path: GET / names the routes");
}

/**
 * What ends a request whose caller closed the connection.
 *
 * @returns The error.
 */
export function toCallerGone(): RequestError {
  return new RequestError("caller_gone", "Cannot answer as the caller went away");
}

/** What a {@linkcode RequestError} may carry besides its code and message. */
export interface RequestErrorOptions {
  /** Names the caller may have meant, nearest first. */
  readonly suggestions?: readonly string[] | undefined;
  /** How long to wait before asking again, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** What is wrong with the body, place by place. */
  readonly faults?: readonly Fault[] | undefined;
  /** Headers of the response, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A request that the gateway refuses. Its message is for the caller: it holds nothing the caller may not know. */
export class RequestError extends Error {
  /** Why it is refused. */
  readonly code: RequestErrorCode;
  /** Names the caller may have meant, nearest first; empty where there are none. */
  readonly suggestions: readonly string[];
  /** How long to wait before asking again, in milliseconds, where that helps. */
  readonly retryAfterMs: number | undefined;
  /** What is wrong with the body, place by place; empty where that is not the reason. */
  readonly faults: readonly Fault[];
  /** Headers of the response, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * Creates an error.
   *
   * @param code Why the request is refused.
   * @param message What could not be done, and what to send instead.
   * @param options What else is known.
   */
  constructor(code: RequestErrorCode, message: string, options: RequestErrorOptions = {}) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.suggestions = options.suggestions ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.faults = options.faults ?? [];
    this.headers = options.headers ?? {};
  }
}
