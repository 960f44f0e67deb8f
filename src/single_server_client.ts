/**
 * Exactly one MCP server: connect, list, call, recover, close.
 *
 * @module
 */

import { connectLegacy } from "./connection/legacy_connection.ts";
import { CONNECT_TIMEOUT_MS, Connector } from "./connection/connector.ts";
import type { Connection } from "./connection/connection.ts";
import { checkTimeout, Deadline } from "./deadline.ts";
import { isMCPError, MCPError } from "./errors.ts";
import { createGuardedFetch } from "./guarded_fetch.ts";
import { nearestNames } from "./nearest.ts";
import { toRequestError } from "./network_errors.ts";
import { isJsonObject, type JsonObject, type Tool, type ToolResult } from "./protocol.ts";
import { type ResolvedServer, resolveServer, type ServerConfig } from "./server_config.ts";
import { SharedTask } from "./shared_task.ts";
import type { ServerStatus } from "./status.ts";
import type { CallToolOptions, RequestOptions, ToolClient } from "./tool_client.ts";
import { isToolAllowed } from "./tool_filter.ts";
import { readToolList, type ToolList } from "./tool_list.ts";

/** How long a call may take where nobody says, in milliseconds. */
const CALL_TIMEOUT_MS = 30_000;
/** JSON-RPC's "method not found": a server without tools does not know `tools/list`. */
const METHOD_NOT_FOUND = -32601;

