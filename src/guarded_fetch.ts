/**
 * The only way out: one server's requests, with its credentials, to its own origin.
 *
 * @module
 */

import type { Authorizer } from "./auth/authorizer.ts";
import { isMCPError, MCPError } from "./errors.ts";
import { toOnceBody } from "./once_body.ts";
import type { Secret } from "./secrets.ts";

/** One request to a server. */
export interface GuardedRequest {
  /** The HTTP method. */
  readonly method: "GET" | "POST" | "DELETE";
  /** The headers of the protocol, their names in lower case; the server's credentials are added here, nowhere else. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body, sent at most once. */
  readonly body?: string | undefined;
  /** Ends the request and closes its socket. */
  readonly signal: AbortSignal;
  /** Where to, where it is not the configured URL; of the same origin. */
  readonly url?: URL | undefined;
}

/** Sends one request and resolves with the head of its answer, whatever the status. */
export type GuardedFetch = (request: GuardedRequest) => Promise<Response>;

/** Whose requests they are. */
export interface GuardedFetchOptions {
  /** The configured name of the server. */
  readonly server: string;
  /** Its endpoint. */
  readonly url: URL;
  /** Its credentials, for its own origin only. */
  readonly headers: Readonly<Record<string, Secret>>;
  /** Gets the tokens of its requests, where it has any. */
  readonly authorizer?: Authorizer | undefined;
  /** The `fetch` underneath. @default {globalThis.fetch} */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** How often one request is sent again because the server refused its token: nothing ran then. */
const MAX_AUTH_ROUNDS = 4;
const MAX_REDIRECTS = 3;
/** Redirects that keep method and body (RFC 9110, sections 15.4.8 and 15.4.9). */
const KEEPS_METHOD = new Set([307, 308]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** The runtime's own `fetch`, where a caller gives no other. */
export const defaultFetch: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init);

/**
 * Makes the one way out to a server.
 *
 * @param options Whose requests they are.
 * @returns A function that sends one request; it rejects with what `fetch` rejects with, or with an `MCPError` with the
 * code `redirect_refused`.
 */
export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const { server, url: endpoint, authorizer, fetch = defaultFetch } = options;
  // A plain record costs a third of what `Headers` do, and takes a name in two spellings for two headers.
  const own = Object.entries(options.headers).map(([name, secret]) => [name.toLowerCase(), secret] as const);

  const sendOnce = async (request: GuardedRequest, authorization: string | undefined): Promise<Response> => {
    let url = request.url ?? endpoint;
    for (let redirects = 0;; redirects++) {
      if (url.origin !== endpoint.origin) throw refused(server, "names another origin");
      const headers = { ...request.headers };
      for (const [name, secret] of own) headers[name] = secret.reveal();
      if (authorization !== undefined) headers.authorization = authorization;
      const response = await fetch(url, {
        method: request.method,
        headers,
        signal: request.signal,
        redirect: "manual",
        ...(request.body === undefined ? {} : { body: toOnceBody(request.body) }),
      });
      if (!REDIRECTS.has(response.status)) return response;
      const location = response.headers.get("location");
      await response.body?.cancel();
      if (location === null || !URL.canParse(location, url)) throw refused(server, "says not where to");
      if (redirects === MAX_REDIRECTS) throw refused(server, "goes round in circles");
      if (request.method !== "GET" && !KEEPS_METHOD.has(response.status)) {
        throw refused(server, `would change the method (HTTP ${response.status})`);
      }
      url = new URL(location, url);
    }
  };
  if (authorizer === undefined) return async (request) => await sendOnce(request, undefined);

  /** What an authorizer fails with is no failure of the network. */
  const ask = async <T>(signal: AbortSignal, question: Promise<T>): Promise<T> => {
    try {
      return await question;
    } catch (error) {
      if (isMCPError(error) || signal.aborted) throw error;
      throw new MCPError("auth_failed", `Cannot get a token for server "${server}" as something failed`, {
        server,
        cause: error,
      });
    }
  };

  return async (request) => {
    const { signal } = request;
    for (let round = 0;; round++) {
      const used = await ask(signal, authorizer.authorize(signal));
      const response = await sendOnce(request, used);
      const { status } = response;
      if ((status !== 401 && status !== 403) || round === MAX_AUTH_ROUNDS) return response;
      const challenge = response.headers.get("www-authenticate") ?? undefined;
      await response.body?.cancel();
      const isRenewed = await ask(signal, authorizer.refused({ status, challenge, used, round }, signal));
      if (!isRenewed) return new Response(null, { status, headers: response.headers });
    }
  };
}

function refused(server: string, why: string): MCPError {
  return new MCPError(
    "redirect_refused",
    `Cannot follow the redirect of server "${server}" as it ${why}: configure the URL it should lead to`,
    { server },
  );
}
