/**
 * How requests to one server are run: bounded in number, held back while its transport fails, sent again only where
 * that is harmless and within a budget, and measured.
 *
 * @module
 */

import { delay } from "@std/async";
import type { Connection, InputResponder } from "../connection/connection.ts";
import type { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { ClientEventListener } from "../events.ts";
import { tell } from "../tell.ts";
import { type LatencySummary, LatencyWindow } from "../latency.ts";
import { type Phase, toRequestError } from "../network_errors.ts";
import { Breaker, type BreakerState } from "../resilience/breaker.ts";
import { Bulkhead } from "../resilience/bulkhead.ts";
import { RetryBudget, toRetryDelayMs } from "../resilience/retry_budget.ts";
import type { LinkUse, ServerLink } from "./server_link.ts";

/** How many requests to one server may be under way. */
export const MAX_RUNNING = 64;
/** How many more may wait for their turn. */
export const MAX_WAITING = 256;
/** How many failures in a row of a server's transport open its breaker. */
const BREAKER_THRESHOLD = 3;
/** How often one request is sent at most. */
const MAX_ATTEMPTS = 3;
/** A caller that gave less time than this, in milliseconds, says nothing of a server that was slower. */
const PATIENCE_MS = 1_000;
/** Statuses that say that the server behind a proxy is down. */
const DOWN = new Set([502, 503, 504]);

/** What requests are run with. */
export interface ServerRequestsDeps {
  /** The server's name. */
  readonly server: string;
  /** The way to it. */
  readonly link: Pick<ServerLink, "connector" | "use">;
  /** Told of changes of the breaker. */
  readonly onEvent?: ClientEventListener | undefined;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

/** One request. */
export interface ServerRequest<T> {
  /** What is asked. */
  readonly phase: Phase;
  /** The end of everything: waiting, connecting, all attempts. */
  readonly deadline: Deadline;
  /** How long connecting may take, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Whether it may be sent again although it may have run. @default {false} */
  readonly repeatable?: boolean | undefined;
  /** Whether it is made although the breaker is open. @default {false} */
  readonly force?: boolean | undefined;
  /** Answers what the server asks meanwhile. @default {undefined, nobody does} */
  readonly responder?: InputResponder | undefined;
  /** The use of the link that it is part of; who made that disposes of it. @default {undefined, one of its own} */
  readonly use?: LinkUse | undefined;
  /** Sends it once. */
  readonly send: (connection: Connection) => Promise<T>;
}

/** Runs the requests of one server. */
export class ServerRequests {
  readonly #deps: ServerRequestsDeps;
  readonly #breaker: Breaker;
  readonly #bulkhead = new Bulkhead(MAX_RUNNING, MAX_WAITING);
  readonly #budget = new RetryBudget();
  readonly #latency = new LatencyWindow();

  /**
   * Creates a runner; nothing is sent.
   *
   * @param deps What requests are run with.
   */
  constructor(deps: ServerRequestsDeps) {
    const { server, onEvent, now, random } = deps;
    this.#deps = deps;
    const onChange = (state: BreakerState) => tell(onEvent, { type: "breaker", server, state });
    this.#breaker = new Breaker({ threshold: BREAKER_THRESHOLD, now, random, onChange });
  }

  /** Where the breaker stands. */
  get breaker(): BreakerState {
    return this.#breaker.state;
  }

  /** How long the last answered requests took. */
  get latency(): LatencySummary | undefined {
    return this.#latency.summary;
  }

  /** How long the last answered requests took, in milliseconds, oldest first; at most 32, `undefined` before the first. */
  get latencySamples(): readonly number[] | undefined {
    return this.#latency.recent;
  }

  /** How many requests are under way. */
  get running(): number {
    return this.#bulkhead.running;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#bulkhead.waiting;
  }

  /**
   * Runs a request.
   *
   * @param request The request.
   * @returns Its answer.
   * @throws {MCPError} With the failure of the last attempt; with `overloaded` or `circuit_open` where nothing was sent.
   */
  async run<T>(request: ServerRequest<T>): Promise<T> {
    const { server } = this.#deps;
    const leave = await this.#enter(request);
    if (leave === undefined) {
      throw new MCPError("overloaded", `Cannot ask server "${server}" as ${MAX_WAITING} requests to it wait already`, {
        server,
        retryable: true,
      });
    }
    try {
      this.#budget.earn();
      for (let attempt = 1;; attempt++) {
        try {
          return await this.#runOnce(request);
        } catch (error) {
          if (attempt === MAX_ATTEMPTS || !(await this.#mayRepeat(error, attempt, request))) throw error;
        }
      }
    } finally {
      leave();
    }
  }

  /** Waits for a place. Who waits in vain has sent nothing, also where it is a call. */
  async #enter({ phase, deadline }: ServerRequest<unknown>): Promise<(() => void) | undefined> {
    try {
      return await this.#bulkhead.enter(deadline);
    } catch (error) {
      const unsent = phase === "call" ? "connect" : phase;
      throw toRequestError(error, { server: this.#deps.server, phase: unsent, deadline });
    }
  }

  /** One attempt, behind the breaker. A call that the server refused with the session is sent once more. */
  async #runOnce<T>(request: ServerRequest<T>): Promise<T> {
    const { deadline, connectTimeoutMs } = request;
    const isHasty = deadline.remainingMs < Math.min(connectTimeoutMs / 2, PATIENCE_MS);
    const pass = this.#breaker.enter(request);
    if (pass === undefined) throw this.#toOpen();
    try {
      const answer = await this.#sendInSession(request);
      pass.succeed();
      return answer;
    } catch (error) {
      if (isTransportFailure(error, isHasty)) pass.fail();
      else if (saysNothing(error)) pass.withdraw();
      else pass.succeed();
      throw error;
    }
  }

  async #sendInSession<T>(request: ServerRequest<T>): Promise<T> {
    const { connector } = this.#deps.link;
    const { deadline, connectTimeoutMs, force, responder } = request;
    const needs = responder?.capabilities;
    // What is asked beside a list that is read is no question of the list.
    using own = request.phase === "list" || request.use !== undefined ? undefined : this.#deps.link.use(responder);
    const use = request.use ?? own;
    for (let resent = false;; resent = true) {
      try {
        return await connector.use(deadline, connectTimeoutMs, { force, needs }, (connection) => {
          return this.#sendOn(connection, request, use);
        });
      } catch (error) {
        if (resent || !isMCPError(error) || error.code !== "session_lost") throw error;
      }
    }
  }

  async #sendOn<T>(connection: Connection, request: ServerRequest<T>, use: LinkUse | undefined): Promise<T> {
    if (request.responder !== undefined) await use?.ready(request.deadline);
    const startedAt = performance.now();
    try {
      const answer = await request.send(connection);
      this.#latency.add(performance.now() - startedAt);
      return answer;
    } catch (error) {
      if (isMCPError(error)) this.#noteFailure(connection, error);
      throw error;
    }
  }

  #noteFailure(connection: Connection, error: MCPError): void {
    const { connector } = this.#deps.link;
    const isOver = error.code === "session_lost" || error.code === "unreachable" || connection.lost;
    if (isOver) connector.drop(connection, error);
    else connector.note(error);
  }

  async #mayRepeat<T>(error: unknown, attempt: number, request: ServerRequest<T>): Promise<boolean> {
    const { deadline } = request;
    if (!isMCPError(error) || !isHarmless(error, request) || deadline.signal.aborted) return false;
    const waitMs = Math.max(error.retryAfterMs ?? 0, toRetryDelayMs(attempt, this.#deps.random));
    // What does not fit is told at once, with the time to wait. A server that is left alone is told so too.
    if (waitMs >= deadline.remainingMs || this.#breaker.waitMs > 0 || !this.#budget.spend()) return false;
    await delay(waitMs, { signal: deadline.signal }).catch(() => {});
    return !deadline.signal.aborted && this.#breaker.waitMs === 0;
  }

  #toOpen(): MCPError {
    const { server, link: { connector } } = this.#deps;
    const retryAfterMs = Math.max(1, Math.ceil(this.#breaker.waitMs));
    const last = connector.lastError;
    return new MCPError(
      "circuit_open",
      `Cannot ask server "${server}" as it kept failing; it is tried again in ${retryAfterMs} ms` +
        (last === undefined ? "" : `. The last failure was ${last.code}: ${last.message}`),
      { server, retryable: true, retryAfterMs },
    );
  }
}

/** Whether a failure tells that the server cannot be talked to, whatever was asked. */
function isTransportFailure(error: unknown, isHasty: boolean): boolean {
  if (!isMCPError(error)) return false;
  if (error.code === "unreachable" || error.code === "outcome_unknown") return true;
  // It was lost twice: a server that keeps no session costs a handshake for every call.
  if (error.code === "session_lost") return true;
  // A call that is slow says nothing of the transport; a handshake or a list that is slow does.
  if (error.code === "deadline_exceeded") return error.retryable && !isHasty;
  return error.code === "upstream_error" && DOWN.has(error.httpStatus ?? 0);
}

/** Whether a failure tells nothing of the transport: the call was slow, given up, or its client was closed. */
function saysNothing(error: unknown): boolean {
  return !isMCPError(error) || error.code === "closed" || error.code === "deadline_exceeded";
}

/** Whether a request can be sent again: it provably did not run, or running twice changes nothing. */
function isHarmless(error: MCPError, request: Pick<ServerRequest<unknown>, "phase" | "repeatable">): boolean {
  if (error.code === "unreachable" || error.code === "rate_limited") return true;
  if (request.phase === "call" && request.repeatable !== true) return false;
  return error.code === "outcome_unknown" || (error.code === "upstream_error" && DOWN.has(error.httpStatus ?? 0));
}
