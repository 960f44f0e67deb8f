/**
 * Reads one agent of a configuration file, and the servers it names.
 *
 * @module
 */

import { toAuthConfig } from "../auth/auth_config.ts";
import { checkCollisions, checkSecrets } from "./agent_checks.ts";
import { addWrongType, checkName, keyPath, readMapping } from "./config_checks.ts";
import { type KeyConfig, readKeys } from "./key_config.ts";
import { type CheckedServer, checkServer, fillServer, refersToSecrets, type ServerCheck } from "./server_checks.ts";
import { type AgentConfig, MAX_SERVER_NAME_LENGTH, type ServerConfig } from "../server_config.ts";
import { checkLimits } from "../limits/limits_config.ts";
import { type FieldCheck, readPlainText } from "./server_fields.ts";
import { renderTemplate } from "./template.ts";

/** A server of the file; what is `undefined` had a fault. */
export interface ServerEntry {
  /** The checked parts. */
  readonly checked: CheckedServer | undefined;
  /** The configuration, with references to the environment replaced. */
  readonly config: ServerConfig | undefined;
}

/** An agent of the file; it is complete only where no fault was found. */
export interface AgentEntry {
  /** The configuration, with references to the environment replaced. */
  readonly config: AgentConfig;
  /** The gateway's bearer keys for this agent, where they were given. */
  readonly keys: readonly (string | KeyConfig)[] | undefined;
}

/**
 * Reads a mapping of names to servers.
 *
 * @param value The servers as they were written.
 * @param path Where they are.
 * @param wanted What to write instead, for the fault.
 * @param check The environment, and who takes the faults.
 * @returns Every server by name.
 */
export function readServers(
  value: unknown,
  path: string,
  wanted: string,
  check: ServerCheck,
): ReadonlyMap<string, ServerEntry> {
  const servers = new Map<string, ServerEntry>();
  for (const [name, server] of readMapping(value, path, wanted, check.faults) ?? []) {
    const at = keyPath(path, name);
    checkName(name, MAX_SERVER_NAME_LENGTH, at, check.faults);
    const checked = checkServer(server, at, check);
    servers.set(name, { checked, config: checked && toServerConfig(checked) });
  }
  return servers;
}

/**
 * Reads the servers of one agent: a list of names of the file's servers, or a mapping of names to servers of its own.
 *
 * @param value The servers as they were written.
 * @param path Where they are.
 * @param defined The file's servers.
 * @param check The environment, and who takes the faults.
 * @returns The agent's servers by name, in order.
 */
export function readAgentServers(
  value: unknown,
  path: string,
  defined: ReadonlyMap<string, ServerEntry>,
  check: FieldCheck,
): ReadonlyMap<string, ServerEntry> {
  const { faults } = check;
  const wanted = "a list of the names of servers, or a mapping of names to servers";
  if (!Array.isArray(value)) return readServers(value, path, wanted, check);
  const servers = new Map<string, ServerEntry>();
  for (const [index, name] of value.entries()) {
    const at = keyPath(path, index);
    if (typeof name !== "string") {
      addWrongType(name, at, "the name of a server", faults);
    } else if (servers.has(name)) {
      faults.add(at, "Cannot list a server twice: remove one");
    } else {
      const server = defined.get(name);
      if (server !== undefined) servers.set(name, server);
      else faults.addUnknown(at, "server", name, defined.keys());
    }
  }
  return servers;
}

/**
 * Reads what an agent has besides its servers, and checks that its secrets fit them.
 *
 * @param fields The agent as it was written.
 * @param path Where it is; empty for the whole file.
 * @param servers The agent's servers.
 * @param check The environment, and who takes the faults.
 * @returns The agent.
 */
export function readAgent(
  fields: ReadonlyMap<string, unknown>,
  path: string,
  servers: ReadonlyMap<string, ServerEntry>,
  check: FieldCheck,
): AgentEntry {
  const { faults } = check;
  const at = (key: string) => keyPath(path, key);
  const wanted = "a string, in quotes where it looks like a number";
  const read = (value: unknown, where: string) => readPlainText(value, where, wanted, check);
  const secrets = checkSecrets(fields.get("secrets"), at("secrets"), [...servers.keys()], faults, read);
  const configs: Record<string, ServerConfig> = Object.create(null);
  const values: Record<string, Readonly<Record<string, string>>> = Object.create(null);
  for (const [name, { checked, config }] of servers) {
    const own = secrets.get(name);
    if (checked && own && refersToSecrets(checked)) fillServer(checked, own, check);
    if (config !== undefined) configs[name] = config;
    if (own !== undefined && own.values.size > 0) values[name] = toRecord(own.values);
  }
  const collisions = checkCollisions(fields.get("collisions"), at("collisions"), faults);
  const limits = checkLimits(fields.get("limits"), at("limits"), check);
  return {
    config: {
      servers: configs,
      ...(Object.keys(values).length > 0 && { secrets: values }),
      ...(collisions && { collisions }),
      ...(limits && { limits }),
    },
    keys: readKeys(fields.get("keys"), at("keys"), check),
  };
}

/** Writes a checked server so that it reads as the same server without an environment: with what was given, escaped. */
function toServerConfig(server: CheckedServer): ServerConfig | undefined {
  const { url, headers: _, fixedUrl: __, auth, tools, ...plain } = server;
  if (url === undefined) return undefined;
  const headers: Record<string, string> = Object.create(null);
  for (const [name, { template }] of server.headers) headers[name] = renderTemplate(template);
  const escape = (pattern: string) => renderTemplate([pattern]);
  const given = Object.entries(plain).filter(([, value]) => value !== undefined);
  return {
    url: renderTemplate(url.template),
    // Whatever holds no references is written as it was read.
    ...Object.fromEntries(given),
    ...(server.headers.size > 0 && { headers }),
    ...(auth && { auth: toAuthConfig(auth) }),
    ...(tools && {
      tools: {
        ...(tools.allow && { allow: tools.allow.map(escape) }),
        ...(tools.deny && { deny: tools.deny.map(escape) }),
      },
    }),
  };
}

function toRecord(values: ReadonlyMap<string, string | undefined>): Readonly<Record<string, string>> {
  const record: Record<string, string> = Object.create(null);
  for (const [name, value] of values) if (value !== undefined) record[name] = value;
  return record;
}
