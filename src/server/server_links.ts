/**
 * Who holds which link: clients that would send exactly the same to the same server share one.
 *
 * @module
 */

import type { ResolvedAuth } from "../auth/auth_config.ts";
import { AuthStore } from "../auth/auth_store.ts";
import type { AuthEvent, Authorizer, TokenProvider } from "../auth/authorizer.ts";
import type { InputResponder } from "../connection/connection.ts";
import type { AuthorizationEvent } from "../events.ts";
import type { ConnectionKeeper } from "../connection/opener.ts";
import { createGuardedFetch, defaultFetch } from "../guarded_fetch.ts";
import type { ResolvedServer } from "../server_config.ts";
import { ServerLink } from "./server_link.ts";

/** What a link is made for. */
export interface LinkRequest {
  /** The server, its secrets filled in. */
  readonly server: ResolvedServer;
  /** Where the connection is kept between isolates. */
  readonly keeper?: ConnectionKeeper | undefined;
  /** Answers the server's questions; a client that has one shares no link. */
  readonly responder?: InputResponder | undefined;
  /** Gives the server's tokens. */
  readonly tokens?: TokenProvider | undefined;
  /** For whom the client acts. */
  readonly principal: string;
  /** Where tokens and flows under way are kept. */
  readonly authStore?: AuthStore | undefined;
  /** Has a person authorize. */
  readonly onAuthorize?: ((url: string, signal: AbortSignal) => Promise<string | URL>) | undefined;
  /** Told what happens to the tokens. */
  readonly onAuthEvent?: ((event: AuthorizationEvent) => void) | undefined;
  /** Whether what the server says outside of requests is for one client alone. @default {false} */
  readonly exclusive?: boolean | undefined;
  /** The `fetch` underneath. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** A link that is held. */
export interface HeldLink {
  /** The link. */
  readonly link: ServerLink;
  /** Lets go of it; the last one closes it. Idempotent. */
  release(): Promise<void>;
}

interface Shared {
  readonly link: ServerLink;
  /** Those who hold it, for what happens to its tokens. */
  readonly holders: Set<LinkRequest>;
}

let take: (connections: SharedConnections, request: LinkRequest) => HeldLink;

/**
 * The connections of several clients. Two clients that would send the same to the same server, credential included,
 * share one; each has its own filter, names, limits and deadlines. Different credentials never share one, and neither
 * do clients with handlers for a server's questions, or for its log messages.
 *
 * @example
 * ```ts
 * import { MultiServerMCPClient, SharedConnections } from "@portolan/mcp";
 *
 * const connections = new SharedConnections();
 * const servers = { fileio: { url: "http://localhost:9/mcp" } };
 * await using kairos = new MultiServerMCPClient("Kairos", { servers }, { connections });
 * await using mercurius = new MultiServerMCPClient("Mercurius", { servers }, { connections });
 * ```
 */
export class SharedConnections {
  readonly #shared = new Map<string, Shared>();
  /** Functions and stores have no text: equal ones are the same one. */
  readonly #ids = new WeakMap<object, number>();
  #lastId = 0;

  static {
    take = (connections, request) => connections.#take(request);
  }

  #take(request: LinkRequest): HeldLink {
    const key = this.#keyOf(request);
    const shared = this.#shared.get(key) ?? createShared(request);
    shared.holders.add(request);
    this.#shared.set(key, shared);
    let released: Promise<void> | undefined;
    return { link: shared.link, release: () => released ??= this.#release(key, shared, request) };
  }

  /** Everything that decides what is sent and to whom. It holds credentials: it stays in this map. */
  #keyOf({ server, principal, tokens, authStore, onAuthorize, fetch }: LinkRequest): string {
    const { name, url, headers, transport, era, auth } = server;
    const sent = Object.entries(headers).map(([header, secret]) => [header, secret.reveal()]).sort();
    const isOwn = auth !== undefined || tokens !== undefined;
    const authorization = isOwn ? [principal, toText(auth), this.#idOf(tokens), this.#idOf(authStore)] : [];
    const ids = [onAuthorize, fetch].map((value) => this.#idOf(value));
    return JSON.stringify([name, url.href, transport, era, sent, authorization, ids]);
  }

  #idOf(value: object | undefined): number {
    if (value === undefined) return 0;
    const id = this.#ids.get(value) ?? ++this.#lastId;
    this.#ids.set(value, id);
    return id;
  }

  async #release(key: string, shared: Shared, request: LinkRequest): Promise<void> {
    shared.holders.delete(request);
    if (shared.holders.size > 0) return;
    this.#shared.delete(key);
    await shared.link.close();
  }
}

/**
 * Takes a link: one that fits and can be shared, or a new one.
 *
 * @param connections Whose connections are shared; `undefined` where none are.
 * @param request What it is for.
 * @returns The link; let go of it when it is no longer used.
 */
export function takeLink(connections: SharedConnections | undefined, request: LinkRequest): HeldLink {
  const isShared = request.responder === undefined && request.exclusive !== true;
  if (connections !== undefined && isShared) return take(connections, request);
  const link = createLink(request);
  return { link, release: () => link.close() };
}

function createShared(request: LinkRequest): Shared {
  const holders = new Set<LinkRequest>();
  const onAuthEvent = (event: AuthorizationEvent) => {
    for (const holder of holders) holder.onAuthEvent?.(event);
  };
  return { link: createLink({ ...request, onAuthEvent }), holders };
}

function createLink(request: LinkRequest): ServerLink {
  const { server: { name, url, headers, transport, era }, keeper, responder, fetch, now } = request;
  const send = createGuardedFetch({ server: name, url, headers, authorizer: createAuthorizer(request), fetch });
  return new ServerLink({ server: name, url, transport, era, send, keeper, responder, now });
}

/** What gets tokens is loaded with the first request: most servers need none of it. */
function createAuthorizer(request: LinkRequest): Authorizer | undefined {
  const { server: { name: server, url, auth: config }, principal, tokens, fetch = defaultFetch, now } = request;
  if (tokens !== undefined) {
    return loadAuthorizer(async () => {
      const { createTokenAuthorizer } = await import("../auth/token_authorizer.ts");
      return createTokenAuthorizer(tokens, { server, url, principal });
    });
  }
  if (config === undefined) return undefined;
  const { authStore: store = new AuthStore({ now }), onAuthorize, onAuthEvent } = request;
  const onEvent = onAuthEvent && (({ type, server }: AuthEvent) => onAuthEvent({ type, server }));
  return loadAuthorizer(async () => {
    const { OAuthAuthorizer } = await import("../auth/oauth_authorizer.ts");
    return new OAuthAuthorizer({ server, serverUrl: url, principal, config, store, fetch, now, onEvent, onAuthorize });
  });
}

function loadAuthorizer(load: () => Promise<Authorizer>): Authorizer {
  let loaded: Promise<Authorizer> | undefined;
  const get = () => loaded ??= load();
  return {
    authorize: async (signal) => await (await get()).authorize(signal),
    refused: async (refusal, signal) => await (await get()).refused(refusal, signal),
  };
}

/** The same text for the same configuration, its secrets included. */
function toText(auth: ResolvedAuth | undefined): string {
  return JSON.stringify({
    ...auth,
    clientSecret: auth?.clientSecret?.reveal(),
    privateKey: auth?.privateKey?.reveal(),
  });
}
