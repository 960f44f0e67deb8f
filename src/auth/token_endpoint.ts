/**
 * Asks a token endpoint for tokens.
 *
 * @module
 */

import type { AuthAnswer, AuthFetch } from "./auth_fetch.ts";
import { toBearer } from "./authorizer.ts";
import { authenticateClient, type OAuthClient } from "./client_authentication.ts";
import { toAuthError, toOAuthErrorCode } from "./oauth_errors.ts";

/** Tokens as an authorization server gave them. */
export interface TokenSet {
  /** What is sent to the server. */
  readonly accessToken: string;
  /** What gets the next one, where there is one. */
  readonly refreshToken: string | undefined;
  /** The scopes that were granted, where it says so. */
  readonly scope: string | undefined;
  /** When they were asked for, in milliseconds since the epoch. */
  readonly issuedAtMs: number;
  /** When the access token ends, in milliseconds since the epoch; `undefined`: nobody knows. */
  readonly expiresAtMs: number | undefined;
}

/** Why an authorization server gives no tokens: it says so, for good. */
export interface TokenRefusal {
  /** The registered code. */
  readonly error: string;
  /** The HTTP status. */
  readonly status: number;
}

/** Where to ask. */
export interface TokenEndpoint {
  /** The issuer that it belongs to. */
  readonly issuer: string;
  /** Its URL. */
  readonly tokenEndpoint: string;
  /** The resource that tokens are wanted for. */
  readonly resource: string;
}

/** What a request of tokens needs. */
export interface TokenEndpointDeps {
  /** The configured name of the server. */
  readonly server: string;
  /** The way out. */
  readonly send: AuthFetch;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

const MAX_TOKEN_LENGTH = 16_384;
const MAX_SCOPE_LENGTH = 8_192;
/** A token that ends sooner than it can be used is used until it is refused, in milliseconds. */
const MIN_TTL_MS = 1_000;
/** The codes that mean: later perhaps. */
const PASSING = new Set(["server_error", "slow_down", "temporarily_unavailable"]);

/**
 * Asks for tokens.
 *
 * @param deps What the request needs.
 * @param endpoint Where to ask.
 * @param client Who asks.
 * @param grant The parameters of the grant; what is `undefined` is left out.
 * @param signal Ends the request.
 * @returns The tokens, or why there are none for good.
 * @throws {MCPError} If the endpoint cannot be reached, is out of order, or does not answer as one (`auth_failed`).
 */
export async function requestTokens(
  { server, send, now }: TokenEndpointDeps,
  endpoint: TokenEndpoint,
  client: OAuthClient,
  grant: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<TokenSet | TokenRefusal> {
  const issuedAtMs = now();
  const form = new URLSearchParams({ resource: endpoint.resource });
  for (const [name, value] of Object.entries(grant)) if (value !== undefined) form.set(name, value);
  const context = { issuer: endpoint.issuer, nowMs: issuedAtMs };
  const proof = await authenticateClient(client, form, context).catch(() => {
    // The error underneath may quote the key.
    throw toAuthError(server, 'the private key cannot be used: write PKCS #8 PEM or a JWK that fits "algorithm"');
  });
  const headers = { ...proof, "content-type": "application/x-www-form-urlencoded" };
  const answer = await send({ url: endpoint.tokenEndpoint, body: form.toString(), headers, signal });
  return answer.status === 200 ? readTokens(server, answer, issuedAtMs) : readRefusal(server, answer);
}

function readTokens(server: string, { json, status }: AuthAnswer, issuedAtMs: number): TokenSet {
  const { access_token: token, token_type: type, refresh_token: refreshToken, scope, expires_in: ttl } = json ?? {};
  if (typeof token !== "string" || toBearer(token) === undefined) {
    throw toAuthError(server, "the authorization server's answer holds no token that can be sent", {
      httpStatus: status,
    });
  }
  if (typeof type !== "string" || type.toLowerCase() !== "bearer") {
    throw toAuthError(server, "the authorization server gives tokens of another type than Bearer", {
      httpStatus: status,
    });
  }
  const ttlMs = Number(typeof ttl === "string" || typeof ttl === "number" ? ttl : NaN) * 1_000;
  return {
    accessToken: token,
    refreshToken: isWithin(refreshToken, MAX_TOKEN_LENGTH) ? refreshToken : undefined,
    scope: isWithin(scope, MAX_SCOPE_LENGTH) ? scope : undefined,
    issuedAtMs,
    expiresAtMs: Number.isFinite(ttlMs) && ttlMs >= MIN_TTL_MS ? issuedAtMs + ttlMs : undefined,
  };
}

function readRefusal(server: string, { status, json }: AuthAnswer): TokenRefusal {
  const error = toOAuthErrorCode(json?.error);
  const isPassing = status === 429 || status >= 500 || (error !== undefined && PASSING.has(error));
  if (!isPassing && error !== undefined) return { status, error };
  const how = error === undefined ? `HTTP ${status}` : `${error}, HTTP ${status}`;
  throw toAuthError(server, `the authorization server gives no token (${how})`, {
    retryable: isPassing,
    httpStatus: status,
  });
}

function isWithin(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value !== "" && value.length <= maxLength;
}
