/**
 * Begins an authorization with a person: the URL to open, and everything that is needed to finish from anywhere.
 *
 * @module
 */

import { type AddressRules, checkAuthUrl } from "./auth_address.ts";
import { findClient, type RegistrationDeps } from "./client_registration.ts";
import type { AuthTarget } from "./discovery.ts";
import { toAuthError } from "./oauth_errors.ts";
import { FLOW_TTL_MS, type PendingFlow, toFlowAddress, toStateAddress, writeFlow } from "./oauth_records.ts";

/** What beginning a flow needs. */
export interface CodeFlowDeps extends RegistrationDeps {
  /** Which addresses may be asked. */
  readonly rules: AddressRules;
  /** Whose grant it will become: the parts of its address. */
  readonly owner: readonly string[];
}

/** A flow that was begun. */
export interface BegunFlow {
  /** The URL to open. */
  readonly url: string;
  /** Until when it is good, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** A flow that has less time left is not shown to another caller, in milliseconds. */
const MIN_REST_MS = 120_000;
const RANDOM_BYTES = 32;

/**
 * Begins a flow, or finds the one that was begun for the same already.
 *
 * @param deps What it needs.
 * @param target The authorization server and the resource.
 * @param scopes What to ask for; empty: nothing in particular.
 * @param signal Ends a registration.
 * @returns The flow.
 * @throws {MCPError} If the authorization server cannot be used for it (`auth_failed`).
 */
export async function beginFlow(
  deps: CodeFlowDeps,
  target: AuthTarget,
  scopes: readonly string[],
  signal: AbortSignal,
): Promise<BegunFlow> {
  const { server, principal, config, store, rules, owner, now } = deps;
  const { metadata: { issuer, tokenEndpoint, namesItself }, resource } = target;
  const endpoint = checkTarget(deps, target);
  const { redirectUrl = "" } = config;
  const flowAddress = toFlowAddress({ owner, issuer, scopes, redirectUrl });
  const kept = await store.read(flowAddress);
  const young = readBegun(kept?.value, now());
  if (young !== undefined) return young;

  const client = await findClient(deps, target.metadata, signal);
  const { clientId, method } = client;
  const [state, verifier] = [toRandom(), toRandom()];
  const expiresAtMs = now() + FLOW_TTL_MS;
  const known = config.clientId === undefined ? client : { clientId, method };
  const flow: PendingFlow = {
    server,
    principal,
    owner,
    grant: { issuer, tokenEndpoint, resource, scopes, client: known },
    client,
    namesItself,
    redirectUrl,
    verifier,
    rules,
    expiresAtMs,
  };
  const url = await toAuthorizationUrl(endpoint, state, flow);
  const begun: BegunFlow = { url, expiresAtMs };
  if (await store.write(toStateAddress(state), writeFlow(flow), { ttlMs: FLOW_TTL_MS }) === undefined) {
    throw toAuthError(server, "the store does not take the flow, so that nobody could finish it", { retryable: true });
  }
  const written = await store.write(flowAddress, { ...begun }, { ttlMs: FLOW_TTL_MS, ifVersion: kept?.version });
  // Another isolate was faster: one URL for all.
  const other = written !== undefined && written.value === undefined ? await store.read(flowAddress) : undefined;
  return readBegun(other?.value, now()) ?? begun;
}

function checkTarget({ server, rules }: CodeFlowDeps, { metadata }: AuthTarget): URL {
  if (metadata.authorizationEndpoint === undefined) {
    throw toAuthError(server, "the authorization server has nowhere for a person to authorize");
  }
  if (!metadata.challengeMethods.includes("S256")) {
    throw toAuthError(server, "the authorization server does not say that it supports PKCE with S256");
  }
  const endpoint = checkAuthUrl(metadata.authorizationEndpoint, rules);
  if (typeof endpoint === "string") throw toAuthError(server, endpoint);
  return endpoint;
}

async function toAuthorizationUrl(endpoint: URL, state: string, flow: PendingFlow): Promise<string> {
  const { grant: { resource, scopes }, client, redirectUrl, verifier } = flow;
  const parameters = new Map([
    ["response_type", "code"],
    ["client_id", client.clientId],
    ["redirect_uri", redirectUrl],
    ["state", state],
    ["code_challenge", await toChallenge(verifier)],
    ["code_challenge_method", "S256"],
    ["resource", resource],
  ]);
  if (scopes.length > 0) parameters.set("scope", scopes.join(" "));
  // OpenID Connect gives no refresh token without it (Core 1.0, section 11).
  if (scopes.includes("offline_access")) parameters.set("prompt", "consent");
  const url = new URL(endpoint);
  for (const [name, value] of parameters) url.searchParams.set(name, value);
  return url.href;
}

function readBegun(value: unknown, nowMs: number): BegunFlow | undefined {
  const { url, expiresAtMs } = (value ?? {}) as Partial<BegunFlow>;
  if (typeof url !== "string" || typeof expiresAtMs !== "number") return undefined;
  return expiresAtMs - nowMs >= MIN_REST_MS ? { url, expiresAtMs } : undefined;
}

function toRandom(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)));
}

async function toChallenge(verifier: string): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

function toBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
