/**
 * A connection over the HTTP+SSE transport of 2024-11-05: answers come on one long stream, so the SDK's client does the
 * pairing; when the stream is lost, so is the connection.
 *
 * @module
 */

import { Deadline, MAX_TIMER_MS } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import { type Phase, toOutcomeUnknown, toRequestError } from "../network_errors.ts";
import { isJsonObject, type JsonObject, type ToolResult } from "../protocol.ts";
import type { Client } from "../sdk.ts";
import type { Connection, ConnectionCallOptions, SavedConnection, ToolPage } from "./connection.ts";
import { CLOSE_TIMEOUT_MS } from "./limits.ts";
import { toToolPage, toToolResult } from "./tool_messages.ts";
import { toTraceFields } from "./trace_fields.ts";

/** The types of the SDK that are loaded with the SDK. */
type ResultSchema = typeof import("../sdk.ts").ResultSchema;
type ListChangedSchema = typeof import("../sdk.ts").ToolListChangedNotificationSchema;

/** What the handshake leaves behind. */
export interface SseSession {
  /** The server's name. */
  readonly server: string;
  /** The SDK's client, connected. */
  readonly client: Client;
  /** The SDK's schema of any result. */
  readonly resultSchema: ResultSchema;
  /** The SDK's schema of the notice that the tools have changed. */
  readonly listChangedSchema: ListChangedSchema;
  /** The protocol version agreed on. */
  readonly protocolVersion: string;
  /** Aborting it closes the stream and every request. */
  readonly controller: AbortController;
}

/** A live SSE stream with its SDK client. */
export class SseConnection implements Connection {
  readonly era = "legacy";
  readonly transport = "sse";
  readonly resumed = false;
  readonly #session: SseSession;
  #lost = false;
  #closing: Promise<void> | undefined;

  /**
   * Takes over a stream whose handshake is done.
   *
   * @param session What the handshake left behind.
   */
  constructor(session: SseSession) {
    this.#session = session;
    session.client.onclose = () => {
      this.#lost = true;
    };
  }

  get protocolVersion(): string {
    return this.#session.protocolVersion;
  }

  /** A stream cannot be handed on; that the server has one can. */
  get saved(): SavedConnection {
    const { era, transport, protocolVersion } = this;
    return { era, transport, protocolVersion, resumable: false };
  }

  get lost(): boolean {
    return this.#lost;
  }

  async listTools(cursor: string | undefined, deadline: Deadline): Promise<ToolPage> {
    const params: JsonObject = cursor === undefined ? {} : { cursor };
    return toToolPage(await this.#request("tools/list", params, "list", { deadline }), this.#session.server);
  }

  async callTool(name: string, args: JsonObject, options: ConnectionCallOptions): Promise<ToolResult> {
    const params: JsonObject = { name, arguments: args };
    const meta = toTraceFields(options.trace);
    if (Object.keys(meta).length > 0) params._meta = meta;
    return toToolResult(await this.#request("tools/call", params, "call", options), this.#session.server);
  }

  async listen(onChange: () => void, signal: AbortSignal): Promise<boolean> {
    const { client, listChangedSchema } = this.#session;
    client.setNotificationHandler(listChangedSchema, onChange);
    const ended = Promise.withResolvers<void>();
    const onclose = client.onclose;
    client.onclose = () => {
      onclose?.();
      ended.resolve();
    };
    signal.addEventListener("abort", () => ended.resolve(), { once: true });
    if (this.#lost || signal.aborted) ended.resolve();
    await ended.promise;
    return true;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #request(
    method: string,
    params: JsonObject,
    phase: Phase,
    options: ConnectionCallOptions,
  ): Promise<JsonObject> {
    const { server, client, resultSchema } = this.#session;
    const { deadline, onProgress, onHeard } = options;
    if (this.#lost) throw toLost(server, "connect");
    onHeard?.();
    try {
      const result: unknown = await deadline.race(client.request({ method, params }, resultSchema, {
        signal: deadline.signal,
        // The deadline is ours; the SDK's own clock only must not run out before it.
        timeout: Math.min(deadline.remainingMs + 60_000, MAX_TIMER_MS),
        ...(onProgress === undefined && onHeard === undefined ? {} : {
          onprogress: (progress) => {
            onHeard?.();
            onProgress?.(progress);
          },
        }),
      }));
      if (!isJsonObject(result)) {
        throw new MCPError(
          "bad_response",
          `Cannot use the answer of server "${server}" to ${method} as it is no object`,
          {
            server,
          },
        );
      }
      return result;
    } catch (error) {
      if (deadline.signal.aborted || error instanceof MCPError) {
        throw toRequestError(error, { server, phase, deadline });
      }
      if (this.#lost) throw toLost(server, phase);
      const rpcCode = toRpcCode(error);
      if (rpcCode === undefined) throw toRequestError(error, { server, phase, deadline });
      throw new MCPError(
        "upstream_error",
        `Cannot use ${method} of server "${server}" as it answered with the JSON-RPC error ${rpcCode}`,
        { server, rpcCode },
      );
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
  if (!(error instanceof Error) || error.name !== "McpError") return undefined;
  const code = (error as { code?: unknown }).code;
  return typeof code === "number" ? code : undefined;
}
