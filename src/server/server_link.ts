/**
 * What is between this process and one server: the connection, the stream of notices, and the desk where the server's
 * own questions and notices arrive. Several clients may hold one link, each with a view of its own.
 *
 * @module
 */

import { pooledMap } from "@std/async";
import {
  type Connection,
  type ConnectionDesk,
  type InputResponder,
  type ListenOptions,
  namesOfCapabilities,
  type NoticeFilter,
  RpcRefusal,
} from "../connection/connection.ts";
import { Connector } from "../connection/connector.ts";
import { CALL_CAPS } from "../connection/limits.ts";
import { type ConnectionKeeper, ConnectionOpener, type OpenerOptions } from "../connection/opener.ts";
import type { LogLevel } from "../context.ts";
import { Deadline } from "../deadline.ts";
import type { ClientEvent } from "../events.ts";
import { tell } from "../tell.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { type NoticeLease, ServerNotices } from "./server_notices.ts";

/** How long what is said to a server on the side may take, in milliseconds. */
const ASIDE_TIMEOUT_MS = 10_000;
/** How many subscriptions are told to a new session at once. */
const MAX_SUBSCRIBING = 8;
/** How long an answer may take to a question that belongs to no request, in milliseconds. */
const ANSWER_TIMEOUT_MS = 600_000;

/** What a link is made with. */
export interface ServerLinkDeps extends Omit<OpenerOptions, "desk"> {
  /** Where the connection is kept between isolates. */
  readonly keeper?: ConnectionKeeper | undefined;
  /** Answers the server's questions where no request's own responder does. */
  readonly responder?: InputResponder | undefined;
}

/** One client's side of a link. */
export interface LinkView {
  /** Told of connections. */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
  /** Told of notices that belong to no request. */
  readonly onNotice: (message: JsonObject) => void;
  /** Told that there was no stream of notices for a while. */
  readonly onGap: () => void;
  /** Told after a gap that there is one again, or that there will be none. */
  readonly onReopened?: (() => void) | undefined;
}

/** A request that runs on the link. */
export interface LinkUse extends Disposable {
  /** Has the stream open on which a legacy server may ask, where the request can be asked something. */
  ready(deadline: Deadline): Promise<void>;
}

interface Use {
  readonly responder: InputResponder | undefined;
  /** Aborted when the request has settled, where it was asked something. */
  ended: AbortController | undefined;
}

/** The way to one server. */
export class ServerLink implements ConnectionDesk {
  /** Keeps the connection. */
  readonly connector: Connector;
  readonly #deps: ServerLinkDeps;
  readonly #views = new Set<LinkView>();
  readonly #uses = new Set<Use>();
  readonly #notices: ServerNotices;
  /** How often each resource is subscribed to; a legacy session is told of the first and the last. */
  readonly #uris = new Map<string, number>();
  /** What is being said on the side: it ends with the link. */
  readonly #asides = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #declared: JsonObject;
  #logLevel: LogLevel | undefined;
  /** Held from the first request on where the client's own handlers can be asked something. */
  #standing: NoticeLease | undefined;

