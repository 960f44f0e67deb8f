/**
 * Finds the configuration that the settings speak of and reads it.
 *
 * @module
 */

import { FaultList } from "../config/config_checks.ts";
import { readConfigData } from "../config/config_data.ts";
import { parseJsonText } from "../config/json_text.ts";
import { variablesOf } from "../config/variables.ts";
import { MCPError } from "../errors.ts";
import type { PortolanConfig } from "../server_config.ts";
import type { Environment } from "../config/server_fields.ts";
import type { Settings } from "./settings.ts";

/** What reading the configuration works with. */
export interface LoadConfigDeps {
  /** The environment, for `${env:NAME}`. */
  readonly env: Environment;
  /**
   * Reads one variable, where not all of the environment may be read; `Deno.env.get`.
   * @default {undefined, `env` is all that there is}
   */
  readonly readVariable?: ((name: string) => string | undefined) | undefined;
  /** Reads a file; `Deno.readTextFile`. */
  readonly readTextFile: (path: string) => Promise<string>;
}

const EXAMPLE = `servers: { files: { url: "https://files.example.com/mcp" } }
agents: { Kairos: { servers: [files] } }`;

/**
 * Reads the configuration.
 *
 * @param source The file's path, or the text itself.
 * @param deps How to read it.
 * @returns The configuration.
 * @throws {MCPError} If the file cannot be read (`invalid_config`).
 * @throws {ConfigError} If the text has faults (`invalid_config`).
 */
export async function loadConfig(source: Settings["config"], deps: LoadConfigDeps): Promise<PortolanConfig> {
  if ("text" in source) return await parseConfigText(source.text, "PORTOLAN_CONFIG_TEXT", deps);
  return await parseConfigText(await readConfigFile(source.path, deps), source.path, deps);
}

/**
 * Reads the text of a configuration. What reads YAML takes longer to load than all of the rest takes to run: JSON does
 * without.
 *
 * @param text The text.
 * @param source What to call it in faults.
 * @param deps The environment.
 * @returns The configuration.
 * @throws {ConfigError} If the text has faults (`invalid_config`).
 */
export async function parseConfigText(
  text: string,
  source: string,
  deps: Pick<LoadConfigDeps, "env" | "readVariable">,
): Promise<PortolanConfig> {
  const env = readEnvironment(text, deps);
  const data = parseJsonText(text);
  if (data !== undefined) return readConfigData(data, { env, faults: new FaultList() });
  const { parseConfig } = await import("../config_file.ts");
  return parseConfig(text, { env, source });
}

function readEnvironment(
  text: string,
  { env, readVariable }: Pick<LoadConfigDeps, "env" | "readVariable">,
): Environment {
  if (readVariable === undefined) return env;
  const own = variablesOf(text).map((name) => {
    try {
      return [name, readVariable(name)] as const;
    } catch (cause) {
      const message =
        `Cannot read environment variable "${name}" as this program may not: allow it with --allow-env=${name}`;
      throw new MCPError("invalid_config", message, { cause });
    }
  });
  return { ...env, ...Object.fromEntries(own) };
}

/**
 * Reads the file of a configuration.
 *
 * @param path Its path.
 * @param deps How to read it.
 * @returns Its text.
 * @throws {MCPError} If it cannot be read (`invalid_config`).
 */
export async function readConfigFile(path: string, deps: Pick<LoadConfigDeps, "readTextFile">): Promise<string> {
  try {
    return await deps.readTextFile(path);
  } catch (cause) {
    // By name, as the classes are the runtime's own.
    const name = cause instanceof Error ? cause.name : "";
    if (name === "NotFound") {
      throw new MCPError(
        "invalid_config",
        `Cannot read the configuration as there is no file "${path}": write one, or set PORTOLAN_CONFIG to its path. ` +
          `Two lines are enough:\n\n${EXAMPLE}\n`,
        { cause },
      );
    }
    const reason = name === "NotCapable" ? "this program may not: allow it with --allow-read" : `it failed (${name})`;
    throw new MCPError("invalid_config", `Cannot read the configuration file "${path}" as ${reason}`, { cause });
  }
}
