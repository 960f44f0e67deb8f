/**
 * Exactly one MCP server: connect, list, call, recover, close.
 *
 * @module
 */

import { CONNECT_TIMEOUT_MS, Connector } from "./connection/connector.ts";
import { type ConnectionKeeper, ConnectionOpener } from "./connection/opener.ts";
import { checkTimeout, Deadline } from "./deadline.ts";
import { isMCPError, MCPError } from "./errors.ts";
import { type CallEvent, type EventListener, tell } from "./events.ts";
import { createGuardedFetch } from "./guarded_fetch.ts";
import { toRequestError } from "./network_errors.ts";
import { isJsonObject, type JsonObject, type Tool, type ToolResult } from "./protocol.ts";
import { type ResolvedServer, resolveServer, type ServerConfig } from "./server_config.ts";
import { ServerRequests } from "./server/server_requests.ts";
import { ServerTools } from "./server/server_tools.ts";
import { SharedTask } from "./shared_task.ts";
import type { ServerStatus } from "./status.ts";
import type { CallToolOptions, RequestOptions, ToolClient } from "./tool_client.ts";
import type { ToolList } from "./tools/tool_list.ts";
import { type PinKeeper, ToolPins } from "./tools/tool_pins.ts";
import { ToolWatcher } from "./tool_watcher.ts";

/** How long a call may take where nobody says, in milliseconds. */
const CALL_TIMEOUT_MS = 30_000;

/** What differs between production and tests, and between agents. */
export interface SingleServerMCPClientOptions {
  /** Values for `${NAME}` in the server's `url` and `headers`. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Told of connections, failures, changed tools and calls, as they happen. What it throws is ignored. */
  readonly onEvent?: EventListener | undefined;
  /**
   * Told that the server says its tools have changed, where its configuration has `watch`.
   * @default {The tools are listed anew}
   */
  readonly onToolsStale?: (() => void) | undefined;
  /** Where connections are kept between isolates; borrowed. @default {undefined, nothing is kept} */
  readonly keeper?: ConnectionKeeper | undefined;
  /** Where pins are kept between isolates; borrowed. @default {undefined, they hold as long as the client} */
  readonly pinKeeper?: PinKeeper | undefined;
  /** The `fetch` underneath. @default {globalThis.fetch} */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
  /** A number from 0 up to 1, for the jitter of retries. @default {Math.random} */
  readonly random?: (() => number) | undefined;
}

/** What may be said of a list. */
export interface ListToolsOptions extends RequestOptions {
  /** Ask the server although a list is at hand. @default {false} */
  readonly refresh?: boolean | undefined;
}

/**
 * A client of exactly one MCP server, of either protocol era, over Streamable HTTP or SSE. It connects when it is first
 * needed, opens a new session when the server has lost the old one, and sends a call at most once.
 *
 * @example
 * ```ts
 * import { SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using client = new SingleServerMCPClient("files", { url: "http://localhost:3001/mcp" });
 * assertEquals(client.getStatus().state, "idle");
 * ```
 */
export class SingleServerMCPClient implements ToolClient {
  readonly #server: ResolvedServer;
  /** The URL as configured, without its query: secrets in its path are still `${NAME}`. */
  readonly #shownUrl: string;
  readonly #connector: Connector;
  readonly #requests: ServerRequests;
  readonly #tools: ServerTools;
  readonly #pins: ToolPins | undefined;
  readonly #listing: SharedTask<ToolList>;
  readonly #watcher: ToolWatcher;
  readonly #onEvent: EventListener | undefined;
  /** Whether the next listing is made although the breaker is open: somebody asked for it by name. */
  #forced = false;
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;

