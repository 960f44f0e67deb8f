/**
 * A gateway over real agents, on a socket.
 *
 * @module
 */

import { MCPClientManager, type MCPClientManagerOptions, type PortolanConfig, type RouteStore } from "@portolan/mcp";
import { createGateway, digestKey, type GatewayOptions } from "@portolan/mcp/gateway";
import type { House } from "./_door.ts";

/** The key of the agent Kairos. */
export const KEY = "a-key-of-kairos";

/** A gateway that is served. */
export interface ServedHouse extends House, AsyncDisposable {
  /** Errors that nobody expected. */
  readonly internal: readonly unknown[];
}

/** Serves the agents of a configuration; Kairos has the key, every other agent one of its own. */
export async function openHouse(
  config: PortolanConfig,
  options: MCPClientManagerOptions = {},
  gatewayOptions: Partial<GatewayOptions> = {},
  store?: RouteStore,
): Promise<ServedHouse> {
  const manager = new MCPClientManager(config, options);
  const internal: unknown[] = [];
  const keys: Record<string, readonly string[]> = { Kairos: [await digestKey(KEY)] };
  for (const agent of manager.agents) keys[agent] ??= [await digestKey(`a-key-of-${agent}`)];
  const gateway = createGateway(
    { directory: manager, store, onInternalError: (error) => internal.push(error) },
    { keys, ...gatewayOptions },
  );
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
  return {
    manager,
    internal,
    key: KEY,
    origin: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await manager.close();
    },
  };
}
