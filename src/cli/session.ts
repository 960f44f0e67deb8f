/**
 * One run of a command: its options, and what they lead to.
 *
 * @module
 */

import { MCPError } from "../errors.ts";
import type { PortolanConfig } from "../server_config.ts";
import type { RequestOptions } from "../tool_client.ts";
import type { Agents } from "./agents.ts";
import { CliError } from "./cli_error.ts";
import type { GatewayHttp } from "./gateway_http.ts";
import type { CliIO } from "./io.ts";
import { Output, type OutputFlags } from "./output.ts";
import { ProgressLine } from "./progress_line.ts";
import { safeText } from "./safe_text.ts";

/** The options of commands that ask a gateway. */
export interface GatewayFlags extends OutputFlags {
  /** The address of a running gateway. */
  readonly url?: string | undefined;
  /** A key of the gateway, or `-` for the standard input. */
  readonly key?: string | undefined;
  /** The longest the command may wait, in milliseconds. */
  readonly timeout?: number | undefined;
}

/** The options that commands share. */
export interface SessionFlags extends GatewayFlags {
  /** The configuration file. */
  readonly config?: string | undefined;
}

const DEFAULT_CONFIG = "portolan.yaml";

/** One run of a command. */
export class Session {
  /** Where what is outside of the command is. */
  readonly io: CliIO;
  /** Where the command writes. */
  readonly output: Output;
  readonly #flags: SessionFlags;
  #stdinFor: string | undefined;

  /**
   * Takes the options; nothing is read yet.
   *
   * @param io What is outside of the command.
   * @param flags The options.
   */
  constructor(io: CliIO, flags: SessionFlags) {
    this.io = io;
    this.output = new Output(io, flags);
    this.#flags = flags;
  }

