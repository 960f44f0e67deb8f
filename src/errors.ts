/**
 * Every failure that happens at run time, as one class with a closed list of codes.
 *
 * @module
 */

/**
 * The closed list of codes of {@linkcode MCPError}. Codes are API: they are added in a minor version and never renamed.
 *
 * | code | meaning | retry |
 * |---|---|---|
 * | `unreachable` | nothing was sent: refused, DNS, TLS | yes |
 * | `deadline_exceeded` | the deadline passed before the answer; a call may have run: `retryable` tells | sometimes |
 * | `outcome_unknown` | a tool call was sent and its answer was lost: it may have run | no |
 * | `upstream_error` | the server answered with an HTTP or JSON-RPC error | sometimes |
 * | `bad_response` | the server's answer is not MCP | no |
 * | `too_large` | an answer passed its cap | no |
 * | `unauthorized`, `forbidden` | the server answered 401, 403 | no |
 * | `authorization_required` | a person has to authorize first: the error holds the URL to open | no |
 * | `auth_failed` | no token could be had: the authorization server or the token provider failed or was refused | sometimes |
 * | `rate_limited` | the server answered 429, or 503 with `Retry-After`; or an interceptor limits the rate | yes |
 * | `redirect_refused` | the server redirects to another origin | no |
 * | `input_required` | the server asks for input that no handler gives, or asks without end | no |
 * | `task_required` | the tool runs only as a task, which the server does not offer as it should | no |
 * | `task_failed` | the task of a call failed, was cancelled or is no longer known | no |
 * | `denied` | an interceptor of this side refused the request; nothing was sent | no |
 * | `not_supported` | the server does not offer what was asked for | no |
 * | `overloaded` | too many calls to the server wait already | yes |
 * | `circuit_open` | the server's transport kept failing; it is left alone for a while | yes |
 * | `session_lost` | the server ended the session and refused a new one | yes |
 * | `unsupported_protocol` | no transport or protocol version in common | no |
 * | `tool_not_found`, `server_not_found`, `agent_not_found` | no such name, or not allowed | no |
 * | `resource_not_found`, `prompt_not_found` | no server lists it | no |
 * | `tool_ambiguous`, `resource_ambiguous`, `prompt_ambiguous` | several servers list it and the policy is `error` | no |
 * | `invalid_arguments` | the tool's arguments are not a JSON object or do not match its schema; nothing was sent | no |
 * | `invalid_result` | the tool ran, and its structured content does not match its schema | no |
 * | `invalid_config` | the configuration has faults | no |
 * | `closed` | the client was closed | no |
 *
 * @example
 * ```ts
 * import type { MCPErrorCode } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const ADVICE: Partial<Record<MCPErrorCode, string>> = {
 *   authorization_required: "Sign in",
 *   outcome_unknown: "Look whether it has run before you try again",
 * };
 * const toAdvice = (code: MCPErrorCode) => ADVICE[code] ?? "Ask the operator";
 * assertEquals(toAdvice("bad_response"), "Ask the operator");
 * ```
 */
export type MCPErrorCode =
  | "unreachable"
  | "deadline_exceeded"
  | "outcome_unknown"
  | "upstream_error"
  | "bad_response"
  | "too_large"
  | "unauthorized"
  | "forbidden"
  | "rate_limited"
  | "redirect_refused"
  | "authorization_required"
  | "auth_failed"
  | "input_required"
  | "task_required"
  | "task_failed"
  | "denied"
  | "not_supported"
  | "overloaded"
  | "circuit_open"
  | "session_lost"
  | "unsupported_protocol"
  | "tool_not_found"
  | "server_not_found"
  | "agent_not_found"
  | "resource_not_found"
  | "prompt_not_found"
  | "tool_ambiguous"
  | "resource_ambiguous"
  | "prompt_ambiguous"
  | "invalid_arguments"
  | "invalid_result"
  | "invalid_config"
  | "closed";

const BRAND = Symbol.for("portolan.mcp.error");

/**
 * One fault of a value: of a configuration, of arguments, of a result.
 *
 * @example
 * ```ts
 * import { type Fault, MCPError } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const faults: readonly Fault[] = [{ path: "lines", message: "Wrong type: write an integer" }];
 * const error = new MCPError("invalid_arguments", 'Cannot call tool "read" as its arguments have faults', { faults });
 * assertEquals(error.faults[0]?.path, "lines");
 * ```
 */
