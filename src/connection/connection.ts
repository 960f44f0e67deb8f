/**
 * The port: one connection to one server, whatever its era and transport.
 *
 * @module
 */

import type { LogLevel, ServerInfo } from "../context.ts";
import type { Deadline } from "../deadline.ts";
import type { Phase } from "../network_errors.ts";
import type { JsonObject, Progress } from "../protocol.ts";
import type { TraceContext } from "../tool_client.ts";
import type { AnswerCaps } from "./answer_reader.ts";

/** Answers what a server asks of its client. */
export interface InputResponder {
  /** What it can answer, as client capabilities. */
  readonly capabilities: JsonObject;
  /**
   * Answers one request of the server.
   *
   * @param method The method: `elicitation/create`, `sampling/createMessage`, `roots/list`.
   * @param params Its parameters, unchecked.
   * @param signal Aborted when nobody waits for the answer any more.
   * @returns The result.
   * @throws {RpcRefusal} If there is no answer; its code and message go to the server.
   */
  answer(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonObject>;
}

/** A refusal of a server's request, as JSON-RPC has it. Nothing of the caller's is in its message. */
export class RpcRefusal extends Error {
  /** The JSON-RPC code. */
  readonly code: number;

  /**
   * Creates a refusal.
   *
   * @param code The JSON-RPC code.
   * @param message What the server is told.
   * @param options The error underneath, which the server is not told.
   */
  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RpcRefusal";
    this.code = code;
  }
}

/** Where a connection turns with what belongs to none of its requests. */
export interface ConnectionDesk extends InputResponder {
  /** Answers what comes on the stream of a request that has no responder; nothing else that runs is asked. */
  readonly own?: InputResponder | undefined;
  /**
   * Takes a notice that came outside of a request.
   *
   * @param message The JSON-RPC notification.
   */
  notice(message: JsonObject): void;
}

/** One request to a server. */
export interface ConnectionRequest {
  /** The method. */
  readonly method: string;
  /** Its parameters, without `_meta`. */
  readonly params: JsonObject;
  /** What is done, which decides what a lost answer means. */
  readonly phase: Phase;
  /** How much is read at most. */
  readonly caps: AnswerCaps;
  /** The end of the request. */
  readonly deadline: Deadline;
  /** Told of the progress that the server reports. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Told when the request has left, and of everything that the server sends before the answer. */
  readonly onHeard?: (() => void) | undefined;
  /** Told of notices that come with the answer, but for those of progress. */
  readonly onNotice?: ((message: JsonObject) => void) | undefined;
  /** Answers what the server asks while it works on the request. */
  readonly input?: InputResponder | undefined;
  /** Client capabilities instead of those of `input`, for a modern server: its questions go to the caller. */
  readonly roundCapabilities?: JsonObject | undefined;
  /** Client capabilities besides those, for a modern server. */
  readonly capabilities?: JsonObject | undefined;
  /** From which level on a modern server logs what it does. */
  readonly logLevel?: LogLevel | undefined;
  /** Where the request belongs to, passed on to the server. */
  readonly trace?: TraceContext | undefined;
  /** The parameter `arguments` as JSON, where `params` has it not: large ones are costly to write twice. */
  readonly argumentsText?: string | undefined;
  /** The arguments and the tool's schema, where it is known: it may name arguments that are sent as headers too. */
  readonly headerArguments?: { readonly args: JsonObject; readonly inputSchema: JsonObject } | undefined;
}

/** Which notices are wanted outside of requests. */
export interface NoticeFilter {
  /** That the tools have changed. */
  readonly tools: boolean;
  /** That the prompts have changed. */
  readonly prompts: boolean;
  /** That the resources have changed. */
  readonly resources: boolean;
  /** That one of these resources has changed. */
  readonly uris: readonly string[];
}

/** How a stream of notices is opened. */
export interface ListenOptions {
  /** Which notices are wanted. */
  readonly filter: NoticeFilter;
  /** Ends the waiting and closes the stream. */
  readonly signal: AbortSignal;
  /** Told once the stream is open. */
  readonly onOpen?: (() => void) | undefined;
}

