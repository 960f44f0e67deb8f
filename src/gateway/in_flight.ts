/**
 * The requests that are being answered, and how they end when the gateway stops.
 *
 * @module
 */

import { MCPError } from "../errors.ts";
import { WorkCount } from "../work_count.ts";
import { RequestError, toCallerGone } from "./request_error.ts";

/**
 * How long a stop may take.
 *
 * @example
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { createGateway, type DrainOptions } from "@portolan/mcp/gateway";
 *
 * await using directory = new MCPClientManager();
 * const gateway = createGateway({ directory }, { open: "loopback" });
 * const options: DrainOptions = { graceMs: 10_000, flushMs: 1_000 };
 * await gateway.drain(options);
 * ```
 */
export interface DrainOptions {
  /** How long running calls may go on, in milliseconds; then they are cancelled. `0` cancels at once. @default {3_000} */
  readonly graceMs?: number | undefined;
  /** How long the answers to cancelled calls may take to be sent, in milliseconds. @default {500} */
  readonly flushMs?: number | undefined;
}

/** Why a call may end early. */
export interface RunOptions {
  /** Why it ends where the gateway stops while it is under way. @default {It can be sent again: `closed`} */
  readonly toStopped?: (() => Error) | undefined;
  /** Told at once what to call when the caller turns out to be gone by other signs. */
  readonly onBegin?: ((leave: () => void) => void) | undefined;
}

/** Work that is waited for. */
interface Held<T> extends RunOptions {
  /** Begins it. */
  begin(): Promise<T>;
  /** Ends it early, where it can be. */
  readonly cancel?: ((reason: Error) => void) | undefined;
}

/** Knows what is running. One for each gateway. */
export class InFlight {
  /** What ends each call. */
  readonly #calls = new Set<() => void>();
  readonly #work = new WorkCount();
  readonly #stopping = new AbortController();

  /** Aborted when the gateway begins to stop: what is open without a call under way ends at once. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Whether the gateway is stopping: nothing new is begun. */
  get draining(): boolean {
    return this.#stopping.signal.aborted;
  }

  /**
   * Runs one call. Its signal is its own: linked to the caller's until the call settles and not a moment longer,
   * because Deno aborts a request's signal also after a success.
   *
   * @param callerSignal The signal of the request.
   * @param work The call; it is waited for no longer than its signal allows.
   * @param options Why it may end early.
   * @returns What the call resolves to.
   * @throws {RequestError} If the caller goes away (`caller_gone`) or the gateway stops (`closed`).
   */
  async run<T>(
    callerSignal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
    options: RunOptions = {},
  ): Promise<T> {
    const controller = new AbortController();
    return await this.#hold(callerSignal, {
      ...options,
      begin: () => work(controller.signal),
      cancel: (reason) => controller.abort(reason),
    });
  }

  /**
   * Waits for work that takes no signal, no longer than {@linkcode InFlight.run} does.
   *
   * @param callerSignal The signal of the request.
   * @param work The work.
   * @returns What it resolves to.
   * @throws {RequestError} If the caller goes away (`caller_gone`) or the gateway stops (`closed`).
   */
  async wait<T>(callerSignal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return await this.#hold(callerSignal, { begin: work });
  }

  /** What a request is told that the gateway, as it stops, does not begin or does not end. */
  refusal(): RequestError {
    // The next request is to find another instance, not this connection.
    return new RequestError("closed", "Cannot answer as the gateway is stopping: send the request again", {
      headers: { connection: "close" },
    });
  }

  /**
   * Makes a stop wait for something.
   *
   * @param work What to wait for.
   * @returns The same promise.
   */
  track<T>(work: Promise<T>): Promise<T> {
    const count = this.#work.begin();
    const settle = () => count[Symbol.dispose]();
    work.then(settle, settle);
    return work;
  }

  /**
   * Begins nothing new, lets what runs go on for a while, then cancels it: each caller gets an answer or a 503.
   *
   * @param options How long it may take.
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    const { graceMs = 3_000, flushMs = 500 } = options;
    this.#stopping.abort(this.refusal());
    await this.#idleWithin(graceMs);
    for (const stop of this.#calls) stop();
    await this.#idleWithin(flushMs);
  }

  async #hold<T>(callerSignal: AbortSignal, held: Held<T>): Promise<T> {
    if (this.draining) throw this.refusal();
    if (callerSignal.aborted) throw toCallerGone();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const { toStopped = () => this.refusal() } = held;
    const end = (reason: Error) => {
      // What has settled is not cancelled any more.
      if (!this.#calls.delete(stop)) return;
      held.cancel?.(reason);
      reject(reason);
    };
    const stop = () => end(toStopped());
    const leave = () => end(toCallerGone());
    this.#calls.add(stop);
    using _ = this.#work.begin();
    callerSignal.addEventListener("abort", leave, { once: true });
    held.onBegin?.(leave);
    try {
      held.begin().then(resolve, reject);
      return await promise;
    } finally {
      callerSignal.removeEventListener("abort", leave);
      this.#calls.delete(stop);
    }
  }

  async #idleWithin(ms: number): Promise<void> {
    if (ms > 0) await this.#work.idle(ms);
  }
}

/**
 * What the caller of a tool is told whose call was under way when the gateway stopped: it may have run.
 *
 * @returns The error.
 */
export function toCallStopped(): MCPError {
  return new MCPError("outcome_unknown", "Cannot answer as the gateway stopped during the call, which may have run");
}
