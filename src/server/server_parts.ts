/**
 * What a client of one server is put together from.
 *
 * @module
 */

import { AuthStore } from "../auth/auth_store.ts";
import type { FinishedAuthorization } from "../auth/finish_authorization.ts";
import type { InputResponder } from "../connection/connection.ts";
import { tell } from "../tell.ts";
import { createResponder } from "./input_responder.ts";
import { ListChanges } from "./list_changes.ts";
import { SchemaChecker } from "../schema/schema_checker.ts";
import type { ResolvedServer } from "../server_config.ts";
import { ServerContext } from "./server_context.ts";
import { type HeldLink, takeLink } from "./server_links.ts";
import { ServerListener } from "./server_listener.ts";
import { ServerRequests } from "./server_requests.ts";
import { ServerTools } from "./server_tools.ts";
import type { SingleServerMCPClientOptions } from "../single_server_options.ts";
import type { ServerStatus } from "../status.ts";
import { ToolCaller } from "./tool_caller.ts";
import { isToolAllowed } from "../tools/tool_filter.ts";
import { ToolPins } from "../tools/tool_pins.ts";

/** For whom a client acts where nobody says. */
const DEFAULT_PRINCIPAL = "default";

/** The parts of one client. */
export interface ServerParts {
  /** The way to the server. */
  readonly held: HeldLink;
  /** Runs requests. */
  readonly requests: ServerRequests;
  /** What the server lists. */
  readonly tools: ServerTools;
  /** What the tools were when they were first seen, where that matters. */
  readonly pins: ToolPins | undefined;
  /** Calls tools. */
  readonly caller: ToolCaller;
  /** Resources, prompts, completions. */
  readonly context: ServerContext;
  /** Hears what the server says outside of requests. */
  readonly listener: ServerListener;
  /** Who watches its lists. */
  readonly changes: ListChanges;
  /** Answers what the server asks, where the client has handlers. */
  readonly responder: InputResponder | undefined;
  /** Takes what a person's browser comes back with. */
  readonly finishAuthorization: (callbackUrl: string | URL, signal: AbortSignal) => Promise<FinishedAuthorization>;
}

/**
 * Puts the parts of a client together; nothing is sent.
 *
 * @param resolved The server, checked.
 * @param options What the client was given.
 * @param onToolsStale Told that the tools have changed.
 * @returns The parts.
 */
export function createServerParts(
  resolved: ResolvedServer,
  options: SingleServerMCPClientOptions,
  onToolsStale: () => void,
): ServerParts {
  const { fetch, now = Date.now, random = Math.random, onEvent, onLog, logLevel, onContextStale } = options;
  const { name: server, tools: filter, pin, trustAnnotations } = resolved;
  const responder = createResponder(server, options.input);
  const principal = options.principal ?? DEFAULT_PRINCIPAL;
  const authStore = options.authStore ?? (resolved.auth && new AuthStore({ now }));
  const held = takeLink(options.connections, {
    server: resolved,
    keeper: options.keeper,
    responder,
    tokens: options.tokens,
    principal,
    authStore,
    onAuthorize: options.onAuthorize,
    onAuthEvent: (event) => tell(onEvent, event),
    // What a server logs may come from any request of its session.
    exclusive: onLog !== undefined || logLevel !== undefined,
    fetch,
    now,
  });
  const { link } = held;
  const changes = new ListChanges();
  const requests = new ServerRequests({ server, link, onEvent, now, random });
  const pins = pin === "off" ? undefined : new ToolPins(pin, options.pinKeeper, {
    isShown: (tool) => isToolAllowed(filter, tool),
    onDecided: onToolsStale,
    now,
  });
  const tools = new ServerTools({
    server,
    filter,
    requests,
    pins,
    now,
    onChange: (diff) => {
      tell(onEvent, { type: "tools_changed", server, ...diff });
      changes.tell("tools");
    },
  });
  const caller = new ToolCaller({
    server,
    tools,
    link,
    requests,
    trustAnnotations,
    schemas: new SchemaChecker(),
    validate: { arguments: resolved.validateArguments, results: resolved.validateResults },
    onEvent,
  });
  const context: ServerContext = new ServerContext({
    server,
    link,
    requests,
    onNotice: (notice) => listener.onNotice(notice),
  });
  const listener = new ServerListener({
    server,
    link,
    onEvent,
    onToolsStale,
    onContextStale,
    changes,
    onLog,
    onOther: (notice) => context.notice(notice),
  });
  const finish = async (callbackUrl: string | URL, signal: AbortSignal) => {
    const { finishAuthorization } = await import("../auth/finish_authorization.ts");
    const store = authStore ?? new AuthStore({ now });
    return await finishAuthorization(callbackUrl, { store, principal, fetch, now, signal });
  };
  return { held, requests, tools, pins, caller, context, listener, changes, responder, finishAuthorization: finish };
}

/**
 * What is known of a server.
 *
 * @param parts The parts of its client.
 * @param server Its name.
 * @param url Its URL, as it may be shown.
 * @returns A snapshot.
 */
export function toServerStatus(parts: ServerParts, server: string, url: string): ServerStatus {
  const { connection, state, connectedAtMs, lastError } = parts.held.link.connector;
  const { latency, latencySamples, breaker, running, waiting } = parts.requests;
  const { list, known, updatedAtMs, changedAtMs } = parts.tools;
  const { pins } = parts;
  return {
    server,
    url,
    state,
    era: connection?.era,
    transport: connection?.transport,
    protocolVersion: connection?.protocolVersion,
    toolCount: list && known?.length,
    toolsFrom: list && "server",
    toolsPartial: list?.partial ?? false,
    toolsTtlMs: list?.ttlMs,
    toolsUpdatedAtMs: updatedAtMs,
    toolsChangedAtMs: changedAtMs,
    toolsExpireAtMs: updatedAtMs === undefined || list?.ttlMs === undefined ? undefined : updatedAtMs + list.ttlMs,
    changedTools: pins?.changedCount,
    withheldTools: pins?.withheldCount,
    warnings: list?.warnings ?? [],
    latencyMs: latency?.lastMs,
    latency,
    latencySamples,
    breaker,
    running,
    waiting,
    connectedAtMs,
    lastError,
  };
}