/**
 * What is worth keeping of a connection: with it the next isolate has less to ask, or nothing.
 *
 * @example
 * ```ts
 * import type { SavedConnection } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * // A session opens a door: leave it out where the place to keep it in is not trusted.
 * const withoutSession = ({ sessionId: _, ...saved }: SavedConnection): SavedConnection => saved;
 * const agreed = { era: "legacy", transport: "streamable_http", protocolVersion: "2025-11-25" } as const;
 * const saved = { ...agreed, resumable: true };
 * assertEquals(withoutSession({ ...saved, sessionId: "abc" }), saved);
 * ```
 */
export interface SavedConnection {
  /** The protocol era. */
  readonly era: "legacy" | "modern";
  /** The transport. */
  readonly transport: "streamable_http" | "sse";
  /** The protocol version agreed on. */
  readonly protocolVersion: string;
  /** The session, where the server gave one; it opens a door. */
  readonly sessionId?: string | undefined;
  /** Whether it can be gone on from without a handshake. */
  readonly resumable: boolean;
  /** What the client declared when the session began, where it declared anything. */
  readonly declared?: readonly string[] | undefined;
}

/** One connection to one server. */
export interface Connection {
  /** The protocol era. */
  readonly era: "legacy" | "modern";
  /** The transport in use. */
  readonly transport: "streamable_http" | "sse";
  /** The protocol version agreed on. */
  readonly protocolVersion: string;
  /** What the server said of itself; `undefined` where the connection was gone on from without asking. */
  readonly info: ServerInfo | undefined;
  /** The names of the capabilities that were declared for the session; every request of the modern era has its own. */
  readonly declared: readonly string[];
  /** Whether it can still be used; a lost one is replaced by its owner. */
  readonly lost: boolean;
  /** Whether it goes on from what an earlier one left, with no handshake of its own. */
  readonly resumed: boolean;
  /** What a later one could go on from. */
  readonly saved: SavedConnection;
  /**
   * Sends a request, at most once.
   *
   * @param request The request.
   * @returns Its result.
   * @throws {MCPError} If there is none.
   */
  request(request: ConnectionRequest): Promise<JsonObject>;
  /**
   * Tells the server something that needs no answer; a modern server is told nothing.
   *
   * @param method The method of the notification.
   * @param deadline The end of the telling.
   */
  notify(method: string, deadline: Deadline): Promise<void>;
  /**
   * Opens a stream of notices and reads it to its end; they go to the desk.
   *
   * @param options Which notices, and until when.
   * @returns When the stream has ended; `false` where the server offers none.
   */
  listen(options: ListenOptions): Promise<boolean>;
  /**
   * Says that it is in use: what is disposed of when it no longer is. Each request says so for itself.
   *
   * @returns The use.
   */
  hold(): Disposable;
  /** Settles when it is not in use any more. */
  idle(): Promise<unknown>;
  /**
   * Frees everything, within a second. Idempotent.
   *
   * @param options Whether the session is kept at the server, because another isolate may go on with it.
   */
  close(options?: { readonly keepSession?: boolean }): Promise<void>;
}

/**
 * Whether capabilities hold all those that are needed.
 *
 * @param declared The names of what was declared.
 * @param needs What is needed, as client capabilities.
 * @returns Whether nothing is missing.
 */
export function declares(declared: readonly string[], needs: JsonObject): boolean {
  return namesOfCapabilities(needs).every((name) => declared.includes(name));
}

/**
 * The names of capabilities, with those a level below: `elicitation`, `elicitation.url`.
 *
 * @param capabilities Client capabilities.
 * @returns Their names, in order.
 */
export function namesOfCapabilities(capabilities: JsonObject): readonly string[] {
  return Object.entries(capabilities).flatMap(([name, value]) => {
    return [name, ...Object.keys(Object(value)).map((part) => `${name}.${part}`)];
  }).sort();
}
