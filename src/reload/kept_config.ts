/**
 * The configuration that is kept in the store, for all isolates: it goes before the file and the environment. Isolates
 * look from time to time whether it is another; each checks it for itself and goes on with the last good one.
 *
 * @module
 */

import { ConfigError, isMCPError } from "../errors.ts";
import { RequestError } from "../gateway/request_error.ts";
import type { PortolanConfig } from "../server_config.ts";
import type { ConfigAdmin, ConfigChange, ConfigChangeOptions, ConfigState } from "./config_admin.ts";
import { type ConfigKeeper, describeRefusal } from "./config_keeper.ts";
import { refuseLiteralSecrets } from "./literal_secrets.ts";
import { MAX_CONFIG_BYTES, type StoredConfig, type StoredHead, type StoredText } from "./stored_config.ts";

/** How long it may take until an isolate that is asked for something looks for another configuration, in milliseconds. */
export const CONFIG_MAX_AGE_MS = 5_000;

const NAME = "the configuration in the store";
const RETRY_AFTER_MS = 1_000;

/** What the kept configuration works with. */
export interface KeptConfigDeps {
  /** Serves it. */
  readonly keeper: ConfigKeeper;
  /** Keeps it. */
  readonly stored: StoredConfig;
  /** Told what is wrong with the store. */
  readonly onWarning: (message: string) => void;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/** Keeps the configuration of all isolates. */
export class KeptConfig implements ConfigAdmin {
  readonly #deps: KeptConfigDeps;
  readonly #now: () => number;
  /** The newest text that this isolate has taken, or refused; `null` is the file or the environment. */
  #seen: string | null | undefined;
  /** The text that is served. */
  #serving: string | undefined;
  #fault: string | undefined;
  #lookedAtMs = -Infinity;
  /** The text of which it has been said that it cannot be read. */
  #unreadable: string | undefined;

