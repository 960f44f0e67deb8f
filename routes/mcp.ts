/**
 * An agent as one MCP server.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { Authenticator } from "../src/callers/access.ts";
import { mayStillUse } from "../src/callers/authenticate_request.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { type EndpointCall, McpEndpoint } from "../src/northbound/endpoint.ts";

/**
 * `POST /agents/:agent/mcp` in both eras of MCP; `GET` and `DELETE` for sessions of the legacy era.
 *
 * @param deps The collaborators.
 * @param authenticator Asked from time to time whether those who listen still may.
 * @returns The routes.
 */
export function mcpRoutes(deps: RouteDeps, authenticator: Authenticator): Hono<GatewayEnv> {
  const endpoint = new McpEndpoint(deps);
  const toCall = (c: Context<GatewayEnv>, agent: string): EndpointCall => {
    const { req: { raw: request }, var: { access, requestId } } = c;
    const mayStill = async () => {
      return deps.directory.agents.includes(agent) && await mayStillUse(request, authenticator, agent);
    };
    return { request, agent, access, requestId, mayStill };
  };
  return new Hono<GatewayEnv>()
    .post("/agents/:agent/mcp", (c) => endpoint.post(toCall(c, c.req.param("agent"))))
    .get("/agents/:agent/mcp", (c) => endpoint.get(toCall(c, c.req.param("agent"))))
    .delete("/agents/:agent/mcp", (c) => endpoint.delete(toCall(c, c.req.param("agent"))));
}

/**
 * Whether a path is that of an agent's MCP endpoint: its errors are JSON-RPC.
 *
 * @param path The path of a request.
 * @returns Whether it is.
 */
export function isMcpPath(path: string): boolean {
  return /^\/agents\/[^/]+\/mcp$/.test(path);
}
