/**
 * Makes a configuration of what other programs know of servers.
 *
 * @module
 */

import { variablesOf } from "../../config/variables.ts";
import { parseConfig } from "../../config_file.ts";
import { isMCPError } from "../../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol.ts";
import { MAX_SERVER_NAME_LENGTH } from "../../server_config.ts";
import type { EditorFile } from "./editor_file.ts";
import { toRemoteServer } from "./remote_server.ts";
import { toBridge, unwrapRemote } from "./stdio_server.ts";
import { type ImportedVariable, Variables } from "./variables.ts";

/** What became of a server. */
export interface ImportedServer {
  /** Its name in the configuration. */
  readonly server: string;
  /** Its name in the file, where that is another. */
  readonly was?: string | undefined;
  /** The file that it stands in. */
  readonly file: string;
  /** Whether it is in the configuration, needs a bridge first, or cannot be used. */
  readonly state: "imported" | "needs_bridge" | "left_out";
  /** Why it is not in the configuration. */
  readonly reason?: string | undefined;
  /** What starts it behind a bridge. */
  readonly bridge?: { readonly command: string; readonly url: string } | undefined;
  /** Fields of it that mean nothing here. */
  readonly ignored?: readonly string[] | undefined;
}

/** What came of an import. */
export interface ImportedServers {
  /** The configuration, or `undefined` where no server can be used. */
  readonly config: JsonObject | undefined;
  /** What became of each server. */
  readonly servers: readonly ImportedServer[];
  /** What has to be set in the environment. */
  readonly variables: readonly ImportedVariable[];
}

/** How servers are imported. */
export interface ImportOptions {
  /** The agent that is given them. */
  readonly agent: string;
  /** Whether servers that need a bridge are in the configuration, with its address. */
  readonly withBridges: boolean;
}

const FIRST_BRIDGE_PORT = 8_001;
const KNOWN_FIELDS = new Set([
  ...["url", "serverUrl", "httpUrl", "type", "headers", "command", "args", "env", "envFile", "cwd", "disabled"],
]);
const NEEDS_BRIDGE =
  "it is a process, which the edge cannot start: run it behind a bridge and give the address of that";

/**
 * Imports servers. Secrets in them become variables; the configuration is checked.
 *
 * @param files The files, nearest first: of servers of one name the first counts.
 * @param options How they are imported.
 * @returns The configuration, and what became of each server.
 */
export function importServers(files: readonly EditorFile[], options: ImportOptions): ImportedServers {
  const variables = new Variables(namesIn(files));
  const configs = new Map<string, JsonObject>();
  const secrets = new Map<string, JsonObject>();
  const servers: ImportedServer[] = [];
  const seen = new Set<string>();
  let port = FIRST_BRIDGE_PORT;
  for (const { path, servers: entries, inputs } of files) {
    for (const [was, value] of entries) {
      if (seen.has(was)) continue;
      seen.add(was);
      const server = toServerName(was, new Set(servers.map((one) => one.server)));
      const entry = isJsonObject(value) ? value : {};
      const known = { server, file: path, ...(server !== was && { was }), ...ignoredOf(entry) };
      const refuse = (reason: string) => void servers.push({ ...known, state: "left_out", reason });
      if (entry.disabled === true) {
        refuse("it is disabled there");
        continue;
      }
      const remote = typeof entry.command === "string" ? unwrapRemote(entry) : entry;
      if (remote === undefined) {
        const bridge = toBridge(entry, port++, { server, variables, inputs });
        const state = options.withBridges ? "imported" as const : "needs_bridge" as const;
        if (options.withBridges) configs.set(server, { url: bridge.url });
        servers.push({ ...known, state, bridge, ...(state === "needs_bridge" && { reason: NEEDS_BRIDGE }) });
        continue;
      }
      const made = toRemoteServer(remote, { server, variables, inputs });
      const own = Object.fromEntries("refused" in made ? [] : made.secrets.map((name) => [name, `\${env:${name}}`]));
      const checked = "refused" in made ? made.refused : checkServer(server, made.config, own);
      if (typeof checked === "string") {
        refuse(checked);
        continue;
      }
      configs.set(server, checked);
      if (Object.keys(own).length > 0) secrets.set(server, own);
      servers.push({ ...known, state: "imported" });
    }
  }
  const config = configs.size === 0 ? undefined : {
    servers: Object.fromEntries(configs),
    agents: {
      [options.agent]: {
        servers: [...configs.keys()],
        ...(secrets.size > 0 && { secrets: Object.fromEntries(secrets) }),
      },
    },
  };
  if (config !== undefined) check(config);
  return { config, servers, variables: variables.all };
}

/** The server as the configuration takes it; or its faults, which quote nothing of it. */
function checkServer(name: string, server: JsonObject, secrets: JsonObject): JsonObject | string {
  const faults = faultsOf(name, server, secrets);
  if (faults === undefined) return server;
  // The person's own file names the address already: that it is a private one is no accident.
  const allowed = { ...server, allowPrivate: true };
  return faultsOf(name, allowed, secrets) === undefined ? allowed : faults;
}

function faultsOf(name: string, server: JsonObject, secrets: JsonObject): string | undefined {
  try {
    check({ servers: { [name]: server }, agents: { default: { servers: [name], secrets: { [name]: secrets } } } });
    return undefined;
  } catch (error) {
    if (!isMCPError(error)) throw error;
    return error.faults.map(({ path, message }) => `${path.replace(`servers.${name}.`, "")}: ${message}`).join("; ");
  }
}

/**
 * What the variables will hold is not known: a configuration is good if there is something that it would be good with.
 */
function check(config: JsonObject): void {
  const text = JSON.stringify(config);
  const names = variablesOf(text);
  const withAll = (value: string) => ({ env: Object.fromEntries(names.map((name) => [name, value])) });
  try {
    parseConfig(text, withAll("value"));
  } catch (error) {
    if (names.length === 0) throw error;
    // A variable may be a whole address.
    parseConfig(text, withAll("https://mcp.example.com"));
  }
}

function toServerName(name: string, taken: ReadonlySet<string>): string {
  const plain = name.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[^A-Za-z]+|-+$/g, "").slice(0, MAX_SERVER_NAME_LENGTH);
  const base = plain === "" ? "server" : plain;
  let free = base;
  for (let count = 2; taken.has(free); count++) free = `${base.slice(0, MAX_SERVER_NAME_LENGTH - 4)}-${count}`;
  return free;
}

function ignoredOf(entry: { readonly [field: string]: JsonValue }): { readonly ignored?: readonly string[] } {
  const ignored = Object.keys(entry).filter((field) => !KNOWN_FIELDS.has(field));
  return ignored.length === 0 ? {} : { ignored };
}

/** The variables that the files name themselves, in references and as the environment of processes. */
function namesIn(files: readonly EditorFile[]): ReadonlySet<string> {
  const servers = files.flatMap(({ servers }) => [...servers.values()].filter(isJsonObject));
  const referred = [...JSON.stringify(servers).matchAll(/\$\{(?:env:)?([A-Za-z_]\w*)/g)].map(([, name = ""]) => name);
  const own = servers.flatMap(({ env }) => isJsonObject(env) ? Object.keys(env) : []);
  return new Set([...referred, ...own]);
}
