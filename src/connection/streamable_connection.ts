/**
 * A connection over Streamable HTTP, of either era, once it is known how to talk to the server: every request is one
 * exchange.
 *
 * @module
 */

import type { ServerInfo } from "../context.ts";
import { Deadline } from "../deadline.ts";
import { isMCPError } from "../errors.ts";
import { JoinedSignal } from "../joined_signal.ts";
import type { JsonObject } from "../protocol.ts";
import { WorkCount } from "../work_count.ts";
import { createSessionHeaders, exchange, type ExchangeRequest, type ExchangeSession } from "./call_exchange.ts";
import type {
  Connection,
  ConnectionDesk,
  ConnectionRequest,
  InputResponder,
  ListenOptions,
  SavedConnection,
} from "./connection.ts";
import { CLOSE_TIMEOUT_MS, END_TIMEOUT_MS } from "./limits.ts";
import { PREFIX } from "./modern_envelope.ts";
import { readNotices } from "./notice_stream.ts";
import { type ParamHeader, readParamHeaders, toParamHeaders } from "./param_headers.ts";
import { ServerQuestions } from "./server_questions.ts";
import { StreamEnds } from "./stream_ends.ts";
import { toTraceHeaders } from "./trace_fields.ts";
import { tellProgress, toLegacyParams, toResult } from "./tool_messages.ts";
import type { StreamCursor } from "./answer_reader.ts";

/** What a connection begins with. */
export interface StreamableOptions {
  /** Whether it goes on from an earlier connection. */
  readonly resumed: boolean;
  /** Where it turns with what belongs to none of its requests. */
  readonly desk: ConnectionDesk;
  /** What the server said of itself. */
  readonly info?: ServerInfo | undefined;
  /** The names of the capabilities that were declared for the session. */
  readonly declared?: readonly string[] | undefined;
}

/** Talks to one server over Streamable HTTP. */
export class StreamableConnection implements Connection {
  readonly transport = "streamable_http";
  readonly resumed: boolean;
  readonly info: ServerInfo | undefined;
  readonly declared: readonly string[];
  readonly #session: ExchangeSession;
  readonly #desk: ConnectionDesk;
  /** Unique across isolates: two of them may share one session. */
  readonly #idPrefix = crypto.randomUUID();
  readonly #goodbyes = new Set<Promise<void>>();
  readonly #ends = new StreamEnds();
  /** What schemas say of headers, read once: that takes the whole schema as text. */
  readonly #paramHeaders = new WeakMap<JsonObject, readonly ParamHeader[] | undefined>();
  /** Where the stream of notices can be gone on from. */
  readonly #noticeCursor: StreamCursor = {};
  /** Ends the stream of notices. */
  readonly #closed = new AbortController();
  readonly #uses = new WorkCount();
  #lastId = 0;
  #lost = false;
  #closing: Promise<void> | undefined;

  /**
   * Takes over what is known of a server.
   *
   * @param session What a handshake, a discovery or an earlier connection has found out.
   * @param options What else the connection begins with.
   */
  constructor(session: ExchangeSession, options: StreamableOptions) {
    this.#session = { ...session, onRest: (rest) => this.#ends.take(rest) };
    this.#desk = options.desk;
    this.resumed = options.resumed;
    this.info = options.info;
    this.declared = options.declared ?? [];
  }

  get era(): "legacy" | "modern" {
    return this.#session.era;
  }

  get protocolVersion(): string {
    return this.#session.protocolVersion;
  }

  get lost(): boolean {
    return this.#lost;
  }

  get saved(): SavedConnection {
    const { era, protocolVersion, sessionId } = this.#session;
    const { transport, declared } = this;
    return { era, transport, protocolVersion, sessionId, resumable: true, declared };
  }

