/**
 * Finishes an authorization with a person, in any isolate that shares the store.
 *
 * @module
 */

import { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import { defaultFetch } from "../guarded_fetch.ts";
import { createAuthFetch } from "./auth_fetch.ts";
import type { AuthItem, AuthStore } from "./auth_store.ts";
import { toAuthError, toOAuthErrorCode } from "./oauth_errors.ts";
import {
  FLOW_TTL_MS,
  type Grant,
  GRANT_TTL_MS,
  type PendingFlow,
  readFlow,
  toFlowAddress,
  toGrant,
  toStateAddress,
  writeGrant,
} from "./oauth_records.ts";
import { requestTokens } from "./token_endpoint.ts";

/** What finishing needs. */
export interface FinishAuthorizationDeps {
  /** The store that the flow was begun with. */
  readonly store: AuthStore;
  /** The `fetch` underneath. @default {globalThis.fetch} */
  readonly fetch?: typeof fetch | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
  /** Ends the exchange. */
  readonly signal?: AbortSignal | undefined;
  /** Whose flow it has to be; without it, anybody's. */
  readonly principal?: string | undefined;
}

/**
 * Whose tokens have come.
 *
 * @example What a route for the redirect URL answers
 * ```ts
 * import { type FinishedAuthorization, MCPClientManager, MCPError } from "@portolan/mcp";
 * import { assertRejects } from "@std/assert";
 *
 * async function onCallback(manager: MCPClientManager, request: Request): Promise<Response> {
 *   const { server, principal }: FinishedAuthorization = await manager.finishAuthorization(request.url);
 *   return new Response(`${principal} may use ${server} now`);
 * }
 * await using manager = new MCPClientManager();
 * const request = new Request("https://agents.example.com/oauth/callback?state=x&code=y");
 * await assertRejects(() => onCallback(manager, request), MCPError, "state is not known");
 * ```
 */
export interface FinishedAuthorization {
  /** The configured name of the server. */
  readonly server: string;
  /** Whose tokens they are. */
  readonly principal: string;
}

const MAX_CALLBACK_LENGTH = 16_384;

/**
 * Finishes the authorization that a person's browser comes back from: checks whose answer it is, exchanges the code and
 * keeps the tokens. A state is good for one answer.
 *
 * @example What a route for the redirect URL does
 * ```ts
 * import { AuthStore } from "./auth_store.ts";
 * import { finishAuthorization } from "./finish_authorization.ts";
 * import { assertRejects } from "@std/assert";
 *
 * const deps = { store: new AuthStore() };
 * await assertRejects(() => finishAuthorization("/oauth/callback?state=x&code=y", deps), Error, "is not known");
 * ```
 *
 * @param callbackUrl The URL that the browser was sent back to, or its path and query.
 * @param deps What finishing needs.
 * @returns Whose tokens have come.
 * @throws {MCPError} If the answer is refused, or is a refusal (`auth_failed`); if the deadline passes that the signal is
 * of (`deadline_exceeded`).
 */
export async function finishAuthorization(
  callbackUrl: string | URL,
  deps: FinishAuthorizationDeps,
): Promise<FinishedAuthorization> {
  const { store, principal, signal = new AbortController().signal, now = Date.now } = deps;
  // Who has left already uses up no state.
  signal.throwIfAborted();
  const answer = readCallback(callbackUrl);
  const state = answer.get("state") ?? "";
  const item = await store.read(toStateAddress(state));
  if (item === undefined) throw toAuthError(undefined, "the store does not answer", { retryable: true });
  const flow = readFlow(item.value);
  if (flow === undefined || flow.expiresAtMs <= now() || (principal !== undefined && flow.principal !== principal)) {
    throw toAuthError(undefined, "its state is not known: it has expired, or was used, or was begun elsewhere");
  }
  await claim(store, state, item);
  // Whatever comes of it, the next one who has to authorize needs another URL.
  await store.remove(toFlowAddress({ ...flow, ...flow.grant }));
  const grant = await exchange(flow, answer, { ...deps, now, signal });
  const { server } = flow;
  const written = await store.write({ kind: "grant", parts: flow.owner }, writeGrant(grant), { ttlMs: GRANT_TTL_MS });
  if (written === undefined) throw toAuthError(server, "the store does not take the tokens: authorize again");
  return { server, principal: flow.principal };
}

function readCallback(callbackUrl: string | URL): URLSearchParams {
  const text = String(callbackUrl);
  const url = text.length <= MAX_CALLBACK_LENGTH ? URL.parse(text, "http://localhost") : null;
  if (url === null) throw toAuthError(undefined, "the callback is no URL");
  const { searchParams } = url;
  if (["state", "code", "iss", "error"].some((name) => searchParams.getAll(name).length > 1)) {
    throw toAuthError(undefined, "the callback has a parameter twice");
  }
  return searchParams;
}

/** Leaves a mark in place of the flow: of two who come with the same state, one finds that it has changed. */
async function claim(store: AuthStore, state: string, { version }: AuthItem): Promise<void> {
  const mark = await store.write(toStateAddress(state), { used: true }, { ttlMs: FLOW_TTL_MS, ifVersion: version });
  if (mark === undefined) throw toAuthError(undefined, "the store does not answer", { retryable: true });
  if (mark.value === undefined) throw toAuthError(undefined, "its state was used already");
}

async function exchange(
  flow: PendingFlow,
  answer: URLSearchParams,
  deps: FinishAuthorizationDeps & { readonly now: () => number; readonly signal: AbortSignal },
): Promise<Grant> {
  const { server, grant, client, redirectUrl, verifier, rules } = flow;
  // RFC 9207: before anything else of the answer is believed, its errors included.
  const issuer = answer.get("iss");
  if (issuer === null ? flow.namesItself : issuer !== grant.issuer) {
    throw toAuthError(server, "the answer is not from the authorization server that was asked");
  }
  const error = answer.get("error");
  if (error !== null) {
    const code = toOAuthErrorCode(error);
    throw toAuthError(server, `the authorization server refused${code === undefined ? "" : ` (${code})`}`);
  }
  const code = answer.get("code");
  if (code === null || code === "") throw toAuthError(server, "the answer holds no code");
  const send = createAuthFetch({ server, rules, fetch: deps.fetch ?? defaultFetch });
  const parameters = { grant_type: "authorization_code", code, redirect_uri: redirectUrl, code_verifier: verifier };
  const request = requestTokens({ server, send, now: deps.now }, grant, client, parameters, deps.signal);
  const tokens = await request.catch((error) => {
    throw toLast(error, server, deps.signal);
  });
  if ("error" in tokens) throw toAuthError(server, `the authorization server refused the code (${tokens.error})`);
  return toGrant(grant, tokens);
}

/** The state is used up, and the code perhaps too: what might pass for others does not for this answer. */
function toLast(error: unknown, server: string, signal: AbortSignal): unknown {
  using patience = new Deadline(Infinity, { signal });
  if (!isMCPError(error) && patience.passed) {
    const message = `Cannot authorize at server "${server}" as the deadline passed: authorize again`;
    return new MCPError("deadline_exceeded", message, { server });
  }
  if (!isMCPError(error) || !error.retryable) return error;
  const { code, message, httpStatus } = error;
  return new MCPError(code, `${message}: authorize again`, { server, httpStatus, cause: error });
}
