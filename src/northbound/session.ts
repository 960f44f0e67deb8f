/**
 * A session of a legacy caller that can be asked: it knows which of its requests run, what it has been asked, and where
 * it listens (specification 2025-11-25, Streamable HTTP, Session Management).
 *
 * @module
 */

import { RpcRefusal } from "../connection/connection.ts";
import type { LogLevel } from "../context.ts";
import { MCPError } from "../errors.ts";
import type { AgentClient } from "../gateway/agent_directory.ts";
import type { JsonObject } from "../protocol.ts";
import type { AgentNotices, Listening } from "./agent_notices.ts";
import type { Outlet } from "./answer.ts";
import type { Ask } from "./input_relay.ts";
import type { MessageStream } from "./message_stream.ts";
import { INVALID_REQUEST, RpcError, type RpcId, type RpcResponse, writeNotification, writeRequest } from "./rpc.ts";

/** How many streams a session may have open; the oldest one ends for a new one. */
const MAX_STREAMS = 4;
/** How many resources a session may watch. */
const MAX_WATCHED = 256;
/** How many questions a session may have open. */
const MAX_QUESTIONS = 64;
/** The person said no (specification 2025-11-25, Sampling, Error Handling). */
const REJECTED = -1;

/** Whose session it is. */
export interface SessionOptions {
  /** Its id, which nobody can guess. */
  readonly id: string;
  /** The agent that it is with. */
  readonly agent: string;
  /** The agent. */
  readonly client: AgentClient;
  /** The caller that it belongs to: no other one can use it. */
  readonly caller: string;
  /** What the caller can be asked. */
  readonly askable: JsonObject;
  /** Where notices come from. */
  readonly notices: AgentNotices;
}

interface Question {
  readonly resolve: (result: JsonObject) => void;
  readonly reject: (error: unknown) => void;
}

/** One session. */
export class Session {
  /** Whose it is. */
  readonly options: SessionOptions;
  /** From which level on the caller wants log messages. */
  logLevel: LogLevel = "info";
  /** When it was last used, in milliseconds since the epoch. */
  lastUsedMs: number;
  readonly #running = new Map<RpcId, AbortController>();
  readonly #questions = new Map<RpcId, Question>();
  readonly #streams: MessageStream[] = [];
  readonly #uris = new Set<string>();
  #listening: Listening | undefined;
  #asked = 0;

  /**
   * Creates a session.
   *
   * @param options Whose it is.
   * @param nowMs The time, in milliseconds since the epoch.
   */
  constructor(options: SessionOptions, nowMs: number) {
    this.options = options;
    this.lastUsedMs = nowMs;
  }

  /** Whether nothing of it is under way, and nobody listens. */
  get idle(): boolean {
    return this.#running.size === 0 && this.#streams.length === 0;
  }

