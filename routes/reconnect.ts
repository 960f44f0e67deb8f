/**
 * Connecting again by hand.
 *
 * @module
 */

import { Hono } from "hono";
import { openAgent } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { audited } from "./_audited.ts";

/**
 * `POST /agents/:agent/reconnect`: every server that is not connected, or the one named by `?server=`. Answers with
 * server → whether it is connected now.
 *
 * @param deps The collaborators.
 * @returns The route.
 */
export function reconnectRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .post("/agents/:agent/reconnect", async (c) => {
      const agent = c.req.param("agent");
      const client = openAgent(deps.directory, c.var.access, agent);
      const server = c.req.query("server");
      const connected = await audited(
        deps,
        c,
        { action: "reconnected", agent, server },
        () => deps.inFlight.run(c.req.raw.signal, (signal) => client.reconnect({ server, signal })),
      );
      return c.json(connected);
    });
}
