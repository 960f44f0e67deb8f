/**
 * What is known of the agents, their servers and their tools. No server is asked.
 *
 * @module
 */

import { Hono } from "hono";
import { openAgent, visibleStatus } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";

/**
 * `GET /status` with every agent that the key opens, and `GET /agents/:agent/status`.
 *
 * @param deps The collaborators.
 * @returns The routes.
 */
export function statusRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get("/status", (c) => c.json({ agents: visibleStatus(deps.directory, c.var.access) }))
    .get("/agents/:agent/status", (c) => {
      const client = openAgent(deps.directory, c.var.access, c.req.param("agent"));
      return c.json(client.getStatus());
    });
}
