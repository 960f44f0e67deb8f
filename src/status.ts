/**
 * What a server, an agent and a route look like from outside.
 *
 * @module
 */

import type { Prompt, Resource, ResourceTemplate } from "./context.ts";
import type { MCPErrorCode } from "./errors.ts";
import type { LatencySummary } from "./latency.ts";
import type { Tool, ToolResult } from "./protocol.ts";
import type { BreakerState } from "./resilience/breaker.ts";

/**
 * Where a server's connection stands.
 *
 * @example
 * ```ts
 * import type { ServerState } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const COLOURS: Readonly<Record<ServerState, string>> = {
 *   idle: "grey",
 *   connecting: "yellow",
 *   connected: "green",
 *   failed: "red",
 *   closed: "grey",
 * };
 * assertEquals(COLOURS.connected, "green");
 * ```
 */
export type ServerState = "idle" | "connecting" | "connected" | "failed" | "closed";

/**
 * The last failure of a server.
 *
 * @example
 * ```ts
 * import { type LastError, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using client = new SingleServerMCPClient("files", { url: "http://localhost:9/mcp" });
 * await client.connect({ timeoutMs: 2_000 }).catch(() => {});
 * const error: LastError | undefined = client.getStatus().lastError;
 * assertEquals(error?.code, "unreachable");
 * ```
 */
export interface LastError {
  /** What failed. */
  readonly code: MCPErrorCode;
  /** The failure in words, without secrets and without text of the server. */
  readonly message: string;
  /** When it happened, in milliseconds since the epoch. */
  readonly atMs: number;
}

/**
 * What is known of one server of one agent.
 *
 * @example
 * ```ts
 * import { type ServerStatus, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toLine = ({ server, state, toolCount = 0 }: ServerStatus) => `${server}: ${state}, ${toolCount} tools`;
 * await using client = new SingleServerMCPClient("files", { url: "https://files.example.com/mcp" });
 * assertEquals(toLine(client.getStatus()), "files: idle, 0 tools");
 * ```
 */
export interface ServerStatus {
  /** The configured name. */
  readonly server: string;
  /** The configured URL without its query and fragment. */
  readonly url: string;
  /** Where the connection stands. */
  readonly state: ServerState;
  /** The protocol era, once known: `legacy` is 2024-11-05 … 2025-11-25. */
  readonly era: "legacy" | "modern" | undefined;
  /** The transport, once known. */
  readonly transport: "streamable_http" | "sse" | undefined;
  /** The protocol version agreed on, once known. */
  readonly protocolVersion: string | undefined;
  /** How many tools the server lists and the filters let through; `undefined` before the first list. */
  readonly toolCount: number | undefined;
  /** Where the tool list came from: the server, the route cache, or nowhere yet. */
  readonly toolsFrom: "server" | "cache" | undefined;
  /** Whether the list was cut at a cap or a listing failed half-way. */
  readonly toolsPartial: boolean;
  /** How long the list is fresh, in milliseconds, where the server says so. */
  readonly toolsTtlMs: number | undefined;
  /** When the list was made, here or by another isolate, in milliseconds since the epoch; `undefined` before the first. */
  readonly toolsUpdatedAtMs?: number | undefined;
  /** When the list was last seen to differ here, in milliseconds since the epoch; `undefined` where it never was. */
  readonly toolsChangedAtMs?: number | undefined;
  /** Until when the list is used without asking anew, in milliseconds since the epoch; may have passed. */
  readonly toolsExpireAtMs?: number | undefined;
  /** How many tools are no longer what they were pinned as; `undefined` where the server's tools are not pinned. */
  readonly changedTools?: number | undefined;
  /** How many tools are withheld, by decision or because they have changed; `undefined` where they are not pinned. */
  readonly withheldTools?: number | undefined;
  /** What was dropped from the list, and why. */
  readonly warnings: readonly string[];
  /** How long the last answered request took, in milliseconds. */
  readonly latencyMs: number | undefined;
  /** Percentiles of the last answered requests; `undefined` before the first. */
  readonly latency: LatencySummary | undefined;
  /** How long the last answered requests took, in milliseconds, oldest first; at most 32, `undefined` before the first. */
  readonly latencySamples?: readonly number[] | undefined;
  /** Where the circuit breaker stands. */
  readonly breaker: BreakerState;
  /** How many requests are under way. */
  readonly running: number;
  /** How many requests wait for their turn. */
  readonly waiting: number;
  /** Since when it is connected, in milliseconds since the epoch. */
  readonly connectedAtMs: number | undefined;
  /** The last failure, kept after a recovery. */
  readonly lastError: LastError | undefined;
}

