/**
 * Reads a configuration file: YAML or JSON, in Portolan's own shape or as the `mcpServers` of other MCP programs.
 *
 * ```yaml
 * servers:
 *   fileio: { url: https://fileio.example.com/mcp, timeoutMs: 8000 }
 *   calendar:
 *     url: https://cal.example.com/mcp
 *     headers: { authorization: "Bearer ${TOKEN}" }
 *     tools: { deny: ["delete_*"] }
 * agents:
 *   Kairos:
 *     servers: [fileio, calendar]
 *     secrets:
 *       calendar: { TOKEN: "${env:KAIROS_CALENDAR_TOKEN}" }
 *     collisions: first
 *     keys: ["${env:KAIROS_KEY_DIGEST}", { digest: "${env:KAIROS_OLD_DIGEST}", id: "2026", expiresAt: 2027-01-31 }]
 *     limits: { callsPerMinute: 600 }
 *   Mercurius:
 *     servers:
 *       notes: { url: http://localhost:8000/mcp }
 * publicUrl: https://mcp.example.com
 * jwt: { issuer: "https://login.example.com", agents: { scope: "agent:" } }
 * limits: { callsPerMinutePerCaller: 60, concurrentCalls: 100 }
 * ```
 *
 * The `limits` at the top are those of every agent that does not set the same one itself.
 *
 * `${NAME}` in a server's `url`, `headers` and `auth` is a secret of the agent for that server; `${env:NAME}` and
 * `${env:NAME:-default}` are read from the environment, in every text of a server, in secrets and in keys; `$${` is a
 * literal `${`. A variable that is set but empty counts as not set. Nothing that came from outside is looked into again.
 *
 * `publicUrl` and `jwt` are about the gateway: where callers reach it, and whose tokens it takes instead of a key.
 *
 * A file with `mcpServers` is one agent with the name `default`; `secrets`, `collisions`, `keys` and `limits` stand
 * beside it:
 *
 * ```json
 * {
 *   "mcpServers": {
 *     "calendar": {
 *       "type": "http",
 *       "url": "https://cal.example.com/mcp",
 *       "headers": { "authorization": "Bearer ${env:CALENDAR_TOKEN}" }
 *     }
 *   }
 * }
 * ```
 *
 * @module
 */

import { FaultList } from "./config/config_checks.ts";
import { readConfigData } from "./config/config_data.ts";
import { parseText } from "./config/config_text.ts";
import type { Environment, PortolanConfig } from "./server_config.ts";

export type {
  AgentConfig,
  AgentSecrets,
  CallLimits,
  CollisionPolicy,
  Environment,
  EraChoice,
  JwtConfig,
  JwtRule,
  KeyConfig,
  PinChoice,
  PortolanConfig,
  ServerConfig,
  ToolFilter,
  TransportChoice,
} from "./server_config.ts";

/**
 * How to read a configuration file.
 *
 * @example
 * ```ts
 * import { ConfigError } from "@portolan/mcp";
 * import { parseConfig, type ParseConfigOptions } from "@portolan/mcp/config";
 * import { assertThrows } from "@std/assert";
 *
 * const options: ParseConfigOptions = { env: {}, source: "portolan.yaml" };
 * assertThrows(() => parseConfig("agents: {", options), ConfigError, "portolan.yaml");
 * ```
 */
export interface ParseConfigOptions {
  /** The environment for `${env:NAME}`. @default {{}} */
  readonly env?: Environment | undefined;
  /** What to call the text in faults, such as the name of its file. @default {"the text"} */
  readonly source?: string | undefined;
}

/**
 * Reads a configuration and checks all of it, so that each of its agents resolves without fault.
 *
 * @example
 * ```ts
 * import { parseConfig } from "@portolan/mcp/config";
 * import { assertEquals } from "@std/assert";
 *
 * const config = parseConfig(
 *   `
 * servers:
 *   calendar: { url: "https://cal.example.com/mcp", headers: { authorization: "Bearer \${TOKEN}" } }
 * agents:
 *   Kairos: { servers: [calendar], secrets: { calendar: { TOKEN: "\${env:CALENDAR_TOKEN}" } } }
 * `,
 *   { env: { CALENDAR_TOKEN: "hunter22" } },
 * );
 * assertEquals(config.agents.Kairos?.secrets?.calendar?.TOKEN, "hunter22");
 * ```
 *
 * @param text The text of the file, at most 1 MiB.
 * @param options The environment, and what to call the text.
 * @returns The agents, with references to the environment replaced and those to secrets left. Its mappings are objects
 * without a prototype.
 * @throws {ConfigError} If there are faults, all of them at once (`invalid_config`). No fault holds a value of the text
 * or of the environment.
 */
export function parseConfig(text: string, options: ParseConfigOptions = {}): PortolanConfig {
  const { env = {}, source } = options;
  const faults = new FaultList();
  const data = parseText(text, source, faults);
  faults.throwIfAny();
  return readConfigData(data, { env, faults });
}
