/**
 * How another configuration is taken.
 *
 * @module
 */

import type { RequestOptions } from "./tool_client.ts";

/**
 * How another configuration is taken. `timeoutMs` is the longest that each new or changed server may take to be connected
 * to before the switch (10 s where nobody says); a `signal` that aborts before the switch leaves everything as it was.
 *
 * @example
 * ```ts
 * import { type ApplyConfigOptions, MCPClientManager } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using manager = new MCPClientManager();
 * const options: ApplyConfigOptions = { connect: false, graceMs: 5_000 };
 * const servers = { files: { url: "http://localhost:9/mcp" } };
 * await manager.applyConfig({ agents: { Kairos: { servers } } }, options);
 * assertEquals(manager.agents, ["Kairos"]);
 * ```
 */
export interface ApplyConfigOptions extends RequestOptions {
  /** Whether new and changed servers are connected to before the switch; else with the first call. @default {true} */
  readonly connect?: boolean | undefined;
  /**
   * How long calls under way at servers that are no more, or are others now, may go on, in milliseconds; then they end
   * with `closed`. @default {60_000}
   */
  readonly graceMs?: number | undefined;
}
