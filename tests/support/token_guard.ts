/**
 * Stands before a real MCP server, on loopback, and lets through what carries a good token: everything else is answered
 * with the challenge of a resource server (RFC 6750, RFC 9728).
 *
 * @module
 */

import { isJsonObject } from "../../src/protocol.ts";
import type { LiveToken } from "./auth_server.ts";
import { type RecordedRequest, Recorder } from "./recorder.ts";

/** What a guard is to be like. */
export interface TokenGuardOptions {
  /** Looks a token up. */
  readonly find: (token: string) => Promise<LiveToken | undefined> | LiveToken | undefined;
  /** The issuers that the metadata names, told anew with every request. @default {none} */
  readonly issuers?: () => readonly string[];
  /** The scopes that a request needs, by its JSON-RPC method and the name of the tool. @default {none} */
  readonly needs?: (method: string, tool: string | undefined) => readonly string[];
  /** Where the challenge says that the metadata is. @default {where it is} */
  readonly metadataUrl?: string;
  /** Answers in place of the server what carries a good token. */
  readonly instead?: (request: GuardedRequest) => Response | undefined;
}

/** A request that came to the guard, but for its metadata. */
export interface GuardedRequest {
  /** The JSON-RPC method, else the HTTP method. */
  readonly method: string;
  /** The path. */
  readonly path: string;
  /** The `authorization` header. */
  readonly authorization: string | null;
  /** The `mcp-session-id` header. */
  readonly session: string | null;
}

/** A running guard. */
export interface TokenGuard extends AsyncDisposable {
  /** The endpoint, of the same path as the server's. */
  readonly url: string;
  /** The requests for the endpoint, in the order of arrival. */
  readonly requests: readonly GuardedRequest[];
  /** What was answered, in order: `tools/call 401`. */
  readonly log: readonly string[];
  /** How often something was answered. */
  count(entry: string): number;
  /** Closes every socket. Idempotent. */
  stop(): Promise<void>;
}

/** Starts a guard on a free port of loopback. */
export function startTokenGuard(serverUrl: string, options: TokenGuardOptions): TokenGuard {
  const { find, issuers = () => [], needs = () => [], instead, metadataUrl } = options;
  const { origin: serverOrigin, pathname } = new URL(serverUrl);
  const recorder = new Recorder();
  const requests: GuardedRequest[] = [];
  const log: string[] = [];
  const stopping = new AbortController();

  const refuse = async (guarded: GuardedRequest, tool: string | undefined, origin: string) => {
    const where = `resource_metadata="${metadataUrl ?? `${origin}/.well-known/oauth-protected-resource${pathname}`}"`;
    const needed = needs(guarded.method, tool);
    const scope = needed.length === 0 ? "" : `, scope="${needed.join(" ")}"`;
    const token = /^Bearer (.+)$/.exec(guarded.authorization ?? "")?.[1];
    const live = token === undefined ? undefined : await find(token);
    if (live === undefined || (live.audience !== undefined && live.audience !== origin + pathname)) {
      return challenge(401, `Bearer ${where}${scope}`);
    }
    if (needed.every((one) => live.scopes.includes(one))) return undefined;
    return challenge(403, `Bearer error="insufficient_scope", ${where}${scope}`);
  };

  const forward = async ({ method, path, query, headers, body }: RecordedRequest, signal: AbortSignal) => {
    headers.delete("host");
    headers.delete("content-length");
    headers.delete("authorization");
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    signal.addEventListener("abort", leave, { once: true });
    try {
      const text = body === undefined ? null : JSON.stringify(body);
      return await fetch(`${serverOrigin}${path}${query}`, { method, headers, body: text, signal: leaving.signal });
    } catch {
      return new Response(null, { status: 502 });
    } finally {
      // From here on a client that leaves cancels the body.
      signal.removeEventListener("abort", leave);
    }
  };

  const serverOptions = { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: stopping.signal };
  const server = Deno.serve(serverOptions, async (request) => {
    const recorded = await recorder.record(request);
    const { origin } = new URL(request.url);
    if (recorded.path.startsWith("/.well-known/")) {
      if (recorded.path !== `/.well-known/oauth-protected-resource${pathname}`) {
        return new Response(null, { status: 404 });
      }
      return Response.json({ resource: origin + pathname, authorization_servers: issuers() });
    }
    const { method: httpMethod, path, rpcMethod, headers, body } = recorded;
    const authorization = headers.get("authorization");
    const guarded = { method: rpcMethod ?? httpMethod, path, authorization, session: headers.get("mcp-session-id") };
    requests.push(guarded);
    const tool = isJsonObject(body) && isJsonObject(body.params) ? body.params.name : undefined;
    const refusal = await refuse(guarded, typeof tool === "string" ? tool : undefined, origin) ?? instead?.(guarded);
    const response = refusal ?? await forward(recorded, request.signal);
    log.push(`${guarded.method} ${response.status}`);
    return response;
  });

  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      stopping.abort();
      await server.finished;
    })();
  return {
    url: `http://127.0.0.1:${server.addr.port}${pathname}`,
    requests,
    log,
    count: (entry) => log.filter((one) => one === entry).length,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function challenge(status: number, text: string): Response {
  return new Response(null, { status, headers: { "www-authenticate": text } });
}
