/**
 * Makes the clients of one agent's servers, with what isolates share: where their tools and connections are kept.
 *
 * @module
 */

import { AuthStore } from "../auth/auth_store.ts";
import type { FinishedAuthorization } from "../auth/finish_authorization.ts";
import { RouteStoreGuard } from "../cache/route_store_guard.ts";
import { SavedConnections } from "../cache/saved_connections.ts";
import { SavedPins } from "../cache/saved_pins.ts";
import { Sealer } from "../cache/sealer.ts";
import { type ServerCacheKey, toServerCacheKey } from "../cache/server_cache_key.ts";
import type { MultiServerMCPClientOptions } from "../multi_server_options.ts";
import type { ResolvedServer, ServerConfig } from "../server_config.ts";
import { SingleServerMCPClient } from "../single_server_client.ts";

/** What clients are made with: what the agent's client was given, but for what is about its lists. */
export interface ServerFactoryDeps extends Omit<MultiServerMCPClientOptions, "toolsTtlMs" | "onWarning"> {
  /** The agent's name. */
  readonly agent: string;
  /** Told that a server says its tools have changed. */
  readonly onToolsStale: (server: string) => void;
  /** Told that a server says its resources or prompts have changed. */
  readonly onContextStale: (server: string, what: "resources" | "prompts") => void;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** What makes a client, and where its tools are kept. */
export interface MadeServer {
  /** Makes the client; nothing is sent. */
  readonly makeClient: () => SingleServerMCPClient;
  /** Tells where the route cache keeps its list; computed when it is first needed. */
  readonly toKey: () => Promise<ServerCacheKey>;
}

/** Makes the clients of one agent. */
export class ServerFactory {
  readonly #deps: ServerFactoryDeps;
  readonly #guard: RouteStoreGuard | undefined;
  readonly #sealer: Sealer | undefined;
  readonly #principal: string;
  #authStore: AuthStore | undefined;

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
    this.#principal = deps.principal ?? deps.agent;
    this.#authStore = deps.authStore;
  }

  /** Where the agent's tokens are kept; made when it is first needed. */
  get authStore(): AuthStore {
    const { store, storeSecret, now } = this.#deps;
    return this.#authStore ??= new AuthStore({ store, storeSecret, now });
  }

  /**
   * Finishes the authorization that a person's browser comes back from.
   *
   * @param callbackUrl The URL that the browser was sent back to, or its path and query.
   * @param signal Ends the exchange.
   * @returns Whose tokens have come, and of which server.
   * @throws {MCPError} If the answer is refused, or is a refusal (`auth_failed`).
   */
  async finishAuthorization(callbackUrl: string | URL, signal: AbortSignal): Promise<FinishedAuthorization> {
    const { finishAuthorization } = await import("../auth/finish_authorization.ts");
    const { fetch, now } = this.#deps;
    const deps = { store: this.authStore, principal: this.#principal, fetch, now, signal };
    return await finishAuthorization(callbackUrl, deps);
  }

  /**
   * Prepares the client of a server.
   *
   * @param resolved The server, checked.
   * @param config The same, as it was configured.
   * @param secrets Values for `${NAME}` in its fields.
   * @returns What makes the client, and its key.
   */
  make(
    resolved: ResolvedServer,
    config: ServerConfig,
    secrets: Readonly<Record<string, string>> | undefined,
  ): MadeServer {
    const { agent, storeSecret, onEvent, onToolsStale, onContextStale, tokens } = this.#deps;
    const { connections, input, onLog, logLevel, onAuthorize, fetch, now, random } = this.#deps;
    const { name: server } = resolved;
    const principal = this.#principal;
    // Who acts for another is another, also for what is kept.
    const actor = tokens === undefined && resolved.auth === undefined ? undefined : principal;
    let key: Promise<ServerCacheKey> | undefined;
    const toKey = () => key ??= toCacheKey(agent, resolved, actor, storeSecret);
    const makeClient = () =>
      new SingleServerMCPClient(server, config, {
        secrets,
        tokens,
        principal,
        authStore: resolved.auth && this.authStore,
        onAuthorize,
        connections,
        input,
        onLog,
        logLevel,
        fetch,
        now,
        random,
        pinKeeper: this.#guard && new SavedPins({ guard: this.#guard, toKey, now }),
        keeper: this.#guard && new SavedConnections({ guard: this.#guard, sealer: this.#sealer, toKey, now }),
        onEvent: onEvent && ((event) => onEvent({ ...event, agent })),
        onToolsStale: () => onToolsStale(server),
        onContextStale: (what) => onContextStale(server, what),
      });
    return { makeClient, toKey };
  }
}

/** The filter is part of the key: what is kept is what the filter let through. */
function toCacheKey(
  agent: string,
  server: ResolvedServer,
  actor: string | undefined,
  fingerprintKey: Uint8Array | undefined,
) {
  const { name, url, headers, tools, auth } = server;
  const sent = Object.entries(headers).map(([header, secret]) => [header, secret.reveal()] as const).sort();
  const client = auth && [auth.grant, auth.clientId, auth.clientMetadataUrl];
  const isPlain = actor === undefined && sent.length === 0 && tools.deny.length === 0 &&
    tools.allow.every((pattern) => pattern === "*");
  const credential = isPlain ? "" : JSON.stringify([sent, tools, ...(actor === undefined ? [] : [actor, client])]);
  return toServerCacheKey({ agent, server: name, url: url.href, credential, fingerprintKey });
}
