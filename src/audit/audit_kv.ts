/**
 * The part of `Deno.Kv` that the audit trail uses.
 *
 * @module
 */

import type { KvDatabase } from "../cache/kv_database.ts";

/**
 * What is used of a `Deno.Kv` to keep an audit trail, as types of our own: a program without unstable types checks too.
 *
 * @example
 * ```ts
 * import type { AuditKv } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:");
 * const database: AuditKv = kv;
 * const keys: unknown[] = [];
 * for await (const { key } of database.list({ start: ["a"], end: ["b"] })) keys.push(key);
 * assertEquals(keys, []);
 * ```
 */
export interface AuditKv extends KvDatabase {
  /**
   * Lists values in the order of their keys.
   *
   * @param range The first key, and the one that it ends before.
   * @param options The most values, and how many are read at a time.
   * @returns The values.
   */
  list(
    range: { readonly start: string[]; readonly end: string[] },
    options?: { readonly limit?: number; readonly batchSize?: number },
  ): AsyncIterable<{ readonly key: readonly unknown[]; readonly value: unknown }>;
}
