/**
 * A gateway as the demo serves it: manager, gateway and HTTP server over a borrowed route store.
 *
 * @module
 */

import { deadline } from "@std/async";
import { MCPClientManager, type PortolanConfig, type RouteStore } from "../../mod.ts";
import { createGateway } from "../../routes/mod.ts";

/** A running gateway. Disposing ends it within a few seconds, whatever its servers do. */
export interface DemoGateway extends AsyncDisposable {
  /** Where it serves. */
  readonly origin: string;
  /** Its agents. */
  readonly manager: MCPClientManager;
}

/** Where the gateway listens. */
export const HOSTNAME = "127.0.0.1";
/** How long each step of a stop may take, in milliseconds. */
const STOP_TIMEOUT_MS = 1_000;

/** Serves a gateway on loopback, without keys; no server is asked yet. */
export async function serveGateway(config: PortolanConfig, store: RouteStore, port: number): Promise<DemoGateway> {
  await using starting = new AsyncDisposableStack();
  const manager = new MCPClientManager(config, { store });
  starting.defer(() => within(manager.close()));
  const gateway = createGateway({ directory: manager }, { open: "loopback" });
  const http = Deno.serve({ hostname: HOSTNAME, port, onListen() {} }, gateway.fetch);
  starting.defer(async () => {
    await gateway.drain({ graceMs: STOP_TIMEOUT_MS });
    await within(http.shutdown());
  });
  const running = starting.move();
  return {
    origin: `http://${HOSTNAME}:${http.addr.port}`,
    manager,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Waits for a step of the stop, though not for ever. */
async function within(step: Promise<void>): Promise<void> {
  await deadline(step, STOP_TIMEOUT_MS).catch(() => {});
}
