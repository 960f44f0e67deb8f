/**
 * Keeps what reading gave, for a while.
 *
 * @module
 */

import { checkTimeout, Deadline } from "../deadline.ts";
import type { Prompt, PromptResult, Resource, ResourceResult, ResourceTemplate } from "../context.ts";
import type { Tool, ToolResult } from "../protocol.ts";
import { SharedTask } from "../shared_task.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";
import { checkCount } from "./checks.ts";
import { toCanonicalJson, toFrozen } from "../frozen_json.ts";
import type { Interceptor, Next } from "./interceptor.ts";
import type {
  CallToolRequest,
  GetPromptRequest,
  InterceptedRequest,
  ListToolsRequest,
  ReadResourceRequest,
  RequestKind,
} from "./requests.ts";

/** How long a shared request may take where its caller set a time, in milliseconds: it ends with the last who waits. */
const SHARED_TIMEOUT_MS = 600_000;

/**
 * What is kept, and for how long.
 *
 * @example
 * ```ts
 * import { resultCache, type ResultCacheOptions } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const options: ResultCacheOptions = { ttlMs: 30_000, tools: ["search_docs"], reads: true, clearOnCall: false };
 * assertEquals(resultCache(options).size, 0);
 * ```
 */
export interface ResultCacheOptions {
  /** How long a result is used, in milliseconds. @default {60_000} */
  readonly ttlMs?: number | undefined;
  /** How many results are kept; the one not used for longest is dropped first. @default {1_000} */
  readonly maxEntries?: number | undefined;
  /** How much is kept in all, keys included, in bytes of JSON at two per character. @default {16_777_216} */
  readonly maxBytes?: number | undefined;
  /** Tools whose results are kept, by the names under which they are listed. @default {[]} */
  readonly tools?: readonly string[] | undefined;
  /**
   * Whether the annotations of tools are believed. Then results of all tools that say `readOnlyHint` are kept, and a
   * call of any other tool empties the cache. A server can write what it likes there. @default {false}
   */
  readonly trustAnnotations?: boolean | undefined;
  /** Whether resources that were read and prompts that were got are kept. @default {false} */
  readonly reads?: boolean | undefined;
  /** Whether lists are kept, beside what clients keep of them anyway. @default {false} */
  readonly lists?: boolean | undefined;
  /**
   * What a result depends on beside the request: who asks, above all, where one client serves several people.
   * @default {Nothing}
   */
  readonly key?: ((request: InterceptedRequest) => string) | undefined;
  /**
   * Whether a call of a tool whose results are not kept empties the cache: it may have changed what was read.
   * @default {true}
   */
  readonly clearOnCall?: boolean | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/**
 * An interceptor that keeps results.
 *
 * @example
 * ```ts
 * import { type ResultCache, resultCache } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const cache: ResultCache = resultCache({ tools: ["search_docs"] });
 * // When the documents have changed:
 * cache.clear();
 * assertEquals(cache.size, 0);
 * ```
 */
export interface ResultCache extends Interceptor {
  /** How many results are kept. */
  readonly size: number;
  /** Forgets everything, also what is under way. */
  clear(): void;
}

interface Entry {
  readonly result: unknown;
  readonly bytes: number;
  readonly expiresAtMs: number;
}

/**
 * Makes an interceptor that keeps results. Equal requests at the same time are made once; it goes on as long as one of
 * its callers waits. Results are frozen, as several callers have the same one. Failures and results with `isError` are
 * never kept, nor are those of a request that brings its own answers to what the server asks (`input`, `round`).
 *
 * A result that is kept passes by what is listed after the cache: list what has to see each call before it.
 *
 * @example
 * ```ts
 * import { resultCache } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const cache = resultCache({ ttlMs: 30_000, tools: ["search_docs"], reads: true });
 * assertEquals(cache.size, 0);
 * ```
 *
 * @param options What is kept.
 * @returns The interceptor.
 * @throws {RangeError} If a number makes no sense.
 */
export function resultCache(options: ResultCacheOptions = {}): ResultCache {
  return new LruResultCache(options);
}

class LruResultCache implements ResultCache {
  readonly #options: ResultCacheOptions;
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #tools: ReadonlySet<string>;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #flights = new Map<string, SharedTask<unknown>>();
  #bytes = 0;

  constructor(options: ResultCacheOptions) {
    const { ttlMs = 60_000, maxEntries = 1_000, maxBytes = 16 * 1024 * 1024, tools = [], now = Date.now } = options;
    checkTimeout("ttlMs", ttlMs);
    checkCount("maxEntries", maxEntries);
    checkCount("maxBytes", maxBytes);
    this.#options = options;
    this.#ttlMs = ttlMs;
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    this.#tools = new Set(tools);
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
    // Who comes now is not to be given what was asked before.
    this.#flights.clear();
  }