  /**
   * Runs a request of the caller, who may cancel it by its id. That the connection is lost does not cancel it.
   *
   * @param id The id of the request.
   * @param work What to do.
   * @returns What the work resolves to.
   * @throws {RpcError} If another request with the id is under way.
   */
  async run<T>(id: RpcId, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#running.has(id)) {
      throw new RpcError(INVALID_REQUEST, "Cannot serve the request as another one with its id is under way", { id });
    }
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      return await work(controller.signal);
    } finally {
      this.#running.delete(id);
    }
  }

  /**
   * Cancels a request.
   *
   * @param id The id of the request; one that is not known was answered already.
   */
  cancel(id: unknown): void {
    this.#running.get(id as RpcId)?.abort(new RequestCancelled());
  }

  /**
   * Puts questions to the caller on the stream of the request that they are about.
   *
   * @param outlet The stream.
   * @returns Puts a question.
   */
  asker(outlet: Outlet): Ask {
    return async (method, params, signal) => {
      signal.throwIfAborted();
      if (!outlet.isOpen || this.#questions.size >= MAX_QUESTIONS) {
        throw new RpcRefusal(-32603, "The caller cannot be asked");
      }
      const id = `portolan-${++this.#asked}`;
      const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
      const abort = () => {
        outlet.send(writeNotification("notifications/cancelled", { requestId: id }));
        reject(signal.reason);
      };
      this.#questions.set(id, { resolve, reject });
      signal.addEventListener("abort", abort, { once: true });
      outlet.send(writeRequest(id, method, params));
      try {
        return await promise;
      } finally {
        signal.removeEventListener("abort", abort);
        this.#questions.delete(id);
      }
    };
  }

  /**
   * Takes an answer of the caller; one that nobody waits for any more is of no use.
   *
   * @param response The answer.
   */
  take({ id, result, errorCode }: RpcResponse): void {
    const question = this.#questions.get(id);
    if (result !== undefined) return question?.resolve(result);
    const isNo = errorCode === REJECTED;
    question?.reject(
      isNo
        ? new MCPError("denied", "Cannot answer the server as the caller rejected its request")
        : new RpcRefusal(-32603, "The request could not be answered"),
    );
  }

  /**
   * Sends notices on a stream from now on. As long as there is one, the agent's servers are listened to.
   *
   * @param stream The stream.
   */
  open(stream: MessageStream): void {
    if (this.#streams.length >= MAX_STREAMS) this.#streams.shift()?.end();
    this.#streams.push(stream);
    this.#listen();
  }

  /**
   * Sends nothing on a stream any more.
   *
   * @param stream The stream.
   */
  close(stream: MessageStream): void {
    const index = this.#streams.indexOf(stream);
    if (index >= 0) this.#streams.splice(index, 1);
    stream.end();
    if (this.#streams.length > 0) return;
    // What nobody hears need not be told; the next stream goes on with the same resources.
    this.#listening?.close();
    this.#listening = undefined;
  }

  /**
   * Watches a resource for the caller.
   *
   * @param uri Its URI.
   * @param signal Ends the waiting.
   */
  async subscribe(uri: string, signal: AbortSignal): Promise<void> {
    if (this.#uris.size >= MAX_WATCHED && !this.#uris.has(uri)) {
      throw new MCPError("overloaded", `Cannot watch more than ${MAX_WATCHED} resources in one session`);
    }
    const { client, notices } = this.options;
    // Also where nobody listens yet: the caller is to know whether it can be watched.
    const listening = this.#listening ?? notices.listen(client, SILENT);
    try {
      await listening.watchResource(uri, signal);
      this.#uris.add(uri);
    } finally {
      if (listening !== this.#listening) listening.close();
    }
  }

  /**
   * Watches a resource no longer.
   *
   * @param uri Its URI.
   */
  unsubscribe(uri: string): void {
    if (this.#uris.delete(uri)) this.#listening?.unwatchResource(uri);
  }

  /**
   * Ends everything of the session.
   *
   * @param reason What requests under way are told.
   */
  end(reason: unknown): void {
    for (const controller of this.#running.values()) controller.abort(reason);
    for (const stream of [...this.#streams]) this.close(stream);
  }

  #listen(): void {
    if (this.#listening !== undefined) return;
    const { client, notices } = this.options;
    this.#listening = notices.listen(client, {
      onListChanged: (kind) => {
        const method = `notifications/${kind}/list_changed`;
        this.#streams.at(-1)?.offer(writeNotification(method), method);
      },
      onResourceUpdated: (uri) => {
        const method = "notifications/resources/updated";
        this.#streams.at(-1)?.offer(writeNotification(method, { uri }), `${method} ${uri}`);
      },
    });
    const { signal } = new AbortController();
    for (const uri of this.#uris) this.#listening.watchResource(uri, signal).catch(() => {});
  }
}

const SILENT = { onListChanged: () => {}, onResourceUpdated: () => {} };

/** The reason of a request that its caller has cancelled: it gets no answer. */
export class RequestCancelled extends Error {
  /** Creates a reason. */
  constructor() {
    super("The caller cancelled the request");
    this.name = "RequestCancelled";
  }
}
