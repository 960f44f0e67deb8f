/**
 * The sessions of this instance: bounded in number, each for its own caller and agent.
 *
 * @module
 */

import { MCPError } from "../errors.ts";
import type { Clock } from "./clock.ts";
import { INVALID_REQUEST, RpcError, tooMany } from "./rpc.ts";
import { Session, type SessionOptions } from "./session.ts";

/** How many sessions there are at most. */
export const MAX_SESSIONS = 4_096;
/** How many of them one agent has at most: an agent with many callers ends no session of another. */
export const MAX_SESSIONS_OF_AGENT = 1_024;
/** How many of them one caller has at most. */
export const MAX_SESSIONS_OF_CALLER = 256;
/** How long a session lives that is not used, in milliseconds. */
export const SESSION_TTL_MS = 15 * 60_000;

/** Who asks for a session. */
export interface SessionKey {
  /** The id that the caller sent. */
  readonly id: string;
  /** The agent that is asked. */
  readonly agent: string;
  /** Who asks. */
  readonly caller: string;
}

/** All sessions. One for each gateway. */
export class SessionBook {
  readonly #clock: Clock;
  /** In the order of their last use. */
  readonly #sessions = new Map<string, Session>();

  /**
   * Creates a book without sessions.
   *
   * @param clock Tells the time.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many sessions there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Begins a session. Where there are too many, the one that has been idle for the longest time ends: its caller is told
   * to begin anew, as after a restart.
   *
   * @param options Whose it is.
   * @returns The session.
   * @throws {RpcError} If all of them are in use.
   */
  begin(options: Omit<SessionOptions, "id">): Session {
    this.#sweep();
    const { agent, caller } = options;
    const own = [...this.#sessions.values()].filter((session) => session.options.caller === caller);
    if (own.length >= MAX_SESSIONS_OF_CALLER) this.#evict(own);
    const all = [...this.#sessions.values()].filter((session) => session.options.agent === agent);
    if (all.length >= MAX_SESSIONS_OF_AGENT) this.#evict(all);
    if (this.#sessions.size >= MAX_SESSIONS) this.#evict([...this.#sessions.values()]);
    // 244 random bits, in visible ASCII.
    const id = `${crypto.randomUUID()}${crypto.randomUUID()}`.replaceAll("-", "");
    const session = new Session({ ...options, id }, this.#clock.now());
    this.#sessions.set(id, session);
    return session;
  }

  /**
   * Finds a session. One of another caller or of another agent is as unknown as one that never was.
   *
   * @param key Who asks for it.
   * @returns The session.
   * @throws {RpcError} With status 404, so that the caller begins anew.
   */
  find({ id, agent, caller }: SessionKey): Session {
    const session = this.#sessions.get(id);
    const { options } = session ?? {};
    const isOwn = options?.caller === caller && options.agent === agent;
    if (session === undefined || !isOwn || this.#isOver(session)) {
      throw new RpcError(INVALID_REQUEST, "Cannot find the session: begin a new one with initialize", {
        status: 404,
        data: { code: "session_lost", retryable: false },
      });
    }
    session.lastUsedMs = this.#clock.now();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return session;
  }

  /**
   * Ends a session.
   *
   * @param session The session.
   */
  end(session: Session): void {
    if (!this.#sessions.delete(session.options.id)) return;
    // Its requests had been sent: nobody is told to send them again.
    session.end(new MCPError("outcome_unknown", "Cannot answer as the session has ended; the request may have run"));
  }

  #isOver(session: Session): boolean {
    return session.idle && this.#clock.now() - session.lastUsedMs > SESSION_TTL_MS;
  }

  /** No timer runs between requests: what is over goes when somebody comes. */
  #sweep(): void {
    for (const session of this.#sessions.values()) {
      if (this.#isOver(session)) this.end(session);
    }
  }

  #evict(sessions: readonly Session[]): void {
    const idle = sessions.find((session) => session.idle);
    if (idle !== undefined) return this.end(idle);
    throw tooMany("Cannot begin a session as there are too many: end some first");
  }
}
