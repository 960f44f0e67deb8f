/**
 * A server that demands tokens, for tests: it answers every JSON-RPC request whose token is good for it.
 *
 * @module
 */

import type { LiveToken } from "./auth_server.ts";

/** What a resource server is to be like. */
export interface ResourceServerOptions {
  /** Looks a token up. */
  readonly find: (token: string) => Promise<LiveToken | undefined> | LiveToken | undefined;
  /** The issuers that its metadata names, told anew with every request. */
  readonly issuers: () => readonly string[];
  /** The scopes that a JSON-RPC method needs. @default {none} */
  readonly needs?: (method: string) => readonly string[];
  /** Replaces the metadata; `undefined`: there is none at that path. @default {at the path of the endpoint alone} */
  readonly metadata?: (metadata: Record<string, unknown>, path: string) => Record<string, unknown> | undefined;
  /** Replaces the challenge. */
  readonly challenge?: (challenge: string) => string | undefined;
  /** Answers what is asked for besides. */
  readonly besides?: (path: string, origin: string) => Response | undefined;
}

/** A request that came to the endpoint. */
export interface ResourceRequest {
  /** The JSON-RPC method. */
  readonly method: string;
  /** The `authorization` header. */
  readonly authorization: string | null;
  /** The status of the answer. */
  readonly status: number;
}

/** A running resource server. */
export interface TestResourceServer extends AsyncDisposable {
  /** The endpoint. */
  readonly url: URL;
  /** The requests that came to the endpoint. */
  readonly requests: readonly ResourceRequest[];
  /** The paths that were asked for, in order. */
  readonly paths: readonly string[];
}

/** Starts a resource server on a free port of loopback. */
export function startResourceServer(options: ResourceServerOptions): TestResourceServer {
  const { find, issuers, needs = () => [], challenge = (same) => same, besides } = options;
  const { metadata = (same, path) => path.endsWith("/mcp") ? same : undefined } = options;
  const requests: ResourceRequest[] = [];
  const paths: string[] = [];

  const refuse = (status: number, text: string) => {
    const header = challenge(text);
    return new Response(null, { status, headers: header === undefined ? {} : { "www-authenticate": header } });
  };

  const answer = async (request: Request, method: string, origin: string): Promise<Response> => {
    const where = `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
    const needed = needs(method);
    const scope = needed.length === 0 ? "" : `, scope="${needed.join(" ")}"`;
    const token = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    const live = token === undefined ? undefined : await find(token);
    if (live === undefined || (live.audience !== undefined && live.audience !== `${origin}/mcp`)) {
      return refuse(401, `Bearer ${where}${scope}`);
    }
    if (!needed.every((one) => live.scopes.includes(one))) {
      return refuse(403, `Bearer error="insufficient_scope", ${where}${scope}`);
    }
    return Response.json({ jsonrpc: "2.0", id: 1, result: {} });
  };

  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, origin } = new URL(request.url);
    paths.push(pathname);
    const known = pathname.startsWith("/.well-known/oauth-protected-resource")
      ? metadata({ resource: `${origin}/mcp`, authorization_servers: issuers() }, pathname)
      : undefined;
    if (known !== undefined) return Response.json(known);
    if (pathname !== "/mcp") return besides?.(pathname, origin) ?? new Response(null, { status: 404 });
    const method = String((await request.json()).method);
    const response = await answer(request, method, origin);
    requests.push({ method, authorization: request.headers.get("authorization"), status: response.status });
    return response;
  });

  return {
    url: new URL(`http://127.0.0.1:${server.addr.port}/mcp`),
    requests,
    paths,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
