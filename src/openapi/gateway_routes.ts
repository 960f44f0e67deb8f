/**
 * Every route of the gateway, once: the index at `/` and the gateway's document follow from it.
 *
 * @module
 */

import type { ProblemCode } from "../gateway/problem.ts";
import { ADMIN_ROUTES } from "./admin_routes.ts";
import { CALL_PROBLEMS, EVENTS } from "./agent_document.ts";
import type { GatewayRoute } from "./gateway_route.ts";
import { MCP_ROUTES } from "./mcp_routes.ts";

/** What can go wrong where servers are asked. */
const ASKING: readonly ProblemCode[] = CALL_PROBLEMS.filter((code) =>
  [
    "unreachable",
    "authorization_required",
    "auth_failed",
    "unauthorized",
    "forbidden",
    "upstream_error",
    "bad_response",
    "too_large",
    "redirect_refused",
    "session_lost",
    "unsupported_protocol",
    "rate_limited",
    "overloaded",
    "circuit_open",
    "closed",
    "deadline_exceeded",
  ].includes(code)
);
const BODY: readonly ProblemCode[] = ["body_timeout", "body_too_large", "unsupported_media_type"];

/** The routes. One that the app has and this list has not fails a test. */
export const GATEWAY_ROUTES: readonly GatewayRoute[] = [
  {
    method: "get",
    path: "/",
    id: "getIndex",
    tag: "gateway",
    summary: "Names the routes",
    isKeyless: true,
    answers: { 200: { description: "The routes.", schema: "Index" } },
  },
  {
    method: "get",
    path: "/healthz",
    id: "getHealth",
    tag: "gateway",
    summary: "Tells that the gateway is alive",
    isKeyless: true,
    answers: { 200: { description: "It is alive.", schema: "Health" } },
  },
  {
    method: "get",
    path: "/readyz",
    id: "getReadiness",
    tag: "gateway",
    summary: "Tells whether the gateway can serve",
    isKeyless: true,
    answers: {
      200: { description: "It can.", schema: "Readiness" },
      503: { description: "It cannot yet, or any more.", schema: "Readiness" },
    },
  },
  {
    method: "get",
    path: "/openapi.json",
    id: "getGatewayDocument",
    tag: "documents",
    summary: "This document",
    isKeyless: true,
    answers: { 200: { description: "An OpenAPI 3.1 document.", schema: "Document", hasTag: true } },
  },
  {
    method: "get",
    path: "/docs",
    id: "getDocs",
    tag: "documents",
    summary: "This document as a page, to read and, once signed in, to try",
    isKeyless: true,
    answers: { 200: { description: "The page.", page: "With `?agent=`, that of an agent, once signed in." } },
  },
  {
    method: "get",
    path: "/config.schema.json",
    id: "getConfigSchema",
    tag: "documents",
    summary: "The JSON Schema of the configuration, for editors",
    isKeyless: true,
    answers: { 200: { description: "A JSON Schema (draft-07).", schema: "Document", hasTag: true } },
  },
  {
    method: "get",
    path: "/metrics",
    id: "getMetrics",
    tag: "agents",
    summary: "Counts calls, and shows how the servers stand, of every agent that the key opens, for Prometheus",
    answers: { 200: { description: "The text format of Prometheus.", textType: "text/plain" } },
  },
  {
    method: "get",
    path: "/status",
    id: "getStatus",
    tag: "agents",
    summary: "Shows every agent that the key opens, without asking a server",
    answers: { 200: { description: "The agents by name.", schema: "Status" } },
  },
  {
    method: "get",
    path: "/agents/:agent/status",
    id: "getAgentStatus",
    tag: "agents",
    summary: "Shows one agent, without asking a server",
    answers: { 200: { description: "The agent.", schema: "AgentStatus" } },
    problems: ["agent_not_found"],
  },
  {
    method: "get",
    path: "/activity",
    id: "listActivity",
    tag: "agents",
    summary: "Shows what happened lately in this isolate: calls, and what happened to servers; newest first",
    parameters: ["Agent", "Limit"],
    answers: { 200: { description: "What happened to the agents that the key opens.", schema: "ActivityList" } },
    problems: ["agent_not_found", "invalid_request"],
  },
  {
    method: "get",
    path: "/agents/:agent/tools",
    id: "listTools",
    tag: "agents",
    summary: "Lists the tools of an agent, each with the server that owns it",
    parameters: ["RequestTimeout"],
    answers: { 200: { description: "The tools.", schema: "ToolList" } },
    problems: ["agent_not_found", "invalid_header", ...ASKING],
  },
  {
    method: "post",
    path: "/agents/:agent/tools/:tool",
    id: "callTool",
    tag: "calls",
    summary: "Calls a tool",
    parameters: ["IdempotencyKey", "RequestTimeout"],
    body: { schema: "Arguments", description: "The arguments; none at all are `{}`.", required: false },
    answers: {
      200: {
        description: "What the tool answered, also where it answered `isError`.",
        schema: "RoutedResult",
        events: EVENTS,
        mayBeReplayed: true,
      },
    },
    problems: CALL_PROBLEMS,
  },
  {
    method: "post",
    path: "/agents/:agent/batch",
    id: "callTools",
    tag: "calls",
    summary: "Calls several tools, some at once",
    parameters: ["IdempotencyKey", "RequestTimeout"],
    body: { schema: "Batch", description: "The calls.", required: true },
    answers: {
      200: {
        description: "How each call ended, in the order of the calls: one that failed fails alone.",
        schema: "BatchResults",
        events: "Server-sent events: `result` or `problem` for each call as it ends, with its `index`; then `end`.",
      },
    },
    problems: ["agent_not_found", "invalid_header", "invalid_arguments", "invalid_batch", "closed", ...BODY],
  },
  {
    method: "get",
    path: "/agents/:agent/routes/:tool",
    id: "explainRoute",
    tag: "agents",
    summary: "Explains which server owns a tool's name, without calling it",
    answers: { 200: { description: "The owner.", schema: "ToolRoute" } },
    problems: ["agent_not_found", "tool_not_found", "tool_ambiguous", ...ASKING],
  },
  {
    method: "get",
    path: "/agents/:agent/pins",
    id: "listPins",
    tag: "agents",
    summary: "Shows the pinned tools that have changed or are withheld, as they were and as they are",
    parameters: ["All", "RequestTimeout"],
    answers: { 200: { description: "The tools.", schema: "PinList" } },
    problems: ["agent_not_found", "invalid_header", "invalid_request", "not_implemented", ...ASKING],
  },
  {
    method: "post",
    path: "/agents/:agent/reconnect",
    id: "reconnect",
    tag: "agents",
    summary: "Connects again to every server that is not connected, or to one",
    parameters: ["Server"],
    answers: { 200: { description: "Server by server, whether it is connected now.", schema: "Reconnected" } },
    problems: ["agent_not_found", "server_not_found", "closed"],
  },
  {
    method: "get",
    path: "/agents/:agent/openapi.json",
    id: "getAgentDocument",
    tag: "documents",
    summary: "The tools of an agent as operations",
    parameters: ["RequestTimeout"],
    answers: { 200: { description: "An OpenAPI 3.1 document.", schema: "Document", hasTag: true } },
    problems: ["agent_not_found", "invalid_header", ...ASKING],
  },
  ...MCP_ROUTES,
  ...ADMIN_ROUTES,
];
