/**
 * The store port of the route cache: plain JSON under a key, with a version to compare. Stores are dumb; the caller
 * decides what is fresh.
 *
 * @module
 */

import type { JsonObject } from "./protocol.ts";

/** What every store takes: values of up to this many bytes, measured as UTF-8 JSON. Larger ones are refused. */
export const MAX_ROUTE_VALUE_BYTES = 60_000;
/** The longest that KV keeps a value, in milliseconds: what is in use is written anew long before. */
export const MAX_KEPT_MS = 365 * 86_400_000;
/** After how long it is written anew, in milliseconds. */
export const RENEWED_AFTER_MS = 30 * 86_400_000;

/**
 * A key: a path of parts, compared part by part. Not empty, and every part is well-formed Unicode.
 *
 * @example
 * ```ts
 * import { MemoryRouteStore, type RouteKey } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const key: RouteKey = ["v1", "routes", "Kairos"];
 * assertEquals(await new MemoryRouteStore().get(key), undefined);
 * ```
 */
export type RouteKey = readonly string[];

/**
 * A stored value and the version it had when it was read.
 *
 * @example
 * ```ts
 * import { MemoryRouteStore, type RouteStoreItem } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new MemoryRouteStore();
 * const version = await store.set(["greeting"], { text: "ahoy" }, { expiresAtMs: Date.now() + 60_000 });
 * const item: RouteStoreItem | undefined = await store.get(["greeting"]);
 * assertEquals(item?.version, version);
 * ```
 */
export interface RouteStoreItem {
  /** The value as it was set; the caller checks its shape. */
  readonly value: unknown;
  /** Changes with every write of the key, and is never used again. */
  readonly version: string;
}

/**
 * How a value is set.
 *
 * @example Only if there is none
 * ```ts
 * import { MemoryRouteStore, type RouteStoreSetOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new MemoryRouteStore();
 * const options: RouteStoreSetOptions = { expiresAtMs: Date.now() + 60_000, ifVersion: null };
 * await store.set(["greeting"], { text: "ahoy" }, options);
 * assertEquals(await store.set(["greeting"], { text: "moin" }, options), undefined);
 * ```
 */
export interface RouteStoreSetOptions {
  /** After this time, in milliseconds since the epoch, the store may forget the value. */
  readonly expiresAtMs: number;
  /** Set only if the key still has this version; `null`: only if it has no value. Without it, always. */
  readonly ifVersion?: string | null | undefined;
}

/**
 * How a value is deleted.
 *
 * @example Only what was read
 * ```ts
 * import { MemoryRouteStore, type RouteStoreDeleteOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new MemoryRouteStore();
 * await store.set(["greeting"], { text: "ahoy" }, { expiresAtMs: Date.now() + 60_000 });
 * const options: RouteStoreDeleteOptions = { ifVersion: (await store.get(["greeting"]))?.version };
 * assertEquals(await store.delete(["greeting"], options), true);
 * ```
 */
export interface RouteStoreDeleteOptions {
  /** Delete only if the key still has this version. Without it, always. */
  readonly ifVersion?: string | undefined;
}

/**
 * Keeps routes between requests and between isolates. Every method may reject; the caller survives it. A value whose
 * `expiresAtMs` has passed reads as none, whether the store has removed it yet or not.
 *
 * @example Apart from the values of others
 * ```ts
 * import { MemoryRouteStore, type RouteStore } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const under = (prefix: string, store: RouteStore): RouteStore => ({
 *   get: (key) => store.get([prefix, ...key]),
 *   set: (key, value, options) => store.set([prefix, ...key], value, options),
 *   delete: (key, options) => store.delete([prefix, ...key], options),
 * });
 * assertEquals(await under("staging", new MemoryRouteStore()).get(["greeting"]), undefined);
 * ```
 */
export interface RouteStore {
  /**
   * Reads a value.
   *
   * @param key Where it is.
   * @returns The value with its version, or `undefined` where there is none. A copy: changing it changes no store.
   */
  get(key: RouteKey): Promise<RouteStoreItem | undefined>;
  /**
   * Writes a value.
   *
   * @param key Where it goes.
   * @param value Plain JSON.
   * @param options Its end and the version it replaces.
   * @returns The new version, or `undefined` where `ifVersion` did not hold and nothing was written.
   * @throws {RangeError} If the value is larger than 60,000 bytes, or `expiresAtMs` is not finite.
   */
  set(key: RouteKey, value: JsonObject, options: RouteStoreSetOptions): Promise<string | undefined>;
  /**
   * Deletes a value.
   *
   * @param key Where it is.
   * @param options The version it must still have.
   * @returns Whether the key has no value now.
   */
  delete(key: RouteKey, options?: RouteStoreDeleteOptions): Promise<boolean>;
}
