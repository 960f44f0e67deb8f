/**
 * What a client of one server does: each operation behind its own deadline, over the parts that it is put together from.
 *
 * @module
 */

import { CONNECT_TIMEOUT_MS } from "../connection/connector.ts";
import { END_TIMEOUT_MS } from "../connection/limits.ts";
import type { LogLevel } from "../context.ts";
import { checkTimeout, Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { ReadOptions } from "../feature_client.ts";
import type { ListKind, ListWatch } from "../list_watch.ts";
import type { ToolResult } from "../protocol.ts";
import type { ResolvedServer } from "../server_config.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";
import type { PinDecision, PinnedTool, PinOutcome } from "../tools/pinned_tool.ts";
import type { ListedKind } from "./context_list.ts";
import { createResponder, toPatient } from "./input_responder.ts";
import { type Operation, Operations } from "./operations.ts";
import type { ContextRequest } from "./server_context.ts";
import { tellLog } from "./server_listener.ts";
import type { ServerParts } from "./server_parts.ts";
import { ToolListing } from "./tool_listing.ts";

/** How long a server is waited for where only its pins are looked at, in milliseconds: most of them are known. */
const PIN_LIST_TIMEOUT_MS = 3_000;

/** What the work is done with. */
export interface ServerWorkDeps {
  /** The server, checked. */
  readonly server: ResolvedServer;
  /** The parts of its client. */
  readonly parts: ServerParts;
  /** From which level on the server is to log. */
  readonly logLevel: LogLevel | undefined;
}

/** The operations of one client. */
export class ServerWork {
  readonly #server: ResolvedServer;
  readonly #parts: ServerParts;
  readonly #listing: ToolListing;
  readonly #operations: Operations;
  #logLevel: LogLevel | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Takes the parts over; nothing is sent.
   *
   * @param deps What the work is done with.
   */
  constructor({ server, parts, logLevel }: ServerWorkDeps) {
    this.#server = server;
    this.#parts = parts;
    this.#logLevel = logLevel;
    this.#operations = new Operations(server.name, server.timeoutMs);
    const { tools, held: { link } } = parts;
    const connectTimeoutMs = this.#operations.sharedMs({});
    this.#listing = new ToolListing({ tools, connector: link.connector, connectTimeoutMs });
    if (logLevel !== undefined) link.logFrom(logLevel);
  }

  /** Refuses what is begun after {@linkcode ServerWork.close}, with `closed`. */
  throwIfClosed(): void {
    this.#operations.throwIfClosed();
  }

  /**
   * Lists the tools, for all who wait for that at once.
   *
   * @param options Deadline and cancellation.
   * @param force Whether it is done although the breaker is open.
   */
  async listTools(options: RequestOptions, force = false): Promise<void> {
    if (force) this.#listing.force();
    const phase = () => this.#parts.held.link.connector.connection === undefined ? "connect" : "list";
    await this.#operations.run({ options, phase, defaultMs: CONNECT_TIMEOUT_MS }, async (deadline) => {
      await this.#listing.join(deadline, this.#operations.sharedMs(options));
      this.#startWatching();
    });
  }

  /** Lists the tools because the server says that they have changed: an answer to what was asked before does not do. */
  async listChangedTools(): Promise<void> {
    const { changes } = this.#parts;
    const before = changes.countOf("tools");
    const isOutOfDate = this.#listing.running;
    await this.listTools({});
    if (isOutOfDate) await this.listTools({});
    // The server said so, although no difference is seen.
    if (changes.countOf("tools") === before) changes.tell("tools");
  }

  /**
   * What is known of the pinned tools; the server is asked where its own list is not at hand.
   *
   * @param options Deadline and cancellation.
   * @returns The tools; none where they are not pinned.
   */
  async listPins(options: RequestOptions): Promise<readonly Omit<PinnedTool, "server">[]> {
    this.throwIfClosed();
    const { pins, tools } = this.#parts;
    if (pins === undefined) return [];
    await pins.refresh();
    if (tools.list === undefined) await this.#tryListing({ timeoutMs: PIN_LIST_TIMEOUT_MS, ...options });
    return await pins.list();
  }

  /**
   * Accepts a pinned tool as it is now, or withholds it.
   *
   * @param decision Which tool, and what is decided.
   * @param options Deadline and cancellation.
   * @returns What came of it.
   * @throws {MCPError} With `tool_not_found`.
   */
  async decidePin(
    { tool, decision, digest }: Omit<PinDecision, "server">,
    options: RequestOptions,
  ): Promise<Omit<PinOutcome, "server">> {
    this.throwIfClosed();
    const { pins, tools } = this.#parts;
    const { name: server } = this.#server;
    if (pins === undefined) {
      const message = `Cannot decide on tool "${tool}" as server "${server}" has its tools not pinned: set "pin"`;
      throw new MCPError("tool_not_found", message, { server });
    }
    await pins.refresh();
    // What is accepted is what there is now, not what there was when the list was made.
    if (decision === "accept" || tools.list === undefined) await this.#tryListing(options);
    const found = await pins.find(tool);
    if (found === undefined) {
      const message = `Cannot decide on tool "${tool}" as server "${server}" does not list it`;
      throw new MCPError("tool_not_found", message, { server });
    }
    if (decision === "withhold") {
      return { tool, state: "withheld", decided: true, kept: await pins.withhold(tool) };
    }
    const isThat = digest === undefined ? found.digest !== undefined : digest === found.digest;
    if (!isThat && (digest !== undefined || found.state !== "withheld")) {
      return { tool, state: found.state, decided: false, kept: false };
    }
    const { kept } = await pins.accept([tool]);
    return { tool, state: (await pins.find(tool))?.state ?? found.state, decided: true, kept };
  }

  /**
   * Calls a tool.
   *
   * @param name The tool's name at the server.
   * @param args Its arguments.
   * @param options What the caller said of it.
   * @returns What the tool answered.
   */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: CallToolOptions,
  ): Promise<ToolResult> {
    checkTimeout("idleTimeoutMs", options.idleTimeoutMs);
    const { onLog, logLevel = this.#logLevel } = options;
    const { pins } = this.#parts;
    return await this.#operations.run({ options, phase: () => "call" }, async (deadline) => {
      if (pins?.isDue === true) await deadline.race(pins.refresh());
      const result = await this.#parts.caller.call(name, args, {
        deadline,
        connectTimeoutMs: this.#operations.sharedMs(options),
        options,
        responder: this.#responderOf(options, deadline),
        logLevel: logLevel ?? (onLog === undefined ? undefined : "info"),
        onNotice: (message) => {
          tellLog(onLog, message, this.#server.name);
          this.#parts.listener.onNotice(message);
        },
      });
      this.#startWatching();
      return result;
    });
  }

  /**
   * Lists what the server offers besides tools.
   *
   * @param kind What is listed.
   * @param options Deadline and cancellation.
   * @returns The entries.
   */
  async list<Entry>(kind: ListedKind, options: RequestOptions): Promise<readonly Entry[]> {
    const read = (request: ContextRequest) => this.#parts.context.list<Entry>(kind, request);
    return (await this.read(options, read, CONNECT_TIMEOUT_MS)).entries;
  }

  /**
   * Runs a request that only reads.
   *
   * @param options What the caller said of it.
   * @param run Makes it.
   * @param defaultMs How long it may take where nobody says, in milliseconds. @default {30_000}
   * @returns What it gives.
   */
  async read<T>(
    options: ReadOptions,
    run: (request: ContextRequest) => Promise<T>,
    defaultMs?: number,
  ): Promise<T> {
    return await this.#operations.run({ options, phase: () => "read", defaultMs }, async (deadline) => {
      const connectTimeoutMs = this.#operations.sharedMs(options);
      const { round } = options;
      const result = await run({ deadline, responder: this.#responderOf(options, deadline), round, connectTimeoutMs });
      this.#startWatching();
      return result;
    });
  }

  /**
   * Has the server log from a level on.
   *
   * @param level The level.
   * @param options Deadline and cancellation.
   */
  async setLogLevel(level: LogLevel, options: RequestOptions): Promise<void> {
    this.#logLevel = level;
    await this.read(options, ({ deadline }) => this.#parts.held.link.setLogLevel(level, deadline));
  }

  /**
   * Watches the lists, also those of a server that cannot be reached now: it is tried again as long as the watch lasts.
   *
   * @param onChange Told which lists have changed.
   * @param options How long the stream is waited for (10 s where nobody says), and cancellation.
   * @returns The watch.
   * @throws The reason of the caller's signal, if that is aborted.
   */
  async watchLists(onChange: (kind: ListKind) => void, options: RequestOptions): Promise<ListWatch> {
    const { listener, changes, held: { link: { connector } } } = this.#parts;
    const connectTimeoutMs = this.#operations.sharedMs(options);
    const operation: Operation = { options, phase: () => "connect", defaultMs: CONNECT_TIMEOUT_MS };
    return await this.#operations.run(operation, async (deadline) => {
      // A stream that is wanted earlier would find no connection, and take that for a gap.
      await connector.ensure(deadline, connectTimeoutMs).catch(() => {});
      if (deadline.cancelled) throw deadline.signal.reason;
      const lease = listener.hold();
      const watch = changes.watch(onChange, () => lease.release());
      await lease.ready(deadline);
      if (!deadline.cancelled) return watch;
      await watch.close();
      throw deadline.signal.reason;
    });
  }

  /**
   * Closes once nothing is under way any more.
   *
   * @param graceMs How long that may take, in milliseconds; then it is ended.
   */
  async closeWhenIdle(graceMs: number): Promise<void> {
    await this.#operations.idle(graceMs);
    await this.close();
  }

  /** Ends what is under way with `closed`, ends the session and frees everything, within a second. Idempotent. */
  close(): Promise<void> {
    this.#operations.close();
    return this.#closing ??= this.#close();
  }

  /** A server that does not answer now leaves what is known. */
  async #tryListing(options: RequestOptions): Promise<void> {
    try {
      await this.listTools(options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (isMCPError(error) && error.code === "closed") throw error;
    }
  }

  #startWatching(): void {
    if (this.#server.watch) this.#parts.listener.watch();
    this.#parts.listener.hearLogs();
  }

  #responderOf({ input, inputTimeoutMs }: ReadOptions | CallToolOptions, deadline: Deadline) {
    if (input === undefined) return this.#parts.responder;
    const responder = createResponder(this.#server.name, input);
    return inputTimeoutMs === undefined ? responder : toPatient(responder, deadline);
  }

  async #close(): Promise<void> {
    const { listener, changes, caller, context, held } = this.#parts;
    const cancelled = caller.close();
    using patience = new Deadline(END_TIMEOUT_MS);
    // The end of the session would overtake what cancels its tasks.
    await Promise.all([changes.close(), listener.close(), patience.race(cancelled).catch(() => {})]);
    context.close();
    await Promise.all([cancelled, held.release(), this.#listing.close()]);
  }
}
