/**
 * What OAuth has to remember: in the route store, so that any isolate goes on where another stopped, and encrypted.
 *
 * @module
 */

import { RouteStoreGuard } from "../cache/route_store_guard.ts";
import { MIN_SECRET_BYTES, Sealer } from "../cache/sealer.ts";
import { toHex } from "../cache/sha256.ts";
import { MemoryRouteStore } from "../memory_route_store.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { MAX_ROUTE_VALUE_BYTES, type RouteKey, type RouteStore } from "../route_store.ts";

/**
 * What is kept: tokens, the flow of one state, the flow of one owner, a registered client, a lease.
 *
 * @example
 * ```ts
 * import { type AuthRecordKind, AuthStore } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const kind: AuthRecordKind = "grant";
 * const item = await new AuthStore().read({ kind, parts: ["calendar", "Kairos"] });
 * assertEquals(item?.value, undefined);
 * ```
 */
export type AuthRecordKind = "grant" | "state" | "flow" | "client" | "lease";

/**
 * Which record.
 *
 * @example
 * ```ts
 * import { type AuthAddress, AuthStore } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const address: AuthAddress = { kind: "client", parts: ["https://login.example.com"] };
 * const store = new AuthStore();
 * await store.write(address, { clientId: "kairos" }, { ttlMs: 60_000 });
 * await store.remove(address);
 * assertEquals((await store.read(address))?.value, undefined);
 * ```
 */
export interface AuthAddress {
  /** What it is. */
  readonly kind: AuthRecordKind;
  /** Whose it is; only a keyed hash of it is stored. */
  readonly parts: readonly string[];
}

/**
 * A record as it was read.
 *
 * @example
 * ```ts
 * import { type AuthItem, AuthStore } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const item: AuthItem | undefined = await new AuthStore().read({ kind: "grant", parts: ["calendar", "Kairos"] });
 * assertEquals(item, { value: undefined, version: null });
 * ```
 */
export interface AuthItem {
  /** The record; `undefined` where there is none, or one that cannot be opened. */
  readonly value: JsonObject | undefined;
  /** The version to compare with; `null` where nothing is there. */
  readonly version: string | null;
}

/**
 * How a record is written.
 *
 * @example Only if there is none
 * ```ts
 * import { AuthStore, type AuthWriteOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new AuthStore();
 * const address = { kind: "grant", parts: ["calendar", "Kairos"] } as const;
 * const options: AuthWriteOptions = { ttlMs: 60_000, ifVersion: null };
 * await store.write(address, { scopes: ["read"] }, options);
 * assertEquals(await store.write(address, { scopes: ["write"] }, options), { value: undefined });
 * ```
 */
export interface AuthWriteOptions {
  /** For how long it is kept, in milliseconds. */
  readonly ttlMs: number;
  /** Write only if the record still has this version; `null`: only if there is none. Without it, always. */
  readonly ifVersion?: string | null | undefined;
}

/**
 * Where an {@linkcode AuthStore} keeps its records.
 *
 * @example Two isolates with one store
 * ```ts
 * import { AuthStore, type AuthStoreOptions, MemoryRouteStore } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const storeSecret = crypto.getRandomValues(new Uint8Array(32));
 * const options: AuthStoreOptions = { store: new MemoryRouteStore(), storeSecret };
 * const address = { kind: "grant", parts: ["calendar", "Kairos"] } as const;
 * await new AuthStore(options).write(address, { scopes: ["read"] }, { ttlMs: 60_000 });
 * assertEquals((await new AuthStore(options).read(address))?.value, { scopes: ["read"] });
 * ```
 */
export interface AuthStoreOptions {
  /** The store; borrowed. Without one, records are kept in memory. */
  readonly store?: RouteStore | undefined;
  /** At least 16 bytes, the same in all isolates; without them, records are kept in memory. */
  readonly storeSecret?: Uint8Array | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

const VERSION = 1;
const RANDOM_SECRET_BYTES = 32;
const MAX_SKEW_MS = 5_000;
/** How long a sealed record may be, in characters: what stands around it has fewer than 100. */
const MAX_SEALED_LENGTH = MAX_ROUTE_VALUE_BYTES - 100;
const ENCODER = new TextEncoder();

/**
 * Keeps records encrypted, under keys that are keyed hashes. Nothing rejects because of the store.
 *
 * @example
 * ```ts
 * import { AuthStore } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new AuthStore();
 * const address = { kind: "grant", parts: ["calendar", "Kairos"] } as const;
 * await store.write(address, { scopes: ["read"] }, { ttlMs: 60_000 });
 * assertEquals((await store.read(address))?.value, { scopes: ["read"] });
 * ```
 */
export class AuthStore {
  readonly #guard: RouteStoreGuard;
  readonly #secret: Uint8Array<ArrayBuffer>;
  /** Made when they are first needed: most agents keep no tokens. */
  #sealer: Sealer | undefined;
  #hashKey: Promise<CryptoKey> | undefined;
  readonly #now: () => number;

