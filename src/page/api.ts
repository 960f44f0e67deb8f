/**
 * The gateway's own interface as the status page uses it: in this process, with the key of who looks. What it is told is
 * what any caller would be.
 *
 * @module
 */

import type { PeerInfo } from "../gateway/host_check.ts";
import type { Problem } from "../gateway/problem.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { TIMEOUT_HEADER } from "../rest/request_timeout.ts";

/** How long the list of tools may take, in milliseconds: a server that is slow must not keep the page. */
const LIST_TIMEOUT_MS = 8_000;

/** Says how long a list may take. */
export const LIST_HEADERS: Readonly<Record<string, string>> = { [TIMEOUT_HEADER]: String(LIST_TIMEOUT_MS) };

/** What was answered. */
export type Answer<T> =
  | {
    /** It is what was asked for. */
    readonly ok: true;
    /** The body. */
    readonly value: T;
    /** The id of the request. */
    readonly requestId: string;
    /** How long it took, in milliseconds. */
    readonly tookMs: number;
  }
  | {
    /** It is a problem. */
    readonly ok: false;
    /** The problem. */
    readonly problem: Problem;
    /** The id of the request. */
    readonly requestId: string;
    /** How long it took, in milliseconds. */
    readonly tookMs: number;
  };

/** For whom the interface is asked. */
export interface PageApiOptions {
  /** The request of the browser. */
  readonly request: Request;
  /** Ends what is asked; `undefined` where it may go on. */
  readonly signal: AbortSignal | undefined;
  /** Where it came from. */
  readonly peer: PeerInfo;
  /** Who looks. */
  readonly authorization: string | undefined;
  /** Answers a request. */
  readonly dispatch: (request: Request, info: PeerInfo) => Promise<Response>;
}

/** A request to the gateway's own interface. */
export interface PlainRequest {
  /** The method. */
  readonly method: string;
  /** The path, with its query. */
  readonly target: string;
  /** The headers, without those that say who asks. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. */
  readonly body?: JsonObject | undefined;
}

/** Asks the gateway's own interface. One for each request of a browser. */
export class PageApi {
  readonly #options: PageApiOptions;

  /**
   * Creates it.
   *
   * @param options For whom.
   */
  constructor(options: PageApiOptions) {
    this.#options = options;
  }

  /**
   * Asks for something.
   *
   * @param path The path, with its query.
   * @param headers Further headers.
   * @returns What was answered. Of which shape it is, the interface's document says.
   */
  get<T>(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer<T>> {
    return this.#ask({ method: "GET", target: path, headers });
  }

  /**
   * Has something done.
   *
   * @param path The path, with its query.
   * @param body The body.
   * @returns What was answered.
   */
  post<T>(path: string, body?: JsonObject): Promise<Answer<T>> {
    const headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    return this.#ask({ method: "POST", target: path, headers, body });
  }

  /**
   * Sends a request as it is.
   *
   * @param request The request, without a key.
   * @returns The response; its body is to be read, or cancelled.
   */
  send({ method, target, headers: given, body }: PlainRequest): Promise<Response> {
    const { request, signal, peer, authorization, dispatch } = this.#options;
    const headers = new Headers(given);
    const host = request.headers.get("host");
    if (host !== null) headers.set("host", host);
    if (authorization !== undefined) headers.set("authorization", authorization);
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }), ...(signal && { signal }) };
    // What is asked for here has no body that the browser waits for: the peer's own promise is of its request.
    return dispatch(new Request(new URL(target, request.url), init), { remoteAddr: peer.remoteAddr });
  }

  async #ask<T>(request: PlainRequest): Promise<Answer<T>> {
    const began = performance.now();
    const response = await this.send({ ...request, headers: { accept: "application/json", ...request.headers } });
    const value: unknown = await response.json().catch(() => undefined);
    const known = { requestId: response.headers.get("x-request-id") ?? "", tookMs: performance.now() - began };
    if (response.ok) return { ok: true, value: value as T, ...known };
    return { ok: false, problem: toKnownProblem(value, response.status, known.requestId), ...known };
  }
}

function toKnownProblem(value: unknown, status: number, requestId: string): Problem {
  if (isJsonObject(value) && typeof value.code === "string") return value as unknown as Problem;
  const detail = "Cannot tell what went wrong as the answer is no problem document";
  return { type: "about:blank", title: "The gateway failed", status, code: "internal", detail, requestId };
}

/**
 * A part of a path.
 *
 * @param name Any text.
 * @returns The text, so that it is one part.
 */
export function toSegment(name: string): string {
  // A caller may have named a tool with half a character, which no address has.
  return encodeURIComponent(name.toWellFormed());
}

/**
 * Where an OpenAPI document is served.
 *
 * @param agent Whose it is; `undefined` for the gateway's own.
 * @returns The path.
 */
export function toDocumentPath(agent: string | undefined): string {
  return agent === undefined ? "/openapi.json" : `/agents/${toSegment(agent)}/openapi.json`;
}