  /**
   * Creates it; nothing is read.
   *
   * @param deps What it works with.
   */
  constructor(deps: KeptConfigDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /**
   * Reads the configuration of the start: the newest that is kept, else the one before that, else the file's or the
   * environment's.
   *
   * @returns The configuration.
   * @throws {MCPError} If none of them can be served (`invalid_config`).
   */
  async open(): Promise<PortolanConfig> {
    const { keeper, stored, onWarning } = this.#deps;
    const item = await stored.read();
    this.#lookedAtMs = this.#now();
    if (item === undefined) {
      onWarning(`Cannot read ${NAME} as the store does not answer: the ${keeper.fallback} holds until it does`);
      return await keeper.open();
    }
    const { current, previous } = item.head ?? { current: null, previous: null };
    this.#seen = current?.id ?? null;
    if (current === null) return await keeper.open();
    // The one before would open what has been closed since: the newest is not given up for one reading that failed.
    for (const text of [current, current, current, previous]) {
      // Refused, which another reading does not change.
      if (text === null || (text === current && this.#fault !== undefined)) continue;
      const config = await this.#tryToRead(text, text === current);
      if (config === null) continue;
      if (text !== current) this.#lookedAtMs = -Infinity;
      keeper.begin({ config, from: "store" });
      this.#serving = text.id;
      return config;
    }
    return await keeper.open();
  }

  /** Looks whether another configuration is kept, where it is time to: beside requests, never before them. */
  poll(): void {
    const ageMs = this.#now() - this.#lookedAtMs;
    // A negative age means that the clock was set back.
    if (ageMs >= 0 && ageMs < CONFIG_MAX_AGE_MS) return;
    this.#lookedAtMs = this.#now();
    void this.refresh();
  }

  /**
   * Takes what is kept now, where it is another configuration. Never rejects.
   *
   * @param options Whether it is read anew also where it is the same: the environment may be another.
   */
  async refresh(options: { readonly force?: boolean | undefined } = {}): Promise<void> {
    const { keeper, stored } = this.#deps;
    await keeper.inTurn(async () => {
      const item = await stored.read();
      // Where everything was lost, the last good one goes on: nobody has deleted it.
      if (item?.head === undefined) return;
      const { current } = item.head;
      const isSame = this.#seen === (current?.id ?? null);
      if (!isSame || options.force === true) await this.#takeNewest(current);
      await stored.renew(item);
    }).catch((error) => keeper.refuse(error, NAME));
  }

  /** As {@linkcode ConfigAdmin.read}. */
  async read(): Promise<ConfigState> {
    const { keeper, stored } = this.#deps;
    const source = keeper.served?.from ?? keeper.fallback;
    const item = await stored.read();
    if (item === undefined) throw toUnavailable();
    const current = item.head?.current ?? null;
    if (current === null) return { source, inUse: source !== "store" };
    const text = await stored.open(current);
    if (text === undefined) throw toUnavailable();
    const inUse = this.#serving === current.id;
    return {
      source,
      version: current.id,
      writtenAt: new Date(current.writtenAtMs).toISOString(),
      text,
      inUse,
      ...(this.#fault !== undefined && this.#seen === current.id && !inUse && { fault: this.#fault }),
    };
  }

  /** As {@linkcode ConfigAdmin.write}. */
  async write(text: string, options: ConfigChangeOptions = {}): Promise<ConfigChange> {
    const { keeper, stored } = this.#deps;
    if (new TextEncoder().encode(text).byteLength > MAX_CONFIG_BYTES) {
      throw new RequestError("body_too_large", `Cannot keep a configuration of more than ${MAX_CONFIG_BYTES} bytes`);
    }
    return await keeper.inTurn(async () => {
      const config = await refusing(async () => {
        const config = await keeper.parse(text, "the body");
        refuseLiteralSecrets(text);
        return config;
      });
      return await this.#change(config, options, () => stored.write(text, options.ifVersion));
    });
  }

  /** As {@linkcode ConfigAdmin.remove}. */
  async remove(options: ConfigChangeOptions = {}): Promise<ConfigChange> {
    const { keeper, stored } = this.#deps;
    return await keeper.inTurn(async () => {
      const config = await refusing(() => keeper.readFallback());
      return await this.#change(config, options, () => stored.write(null, options.ifVersion));
    });
  }

  async #change(
    config: PortolanConfig,
    options: ConfigChangeOptions,
    write: () => Promise<StoredHead>,
  ): Promise<ConfigChange> {
    const { keeper, stored } = this.#deps;
    const effectiveWithinMs = CONFIG_MAX_AGE_MS;
    if (options.dryRun === true) {
      const item = await stored.read();
      if (item === undefined) throw toUnavailable();
      return { difference: keeper.compare(config), version: item.head?.current?.id, effectiveWithinMs };
    }
    const { current } = await write();
    const difference = await this.#take(config, current);
    return { difference, version: current?.id, effectiveWithinMs };
  }

  async #takeNewest(current: StoredText | null): Promise<void> {
    const { keeper } = this.#deps;
    if (current !== null) {
      const config = await this.#tryToRead(current, true);
      if (config !== null) await this.#take(config, current);
      return;
    }
    try {
      await this.#take(await keeper.readFallback(), null);
    } catch (error) {
      this.#refuse(error, null);
    }
  }

  /** The configuration of a text; `null` where it cannot be had or served. */
  async #tryToRead(text: StoredText, isNewest: boolean): Promise<PortolanConfig | null> {
    const { keeper, stored, onWarning } = this.#deps;
    const content = await stored.open(text);
    if (content === undefined) {
      // It may be whole in a moment; or nobody here has the secret that it was encrypted with.
      if (this.#unreadable !== text.id) {
        onWarning(`Cannot read ${NAME}, as it is not whole or PORTOLAN_STORE_SECRET is another than it was`);
      }
      this.#unreadable = text.id;
      if (isNewest) this.#seen = undefined;
      return null;
    }
    try {
      return await keeper.parse(content, NAME);
    } catch (error) {
      if (isNewest) this.#refuse(error, text.id);
      return null;
    }
  }

  async #take(config: PortolanConfig, text: StoredText | null) {
    const { keeper } = this.#deps;
    const difference = await keeper.take({ config, from: text === null ? keeper.fallback : "store" });
    this.#seen = text?.id ?? null;
    this.#serving = text?.id;
    this.#fault = undefined;
    return difference;
  }

  #refuse(error: unknown, id: string | null): void {
    this.#seen = id;
    this.#fault = describeRefusal(error);
    this.#deps.keeper.refuse(error, NAME);
  }
}

/** What is wrong with a configuration is for whoever sends it to mend. */
async function refusing(work: () => Promise<PortolanConfig>): Promise<PortolanConfig> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConfigError) {
      throw new RequestError("config_refused", "Cannot use the configuration as it has faults", {
        faults: error.faults,
      });
    }
    if (isMCPError(error)) throw new RequestError("config_refused", error.message);
    throw error;
  }
}

function toUnavailable(): RequestError {
  return new RequestError("config_unavailable", "Cannot read the configuration as the store does not answer", {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
