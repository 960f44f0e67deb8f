/**
 * A route store on a Deno KV database: routes survive the isolate and are shared by all of them.
 *
 * @example
 * ```ts
 * import { KvRouteStore } from "@portolan/mcp/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = await Deno.openKv(":memory:");
 * const store = new KvRouteStore(kv);
 * await store.set(["greeting"], { text: "ahoy" }, { expiresAtMs: Date.now() + 60_000 });
 * assertEquals((await store.get(["greeting"]))?.value, { text: "ahoy" });
 * kv.close();
 * ```
 *
 * @module
 */

import { checkTimeout } from "./deadline.ts";
import type { KvAtomicOperation, KvDatabase } from "./cache/kv_database.ts";
import type { JsonObject, JsonValue } from "./protocol.ts";
import {
  MAX_KEPT_MS,
  MAX_ROUTE_VALUE_BYTES,
  type RouteKey,
  type RouteStore,
  type RouteStoreDeleteOptions,
  type RouteStoreItem,
  type RouteStoreSetOptions,
} from "./route_store.ts";

export type {
  JsonObject,
  JsonValue,
  KvAtomicOperation,
  KvDatabase,
  RouteKey,
  RouteStore,
  RouteStoreDeleteOptions,
  RouteStoreItem,
  RouteStoreSetOptions,
};

/**
 * How a {@linkcode KvRouteStore} uses its database.
 *
 * @example
 * ```ts
 * import { KvRouteStore, type KvRouteStoreOptions } from "@portolan/mcp/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const options: KvRouteStoreOptions = { prefix: ["my-app", "routes"], consistency: "strong" };
 * using kv = await Deno.openKv(":memory:");
 * await new KvRouteStore(kv, options).set(["greeting"], { text: "ahoy" }, { expiresAtMs: Date.now() + 60_000 });
 * assertEquals(await new KvRouteStore(kv).get(["greeting"]), undefined);
 * ```
 */
export interface KvRouteStoreOptions {
  /** The parts that every key begins with. @default {["portolan"]} */
  readonly prefix?: readonly string[] | undefined;
  /**
   * How values are read. `"eventual"` may see a value that is a little older and is several times faster on Deno
   * Deploy; a write that builds on an older value is refused all the same. A key whose write was refused is read
   * strongly the next time. @default {"eventual"}
   */
  readonly consistency?: "strong" | "eventual" | undefined;
  /**
   * For how long a locked database is tried again, in milliseconds. A file that several processes use is locked now
   * and then. @default {200}
   */
  readonly lockedRetryMs?: number | undefined;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
  /** A number from 0 (inclusive) to 1 (exclusive), for the pauses between tries. @default {Math.random} */
  readonly random?: (() => number) | undefined;
}

const MAX_KEY_BYTES = 2_000;
const MAX_LOCKED_TRIES = 6;
const MAX_CONTESTED_KEYS = 1_000;

/**
 * Keeps values in a Deno KV database that the caller opened and closes. A value is stored as the bytes of its JSON
 * next to its end: KV forgets a value some time after its end, so the end is checked at every read as well.
 *
 * @example Sharing the routes of all isolates
 * ```ts
 * import { KvRouteStore } from "@portolan/mcp/kv";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:");
 * const routeStore = new KvRouteStore(kv, { prefix: ["my-app", "routes"] });
 * assertEquals(await routeStore.get(["nothing"]), undefined);
 * ```
 */
export class KvRouteStore implements RouteStore {
  readonly #kv: KvDatabase;
  readonly #prefix: readonly string[];
  readonly #consistency: "strong" | "eventual";
  readonly #lockedRetryMs: number;
  readonly #now: () => number;
  readonly #random: () => number;
  // A refused write tells that an eventual read was behind: the next read of that key is strong.
  readonly #contested = new Set<string>();

  /**
   * Creates a store on an open database.
   *
   * @param kv The database; a `Deno.Kv`. Borrowed: it is never closed here.
   * @param options Prefix, consistency, retries.
   * @throws {TypeError} If a part of the prefix is not well-formed.
   * @throws {RangeError} If `lockedRetryMs` is not a positive number.
   */
  constructor(kv: KvDatabase, options: KvRouteStoreOptions = {}) {
    const {
      prefix = ["portolan"],
      consistency = "eventual",
      lockedRetryMs = 200,
      now = Date.now,
      random = Math.random,
    } = options;
    checkTimeout("lockedRetryMs", lockedRetryMs);
    checkParts(prefix);
    this.#kv = kv;
    this.#prefix = [...prefix];
    this.#consistency = consistency;
    this.#lockedRetryMs = lockedRetryMs;
    this.#now = now;
    this.#random = random;
  }

