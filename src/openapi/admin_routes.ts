/**
 * The routes of administrators, for the gateway's document. To everybody else they do not exist.
 *
 * @module
 */

import type { ProblemCode } from "../gateway/problem.ts";
import type { GatewayRoute } from "./gateway_route.ts";

const BODY: readonly ProblemCode[] = [
  "invalid_arguments",
  "invalid_request",
  "body_timeout",
  "body_too_large",
  "unsupported_media_type",
];
const CONFIG: readonly ProblemCode[] = ["not_found", "not_implemented", "config_unavailable", "closed"];
const CHANGE: readonly ProblemCode[] = ["invalid_request", "invalid_header", "config_changed", "config_refused"];
const KEYS: readonly ProblemCode[] = ["not_found", "agent_not_found", "callers_unavailable", "closed"];

/** The routes. */
export const ADMIN_ROUTES: readonly GatewayRoute[] = [
  {
    method: "post",
    path: "/admin/reconnect",
    id: "reconnectAll",
    tag: "admin",
    summary: "Connects all agents again to every server that is not connected, or to one",
    parameters: ["Server"],
    answers: { 200: { description: "Agent by agent.", schema: "AllReconnected" } },
    problems: ["not_found", "server_not_found", "closed"],
  },
  {
    method: "post",
    path: "/admin/cache/flush",
    id: "flushCache",
    tag: "admin",
    summary: "Forgets the lists of all agents, or of one, so that the servers are asked anew",
    parameters: ["Agent"],
    answers: { 200: { description: "It is done.", schema: "Flushed" } },
    problems: ["not_found", "agent_not_found", "not_implemented", "closed"],
  },
  {
    method: "post",
    path: "/admin/agents/:agent/pins",
    id: "decidePin",
    tag: "admin",
    summary: "Accepts a pinned tool as it is now, or withholds it from being listed and called until it is accepted",
    parameters: ["RequestTimeout"],
    body: { schema: "PinDecision", description: "Which tool, and what is decided.", required: true },
    answers: { 200: { description: "It is decided.", schema: "DecidedPin" } },
    problems: [
      "not_found",
      "agent_not_found",
      "server_not_found",
      "tool_not_found",
      "invalid_header",
      ...BODY,
      "pin_changed",
      "not_implemented",
      "store_unavailable",
      "closed",
      "deadline_exceeded",
    ],
  },
  {
    method: "get",
    path: "/admin/config",
    id: "getConfig",
    tag: "admin",
    summary: "Shows the configuration that is kept for all isolates, and whether this one serves it",
    answers: { 200: { description: "What is kept, and what is served.", schema: "Config" } },
    problems: CONFIG,
  },
  {
    method: "put",
    path: "/admin/config",
    id: "putConfig",
    tag: "admin",
    summary: "Checks a configuration, keeps it for all isolates, and serves it without failing a call",
    parameters: ["IfMatch", "IfNoneMatch", "DryRun"],
    body: { schema: "ConfigText", description: "YAML or JSON; secrets are references.", required: true, isText: true },
    answers: { 200: { description: "It is served; or it would be.", schema: "ConfigChange" } },
    problems: [...CONFIG, ...CHANGE, ...BODY],
  },
  {
    method: "delete",
    path: "/admin/config",
    id: "deleteConfig",
    tag: "admin",
    summary: "Forgets the configuration that is kept: what the file or the environment says is served again",
    parameters: ["IfMatch", "DryRun"],
    answers: { 200: { description: "It is forgotten; or it would be.", schema: "ConfigChange" } },
    problems: [...CONFIG, ...CHANGE],
  },
  {
    method: "get",
    path: "/admin/agents/:agent/keys",
    id: "listKeys",
    tag: "admin",
    summary: "Lists the keys of an agent, or with `*` those of administrators; never a key or a whole digest",
    answers: { 200: { description: "The keys.", schema: "Keys" } },
    problems: KEYS,
  },
  {
    method: "post",
    path: "/admin/agents/:agent/keys",
    id: "createKey",
    tag: "admin",
    summary: "Creates a key; an agent has at most two good ones",
    body: { schema: "NewKey", description: "Its name and its end.", required: false },
    answers: { 201: { description: "The key. It is told this once.", schema: "CreatedKey" } },
    problems: [...KEYS, ...BODY, "key_conflict"],
  },
  {
    method: "delete",
    path: "/admin/agents/:agent/keys/:id",
    id: "revokeKey",
    tag: "admin",
    summary: "Revokes a key, wherever it is from",
    answers: {
      200: {
        description:
          "It is revoked: no request is begun with it any more. Streams of notices that it opened end within 25 s.",
        schema: "RevokedKey",
      },
    },
    problems: [...KEYS, "key_not_found"],
  },
  {
    method: "get",
    path: "/admin/audit",
    id: "exportAudit",
    tag: "admin",
    summary: "Exports who did what, in the order in which it was written",
    parameters: ["After", "Agent", "From", "To", "Limit"],
    answers: {
      200: {
        description: "Some of the entries. A link to the next page is there as long as there may be more.",
        lines: "Lines of JSON, each an `AuditEntry`.",
      },
    },
    problems: ["not_found", "invalid_request", "not_implemented", "audit_unavailable", "closed"],
  },
];
