/**
 * What happened lately.
 *
 * @module
 */

import { Hono } from "hono";
import { MAX_ACTIVITY_ENTRIES, toSeen } from "../src/gateway/activity.ts";
import { requireAgent } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { readCount } from "../src/gateway/read_values.ts";

const DEFAULT_ENTRIES = 100;

/**
 * `GET /activity`: the last calls, and what happened to the servers, newest first; of the agents that the key opens, or
 * of the one named by `?agent=`.
 *
 * @param deps The collaborators.
 * @returns The route.
 */
export function activityRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get("/activity", (c) => {
      const { access } = c.var;
      const agent = c.req.query("agent");
      if (agent !== undefined) requireAgent(deps.directory, access, agent);
      const limit = readCount("limit", c.req.query("limit"), DEFAULT_ENTRIES, MAX_ACTIVITY_ENTRIES);
      const entries = deps.activity.recent({ agents: access.agents, agent, limit });
      return c.json({ activity: entries.flatMap((entry) => toSeen(entry, access) ?? []) });
    });
}
