/**
 * The configuration of one isolate that is kept in a store which several of them share.
 *
 * @module
 */

import { type ConfigDifference, diffConfigs } from "../../src/config/config_difference.ts";
import type { Environment } from "../../src/config/server_fields.ts";
import { ConfigError } from "../../src/errors.ts";
import { ConfigKeeper } from "../../src/reload/config_keeper.ts";
import { KeptConfig } from "../../src/reload/kept_config.ts";
import { StoredConfig } from "../../src/reload/stored_config.ts";
import type { RouteStore } from "../../src/route_store.ts";
import type { PortolanConfig } from "../../src/server_config.ts";

/** The secret of all isolates. */
export const CONFIG_SECRET: Uint8Array = new TextEncoder().encode("a secret of more than 16 bytes");

/** A configuration of one agent with one server, and with further lines. */
export function toYaml(server: string, rest = ""): string {
  return `servers: { ${server}: { url: "https://${server}.example.com/mcp" } }\nagents: { Kairos: { servers: [${server}] } }\n${rest}`;
}

/** What an isolate is to be like. */
export interface TestIsolateOptions {
  /** What all isolates share. */
  readonly store: RouteStore;
  /** The configuration of its environment. @default {One with the server "first"} */
  readonly text?: string;
  /** Its environment. @default {{}} */
  readonly env?: Environment;
  /** Its secret. @default {That of all} */
  readonly secret?: Uint8Array;
  /** The clock. */
  readonly now: () => number;
}

/** One isolate. */
export interface TestIsolate {
  /** What administrators use. */
  readonly kept: KeptConfig;
  /** What keeps the configuration. */
  readonly keeper: ConfigKeeper;
  /** What is served. */
  served: PortolanConfig;
  /** The names of the servers of Kairos. */
  readonly servers: () => readonly string[];
  /** Everything that was said. */
  readonly said: string[];
}

/** Opens an isolate; an agent called `Forbidden` cannot be served there. */
export async function openIsolate(options: TestIsolateOptions): Promise<TestIsolate> {
  const { store, text = toYaml("first"), env = {}, secret = CONFIG_SECRET, now } = options;
  const said: string[] = [];
  const keeper = new ConfigKeeper({
    source: { text },
    env: () => env,
    readTextFile: () => Promise.reject(new TypeError("There is no file")),
    check: ({ agents }) => {
      if ("Forbidden" in agents) throw new ConfigError([{ path: "agents.Forbidden", message: "Cannot be served" }]);
    },
    onTaken: (message) => said.push(message),
    onRefused: (message) => said.push(message),
  });
  const stored = new StoredConfig({ store, secret, now, opTimeoutMs: 50 });
  const kept = new KeptConfig({ keeper, stored, onWarning: (message) => said.push(message), now });
  const isolate: TestIsolate = {
    kept,
    keeper,
    served: await kept.open(),
    servers: () => Object.keys(isolate.served.agents.Kairos?.servers ?? {}),
    said,
  };
  keeper.serve((config): Promise<ConfigDifference> => {
    const difference = diffConfigs(isolate.served, config);
    isolate.served = config;
    return Promise.resolve(difference);
  });
  return isolate;
}
