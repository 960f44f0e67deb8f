/**
 * Failures on the way to a token, in words that are ours alone.
 *
 * @module
 */

import { MCPError } from "../errors.ts";

/** The error codes that a message may name; any other text of an authorization server is not repeated. */
const REGISTERED = new Set([
  "access_denied",
  "consent_required",
  "interaction_required",
  "invalid_client",
  "invalid_client_metadata",
  "invalid_grant",
  "invalid_redirect_uri",
  "invalid_request",
  "invalid_scope",
  "invalid_target",
  "invalid_token",
  "login_required",
  "server_error",
  "slow_down",
  "temporarily_unavailable",
  "unapproved_software_statement",
  "unauthorized_client",
  "unsupported_grant_type",
  "unsupported_response_type",
]);

/** What else is known of a failure. */
export interface AuthErrorOptions {
  /** Whether the same may be tried again. @default {false} */
  readonly retryable?: boolean | undefined;
  /** How long to wait before the next attempt, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The HTTP status that the authorization server answered with. */
  readonly httpStatus?: number | undefined;
  /** The error underneath; never one with a server's text. */
  readonly cause?: unknown;
}

/**
 * The error of a token that cannot be had.
 *
 * @param server The configured name of the server that the token is for, or `undefined` where it is not known.
 * @param why Why not, in our own words.
 * @param options What else is known.
 * @returns An `MCPError` with the code `auth_failed`.
 */
export function toAuthError(server: string | undefined, why: string, options: AuthErrorOptions = {}): MCPError {
  const what = server === undefined ? "finish the authorization" : `authorize at server "${server}"`;
  return new MCPError("auth_failed", `Cannot ${what} as ${why}`, { ...options, server });
}

/**
 * The code of an OAuth error, where it is a registered one.
 *
 * @param value What the authorization server sent as `error`.
 * @returns The code; `undefined` for anything else.
 */
export function toOAuthErrorCode(value: unknown): string | undefined {
  return typeof value === "string" && REGISTERED.has(value) ? value : undefined;
}
