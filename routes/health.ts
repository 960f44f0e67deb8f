/**
 * Whether the gateway is alive, and whether it can serve.
 *
 * @module
 */

import { Hono } from "hono";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";

/**
 * `GET /healthz` and `GET /readyz`. Servers that are down do not make the gateway unready: without traffic it would
 * not find out that they are back, and `/status` shows them.
 *
 * @param deps The collaborators.
 * @returns The routes.
 */
export function healthRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get("/healthz", (c) => c.json({ status: "alive" }))
    .get("/readyz", (c) => {
      const reasons = [
        ...(deps.inFlight.draining ? ["stopping"] : []),
        ...(deps.isStarting() ? ["starting"] : []),
      ];
      return reasons.length === 0 ? c.json({ status: "ready" }) : c.json({ status: "not_ready", reasons }, 503);
    });
}
