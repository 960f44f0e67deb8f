/**
 * How a call ended, and whether it may have run.
 *
 * @module
 */

import { type Fault, isMCPError, MCPError, type MCPErrorCode } from "../errors.ts";
import { isJsonObject, parseJsonObject } from "../protocol.ts";
import type { RoutedResult } from "../status.ts";

/** How a call ended. */
export type CallOutcome =
  | {
    /** The tool answered. */
    readonly kind: "result";
    /** What, and who answered. */
    readonly routed: RoutedResult;
  }
  | {
    /** The call failed. */
    readonly kind: "failure";
    /** How; as it was thrown. */
    readonly error: unknown;
  };

/**
 * What an outcome says of the tool: it provably did not run; it ran, or was refused for good; or nobody knows.
 */
export type CallFate = "not_run" | "answered" | "unknown";

/** Codes that say that nothing was sent, or that the server refused the call before it ran. */
const NOT_RUN: ReadonlySet<MCPErrorCode> = new Set<MCPErrorCode>([
  "invalid_arguments",
  "tool_not_found",
  "tool_ambiguous",
  "server_not_found",
  "agent_not_found",
  "unreachable",
  "unauthorized",
  "forbidden",
  "authorization_required",
  "auth_failed",
  "rate_limited",
  "denied",
  "overloaded",
  "circuit_open",
  "session_lost",
  "unsupported_protocol",
  "invalid_config",
]);
const UNKNOWN: ReadonlySet<MCPErrorCode> = new Set<MCPErrorCode>(["outcome_unknown", "deadline_exceeded", "closed"]);

/**
 * Tells what an outcome says of the tool.
 *
 * @param outcome How the call ended.
 * @returns Its fate.
 */
export function toFate(outcome: CallOutcome): CallFate {
  if (outcome.kind === "result") return "answered";
  const { error } = outcome;
  if (!isMCPError(error)) return "unknown";
  // A call that was sent is not retryable at its deadline; connecting and listing are.
  if (NOT_RUN.has(error.code) || (error.code === "deadline_exceeded" && error.retryable)) return "not_run";
  return UNKNOWN.has(error.code) ? "unknown" : "answered";
}

/**
 * Writes an outcome down, to be answered again.
 *
 * @param outcome How the call ended; `answered`.
 * @returns A text that {@linkcode parseOutcome} reads.
 */
export function writeOutcome(outcome: CallOutcome): string {
  if (outcome.kind === "result") return JSON.stringify({ routed: outcome.routed });
  if (!isMCPError(outcome.error)) throw new TypeError("Cannot write the outcome down as it is no answer");
  const { code, message, server, suggestions, faults } = outcome.error;
  return JSON.stringify({ failure: { code, message, server, suggestions, faults } });
}

/**
 * Reads an outcome.
 *
 * @param text What {@linkcode writeOutcome} wrote.
 * @returns The outcome, or `undefined` where the text is none.
 */
export function parseOutcome(text: string): CallOutcome | undefined {
  const { routed, failure } = parseJsonObject(text) ?? {};
  if (isJsonObject(routed)) return { kind: "result", routed: routed as unknown as RoutedResult };
  return isFailure(failure) ? { kind: "failure", error: toError(failure) } : undefined;
}

interface WrittenFailure {
  readonly code: MCPErrorCode;
  readonly message: string;
  readonly server?: string;
  readonly suggestions: readonly string[];
  readonly faults: readonly Fault[];
}

function isFailure(value: unknown): value is WrittenFailure {
  return isJsonObject(value) && typeof value.code === "string" && typeof value.message === "string" &&
    Array.isArray(value.suggestions) && Array.isArray(value.faults);
}

function toError({ code, message, server, suggestions, faults }: WrittenFailure): MCPError {
  return new MCPError(code, message, { server, suggestions, faults });
}
