/**
 * One client per MCP server, many servers per agent, many agents per manager: connected all at once, each behind its
 * own deadline, every call straight to the server that owns the tool.
 *
 * @example
 * ```ts
 * import { MultiServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using client = new MultiServerMCPClient("Kairos", {
 *   servers: { fileio: { url: "http://localhost:9/mcp" } },
 * });
 * assertEquals(await client.connectToServers({ timeoutMs: 1_000 }), { fileio: false });
 * ```
 *
 * @module
 */

export type { AuthConfig, GrantChoice, TokenAuthChoice } from "./src/auth/auth_config.ts";
export {
  type AuthAddress,
  type AuthItem,
  type AuthRecordKind,
  AuthStore,
  type AuthStoreOptions,
  type AuthWriteOptions,
} from "./src/auth/auth_store.ts";
export {
  AuthorizationRequiredError,
  type AuthorizationRequiredOptions,
} from "./src/auth/authorization_required_error.ts";
export type { TokenProvider, TokenRequest } from "./src/auth/authorizer.ts";
export type { FinishedAuthorization } from "./src/auth/finish_authorization.ts";
export type { ApplyConfigOptions } from "./src/apply_config_options.ts";
export type { AgentDifference, ConfigDifference, NameDifference } from "./src/config/config_difference.ts";
export { MCPClientManager, type MCPClientManagerOptions } from "./src/client_manager.ts";
export type {
  Completion,
  CompletionArgument,
  CompletionReference,
  LogLevel,
  LogMessage,
  Prompt,
  PromptArgument,
  PromptMessage,
  PromptResult,
  Resource,
  ResourceResult,
  ResourceTemplate,
  ServerInfo,
} from "./src/context.ts";
export {
  ConfigError,
  type ConfigFault,
  type Fault,
  isMCPError,
  MCPError,
  type MCPErrorCode,
  type MCPErrorOptions,
} from "./src/errors.ts";
export type {
  AuthorizationEvent,
  BreakerEvent,
  CallEvent,
  ClientEvent,
  ClientEventListener,
  ConnectedEvent,
  EventBase,
  FailedEvent,
  ToolsChangedEvent,
} from "./src/events.ts";
export type { FeatureClient, ReadOptions, ResourceSubscription } from "./src/feature_client.ts";
export type {
  Elicitation,
  ElicitationAnswer,
  FormElicitation,
  InputContext,
  InputHandlers,
  Root,
  SamplingAnswer,
  SamplingMessage,
  SamplingRequest,
  UrlElicitation,
} from "./src/input.ts";
export { InputRequiredError, type InputRequiredOptions, type InputRound } from "./src/input_round.ts";
export type { LatencySummary } from "./src/latency.ts";
export type { BreakerState } from "./src/resilience/breaker.ts";
export type { PinKeeper, PinnedDigests } from "./src/tools/pin_keeper.ts";
export type { PinDecision, PinnedTool, PinOutcome } from "./src/tools/pinned_tool.ts";
export type { ConnectionKeeper } from "./src/connection/opener.ts";
export type { SavedConnection } from "./src/connection/connection.ts";
export type { ListKind, ListWatch } from "./src/list_watch.ts";
export { MCPClient } from "./src/legacy_client.ts";
export { MemoryRouteStore, type MemoryRouteStoreOptions } from "./src/memory_route_store.ts";
export { MultiServerMCPClient } from "./src/multi_server_client.ts";
export type {
  ConnectToServersOptions,
  MultiServerMCPClientOptions,
  ReconnectOptions,
  TellOptions,
} from "./src/multi_server_options.ts";
export type {
  ContentBlock,
  EmbeddedResourceContent,
  Icon,
  JsonObject,
  JsonValue,
  MediaContent,
  Progress,
  ResourceContents,
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
  CallLimits,
  CollisionPolicy,
  EraChoice,
  JwtConfig,
  JwtRule,
  KeyConfig,
  PinChoice,
  PortolanConfig,
  ServerConfig,
  ToolFilter,
  TransportChoice,
} from "./src/server_config.ts";
export { SharedConnections } from "./src/server/server_links.ts";
export { SingleServerMCPClient } from "./src/single_server_client.ts";
export type { ListToolsOptions, SingleServerMCPClientOptions } from "./src/single_server_options.ts";
export type {
  AgentStatus,
  LastError,
  ListFreshness,
  OwnedPrompt,
  OwnedResource,
  OwnedResourceTemplate,
  OwnedTool,
  RoutedResult,
  RouteSource,
  ServerState,
  ServerStatus,
  ShadowedTool,
  ToolRoute,
} from "./src/status.ts";
export type { CallToolOptions, RequestOptions, ToolClient, TraceContext } from "./src/tool_client.ts";
