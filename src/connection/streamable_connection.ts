/**
 * A connection over Streamable HTTP, of either era, once it is known how to talk to the server: every request is one
 * exchange.
 *
 * @module
 */

import { Deadline } from "../deadline.ts";
import { isMCPError } from "../errors.ts";
import type { JsonObject, ToolResult } from "../protocol.ts";
import { createSessionHeaders, exchange, type ExchangeRequest, type ExchangeSession } from "./call_exchange.ts";
import type { Connection, ConnectionCallOptions, SavedConnection, ToolPage } from "./connection.ts";
import { CALL_CAPS, CLOSE_TIMEOUT_MS, LIST_CAPS } from "./limits.ts";
import { readNotices } from "./notice_stream.ts";
import { type ParamHeader, readParamHeaders, toParamHeaders } from "./param_headers.ts";
import { StreamEnds } from "./stream_ends.ts";
import { toTraceFields, toTraceHeaders } from "./trace_fields.ts";
import { tellProgress, toResult, toToolPage, toToolResult } from "./tool_messages.ts";

/** Talks to one server over Streamable HTTP. */
export class StreamableConnection implements Connection {
  readonly transport = "streamable_http";
  readonly resumed: boolean;
  readonly #session: ExchangeSession;
  /** Unique across isolates: two of them may share one session. */
  readonly #idPrefix = crypto.randomUUID();
  readonly #goodbyes = new Set<Promise<void>>();
  readonly #ends = new StreamEnds();
  /** What schemas say of headers, read once: that takes the whole schema as text. */
  readonly #paramHeaders = new WeakMap<JsonObject, readonly ParamHeader[] | undefined>();
  /** Ends the stream of notices. */
  readonly #closed = new AbortController();
  #lastId = 0;
  #lost = false;
  #closing: Promise<void> | undefined;

  /**
   * Takes over what is known of a server.
   *
   * @param session What a handshake, a discovery or an earlier connection has found out.
   * @param options Whether it goes on from an earlier connection.
   */
  constructor(session: ExchangeSession, options: { readonly resumed: boolean }) {
    this.#session = { ...session, onRest: (rest) => this.#ends.take(rest) };
    this.resumed = options.resumed;
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
    return { era, transport: this.transport, protocolVersion, sessionId, resumable: true };
  }

  async listTools(cursor: string | undefined, deadline: Deadline): Promise<ToolPage> {
    const method = "tools/list";
    const params: JsonObject = cursor === undefined ? {} : { cursor };
    const { server } = this.#session;
    const id = this.#nextId();
    const answer = await this.#exchange({ id, method, params, phase: "list", deadline, caps: LIST_CAPS });
    return toToolPage(toResult(answer, { server, method }), server);
  }

  async callTool(name: string, args: JsonObject, options: ConnectionCallOptions): Promise<ToolResult> {
    const { deadline, onProgress, onHeard, trace, argumentsText, inputSchema } = options;
    const method = "tools/call";
    const id = this.#nextId();
    const params: JsonObject = argumentsText === undefined ? { name, arguments: args } : { name };
    const meta: JsonObject = trace === undefined ? {} : toTraceFields(trace);
    if (onProgress !== undefined || onHeard !== undefined) meta.progressToken = id;
    if (Object.keys(meta).length > 0) params._meta = meta;
    const { server, era } = this.#session;
    let sent = false;
    const wanted = era === "modern" && inputSchema !== undefined ? this.#paramHeadersOf(inputSchema) : undefined;
    try {
      const answer = await this.#exchange({
        id,
        method,
        params,
        argumentsText,
        phase: "call",
        deadline,
        caps: CALL_CAPS,
        headers: wanted === undefined
          ? toTraceHeaders(trace)
          : [...toTraceHeaders(trace), ...toParamHeaders(wanted, args)],
        onSent: () => {
          sent = true;
          onHeard?.();
        },
        onMessage: (message) => {
          onHeard?.();
          if (onProgress !== undefined) tellProgress(message, id, onProgress);
        },
      });
      return toToolResult(toResult(answer, { server, method }), server);
    } catch (error) {
      // In the modern era the closed stream itself says it.
      if (sent && deadline.signal.aborted && era === "legacy") this.#cancel(id);
      throw error;
    }
  }

  async listen(onChange: () => void, signal: AbortSignal): Promise<boolean> {
    return await readNotices(this.#session, this.#nextId(), onChange, AbortSignal.any([signal, this.#closed.signal]));
  }

  close(options: { readonly keepSession?: boolean } = {}): Promise<void> {
    return this.#closing ??= this.#close(options.keepSession ?? false);
  }

  async #exchange(request: ExchangeRequest): Promise<JsonObject> {
    try {
      return await exchange(this.#session, request);
    } catch (error) {
      if (isMCPError(error) && error.code === "session_lost") this.#lost = true;
      throw error;
    }
  }

  #paramHeadersOf(inputSchema: JsonObject): readonly ParamHeader[] | undefined {
    if (!this.#paramHeaders.has(inputSchema)) this.#paramHeaders.set(inputSchema, readParamHeaders(inputSchema));
    return this.#paramHeaders.get(inputSchema);
  }

  #nextId(): string {
    return `${this.#idPrefix}:${++this.#lastId}`;
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
    this.#sayGoodbye("POST", body);
  }

  /** Sends what needs no answer, bounded in time; `close()` waits for it. */
  #sayGoodbye(method: "POST" | "DELETE", body?: string): void {
    // Many calls may end at once: their good-byes are not to leave as many idle sockets behind.
    const headers = { ...createSessionHeaders(this.#session), connection: "close" };
    const deadline = new Deadline(CLOSE_TIMEOUT_MS);
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
    if (this.#session.sessionId !== undefined && !this.#lost && !keepSession) this.#sayGoodbye("DELETE");
    this.#lost = true;
    this.#closed.abort();
    await Promise.all([...this.#goodbyes, this.#ends.close()]);
  }
}
