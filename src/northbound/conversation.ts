/**
 * A request to a server of the legacy era whose caller is of the modern one: what the server asks is put into a result,
 * and the request to the server waits in this instance until the caller comes back with the answers.
 *
 * @module
 */

import { abortable } from "@std/async";
import { RpcRefusal } from "../connection/connection.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { Outlet } from "./answer.ts";
import type { Clock } from "./clock.ts";
import type { Ask } from "./input_relay.ts";
import type { RpcId } from "./rpc.ts";

/** How many questions may be open. */
const MAX_QUESTIONS = 32;

/** What a round of a conversation ends with. */
export type Outcome =
  | { readonly kind: "answered"; readonly result: JsonObject }
  | { readonly kind: "asked"; readonly inputRequests: JsonObject };

interface Question {
  readonly request: JsonObject;
  readonly resolve: (answer: JsonObject) => void;
  readonly reject: (error: unknown) => void;
}

/** Where a round sends what leaves before its end. */
export interface Turn {
  /** Where messages go. */
  readonly outlet: Outlet;
  /** How the caller names this round in notices of progress. */
  readonly progressToken: RpcId | undefined;
}

/** One request that may take rounds. */
export class Conversation {
  /** Its id, which nobody can guess. */
  readonly id: string = crypto.randomUUID();
  /** Who asks. */
  readonly caller: string;
  /** The round that the caller waits in. */
  turn: Turn;
  readonly #controller = new AbortController();
  readonly #questions = new Map<string, Question>();
  readonly #clock: Clock;
  #round = 0;
  #keys = 0;
  #end: (() => JsonObject) | undefined;
  #changed = Promise.withResolvers<void>();

  /**
   * Begins a conversation.
   *
   * @param caller Who asks.
   * @param turn The first round.
   * @param clock Tells the time.
   * @param work Sends the request, with a way to ask the caller.
   */
  constructor(
    caller: string,
    turn: Turn,
    clock: Clock,
    work: (ask: Ask, signal: AbortSignal, turnOf: () => Turn) => Promise<JsonObject>,
  ) {
    this.caller = caller;
    this.turn = turn;
    this.#clock = clock;
    const end = (outcome: () => JsonObject) => {
      this.#end = outcome;
      this.#changed.resolve();
    };
    work(this.#ask, this.#controller.signal, () => this.turn).then((result) => end(() => result), (error) =>
      end(() => {
        throw error;
      }));
  }

  /** How often the caller has been asked. */
  get round(): number {
    return this.#round;
  }

  /** Whether the server has answered, or the request has failed. */
  get over(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Waits until the server has answered, or asks.
   *
   * @param signal Ends the conversation: the caller has gone.
   * @returns The answer, or all open questions.
   * @throws The failure of the request, or the reason of the signal.
   */
  async next(signal: AbortSignal): Promise<Outcome> {
    try {
      for (;;) {
        if (this.#end !== undefined) return { kind: "answered", result: this.#end() };
        if (this.#questions.size > 0) {
          // What is asked in the same breath is one round.
          await abortable(new Promise<void>((resolve) => void this.#clock.after(0, resolve)), signal);
          const open = [...this.#questions].map(([key, { request }]) => [key, request] as const);
          if (this.over || open.length === 0) continue;
          this.#round++;
          return { kind: "asked", inputRequests: Object.fromEntries(open) };
        }
        await abortable(this.#changed.promise, signal);
        this.#changed = Promise.withResolvers<void>();
      }
    } catch (error) {
      this.end(error);
      throw error;
    }
  }

  /**
   * Takes the answers of the caller. Those to what was not asked are passed over; what has none is asked again.
   *
   * @param answers The answers by the keys of the questions.
   */
  take(answers: JsonObject): void {
    for (const [key, { resolve }] of [...this.#questions]) {
      const answer = Object.hasOwn(answers, key) ? answers[key] : undefined;
      if (!isJsonObject(answer)) continue;
      this.#questions.delete(key);
      resolve(answer);
    }
  }

  /**
   * Ends the request to the server.
   *
   * @param reason What it is told.
   */
  end(reason: unknown): void {
    this.#controller.abort(reason);
  }

  readonly #ask: Ask = async (method, params, signal) => {
    signal.throwIfAborted();
    if (this.#questions.size >= MAX_QUESTIONS) throw new RpcRefusal(-32603, "The caller cannot be asked");
    const key = `q${++this.#keys}`;
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
    const abort = () => reject(signal.reason);
    this.#questions.set(key, { request: { method, params }, resolve, reject });
    signal.addEventListener("abort", abort, { once: true });
    this.#changed.resolve();
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#questions.delete(key);
    }
  };
}