/** What differs between production and tests, and between agents. */
export interface SingleServerMCPClientOptions {
  /** Values for `${NAME}` in the server's `url` and `headers`. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
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
 * A client of exactly one MCP server, over Streamable HTTP or SSE. It connects when it is first needed, opens a new
 * session when the server has lost the old one, and sends a call at most once.
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
  readonly #listing: SharedTask<ToolList>;
  readonly #closed = new AbortController();
  #list: ToolList | undefined;
  #latencyMs: number | undefined;

  /**
   * Creates a client; nothing is sent.
   *
   * @param server The server's name, in errors and in the status.
   * @param config Where it is and how to talk to it.
   * @param options Secrets, and what differs in tests.
   * @throws {ConfigError} If the configuration has faults (`invalid_config`).
   */
  constructor(server: string, config: ServerConfig, options: SingleServerMCPClientOptions = {}) {
    const { secrets, fetch, now = Date.now, random = Math.random } = options;
    this.#server = resolveServer(server, config, secrets);
    this.#shownUrl = config.url.replace(/[?#].*$/s, "");
    const { url, headers, transport } = this.#server;
    const guarded = createGuardedFetch({ server, url, headers, fetch });
    this.#connector = new Connector({
      server,
      now,
      random,
      open: (deadline) => connectLegacy({ server, url, transport, fetch: guarded, deadline, now }),
    });
    this.#listing = new SharedTask((deadline) => this.#readList(deadline));
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
    await this.#listAnew(options, true);
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
    const list = options.refresh === true ? undefined : this.#list;
    return this.#allowed(list ?? await this.#listAnew(options, false));
  }

  /**
   * Calls a tool of this server. Sent at most once: where the session was lost the server has refused the call, and it
   * is sent again in a new session; in no other case.
   *
   * @param name The tool's name at this server.
   * @param args Its arguments. @default {{}}
   * @param options Deadline (30 s where nobody says), cancellation, progress.
   * @returns What the tool answered, also where it answered `isError: true`.
   * @throws {MCPError} With `tool_not_found` if the tool is not listed or not allowed; with `invalid_arguments` if the
   * arguments are no JSON object; with `deadline_exceeded`, `outcome_unknown`, `unreachable`, `upstream_error`,
   * `bad_response` and the other codes of a server that does not answer as it should.
   */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallToolOptions = {},
  ): Promise<ToolResult> {
    this.#closed.signal.throwIfAborted();
    checkTimeout("timeoutMs", options.timeoutMs);
    this.#checkCallable(name);
    checkArguments(name, args, this.server);
    using deadline = this.#deadline(options, CALL_TIMEOUT_MS);
    for (let resent = false;; resent = true) {
      const connection = await this.#ensure(deadline, options, false);
      try {
        const result = await this.#timed(connection.callTool(name, args, { ...options, deadline }));
        return result;
      } catch (error) {
        this.#noteFailure(error, connection);
        if (resent || !isMCPError(error) || error.code !== "session_lost") throw error;
      }
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
    return {
      server: this.server,
      url: this.#shownUrl,
      state,
      era: connection?.era,
      transport: connection?.transport,
      protocolVersion: connection?.protocolVersion,
      toolCount: this.#list && this.#allowed(this.#list).length,
      toolsFrom: this.#list && "server",
      toolsPartial: this.#list?.partial ?? false,
      warnings: this.#list?.warnings ?? [],
      latencyMs: this.#latencyMs,
      connectedAtMs,
      lastError,
    };
  }

  /** Ends what is under way with `closed`, ends the session and frees everything, within a second. Idempotent. */
  close(): Promise<void> {
    const message = `Cannot use server "${this.server}" as its client is closed`;
    this.#closed.abort(new MCPError("closed", message, { server: this.server }));
    return this.#connector.close();
  }

  /** As {@linkcode SingleServerMCPClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listAnew(options: RequestOptions, force: boolean): Promise<ToolList> {
    checkTimeout("timeoutMs", options.timeoutMs);
    using deadline = this.#deadline(options, CONNECT_TIMEOUT_MS);
    await this.#ensure(deadline, options, force);
    try {
      return await this.#listing.join(deadline, this.#sharedMs(options));
    } catch (error) {
      throw toRequestError(error, { server: this.server, phase: "list", deadline });
    }
  }

  /** Reads the list; a session that was lost is replaced once. A list that cannot be read keeps the one at hand. */
  async #readList(deadline: Deadline): Promise<ToolList> {
    for (let again = false;; again = true) {
      const connection = await this.#ensure(deadline, {}, true);
      try {
        this.#list = await readToolList((cursor) => this.#timed(connection.listTools(cursor, deadline)));
        return this.#list;
      } catch (error) {
        if (isMCPError(error) && error.rpcCode === METHOD_NOT_FOUND) {
          return this.#list = { tools: [], partial: false, warnings: ["The server has no tools"] };
        }
        this.#noteFailure(error, connection);
        if (again || !isMCPError(error) || error.code !== "session_lost") {
          // A server that connects but has never listed its tools is of no use: its state is not "connected".
          if (this.#list === undefined && isMCPError(error)) this.#connector.drop(connection, error);
          throw error;
        }
      }
    }
  }

  async #ensure(deadline: Deadline, options: RequestOptions, force: boolean): Promise<Connection> {
    return await this.#connector.ensure(deadline, { timeoutMs: this.#sharedMs(options), force });
  }

  #noteFailure(error: unknown, connection: Connection): void {
    if (!isMCPError(error)) return;
    if (error.code === "session_lost") return this.#connector.drop(connection);
    if (error.code === "unreachable" || connection.lost) return this.#connector.drop(connection, error);
    this.#connector.note(error);
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

  async #timed<T>(request: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const value = await request;
    this.#latencyMs = Math.round((performance.now() - startedAt) * 10) / 10;
    return value;
  }

  #allowed(list: ToolList): readonly Tool[] {
    return list.tools.filter(({ name }) => isToolAllowed(this.#server.tools, name));
  }

  /** Unknown and forbidden are told apart from nobody. */
  #checkCallable(name: string): void {
    const known = this.#list && this.#allowed(this.#list);
    // A list that is empty may be a hiccup, and one that was cut says nothing of the rest: the server decides.
    const callable = known === undefined || this.#list?.partial === true || this.#list?.tools.length === 0
      ? isToolAllowed(this.#server.tools, name)
      : known.some((tool) => tool.name === name);
    if (callable) return;
    const suggestions = nearestNames(name, (known ?? []).map((tool) => tool.name));
    throw new MCPError(
      "tool_not_found",
      `Cannot call tool "${name}" as server "${this.server}" does not list it${didYouMean(suggestions)}`,
      { server: this.server, suggestions },
    );
  }
}

/**
 * A question that names what the caller may have meant.
 *
 * @param suggestions Names, nearest first.
 * @returns The end of an error's message; empty where there are none.
 */
export function didYouMean(suggestions: readonly string[]): string {
  return suggestions.length === 0 ? "" : `; did you mean ${suggestions.map((name) => `"${name}"`).join(" or ")}?`;
}

function checkArguments(name: string, args: unknown, server: string): asserts args is JsonObject {
  let cause: unknown;
  try {
    if (isJsonObject(args) && JSON.stringify(args)?.startsWith("{")) return;
  } catch (error) {
    cause = error;
  }
  throw new MCPError("invalid_arguments", `Cannot call tool "${name}" as its arguments are not a JSON object`, {
    server,
    cause,
  });
}
