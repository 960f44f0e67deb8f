/**
 * A connection of the legacy era over Streamable HTTP, once its handshake is done: every request is one exchange.
 *
 * @module
 */

import { Deadline } from "../deadline.ts";
import { isMCPError } from "../errors.ts";
import type { JsonObject, ToolResult } from "../protocol.ts";
import { createSessionHeaders, exchange, type ExchangeSession } from "./call_exchange.ts";
import type { Connection, ConnectionCallOptions, ToolPage } from "./connection.ts";
import { CALL_CAPS, CLOSE_TIMEOUT_MS, LIST_CAPS } from "./limits.ts";
import { tellProgress, toResult, toToolPage, toToolResult } from "./tool_messages.ts";

/** A live session over Streamable HTTP. */
export class StreamableConnection implements Connection {
  readonly era = "legacy";
  readonly transport = "streamable_http";
  readonly #session: ExchangeSession;
  /** Unique across isolates: two of them may share one session. */
  readonly #idPrefix = crypto.randomUUID();
  readonly #goodbyes = new Set<Promise<void>>();
  #lastId = 0;
  #lost = false;
  #closing: Promise<void> | undefined;

  /**
   * Takes over a session whose handshake is done.
   *
   * @param session What the handshake agreed on.
   */
  constructor(session: ExchangeSession) {
    this.#session = session;
  }

  get protocolVersion(): string {
    return this.#session.protocolVersion;
  }

  get lost(): boolean {
    return this.#lost;
  }

  async listTools(cursor: string | undefined, deadline: Deadline): Promise<ToolPage> {
    const method = "tools/list";
    const params: JsonObject = cursor === undefined ? {} : { cursor };
    const { server } = this.#session;
    const answer = await this.#exchange({
      id: this.#nextId(),
      method,
      params,
      phase: "list",
      deadline,
      caps: LIST_CAPS,
    });
    return toToolPage(toResult(answer, { server, method }), server);
  }

  async callTool(name: string, args: JsonObject, options: ConnectionCallOptions): Promise<ToolResult> {
    const { deadline, onProgress } = options;
    const method = "tools/call";
    const id = this.#nextId();
    const params: JsonObject = { name, arguments: args };
    if (onProgress !== undefined) params._meta = { progressToken: id };
    const { server } = this.#session;
    let sent = false;
    try {
      const answer = await this.#exchange({
        id,
        method,
        params,
        phase: "call",
        deadline,
        caps: CALL_CAPS,
        onSent: () => void (sent = true),
        onMessage: onProgress && ((message) => tellProgress(message, id, onProgress)),
      });
      return toToolResult(toResult(answer, { server, method }), server);
    } catch (error) {
      if (sent && deadline.signal.aborted) this.#cancel(id);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #exchange(request: Parameters<typeof exchange>[1]): Promise<JsonObject> {
    try {
      return await exchange(this.#session, request);
    } catch (error) {
      if (isMCPError(error) && error.code === "session_lost") this.#lost = true;
      throw error;
    }
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
    const headers = createSessionHeaders(this.#session);
    // Many calls may end at once: their good-byes are not to leave as many idle sockets behind.
    headers.set("connection", "close");
    const deadline = new Deadline(CLOSE_TIMEOUT_MS);
    const sent = this.#session.fetch({ method, headers, body, signal: deadline.signal })
      .then((response) => response.body?.cancel())
      .catch(() => {})
      .finally(() => {
        deadline[Symbol.dispose]();
        this.#goodbyes.delete(sent);
      });
    this.#goodbyes.add(sent);
  }

  async #close(): Promise<void> {
    if (this.#session.sessionId !== undefined && !this.#lost) this.#sayGoodbye("DELETE");
    this.#lost = true;
    await Promise.all(this.#goodbyes);
  }
}
