/**
 * What a legacy server asks on a stream of ours: answered by the responder of the request that the stream belongs to,
 * bounded in number (specification 2025-11-25, Transports, Streamable HTTP; Ping).
 *
 * @module
 */

import { Deadline } from "../deadline.ts";
import { JoinedSignal } from "../joined_signal.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { type InputResponder, RpcRefusal } from "./connection.ts";

/** How many questions are answered at once on one stream; further ones are passed over. */
const MAX_QUESTIONS = 64;
/** How long it takes until one more is, in milliseconds: a stream of notices may last for days. */
const EARN_MS = 1_000;
/** How many may be waiting for their answer at once. */
const MAX_OPEN = 16;
const SEND_TIMEOUT_MS = 10_000;
const METHOD_NOT_FOUND = -32601;
const INTERNAL_ERROR = -32603;

/** How questions are answered. */
export interface ServerQuestionsOptions {
  /** Who answers; without one only pings are. */
  readonly responder: InputResponder | undefined;
  /** Sends an answer, a JSON-RPC response. What it rejects with is ignored: the server is left waiting. */
  readonly send: (response: JsonObject, signal: AbortSignal) => Promise<void>;
  /** Ends all answering. */
  readonly signal: AbortSignal;
  /** How long sending one answer may take, in milliseconds. @default {10_000} */
  readonly sendTimeoutMs?: number | undefined;
  /** The time, in milliseconds. @default {performance.now} */
  readonly now?: (() => number) | undefined;
}

/** The questions of one stream. */
export class ServerQuestions implements Disposable {
  readonly #options: ServerQuestionsOptions;
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  readonly #now: () => number;
  #left = MAX_QUESTIONS;
  #earnedAt: number;
  #open = 0;

  /**
   * Begins to take questions.
   *
   * @param options How they are answered.
   */
  constructor(options: ServerQuestionsOptions) {
    const { signal, now = () => performance.now() } = options;
    this.#options = options;
    this.#now = now;
    this.#earnedAt = now();
    this.#signal = new JoinedSignal(signal, this.#over.signal).signal;
  }

  /**
   * Takes a message, where it is a request.
   *
   * @param message Any message of the server.
   * @returns Whether it was a request.
   */
  take(message: JsonObject): boolean {
    const { id, method, params } = message;
    if (typeof method !== "string" || (typeof id !== "string" && typeof id !== "number")) return false;
    // A server that does not take its answers gets no more of them: each holds a socket.
    if (this.#open < MAX_QUESTIONS && this.#spend()) void this.#answer(id, method, isJsonObject(params) ? params : {});
    return true;
  }

  /** The request that the stream belongs to has settled: open questions are of no interest any more. */
  [Symbol.dispose](): void {
    this.#over.abort(new Error("The request has settled"));
  }

  #spend(): boolean {
    const now = this.#now();
    const earned = Math.floor((now - this.#earnedAt) / EARN_MS);
    this.#left = Math.min(this.#left + earned, MAX_QUESTIONS);
    this.#earnedAt += earned * EARN_MS;
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  async #answer(id: string | number, method: string, params: JsonObject): Promise<void> {
    this.#open++;
    try {
      const outcome = await this.#toOutcome(method, params);
      if (this.#signal.aborted) return;
      const { send, sendTimeoutMs = SEND_TIMEOUT_MS } = this.#options;
      using deadline = new Deadline(sendTimeoutMs, { signal: this.#signal });
      await send({ jsonrpc: "2.0", id, ...outcome }, deadline.signal);
    } catch {
      // The server is left waiting; its own request to us has a deadline, and so has ours to it.
    } finally {
      this.#open--;
    }
  }

  async #toOutcome(method: string, params: JsonObject): Promise<JsonObject> {
    const { responder } = this.#options;
    if (method === "ping") return { result: {} };
    if (responder === undefined) return toError(METHOD_NOT_FOUND, "Method not found");
    if (this.#open > MAX_OPEN) return toError(INTERNAL_ERROR, "Too many requests at once");
    try {
      return { result: await responder.answer(method, params, this.#signal) };
    } catch (error) {
      return error instanceof RpcRefusal
        ? toError(error.code, error.message)
        : toError(INTERNAL_ERROR, "The request could not be answered");
    }
  }
}

function toError(code: number, message: string): JsonObject {
  return { error: { code, message } };
}
