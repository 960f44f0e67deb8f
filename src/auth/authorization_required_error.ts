/**
 * The error that leads a person to the authorization server.
 *
 * @module
 */

import { MCPError } from "../errors.ts";

/**
 * Where and until when to authorize.
 *
 * @example
 * ```ts
 * import { AuthorizationRequiredError, type AuthorizationRequiredOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const options: AuthorizationRequiredOptions = {
 *   server: "calendar",
 *   authorizationUrl: "https://login.example.com/authorize?state=abc",
 *   expiresAtMs: 1_800_000_000_000,
 * };
 * assertEquals(new AuthorizationRequiredError(options).server, "calendar");
 * ```
 */
export interface AuthorizationRequiredOptions {
  /** The configured name of the server that needs it. */
  readonly server: string;
  /** The URL to open. */
  readonly authorizationUrl: string;
  /** Until when the URL is good, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/**
 * A person has to authorize first: open {@linkcode AuthorizationRequiredError.authorizationUrl} in their browser, hand
 * the URL that the browser is sent back to over to `finishAuthorization`, and call again. Its code is
 * `authorization_required`. The URL shows in no log: it is read by name alone.
 *
 * @example
 * ```ts
 * import { AuthorizationRequiredError } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new AuthorizationRequiredError({
 *   server: "calendar",
 *   authorizationUrl: "https://login.example.com/authorize?state=abc",
 *   expiresAtMs: 1_800_000_000_000,
 * });
 * assertEquals(error.code, "authorization_required");
 * assertEquals(Deno.inspect(error).includes("login.example.com"), false);
 * ```
 */
export class AuthorizationRequiredError extends MCPError {
  readonly #authorizationUrl: string;
  /** Until when the URL is good, in milliseconds since the epoch. */
  readonly expiresAtMs: number;

  /**
   * Creates an error.
   *
   * @param options Where and until when to authorize.
   */
  constructor(options: AuthorizationRequiredOptions) {
    const { server, authorizationUrl, expiresAtMs } = options;
    super(
      "authorization_required",
      `Cannot use server "${server}" as a person has to authorize first: open the authorization URL of this error`,
      { server },
    );
    this.name = "AuthorizationRequiredError";
    this.#authorizationUrl = authorizationUrl;
    this.expiresAtMs = expiresAtMs;
  }

  /** The URL to open in the browser of the person whose tokens it is about. */
  get authorizationUrl(): string {
    return this.#authorizationUrl;
  }
}
