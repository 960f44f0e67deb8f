/**
 * A connection over the HTTP+SSE transport of 2024-11-05: answers come on one long stream, so the SDK's client does the
 * pairing; when the stream is lost, so is the connection.
 *
 * @module
 */

import type { ServerInfo } from "../context.ts";
import { Deadline, MAX_TIMER_MS } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import { type Phase, toOutcomeUnknown, toRequestError } from "../network_errors.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { Client } from "../sdk.ts";
import { WorkCount } from "../work_count.ts";
import {
  type Connection,
  type ConnectionDesk,
  type ConnectionRequest,
  type ListenOptions,
  RpcRefusal,
  type SavedConnection,
} from "./connection.ts";
import { CLOSE_TIMEOUT_MS } from "./limits.ts";
import { tellProgress, toLegacyParams, toResult } from "./tool_messages.ts";
import { toTraceFields } from "./trace_fields.ts";

/** The types of the SDK that are loaded with the SDK. */
type ResultSchema = typeof import("../sdk.ts").ResultSchema;

/** How many questions of the server may wait for their answer at once. */
const MAX_OPEN_QUESTIONS = 16;

/** What the handshake leaves behind. */
export interface SseSession {
  /** The server's name. */
  readonly server: string;
  /** The SDK's client, connected. */
  readonly client: Client;
  /** The SDK's schema of any result. */
  readonly resultSchema: ResultSchema;
  /** The protocol version agreed on. */
  readonly protocolVersion: string;
  /** What the server said of itself. */
  readonly info: ServerInfo | undefined;
  /** The names of the capabilities that were declared. */
  readonly declared: readonly string[];
  /** Where it turns with what belongs to none of its requests: on one stream for all, that is everything. */
  readonly desk: ConnectionDesk;
  /** Aborting it closes the stream and every request. */
  readonly controller: AbortController;
}

/** A live SSE stream with its SDK client. */
export class SseConnection implements Connection {
  readonly era = "legacy";
  readonly transport = "sse";
  readonly resumed = false;
  readonly #session: SseSession;
  readonly #ended = Promise.withResolvers<void>();
  /** Told of progress, by its token. */
  readonly #listeners = new Map<unknown, (message: JsonObject) => void>();
  readonly #uses = new WorkCount();
  #questions = 0;
  #lost = false;
  #closing: Promise<void> | undefined;

  /**
   * Takes over a stream whose handshake is done.
   *
   * @param session What the handshake left behind.
   */
  constructor(session: SseSession) {
    const { client, desk } = session;
    this.#session = session;
    client.onclose = () => {
      this.#lost = true;
      this.#ended.resolve();
    };
    client.fallbackNotificationHandler = (notification) => {
      desk.notice(notification as JsonObject);
      return Promise.resolve();
    };
    client.fallbackRequestHandler = (request) => this.#answer(request);
    this.#hearProgress(client);
  }

  get protocolVersion(): string {
    return this.#session.protocolVersion;
  }

  get info(): ServerInfo | undefined {
    return this.#session.info;
  }

  get declared(): readonly string[] {
    return this.#session.declared;
  }

  /** A stream cannot be handed on; that the server has one can. */
  get saved(): SavedConnection {
    const { era, transport, protocolVersion } = this;
    return { era, transport, protocolVersion, resumable: false };
  }

  get lost(): boolean {
    return this.#lost;
  }

  async request(request: ConnectionRequest): Promise<JsonObject> {
    using _ = this.#uses.begin();
    return await this.#ask(request);
  }

