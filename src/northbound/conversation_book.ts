/**
 * The requests of this instance that wait for answers of their callers: bounded in number and in time.
 *
 * @module
 */

import { MCPError } from "../errors.ts";
import type { Clock } from "./clock.ts";
import type { Conversation } from "./conversation.ts";
import { refuseState, type RoundState } from "./request_state.ts";
import { INTERNAL_ERROR, RpcError, tooMany } from "./rpc.ts";

/** How many requests may wait. */
export const MAX_WAITING = 2_048;
/** How many of them one agent may have: an agent with many callers leaves room for the others. */
export const MAX_WAITING_OF_AGENT = 512;
/** How many of them one caller may have. */
export const MAX_WAITING_OF_CALLER = 64;
/** How long a request waits for its caller, in milliseconds. */
export const WAIT_MS = 5 * 60_000;

interface Waiting {
  readonly conversation: Conversation;
  readonly agent: string;
  readonly stopTimer: () => void;
}

/** The requests that wait. One for each gateway. */
export class ConversationBook {
  /** Names this instance: what waits here is known nowhere else. */
  readonly instance: string = crypto.randomUUID();
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting>();
  #isOver = false;

  /**
   * Creates a book in which nothing waits.
   *
   * @param clock Tells the time.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many requests wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Keeps a conversation until its caller comes back. Where nobody does, its request is cancelled.
   *
   * @param conversation The conversation.
   * @param agent The agent that it is with.
   * @returns What finds it again.
   * @throws {RpcError} If there are too many; the conversation is ended.
   * @throws {MCPError} If everything has been ended, and the conversation with it: `outcome_unknown`.
   */
  keep(conversation: Conversation, agent: string): RoundState {
    const { id, caller, round } = conversation;
    if (this.#isOver) {
      const message = "Cannot ask the caller as the gateway is stopping; the request may have run in part";
      const error = new MCPError("outcome_unknown", message);
      conversation.end(error);
      throw error;
    }
    const own = [...this.#waiting.values()].filter((waiting) => waiting.conversation.caller === caller);
    const all = [...this.#waiting.values()].filter((waiting) => waiting.agent === agent);
    const isFull = this.#waiting.size >= MAX_WAITING || all.length >= MAX_WAITING_OF_AGENT;
    if (isFull || own.length >= MAX_WAITING_OF_CALLER) {
      // The call may have run: sent again, it could run twice.
      const error = tooMany("Cannot ask the caller as too many requests wait for answers", false);
      conversation.end(error);
      throw error;
    }
    const stopTimer = this.#clock.after(WAIT_MS, () => {
      this.#waiting.delete(id);
      conversation.end(new MCPError("input_required", "Cannot finish the request as its caller did not come back"));
    });
    this.#waiting.set(id, { conversation, agent, stopTimer });
    return { kind: "waiting", instance: this.instance, id, round };
  }

  /**
   * Finds a conversation again, once.
   *
   * @param state What `keep()` returned.
   * @returns The conversation.
   * @throws {RpcError} If it waits in another instance, waits no longer, or has gone on since.
   */
  find({ instance, id, round }: Extract<RoundState, { kind: "waiting" }>): Conversation {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || instance !== this.instance) {
      const why = instance === this.instance
        ? "it waits no longer"
        : "another instance of the gateway asked, and only that one can take the answers";
      // It has been sent to its server, and may have ended: an answer that was lost on its way is asked for like this.
      throw new RpcError(INTERNAL_ERROR, `Cannot go on with the request as ${why}; it may have run`, {
        data: { code: "outcome_unknown", retryable: false },
      });
    }
    if (waiting.conversation.round !== round) throw refuseState();
    waiting.stopTimer();
    this.#waiting.delete(id);
    return waiting.conversation;
  }

  /**
   * Ends everything that waits, and lets nothing wait any more.
   *
   * @param reason What the requests are told.
   */
  endAll(reason: unknown): void {
    this.#isOver = true;
    for (const { conversation, stopTimer } of this.#waiting.values()) {
      stopTimer();
      conversation.end(reason);
    }
    this.#waiting.clear();
  }
}