  /**
   * Creates a client; nothing is sent.
   *
   * @param server The server's name, in errors and in the status.
   * @param config Where it is and how to talk to it.
   * @param options Secrets, events, and what differs in tests.
   * @throws {ConfigError} If the configuration has faults (`invalid_config`).
   */
  constructor(server: string, config: ServerConfig, options: SingleServerMCPClientOptions = {}) {
    const { secrets, fetch, now = Date.now, random = Math.random, onEvent, keeper, pinKeeper } = options;
    this.#server = resolveServer(server, config, secrets);
    this.#shownUrl = config.url.replace(/[?#].*$/s, "");
    const { url, headers, transport, era, tools: filter, pin } = this.#server;
    const send = createGuardedFetch({ server, url, headers, fetch });
    const opener = new ConnectionOpener({ server, url, transport, era, send, keeper, now });
    const connector = new Connector({ server, opener, onEvent, now });
    const requests = new ServerRequests({ server, connector, onEvent, now, random });
    this.#onEvent = onEvent;
    this.#connector = connector;
    this.#requests = requests;
    this.#pins = pin === "off" ? undefined : new ToolPins(pin, pinKeeper);
    this.#tools = new ServerTools({
      server,
      filter,
      requests,
      pins: this.#pins,
      onChange: (diff) => tell(onEvent, { type: "tools_changed", server, ...diff }),
    });
    this.#listing = new SharedTask((deadline) => this.#readList(deadline));
    this.#watcher = new ToolWatcher({
      listen: async (onChange, signal) => await connector.connection?.listen(onChange, signal) ?? true,
      onChange: options.onToolsStale ?? (() => void this.listTools({ refresh: true }).catch(() => {})),
    });
  }

  /** The server's name. */
  get server(): string {
    return this.#server.name;
  }

  /** Whether there is a live connection. */
  get isConnected(): boolean {
    return this.#connector.connection !== undefined;
  }

  /**
   * Connects and lists the tools, whatever happened before.
   *
   * @param options Deadline and cancellation. The smaller of `timeoutMs` here and in the configuration holds, 10 s
   * where neither is given.
   * @throws {MCPError} If the server cannot be reached or does not list its tools.
   */
  async connect(options: RequestOptions = {}): Promise<void> {
    this.#forced = true;
    await this.#listAnew(options);
  }

  /**
   * The tools of this server that the filter lets through. Asks the server once and keeps the answer.
   *
   * @param options Deadline and cancellation, 10 s where nobody says; `refresh` to ask again.
   * @returns The tools under the names that the server gives them.
   * @throws {MCPError} If no list could be had.
   */
  async listTools(options: ListToolsOptions = {}): Promise<readonly Tool[]> {
    this.#closed.signal.throwIfAborted();
    if (options.refresh === true || this.#tools.list === undefined) await this.#listAnew(options);
    return this.#tools.known ?? [];
  }

  /**
   * Takes a tool list from elsewhere, such as a cache, until the server itself is asked.
   *
   * @param tools The tools as the server listed them.
   */
  adoptTools(tools: readonly Tool[]): void {
    this.#tools.adopt(tools);
  }

  /**
   * Accepts tools as they are now, where the configuration pins them, and lists anew.
   *
   * @param names Which ones; all where none are named.
   * @returns The names of the tools that had changed.
   * @throws {MCPError} If the server does not list its tools.
   */
  async acceptTools(names?: readonly string[]): Promise<readonly string[]> {
    const accepted = await this.#pins?.accept(names) ?? [];
    if (accepted.length > 0) await this.listTools({ refresh: true });
    return accepted;
  }

  /**
   * Calls a tool of this server. Sent at most once: again only where the server provably refused it or never got it, or
   * where the configuration trusts the tool's hint that running twice changes nothing.
   *
   * @param name The tool's name at this server.
   * @param args Its arguments. @default {{}}
   * @param options Deadline (30 s where nobody says), cancellation, progress.
   * @returns What the tool answered, also where it answered `isError: true`.
   * @throws {MCPError} With `tool_not_found` if the tool is not listed or not allowed; with `invalid_arguments` if the
   * arguments are no JSON object; with `deadline_exceeded`, `outcome_unknown`, `unreachable`, `circuit_open`,
   * `overloaded`, `upstream_error`, `bad_response` and the other codes of a server that does not answer as it should.
   */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallToolOptions = {},
  ): Promise<ToolResult> {
    this.#closed.signal.throwIfAborted();
    checkTimeout("timeoutMs", options.timeoutMs);
    checkTimeout("idleTimeoutMs", options.idleTimeoutMs);
    const tool = this.#tools.check(name);
    const argumentsText = toArgumentsText(name, args, this.server);
    const startedAt = performance.now();
    using deadline = this.#deadline(options, CALL_TIMEOUT_MS);
    const { onProgress, idleTimeoutMs, trace } = options;
    // A silence begins when the call has left: waiting for a turn or a handshake is none of the tool's.
    let heard: (() => void) | undefined;
    const listen = () => {
      if (heard === undefined) heard = deadline.watchSilence(idleTimeoutMs ?? Infinity);
      else heard();
    };
    const onHeard = idleTimeoutMs === undefined ? undefined : listen;
    const { inputSchema } = tool ?? {};
    const details = { deadline, onProgress, onHeard, trace, argumentsText, inputSchema };
    try {
      const result = await this.#requests.run({
        phase: "call",
        deadline,
        connectTimeoutMs: this.#sharedMs(options),
        repeatable: this.#isRepeatable(tool),
        send: (connection) => connection.callTool(name, args as JsonObject, details),
      });
      this.#startWatching();
      this.#tellOfCall(name, result.isError === true ? "tool_error" : "ok", startedAt);
      return result;
    } catch (error) {
      const failure = toRequestError(error, { server: this.server, phase: "call", deadline });
      this.#tellOfCall(name, isMCPError(failure) ? failure.code : "cancelled", startedAt);
      throw failure;
    }
  }

  /**
   * Closes the connection and opens another.
   *
   * @param options Deadline and cancellation, as of {@linkcode SingleServerMCPClient.connect}.
   * @throws {MCPError} If the server cannot be reached or does not list its tools.
   */
  async reconnect(options: RequestOptions = {}): Promise<void> {
    const { connection } = this.#connector;
    if (connection !== undefined) this.#connector.drop(connection);
    await this.connect(options);
  }

  /**
   * What is known of the server. Asks nobody.
   *
   * @returns A snapshot.
   */
  getStatus(): ServerStatus {
    const { connection, state, connectedAtMs, lastError } = this.#connector;
    const { latency, breaker, running, waiting } = this.#requests;
    const { list } = this.#tools;
    return {
      server: this.server,
      url: this.#shownUrl,
      state,
      era: connection?.era,
      transport: connection?.transport,
      protocolVersion: connection?.protocolVersion,
      toolCount: list && this.#tools.known?.length,
      toolsFrom: list && "server",
      toolsPartial: list?.partial ?? false,
      toolsTtlMs: list?.ttlMs,
      warnings: list?.warnings ?? [],
      latencyMs: latency?.lastMs,
      latency,
      breaker,
      running,
      waiting,
      connectedAtMs,
      lastError,
    };
  }

  /** Ends what is under way with `closed`, ends the session and frees everything, within a second. Idempotent. */
  close(): Promise<void> {
    const message = `Cannot use server "${this.server}" as its client is closed`;
    this.#closed.abort(new MCPError("closed", message, { server: this.server }));
    return this.#closing ??= this.#close();
  }

  /** As {@linkcode SingleServerMCPClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listAnew(options: RequestOptions): Promise<void> {
    this.#closed.signal.throwIfAborted();
    checkTimeout("timeoutMs", options.timeoutMs);
    using deadline = this.#deadline(options, CONNECT_TIMEOUT_MS);
    try {
      await this.#listing.join(deadline, this.#sharedMs(options));
      this.#startWatching();
    } catch (error) {
      throw toRequestError(error, { server: this.server, phase: this.isConnected ? "list" : "connect", deadline });
    }
  }

  async #readList(deadline: Deadline): Promise<ToolList> {
    const force = this.#forced;
    this.#forced = false;
    try {
      return await this.#tools.read({ deadline, force, connectTimeoutMs: this.#sharedMs({}) });
    } catch (error) {
      // A server that connects but has never listed its tools is of no use: its state is not "connected".
      const { connection } = this.#connector;
      if (this.#tools.list === undefined && connection !== undefined && isMCPError(error)) {
        this.#connector.drop(connection, error);
      }
      throw error;
    }
  }

  #isRepeatable(tool: Tool | undefined): boolean {
    const { readOnlyHint, idempotentHint } = tool?.annotations ?? {};
    return this.#server.trustAnnotations && (readOnlyHint === true || idempotentHint === true);
  }

  #startWatching(): void {
    if (this.#server.watch) this.#watcher.start();
  }

  #tellOfCall(tool: string, outcome: CallEvent["outcome"], startedAt: number): void {
    const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
    tell(this.#onEvent, { type: "call", server: this.server, tool, outcome, durationMs });
  }

  /** The smaller of what the caller and the configuration say, ended by either of them and by `close()`. */
  #deadline(options: RequestOptions, defaultMs: number): Deadline {
    const { timeoutMs: configuredMs } = this.#server;
    const { timeoutMs = configuredMs ?? defaultMs, signal } = options;
    return new Deadline(Math.min(timeoutMs, configuredMs ?? Infinity), { signal, owner: this.#closed.signal });
  }

  /** How long work may take that others may come to wait for: one caller's haste does not end it for them. */
  #sharedMs(options: RequestOptions): number {
    return this.#server.timeoutMs ?? Math.max(options.timeoutMs ?? 0, CONNECT_TIMEOUT_MS);
  }

  async #close(): Promise<void> {
    await Promise.all([this.#connector.close(), this.#watcher.close()]);
    await this.#listing.abort(new Error("The client is closed"));
  }
}

/** The arguments as JSON: what is sent is what was checked. */
function toArgumentsText(name: string, args: unknown, server: string): string {
  let cause: unknown;
  try {
    const text = isJsonObject(args) ? JSON.stringify(args) : undefined;
    if (text?.startsWith("{")) return text;
  } catch (error) {
    cause = error;
  }
  throw new MCPError("invalid_arguments", `Cannot call tool "${name}" as its arguments are not a JSON object`, {
    server,
    cause,
  });
}
