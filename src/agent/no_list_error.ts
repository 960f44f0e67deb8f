/**
 * The error of lists that not one server has given.
 *
 * @module
 */

import { MCPError, type MCPErrorCode } from "../errors.ts";

/** Failures that do not pass by themselves. */
const LASTING: ReadonlySet<MCPErrorCode> = new Set([
  "unauthorized",
  "forbidden",
  "authorization_required",
  "auth_failed",
  "redirect_refused",
  "unsupported_protocol",
]);

/** Why a server has given no list. */
export interface ListFailure {
  /** The server. */
  readonly server: string;
  /** What failed. */
  readonly code: MCPErrorCode;
  /** The server's own error, where it is known here. */
  readonly error: MCPError | undefined;
}

/**
 * The error of lists that not one server has given.
 *
 * @param what What cannot be done without a list.
 * @param failures Why each server has given none; at least one.
 * @returns The error that leads a person to the authorization server, where one has to authorize; else an `MCPError`
 * with the code of the first server's failure, and with the failures as its cause.
 */
export function toNoListError(what: string, failures: readonly ListFailure[]): MCPError {
  const required = failures.find(({ error }) => error?.code === "authorization_required")?.error;
  if (required !== undefined) return required;
  const why = failures.map(({ server, code }) => `"${server}" (${code})`).join(", ");
  const [first] = failures;
  const errors = failures.flatMap(({ error }) => error ?? []);
  return new MCPError(first?.code ?? "unreachable", `Cannot ${what} as no server answered: ${why}`, {
    server: failures.length === 1 ? first?.server : undefined,
    retryable: failures.some(({ code }) => !LASTING.has(code)),
    cause: errors.length > 1 ? new AggregateError(errors, "Not one server answered") : errors[0],
  });
}
