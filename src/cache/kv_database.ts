/**
 * The part of `Deno.Kv` that the route store uses, as types of our own: a program that has no unstable types checks too.
 *
 * @module
 */

/**
 * A set of changes that happen together or not at all: what is used of `Deno.AtomicOperation`.
 *
 * @example
 * ```ts
 * import type { KvAtomicOperation } from "@portolan/mcp/kv";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:");
 * const operation: KvAtomicOperation = kv.atomic();
 * const { ok } = await operation.set(["greeting"], "ahoy", { expireIn: 60_000 }).commit();
 * assertEquals(ok, true);
 * ```
 */
export interface KvAtomicOperation {
  /**
   * Adds a condition.
   *
   * @param check The key and the version it must have; `null` where it must have no value.
   * @returns The operation.
   */
  check(check: { readonly key: string[]; readonly versionstamp: string | null }): KvAtomicOperation;
  /**
   * Adds a write.
   *
   * @param key Where the value goes.
   * @param value The value.
   * @param options When the database may forget it, in milliseconds from now.
   * @returns The operation.
   */
  set(key: string[], value: unknown, options?: { readonly expireIn?: number }): KvAtomicOperation;
  /**
   * Adds a deletion.
   *
   * @param key What is deleted.
   * @returns The operation.
   */
  delete(key: string[]): KvAtomicOperation;
  /**
   * Makes the changes.
   *
   * @returns Whether the conditions held, and the new version where they did.
   */
  commit(): Promise<{ readonly ok: boolean; readonly versionstamp?: string }>;
}

/**
 * What is used of a `Deno.Kv`, so that this module asks for no unstable type.
 *
 * @example Counting the reads
 * ```ts
 * import { type KvDatabase, KvRouteStore } from "@portolan/mcp/kv";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:");
 * let reads = 0;
 * const counted: KvDatabase = {
 *   get: (key, options) => (reads++, kv.get(key, options)),
 *   atomic: () => kv.atomic(),
 * };
 * await new KvRouteStore(counted).get(["greeting"]);
 * assertEquals(reads, 1);
 * ```
 */
export interface KvDatabase {
  /**
   * Reads a value.
   *
   * @param key Where it is.
   * @param options Whether an older value will do.
   * @returns The value and its version; both `null` where there is none.
   */
  get(
    key: string[],
    options?: { readonly consistency?: "strong" | "eventual" },
  ): Promise<{ readonly value: unknown; readonly versionstamp: string | null }>;
  /**
   * Begins a set of changes.
   *
   * @returns An operation without changes.
   */
  atomic(): KvAtomicOperation;
}
