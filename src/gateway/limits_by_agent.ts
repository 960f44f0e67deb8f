/**
 * The limits of a configuration as the gateway takes them.
 *
 * @module
 */

import type { CallLimits } from "../limits/limits_config.ts";
import type { PortolanConfig } from "../server_config.ts";

/**
 * Collects the limits of a configuration.
 *
 * @param config The configuration.
 * @returns The limits by agent; those at the top of the configuration under `*`.
 */
export function limitsByAgent(config: PortolanConfig): Record<string, CallLimits> {
  const limits: Record<string, CallLimits> = Object.create(null);
  if (config.limits !== undefined) limits["*"] = config.limits;
  for (const [agent, { limits: own }] of Object.entries(config.agents)) if (own !== undefined) limits[agent] = own;
  return limits;
}
