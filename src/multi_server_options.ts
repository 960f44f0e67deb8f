/**
 * What a client of many servers can be given.
 *
 * @module
 */

import type { EventListener } from "./events.ts";
import type { RouteStore } from "./route_store.ts";
import type { ServerStatus } from "./status.ts";
import type { RequestOptions } from "./tool_client.ts";

/** What differs between production and tests, and what agents share. */
export interface MultiServerMCPClientOptions {
  /** Where routes are kept between isolates; borrowed. @default {undefined, nothing is kept} */
  readonly store?: RouteStore | undefined;
  /** How long a tool list is used without asking again, in milliseconds. @default {300_000} */
  readonly toolsTtlMs?: number | undefined;
  /**
   * A secret of at least 16 bytes, the same in all isolates: with it session ids are kept in the store, encrypted, and
   * the keys of the store say nothing of a weak credential. @default {undefined, session ids are not kept}
   */
  readonly storeSecret?: Uint8Array | undefined;
  /** Told once when the store fails, and once when it is well again. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Told of connections, failures, changed tools, breakers and calls, as they happen. What it throws is ignored. */
  readonly onEvent?: EventListener | undefined;
  /** The `fetch` underneath. @default {globalThis.fetch} */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
  /** A number from 0 up to 1, for the jitter of retries. @default {Math.random} */
  readonly random?: (() => number) | undefined;
}

/** How servers are connected to. */
export interface ConnectToServersOptions extends RequestOptions {
  /** How many servers are connected to at once. @default {32} */
  readonly concurrentConnections?: number | undefined;
  /** Told as each server settles, in the order in which they do. */
  readonly onServerSettled?: ((status: ServerStatus) => void) | undefined;
}

/** Which server to connect to anew. */
export interface ReconnectOptions extends ConnectToServersOptions {
  /** Only this server, connected or not. @default {undefined, all servers that are not connected} */
  readonly server?: string | undefined;
}