  /**
   * Creates a link; nothing is opened.
   *
   * @param deps What it is made with.
   */
  constructor(deps: ServerLinkDeps) {
    const { server, now, responder } = deps;
    this.#deps = deps;
    this.#declared = responder?.capabilities ?? {};
    this.connector = new Connector({
      server,
      opener: new ConnectionOpener({ ...deps, desk: this }),
      onEvent: (event) => {
        for (const view of this.#views) tell(view.onEvent, event);
      },
      declare: (needs) => this.#declared = merge(this.#declared, needs),
      onOpened: (connection) => this.#greet(connection),
      now,
    });
    this.#notices = new ServerNotices({
      listen: (options) => this.#listen(options),
      isFiltered: () => this.connector.connection?.era === "modern",
      onGap: () => {
        for (const view of this.#views) view.onGap();
      },
      onReopened: () => {
        for (const view of this.#views) view.onReopened?.();
      },
    });
  }

  /** What a legacy session is told that can be answered. */
  get capabilities(): JsonObject {
    return this.#declared;
  }

  /** The client's own responder. */
  get own(): InputResponder | undefined {
    return this.#deps.responder;
  }

  /**
   * Adds a view.
   *
   * @param view Whom to tell.
   * @returns Takes it away.
   */
  attach(view: LinkView): () => void {
    this.#views.add(view);
    return () => void this.#views.delete(view);
  }

  /**
   * Begins a request, so that questions that come beside it can be told to be its own.
   *
   * @param responder Answers them.
   * @returns The request's use of the link; dispose of it when it has settled.
   */
  use(responder: InputResponder | undefined): LinkUse {
    const use: Use = { responder, ended: undefined };
    this.#uses.add(use);
    const own = this.#deps.responder;
    let lease: NoticeLease | undefined;
    return {
      ready: async (deadline) => {
        if (responder === undefined || this.connector.connection?.era !== "legacy") return;
        if (responder === own) this.#standing ??= this.#notices.want(UNASKED);
        else lease ??= this.#notices.want(UNASKED);
        await (lease ?? this.#standing)?.ready(deadline);
      },
      [Symbol.dispose]: () => {
        this.#uses.delete(use);
        use.ended?.abort(new Error("The request has settled"));
        lease?.release();
      },
    };
  }

  /**
   * Wants notices.
   *
   * @param filter Which ones.
   * @returns The wish.
   */
  want(filter: NoticeFilter): NoticeLease {
    return this.#notices.want(filter);
  }

  /**
   * Tells the server from which level on to log. A legacy session is told at once and whenever a new one begins; a
   * modern server is told with each request.
   *
   * @param level The level.
   * @param deadline The end of the telling.
   */
  async setLogLevel(level: LogLevel, deadline: Deadline): Promise<void> {
    this.logFrom(level);
    const { connection } = this.connector;
    if (connection?.era === "legacy") await sendAside(connection, "logging/setLevel", { level }, deadline);
  }

  /**
   * Remembers the level for the sessions to come.
   *
   * @param level The level.
   */
  logFrom(level: LogLevel): void {
    this.#logLevel = level;
  }

  /**
   * Whether a resource is subscribed to, in this session and in those to come.
   *
   * @param uri The resource.
   */
  isSubscribed(uri: string): boolean {
    return this.#uris.has(uri);
  }

  /**
   * Counts a subscription that the session knows of.
   *
   * @param uri The resource.
   */
  subscribe(uri: string): void {
    this.#uris.set(uri, (this.#uris.get(uri) ?? 0) + 1);
  }

  /**
   * Ends a subscription; a legacy session is told of the last one. Never rejects.
   *
   * @param uri The resource.
   */
  async unsubscribe(uri: string): Promise<void> {
    const count = (this.#uris.get(uri) ?? 0) - 1;
    if (count > 0) return void this.#uris.set(uri, count);
    this.#uris.delete(uri);
    const { connection } = this.connector;
    // Where nobody is left, the end of the session is the end of its subscriptions.
    if (connection?.era !== "legacy" || this.#views.size === 0) return;
    await this.#sayAside(connection, "resources/unsubscribe", { uri });
  }

  /** As the desk: answers what belongs to no request of ours, as far as it can be told whose question it is. */
  async answer(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    if (method === "ping") return {};
    const responder = this.#responderOfUses();
    if (responder === undefined) throw new RpcRefusal(-32601, "Method not found");
    const [only, ...others] = this.#uses;
    // Of several requests that the same functions answer for, nobody knows which one it is.
    const owner = others.length > 0 || only === undefined ? undefined : (only.ended ??= new AbortController()).signal;
    using deadline = new Deadline(ANSWER_TIMEOUT_MS, { signal, owner });
    return await responder.answer(method, params, deadline.signal);
  }

  /** As the desk: passes a notice on to every view. */
  notice(message: JsonObject): void {
    for (const view of this.#views) view.onNotice(message);
  }

  /** Closes everything. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("The link is closed"));
    await Promise.all([this.connector.close(), this.#notices.close(), ...this.#asides]);
  }

  /**
   * Who answers for what runs. Where that is not the same for all of it, nobody knows whose question it is, and nobody
   * answers: an answer by the wrong one would be worse.
   */
  #responderOfUses(): InputResponder | undefined {
    if (this.#uses.size === 0) return this.#deps.responder;
    const [only, ...others] = new Set([...this.#uses].map(({ responder }) => responder));
    return others.length === 0 ? only : undefined;
  }

  async #listen(options: ListenOptions): Promise<boolean> {
    const { connection } = this.connector;
    const { filter: { tools, prompts, resources, uris }, signal, onOpen } = options;
    const isEmpty = !tools && !prompts && !resources && uris.length === 0;
    if (connection?.era !== "modern" || !isEmpty) return await connection?.listen(options) ?? true;
    // A modern server asks and logs within requests alone: there is nothing to wait for.
    onOpen?.();
    const over = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => over.resolve(), { once: true });
    await over.promise;
    return true;
  }

  /** A new legacy session knows nothing of what was said in an earlier one. */
  #greet(connection: Connection): void {
    this.#notices.restart();
    if (connection.era !== "legacy") return;
    const level = this.#logLevel;
    if (level !== undefined) void this.#sayAside(connection, "logging/setLevel", { level });
    if (connection.resumed) return;
    void this.#resubscribe(connection);
  }

  /** A few at once: there may be a thousand, and a server that loses sessions is not to be asked for all each time. */
  async #resubscribe(connection: Connection): Promise<void> {
    const said = pooledMap(MAX_SUBSCRIBING, [...this.#uris.keys()], async (uri) => {
      const isWanted = this.#uris.has(uri) && !connection.lost && !this.#closing.signal.aborted;
      if (isWanted) await this.#sayAside(connection, "resources/subscribe", { uri });
    });
    for await (const _ of said) { /* None of them rejects. */ }
  }

  #sayAside(connection: Connection, method: string, params: JsonObject): Promise<void> {
    const deadline = new Deadline(ASIDE_TIMEOUT_MS, { signal: this.#closing.signal });
    const said = sendAside(connection, method, params, deadline).catch(() => {}).finally(() => {
      deadline[Symbol.dispose]();
      this.#asides.delete(said);
    });
    this.#asides.add(said);
    return said;
  }
}

/** Wants a stream for what cannot be asked for: the questions and the log messages of a legacy server. */
export const UNASKED: NoticeFilter = { tools: false, prompts: false, resources: false, uris: [] };

async function sendAside(connection: Connection, method: string, params: JsonObject, deadline: Deadline) {
  await connection.request({ method, params, phase: "read", caps: CALL_CAPS, deadline });
}

/** Both, also a level below. */
function merge(one: JsonObject, other: JsonObject): JsonObject {
  if (namesOfCapabilities(other).length === 0) return one;
  const merged: JsonObject = { ...one };
  for (const [name, value] of Object.entries(other)) {
    const before = merged[name];
    merged[name] = isJsonObject(before) && isJsonObject(value) ? { ...before, ...value } : value;
  }
  return merged;
}
