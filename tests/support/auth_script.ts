/**
 * An authorization server by script, for tests of what a real one never does.
 *
 * @module
 */

import type { LiveToken } from "./auth_server.ts";

/** An answer, or `undefined` for the usual one. */
type Answer = Response | undefined;

/** What it does differently. */
export interface ScriptedAuthOptions {
  /** Replaces its metadata; `undefined`: it has none there. */
  readonly metadata?: (metadata: Record<string, unknown>, path: string) => Record<string, unknown> | undefined;
  /** Replaces what the browser is sent back with. */
  readonly callback?: (parameters: URLSearchParams) => URLSearchParams;
  /** Replaces the answer of the token endpoint. */
  readonly token?: (form: URLSearchParams, answer: Record<string, unknown>) => Answer | Promise<Answer>;
  /** Replaces the answer to a registration. */
  readonly register?: (answer: Record<string, unknown>) => Record<string, unknown> | Response;
}

/** A running one. */
export interface ScriptedAuthServer extends AsyncDisposable {
  /** Its issuer. */
  readonly issuer: string;
  /** The paths that were asked for, in order. */
  readonly paths: readonly string[];
  /** The forms that came to the token endpoint. */
  readonly forms: readonly URLSearchParams[];
  /** What it gave away. */
  readonly tokens: ReadonlyMap<string, LiveToken>;
  /** How many requests came. */
  count(path: string): number;
  /** Looks a token up. */
  find(token: string): LiveToken | undefined;
  /** Takes all access tokens back. */
  revoke(): void;
}

/** Starts one on a free port of loopback. */
export function startScriptedAuthServer(options: ScriptedAuthOptions = {}): ScriptedAuthServer {
  const { metadata = (same) => same, callback = (same) => same, register = (same) => same } = options;
  const paths: string[] = [];
  const forms: URLSearchParams[] = [];
  const tokens = new Map<string, LiveToken>();
  let given = 0;

  const giveTokens = async (form: URLSearchParams): Promise<Response> => {
    forms.push(form);
    const access = `access-canary-${++given}`;
    const answer = {
      access_token: access,
      token_type: "Bearer",
      expires_in: 3_600,
      refresh_token: `refresh-canary-${given}`,
    };
    const other = await options.token?.(form, answer);
    if (other !== undefined) return other;
    tokens.set(access, { audience: form.get("resource") ?? undefined, scopes: (form.get("scope") ?? "").split(" ") });
    return Response.json(answer);
  };

  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, origin, searchParams } = new URL(request.url);
    paths.push(pathname);
    if (pathname.includes("/.well-known/")) {
      const known = metadata({
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        registration_endpoint: `${origin}/register`,
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["none"],
      }, pathname);
      return known === undefined ? new Response(null, { status: 404 }) : Response.json(known);
    }
    if (pathname === "/register") {
      const answer = register({ client_id: `client of ${origin}` });
      return answer instanceof Response ? answer : Response.json(answer, { status: 201 });
    }
    if (pathname === "/authorize") {
      const back = callback(new URLSearchParams({ code: "code-canary", state: searchParams.get("state") ?? "" }));
      return new Response(null, { status: 302, headers: { location: `${searchParams.get("redirect_uri")}?${back}` } });
    }
    if (pathname === "/token") return await giveTokens(new URLSearchParams(await request.text()));
    return new Response(null, { status: 404 });
  });

  return {
    issuer: `http://127.0.0.1:${server.addr.port}`,
    paths,
    forms,
    tokens,
    count: (path) => paths.filter((one) => one === path).length,
    find: (token) => tokens.get(token),
    revoke: () => tokens.clear(),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