  async request(request: ConnectionRequest): Promise<JsonObject> {
    using _ = this.#uses.begin();
    return await (this.#session.era === "modern" ? this.#askModern(request) : this.#askLegacy(request));
  }

  async notify(method: string, deadline: Deadline): Promise<void> {
    if (this.#session.era === "legacy") await this.#post({ jsonrpc: "2.0", method }, deadline.signal);
  }

  async listen({ filter, signal, onOpen }: ListenOptions): Promise<boolean> {
    using joined = new JoinedSignal(signal, this.#closed.signal);
    const ended = joined.signal;
    using questions = this.#questions(this.#desk, ended);
    return await readNotices(this.#session, {
      id: this.#nextId(),
      filter,
      signal: ended,
      cursor: this.#noticeCursor,
      onOpen,
      onMessage: (message) => {
        if (!questions.take(message)) this.#desk.notice(message);
      },
    });
  }

  hold(): Disposable {
    return this.#uses.begin();
  }

  idle(): Promise<unknown> {
    return this.#uses.idle();
  }

  close(options: { readonly keepSession?: boolean } = {}): Promise<void> {
    return this.#closing ??= this.#close(options.keepSession ?? false);
  }

  async #askModern(request: ConnectionRequest): Promise<JsonObject> {
    const { headerArguments: mirrored, input, roundCapabilities, logLevel } = request;
    const wanted = mirrored && this.#paramHeadersOf(mirrored.inputSchema);
    return await this.#ask(request, {
      capabilities: { ...(roundCapabilities ?? input?.capabilities), ...request.capabilities },
      meta: logLevel === undefined ? {} : { [`${PREFIX}logLevel`]: logLevel },
      headers: wanted && mirrored && toParamHeaders(wanted, mirrored.args),
    });
  }

  async #askLegacy(request: ConnectionRequest): Promise<JsonObject> {
    const { deadline, input } = request;
    const params = toLegacyParams(request.params);
    // Made for the first question: most calls are asked none.
    let questions: ServerQuestions | undefined;
    let sent = false;
    try {
      return await this.#ask({ ...request, params }, {
        onSent: () => sent = true,
        onMessage: (message) => {
          if (!("id" in message)) return false;
          questions ??= this.#questions(input ?? this.#desk.own, deadline.signal);
          return questions.take(message);
        },
        onId: (id) => {
          // In the modern era the closed stream itself says it.
          if (sent && request.phase === "call" && deadline.signal.aborted) this.#cancel(id);
        },
      });
    } finally {
      questions?.[Symbol.dispose]();
    }
  }

  async #ask(
    request: ConnectionRequest,
    how: {
      readonly capabilities?: JsonObject;
      readonly meta?: JsonObject;
      readonly headers?: readonly (readonly [string, string])[] | undefined;
      readonly onSent?: () => void;
      readonly onMessage?: (message: JsonObject) => boolean;
      readonly onId?: (id: string) => void;
    },
  ): Promise<JsonObject> {
    const { method, argumentsText, phase, deadline, caps, trace, onProgress, onHeard, onNotice } = request;
    const { capabilities, headers = [], onSent, onMessage, onId } = how;
    const { server, era } = this.#session;
    const id = this.#nextId();
    const traced = toTraceHeaders(trace);
    const meta: JsonObject = { ...how.meta, ...Object.fromEntries(traced) };
    if (onProgress !== undefined || onHeard !== undefined) meta.progressToken = id;
    const hasMeta = Object.keys(meta).length > 0;
    try {
      const answer = await this.#exchange({
        id,
        method,
        params: hasMeta ? { ...request.params, _meta: meta } : request.params,
        argumentsText,
        phase,
        deadline,
        caps,
        capabilities,
        headers: [...traced, ...headers],
        onSent: () => {
          onSent?.();
          onHeard?.();
        },
        onMessage: (message) => {
          onHeard?.();
          if (onMessage?.(message) === true) return;
          if (onProgress !== undefined) tellProgress(message, id, onProgress);
          onNotice?.(message);
        },
      });
      return toResult(answer, { server, method, era });
    } catch (error) {
      onId?.(id);
      throw error;
    }
  }

  async #exchange(request: ExchangeRequest): Promise<JsonObject> {
    try {
      return await exchange(this.#session, request);
    } catch (error) {
      if (isMCPError(error) && error.code === "session_lost") this.#lost = true;
      throw error;
    }
  }

  #questions(responder: InputResponder | undefined, signal: AbortSignal): ServerQuestions {
    return new ServerQuestions({ responder, signal, send: (response, ends) => this.#post(response, ends) });
  }

  #paramHeadersOf(inputSchema: JsonObject): readonly ParamHeader[] | undefined {
    if (!this.#paramHeaders.has(inputSchema)) this.#paramHeaders.set(inputSchema, readParamHeaders(inputSchema));
    return this.#paramHeaders.get(inputSchema);
  }

  #nextId(): string {
    return `${this.#idPrefix}:${++this.#lastId}`;
  }

  /** Sends a message that has no answer. */
  async #post(message: JsonObject, signal: AbortSignal): Promise<void> {
    const headers = createSessionHeaders(this.#session);
    const response = await this.#session.send({ method: "POST", headers, body: JSON.stringify(message), signal });
    await response.body?.cancel();
  }

  /** Tells the server that nobody waits for a call any more (specification 2025-11-25, Cancellation). */
  #cancel(requestId: string): void {
    // The end of the session is the end of its calls, too.
    if (this.#closing !== undefined) return;
    const body = JSON.stringify({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId, reason: "The caller no longer waits" },
    });
    this.#sayGoodbye("POST", CLOSE_TIMEOUT_MS, body);
  }

  /** Sends what needs no answer, bounded in time; `close()` waits for it. */
  #sayGoodbye(method: "POST" | "DELETE", timeoutMs: number, body?: string): void {
    // Many calls may end at once: their good-byes are not to leave as many idle sockets behind.
    const headers = { ...createSessionHeaders(this.#session), connection: "close" };
    const deadline = new Deadline(timeoutMs);
    const sent = this.#session.send({ method, headers, body, signal: deadline.signal })
      .then((response) => response.body?.cancel())
      .catch(() => {})
      .finally(() => {
        deadline[Symbol.dispose]();
        this.#goodbyes.delete(sent);
      });
    this.#goodbyes.add(sent);
  }

  async #close(keepSession: boolean): Promise<void> {
    if (this.#session.sessionId !== undefined && !this.#lost && !keepSession) {
      this.#sayGoodbye("DELETE", END_TIMEOUT_MS);
    }
    this.#lost = true;
    this.#closed.abort();
    await Promise.all([...this.#goodbyes, this.#ends.close()]);
  }
}
