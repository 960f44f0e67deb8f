/**
 * One client per MCP server, many servers per agent, many agents per manager: connected all at once, each behind its
 * own deadline, every call straight to the server that owns the tool.
 *
 * @example
 * ```ts
 * import { MultiServerMCPClient } from "@portolan/mcp";
 *
 * await using client = new MultiServerMCPClient("Kairos", {
 *   servers: { fileio: { url: "http://localhost:9/mcp" } },
 * });
 * console.log(await client.connectToServers({ timeoutMs: 1_000 }));
 * ```
 *
 * @module
 */

export { MCPClientManager, type MCPClientManagerOptions } from "./src/client_manager.ts";
export {
  ConfigError,
  type ConfigFault,
  isMCPError,
  MCPError,
  type MCPErrorCode,
  type MCPErrorOptions,
} from "./src/errors.ts";
export type {
  BreakerEvent,
  CallEvent,
  ClientEvent,
  ConnectedEvent,
  EventBase,
  EventListener,
  FailedEvent,
  ToolsChangedEvent,
} from "./src/events.ts";
export type { LatencySummary } from "./src/latency.ts";
export type { BreakerState } from "./src/resilience/breaker.ts";
export type { PinKeeper, PinnedDigests } from "./src/tools/tool_pins.ts";
export type { ConnectionKeeper } from "./src/connection/opener.ts";
export type { SavedConnection } from "./src/connection/connection.ts";
export { MCPClient } from "./src/legacy_client.ts";
export { MemoryRouteStore, type MemoryRouteStoreOptions } from "./src/memory_route_store.ts";
export { MultiServerMCPClient } from "./src/multi_server_client.ts";
export type {
  ConnectToServersOptions,
  MultiServerMCPClientOptions,
  ReconnectOptions,
} from "./src/multi_server_options.ts";
export type {
  ContentBlock,
  EmbeddedResourceContent,
  JsonObject,
  JsonValue,
  MediaContent,
  Progress,
  ResourceLinkContent,
  TextContent,
  Tool,
  ToolAnnotations,
  ToolResult,
} from "./src/protocol.ts";
export type {
  RouteKey,
  RouteStore,
  RouteStoreDeleteOptions,
  RouteStoreItem,
  RouteStoreSetOptions,
} from "./src/route_store.ts";
export type {
  AgentConfig,
  AgentSecrets,
  CollisionPolicy,
  EraChoice,
  PinChoice,
  PortolanConfig,
  ServerConfig,
  ToolFilter,
  TransportChoice,
} from "./src/server_config.ts";
export {
  type ListToolsOptions,
  SingleServerMCPClient,
  type SingleServerMCPClientOptions,
} from "./src/single_server_client.ts";
export type {
  AgentStatus,
  LastError,
  OwnedTool,
  RoutedResult,
  RouteSource,
  ServerState,
  ServerStatus,
  ShadowedTool,
  ToolRoute,
} from "./src/status.ts";
export type { CallToolOptions, RequestOptions, ToolClient, TraceContext } from "./src/tool_client.ts";
