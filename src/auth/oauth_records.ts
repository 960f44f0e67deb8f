/**
 * The records that OAuth keeps: what was granted, and what was begun.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { AddressRules } from "./auth_address.ts";
import type { AuthAddress } from "./auth_store.ts";
import type { ClientAuthMethod, OAuthClient } from "./client_authentication.ts";
import { parseScope, uniteScopes } from "./scopes.ts";
import type { TokenSet } from "./token_endpoint.ts";

/** How long a grant is kept since it was last written, in milliseconds. */
export const GRANT_TTL_MS: number = 90 * 86_400_000;

/** How long a flow with a person may take, in milliseconds. */
export const FLOW_TTL_MS: number = 600_000;

/** What one authorization server granted for one server and principal. */
export interface Grant {
  /** The authorization server; everything else here is bound to it. */
  readonly issuer: string;
  /** Where it gives tokens. */
  readonly tokenEndpoint: string;
  /** The resource that the tokens are for. */
  readonly resource: string;
  /** The client that the tokens were given to; without its secret where the configuration has that. */
  readonly client: OAuthClient;
  /** Every scope that was asked for or granted. */
  readonly scopes: readonly string[];
  /** The tokens; `undefined` once they are known to be of no use. */
  readonly tokens: TokenSet | undefined;
}

/** What a flow asks for: one flow at a time asks for the same. */
export interface FlowRequest {
  /** Whose grant it will become: the parts of its address. */
  readonly owner: readonly string[];
  /** The authorization server. */
  readonly issuer: string;
  /** The scopes. */
  readonly scopes: readonly string[];
  /** Where the person is sent back to. */
  readonly redirectUrl: string;
}

/** A flow that waits for a person. */
export interface PendingFlow {
  /** The configured name of the server. */
  readonly server: string;
  /** Whose tokens they will be. */
  readonly principal: string;
  /** Whose grant it will become: the parts of its address. */
  readonly owner: readonly string[];
  /** What the grant will say, but for the tokens. */
  readonly grant: Omit<Grant, "tokens">;
  /** The client, complete: whoever finishes the flow needs no configuration. */
  readonly client: OAuthClient;
  /** Whether responses name the issuer. */
  readonly namesItself: boolean;
  /** Where the person is sent back to. */
  readonly redirectUrl: string;
  /** The secret of PKCE. */
  readonly verifier: string;
  /** Which addresses may be asked. */
  readonly rules: AddressRules;
  /** When it ends, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/**
 * Where the flow of a state is kept.
 *
 * @param state The state.
 * @returns Its address.
 */
export function toStateAddress(state: string): AuthAddress {
  return { kind: "state", parts: [state] };
}

/**
 * Where it is kept which flow was begun for an owner.
 *
 * @param request What it asks for.
 * @returns The address.
 */
export function toFlowAddress({ owner, issuer, scopes, redirectUrl }: FlowRequest): AuthAddress {
  return { kind: "flow", parts: [...owner, issuer, redirectUrl, [...scopes].sort().join(" ")] };
}

/**
 * The grant that comes of tokens.
 *
 * @param base What the grant says but for the tokens.
 * @param tokens The tokens.
 * @param before The refresh token to keep where there is no new one.
 * @returns The grant.
 */
export function toGrant(base: Omit<Grant, "tokens">, tokens: TokenSet, before?: string | undefined): Grant {
  const refreshToken = tokens.refreshToken ?? before;
  const scopes = uniteScopes(base.scopes, parseScope(tokens.scope));
  return { ...base, scopes, tokens: { ...tokens, refreshToken } };
}

/**
 * A grant as it is stored.
 *
 * @param grant The grant.
 * @returns Plain JSON.
 */
export function writeGrant(grant: Grant): JsonObject {
  return JSON.parse(JSON.stringify(grant)) as JsonObject;
}

/**
 * Reads a stored grant. Nobody but this package can write one, as it is sealed; another version may have.
 *
 * @param value What was stored, or `undefined`.
 * @returns The grant; or `undefined` for none.
 */
export function readGrant(value: JsonObject | undefined): Grant | undefined {
  const base = value && readBase(value);
  if (base === undefined) return undefined;
  const tokens = isJsonObject(value?.tokens) ? value.tokens : undefined;
  if (tokens === undefined) return { ...base, tokens: undefined };
  const { accessToken, issuedAtMs, expiresAtMs } = tokens;
  if (typeof accessToken !== "string" || typeof issuedAtMs !== "number") return undefined;
  return {
    ...base,
    tokens: {
      accessToken,
      refreshToken: text(tokens.refreshToken),
      scope: text(tokens.scope),
      issuedAtMs,
      expiresAtMs: typeof expiresAtMs === "number" ? expiresAtMs : undefined,
    },
  };
}

/**
 * A flow as it is stored.
 *
 * @param flow The flow.
 * @returns Plain JSON.
 */
export function writeFlow(flow: PendingFlow): JsonObject {
  const rules = { ...flow.rules, serverUrl: flow.rules.serverUrl.href };
  return JSON.parse(JSON.stringify({ ...flow, rules })) as JsonObject;
}

/**
 * Reads a stored flow.
 *
 * @param value What was stored, or `undefined`.
 * @returns The flow; or `undefined` for none.
 */
export function readFlow(value: JsonObject | undefined): PendingFlow | undefined {
  const grant = isJsonObject(value?.grant) ? readBase(value.grant) : undefined;
  const rules = isJsonObject(value?.rules) ? value.rules : undefined;
  const serverUrl = URL.parse(text(rules?.serverUrl) ?? "");
  const client = readClient(value?.client);
  if (value === undefined || grant === undefined || client === undefined) return undefined;
  if (rules === undefined || serverUrl === null) return undefined;
  const { server, principal, redirectUrl, verifier, expiresAtMs } = value;
  if (typeof server !== "string" || typeof principal !== "string" || typeof redirectUrl !== "string") return undefined;
  if (typeof verifier !== "string" || typeof expiresAtMs !== "number") return undefined;
  return {
    server,
    principal,
    owner: texts(value.owner),
    grant,
    client,
    namesItself: value.namesItself === true,
    redirectUrl,
    verifier,
    rules: { serverUrl, issuers: texts(rules.issuers), allowPrivate: rules.allowPrivate === true },
    expiresAtMs,
  };
}

/**
 * Reads a stored client.
 *
 * @param value What was stored, or `undefined`.
 * @returns The client; or `undefined` for none.
 */
export function readClient(value: unknown): OAuthClient | undefined {
  if (!isJsonObject(value) || typeof value.clientId !== "string" || typeof value.method !== "string") return undefined;
  return {
    clientId: value.clientId,
    method: value.method as ClientAuthMethod,
    clientSecret: text(value.clientSecret),
  };
}

function readBase(value: JsonObject): Omit<Grant, "tokens"> | undefined {
  const { issuer, tokenEndpoint, resource } = value;
  const client = readClient(value.client);
  if (typeof issuer !== "string" || typeof tokenEndpoint !== "string" || typeof resource !== "string") return undefined;
  return client && { issuer, tokenEndpoint, resource, client, scopes: texts(value.scopes) };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
