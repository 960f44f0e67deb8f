/**
 * Opens the route store of the gateway: on KV where there is one, in memory otherwise. The cache is advisory, so
 * nothing here stops a start.
 *
 * @module
 */

import { deadline } from "@std/async";
import type { AuditKv } from "../audit/audit_kv.ts";
import { KvRouteStore } from "../kv_route_store.ts";
import { MemoryRouteStore } from "../memory_route_store.ts";
import type { RouteStore } from "../route_store.ts";

/** A KV database that can be closed: what is used of a `Deno.Kv` here. */
export interface OpenedKv extends AuditKv {
  /** Frees the database. */
  close(): void;
}

/** What opening the store works with. */
export interface OpenStoreDeps {
  /** `Deno.openKv`, or `undefined` where the runtime has none. */
  readonly openKv: ((path?: string) => Promise<OpenedKv>) | undefined;
  /** What it is for, in words. @default {"routes"} */
  readonly keeps?: string | undefined;
  /** Told, in one line, why there is no KV. */
  readonly onWarning: (message: string) => void;
  /** How long the database may take to answer, in milliseconds. @default {2_000} */
  readonly timeoutMs?: number | undefined;
}

/** The stores of one database and how to let go of it. */
export interface OpenedStore {
  /** The store of routes. */
  readonly store: RouteStore;
  /**
   * The store of what all isolates of the gateway have to know, read strongly; `undefined` where they have none in
   * common. Where there is one that did not open, it fails: a key that were revoked in memory alone would be good again
   * elsewhere.
   */
  readonly shared: RouteStore | undefined;
  /** The database itself; `undefined` where there is none, or none that opened. */
  readonly kv: AuditKv | undefined;
  /** Where it keeps its values. */
  readonly kind: "kv" | "memory";
  /** Closes what was opened. */
  close(): void;
}

/**
 * Opens the route store.
 *
 * @param kv The database: a path, a URL or `:memory:`; `undefined` is the default database; `"off"` is none.
 * @param deps How to open it.
 * @returns The store; in memory where the database is off, missing, failing, or too slow.
 */
export async function openStore(kv: string | undefined, deps: OpenStoreDeps): Promise<OpenedStore> {
  const { openKv, keeps = "routes", onWarning, timeoutMs = 2_000 } = deps;
  const memory: OpenedStore = {
    store: new MemoryRouteStore(),
    shared: undefined,
    kv: undefined,
    kind: "memory",
    close: () => {},
  };
  if (kv === "off") return memory;
  if (openKv === undefined) {
    onWarning(`Cannot keep ${keeps} in KV as this runtime has none: they are kept in memory`);
    return memory;
  }
  // Opening may outlive the deadline, as nothing can cancel it: what comes too late is closed.
  let late = false;
  const opening = (async () => {
    const database = await openKv(kv);
    try {
      // A database that opens may still not answer: locked, corrupt, or unreachable.
      await database.get(["portolan", "probe"]);
      if (late) throw new Error("The database opened too late");
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  })();
  try {
    const database = await deadline(opening, timeoutMs);
    return {
      store: new KvRouteStore(database),
      shared: new KvRouteStore(database, { prefix: ["portolan_gateway"], consistency: "strong" }),
      kv: database,
      kind: "kv",
      close: () => database.close(),
    };
  } catch (error) {
    late = true;
    // The name alone: a message may hold the URL of the database.
    onWarning(`Cannot keep ${keeps} in KV as it did not open (${nameOf(error)}): they are kept in memory`);
    return { ...memory, shared: { get: refuse, set: refuse, delete: refuse } };
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new Error("The database did not open"));
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "unknown error";
}