export interface Fault {
  /** Where the fault is, as a path of keys: `agents.Kairos.servers[1]`; empty for the whole value. */
  readonly path: string;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

/**
 * Faults for the end of an error's message, a line each.
 *
 * @param faults The faults.
 * @returns The lines, each after a line break.
 */
export function toFaultList(faults: readonly Fault[]): string {
  return faults.map(({ path, message }) => `\n  ${path === "" ? "" : `${path}: `}${message}`).join("");
}

/**
 * What an {@linkcode MCPError} may carry besides its code and message.
 *
 * @example
 * ```ts
 * import { MCPError, type MCPErrorOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const options: MCPErrorOptions = { server: "files", retryable: true, retryAfterMs: 500 };
 * const error = new MCPError("overloaded", 'Cannot call server "files" as too many calls wait', options);
 * assertEquals(error.retryAfterMs, 500);
 * ```
 */
export interface MCPErrorOptions {
  /** The configured name of the server that the error concerns. */
  readonly server?: string | undefined;
  /** Whether the same request may be sent again without harm. @default {false} */
  readonly retryable?: boolean | undefined;
  /** How long to wait before the next attempt, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The HTTP status that the server answered with. */
  readonly httpStatus?: number | undefined;
  /** The JSON-RPC error code that the server answered with. */
  readonly rpcCode?: number | undefined;
  /** Names the caller may have meant, nearest first. */
  readonly suggestions?: readonly string[] | undefined;
  /** What is wrong with a value, place by place. */
  readonly faults?: readonly Fault[] | undefined;
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * A failure at run time. Its message never holds a secret, a header's value, a URL's query or text that a server sent.
 *
 * @example Acting on a code
 * ```ts
 * import { isMCPError, MCPError } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const error: unknown = new MCPError("tool_not_found", 'Cannot call tool "serch" as no server lists it');
 * if (isMCPError(error)) assertEquals(error.code, "tool_not_found");
 * ```
 */
export class MCPError extends Error {
  /** What failed, from the closed list. */
  readonly code: MCPErrorCode;
  /** The configured name of the server concerned, or `undefined` where the error concerns none. */
  readonly server: string | undefined;
  /** Whether the same request may be sent again without harm. */
  readonly retryable: boolean;
  /** How long to wait before the next attempt in milliseconds, or `undefined` where nobody said. */
  readonly retryAfterMs: number | undefined;
  /** The HTTP status that the server answered with, or `undefined` where the failure was not one. */
  readonly httpStatus: number | undefined;
  /** The JSON-RPC error code that the server answered with, or `undefined` where the failure was not one. */
  readonly rpcCode: number | undefined;
  /** Names the caller may have meant, nearest first; empty where there are none. */
  readonly suggestions: readonly string[];
  /** What is wrong with a configuration, with arguments or with a result, place by place; empty for other failures. */
  readonly faults: readonly Fault[];

  /**
   * Creates an error.
   *
   * @param code What failed.
   * @param message What could not be done and why, without secrets.
   * @param options What else is known of the failure.
   */
  constructor(code: MCPErrorCode, message: string, options: MCPErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "MCPError";
    this.code = code;
    this.server = options.server;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.httpStatus = options.httpStatus;
    this.rpcCode = options.rpcCode;
    this.suggestions = options.suggestions ?? [];
    this.faults = options.faults ?? [];
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * One fault of a configuration.
 *
 * @example
 * ```ts
 * import { ConfigError, type ConfigFault, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const create = () => new SingleServerMCPClient("files", { url: "ftp://files.example.com" });
 * const faults: readonly ConfigFault[] = assertThrows(create, ConfigError).faults;
 * assertEquals(faults.map(({ path }) => path), ["servers.files.url"]);
 * ```
 */
export type ConfigFault = Fault;

/**
 * A configuration with faults, all of them at once. Its code is `invalid_config`.
 *
 * @example
 * ```ts
 * import { ConfigError } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new ConfigError([{ path: "servers.files.url", message: "Missing: write an http(s) URL" }]);
 * assertEquals(error.message, "Cannot use the configuration as it has 1 fault:\n  servers.files.url: Missing: write an http(s) URL");
 * ```
 */
export class ConfigError extends MCPError {
  /**
   * Creates an error that lists all faults.
   *
   * @param faults Every fault found; at least one.
   * @param options What else is known of the failure.
   */
  constructor(faults: readonly ConfigFault[], options: MCPErrorOptions = {}) {
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    super("invalid_config", `Cannot use the configuration as it has ${count}:${toFaultList(faults)}`, {
      ...options,
      faults,
    });
    this.name = "ConfigError";
  }
}

/**
 * Whether a value is an {@linkcode MCPError}, also one from another copy of this package.
 *
 * @example
 * ```ts
 * import { isMCPError } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isMCPError(new Error("other")), false);
 * ```
 *
 * @param value Anything.
 * @returns Whether the value is an `MCPError`.
 */
export function isMCPError(value: unknown): value is MCPError {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
}
