/**
 * What Prometheus reads.
 *
 * @module
 */

import { Hono } from "hono";
import { visibleStatus } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";

/**
 * `GET /metrics`: what was counted for the agents that the key opens, and how they stand. No server is asked.
 *
 * @param deps The collaborators.
 * @returns The route.
 */
export function metricsRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get("/metrics", async (c) => {
      const { access } = c.var;
      const [{ writeMetricsPage }, { PROMETHEUS_TYPE }] = await Promise.all([
        import("../src/telemetry/metrics_page.ts"),
        import("../src/telemetry/prometheus_text.ts"),
      ]);
      const page = writeMetricsPage({
        metrics: deps.metrics,
        agents: visibleStatus(deps.directory, access),
        requests: access.isAdmin ? deps.load.requests : undefined,
      });
      return c.body(page, 200, { "content-type": PROMETHEUS_TYPE });
    });
}
