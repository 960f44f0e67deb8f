/**
 * What the gateway says of itself to those who want a token for it.
 *
 * @module
 */

import { Hono } from "hono";
import { isAgentName, METADATA_PATH, toResourceMetadata } from "../src/callers/protected_resource.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { toPathNotFound } from "../src/gateway/request_error.ts";

/**
 * `GET /.well-known/oauth-protected-resource` for the whole gateway, and below it for the MCP endpoint of each agent
 * (RFC 9728). They need no key and tell of no agent whether there is one. Where no tokens are taken they are not there.
 *
 * @param deps The collaborators.
 * @returns The routes.
 */
export function protectedResourceRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get(METADATA_PATH, (c) => {
      const { resource } = deps.callers;
      if (resource === undefined) throw toPathNotFound();
      return c.json(toResourceMetadata(resource, new URL(c.req.url), undefined));
    })
    .get(`${METADATA_PATH}/agents/:agent/mcp`, (c) => {
      const agent = c.req.param("agent");
      const { resource } = deps.callers;
      if (resource === undefined || !isAgentName(agent)) throw toPathNotFound();
      return c.json(toResourceMetadata(resource, new URL(c.req.url), agent));
    });
}
