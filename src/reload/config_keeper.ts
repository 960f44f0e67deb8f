/**
 * The configuration that is served: where it is from, and how another one takes its place. One that is broken is refused,
 * and the one of before goes on.
 *
 * @module
 */

import { type ConfigDifference, describeDifference, diffConfigs, isSame } from "../config/config_difference.ts";
import type { Environment } from "../config/server_fields.ts";
import { isMCPError } from "../errors.ts";
import { parseConfigText, readConfigFile } from "../gateway/load_config.ts";
import type { Settings } from "../gateway/settings.ts";
import type { PortolanConfig } from "../server_config.ts";

/** What keeping a configuration works with. */
export interface ConfigKeeperDeps {
  /** The file's path, or the text itself. */
  readonly source: Settings["config"];
  /** The environment as it is now, for `${env:NAME}`: it is asked with each reading. */
  readonly env: () => Environment;
  /** Reads one variable, where not all of the environment may be read. @default {undefined, `env` is all that there is} */
  readonly readVariable?: ((name: string) => string | undefined) | undefined;
  /** Reads a file; `Deno.readTextFile`. */
  readonly readTextFile: (path: string) => Promise<string>;
  /** Refuses a configuration that cannot be served here. */
  readonly check: (config: PortolanConfig) => void;
  /** Told in words what was different about a configuration that is served now. */
  readonly onTaken: (message: string) => void;
  /** Told why a configuration was refused, once for each reason. */
  readonly onRefused: (message: string) => void;
}

/** A configuration, and where it is from. */
export interface ServedConfig {
  /** The configuration. */
  readonly config: PortolanConfig;
  /** Where it is from. */
  readonly from: "store" | "file" | "text";
}

/** Keeps the configuration of a program. */
export class ConfigKeeper {
  readonly #deps: ConfigKeeperDeps;
  #served: ServedConfig | undefined;
  #take: ((config: PortolanConfig) => Promise<unknown>) | undefined;
  /** What the file or the environment held when it was read last. */
  #text: string | undefined;
  #refusal: string | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /**
   * Creates a keeper; nothing is read.
   *
   * @param deps What it works with.
   */
  constructor(deps: ConfigKeeperDeps) {
    this.#deps = deps;
  }

  /** What is served; `undefined` before the start. */
  get served(): ServedConfig | undefined {
    return this.#served;
  }

  /** Where the configuration is from where the store keeps none. */
  get fallback(): "file" | "text" {
    return "text" in this.#deps.source ? "text" : "file";
  }

  /**
   * Reads the configuration of the start from the file or the environment.
   *
   * @returns The configuration.
   * @throws {MCPError} If it cannot be read or has faults (`invalid_config`).
   */
  async open(): Promise<PortolanConfig> {
    const config = await this.readFallback();
    this.begin({ config, from: this.fallback });
    return config;
  }

  /**
   * Reads what the file or the environment says now.
   *
   * @returns The configuration, checked.
   * @throws {MCPError} If it cannot be read or has faults (`invalid_config`).
   */
  async readFallback(): Promise<PortolanConfig> {
    const { source } = this.#deps;
    const text = "path" in source ? await readConfigFile(source.path, this.#deps) : source.text;
    this.#text = text;
    return await this.parse(text, this.#name);
  }

  /**
   * Reads a text.
   *
   * @param text The text.
   * @param name What to call it in faults.
   * @returns The configuration, checked.
   * @throws {ConfigError} If it has faults (`invalid_config`).
   */
  async parse(text: string, name: string): Promise<PortolanConfig> {
    const { env, readVariable } = this.#deps;
    const config = await parseConfigText(text, name, { env: env(), readVariable });
    this.#deps.check(config);
    return config;
  }

  /**
   * Says which configuration is served at the start.
   *
   * @param served The configuration.
   */
  begin(served: ServedConfig): void {
    this.#served = served;
  }

  /**
   * Says who serves another configuration from now on; until then none is taken.
   *
   * @param take Serves it, in one step.
   */
  serve(take: (config: PortolanConfig) => Promise<unknown>): void {
    this.#take = take;
  }

  /**
   * Reads the file or the environment anew and serves what it says, unless the store's configuration is served.
   *
   * @param options Whether it is taken also where the file is as it was: the environment may be another. Never rejects.
   */
  async reload(options: { readonly force?: boolean | undefined } = {}): Promise<void> {
    await this.inTurn(async () => {
      if (this.#served?.from === "store") return;
      const before = this.#text;
      try {
        const config = await this.readFallback();
        if (options.force !== true && this.#text === before) return;
        await this.take({ config, from: this.fallback });
      } catch (error) {
        this.refuse(error, this.#name);
      }
    });
  }

  /**
   * Does something after all that was asked for before.
   *
   * @param work What to do.
   * @returns What it resolves to.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  /**
   * What would be different.
   *
   * @param config Another configuration.
   * @returns What is different from what is served.
   */
  compare(config: PortolanConfig): ConfigDifference {
    return diffConfigs(this.#served?.config ?? { agents: {} }, config);
  }

  /**
   * Serves another configuration.
   *
   * @param next The configuration, checked, and where it is from.
   * @returns What is different.
   */
  async take(next: ServedConfig): Promise<ConfigDifference> {
    const difference = this.compare(next.config);
    if (!isSame(difference)) await this.#take?.(next.config);
    this.#served = next;
    this.#refusal = undefined;
    this.#deps.onTaken(`Configuration taken: ${describeDifference(difference)}`);
    return difference;
  }

  /**
   * Tells that a configuration was refused; of the same reason once.
   *
   * @param error Why.
   * @param name What the configuration is called.
   */
  refuse(error: unknown, name: string): void {
    const reason = describeRefusal(error);
    if (reason === this.#refusal) return;
    this.#refusal = reason;
    this.#deps.onRefused(`The configuration of before goes on, as "${name}" was refused: ${reason}`);
  }

  get #name(): string {
    const { source } = this.#deps;
    return "path" in source ? source.path : "PORTOLAN_CONFIG_TEXT";
  }
}

/**
 * Why a configuration was refused, in words that hold no value of it.
 *
 * @param error What was thrown.
 * @returns The reason.
 */
export function describeRefusal(error: unknown): string {
  if (isMCPError(error)) return error.message;
  return `Cannot use it as something failed (${error instanceof Error ? error.name : typeof error})`;
}
