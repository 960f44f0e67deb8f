/**
 * Hears what a server says outside of requests, and passes on as little of it as needed.
 *
 * @module
 */

import { tell } from "../tell.ts";
import { LOG_LEVELS, type LogMessage } from "../context.ts";
import type { ClientEvent } from "../events.ts";
import type { ListChanges } from "./list_changes.ts";
import { NoticePacer } from "./notice_pacer.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { type LinkView, type ServerLink, UNASKED } from "./server_link.ts";
import type { NoticeLease } from "./server_notices.ts";

const CONTEXT = ["resources", "prompts"] as const;
/** How long the name of a logger may be, in characters. */
const MAX_LOGGER_CHARS = 128;

/** Whom a listener tells. */
export interface ServerListenerDeps {
  /** The server's name. */
  readonly server: string;
  /** The way to it. */
  readonly link: ServerLink;
  /** Told of connections. */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
  /** Told that the tools have changed: at once, then at most once a second. */
  readonly onToolsStale: () => void;
  /** Told that the resources or the prompts have changed: at once, then at most once a second. */
  readonly onContextStale?: ((what: "resources" | "prompts") => void) | undefined;
  /** Who watches the lists. @default {undefined, nobody does} */
  readonly changes?: ListChanges | undefined;
  /** Told of log messages. */
  readonly onLog?: ((message: LogMessage) => void) | undefined;
  /** Told of every other notice. */
  readonly onOther: (message: JsonObject) => void;
}

/** Hears one server for one client. */
export class ServerListener implements LinkView {
  readonly onEvent: ((event: ClientEvent) => void) | undefined;
  readonly #deps: ServerListenerDeps;
  readonly #closing = new AbortController();
  readonly #detach: () => void;
  readonly #pacers: ReadonlyMap<string, NoticePacer>;
  /** Those who want to be told of changed lists. */
  readonly #holds = new Set<NoticeLease>();
  /** Lists that may have changed, of which those who watch have not been told. */
  readonly #untold = new Set<"resources" | "prompts">();
  #watching: NoticeLease | undefined;
  #logging: NoticeLease | undefined;

  /**
   * Begins to hear.
   *
   * @param deps Whom to tell.
   */
  constructor(deps: ServerListenerDeps) {
    const { signal } = this.#closing;
    const { link, onEvent, onToolsStale, onContextStale } = deps;
    this.#deps = deps;
    this.onEvent = onEvent;
    this.#pacers = new Map([
      [
        "notifications/tools/list_changed",
        new NoticePacer({ signal, onChange: () => tell(onToolsStale, undefined) }),
      ],
      ...CONTEXT.map((what) => {
        const onChange = () => {
          tell(onContextStale, what);
          // Who lists now is given what is asked for anew.
          if (this.#untold.delete(what)) deps.changes?.tell(what);
        };
        const pacer = new NoticePacer({ signal, onChange });
        return [`notifications/${what}/list_changed`, pacer] as const;
      }),
    ]);
    this.#detach = link.attach(this);
  }

  /** Keeps a stream open on which the server tells of changed lists, where there is none yet. */
  watch(): void {
    this.#watching ??= this.hold();
  }

  /**
   * Keeps that stream open for a while.
   *
   * @returns The wish for it.
   */
  hold(): NoticeLease {
    if (this.#closing.signal.aborted) return { ready: () => Promise.resolve(), offered: false, release: () => {} };
    const lease = this.#deps.link.want({ tools: true, prompts: true, resources: true, uris: [] });
    this.#holds.add(lease);
    return {
      ready: (deadline) => lease.ready(deadline),
      get offered() {
        return lease.offered;
      },
      release: () => {
        this.#holds.delete(lease);
        lease.release();
      },
    };
  }

  /** Keeps a stream open on which a legacy server logs what belongs to no request, where somebody wants to know it. */
  hearLogs(): void {
    if (this.#closing.signal.aborted || this.#deps.onLog === undefined) return;
    this.#logging ??= this.#deps.link.want(UNASKED);
  }

  /**
   * Takes a notice.
   *
   * @param message The JSON-RPC notification.
   */
  onNotice(message: JsonObject): void {
    const method = String(message.method);
    const pacer = this.#pacers.get(method);
    if (pacer !== undefined) this.#notice(method, pacer);
    else if (message.method === "notifications/message") tellLog(this.#deps.onLog, message, this.#deps.server);
    else this.#deps.onOther(message);
  }

  /** While there was no stream, nobody could tell. */
  onGap(): void {
    if (this.#holds.size > 0) { for (const pacer of this.#pacers.values()) pacer.notice(); }
  }

  /** Now it is known what the lists are, and from now on, what they become. */
  onReopened(): void {
    if (this.#deps.changes?.watched !== true) return;
    for (const [method, pacer] of this.#pacers) this.#notice(method, pacer);
  }

  /** Hears no more. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#detach();
    for (const lease of this.#holds) lease.release();
    this.#logging?.release();
    await Promise.all([...this.#pacers.values()].map((pacer) => pacer.settled()));
  }

  #notice(method: string, pacer: NoticePacer): void {
    const what = CONTEXT.find((one) => method === `notifications/${one}/list_changed`);
    if (what !== undefined) this.#untold.add(what);
    pacer.notice();
  }
}

/**
 * Tells of a log message, where a notice is a well-formed one. What the caller's function throws is ignored.
 *
 * @param onLog Whom to tell.
 * @param message Any notice.
 * @param server Whose it is.
 */
export function tellLog(
  onLog: ((message: LogMessage) => void) | undefined,
  { method, params }: JsonObject,
  server: string,
): void {
  if (onLog === undefined || method !== "notifications/message" || !isJsonObject(params)) return;
  const { logger, data } = params;
  const level = LOG_LEVELS.find((known) => known === params.level);
  if (level === undefined) return;
  const name = typeof logger === "string" ? { logger: logger.slice(0, MAX_LOGGER_CHARS) } : {};
  tell(onLog, { server, level, data, ...name });
}
