/**
 * What is told of each request once it is answered.
 *
 * @module
 */

import type { CallRecord } from "../gateway/call_record.ts";
import { tell } from "../tell.ts";

/**
 * A request that has been answered. It holds nothing of its headers, its query, its body, or the answer's.
 *
 * @example
 * ```ts
 * import type { RequestRecord } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const toLine = ({ method, route, status }: RequestRecord) => `${method} ${route} ${status}`;
 * const base = { requestId: "r1", caller: "local", agent: undefined, atMs: 0, durationMs: 0.2, calls: [] };
 * assertEquals(toLine({ ...base, method: "GET", route: "/status", status: 200 }), "GET /status 200");
 * ```
 */
export interface RequestRecord {
  /** Its id. */
  readonly requestId: string;
  /** The HTTP method. */
  readonly method: string;
  /** The route that answered, with its parameters as names; `""` where there is none of this path. */
  readonly route: string;
  /** The HTTP status. */
  readonly status: number;
  /** When it came, in milliseconds since the epoch. */
  readonly atMs: number;
  /** How long the answer took, with its stream where the runtime tells its end, in milliseconds. */
  readonly durationMs: number;
  /** Who asked: an id that opens no door; `undefined` where that is not known. */
  readonly caller: string | undefined;
  /** The agent that it was about, where there is one of that name. */
  readonly agent: string | undefined;
  /** The calls of tools that it made. */
  readonly calls: readonly CallRecord[];
}

/** What is known of a request when it ends. */
export type EndedRequest = Omit<RequestRecord, "requestId" | "atMs" | "durationMs" | "calls">;

/** A request that is being answered. */
export interface NotedRequest {
  /** Its id. */
  readonly requestId: string;
  /** When it came, in milliseconds since the epoch. */
  readonly atMs: number;
  /** When it came, by a clock that is never set, in milliseconds. */
  readonly began: number;
  /** Its calls; requests with the same id are told of none. */
  readonly calls: CallRecord[];
}

/** Gathers what is told of each request. One for each gateway where somebody listens. */
export class RequestWatch {
  readonly #listener: (record: RequestRecord) => void;
  readonly #now: () => number;
  /** How many requests are open under an id, and which one where it has been the only one. */
  readonly #open = new Map<string, { count: number; only: NotedRequest | undefined }>();

  /**
   * Creates a watch.
   *
   * @param listener Told of each request; what it throws is ignored.
   * @param now The clock, in milliseconds since the epoch.
   */
  constructor(listener: (record: RequestRecord) => void, now: () => number) {
    this.#listener = listener;
    this.#now = now;
  }

  /**
   * Notes that a request came.
   *
   * @param requestId Its id, which callers choose: several may have the same.
   * @returns What to end it with.
   */
  begin(requestId: string): NotedRequest {
    const noted = { requestId, atMs: this.#now(), began: performance.now(), calls: [] };
    const open = this.#open.get(requestId);
    this.#open.set(requestId, { count: (open?.count ?? 0) + 1, only: open === undefined ? noted : undefined });
    return noted;
  }

  /**
   * Notes a call of a request.
   *
   * @param record The call.
   */
  noteCall(record: CallRecord): void {
    // Where it cannot be told whose call it is, it is rather nobody's than somebody else's.
    this.#open.get(record.requestId)?.only?.calls.push(record);
  }

  /**
   * Tells of a request that is answered.
   *
   * @param noted What its beginning returned.
   * @param ended How it ended.
   */
  end(noted: NotedRequest, ended: EndedRequest): void {
    const { requestId, atMs, began, calls } = noted;
    const open = this.#open.get(requestId);
    if (open !== undefined && --open.count === 0) this.#open.delete(requestId);
    tell(this.#listener, { ...ended, requestId, atMs, durationMs: performance.now() - began, calls });
  }
}