  async callTool(request: CallToolRequest, next: Next<CallToolRequest, ToolResult>): Promise<ToolResult> {
    if (await this.#isReading(request)) {
      if (isAsked(request.options)) return await next();
      const parts = [request.name, request.args];
      return await this.#serve(request, parts, (shared) => next(request.with({ options: shared })));
    }
    const { clearOnCall = true } = this.#options;
    if (!clearOnCall) return await next();
    try {
      return await next();
    } finally {
      this.clear();
    }
  }

  async readResource(
    request: ReadResourceRequest,
    next: Next<ReadResourceRequest, ResourceResult>,
  ): Promise<ResourceResult> {
    if (this.#options.reads !== true || isAsked(request.options)) return await next();
    return await this.#serve(request, [request.uri], (shared) => next(request.with({ options: shared })));
  }

  async getPrompt(request: GetPromptRequest, next: Next<GetPromptRequest, PromptResult>): Promise<PromptResult> {
    if (this.#options.reads !== true || isAsked(request.options)) return await next();
    const parts = [request.name, request.args];
    return await this.#serve(request, parts, (shared) => next(request.with({ options: shared })));
  }

  listTools(request: ListToolsRequest, next: Next<ListToolsRequest, readonly Tool[]>): Promise<readonly Tool[]> {
    return this.#list(request, next);
  }

  listResources(
    request: InterceptedRequest<"list_resources">,
    next: Next<InterceptedRequest<"list_resources">, readonly Resource[]>,
  ): Promise<readonly Resource[]> {
    return this.#list(request, next);
  }

  listResourceTemplates(
    request: InterceptedRequest<"list_resource_templates">,
    next: Next<InterceptedRequest<"list_resource_templates">, readonly ResourceTemplate[]>,
  ): Promise<readonly ResourceTemplate[]> {
    return this.#list(request, next);
  }

  listPrompts(
    request: InterceptedRequest<"list_prompts">,
    next: Next<InterceptedRequest<"list_prompts">, readonly Prompt[]>,
  ): Promise<readonly Prompt[]> {
    return this.#list(request, next);
  }

  async #list<K extends RequestKind, R>(
    request: InterceptedRequest<K>,
    next: Next<InterceptedRequest<K>, R>,
  ): Promise<R> {
    if (this.#options.lists !== true) return await next();
    return await this.#serve(request, [], (shared) => next(request.with({ options: shared })));
  }

  async #isReading(request: CallToolRequest): Promise<boolean> {
    if (this.#tools.has(request.name)) return true;
    if (this.#options.trustAnnotations !== true) return false;
    return (await request.findTool())?.annotations?.readOnlyHint === true;
  }

  async #serve<R>(
    request: InterceptedRequest,
    parts: readonly unknown[],
    send: (shared: RequestOptions) => Promise<R>,
  ): Promise<R> {
    const { kind, server = null } = request;
    const key = toCanonicalJson([kind, server, this.#options.key?.(request) ?? null, ...parts]);
    if (key === undefined) return await send({});
    const kept = this.#find(key);
    if (kept !== undefined) return kept.result as R;
    const { signal, timeoutMs } = request.options;
    const shared = timeoutMs === undefined ? {} : { timeoutMs: SHARED_TIMEOUT_MS };
    const flight = this.#flights.get(key) ?? this.#start(key, (own) => send({ ...shared, signal: own }));
    // The signal is the end: a timer of our own could go off a little before it, and nobody knows its reason.
    using deadline = new Deadline(Infinity, { signal });
    return await flight.join(deadline, Infinity) as R;
  }

  #start(key: string, send: (signal: AbortSignal) => Promise<unknown>): SharedTask<unknown> {
    const isCurrent = () => this.#flights.get(key) === flight;
    const end = () => void (isCurrent() && this.#flights.delete(key));
    const flight = new SharedTask<unknown>(async ({ signal }) => {
      // Who comes after the last caller has left begins anew, also where the work does not heed its signal.
      signal.addEventListener("abort", end, { once: true });
      try {
        const result = await send(signal);
        const frozen = toFrozen(result);
        // What holds itself or is nested too deep is given as it is, and not kept.
        if (frozen === undefined) return result;
        if (isCurrent()) this.#keep(key, frozen);
        return frozen;
      } finally {
        end();
      }
    });
    this.#flights.set(key, flight);
    return flight;
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#drop(key, entry);
    if (this.#now() >= entry.expiresAtMs) return undefined;
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    return entry;
  }

  #keep(key: string, result: unknown): void {
    if ((result as Partial<ToolResult>).isError === true) return;
    const text = toCanonicalJson(result);
    const bytes = 2 * (key.length + (text?.length ?? Infinity));
    if (bytes > this.#maxBytes) return;
    const replaced = this.#entries.get(key);
    if (replaced !== undefined) this.#drop(key, replaced);
    this.#entries.set(key, { result, bytes, expiresAtMs: this.#now() + this.#ttlMs });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest, entry);
    }
  }

  #drop(key: string, { bytes }: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= bytes;
  }
}

/** Whether what the server asks is answered by who makes this request, and its result is theirs alone. */
function isAsked({ input, round }: Pick<CallToolOptions, "input" | "round">): boolean {
  return input !== undefined || round !== undefined;
}
