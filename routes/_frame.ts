/**
 * What every answer of the gateway has, whatever is in it.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { noteAnswer } from "./_request_notes.ts";

/** What hono/secure-headers sets, but for what differs here: in one pass with the rest. */
const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ["cross-origin-resource-policy", "same-origin"],
  ["cross-origin-opener-policy", "same-origin"],
  ["origin-agent-cluster", "?1"],
  ["referrer-policy", "no-referrer"],
  // Hono's default speaks for subdomains too, which are not the gateway's.
  ["strict-transport-security", "max-age=15552000"],
  ["x-content-type-options", "nosniff"],
  ["x-dns-prefetch-control", "off"],
  ["x-download-options", "noopen"],
  ["x-frame-options", "SAMEORIGIN"],
  ["x-permitted-cross-domain-policies", "none"],
  ["x-xss-protection", "0"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
];

/** The ids that callers may give their requests. */
const REQUEST_ID = /^[\w\-=]{1,64}$/;

/**
 * Gives each request an id, its caller's where that is one, and each answer the headers that all have, counts it, and
 * notes it where somebody wants to be told. Each middleware of its own would cost every call a few microseconds.
 *
 * @param deps The collaborators.
 * @returns The middleware; the outermost.
 */
export function frame(deps: RouteDeps): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    const requestId = readRequestId(c);
    c.set("requestId", requestId);
    const noted = deps.requests?.begin(requestId);
    await next();
    const { headers } = c.res;
    headers.set("x-request-id", requestId);
    const isPage = headers.has("content-security-policy");
    for (const [name, value] of HEADERS) {
      // A page says itself what it may load, and its forms have to name their origin.
      if (!isPage || !headers.has(name)) headers.set(name, value);
    }
    // What has an entity tag may be kept, to be asked about.
    if (!headers.has("etag")) headers.set("cache-control", "no-store");
    noteAnswer(deps, noted, c);
  };
}

function readRequestId(c: Context<GatewayEnv>): string {
  const given = c.req.header("x-request-id");
  return given !== undefined && REQUEST_ID.test(given) ? given : crypto.randomUUID();
}
