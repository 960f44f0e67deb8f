/**
 * The only way out to an authorization server: every URL checked, every answer capped, every wait bounded.
 *
 * @module
 */

import { readTextWithin } from "../connection/body_reader.ts";
import { Deadline } from "../deadline.ts";
import { isMCPError, type MCPError } from "../errors.ts";
import { whyNeverSent } from "../network_errors.ts";
import { toOnceBody } from "../once_body.ts";
import { type JsonObject, parseJsonObject } from "../protocol.ts";
import { type AddressRules, checkAuthUrl } from "./auth_address.ts";
import { toAuthError } from "./oauth_errors.ts";

/** One request to an authorization server, or for the metadata of a resource. */
export interface AuthRequest {
  /** Where to, as a server named it. */
  readonly url: string;
  /** The body; with one it is a POST, which is sent at most once and follows no redirect. */
  readonly body?: string | undefined;
  /** Headers besides `accept`, their names in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Ends the request. */
  readonly signal: AbortSignal;
}

/** An answer. */
export interface AuthAnswer {
  /** The HTTP status; a redirect that was not followed is one too. */
  readonly status: number;
  /** The body, where it is a JSON object. */
  readonly json: JsonObject | undefined;
}

/** Sends one request; rejects with an `MCPError` with the code `auth_failed`, or with the caller's reason. */
export type AuthFetch = (request: AuthRequest) => Promise<AuthAnswer>;

/** For whom requests are sent, and by which rules. */
export interface AuthFetchOptions {
  /** The configured name of the MCP server. */
  readonly server: string;
  /** Which addresses may be asked. */
  readonly rules: AddressRules;
  /** The `fetch` underneath. */
  readonly fetch: typeof fetch;
  /** The longest that one request may take, in milliseconds. @default {10_000} */
  readonly timeoutMs?: number | undefined;
}

const MAX_BODY_BYTES = 262_144;
const MAX_REDIRECTS = 2;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Makes the way out.
 *
 * @param options For whom, and by which rules.
 * @returns A function that sends one request.
 */
export function createAuthFetch(options: AuthFetchOptions): AuthFetch {
  const { server, rules, fetch: sendOut, timeoutMs = 10_000 } = options;

  const send = async (request: AuthRequest, signal: AbortSignal): Promise<AuthAnswer> => {
    const { body, headers } = request;
    let url = checkAuthUrl(request.url, rules);
    for (let redirects = 0;; redirects++) {
      if (typeof url === "string") throw toAuthError(server, url);
      const response = await sendOut(url, {
        method: body === undefined ? "GET" : "POST",
        headers: { accept: "application/json", ...headers },
        signal,
        redirect: "manual",
        ...(body === undefined ? {} : { body: toOnceBody(body) }),
      });
      const location = response.headers.get("location");
      const isFollowed = body === undefined && REDIRECTS.has(response.status) && redirects < MAX_REDIRECTS;
      const next: URL | null = isFollowed && location !== null ? URL.parse(location, url) : null;
      if (next === null || next.origin !== url.origin) return await readAnswer(server, response);
      await response.body?.cancel();
      url = checkAuthUrl(next.href, rules);
    }
  };

  return async (request) => {
    using deadline = new Deadline(timeoutMs, { signal: request.signal });
    try {
      return await send(request, deadline.signal);
    } catch (error) {
      if (isMCPError(error)) throw error;
      // Its time may have passed too, which is not ours to tell.
      if (request.signal.aborted) throw request.signal.reason;
      if (deadline.passed) throw unavailable(server, `the authorization server did not answer within ${timeoutMs} ms`);
      const reason = whyNeverSent(error) ?? "the connection broke before the answer";
      throw unavailable(server, `the authorization server cannot be reached: ${reason}`);
    }
  };
}

async function readAnswer(server: string, response: Response): Promise<AuthAnswer> {
  const { status, body } = response;
  if (body === null) return { status, json: undefined };
  const text = await readTextWithin(response, body, MAX_BODY_BYTES);
  if (text === undefined) throw toAuthError(server, "the authorization server's answer is too large");
  return { status, json: parseJsonObject(text) };
}

function unavailable(server: string, why: string): MCPError {
  return toAuthError(server, why, { retryable: true });
}
