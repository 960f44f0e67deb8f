/**
 * What is known of the agents, their servers and their tools. No server is asked.
 *
 * @module
 */

import { Hono } from "hono";
import { mayUse } from "../src/callers/access.ts";
import { openAgent } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";

/**
 * `GET /status` with every agent that the key opens, and `GET /agents/:agent/status`.
 *
 * @param deps The collaborators.
 * @returns The routes.
 */
export function statusRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get("/status", (c) => {
      const all = Object.entries(deps.directory.getStatusSummary());
      return c.json({ agents: Object.fromEntries(all.filter(([agent]) => mayUse(c.var.access, agent))) });
    })
    .get("/agents/:agent/status", (c) => {
      const client = openAgent(deps.directory, c.var.access, c.req.param("agent"));
      return c.json(client.getStatus());
    });
}
