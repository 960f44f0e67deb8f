/**
 * What one server offers besides tools: resources, prompts, completion. Asked each time; nothing is kept but
 * subscriptions.
 *
 * @module
 */

import { CONNECT_TIMEOUT_MS } from "../connection/connector.ts";
import type { Connection, InputResponder } from "../connection/connection.ts";
import { CALL_CAPS, LIST_CAPS } from "../connection/limits.ts";
import { checkResultType } from "../connection/tool_messages.ts";
import { tell } from "../tell.ts";
import type { Completion, CompletionArgument, CompletionReference, PromptResult, ResourceResult } from "../context.ts";
import { type ContextList, type ListedKind, readContextList } from "./context_list.ts";
import { toCompletion, toPromptResult, toResourceResult } from "./context_messages.ts";
import type { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import { hasAnswers, type InputRound } from "../input_round.ts";
import type { ResourceSubscription } from "../feature_client.ts";
import { askInRounds } from "./input_rounds.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { NoticeLease } from "./server_notices.ts";
import type { ServerLink } from "./server_link.ts";
import type { ServerRequests } from "./server_requests.ts";

/** JSON-RPC's "method not found". */
const METHOD_NOT_FOUND = -32601;
/** Codes of a server that does not know the resource (specification 2025-11-25 and 2026-07-28, Resources, Error Handling). */
const RESOURCE_NOT_FOUND: ReadonlySet<number | undefined> = new Set([-32002, -32602]);
/** How many resources may be watched at once. */
const MAX_SUBSCRIPTIONS = 1_000;

/** What a server's context is used with. */
export interface ServerContextDeps {
  /** The server's name. */
  readonly server: string;
  /** The way to it. */
  readonly link: ServerLink;
  /** Runs requests. */
  readonly requests: ServerRequests;
  /** Told of notices that come with the answer to a request. */
  readonly onNotice: (message: JsonObject) => void;
}

/** How one use of it ends, and who answers the server meanwhile. */
export interface ContextRequest {
  /** The end of it. */
  readonly deadline: Deadline;
  /** How long connecting may take, in milliseconds. */
  readonly connectTimeoutMs?: number | undefined;
  /** Answers what the server asks. */
  readonly responder?: InputResponder | undefined;
  /** Has what a modern server asks handed to the caller. */
  readonly round?: InputRound | undefined;
}

interface Watched {
  readonly uri: string;
  readonly onUpdate: (uri: string) => void;
  readonly lease: NoticeLease;
  /** Whether the link counts it. */
  counted: boolean;
}

/** The resources, prompts and completions of one server. */
export class ServerContext {
  readonly #deps: ServerContextDeps;
  readonly #watched = new Set<Watched>();
  readonly #hints = new Map<ListedKind, Pick<ContextList<unknown>, "ttlMs" | "isPublic">>();

  /**
   * Creates it; nothing is asked.
   *
   * @param deps What it is used with.
   */
  constructor(deps: ServerContextDeps) {
    this.#deps = deps;
  }

  /**
   * Lists what the server offers of a kind.
   *
   * @param kind What is listed.
   * @param request How it ends.
   * @returns The list; an empty one where the server has none of the kind.
   * @throws {MCPError} If it cannot be read.
   */
  async list<Entry>(kind: ListedKind, request: ContextRequest): Promise<ContextList<Entry>> {
    const list = await this.#list<Entry>(kind, request);
    const { ttlMs, isPublic } = list;
    this.#hints.set(kind, { ttlMs, isPublic });
    return list;
  }

  /**
   * How long a list is fresh and whether it may be given to anybody, as the server said when it was last asked.
   *
   * @param kind What is listed.
   * @returns What it said; nothing where it did not say, or was not asked.
   */
  hintsOf(kind: ListedKind): Partial<Pick<ContextList<unknown>, "ttlMs" | "isPublic">> {
    return this.#hints.get(kind) ?? {};
  }

  async #list<Entry>(kind: ListedKind, request: ContextRequest): Promise<ContextList<Entry>> {
    try {
      return await readContextList<Entry>(kind, async (params) => {
        return await this.#ask(request, kind.method, params, {
          caps: LIST_CAPS,
          isOffered: (connection) => connection.info?.capabilities[kind.capability] !== undefined,
          check: (page) => checkPage(page, kind, this.#deps.server),
        }) ?? {};
      });
    } catch (error) {
      if (isMCPError(error) && error.rpcCode === METHOD_NOT_FOUND) return { entries: [], ttlMs: undefined };
      throw error;
    }
  }

  /**
   * Reads a resource.
   *
   * @param uri Its URI.
   * @param request How it ends.
   * @returns What it holds.
   * @throws {MCPError} With `resource_not_found` if the server says that there is none.
   */
  async read(uri: string, request: ContextRequest): Promise<ResourceResult> {
    const { server } = this.#deps;
    const params: JsonObject = { uri };
    let rounds = hasAnswers(request.round) ? 1 : 0;
    try {
      return toResourceResult(await this.#askInRounds(request, "resources/read", params, () => rounds++), server);
    } catch (error) {
      // After a question, the same code may be about the answer.
      if (!isMCPError(error) || !RESOURCE_NOT_FOUND.has(error.rpcCode) || rounds > 1) throw error;
      throw new MCPError(
        "resource_not_found",
        `Cannot read a resource of server "${server}" as it has none of that URI`,
        {
          server,
          rpcCode: error.rpcCode,
        },
      );
    }
  }

  /**
   * Gets a prompt.
   *
   * @param name Its name at the server.
   * @param args Its arguments.
   * @param request How it ends.
   * @returns Its messages.
   */
  async prompt(
    name: string,
    args: Readonly<Record<string, string>>,
    request: ContextRequest,
  ): Promise<PromptResult> {
    const params: JsonObject = { name, ...(Object.keys(args).length === 0 ? {} : { arguments: { ...args } }) };
    return toPromptResult(await this.#askInRounds(request, "prompts/get", params), this.#deps.server);
  }

  /**
   * Completes an argument.
   *
   * @param reference Whose argument.
   * @param argument What has been typed of it.
   * @param request How it ends.
   * @returns The values; none where the server completes nothing.
   */
  async complete(
    reference: CompletionReference,
    argument: CompletionArgument,
    request: ContextRequest,
  ): Promise<Completion> {
    const { name, value, context } = argument;
    const params: JsonObject = {
      ref: { ...reference },
      argument: { name, value },
      ...(context === undefined ? {} : { context: { arguments: { ...context } } }),
    };
    try {
      const result = await this.#ask(request, "completion/complete", params, {
        caps: CALL_CAPS,
        isOffered: (connection) => connection.info?.capabilities.completions !== undefined,
      });
      return result === undefined ? { values: [] } : toCompletion(result, this.#deps.server);
    } catch (error) {
      if (isMCPError(error) && error.rpcCode === METHOD_NOT_FOUND) return { values: [] };
      throw error;
    }
  }

  /**
   * Watches a resource.
   *
   * @param uri Its URI.
   * @param onUpdate Told of what has changed.
   * @param request How subscribing ends.
   * @returns The subscription.
   * @throws {MCPError} With `not_supported` if the server does not tell of changes.
   */
  async subscribe(
    uri: string,
    onUpdate: (uri: string) => void,
    request: ContextRequest,
  ): Promise<ResourceSubscription> {
    const { server, link } = this.#deps;
    if (this.#watched.size >= MAX_SUBSCRIPTIONS) {
      throw new MCPError("overloaded", `Cannot watch more than ${MAX_SUBSCRIPTIONS} resources of server "${server}"`, {
        server,
      });
    }
    const watched: Watched = {
      uri,
      onUpdate,
      lease: link.want({ tools: false, prompts: false, resources: false, uris: [uri] }),
      counted: false,
    };
    this.#watched.add(watched);
    try {
      await this.#subscribe(uri, watched, request);
      this.#count(watched);
    } catch (error) {
      await this.#unwatch(watched);
      throw error;
    }
    let closing: Promise<void> | undefined;
    const close = () => closing ??= this.#unwatch(watched);
    return { uri, server, close, [Symbol.asyncDispose]: close };
  }

  /**
   * Takes a notice that a resource has changed.
   *
   * @param message Any notice of the server.
   */
  notice({ method, params }: JsonObject): void {
    const uri = isJsonObject(params) ? params.uri : undefined;
    if (method !== "notifications/resources/updated" || typeof uri !== "string") return;
    const watched = [...this.#watched];
    const exact = watched.filter((one) => one.uri === uri);
    // It may be a part of what is watched (specification: ResourceUpdatedNotification).
    for (const one of exact.length > 0 ? exact : watched.filter((other) => isPartOf(uri, other.uri))) {
      tell(one.onUpdate, uri);
    }
  }

  /** Ends all subscriptions; what a server still has to be told ends with the link, at the latest. */
  close(): void {
    for (const watched of this.#watched) void this.#unwatch(watched);
  }

  /** It may have been closed, with its client, while the server was told. */
  #count(watched: Watched): void {
    this.#deps.link.subscribe(watched.uri);
    watched.counted = true;
    if (!this.#watched.has(watched)) void this.#deps.link.unsubscribe(watched.uri);
  }

  async #subscribe(uri: string, watched: Watched, request: ContextRequest): Promise<void> {
    const { server, requests, link } = this.#deps;
    const { deadline, connectTimeoutMs = CONNECT_TIMEOUT_MS } = request;
    const unsupported = new MCPError(
      "not_supported",
      `Cannot watch resources of server "${server}" as it tells nothing`,
      {
        server,
      },
    );
    try {
      await requests.run({
        phase: "read",
        deadline,
        connectTimeoutMs,
        send: async (connection) => {
          const resources = connection.info?.capabilities.resources;
          if (connection.info !== undefined && (!isJsonObject(resources) || resources.subscribe !== true)) {
            throw unsupported;
          }
          // What changes while the stream opens is not to be missed.
          await watched.lease.ready(deadline);
          if (!watched.lease.offered) throw unsupported;
          if (connection.era === "legacy" && !link.isSubscribed(uri)) {
            await connection.request({
              method: "resources/subscribe",
              params: { uri },
              phase: "read",
              caps: CALL_CAPS,
              deadline,
            });
          }
        },
      });
    } catch (error) {
      throw isMCPError(error) && error.rpcCode === METHOD_NOT_FOUND ? unsupported : error;
    }
  }

  async #unwatch(watched: Watched): Promise<void> {
    if (!this.#watched.delete(watched)) return;
    watched.lease.release();
    if (watched.counted) await this.#deps.link.unsubscribe(watched.uri);
  }

  async #askInRounds(
    request: ContextRequest,
    method: string,
    params: JsonObject,
    onRound: () => void = () => {},
  ): Promise<JsonObject> {
    const { server } = this.#deps;
    const { deadline, responder, round } = request;
    return await askInRounds({
      server,
      params,
      deadline,
      responder,
      round,
      send: async (asked) => {
        onRound();
        return await this.#ask(request, method, asked, { caps: CALL_CAPS }) ?? {};
      },
    });
  }

  /** The result, or `undefined` where the server is known not to offer it. */
  async #ask(
    request: ContextRequest,
    method: string,
    params: JsonObject,
    how: {
      readonly caps: typeof CALL_CAPS;
      readonly isOffered?: (connection: Connection) => boolean;
      readonly check?: (result: JsonObject) => void;
    },
  ): Promise<JsonObject | undefined> {
    const { deadline, responder, round, connectTimeoutMs = CONNECT_TIMEOUT_MS } = request;
    const { caps, isOffered, check } = how;
    const roundCapabilities = round?.capabilities;
    return await this.#deps.requests.run({
      phase: "read",
      deadline,
      connectTimeoutMs,
      responder,
      send: async (connection) => {
        if (isOffered !== undefined && connection.info !== undefined && !isOffered(connection)) return undefined;
        const { onNotice } = this.#deps;
        const asked = { method, params, phase: "read", caps, deadline, input: responder, onNotice } as const;
        const result = await connection.request({ ...asked, roundCapabilities });
        check?.(result);
        return result;
      },
    });
  }
}

/** What holds no list is none: it must not pass for one that is empty. */
function checkPage(page: JsonObject, { field, method }: ListedKind, server: string): void {
  checkResultType(page, server);
  if (Array.isArray(page[field])) return;
  const message = `Cannot use the answer of server "${server}" to ${method} as it holds no list`;
  throw new MCPError("bad_response", message, { server });
}

/** Whether a URI names a part of what another one names: a path below it, a query, a fragment. */
function isPartOf(uri: string, whole: string): boolean {
  return uri.startsWith(whole) && (whole.endsWith("/") || /^[/?#]/.test(uri.slice(whole.length)));
}
