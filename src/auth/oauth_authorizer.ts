/**
 * The tokens of one server and principal by OAuth 2.1: kept, renewed once for all who wait, and asked for anew.
 *
 * @module
 */

import { delay } from "@std/async";
import { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import { Breaker } from "../resilience/breaker.ts";
import { SharedTask } from "../shared_task.ts";
import type { ResolvedAuth } from "./auth_config.ts";
import type { AuthAddress, AuthStore } from "./auth_store.ts";
import { AuthorizationRequiredError } from "./authorization_required_error.ts";
import { type AuthEvent, type Authorizer, type Refusal, toBearer } from "./authorizer.ts";
import { type BearerChallenge, parseBearerChallenge } from "./bearer_challenge.ts";
import { GrantKeeper } from "./grant_keeper.ts";
import { toAuthError } from "./oauth_errors.ts";
import type { OAuthFlow } from "./oauth_flow.ts";
import type { Grant } from "./oauth_records.ts";
import { parseScope } from "./scopes.ts";

/** What an {@linkcode OAuthAuthorizer} works with. */
export interface OAuthAuthorizerDeps {
  /** The configured name of the server. */
  readonly server: string;
  /** Its endpoint. */
  readonly serverUrl: URL;
  /** Whose tokens they are: the agent's name. */
  readonly principal: string;
  /** What is configured under `auth`. */
  readonly config: ResolvedAuth;
  /** Where everything is kept that another isolate needs. */
  readonly store: AuthStore;
  /** The `fetch` underneath. */
  readonly fetch: typeof fetch;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Told what happens to the tokens. */
  readonly onEvent?: ((event: AuthEvent) => void) | undefined;
  /**
   * Opens the authorization URL for a person, and resolves to the URL that their browser is sent back to. Without it,
   * who waits is told with an `AuthorizationRequiredError`.
   */
  readonly onAuthorize?: ((url: string, signal: AbortSignal) => Promise<string | URL>) | undefined;
}

/** What is wanted instead of a refused token. */
interface Need {
  readonly challenge: BearerChallenge;
  readonly isStepUp: boolean;
  readonly used: string | undefined;
  readonly round: number;
}

/** The steps without a person may take this long, in milliseconds; a lease outlasts them. */
const RENEW_TIMEOUT_MS = 12_000;
const LEASE_MS = 15_000;
/** A person may take this long, in milliseconds. */
const PERSON_TIMEOUT_MS = 600_000;
/** How often a request is sent again for want of a better token. */
const MAX_ROUNDS = 3;
/** The pauses between looks at another isolate's work, in milliseconds. */
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 500;
/** For how long an early renewal that failed is not tried again, in milliseconds. */
const EARLY_RETRY_MS = 5_000;
/** For how long a token that was refused as soon as it was had is not replaced, in milliseconds. */
const FUTILE_MS = 5_000;
/** After how many failures in a row, that might pass, the authorization server is left alone for a while. */
const MAX_FAILURES = 3;
/** One that was given less time than this is not out of order for having taken longer, in milliseconds. */
const PATIENCE_MS = 3_000;

/** Gets the tokens of one server for one principal. Nothing is loaded or sent before a token is needed. */
export class OAuthAuthorizer implements Authorizer {
  readonly #deps: OAuthAuthorizerDeps;
  readonly #owner: readonly string[];
  readonly #keeper: GrantKeeper;
  readonly #flights = new Map<string, SharedTask<boolean>>();
  #tail: Promise<unknown> = Promise.resolve();
  #flow: Promise<OAuthFlow> | undefined;
  /** The last token that was had here, and whether it was granted anew rather than refreshed. */
  #latest: { readonly header: string | undefined; readonly isNew: boolean } | undefined;
  #retryEarlyAtMs = 0;
  readonly #breaker: Breaker;
  /** The token that was refused as soon as it was had: another one would be too. */
  #futile: { readonly header: string; readonly untilMs: number } | undefined;

  /**
   * Creates an authorizer.
   *
   * @param deps What it works with.
   */
  constructor(deps: OAuthAuthorizerDeps) {
    const { server, serverUrl, principal, config, store, now } = deps;
    const client = config.clientId ?? config.clientMetadataUrl ?? "";
    this.#deps = deps;
    this.#owner = [server, serverUrl.origin + serverUrl.pathname, principal, config.grant, client];
    this.#keeper = new GrantKeeper({ store, address: this.#address, now });
    this.#breaker = new Breaker({ threshold: MAX_FAILURES, now, random: Math.random });
  }

  /**
   * The token at hand; one that ends soon is renewed first, where that needs no person.
   *
   * @param signal Ends the wait.
   * @returns The value of the `authorization` header, or `undefined` where there is none yet.
   * @throws {MCPError} If the token has ended and the authorization server is out of order (`auth_failed`).
   */
  async authorize(signal: AbortSignal): Promise<string | undefined> {
    if (!this.#keeper.isFresh) await this.#share("fresh", signal, (deadline) => this.#freshen(deadline));
    return toHeader(this.#keeper.usable);
  }

  /**
   * Gets another token: the one that somebody else has got meanwhile, a refreshed one, or one that is asked for anew.
   *
   * @param refusal What was refused, and why.
   * @param signal Ends the wait.
   * @returns Whether there is another token now.
   * @throws {AuthorizationRequiredError} If a person has to authorize first (`authorization_required`).
   * @throws {MCPError} If no token can be had (`auth_failed`), or none with more scopes (`forbidden`).
   */
  async refused(refusal: Refusal, signal: AbortSignal): Promise<boolean> {
    const { status, used, round } = refusal;
    const challenge = parseBearerChallenge(refusal.challenge);
    const isStepUp = status === 403 && challenge.error === "insufficient_scope";
    if (status !== 401 && !isStepUp) return false;
    if (round >= MAX_ROUNDS) {
      if (!isStepUp) return false;
      const { server } = this.#deps;
      const message = `Cannot use server "${server}" as it wants other scopes still after ${round} rounds`;
      throw new MCPError("forbidden", message, { server, httpStatus: status });
    }
    // A server may word every refusal anew: what counts is what it wants.
    const key = JSON.stringify([status, used, challenge, round]);
    return await this.#share(key, signal, (deadline) => this.#renew({ challenge, isStepUp, used, round }, deadline));
  }

  get #address(): AuthAddress {
    return { kind: "grant", parts: this.#owner };
  }

  /** One flight for all who need the same. */
  async #share(key: string, signal: AbortSignal, work: (deadline: Deadline) => Promise<boolean>): Promise<boolean> {
    const task = this.#flights.get(key) ?? new SharedTask(work);
    this.#flights.set(key, task);
    using patience = new Deadline(Infinity, { signal });
    try {
      return await task.join(patience, PERSON_TIMEOUT_MS);
    } finally {
      if (!task.running && this.#flights.get(key) === task) this.#flights.delete(key);
    }
  }

  /** Loads the token that is kept, and renews it early where that needs no person. */
  async #freshen(deadline: Deadline): Promise<boolean> {
    await this.#keeper.load();
    const { grant } = this.#keeper;
    if (this.#keeper.isFresh || grant === undefined || !this.#canRenew(grant)) return true;
    const isUsable = this.#keeper.usable !== undefined;
    if (isUsable && this.#deps.now() < this.#retryEarlyAtMs) return true;
    try {
      return await this.#alone(deadline, () => this.#keeper.isFresh, async (signal) => {
        const kept = this.#keeper.grant;
        return kept !== undefined && this.#canRenew(kept) && await this.#refresh(kept, signal);
      });
    } catch (error) {
      this.#retryEarlyAtMs = this.#deps.now() + EARLY_RETRY_MS;
      // Where the endpoint is no longer what it was, the server's refusal leads to the new one.
      if (isMCPError(error) && (isUsable || !error.retryable)) return false;
      throw error;
    }
  }

  async #renew(need: Need, deadline: Deadline): Promise<boolean> {
    const wanted = need.isStepUp ? parseScope(need.challenge.scope) : [];
    const isReplaced = () => {
      const usable = this.#keeper.usable;
      return usable !== undefined && toHeader(usable) !== need.used &&
        wanted.every((one) => usable.scopes.includes(one));
    };
    if (isReplaced()) return true;
    const outcome = await this.#alone(deadline, isReplaced, (signal) => this.#replace(need, wanted, signal));
    if (typeof outcome === "boolean") return outcome;
    return await this.#askPerson(outcome, deadline);
  }

  /** Gets another token in place of the one that was refused, or begins to ask a person for it. */
  async #replace(need: Need, wanted: readonly string[], signal: AbortSignal) {
    const { config } = this.#deps;
    const isLatest = this.#isLatest(need);
    if (!need.isStepUp && isLatest && this.#latest?.isNew === true) return false;
    const flow = await this.#load();
    const before = this.#keeper.grant;
    const target = await flow.discover(need.challenge, before, signal);
    const { issuer, tokenEndpoint } = target.metadata;
    // Nothing of one authorization server is ever sent to another.
    const kept = before?.issuer === issuer ? { ...before, tokenEndpoint } : undefined;
    const scopes = flow.chooseScopes(target, need.challenge, kept);
    if (need.isStepUp) {
      // To ask for the same once more would give the same.
      if (kept !== undefined && wanted.every((scope) => kept.scopes.includes(scope))) return false;
    } else {
      const canRefresh = kept?.tokens?.refreshToken !== undefined && config.grant === "authorization_code";
      if (canRefresh && !isLatest && await this.#refreshOrAsk(kept, signal)) return true;
    }
    if (config.grant === "authorization_code") return await flow.begin(target, scopes, signal);
    const grant = await flow.grantToClient(target, scopes, signal);
    await this.#adopt(grant, true);
    return true;
  }

  async #askPerson(
    begun: { readonly url: string; readonly expiresAtMs: number },
    deadline: Deadline,
  ): Promise<boolean> {
    const { server, onAuthorize } = this.#deps;
    const { url, expiresAtMs } = begun;
    this.#tell("authorization_required");
    if (onAuthorize === undefined) throw new AuthorizationRequiredError({ server, authorizationUrl: url, expiresAtMs });
    const callbackUrl = await this.#openForPerson(onAuthorize, url, deadline);
    await (await this.#load()).finish(callbackUrl, deadline.signal);
    await this.#keeper.load();
    this.#latest = { header: toHeader(this.#keeper.usable), isNew: true };
    this.#tell("authorized");
    return this.#keeper.usable !== undefined;
  }

  async #openForPerson(
    open: (url: string, signal: AbortSignal) => Promise<string | URL>,
    url: string,
    deadline: Deadline,
  ): Promise<string | URL> {
    const { server } = this.#deps;
    try {
      return await deadline.race(open(url, deadline.signal));
    } catch (cause) {
      if (deadline.cancelled || isMCPError(cause)) throw cause;
      if (deadline.passed) throw toAuthError(server, `nobody authorized within ${PERSON_TIMEOUT_MS} ms`);
      throw toAuthError(server, '"onAuthorize" failed', { cause });
    }
  }

  /** Whether a token was refused that was had only just: for this very request, or for one a moment ago. */
  #isLatest({ used, round }: Need): boolean {
    if (used === undefined || used !== this.#latest?.header) return false;
    const nowMs = this.#deps.now();
    if (round > 0) this.#futile = { header: used, untilMs: nowMs + FUTILE_MS };
    return this.#futile?.header === used && nowMs < this.#futile.untilMs;
  }

  /** Whether the next token needs no person. An authorization server that is listed no longer is asked for nothing. */
  #canRenew({ tokens, issuer }: Grant): boolean {
    const { grant, issuers } = this.#deps.config;
    if (tokens === undefined || (issuers.length > 0 && !issuers.includes(issuer))) return false;
    return grant === "client_credentials" || tokens.refreshToken !== undefined;
  }

  /** As `#refresh()`; an authorization server that refuses in words of its own leaves the person to ask. */
  async #refreshOrAsk(grant: Grant, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#refresh(grant, signal);
    } catch (error) {
      if (isMCPError(error) && !error.retryable && error.httpStatus !== undefined) return false;
      throw error;
    }
  }

  async #refresh(grant: Grant, signal: AbortSignal): Promise<boolean> {
    const answer = await (await this.#load()).renew(grant, signal);
    if (!("error" in answer)) {
      await this.#adopt(answer, false);
      return true;
    }
    // A scope that is gone would be asked for again and again.
    const scopes = answer.error === "invalid_scope" ? [] : grant.scopes;
    await this.#keeper.save({ ...grant, scopes, tokens: undefined });
    // Another isolate that was faster has made ours useless, and saved its own.
    const { usable } = this.#keeper;
    return usable !== undefined && usable.tokens?.accessToken !== grant.tokens?.accessToken;
  }

  async #adopt(grant: Grant, isNew: boolean): Promise<void> {
    await this.#keeper.save(grant);
    this.#latest = { header: toHeader(this.#keeper.usable), isNew };
    this.#tell(isNew ? "authorized" : "token_renewed");
  }

  /** Works while nobody else does, in this isolate and in others, unless it has become needless meanwhile. */
  async #alone<T>(
    deadline: Deadline,
    isDone: () => boolean,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | true> {
    const { store, server } = this.#deps;
    const turn = Promise.withResolvers<void>();
    const before = this.#tail;
    this.#tail = before.then(() => turn.promise);
    using inner = new Deadline(RENEW_TIMEOUT_MS, { parent: deadline });
    try {
      await inner.race(before);
      for (let pauseMs = FIRST_PAUSE_MS;; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
        const release = await store.lease(this.#owner, LEASE_MS);
        try {
          await this.#keeper.load();
          if (isDone()) return true;
          if (release !== undefined) return await this.#ask(work, inner);
        } finally {
          await release?.();
        }
        await delay(pauseMs, { signal: inner.signal });
      }
    } catch (error) {
      if (!inner.passed || isMCPError(error)) throw error;
      throw toAuthError(server, `no token came within ${RENEW_TIMEOUT_MS} ms`, { retryable: true });
    } finally {
      turn.resolve();
    }
  }

  /** Works, unless the authorization server kept failing: every call would wait for it, and it for every call. */
  async #ask<T>(work: (signal: AbortSignal) => Promise<T>, inner: Deadline): Promise<T> {
    const pass = this.#breaker.enter();
    if (pass === undefined) {
      const retryAfterMs = Math.max(1, Math.ceil(this.#breaker.waitMs));
      const why = `no token could be had several times: it is tried again in ${retryAfterMs} ms`;
      throw toAuthError(this.#deps.server, why, { retryable: true, retryAfterMs });
    }
    try {
      const outcome = await work(inner.signal);
      pass.succeed();
      return outcome;
    } catch (error) {
      const isSlow = inner.passed && RENEW_TIMEOUT_MS - inner.remainingMs >= PATIENCE_MS;
      if (isMCPError(error) ? error.retryable : isSlow) pass.fail();
      else if (isMCPError(error)) pass.succeed();
      else pass.withdraw();
      throw error;
    }
  }

  #load(): Promise<OAuthFlow> {
    return this.#flow ??= import("./oauth_flow.ts").then(({ OAuthFlow }) =>
      new OAuthFlow({ ...this.#deps, owner: this.#owner })
    );
  }

  #tell(type: AuthEvent["type"]): void {
    const { server, principal, onEvent } = this.#deps;
    try {
      onEvent?.({ type, server, principal });
    } catch {
      // A listener that throws must not fail the request that the event is about.
    }
  }
}

function toHeader(grant: Grant | undefined): string | undefined {
  return grant?.tokens === undefined ? undefined : toBearer(grant.tokens.accessToken);
}
