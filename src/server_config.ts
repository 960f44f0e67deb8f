/**
 * The configuration of servers and agents: its types, its defaults, and its checks with paths.
 *
 * @module
 */

import type { AuthConfig } from "./auth/auth_config.ts";
import {
  checkCollisions,
  checkSecrets,
  checkServerSecrets,
  type CollisionPolicy,
  readSecret,
} from "./config/agent_checks.ts";
import { checkKeys, checkName, FaultList, keyPath, readMapping } from "./config/config_checks.ts";
import {
  type CheckedServer,
  checkServer,
  type EraChoice,
  type FilledServer,
  fillServer,
  type PinChoice,
  type TransportChoice,
} from "./config/server_checks.ts";
import type { JwtConfig } from "./config/jwt_config.ts";
import type { KeyConfig } from "./config/key_config.ts";
import type { Environment, FieldCheck } from "./config/server_fields.ts";
import { type CallLimits, checkLimits } from "./limits/limits_config.ts";
import type { ToolFilter } from "./tools/tool_filter.ts";

export type { CollisionPolicy } from "./config/agent_checks.ts";
export type { EraChoice, PinChoice, TransportChoice } from "./config/server_checks.ts";
export type { JwtConfig, JwtRule } from "./config/jwt_config.ts";
export type { KeyConfig } from "./config/key_config.ts";
export type { Environment } from "./config/server_fields.ts";
export type { CallLimits } from "./limits/limits_config.ts";
export type { ToolFilter } from "./tools/tool_filter.ts";

/** How many characters the name of a server may have. */
export const MAX_SERVER_NAME_LENGTH = 32;

/** How many characters the name of an agent may have. */
export const MAX_AGENT_NAME_LENGTH = 64;

/**
 * One MCP server. `${NAME}` in `url`, `headers` and `auth` is replaced from the agent's secrets for this server; `$${`
 * is a literal `${` in all its texts.
 *
 * @example
 * ```ts
 * import { type ServerConfig, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const config: ServerConfig = {
 *   url: "https://cal.example.com/mcp",
 *   headers: { authorization: "Bearer ${TOKEN}" },
 *   timeoutMs: 8_000,
 *   tools: { deny: ["delete_*"] },
 * };
 * await using client = new SingleServerMCPClient("calendar", config, { secrets: { TOKEN: "hunter22" } });
 * assertEquals(client.getStatus().url, "https://cal.example.com/mcp");
 * ```
 */
export interface ServerConfig {
  /** The endpoint, http or https, without userinfo. */
  readonly url: string;
  /** Which transport to speak. @default {"auto"} */
  readonly transport?: TransportChoice | undefined;
  /** Headers of every request to this server's own origin; nowhere else. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * The longest any one operation with this server may take (connect and list; one call), in milliseconds, from 1 to
   * 3,600,000.
   * @default {10_000 for connecting, 30_000 for a call}
   */
  readonly timeoutMs?: number | undefined;
  /** Which of its tools the agent may see and call. */
  readonly tools?: ToolFilter | undefined;
  /** Which protocol era to speak. @default {"auto"} */
  readonly era?: EraChoice | undefined;
  /**
   * What to do about a tool whose description or schema is no longer what it was first seen with: nothing, tell it in
   * the status and as an event, or withhold the tool too, until it is accepted. With both of them a tool can be withheld
   * by decision, too. @default {"off"}
   */
  readonly pin?: PinChoice | undefined;
  /**
   * Whether to keep a stream open on which the server tells that its tools have changed. Not for the edge, where
   * nothing runs between requests. @default {false}
   */
  readonly watch?: boolean | undefined;
  /**
   * Whether the hints of this server's tools are believed: then a call of a tool that says `readOnlyHint` or
   * `idempotentHint` may be sent again when its answer was lost. @default {false}
   */
  readonly trustAnnotations?: boolean | undefined;
  /** Whether a call's arguments are checked against the tool's schema before they are sent. @default {true} */
  readonly validateArguments?: boolean | undefined;
  /** Whether a result's `structuredContent` is checked against the tool's schema. @default {true} */
  readonly validateResults?: boolean | undefined;
  /** How to get tokens by OAuth 2.1, instead of an `authorization` among the headers. */
  readonly auth?: AuthConfig | undefined;
  /** Whether the URL may name a private or otherwise special address; loopback needs no leave. @default {false} */
  readonly allowPrivate?: boolean | undefined;
}

