/**
 * The steps that get tokens: what is loaded only where a token is missing, has ended, or was refused.
 *
 * @module
 */

import type { AddressRules } from "./auth_address.ts";
import { type AuthFetch, createAuthFetch } from "./auth_fetch.ts";
import type { BearerChallenge } from "./bearer_challenge.ts";
import { forgetClient, type RegistrationDeps, toConfiguredClient } from "./client_registration.ts";
import { beginFlow, type BegunFlow } from "./code_flow.ts";
import { type AuthTarget, discoverTarget } from "./discovery.ts";
import { finishAuthorization } from "./finish_authorization.ts";
import { toAuthError } from "./oauth_errors.ts";
import { type Grant, toGrant } from "./oauth_records.ts";
import { chooseScopes } from "./scopes.ts";
import { requestTokens, type TokenRefusal } from "./token_endpoint.ts";

/** What the steps need. */
export interface OAuthFlowDeps extends Omit<RegistrationDeps, "send"> {
  /** The endpoint of the server. */
  readonly serverUrl: URL;
  /** The parts of the grant's address. */
  readonly owner: readonly string[];
  /** The `fetch` underneath. */
  readonly fetch: typeof fetch;
}

/** The steps for one server and principal. */
export class OAuthFlow {
  readonly #deps: OAuthFlowDeps;
  readonly #rules: AddressRules;
  readonly #send: AuthFetch;

  /**
   * Creates the steps; nothing is sent.
   *
   * @param deps What they need.
   */
  constructor(deps: OAuthFlowDeps) {
    const { server, serverUrl, config } = deps;
    this.#deps = deps;
    // A query may hold a secret, and says nothing of the resource.
    const url = new URL(serverUrl.pathname, serverUrl.origin);
    this.#rules = { serverUrl: url, issuers: config.issuers, allowPrivate: config.allowPrivate };
    this.#send = createAuthFetch({ server, rules: this.#rules, fetch: deps.fetch });
  }

  /**
   * Finds the authorization server.
   *
   * @param challenge What the server said.
   * @param before What was granted before, or `undefined`.
   * @param signal Ends the search.
   * @returns The authorization server and the resource.
   * @throws {MCPError} If there is none that may be used (`auth_failed`).
   */
  async discover(challenge: BearerChallenge, before: Grant | undefined, signal: AbortSignal): Promise<AuthTarget> {
    const { server, config } = this.#deps;
    const deps = { server, rules: this.#rules, send: this.#send };
    const target = await discoverTarget(deps, challenge.resourceMetadata, before?.issuer, signal);
    const hasMoved = before !== undefined && before.issuer !== target.metadata.issuer;
    if (hasMoved && config.clientId !== undefined && config.issuers.length === 0) {
      // A server that could name another one at will could collect the credentials of the configured client.
      throw toAuthError(
        server,
        'it names another authorization server than before: list the one of the configured "clientId" under "issuers"',
      );
    }
    return target;
  }

  /**
   * Chooses what to ask for.
   *
   * @param target The authorization server and the resource.
   * @param challenge What the server said.
   * @param before What was granted before by the same authorization server, or `undefined`.
   * @returns The scopes.
   */
  chooseScopes(target: AuthTarget, challenge: BearerChallenge, before: Grant | undefined): readonly string[] {
    const { grant, scope: configured } = this.#deps.config;
    return chooseScopes({
      challenged: challenge.scope,
      listed: target.scopes,
      configured,
      before: before?.scopes ?? [],
      supported: target.metadata.scopes,
      wantsRefresh: grant === "authorization_code",
    });
  }

  /**
   * Gets the next token without a person: by the refresh token, or anew for the client itself.
   *
   * @param grant What was granted, with the token endpoint to ask.
   * @param signal Ends the request.
   * @returns What is granted now; or why nothing is, for good.
   * @throws {MCPError} If the endpoint is out of order (`auth_failed`).
   */
  async renew(grant: Grant, signal: AbortSignal): Promise<Grant | TokenRefusal> {
    const { server, config, now } = this.#deps;
    const isMachine = config.grant === "client_credentials";
    const refreshToken = isMachine ? undefined : grant.tokens?.refreshToken;
    const parameters = isMachine
      ? { grant_type: "client_credentials", scope: grant.scopes.join(" ") || undefined }
      : { grant_type: "refresh_token", refresh_token: refreshToken };
    const configured = toConfiguredClient(config, [grant.client.method]);
    const client = configured?.clientId === grant.client.clientId ? configured : grant.client;
    const answer = await requestTokens({ server, send: this.#send, now }, grant, client, parameters, signal);
    if ("accessToken" in answer) return toGrant(grant, answer, refreshToken);
    if (answer.error === "invalid_client") await forgetClient({ ...this.#deps, send: this.#send }, grant.issuer);
    return answer;
  }

  /**
   * Gets the first token for the client itself.
   *
   * @param target The authorization server and the resource.
   * @param scopes What to ask for.
   * @param signal Ends the request.
   * @returns What is granted.
   * @throws {MCPError} If nothing is (`auth_failed`).
   */
  async grantToClient(target: AuthTarget, scopes: readonly string[], signal: AbortSignal): Promise<Grant> {
    const { server, config } = this.#deps;
    const { metadata: { issuer, tokenEndpoint, authMethods }, resource } = target;
    const client = toConfiguredClient(config, authMethods);
    if (client === undefined) throw toAuthError(server, 'no "clientId" is configured');
    const { clientId, method } = client;
    const base = { issuer, tokenEndpoint, resource, scopes, client: { clientId, method }, tokens: undefined };
    const answer = await this.renew(base, signal);
    if ("error" in answer) throw toAuthError(server, `the authorization server refused the client (${answer.error})`);
    return answer;
  }

  /**
   * Begins an authorization with a person.
   *
   * @param target The authorization server and the resource.
   * @param scopes What to ask for.
   * @param signal Ends a registration of the client.
   * @returns The URL to open.
   * @throws {MCPError} If the authorization server cannot be used for it (`auth_failed`).
   */
  async begin(target: AuthTarget, scopes: readonly string[], signal: AbortSignal): Promise<BegunFlow> {
    return await beginFlow({ ...this.#deps, send: this.#send, rules: this.#rules }, target, scopes, signal);
  }

  /**
   * Finishes an authorization with a person.
   *
   * @param callbackUrl The URL that the browser was sent back to.
   * @param signal Ends the exchange.
   * @throws {MCPError} If the answer is refused, or is a refusal (`auth_failed`).
   */
  async finish(callbackUrl: string | URL, signal: AbortSignal): Promise<void> {
    const { store, fetch, now, principal } = this.#deps;
    await finishAuthorization(callbackUrl, { store, fetch, now, principal, signal });
  }
}
