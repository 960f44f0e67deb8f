/**
 * Makes the clients of one agent's servers, with what isolates share: where their tools and connections are kept.
 *
 * @module
 */

import { RouteStoreGuard } from "../cache/route_store_guard.ts";
import { SavedConnections } from "../cache/saved_connections.ts";
import { SavedPins } from "../cache/saved_pins.ts";
import { Sealer } from "../cache/sealer.ts";
import { type ServerCacheKey, toServerCacheKey } from "../cache/server_cache_key.ts";
import type { EventListener } from "../events.ts";
import type { RouteStore } from "../route_store.ts";
import type { ResolvedServer, ServerConfig } from "../server_config.ts";
import { SingleServerMCPClient } from "../single_server_client.ts";

/** What clients are made with. */
export interface ServerFactoryDeps {
  /** The agent's name. */
  readonly agent: string;
  /** Where connections are kept between isolates. */
  readonly store?: RouteStore | undefined;
  /** Encrypts session ids in the store and keys the fingerprints of credentials. */
  readonly storeSecret?: Uint8Array | undefined;
  /** Told of what happens to the clients. */
  readonly onEvent?: EventListener | undefined;
  /** Told that a server says its tools have changed. */
  readonly onToolsStale: (server: string) => void;
  /** The `fetch` underneath. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** A number from 0 up to 1. */
  readonly random?: (() => number) | undefined;
}

/** A client and where its tools are kept. */
export interface MadeServer {
  /** The client. */
  readonly client: SingleServerMCPClient;
  /** Tells where the route cache keeps its list; computed when it is first needed. */
  readonly toKey: () => Promise<ServerCacheKey>;
}

/** Makes the clients of one agent. */
export class ServerFactory {
  readonly #deps: ServerFactoryDeps;
  readonly #guard: RouteStoreGuard | undefined;
  readonly #sealer: Sealer | undefined;

  /**
   * Creates a factory.
   *
   * @param deps What clients are made with.
   * @throws {RangeError} If the store secret is too short.
   */
  constructor(deps: ServerFactoryDeps) {
    const { store, storeSecret, now } = deps;
    this.#deps = deps;
    this.#guard = store && new RouteStoreGuard(store, { now });
    this.#sealer = storeSecret && new Sealer(storeSecret);
  }

  /**
   * Makes the client of a server; nothing is sent.
   *
   * @param resolved The server, checked.
   * @param config The same, as it was configured.
   * @param secrets Values for `${NAME}` in its fields.
   * @returns The client and its key.
   */
  make(
    resolved: ResolvedServer,
    config: ServerConfig,
    secrets: Readonly<Record<string, string>> | undefined,
  ): MadeServer {
    const { agent, storeSecret, onEvent, onToolsStale, fetch, now, random } = this.#deps;
    const { name: server } = resolved;
    let key: Promise<ServerCacheKey> | undefined;
    const toKey = () => key ??= toCacheKey(agent, resolved, storeSecret);
    const client = new SingleServerMCPClient(server, config, {
      secrets,
      fetch,
      now,
      random,
      pinKeeper: this.#guard && new SavedPins({ guard: this.#guard, toKey, now }),
      keeper: this.#guard && new SavedConnections({ guard: this.#guard, sealer: this.#sealer, toKey, now }),
      onEvent: onEvent && ((event) => onEvent({ ...event, agent })),
      onToolsStale: () => onToolsStale(server),
    });
    return { client, toKey };
  }
}

/** The filter is part of the key: what is kept is what the filter let through. */
function toCacheKey(agent: string, server: ResolvedServer, fingerprintKey: Uint8Array | undefined) {
  const { name, url, headers, tools } = server;
  const sent = Object.entries(headers).map(([header, secret]) => [header, secret.reveal()] as const).sort();
  const isPlain = sent.length === 0 && tools.deny.length === 0 && tools.allow.every((pattern) => pattern === "*");
  const credential = isPlain ? "" : JSON.stringify([sent, tools]);
  return toServerCacheKey({ agent, server: name, url: url.href, credential, fingerprintKey });
}
