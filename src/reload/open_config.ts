/**
 * The configuration of a program, from its start to its end: read from the file, the environment or the store, and taken
 * anew when it is another.
 *
 * @module
 */

import type { Environment } from "../config/server_fields.ts";
import type { Settings } from "../gateway/settings.ts";
import type { RouteStore } from "../route_store.ts";
import type { PortolanConfig } from "../server_config.ts";
import type { ConfigAdmin } from "./config_admin.ts";
import { ConfigKeeper } from "./config_keeper.ts";
import type { FileWatchDeps } from "./file_watch.ts";
import type { KeptConfig } from "./kept_config.ts";

/** What a configuration is opened with. */
export interface OpenConfigDeps extends Pick<FileWatchDeps, "watch" | "realPath"> {
  /** Reads a file; `Deno.readTextFile`. */
  readonly readTextFile: (path: string) => Promise<string>;
  /** The environment as it is now. */
  readonly env: () => Environment;
  /** Reads one variable, where not all of the environment may be read. @default {undefined, `env` is all that there is} */
  readonly readVariable?: ((name: string) => string | undefined) | undefined;
  /** What all isolates share, read strongly; `undefined` where there is nothing. It may still be opening. */
  readonly shared: Promise<RouteStore | undefined>;
  /** Refuses a configuration that cannot be served here. */
  readonly check: (config: PortolanConfig) => void;
  /** Told in words what was different about a configuration that is served now, and what an operator wants to know. */
  readonly onTaken: (message: string) => void;
  /** Told what was refused, and what does not work. */
  readonly onWarning: (message: string) => void;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/** A configuration that is served. */
export interface OpenedConfig {
  /** That of the start. */
  readonly config: PortolanConfig;
  /** What administrators read and change; `undefined` where none is taken from the store. */
  readonly admin: ConfigAdmin | undefined;
  /**
   * Says who serves another configuration from now on.
   *
   * @param take Serves it, in one step.
   */
  serve(take: (config: PortolanConfig) => Promise<unknown>): void;
  /** Looks whether the store keeps another, where it is time to: after requests, never before them. */
  readonly poll: (() => void) | undefined;
  /** Reads everything anew, the environment included. Never rejects. */
  reload(): Promise<void>;
  /** Takes the file anew whenever it is written. */
  watch(): Promise<void>;
  /** Watches no longer. */
  close(): void;
}

/**
 * Opens the configuration that the settings speak of.
 *
 * @param settings The settings.
 * @param deps What it works with.
 * @returns The configuration of the start, and how it becomes another.
 * @throws {MCPError} If there is none that can be served (`invalid_config`).
 */
export async function openConfig(
  settings: Pick<Settings, "config" | "configFrom" | "reload" | "storeSecret">,
  deps: OpenConfigDeps,
): Promise<OpenedConfig> {
  const { onWarning } = deps;
  const { config: source } = settings;
  const keeper = new ConfigKeeper({ ...deps, source, onRefused: onWarning });
  const kept = settings.configFrom === undefined ? undefined : await openKept(keeper, settings.storeSecret, deps);
  const config = await (kept ?? keeper).open();
  let unwatch: (() => void) | undefined;
  let isClosed = false;
  return {
    config,
    admin: kept,
    serve: (take) => keeper.serve(take),
    poll: kept && (() => kept.poll()),
    async reload() {
      await kept?.refresh({ force: true });
      await keeper.reload({ force: true });
    },
    async watch() {
      if (!("path" in source) || settings.reload === "off") return;
      const { watchFile } = await import("./file_watch.ts");
      unwatch = await watchFile(source.path, {
        watch: deps.watch,
        realPath: deps.realPath,
        onChange: () => void keeper.reload(),
        onFailure: (error) => {
          const reason = error instanceof Error && error.name === "NotCapable"
            ? "this program may not read its folder"
            : "that failed";
          const tell = settings.reload === "watch" ? onWarning : deps.onTaken;
          tell(`Cannot watch "${source.path}" as ${reason}: SIGHUP has it read anew`);
        },
      });
      if (isClosed) return unwatch();
      // It may have been written since it was read, when nobody watched.
      await keeper.reload();
    },
    close() {
      isClosed = true;
      unwatch?.();
    },
  };
}

async function openKept(
  keeper: ConfigKeeper,
  secret: Uint8Array | undefined,
  { shared, onWarning, now }: OpenConfigDeps,
): Promise<KeptConfig | undefined> {
  const store = await shared;
  if (store === undefined || secret === undefined) {
    onWarning(`Cannot take the configuration from KV as this runtime has none: the ${keeper.fallback} holds`);
    return undefined;
  }
  const [{ KeptConfig }, { StoredConfig }] = await Promise.all([
    import("./kept_config.ts"),
    import("./stored_config.ts"),
  ]);
  return new KeptConfig({ keeper, stored: new StoredConfig({ store, secret, now }), onWarning, now });
}
