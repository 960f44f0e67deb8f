/**
 * A route store in memory: for one isolate, and for tests.
 *
 * @module
 */

import type { JsonObject } from "./protocol.ts";
import {
  MAX_ROUTE_VALUE_BYTES,
  type RouteKey,
  type RouteStore,
  type RouteStoreDeleteOptions,
  type RouteStoreItem,
  type RouteStoreSetOptions,
} from "./route_store.ts";

/**
 * How a {@linkcode MemoryRouteStore} is bounded.
 *
 * @example
 * ```ts
 * import { MemoryRouteStore, type MemoryRouteStoreOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const options: MemoryRouteStoreOptions = { maxEntries: 1 };
 * const store = new MemoryRouteStore(options);
 * const expiresAtMs = Date.now() + 60_000;
 * for (const name of ["older", "newer"]) await store.set([name], { name }, { expiresAtMs });
 * assertEquals(await store.get(["older"]), undefined);
 * ```
 */
export interface MemoryRouteStoreOptions {
  /** How many values are kept; beyond it the least recently written one is dropped. @default {10_000} */
  readonly maxEntries?: number | undefined;
  /** How many bytes of UTF-8 JSON all values may have together, dropped likewise. @default {67_108_864} */
  readonly maxBytes?: number | undefined;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

interface Slot {
  readonly json: string;
  readonly bytes: number;
  readonly version: string;
  readonly expiresAtMs: number;
}

/**
 * Keeps values in memory, as copies, bounded by number and by size. Nothing is shared with other isolates.
 *
 * @example
 * ```ts
 * import { MemoryRouteStore } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new MemoryRouteStore({ maxEntries: 100 });
 * await store.set(["greeting"], { text: "ahoy" }, { expiresAtMs: Date.now() + 60_000 });
 * assertEquals((await store.get(["greeting"]))?.value, { text: "ahoy" });
 * ```
 */
export class MemoryRouteStore implements RouteStore {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #now: () => number;
  // A Map keeps the order of insertion: the first slot is the least recently written one.
  readonly #slots = new Map<string, Slot>();
  #bytes = 0;
  #writes = 0;

  /**
   * Creates an empty store.
   *
   * @param options Its bounds and its clock.
   * @throws {RangeError} If a bound is not a positive integer.
   */
  constructor(options: MemoryRouteStoreOptions = {}) {
    const { maxEntries = 10_000, maxBytes = 64 * 1024 * 1024, now = Date.now } = options;
    for (const [name, value] of Object.entries({ maxEntries, maxBytes })) {
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new RangeError(`Cannot use ${name} as a bound of the store: ${String(value)}`);
      }
    }
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** How many values are held, those that have expired unnoticed included. */
  get size(): number {
    return this.#slots.size;
  }

  /**
   * Reads a value.
   *
   * @param key Where it is.
   * @returns A copy of the value with its version, or `undefined` where there is none or it has expired.
   * @throws {TypeError} If the key is empty or a part of it is not well-formed.
   */
  // deno-lint-ignore require-await -- async, so that misuse rejects as the port promises
  async get(key: RouteKey): Promise<RouteStoreItem | undefined> {
    const slot = this.#live(toId(key));
    return slot === undefined ? undefined : { value: JSON.parse(slot.json) as unknown, version: slot.version };
  }

  /**
   * Writes a copy of a value and drops the least recently written ones where a bound is passed.
   *
   * @param key Where it goes.
   * @param value Plain JSON.
   * @param options Its end and the version it replaces.
   * @returns The new version, or `undefined` where `ifVersion` did not hold and nothing was written.
   * @throws {TypeError} If the key is empty or a part of it is not well-formed.
   * @throws {RangeError} If the value is larger than 60,000 bytes, or `expiresAtMs` is not finite.
   */
  // deno-lint-ignore require-await -- async, so that misuse rejects as the port promises
  async set(key: RouteKey, value: JsonObject, options: RouteStoreSetOptions): Promise<string | undefined> {
    const { expiresAtMs, ifVersion } = options;
    const id = toId(key);
    const json = JSON.stringify(value);
    const bytes = new TextEncoder().encode(json).byteLength;
    if (bytes > MAX_ROUTE_VALUE_BYTES) {
      throw new RangeError(`Cannot store a value of more than ${MAX_ROUTE_VALUE_BYTES} bytes: ${bytes}`);
    }
    if (!Number.isFinite(expiresAtMs)) {
      throw new RangeError(`Cannot use expiresAtMs as the end of a value: ${String(expiresAtMs)}`);
    }
    const old = this.#live(id);
    if (ifVersion !== undefined && ifVersion !== (old?.version ?? null)) return undefined;
    this.#drop(id);
    const version = String(++this.#writes).padStart(16, "0");
    this.#slots.set(id, { json, bytes, version, expiresAtMs });
    this.#bytes += bytes;
    for (const oldest of this.#slots.keys()) {
      if (this.#slots.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
    return version;
  }

  /**
   * Deletes a value.
   *
   * @param key Where it is.
   * @param options The version it must still have.
   * @returns Whether the key has no value now.
   * @throws {TypeError} If the key is empty or a part of it is not well-formed.
   */
  // deno-lint-ignore require-await -- async, so that misuse rejects as the port promises
  async delete(key: RouteKey, options: RouteStoreDeleteOptions = {}): Promise<boolean> {
    const id = toId(key);
    const slot = this.#live(id);
    if (slot !== undefined && options.ifVersion !== undefined && options.ifVersion !== slot.version) return false;
    this.#drop(id);
    return true;
  }

  #live(id: string): Slot | undefined {
    const slot = this.#slots.get(id);
    if (slot === undefined || slot.expiresAtMs > this.#now()) return slot;
    this.#drop(id);
    return undefined;
  }

  #drop(id: string): void {
    this.#bytes -= this.#slots.get(id)?.bytes ?? 0;
    this.#slots.delete(id);
  }
}

function toId(key: RouteKey): string {
  if (key.length === 0 || !key.every((part) => part.isWellFormed())) {
    throw new TypeError("Cannot use the key as it is empty or a part of it is not well-formed Unicode");
  }
  return JSON.stringify(key);
}