  /**
   * Creates a store.
   *
   * @param options Where records are kept; without a store and its secret, in memory alone.
   * @throws {RangeError} If the secret is shorter than 16 bytes.
   */
  constructor(options: AuthStoreOptions = {}) {
    const { store, storeSecret, now = Date.now } = options;
    const isShared = store !== undefined && storeSecret !== undefined;
    if (isShared && storeSecret.byteLength < MIN_SECRET_BYTES) {
      throw new RangeError(
        `Cannot use a store secret of less than ${MIN_SECRET_BYTES} bytes: ${storeSecret.byteLength}`,
      );
    }
    const random = () => crypto.getRandomValues(new Uint8Array(RANDOM_SECRET_BYTES));
    this.#secret = isShared ? new Uint8Array(storeSecret) : random();
    this.#guard = new RouteStoreGuard(isShared ? store : new MemoryRouteStore({ now }), { now });
    this.#now = now;
  }

  /**
   * Reads a record.
   *
   * @param address Which one.
   * @returns The record; or `undefined` where the store does not answer.
   */
  async read(address: AuthAddress): Promise<AuthItem | undefined> {
    const key = await this.#key(address);
    const answer = await this.#guard.run((store) => store.get(key));
    if (answer === undefined) return undefined;
    const item = answer.value;
    if (item === undefined) return { value: undefined, version: null };
    const sealed = isJsonObject(item.value) && item.value.v === VERSION ? item.value.sealed : undefined;
    const text = typeof sealed === "string" ? await this.#seal().open(sealed, JSON.stringify(key)) : undefined;
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    return { value: isJsonObject(value) ? value : undefined, version: item.version };
  }

  /**
   * Writes a record.
   *
   * @param address Which one.
   * @param value What to keep; with its encryption it may have 60,000 bytes.
   * @param options For how long, and what it replaces.
   * @returns The new version as `value`, `undefined` there where the version did not hold; or `undefined` where the
   * store did not take it, or would not for its size.
   */
  async write(
    address: AuthAddress,
    value: JsonObject,
    options: AuthWriteOptions,
  ): Promise<{ readonly value: string | undefined } | undefined> {
    const key = await this.#key(address);
    const sealed = await this.#seal().seal(JSON.stringify(value), JSON.stringify(key));
    // A store would reject it, and be left alone for that by everybody whose tokens are in it.
    if (sealed.length > MAX_SEALED_LENGTH) return undefined;
    const { ttlMs, ...rest } = options;
    const expiresAtMs = this.#now() + ttlMs;
    return await this.#guard.run((store) => store.set(key, { v: VERSION, sealed }, { expiresAtMs, ...rest }));
  }

  /**
   * Removes a record.
   *
   * @param address Which one.
   * @param ifVersion Remove only if it still has this version; without it, always.
   */
  async remove(address: AuthAddress, ifVersion?: string): Promise<void> {
    const key = await this.#key(address);
    await this.#guard.run((store) => store.delete(key, { ifVersion }));
  }

  /**
   * Asks to be the only one, of all isolates, to do something. A store that is away lends to everybody.
   *
   * @param parts What it is about.
   * @param forMs How long the lease lasts where it is not given back, in milliseconds.
   * @returns Gives it back; or `undefined` where another one has it.
   */
  async lease(parts: readonly string[], forMs: number): Promise<(() => Promise<void>) | undefined> {
    const address: AuthAddress = { kind: "lease", parts };
    const held = await this.read(address);
    if (held === undefined) return async () => {};
    const nowMs = this.#now();
    const untilMs = held.value?.untilMs;
    // One that ends later than any could is of a clock that is wrong.
    if (typeof untilMs === "number" && untilMs > nowMs && untilMs <= nowMs + forMs + MAX_SKEW_MS) return undefined;
    const taken = await this.write(address, { untilMs: nowMs + forMs }, { ttlMs: forMs, ifVersion: held.version });
    if (taken === undefined) return async () => {};
    const version = taken.value;
    return version === undefined ? undefined : () => this.remove(address, version);
  }

  #seal(): Sealer {
    return this.#sealer ??= new Sealer(this.#secret);
  }

  async #key({ kind, parts }: AuthAddress): Promise<RouteKey> {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const hashKey = this.#hashKey ??= crypto.subtle.importKey("raw", this.#secret, algorithm, false, ["sign"]);
    const text = ENCODER.encode(JSON.stringify(["portolan auth key v1", kind, ...parts]));
    return ["v1", "auth", kind, toHex(await crypto.subtle.sign("HMAC", await hashKey, text))];
  }
}
