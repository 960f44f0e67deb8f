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
 * | `deadline_exceeded` | the deadline passed before the answer; nothing was executed that could not be repeated | yes |
 * | `outcome_unknown` | a tool call was sent and its answer was lost: it may have run | no |
 * | `upstream_error` | the server answered with an HTTP or JSON-RPC error | sometimes |
 * | `bad_response` | the server's answer is not MCP | no |
 * | `too_large` | an answer passed its cap | no |
 * | `unauthorized`, `forbidden` | the server answered 401, 403 | no |
 * | `rate_limited` | the server answered 429, or 503 with `Retry-After` | yes |
 * | `redirect_refused` | the server redirects to another origin | no |
 * | `input_required` | the server asks for input before it goes on with a call | no |
 * | `overloaded` | too many calls to the server wait already | yes |
 * | `circuit_open` | the server's transport kept failing; it is left alone for a while | yes |
 * | `session_lost` | the server ended the session and refused a new one | yes |
 * | `unsupported_protocol` | no transport or protocol version in common | no |
 * | `tool_not_found`, `server_not_found`, `agent_not_found` | no such name, or not allowed | no |
 * | `tool_ambiguous` | several servers list the name and the policy is `error` | no |
 * | `invalid_arguments` | the tool's arguments are not a JSON object | no |
 * | `invalid_config` | the configuration has faults | no |
 * | `closed` | the client was closed | no |
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
  | "input_required"
  | "overloaded"
  | "circuit_open"
  | "session_lost"
  | "unsupported_protocol"
  | "tool_not_found"
  | "server_not_found"
  | "agent_not_found"
  | "tool_ambiguous"
  | "invalid_arguments"
  | "invalid_config"
  | "closed";

const BRAND = Symbol.for("portolan.mcp.error");

/** What an {@linkcode MCPError} may carry besides its code and message. */
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
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** One fault of a configuration. */
export interface ConfigFault {
  /** Where the fault is, as a path of keys: `agents.Kairos.servers[1]`; empty for the whole text. */
  readonly path: string;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

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
  /** Every fault found, in the order of the text. */
  readonly faults: readonly ConfigFault[];

  /**
   * Creates an error that lists all faults.
   *
   * @param faults Every fault found; at least one.
   * @param options What else is known of the failure.
   */
  constructor(faults: readonly ConfigFault[], options: MCPErrorOptions = {}) {
    const list = faults.map((fault) => `\n  ${fault.path === "" ? "" : `${fault.path}: `}${fault.message}`).join("");
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    super("invalid_config", `Cannot use the configuration as it has ${count}:${list}`, options);
    this.name = "ConfigError";
    this.faults = faults;
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
