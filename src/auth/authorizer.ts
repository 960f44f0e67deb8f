/**
 * How the requests of a server get their token: the port, and the simplest thing a caller may give for it.
 *
 * @module
 */

/** A request that a server refused for want of a better token. */
export interface Refusal {
  /** The HTTP status: 401, or 403. */
  readonly status: number;
  /** The `www-authenticate` header, or `undefined` where there was none. */
  readonly challenge: string | undefined;
  /** The value of the `authorization` header that was refused, or `undefined` where none was sent. */
  readonly used: string | undefined;
  /** How often the same request was sent again already. */
  readonly round: number;
}

/** Gets the tokens of one server for one principal. */
export interface Authorizer {
  /**
   * Asked before every request; cheap while a token is at hand that is good for longer.
   *
   * @param signal Ends the wait.
   * @returns The value of the `authorization` header, or `undefined` where there is none yet.
   */
  authorize(signal: AbortSignal): Promise<string | undefined>;
  /**
   * Told that the server refused a request.
   *
   * @param refusal What was refused, and why.
   * @param signal Ends the wait.
   * @returns Whether the request is to be sent again, as there is another token now.
   * @throws {MCPError} If no token can be had (`authorization_required`, `auth_failed`, `forbidden`).
   */
  refused(refusal: Refusal, signal: AbortSignal): Promise<boolean>;
}

/**
 * For which request a token is asked.
 *
 * @example
 * ```ts
 * import type { TokenProvider, TokenRequest } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const vault = new Map([["Kairos", "a token of Kairos"]]);
 * const tokens: TokenProvider = { getToken: ({ principal }) => vault.get(principal) };
 * const { signal } = new AbortController();
 * const url = "https://cal.example.com/mcp";
 * const request: TokenRequest = { server: "calendar", url, principal: "Kairos", signal, refresh: false };
 * assertEquals(tokens.getToken(request), "a token of Kairos");
 * ```
 */
export interface TokenRequest {
  /** The configured name of the server. */
  readonly server: string;
  /** The endpoint, without its query. */
  readonly url: string;
  /** Whose request it is: the agent's name. */
  readonly principal: string;
  /** Aborted when nobody waits for the token any more. */
  readonly signal: AbortSignal;
  /** Whether the server refused the last token, so that another one is wanted. */
  readonly refresh: boolean;
}

/**
 * Gives the bearer tokens of a server: from another library, a vault, or the platform.
 *
 * @example
 * ```ts
 * import type { TokenProvider } from "@portolan/mcp";
 *
 * const provider: TokenProvider = {
 *   getToken: ({ refresh }) => refresh ? "a token from the vault" : "the token at hand",
 * };
 * ```
 */
export interface TokenProvider {
  /**
   * Asked before every request, and once more with `refresh` where the server refused the token.
   *
   * @param request For which request.
   * @returns The token without `Bearer`, or `undefined` to send none.
   */
  getToken(request: TokenRequest): string | undefined | Promise<string | undefined>;
}

/** Something that happened to the tokens of a server. */
export interface AuthEvent {
  /** A token was renewed; a person has to authorize; a person has, or the client itself was granted a token. */
  readonly type: "token_renewed" | "authorization_required" | "authorized";
  /** The configured name of the server. */
  readonly server: string;
  /** Whose tokens they are. */
  readonly principal: string;
}

const MAX_TOKEN_LENGTH = 16_384;

/**
 * The `authorization` header of a token.
 *
 * @param token The token.
 * @returns The header's value; or `undefined` for what cannot be sent as a bearer token (RFC 6750, section 2.1).
 */
export function toBearer(token: string): string | undefined {
  return token.length <= MAX_TOKEN_LENGTH && /^[\x21-\x7e]+$/.test(token) ? `Bearer ${token}` : undefined;
}