  /** The deadline and the cancellation of each request. */
  get request(): RequestOptions {
    return { timeoutMs: this.#flags.timeout, signal: this.io.signal };
  }

  /** Where the configuration is, as the options or the environment say: a path, or the name of the variable. */
  get configName(): string {
    return this.#configText === undefined ? this.#configPath : "PORTOLAN_CONFIG_TEXT";
  }

  /**
   * The agents that the options lead to.
   *
   * @returns The agents, to be closed by the caller.
   * @throws {CliError} If the options have a fault: `invalid_usage`.
   * @throws {MCPError} If the configuration has faults: `invalid_config`.
   */
  async openAgents(): Promise<Agents> {
    // Late, as much of what there is needs neither the one nor the other.
    const gateway = await this.findGateway();
    if (gateway !== undefined) return new (await import("./gateway_agents.ts")).GatewayAgents(gateway);
    const onWarning = (text: string) =>
      this.output.note(`${this.output.paintError("yellow", "Warning:")} ${safeText(text)}`);
    const { ConfigAgents } = await import("./config_agents.ts");
    return new ConfigAgents(await this.loadConfig(), { fetch: this.io.fetch, onWarning });
  }

  /**
   * The gateway that the options or the environment lead to.
   *
   * @returns The gateway, or `undefined` where a configuration file is meant.
   * @throws {CliError} If the options have a fault: `invalid_usage`.
   */
  async findGateway(): Promise<GatewayHttp | undefined> {
    const { url, config, key } = this.#flags;
    if (url !== undefined && config !== undefined) {
      throw new CliError("invalid_usage", "Cannot use --url beside --config: ask a gateway or read a file");
    }
    const address = url ?? (config === undefined ? this.io.env.PORTOLAN_URL || undefined : undefined);
    if (address === undefined) {
      if (key === undefined) return undefined;
      throw new CliError("invalid_usage", "Cannot use --key without --url: a configuration file needs no key");
    }
    const deps = { url: parseGatewayUrl(address), key: await this.#readKey(), fetch: this.io.fetch };
    return new (await import("./gateway_http.ts")).GatewayHttp(deps);
  }

  /**
   * As {@linkcode Session.findGateway}, for what a gateway alone can do.
   *
   * @returns The gateway.
   * @throws {CliError} If there is none: `invalid_usage`.
   */
  async requireGateway(): Promise<GatewayHttp> {
    const gateway = await this.findGateway();
    if (gateway !== undefined) return gateway;
    throw new CliError(
      "invalid_usage",
      "Cannot ask without a running gateway: give its address by --url or PORTOLAN_URL",
    );
  }

  /**
   * Reads the configuration.
   *
   * @returns The configuration.
   * @throws {MCPError} If it cannot be read or has faults: `invalid_config`.
   */
  async loadConfig(): Promise<PortolanConfig> {
    const { loadConfig } = await import("../gateway/load_config.ts");
    const { env } = this.io;
    const text = this.#configText;
    const source = text === undefined ? { path: this.#configPath } : { text };
    try {
      return await loadConfig(source, { env, readTextFile: (path) => this.io.readTextFile(path) });
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (!(cause instanceof Error) || cause.name !== "NotFound") throw error;
      const message =
        `Cannot read the configuration as there is no file "${this.#configPath}": write one, name another ` +
        `by --config, ask a running gateway by --url, or begin with "portolan import"`;
      throw new MCPError("invalid_config", message, { cause });
    }
  }

  /**
   * Reads a file that the person has named.
   *
   * @param path Its path.
   * @returns Its text.
   * @throws {CliError} If it cannot be read: `file_not_found`, `invalid_file`.
   */
  async readFile(path: string): Promise<string> {
    try {
      return await this.io.readTextFile(path);
    } catch (cause) {
      const name = cause instanceof Error ? cause.name : "";
      if (name === "NotFound") {
        throw new CliError("file_not_found", `Cannot read "${path}" as there is no such file`, { cause });
      }
      throw new CliError("invalid_file", `Cannot read the file "${path}" as it failed (${name})`, { cause });
    }
  }

  /**
   * Reads the standard input, which can be done once.
   *
   * @param what What it holds, in words.
   * @returns Its text.
   * @throws {CliError} If something else has been read from it: `invalid_usage`.
   */
  async readStdin(what: string): Promise<string> {
    if (this.#stdinFor !== undefined) {
      throw new CliError("invalid_usage", `Cannot read ${what} from standard input as that holds ${this.#stdinFor}`);
    }
    this.#stdinFor = what;
    const { abortable } = await import("@std/async");
    // A read cannot be ended: the person who interrupts does not wait for it.
    return await abortable(this.io.stdin.readText(), this.io.signal);
  }

  /**
   * Does work while a line tells a person what is waited for.
   *
   * @param text What is waited for.
   * @param work The work.
   * @returns What it resolves to.
   */
  async waiting<T>(text: string, work: (line: ProgressLine) => Promise<T>): Promise<T> {
    using line = new ProgressLine(this.io.stderr, this.output.paintError);
    line.show(text);
    return await work(line);
  }

  get #configPath(): string {
    return this.#flags.config ?? (this.io.env.PORTOLAN_CONFIG || DEFAULT_CONFIG);
  }

  get #configText(): string | undefined {
    const { PORTOLAN_CONFIG: path, PORTOLAN_CONFIG_TEXT: text } = this.io.env;
    return this.#flags.config === undefined && !path ? text || undefined : undefined;
  }

  async #readKey(): Promise<string | undefined> {
    const { key: flag } = this.#flags;
    const key = flag === "-"
      ? (await this.readStdin("the key")).trim()
      : flag ?? (this.io.env.PORTOLAN_KEY || undefined);
    // A header takes nothing else, and the runtime's own words would quote it.
    if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return key;
    throw new CliError(
      "invalid_usage",
      "Cannot use the key as it is empty or holds blanks or other characters than ASCII",
    );
  }
}

function parseGatewayUrl(text: string): URL {
  const url = URL.parse(text);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
  if (isPlain && url.search === "" && url.hash === "") return url;
  // It may hold a password: it is not quoted.
  const wanted = "write it as http://127.0.0.1:8000, without a user, a query or a fragment";
  throw new CliError("invalid_usage", `Cannot use the address of the gateway: ${wanted}`);
}