  async notify(method: string, deadline: Deadline): Promise<void> {
    await deadline.race(this.#session.client.notification({ method }));
  }

  async listen({ signal, onOpen }: ListenOptions): Promise<boolean> {
    onOpen?.();
    const stopped = Promise.withResolvers<void>();
    const stop = () => stopped.resolve();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    await Promise.race([this.#ended.promise, stopped.promise]);
    signal.removeEventListener("abort", stop);
    return true;
  }

  hold(): Disposable {
    return this.#uses.begin();
  }

  idle(): Promise<unknown> {
    return this.#uses.idle();
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #ask(request: ConnectionRequest): Promise<JsonObject> {
    const { server, client, resultSchema } = this.#session;
    const { method, phase, deadline, onProgress, onHeard, trace, argumentsText } = request;
    if (this.#lost) throw toLost(server, "connect");
    onHeard?.();
    const params = toLegacyParams(request.params);
    if (argumentsText !== undefined) params.arguments = JSON.parse(argumentsText);
    const meta = toTraceFields(trace);
    const token = crypto.randomUUID();
    if (onProgress !== undefined || onHeard !== undefined) {
      meta.progressToken = token;
      this.#listeners.set(token, (message) => {
        onHeard?.();
        if (onProgress !== undefined) tellProgress(message, token, onProgress);
      });
    }
    if (Object.keys(meta).length > 0) params._meta = meta;
    try {
      const result: unknown = await deadline.race(client.request({ method, params }, resultSchema, {
        signal: deadline.signal,
        // The deadline is ours; the SDK's own clock only must not run out before it.
        timeout: Math.min(deadline.remainingMs + 60_000, MAX_TIMER_MS),
      }));
      return toResult(isJsonObject(result) ? { result } : {}, { server, method, era: this.era });
    } catch (error) {
      if (deadline.signal.aborted || error instanceof MCPError) {
        throw toRequestError(error, { server, phase, deadline });
      }
      if (this.#lost) throw toLost(server, phase);
      const failure = toRpcError(error);
      if (failure === undefined) throw toRequestError(error, { server, phase, deadline });
      return toResult({ error: failure }, { server, method });
    } finally {
      this.#listeners.delete(token);
    }
  }

  /** The SDK tells of notices a moment later, and of progress not at all once the answer has come. */
  #hearProgress({ transport }: Client): void {
    if (transport === undefined) return;
    const pass = transport.onmessage;
    transport.onmessage = (message, extra) => {
      const { method, params } = message as JsonObject;
      const isProgress = method === "notifications/progress" && isJsonObject(params);
      const listen = isProgress ? this.#listeners.get(params.progressToken) : undefined;
      if (listen === undefined) pass?.(message, extra);
      else listen(message as JsonObject);
    };
  }

  /** The SDK answers with the code of what is thrown, and with its message. */
  async #answer(request: { method: string; params?: unknown }): Promise<JsonObject> {
    const { desk, controller } = this.#session;
    if (this.#questions >= MAX_OPEN_QUESTIONS) throw new RpcRefusal(-32603, "Too many requests at once");
    this.#questions++;
    try {
      return await desk.answer(request.method, isJsonObject(request.params) ? request.params : {}, controller.signal);
    } catch (error) {
      throw error instanceof RpcRefusal ? error : new RpcRefusal(-32603, "The request could not be answered");
    } finally {
      this.#questions--;
    }
  }

  async #close(): Promise<void> {
    this.#lost = true;
    using deadline = new Deadline(CLOSE_TIMEOUT_MS);
    await deadline.race(this.#session.client.close()).catch(() => {});
    this.#session.controller.abort();
  }
}

function toLost(server: string, phase: Phase): MCPError {
  if (phase === "call") return toOutcomeUnknown(server, "its stream ended before the answer");
  return new MCPError("session_lost", `Cannot go on with the session of server "${server}" as its stream ended`, {
    server,
    retryable: true,
  });
}

/** The JSON-RPC code of an error of the SDK, or `undefined` where it is another error. */
export function toRpcCode(error: unknown): number | undefined {
  const code = toRpcError(error)?.code;
  return typeof code === "number" ? code : undefined;
}

/** The JSON-RPC error that an error of the SDK stands for, or `undefined` where it is another error. */
function toRpcError(error: unknown): JsonObject | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, code, data } = error as { name: string; code?: unknown; data?: unknown };
  // The SDK has a class of its own for the error that asks to visit pages.
  if (!["McpError", "UrlElicitationRequiredError"].includes(name) || typeof code !== "number") return undefined;
  return { code, ...(isJsonObject(data) ? { data } : {}) };
}
