/**
 * The routes of the MCP endpoint, for the gateway's document. What they carry is described by the MCP specification.
 *
 * @module
 */

import type { GatewayRoute } from "./gateway_route.ts";

const AGENT = "/agents/:agent/mcp";
const METADATA = "/.well-known/oauth-protected-resource";
const SESSION = { parameters: ["McpSession"], tag: "mcp", path: AGENT } as const;

/** The routes. */
export const MCP_ROUTES: readonly GatewayRoute[] = [
  {
    ...SESSION,
    method: "post",
    id: "sendMcpMessage",
    summary: "The agent as one MCP server, versions 2024-11-05 to 2026-07-28 (Streamable HTTP)",
    body: { schema: "JsonRpcMessage", description: "One message of JSON-RPC.", required: true },
    answers: {
      200: {
        description: "The response to a request; every failure is a response of JSON-RPC with the request's id.",
        schema: "JsonRpcMessage",
        events: "Server-sent events: messages of JSON-RPC, the response last.",
      },
      202: { description: "A notification or a response was taken." },
    },
    isJsonRpc: true,
    problems: ["agent_not_found"],
  },
  {
    ...SESSION,
    method: "get",
    id: "openMcpStream",
    summary: "What an MCP session is told without asking; only for sessions",
    answers: {
      200: { description: "A stream.", events: "Server-sent events: messages of JSON-RPC." },
    },
    isJsonRpc: true,
    problems: ["agent_not_found", "method_not_allowed"],
  },
  {
    ...SESSION,
    method: "delete",
    id: "endMcpSession",
    summary: "Ends an MCP session",
    answers: { 204: { description: "It has ended." } },
    isJsonRpc: true,
    problems: ["agent_not_found", "method_not_allowed"],
  },
  {
    method: "get",
    path: METADATA,
    id: "getResourceMetadata",
    tag: "mcp",
    summary: "Where callers get tokens (RFC 9728); only where tokens are taken",
    isKeyless: true,
    answers: { 200: { description: "The metadata.", schema: "ResourceMetadata" } },
    problems: ["not_found"],
  },
  {
    method: "get",
    path: `${METADATA}/agents/:agent/mcp`,
    id: "getAgentResourceMetadata",
    tag: "mcp",
    summary: "Where callers get tokens for an agent, whether there is one of this name or not (RFC 9728)",
    isKeyless: true,
    answers: { 200: { description: "The metadata.", schema: "ResourceMetadata" } },
    problems: ["not_found"],
  },
];
