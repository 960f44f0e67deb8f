/**
 * Which client a flow with a person is begun as: one that was registered beforehand, one whose id is the URL of its
 * metadata, or, as a last resort, one that registers itself. A client is one of a single authorization server.
 *
 * @module
 */

import type { JsonObject } from "../protocol.ts";
import type { ResolvedAuth } from "./auth_config.ts";
import type { AuthFetch } from "./auth_fetch.ts";
import type { AuthAddress, AuthStore } from "./auth_store.ts";
import { chooseMethod, type ClientAuthMethod, type OAuthClient } from "./client_authentication.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { toAuthError, toOAuthErrorCode } from "./oauth_errors.ts";
import { readClient } from "./oauth_records.ts";

/** What a registration needs. */
export interface RegistrationDeps {
  /** The configured name of the server. */
  readonly server: string;
  /** For whom the client acts. */
  readonly principal: string;
  /** What the operator configured. */
  readonly config: ResolvedAuth;
  /** Where registered clients are kept. */
  readonly store: AuthStore;
  /** The way out. */
  readonly send: AuthFetch;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** How long a registered client is used, in milliseconds: nobody tells when its authorization server forgets it. */
const TTL_MS = 30 * 86_400_000;
const MAX_TEXT_LENGTH = 4_096;
const METHODS: Readonly<Record<string, ClientAuthMethod>> = {
  basic: "client_secret_basic",
  post: "client_secret_post",
};

/**
 * The client that the configuration gives.
 *
 * @param config What the operator configured.
 * @param authMethods How the authorization server lets clients prove who they are, as far as it says.
 * @returns The client with its secrets; or `undefined` where none is configured.
 */
export function toConfiguredClient(
  config: ResolvedAuth,
  authMethods: readonly string[] | undefined,
): OAuthClient | undefined {
  const { clientId, clientSecret, privateKey, algorithm, tokenAuth } = config;
  if (clientId === undefined) return undefined;
  if (privateKey !== undefined) {
    return { clientId, method: "private_key_jwt", privateKey: privateKey.reveal(), algorithm };
  }
  const secret = clientSecret?.reveal();
  const method = chooseMethod(authMethods, secret !== undefined, METHODS[tokenAuth]);
  return { clientId, method, ...(secret === undefined ? {} : { clientSecret: secret }) };
}

/**
 * The client of a flow with a person.
 *
 * @param deps What a registration needs.
 * @param metadata The authorization server.
 * @param signal Ends a registration.
 * @returns The client with its secret.
 * @throws {MCPError} If there is none to be had (`auth_failed`).
 */
export async function findClient(
  deps: RegistrationDeps,
  metadata: IssuerMetadata,
  signal: AbortSignal,
): Promise<OAuthClient> {
  const { server, config, store, now } = deps;
  const configured = toConfiguredClient(config, metadata.authMethods);
  if (configured !== undefined) return configured;
  const { clientMetadataUrl } = config;
  if (clientMetadataUrl !== undefined && metadata.takesClientUrls) {
    return { clientId: clientMetadataUrl, method: "none" };
  }
  if (metadata.registrationEndpoint === undefined) {
    throw toAuthError(
      server,
      'the authorization server lets no client register itself: register one, and write its "clientId"',
    );
  }
  const address = toAddress(deps, metadata.issuer);
  const kept = await store.read(address);
  const known = readClient(kept?.value);
  const endsAtMs = kept?.value?.endsAtMs;
  if (known !== undefined && !(typeof endsAtMs === "number" && endsAtMs <= now())) return known;
  const { client, record } = await register(deps, metadata.registrationEndpoint, metadata, signal);
  const written = await store.write(address, record, { ttlMs: TTL_MS, ifVersion: kept?.version });
  // Another isolate was faster: one client for all.
  const other = written !== undefined && written.value === undefined ? await store.read(address) : undefined;
  return readClient(other?.value) ?? client;
}

/**
 * Forgets a client that registered itself, as its authorization server knows it no longer.
 *
 * @param deps What a registration needs.
 * @param issuer The authorization server.
 */
export async function forgetClient(deps: RegistrationDeps, issuer: string): Promise<void> {
  await deps.store.remove(toAddress(deps, issuer));
}

function toAddress({ principal, config }: RegistrationDeps, issuer: string): AuthAddress {
  return { kind: "client", parts: [issuer, principal, config.redirectUrl ?? "", config.clientName] };
}

/** RFC 7591. No scope is registered, as a client may never ask for more than that. */
async function register(
  { server, config, send }: RegistrationDeps,
  endpoint: string,
  metadata: IssuerMetadata,
  signal: AbortSignal,
): Promise<{ readonly client: OAuthClient; readonly record: JsonObject }> {
  const redirectUrl = config.redirectUrl ?? "";
  const wanted: JsonObject = {
    client_name: config.clientName,
    redirect_uris: [redirectUrl],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: chooseMethod(metadata.authMethods, true, METHODS[config.tokenAuth]),
    application_type: redirectUrl.startsWith("https:") ? "web" : "native",
  };
  const headers = { "content-type": "application/json" };
  const { status, json = {} } = await send({ url: endpoint, body: JSON.stringify(wanted), headers, signal });
  const { client_id: clientId, client_secret: clientSecret, token_endpoint_auth_method: method } = json;
  if ((status !== 200 && status !== 201) || !isText(clientId)) {
    const how = toOAuthErrorCode(json.error) ?? `HTTP ${status}`;
    throw toAuthError(server, `the authorization server did not register the client (${how})`, {
      retryable: status >= 500 || status === 429,
    });
  }
  const secret = isText(clientSecret) ? clientSecret : undefined;
  const told = ["client_secret_basic", "client_secret_post", "none"].find((known) => known === method);
  const chosen = chooseMethod(metadata.authMethods, secret !== undefined, told as ClientAuthMethod | undefined);
  const client: OAuthClient = { clientId, method: chosen, ...(secret === undefined ? {} : { clientSecret: secret }) };
  const endsS = json.client_secret_expires_at;
  const end = typeof endsS === "number" && endsS > 0 ? { endsAtMs: endsS * 1_000 } : {};
  return { client, record: { ...client, ...end } as JsonObject };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_TEXT_LENGTH;
}
