/**
 * What an administrator can do to the configuration that is kept in the store.
 *
 * @module
 */

import type { ConfigDifference } from "../config/config_difference.ts";

/**
 * The configuration that a gateway serves, and the one that is kept in the store.
 *
 * @example
 * ```ts
 * import type { ConfigState } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const state: ConfigState = { source: "file", inUse: true };
 * assertEquals(state.text, undefined);
 * ```
 */
export interface ConfigState {
  /** Where what is served is from: the store, a file, or the text of the environment. */
  readonly source: "store" | "file" | "text";
  /** The version that is kept in the store; `undefined` where none is. */
  readonly version?: string | undefined;
  /** When that was written, as an ISO time. */
  readonly writtenAt?: string | undefined;
  /** Its text. What is from a file or the environment is not told, as it may hold secrets. */
  readonly text?: string | undefined;
  /** Whether what is kept is what this isolate serves. */
  readonly inUse: boolean;
  /** Why it is not served here, where it was refused. */
  readonly fault?: string | undefined;
}

/**
 * How the configuration in the store is changed.
 *
 * @example
 * ```ts
 * import type { ConfigChangeOptions } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const options: ConfigChangeOptions = { ifVersion: null, dryRun: true };
 * assertEquals(options.ifVersion, null);
 * ```
 */
export interface ConfigChangeOptions {
  /** Only if the store keeps this version; `null`: only if it keeps none. @default {Whatever it keeps} */
  readonly ifVersion?: string | null | undefined;
  /** Whether it is only checked, and compared. @default {false} */
  readonly dryRun?: boolean | undefined;
}

/**
 * What has become of a change.
 *
 * @example
 * ```ts
 * import type { ConfigChange } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const difference = { added: ["Kairos"], removed: [], changed: [], gateway: [] };
 * const change: ConfigChange = { difference, version: undefined, effectiveWithinMs: 5_000 };
 * assertEquals(change.difference.added, ["Kairos"]);
 * ```
 */
export interface ConfigChange {
  /** What is different from what was served. */
  readonly difference: ConfigDifference;
  /** The version that the store keeps now; `undefined` where it keeps none. */
  readonly version: string | undefined;
  /** How long it may take until every isolate that is asked for something has taken it, in milliseconds. */
  readonly effectiveWithinMs: number;
}

/**
 * Reads and changes the configuration that is kept in the store, for all isolates.
 *
 * @example
 * ```ts
 * import type { ConfigAdmin } from "@portolan/mcp/gateway";
 *
 * const isKept = async (admin: ConfigAdmin) => (await admin.read()).version !== undefined;
 * ```
 */
export interface ConfigAdmin {
  /**
   * Reads it.
   *
   * @returns What is served, and what is kept.
   */
  read(): Promise<ConfigState>;
  /**
   * Checks a configuration, keeps it in the store, and serves it.
   *
   * @param text YAML or JSON; its secrets are references to the environment.
   * @param options What it replaces.
   * @returns What has become of it.
   */
  write(text: string, options?: ConfigChangeOptions): Promise<ConfigChange>;
  /**
   * Forgets it: what the file or the environment says is served again.
   *
   * @param options What is forgotten.
   * @returns What has become of it.
   */
  remove(options?: ConfigChangeOptions): Promise<ConfigChange>;
}
