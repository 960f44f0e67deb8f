/** A directory of agents in memory, and requests as a caller sends them. */

import { MCPError } from "../../src/errors.ts";
import type { AgentClient, AgentDirectory } from "../../src/gateway/agent_directory.ts";
import { digestKey } from "../../src/callers/keys.ts";
import type { AgentStatus, OwnedTool, RoutedResult, ToolRoute } from "../../src/status.ts";
import { createGateway, type Gateway, type GatewayDeps, type GatewayOptions } from "../../routes/mod.ts";

export const OWNED_TOOL: OwnedTool = {
  name: "search",
  server: "files",
  toolName: "search",
  tool: { name: "search", description: "Finds files", inputSchema: { type: "object" } },
};

export const ROUTED: RoutedResult = {
  server: "files",
  tool: "search",
  route: "memory",
  result: { content: [{ type: "text", text: "found" }] },
};

export const ROUTE: ToolRoute = {
  name: "search",
  server: "files",
  tool: "search",
  route: "memory",
  reason: "The only server that lists the tool",
  ageMs: 12,
  fresh: true,
  shadowedServers: [],
};

export function agentStatus(agent: string): AgentStatus {
  return { agent, connectedServers: 0, totalServers: 1, totalTools: 0, servers: {}, shadowed: [] };
}

function unexpected(method: string): Promise<never> {
  return Promise.reject(new TypeError(`The test did not expect ${method}()`));
}

/** What a fake agent was asked, in order. */
export interface Asked {
  readonly method: string;
  readonly values: readonly unknown[];
  readonly signal: AbortSignal | undefined;
}

export interface FakeDirectory extends AgentDirectory {
  readonly asked: Asked[];
}

/** Agents that answer at once; `overrides` replaces what a test is about. */
export function fakeDirectory(agents: readonly string[], overrides: Partial<AgentClient> = {}): FakeDirectory {
  const asked: Asked[] = [];
  return {
    agents,
    asked,
    openClient(agent) {
      asked.push({ method: "openClient", values: [agent], signal: undefined });
      if (!agents.includes(agent)) throw new MCPError("agent_not_found", `Cannot open agent "${agent}"`);
      const note = (method: string, values: unknown[], signal?: AbortSignal) => asked.push({ method, values, signal });
      return {
        listOwnedTools(options) {
          note("listOwnedTools", [], options?.signal);
          return overrides.listOwnedTools?.(options) ?? Promise.resolve([OWNED_TOOL]);
        },
        callToolRouted(name, args, options) {
          note("callToolRouted", [name, args], options?.signal);
          return overrides.callToolRouted?.(name, args, options) ?? Promise.resolve(ROUTED);
        },
        routeTool(name, options) {
          note("routeTool", [name], options?.signal);
          return overrides.routeTool?.(name, options) ?? Promise.resolve(ROUTE);
        },
        listResources: (options) => overrides.listResources?.(options) ?? Promise.resolve([]),
        listResourceTemplates: (options) => overrides.listResourceTemplates?.(options) ?? Promise.resolve([]),
        listPrompts: (options) => overrides.listPrompts?.(options) ?? Promise.resolve([]),
        readResource: (...args) => overrides.readResource?.(...args) ?? unexpected("readResource"),
        subscribeResource: (...args) => overrides.subscribeResource?.(...args) ?? unexpected("subscribeResource"),
        getPrompt: (...args) => overrides.getPrompt?.(...args) ?? unexpected("getPrompt"),
        complete: (...args) => overrides.complete?.(...args) ?? unexpected("complete"),
        findTool: overrides.findTool ?? ((name) => name === OWNED_TOOL.name ? OWNED_TOOL.tool : undefined),
        getServerInfo: (server) => overrides.getServerInfo?.(server),
        getListFreshness: (kind) => overrides.getListFreshness?.(kind) ?? { ttlMs: 1_000, cacheScope: "public" },
        watchLists: (...args) => overrides.watchLists?.(...args) ?? unexpected("watchLists"),
        ...(overrides.listPins !== undefined && { listPins: overrides.listPins }),
        ...(overrides.decidePin !== undefined && { decidePin: overrides.decidePin }),
        getStatus: () => overrides.getStatus?.() ?? agentStatus(agent),
        reconnect(options) {
          note("reconnect", [options?.server], options?.signal);
          return overrides.reconnect?.(options) ?? Promise.resolve({ files: true });
        },
      };
    },
    getStatusSummary: () => Object.fromEntries(agents.map((agent) => [agent, agentStatus(agent)])),
  };
}

/** One gateway, its agents, and a way to ask it. */
export interface Harness {
  readonly gateway: Gateway;
  readonly directory: FakeDirectory;
  /** Sends a request to `path` under the key `kairos-key`, or the one given; `null` sends none. */
  ask(path: string, init?: RequestInit & { readonly key?: string | null }): Promise<Response>;
}

export const AGENTS = ["Kairos", "Mercurius"];

/** A gateway with the keys `kairos-key` (agent Kairos) and `admin-key` (every agent). */
export async function openHarness(
  overrides: Partial<AgentClient> = {},
  options: Partial<GatewayOptions> & Omit<GatewayDeps, "directory" | "started"> = {},
): Promise<Harness> {
  const directory = fakeDirectory(AGENTS, overrides);
  const { onInternalError, store, storeSecret, audit, now, fetch, config, ...rest } = options;
  const keys = { Kairos: [await digestKey("kairos-key")], "*": [await digestKey("admin-key")] };
  const gateway = createGateway({ directory, onInternalError, store, storeSecret, audit, now, fetch, config }, {
    keys,
    ...rest,
  });
  return {
    gateway,
    directory,
    ask(path, init = {}) {
      const { key = "kairos-key", ...requestInit } = init;
      const headers = new Headers(requestInit.headers);
      if (!headers.has("host")) headers.set("host", "gateway.test");
      if (key !== null) headers.set("authorization", `Bearer ${key}`);
      return gateway.fetch(new Request(`http://gateway.test${path}`, { ...requestInit, headers }));
    },
  };
}

/** The init of a call with JSON arguments. */
export function post(body: BodyInit, headers: HeadersInit = {}): RequestInit {
  return {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...Object.fromEntries(new Headers(headers)) },
  };
}

/** The problem of a response, without its request id. */
export async function problemOf(response: Response): Promise<Record<string, unknown>> {
  const { requestId: _, ...problem } = await response.json();
  return problem;
}
