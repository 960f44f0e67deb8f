/**
 * What to do about a server that cannot be used: one sentence for each fault.
 *
 * @module
 */

import { isMCPError, type MCPError, type MCPErrorCode } from "../errors.ts";
import { type NeverSentReason, reasonUnreachable } from "../network_errors.ts";

/** What is known of a server beside its fault. */
export interface FaultContext {
  /** Whether it is sent a credential: among its headers, or by `auth`. */
  readonly hasCredential: boolean;
  /** Whether it gets tokens by `auth`. */
  readonly hasAuth: boolean;
  /** How long it was given, in milliseconds. */
  readonly timeoutMs: number;
}

type Advise = (error: MCPError, context: FaultContext) => string;

const BY_REASON: Readonly<Record<NeverSentReason, string>> = {
  dns: 'Check the host in its "url" for a typing error, and that this machine can resolve it',
  tls: 'Check that its certificate is valid, and that its port speaks TLS: if not, write "http://" in its "url"',
  refused: 'Start the server, or correct the host and the port in its "url": nothing listens there',
  blocked_port: "Move the server to another port: no browser and no fetch connects to this one",
  not_permitted: "Run this program with --allow-net for the server's host and port",
  no_route: "Check the network of this machine: a VPN, a firewall or a route to the server is missing",
  not_opened: "Check that the server runs, and that no firewall lies between it and this machine",
};
const BROKEN = 'Look at the server\'s log, and check whether its "url" should begin with "https://" or "http://": ' +
  "it closed the connection";
const NOT_MCP = 'Correct the path in its "url", which often ends in "/mcp" or "/sse": ' +
  "what answers there is no MCP server, but a web page, a login or another service";
const REPORT = "Tell whoever runs the server: its answers break the protocol";
const OVERLOADED = "Ask again later, or ask whoever runs the server for a higher limit";

const BY_CODE: Readonly<Record<MCPErrorCode, string | Advise>> = {
  unreachable: (error) => {
    const reason = reasonUnreachable(error);
    return reason === undefined ? BROKEN : BY_REASON[reason];
  },
  deadline_exceeded: (_, { timeoutMs }) =>
    `Look at whether the server hangs; if it is only slow, give it more than ${timeoutMs} ms by its "timeoutMs"`,
  outcome_unknown: BROKEN,
  upstream_error: adviseUpstream,
  bad_response: NOT_MCP,
  too_large: "Ask for fewer or smaller tools at the server: a list may have 8 MiB, an answer 4 MiB",
  unauthorized: (_, { hasCredential }) =>
    hasCredential
      ? "Renew its credential: the server does not accept the one that it was sent"
      : 'Give it a credential: an "authorization" under its "headers", or "auth"',
  forbidden: (_, { hasCredential }) =>
    hasCredential
      ? "Ask whoever runs the server for the rights that its credential lacks"
      : 'Give it a credential, under "headers" or by "auth", or ask whoever runs the server to let this machine in',
  authorization_required: "Have a person authorize it by its authorization URL, or use client credentials instead",
  auth_failed: 'Check "auth": the client\'s id and secret or key, and that its authorization server is up and listed ' +
    'under "issuers" where there are any',
  rate_limited: ({ retryAfterMs }) =>
    retryAfterMs === undefined ? OVERLOADED : `${waitOf(retryAfterMs)}: ${OVERLOADED}`,
  redirect_refused: 'Write the URL that it redirects to as its "url": credentials follow no redirect to another origin',
  input_required: "Ask whoever runs the server: listing tools must not ask anything",
  task_required: REPORT,
  task_failed: REPORT,
  denied: "Look at the interceptor that refused it",
  not_supported: REPORT,
  overloaded: OVERLOADED,
  circuit_open: OVERLOADED,
  session_lost: "Ask again; if it stays so, the server forgets its sessions at once: have its load balancer pin them",
  unsupported_protocol: ({ httpStatus }) =>
    httpStatus === undefined
      ? "Upgrade the server: it speaks none of the protocol versions from 2024-11-05 to 2026-07-28"
      : NOT_MCP,
  tool_not_found: REPORT,
  server_not_found: REPORT,
  agent_not_found: REPORT,
  resource_not_found: REPORT,
  prompt_not_found: REPORT,
  tool_ambiguous: REPORT,
  resource_ambiguous: REPORT,
  prompt_ambiguous: REPORT,
  invalid_arguments: REPORT,
  invalid_result: REPORT,
  invalid_config: "Correct the configuration at the places that the message names",
  closed: "Ask again: it was stopped before it had answered",
};

/**
 * What to do about a fault.
 *
 * @example
 * ```ts
 * import { MCPError } from "../errors.ts";
 * import { adviseOn } from "./fault_advice.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new MCPError("unauthorized", 'Cannot list the tools of server "files" as it answered 401');
 * assertEquals(
 *   adviseOn(error, { hasCredential: true, hasAuth: false, timeoutMs: 10_000 }),
 *   "Renew its credential: the server does not accept the one that it was sent",
 * );
 * ```
 *
 * @param error Why the server cannot be used.
 * @param context What is known of the server.
 * @returns One sentence without a final period; no text of the server and no secret is in it.
 */
export function adviseOn(error: unknown, context: FaultContext): string {
  if (!isMCPError(error)) return "Report this as a fault of Portolan: it has no name for it";
  const advice = BY_CODE[error.code];
  return typeof advice === "string" ? advice : advice(error, context);
}

function adviseUpstream({ httpStatus }: MCPError, { hasAuth }: FaultContext): string {
  if (httpStatus === undefined) return `Look at the server's log: it refused to list its tools`;
  if (httpStatus === 404 || httpStatus === 405 || httpStatus === 410) return NOT_MCP;
  if (httpStatus === 502 || httpStatus === 503 || httpStatus === 504) {
    return `Start the server behind its proxy: the proxy answers (HTTP ${httpStatus}), the server does not`;
  }
  if (httpStatus >= 500) return `Look at the server's log: it failed (HTTP ${httpStatus})`;
  const credential = hasAuth ? "" : ", its credential";
  return `Look at the server's log for why it refuses (HTTP ${httpStatus}): its path${credential} or the protocol version`;
}

function waitOf(retryAfterMs: number): string {
  return `Wait ${Math.ceil(retryAfterMs / 1_000)} s`;
}
