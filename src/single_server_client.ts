/**
 * Exactly one MCP server: connect, list, call, recover, close.
 *
 * @module
 */

import type { FinishedAuthorization } from "./auth/finish_authorization.ts";
import type { Connector } from "./connection/connector.ts";
import type {
  Completion,
  CompletionArgument,
  CompletionReference,
  LogLevel,
  Prompt,
  PromptResult,
  Resource,
  ResourceResult,
  ResourceTemplate,
  ServerInfo,
} from "./context.ts";
import type { FeatureClient, ReadOptions, ResourceSubscription } from "./feature_client.ts";
import type { ListKind, ListWatch } from "./list_watch.ts";
import type { Tool, ToolResult } from "./protocol.ts";
import { PROMPTS, RESOURCE_TEMPLATES, RESOURCES } from "./server/context_list.ts";
import { createServerParts, type ServerParts, toServerStatus } from "./server/server_parts.ts";
import { ServerWork } from "./server/server_work.ts";
import { resolveServer, type ServerConfig } from "./server_config.ts";
import type { ListToolsOptions, SingleServerMCPClientOptions } from "./single_server_options.ts";
import type { ServerStatus } from "./status.ts";
import type { CallToolOptions, RequestOptions } from "./tool_client.ts";
import type { PinDecision, PinnedTool, PinOutcome } from "./tools/pinned_tool.ts";

const LISTED = { resources: RESOURCES, templates: RESOURCE_TEMPLATES, prompts: PROMPTS } as const;

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
export class SingleServerMCPClient implements FeatureClient {
  /** The server's name. */
  readonly server: string;
  /** The URL as configured, without its query: secrets in its path are still `${NAME}`. */
  readonly #shownUrl: string;
  readonly #parts: ServerParts;
  readonly #work: ServerWork;

  /**
   * Creates a client; nothing is sent.
   *
   * @param server The server's name, in errors and in the status.
   * @param config Where it is and how to talk to it.
   * @param options Secrets, events, and what differs in tests.
   * @throws {ConfigError} If the configuration has faults (`invalid_config`).
   */
  constructor(server: string, config: ServerConfig, options: SingleServerMCPClientOptions = {}) {
    const resolved = resolveServer(server, config, options.secrets);
    this.server = resolved.name;
    this.#shownUrl = config.url.replace(/[?#].*$/s, "");
    const listAnew = () => void this.#work.listChangedTools().catch(() => {});
    this.#parts = createServerParts(resolved, options, options.onToolsStale ?? listAnew);
    this.#work = new ServerWork({ server: resolved, parts: this.#parts, logLevel: options.logLevel });
  }

  /** Whether there is a live connection. */
  get isConnected(): boolean {
    return this.#connector.connection !== undefined;
  }

  /**
   * Connects and lists the tools, whatever happened before.
   *
   * @param options Deadline (the smaller of the one here and in the configuration; else 10 s) and cancellation.
   * @throws {MCPError} If the server cannot be reached or does not list its tools.
   */
  async connect(options: RequestOptions = {}): Promise<void> {
    await this.#work.listTools(options, true);
  }

