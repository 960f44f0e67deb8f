/** An agent as an MCP server, as its callers meet it: an endpoint, and a key. */

import { digestKey } from "@portolan/mcp/gateway";
import { type NorthboundOptions, startNorthbound } from "./northbound_support.ts";

/** An agent's endpoint. */
export interface AgentEndpoint extends AsyncDisposable {
  /** Its URL. */
  readonly url: string;
  /** The key that opens it. */
  readonly key: string;
}

/** Starts a gateway with one agent of these servers. */
export async function openAgentEndpoint(servers: NorthboundOptions["servers"]): Promise<AgentEndpoint> {
  const key = crypto.randomUUID();
  const { url, ...north } = startNorthbound({ servers, gateway: { keys: { Kairos: [await digestKey(key)] } } });
  return { url, key, [Symbol.asyncDispose]: () => north[Symbol.asyncDispose]() };
}
