/**
 * Who owns a tool's name, why, and how fresh that is.
 *
 * @module
 */

import { Hono } from "hono";
import { openAgent } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";

/**
 * `GET /agents/:agent/routes/:tool`. The tool is not called.
 *
 * @param deps The collaborators.
 * @returns The route.
 */
export function toolRouteRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get("/agents/:agent/routes/:tool", async (c) => {
      const client = openAgent(deps.directory, c.var.access, c.req.param("agent"));
      const tool = c.req.param("tool");
      return c.json(await deps.inFlight.run(c.req.raw.signal, (signal) => client.routeTool(tool, { signal })));
    });
}
