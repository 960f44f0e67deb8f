/**
 * Reads a configuration out of data, whatever text the data came from.
 *
 * @module
 */

import { type AgentEntry, readAgent, readAgentServers, readServers, type ServerEntry } from "./agent_file.ts";
import { addWrongType, checkKeys, checkName, keyPath, readMapping } from "./config_checks.ts";
import { checkLimits } from "../limits/limits_config.ts";
import { readJwt } from "./jwt_config.ts";
import { readPublicUrl } from "./public_url.ts";
import { type AgentConfig, type KeyConfig, MAX_AGENT_NAME_LENGTH, type PortolanConfig } from "../server_config.ts";
import type { FieldCheck } from "./server_fields.ts";

/** The agent that a file with `mcpServers` describes. */
const DEFAULT_AGENT = "default";
/** What a file says of the gateway, in either shape; `$schema` is for editors. */
const GATEWAY_KEYS = ["jwt", "publicUrl", "limits", "$schema"] as const;
/** The keys of a file in our own shape. */
export const FILE_KEYS = ["servers", "agents", ...GATEWAY_KEYS] as const;
/** The keys of a file with `mcpServers`. */
export const ECOSYSTEM_KEYS = ["mcpServers", "secrets", "collisions", "keys", ...GATEWAY_KEYS] as const;
/** The keys of an agent. */
export const AGENT_KEYS = ["servers", "secrets", "collisions", "keys", "limits"] as const;

/**
 * Reads a configuration and checks all of it, so that each of its agents resolves without fault.
 *
 * @param data What the text holds.
 * @param check The environment, and who takes the faults.
 * @returns The agents, with references to the environment replaced and those to secrets left.
 * @throws {ConfigError} If there are faults, all of them at once (`invalid_config`).
 */
export function readConfigData(data: unknown, check: FieldCheck): PortolanConfig {
  const { faults } = check;
  const root = readMapping(data, "", 'a mapping with "servers" and "agents", or with "mcpServers"', faults) ??
    new Map<string, unknown>();
  faults.throwIfAny();
  const agents = root.has("mcpServers") ? readEcosystem(root, check) : readAgents(root, check);
  const jwt = readJwt(root.get("jwt"), "jwt", check);
  // Those of the only agent stand at the top there.
  const limits = root.has("mcpServers") ? undefined : checkLimits(root.get("limits"), "limits", check);
  const schema = root.get("$schema") ?? "";
  if (typeof schema !== "string") addWrongType(schema, "$schema", "the URL of this file's schema, or nothing", faults);
  const publicUrl = root.has("publicUrl") ? readPublicUrl(root.get("publicUrl"), "publicUrl", check) : undefined;
  faults.throwIfAny();
  const configs: Record<string, AgentConfig> = Object.create(null);
  const keys: Record<string, readonly (string | KeyConfig)[]> = Object.create(null);
  for (const [name, agent] of agents) {
    configs[name] = agent.config;
    if (agent.keys !== undefined) keys[name] = agent.keys;
  }
  return {
    agents: configs,
    ...(Object.keys(keys).length > 0 && { keys }),
    ...(limits && { limits }),
    ...(jwt && { jwt }),
    ...(publicUrl !== undefined && { publicUrl }),
  };
}

function readAgents(root: ReadonlyMap<string, unknown>, check: FieldCheck): ReadonlyMap<string, AgentEntry> {
  const { faults } = check;
  checkKeys(root, "", FILE_KEYS, faults);
  const wanted = "a mapping of names to servers";
  const servers = root.has("servers")
    ? readServers(root.get("servers"), "servers", wanted, check)
    : new Map<string, ServerEntry>();
  const agents = new Map<string, AgentEntry>();
  const entries = readMapping(root.get("agents"), "agents", "a mapping of names to agents", faults);
  for (const [name, value] of entries ?? []) {
    const path = keyPath("agents", name);
    checkName(name, MAX_AGENT_NAME_LENGTH, path, faults);
    const fields = readMapping(value, path, 'a mapping with "servers"', faults);
    if (fields === undefined) continue;
    checkKeys(fields, path, AGENT_KEYS, faults);
    const own = readAgentServers(fields.get("servers"), keyPath(path, "servers"), servers, check);
    agents.set(name, readAgent(fields, path, own, check));
  }
  return agents;
}

function readEcosystem(root: ReadonlyMap<string, unknown>, check: FieldCheck): ReadonlyMap<string, AgentEntry> {
  const mixed = ["servers", "agents"].filter((key) => root.has(key));
  for (const key of mixed) check.faults.add(key, 'Cannot stand beside "mcpServers": move its servers to "servers"');
  checkKeys(root, "", [...ECOSYSTEM_KEYS, ...mixed], check.faults);
  const wanted = "a mapping of names to servers";
  const servers = readServers(root.get("mcpServers"), "mcpServers", wanted, { ...check, acceptType: true });
  return new Map([[DEFAULT_AGENT, readAgent(root, "", servers, check)]]);
}