  /**
   * Reads a value.
   *
   * @param key Where it is.
   * @returns The value with its version, or `undefined` where there is none or it has expired. A value that was not
   * written by this class is `undefined` with its version.
   * @throws {TypeError} If the key is empty or a part of it is not well-formed.
   * @throws {RangeError} If the key is longer than 2,000 bytes.
   */
  async get(key: RouteKey): Promise<RouteStoreItem | undefined> {
    const path = this.#path(key);
    const consistency = this.#contested.delete(JSON.stringify(path)) ? "strong" : this.#consistency;
    const { value, versionstamp } = await this.#retryLocked(() => this.#kv.get(path, { consistency }));
    if (versionstamp === null || this.#isExpired(value)) return undefined;
    return { value: decode(value), version: versionstamp };
  }

  /**
   * Writes a value.
   *
   * @param key Where it goes.
   * @param value Plain JSON.
   * @param options Its end and the version it replaces.
   * @returns The new version, or `undefined` where `ifVersion` did not hold and nothing was written.
   * @throws {TypeError} If the key is empty or a part of it is not well-formed.
   * @throws {RangeError} If the key is longer than 2,000 bytes, the value larger than 60,000 bytes, or `expiresAtMs`
   * is not finite.
   */
  async set(key: RouteKey, value: JsonObject, options: RouteStoreSetOptions): Promise<string | undefined> {
    const { expiresAtMs, ifVersion } = options;
    const path = this.#path(key);
    // Bytes, because KV measures a text with one character beyond Latin-1 at two bytes for each character.
    const json = new TextEncoder().encode(JSON.stringify(value));
    if (json.byteLength > MAX_ROUTE_VALUE_BYTES) {
      throw new RangeError(`Cannot store a value of more than ${MAX_ROUTE_VALUE_BYTES} bytes: ${json.byteLength}`);
    }
    if (!Number.isFinite(expiresAtMs)) {
      throw new RangeError(`Cannot use expiresAtMs as the end of a value: ${String(expiresAtMs)}`);
    }
    const expireIn = Math.min(MAX_KEPT_MS, Math.max(1, Math.ceil(expiresAtMs - this.#now())));
    const write = (version: string | null | undefined) =>
      this.#commit(path, version, (operation) => operation.set(path, { expiresAtMs, json }, { expireIn }));

    const version = await write(ifVersion);
    if (version !== undefined || ifVersion !== null) return version;
    // The value in the way may be one that has expired and that KV has not removed yet.
    const old = await this.#retryLocked(() => this.#kv.get(path, { consistency: "strong" }));
    return old.versionstamp !== null && this.#isExpired(old.value) ? await write(old.versionstamp) : undefined;
  }

  /**
   * Deletes a value.
   *
   * @param key Where it is.
   * @param options The version it must still have.
   * @returns Whether the key has no value now.
   * @throws {TypeError} If the key is empty or a part of it is not well-formed.
   * @throws {RangeError} If the key is longer than 2,000 bytes.
   */
  async delete(key: RouteKey, options: RouteStoreDeleteOptions = {}): Promise<boolean> {
    const path = this.#path(key);
    const version = await this.#commit(path, options.ifVersion, (operation) => operation.delete(path));
    if (version !== undefined) return true;
    const left = await this.#retryLocked(() => this.#kv.get(path, { consistency: "strong" }));
    return left.versionstamp === null || this.#isExpired(left.value);
  }

  async #commit(
    path: string[],
    ifVersion: string | null | undefined,
    change: (operation: KvAtomicOperation) => KvAtomicOperation,
  ): Promise<string | undefined> {
    const result = await this.#retryLocked(() => {
      const operation = this.#kv.atomic();
      if (ifVersion !== undefined) operation.check({ key: path, versionstamp: ifVersion });
      return change(operation).commit();
    });
    if (result.ok) return result.versionstamp;
    if (this.#contested.size >= MAX_CONTESTED_KEYS) this.#contested.clear();
    this.#contested.add(JSON.stringify(path));
    return undefined;
  }

  async #retryLocked<T>(operation: () => Promise<T>): Promise<T> {
    const endMs = this.#now() + this.#lockedRetryMs;
    for (let tries = 1;; tries++) {
      try {
        return await operation();
      } catch (error) {
        const pauseMs = this.#random() * 5 * 2 ** tries;
        if (!isLocked(error) || tries >= MAX_LOCKED_TRIES || this.#now() + pauseMs >= endMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  #isExpired(value: unknown): boolean {
    return isStored(value) && value.expiresAtMs <= this.#now();
  }

  #path(key: RouteKey): string[] {
    if (key.length === 0) throw new TypeError("Cannot use the key as it is empty");
    checkParts(key);
    const path = [...this.#prefix, ...key];
    const bytes = path.reduce((sum, part) => sum + new TextEncoder().encode(part).byteLength + 2, 0);
    if (bytes > MAX_KEY_BYTES) {
      throw new RangeError(`Cannot use a key of more than ${MAX_KEY_BYTES} bytes: ${bytes}`);
    }
    return path;
  }
}

// KV turns every lone surrogate into the same character: two keys would become one.
function checkParts(parts: readonly string[]): void {
  if (!parts.every((part) => part.isWellFormed())) {
    throw new TypeError("Cannot use the key as a part of it is not well-formed Unicode");
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && /database (table )?is (locked|busy)/i.test(error.message);
}

function isStored(value: unknown): value is { readonly expiresAtMs: number; readonly json: Uint8Array } {
  if (typeof value !== "object" || value === null) return false;
  const { expiresAtMs, json } = value as { readonly expiresAtMs?: unknown; readonly json?: unknown };
  return typeof expiresAtMs === "number" && json instanceof Uint8Array;
}

function decode(value: unknown): unknown {
  if (!isStored(value)) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(value.json)) as unknown;
  } catch {
    return undefined;
  }
}