  /**
   * The tools of this server that the filter lets through. Asks the server once and keeps the answer.
   *
   * @param options Deadline and cancellation, 10 s where nobody says; `refresh` to ask again.
   * @returns The tools under the names that the server gives them.
   * @throws {MCPError} If no list could be had.
   */
  async listTools(options: ListToolsOptions = {}): Promise<readonly Tool[]> {
    this.#work.throwIfClosed();
    if (options.refresh === true || this.#parts.tools.list === undefined) await this.#work.listTools(options);
    return this.#parts.tools.known ?? [];
  }

  /**
   * Takes a tool list from elsewhere, such as a cache, until the server itself is asked.
   *
   * @param tools The tools as the server listed them.
   */
  adoptTools(tools: readonly Tool[]): void {
    this.#parts.tools.adopt(tools);
  }

  /** Forgets the tools that the server has listed: it is asked again when its list is needed. */
  forgetTools(): void {
    this.#parts.tools.forget();
  }

  /**
   * Accepts tools as they are now, where the configuration pins them, and lists anew.
   *
   * @param names Which ones; all where none are named.
   * @returns The names of the tools that had changed.
   * @throws {MCPError} If the server does not list its tools.
   */
  async acceptTools(names?: readonly string[]): Promise<readonly string[]> {
    const { names: accepted = [] } = await this.#parts.pins?.accept(names) ?? {};
    if (accepted.length > 0) await this.listTools({ refresh: true });
    return accepted;
  }

  /**
   * The pinned tools of this server, where its configuration pins them: those that it lists, and those that are withheld.
   *
   * @param options Deadline and cancellation, as of {@linkcode SingleServerMCPClient.listTools}.
   * @returns The tools that the filter lets through; none where the server cannot be asked and nothing is withheld.
   */
  async listPins(options: RequestOptions = {}): Promise<readonly PinnedTool[]> {
    const tools = await this.#work.listPins(options);
    return tools.map((tool) => ({ server: this.server, ...tool }));
  }

  /**
   * Accepts a pinned tool as it is now, or withholds it. The list is not made anew: {@linkcode MultiServerMCPClient}
   * does that too.
   *
   * @param decision Which tool, and what is decided.
   * @param options Deadline and cancellation.
   * @returns What came of it.
   * @throws {MCPError} With `tool_not_found` if there is no such tool, or the configuration pins none.
   */
  async decidePin(decision: Omit<PinDecision, "server">, options: RequestOptions = {}): Promise<PinOutcome> {
    return { server: this.server, ...await this.#work.decidePin(decision, options) };
  }

  /** The names of the tools that are withheld, as far as is known here. Asks nobody. */
  get withheldTools(): readonly string[] {
    return this.#parts.pins?.withheld ?? [];
  }

  /**
   * Reads what was decided of the tools elsewhere, where that was not done within the last 10 s. A call does that itself.
   *
   * @returns The reading, which never rejects; or `undefined` where there is none to do.
   */
  refreshPins(): Promise<void> | undefined {
    const { pins } = this.#parts;
    return pins?.isDue === true ? pins.refresh() : undefined;
  }

  /**
   * Calls a tool of this server. Sent at most once: again only where the server provably refused it or never got it, or
   * where the configuration trusts the tool's hint that running twice changes nothing.
   *
   * @param name The tool's name at this server.
   * @param args Its arguments. @default {{}}
   * @param options Deadline (30 s where nobody says), cancellation, progress.
   * @returns What the tool answered, also where it answered `isError: true`.
   * @throws {MCPError} With `tool_not_found` if the tool is not listed or not allowed; with `invalid_arguments` if its
   * schema does not allow the arguments, with `invalid_result` if it does not allow what the tool answered; with
   * `outcome_unknown` and the other codes of a server that does not answer as it should.
   */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallToolOptions = {},
  ): Promise<ToolResult> {
    return await this.#work.callTool(name, args, options);
  }

  /**
   * The resources of this server. Asks it each time.
   *
   * @param options Deadline (10 s where nobody says) and cancellation.
   * @returns At most 2,000; none where the server has none.
   * @throws {MCPError} If no list could be had.
   */
  async listResources(options: RequestOptions = {}): Promise<readonly Resource[]> {
    return await this.#work.list<Resource>(RESOURCES, options);
  }

  /** As {@linkcode SingleServerMCPClient.listResources}, for the templates of resources. */
  async listResourceTemplates(options: RequestOptions = {}): Promise<readonly ResourceTemplate[]> {
    return await this.#work.list<ResourceTemplate>(RESOURCE_TEMPLATES, options);
  }

  /**
   * Reads a resource of this server.
   *
   * @param uri Its URI; it need not be listed.
   * @param options Deadline (30 s where nobody says), cancellation, and who answers the server meanwhile.
   * @returns What it holds.
   * @throws {MCPError} With `resource_not_found` if the server says that there is none; or if there is no answer.
   */
  async readResource(uri: string, options: ReadOptions = {}): Promise<ResourceResult> {
    return await this.#work.read(options, (request) => this.#parts.context.read(uri, request));
  }

  /**
   * Watches a resource of this server, on a stream that is kept open until then.
   *
   * @param uri Its URI.
   * @param onUpdate Told with the URI of what has changed. What it throws is ignored.
   * @param options Deadline (30 s where nobody says) and cancellation of the subscribing.
   * @returns The subscription; it lasts until it, or the client, is closed, also over new sessions.
   * @throws {MCPError} With `not_supported` if the server does not tell of changes.
   */
  async subscribeResource(
    uri: string,
    onUpdate: (uri: string) => void,
    options: ReadOptions = {},
  ): Promise<ResourceSubscription> {
    return await this.#work.read(options, (request) => this.#parts.context.subscribe(uri, onUpdate, request));
  }

  /**
   * Watches the lists of this server, on a stream that is kept open until then. A server that cannot be reached is tried
   * again as long as the watch lasts.
   *
   * @param onChange Told which lists have changed: at once, then at most once a second for each kind. What it throws is
   * ignored.
   * @param options How long the stream is waited for (10 s where nobody says), and cancellation.
   * @returns The watch; it lasts until it, or the client, is closed, also over new sessions.
   * @throws The reason of the caller's signal, if that is aborted.
   * @throws {MCPError} With `closed` after `close()`.
   */
  async watchLists(onChange: (kind: ListKind) => void, options: RequestOptions = {}): Promise<ListWatch> {
    return await this.#work.watchLists(onChange, options);
  }

  /** As {@linkcode SingleServerMCPClient.listResources}, for prompts. */
  async listPrompts(options: RequestOptions = {}): Promise<readonly Prompt[]> {
    return await this.#work.list<Prompt>(PROMPTS, options);
  }

  /**
   * Gets a prompt of this server with its arguments filled in.
   *
   * @param name Its name.
   * @param args Its arguments. @default {{}}
   * @param options Deadline (30 s where nobody says), cancellation, and who answers the server meanwhile.
   * @returns The messages.
   * @throws {MCPError} If there is no answer.
   */
  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: ReadOptions = {},
  ): Promise<PromptResult> {
    return await this.#work.read(options, (request) => this.#parts.context.prompt(name, args, request));
  }

