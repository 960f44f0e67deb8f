/**
 * Hears what a server says outside of requests, and passes on as little of it as needed.
 *
 * @module
 */

import { tell } from "../tell.ts";
import type { LogLevel, LogMessage } from "../context.ts";
import type { ClientEvent } from "../events.ts";
import { NoticePacer } from "./notice_pacer.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { type LinkView, type ServerLink, UNASKED } from "./server_link.ts";
import type { NoticeLease } from "./server_notices.ts";

const LEVELS: readonly unknown[] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];
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
      ...(["resources", "prompts"] as const).map((what) => {
        const pacer = new NoticePacer({ signal, onChange: () => tell(onContextStale, what) });
        return [`notifications/${what}/list_changed`, pacer] as const;
      }),
    ]);
    this.#detach = link.attach(this);
  }

  /** Keeps a stream open on which the server tells of changed lists, where there is none yet. */
  watch(): void {
    if (this.#closing.signal.aborted) return;
    this.#watching ??= this.#deps.link.want({ tools: true, prompts: true, resources: true, uris: [] });
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
    const pacer = this.#pacers.get(String(message.method));
    if (pacer !== undefined) pacer.notice();
    else if (message.method === "notifications/message") tellLog(this.#deps.onLog, message, this.#deps.server);
    else this.#deps.onOther(message);
  }

  /** While there was no stream, nobody could tell. */
  onGap(): void {
    if (this.#watching !== undefined) { for (const pacer of this.#pacers.values()) pacer.notice(); }
  }

  /** Hears no more. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#detach();
    this.#watching?.release();
    this.#logging?.release();
    await Promise.all([...this.#pacers.values()].map((pacer) => pacer.settled()));
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
  const { level, logger, data } = params;
  if (!LEVELS.includes(level)) return;
  const name = typeof logger === "string" ? { logger: logger.slice(0, MAX_LOGGER_CHARS) } : {};
  tell(onLog, { server, level: level as LogLevel, data, ...name });
}