/**
 * Values for `${NAME}`, by the name of the server whose fields may use them; a value is never looked into.
 *
 * @example
 * ```ts
 * import { type AgentSecrets, MultiServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const secrets: AgentSecrets = { calendar: { TOKEN: "hunter22" } };
 * const headers = { authorization: "Bearer ${TOKEN}" };
 * const servers = { calendar: { url: "https://cal.example.com/mcp", headers } };
 * await using client = new MultiServerMCPClient("Kairos", { servers, secrets });
 * assertEquals(client.servers, ["calendar"]);
 * ```
 */
export type AgentSecrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * One agent and its servers, in the order that decides who owns a bare tool name.
 *
 * @example
 * ```ts
 * import { type AgentConfig, MultiServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const config: AgentConfig = {
 *   servers: {
 *     files: { url: "https://files.example.com/mcp" },
 *     backup: { url: "https://backup.example.com/mcp" },
 *   },
 *   collisions: "error",
 * };
 * await using client = new MultiServerMCPClient("Kairos", config);
 * assertEquals(client.getStatus().totalServers, 2);
 * ```
 */
export interface AgentConfig {
  /** The servers by name; names start with a letter and hold letters, digits, `_` and `-`, at most 32. */
  readonly servers: Readonly<Record<string, ServerConfig>>;
  /** Secrets of this agent for each server. */
  readonly secrets?: AgentSecrets | undefined;
  /** Who owns a bare name that several servers list. @default {"first"} */
  readonly collisions?: CollisionPolicy | undefined;
  /** How much of it may be used through the gateway. @default {The limits of the configuration} */
  readonly limits?: CallLimits | undefined;
}

/**
 * Many agents, as a configuration file gives them.
 *
 * @example
 * ```ts
 * import { MCPClientManager, type PortolanConfig } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const files = { url: "https://files.example.com/mcp" };
 * const config: PortolanConfig = { agents: { Kairos: { servers: { files } }, Mercurius: { servers: { files } } } };
 * await using manager = new MCPClientManager(config);
 * assertEquals(manager.agents, ["Kairos", "Mercurius"]);
 * ```
 */
export interface PortolanConfig {
  /** The agents by name; names start with a letter and hold letters, digits, `_` and `-`, at most 64. */
  readonly agents: Readonly<Record<string, AgentConfig>>;
  /** The gateway's bearer keys by agent: digests, as `sha256:` and 64 hex digits, or more about each. */
  readonly keys?: Readonly<Record<string, readonly (string | KeyConfig)[]>> | undefined;
  /** Whose tokens the gateway takes instead of a key. */
  readonly jwt?: readonly JwtConfig[] | undefined;
  /** Where callers reach the gateway: its origin. */
  readonly publicUrl?: string | undefined;
  /** The limits of every agent that does not set the same one itself. @default {no limits} */
  readonly limits?: CallLimits | undefined;
}

/** One server, checked, with its secrets and defaults filled in. */
export interface ResolvedServer extends FilledServer {
  /** The configured name. */
  readonly name: string;
}

/** One agent, checked, with its secrets and defaults filled in. */
export interface ResolvedAgent {
  /** The agent's name. */
  readonly agent: string;
  /** The servers, in the order that decides who owns a bare tool name. */
  readonly servers: readonly ResolvedServer[];
  /** Who owns a bare name that several servers list. */
  readonly collisions: CollisionPolicy;
}

/** How to resolve a configuration. */
export interface ResolveOptions {
  /** Where the configuration is, for the paths of faults. @default {"agents.<agent>" or "servers.<server>"} */
  readonly path?: string | undefined;
  /** The environment for `${env:NAME}`; without it such references are a fault. */
  readonly env?: Environment | undefined;
}