  /**
   * Asks this server for values that an argument could have.
   *
   * @param reference Whose argument: a prompt's, or a resource template's.
   * @param argument The argument and what has been typed of it.
   * @param options Deadline (30 s where nobody says) and cancellation.
   * @returns At most 100 values; none where the server completes nothing.
   * @throws {MCPError} If there is no answer.
   */
  async complete(
    reference: CompletionReference,
    argument: CompletionArgument,
    options: ReadOptions = {},
  ): Promise<Completion> {
    return await this.#work.read(options, (request) => this.#parts.context.complete(reference, argument, request));
  }

  /**
   * Has the server log from a level on: a legacy one is told now, a modern one with every call.
   *
   * @param level The level.
   * @param options Deadline (30 s where nobody says) and cancellation.
   * @throws {MCPError} If the server could not be told.
   */
  async setLogLevel(level: LogLevel, options: RequestOptions = {}): Promise<void> {
    await this.#work.setLogLevel(level, options);
  }

  /**
   * Tells a legacy server that the roots have changed; a modern one asks for them when it needs them.
   *
   * @param options Deadline (30 s where nobody says) and cancellation.
   * @throws {MCPError} If the server could not be told.
   */
  async notifyRootsChanged(options: RequestOptions = {}): Promise<void> {
    const { connection } = this.#connector;
    await this.#work.read(options, async ({ deadline }) => {
      await connection?.notify("notifications/roots/list_changed", deadline);
    });
  }

  /**
   * Closes the connection and opens another.
   *
   * @param options Deadline and cancellation, as of {@linkcode SingleServerMCPClient.connect}.
   * @throws {MCPError} If the server cannot be reached or does not list its tools.
   */
  async reconnect(options: RequestOptions = {}): Promise<void> {
    const { connection } = this.#connector;
    if (connection !== undefined) this.#connector.renew(connection);
    await this.connect(options);
  }

  /**
   * How long a list of this server is fresh, as it said when it was last asked.
   *
   * @param what Which list.
   * @returns The time in milliseconds, or `undefined` where it did not say.
   */
  listTtlMs(what: "resources" | "templates" | "prompts"): number | undefined {
    return this.#parts.context.hintsOf(LISTED[what]).ttlMs;
  }

  /**
   * Who may be given a list of this server, as it said when it was last asked.
   *
   * @param what Which list.
   * @returns `public` where it said so of every page; else `private`, also where it did not say or was not asked.
   */
  listCacheScope(what: "tools" | "resources" | "templates" | "prompts"): "public" | "private" {
    const { tools, context } = this.#parts;
    const { isPublic = false } = (what === "tools" ? tools.list : context.hintsOf(LISTED[what])) ?? {};
    return isPublic ? "public" : "private";
  }

  /**
   * What the server says of itself. Asks nobody.
   *
   * @returns What it said when it was connected to; `undefined` before that, and where a connection was gone on from.
   */
  getServerInfo(): ServerInfo | undefined {
    return this.#connector.connection?.info;
  }

  /**
   * What is known of the server. Asks nobody.
   *
   * @returns A snapshot.
   */
  getStatus(): ServerStatus {
    return toServerStatus(this.#parts, this.server, this.#shownUrl);
  }

  /**
   * Finishes the authorization that a person's browser comes back from; any client with the same `authStore` can.
   *
   * @param callbackUrl The URL that the browser was sent back to, or its path and query.
   * @param options Deadline (30 s where nobody says) and cancellation.
   * @returns Whose tokens have come, and of which server.
   * @throws {MCPError} With `auth_failed` if the answer is refused, or is a refusal; with `deadline_exceeded`.
   */
  async finishAuthorization(callbackUrl: string | URL, options: RequestOptions = {}): Promise<FinishedAuthorization> {
    return await this.#work.read(
      options,
      ({ deadline }) => this.#parts.finishAuthorization(callbackUrl, deadline.signal),
    );
  }

  /**
   * Closes the client once nothing of it is under way any more: what runs, and what is begun meanwhile, may end by itself.
   *
   * @param graceMs How long that may take, in milliseconds; then it is ended with `closed`.
   */
  async closeWhenIdle(graceMs: number): Promise<void> {
    await this.#work.closeWhenIdle(graceMs);
  }

  /** Ends what is under way with `closed`, ends the session and frees everything, within a second. Idempotent. */
  close(): Promise<void> {
    return this.#work.close();
  }

  /** As {@linkcode SingleServerMCPClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #connector(): Connector {
    return this.#parts.held.link.connector;
  }
}