/**
 * How long a list of an agent may be used, and by whom, as far as is known now (specification 2026-07-28, Caching).
 *
 * @example
 * ```ts
 * import { type ListFreshness, MultiServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toHeader = ({ ttlMs, cacheScope }: ListFreshness) => `${cacheScope}, max-age=${Math.floor(ttlMs / 1_000)}`;
 * const servers = { files: { url: "http://localhost:9/mcp" } };
 * await using client = new MultiServerMCPClient("Kairos", { servers });
 * assertEquals(toHeader(client.getListFreshness("tools")), "private, max-age=0");
 * ```
 */
export interface ListFreshness {
  /**
   * How long the list is fresh, in milliseconds: the least that is left of what any server lists; `0` where one of them
   * has not given its list, or it is past its time.
   */
  readonly ttlMs: number;
  /** `public` where every server says so of its list, else `private`: for the one who asked alone. */
  readonly cacheScope: "public" | "private";
}

/**
 * A bare name that a server lists and another server owns.
 *
 * @example
 * ```ts
 * import type { ShadowedTool } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toLine = ({ tool, owner = "nobody", exposedAs }: ShadowedTool) => `${tool}: ${owner}; see ${exposedAs}`;
 * const shadowed = { tool: "search", owner: "files", server: "mail", exposedAs: "mail__search" };
 * assertEquals(toLine(shadowed), "search: files; see mail__search");
 * ```
 */
export interface ShadowedTool {
  /** The bare name. */
  readonly tool: string;
  /** The server that owns the bare name, or `undefined` where the policy gives it to none. */
  readonly owner: string | undefined;
  /** The server whose tool is reachable by its qualified name only. */
  readonly server: string;
  /** The name to call it by. */
  readonly exposedAs: string;
}

/**
 * What is known of one agent.
 *
 * @example
 * ```ts
 * import { type AgentStatus, MultiServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const isWhole = ({ connectedServers, totalServers }: AgentStatus) => connectedServers === totalServers;
 * await using client = new MultiServerMCPClient("Kairos", { servers: { files: { url: "http://localhost:9/mcp" } } });
 * assertEquals(isWhole(client.getStatus()), false);
 * ```
 */
export interface AgentStatus {
  /** The agent's name. */
  readonly agent: string;
  /** How many of its servers are connected. */
  readonly connectedServers: number;
  /** How many servers it has. */
  readonly totalServers: number;
  /** How many tools it can call. */
  readonly totalTools: number;
  /** Every server by its configured name. */
  readonly servers: Readonly<Record<string, ServerStatus>>;
  /** Tools whose bare name belongs to another server. */
  readonly shadowed: readonly ShadowedTool[];
}

/**
 * How the owner of a tool was found: known here, read from the route cache, or asked of the servers.
 *
 * @example
 * ```ts
 * import type { RouteSource } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const askedServers = (route: RouteSource) => route === "discovery";
 * assertEquals(askedServers("cache"), false);
 * ```
 */
export type RouteSource = "memory" | "cache" | "discovery";

/**
 * A tool of an agent with the server that owns it.
 *
 * @example
 * ```ts
 * import type { OwnedTool } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toGroups = (tools: readonly OwnedTool[]) => Object.groupBy(tools, ({ server }) => server);
 * const tool = { name: "search", inputSchema: { type: "object" } };
 * const groups = toGroups([{ name: "mail__search", server: "mail", toolName: "search", tool }]);
 * assertEquals(groups.mail?.map(({ name }) => name), ["mail__search"]);
 * ```
 */