/**
 * Checks the configuration of an agent and fills in its secrets and defaults.
 *
 * @example
 * ```ts
 * import { resolveAgent } from "./server_config.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { servers } = resolveAgent("Kairos", {
 *   servers: { calendar: { url: "https://cal.example.com/mcp", headers: { Authorization: "Bearer ${TOKEN}" } } },
 *   secrets: { calendar: { TOKEN: "hunter22" } },
 * });
 * assertEquals(servers[0]?.headers.authorization?.reveal(), "Bearer hunter22");
 * ```
 *
 * @param agent The agent's name.
 * @param config The configuration; what types do not promise is checked as well.
 * @param options Where the configuration is, and the environment.
 * @returns The agent with all its servers, in order.
 * @throws {ConfigError} If there are faults, all of them at once (`invalid_config`).
 */
export function resolveAgent(agent: string, config: AgentConfig, options: ResolveOptions = {}): ResolvedAgent {
  const { path = keyPath("agents", agent), env } = options;
  const faults = new FaultList();
  const check = { env, faults };
  checkName(agent, MAX_AGENT_NAME_LENGTH, path, faults);
  const fields = readMapping(config, path, 'a mapping with "servers"', faults) ?? new Map<string, unknown>();
  faults.throwIfAny();
  checkKeys(fields, path, ["servers", "secrets", "collisions", "limits"], faults);
  const checked = checkServers(fields.get("servers"), keyPath(path, "servers"), check);
  const collisions = checkCollisions(fields.get("collisions"), keyPath(path, "collisions"), faults);
  checkLimits(fields.get("limits"), keyPath(path, "limits"), check);
  const names = [...checked.keys()];
  const read = (value: unknown, at: string) => readSecret(value, at, faults);
  const secrets = checkSecrets(fields.get("secrets"), keyPath(path, "secrets"), names, faults, read);
  const servers: ResolvedServer[] = [];
  for (const [name, server] of checked) {
    const own = secrets.get(name);
    const filled = server && own && fillServer(server, own, check);
    if (filled !== undefined) servers.push({ name, ...filled });
  }
  faults.throwIfAny();
  return { agent, servers, collisions: collisions ?? "first" };
}

/**
 * Checks the configuration of one server and fills in its secrets and defaults.
 *
 * @example
 * ```ts
 * import { resolveServer } from "./server_config.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(resolveServer("files", { url: "http://localhost:8000/mcp" }).transport, "auto");
 * ```
 *
 * @param name The server's name.
 * @param config The configuration; what types do not promise is checked as well.
 * @param secrets The values for `${NAME}` in its fields.
 * @param options Where the configuration is, and the environment.
 * @returns The server.
 * @throws {ConfigError} If there are faults, all of them at once (`invalid_config`).
 */
export function resolveServer(
  name: string,
  config: ServerConfig,
  secrets: Readonly<Record<string, string>> = {},
  options: ResolveOptions = {},
): ResolvedServer {
  const { path = keyPath("servers", name), env } = options;
  const faults = new FaultList();
  const check = { env, faults };
  checkName(name, MAX_SERVER_NAME_LENGTH, path, faults);
  const checked = checkServer(config, path, check);
  const secretsPath = keyPath("secrets", name);
  const values = checkServerSecrets(secrets, secretsPath, faults, (value, at) => readSecret(value, at, faults));
  const filled = checked && fillServer(checked, { path: secretsPath, values }, check);
  faults.throwIfAny();
  if (filled === undefined) throw new TypeError("Cannot resolve the server as a check failed without a fault");
  return { name, ...filled };
}

function checkServers(
  value: unknown,
  path: string,
  check: FieldCheck,
): ReadonlyMap<string, CheckedServer | undefined> {
  const checked = new Map<string, CheckedServer | undefined>();
  const { faults } = check;
  for (const [name, server] of readMapping(value, path, "a mapping of names to servers", faults) ?? []) {
    const at = keyPath(path, name);
    checkName(name, MAX_SERVER_NAME_LENGTH, at, faults);
    checked.set(name, checkServer(server, at, check));
  }
  return checked;
}