export interface OwnedTool {
  /** The name to call it by. */
  readonly name: string;
  /** The server that owns it. */
  readonly server: string;
  /** Its name at that server. */
  readonly toolName: string;
  /** The tool as its server lists it, under its name at that server. */
  readonly tool: Tool;
}

/**
 * A resource of an agent with a server that lists it.
 *
 * @example
 * ```ts
 * import type { FeatureClient, OwnedResource, ResourceResult } from "@portolan/mcp";
 *
 * // A URI that several servers list is read at the one that is named.
 * const read = (client: FeatureClient, { uri, server }: OwnedResource): Promise<ResourceResult> =>
 *   client.readResource(uri, { server });
 * ```
 */
export interface OwnedResource {
  /** The URI to read it by, at that server. */
  readonly uri: string;
  /** The server that lists it. */
  readonly server: string;
  /** The resource as its server lists it. */
  readonly resource: Resource;
}

/**
 * A resource template of an agent with a server that lists it.
 *
 * @example
 * ```ts
 * import type { OwnedResourceTemplate } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toLine = ({ server, template }: OwnedResourceTemplate) => `${template.name} of ${server}`;
 * const uriTemplate = "notes://{year}";
 * const owned = { uriTemplate, server: "notes", template: { uriTemplate, name: "A year of notes" } };
 * assertEquals(toLine(owned), "A year of notes of notes");
 * ```
 */
export interface OwnedResourceTemplate {
  /** The template of the URIs (RFC 6570). */
  readonly uriTemplate: string;
  /** The server that lists it. */
  readonly server: string;
  /** The template as its server lists it. */
  readonly template: ResourceTemplate;
}

/**
 * A prompt of an agent with the server that owns it.
 *
 * @example
 * ```ts
 * import type { OwnedPrompt } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toCommand = ({ name, prompt }: OwnedPrompt) => `/${name} ${prompt.description ?? ""}`.trimEnd();
 * const prompt = { name: "greet", description: "Greets the crew" };
 * assertEquals(toCommand({ name: "greet", server: "crew", promptName: "greet", prompt }), "/greet Greets the crew");
 * ```
 */
export interface OwnedPrompt {
  /** The name to get it by. */
  readonly name: string;
  /** The server that owns it. */
  readonly server: string;
  /** Its name at that server. */
  readonly promptName: string;
  /** The prompt as its server lists it, under its name at that server. */
  readonly prompt: Prompt;
}

/**
 * What a tool answered, and who answered.
 *
 * @example
 * ```ts
 * import type { RoutedResult } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toLine = ({ server, tool, route, result }: RoutedResult) =>
 *   `${server}.${tool} (${route}): ${result.isError === true ? "failed" : "ok"}`;
 * const routed: RoutedResult = { server: "files", tool: "read", route: "memory", result: { content: [] } };
 * assertEquals(toLine(routed), "files.read (memory): ok");
 * ```
 */
export interface RoutedResult {
  /** The server that answered. */
  readonly server: string;
  /** The tool's name at that server. */
  readonly tool: string;
  /** How the owner was found. */
  readonly route: RouteSource;
  /** What the tool answered. */
  readonly result: ToolResult;
}

/**
 * Who owns a tool's name, and how that is known.
 *
 * @example
 * ```ts
 * import type { MultiServerMCPClient, ToolRoute } from "@portolan/mcp";
 *
 * async function explain(client: MultiServerMCPClient, name: string): Promise<string> {
 *   const { server, tool, reason, ageMs }: ToolRoute = await client.routeTool(name);
 *   return `${name} is ${tool} of ${server}: ${reason} (known for ${ageMs} ms)`;
 * }
 * ```
 */
export interface ToolRoute {
  /** The name that was asked for. */
  readonly name: string;
  /** The server that owns it. */
  readonly server: string;
  /** The tool's name at that server. */
  readonly tool: string;
  /** How the owner was found. */
  readonly route: RouteSource;
  /** Why this server owns the name, in words. */
  readonly reason: string;
  /** How old the owner's tool list is, in milliseconds. */
  readonly ageMs: number;
  /** Whether that list is within its time to live. */
  readonly fresh: boolean;
  /** Other servers that list the same bare name, in the order of the configuration. */
  readonly shadowedServers: readonly string[];
}
