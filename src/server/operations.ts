/**
 * The operations of one client: each behind its own deadline, all ended by `close()`.
 *
 * @module
 */

import { CONNECT_TIMEOUT_MS } from "../connection/connector.ts";
import { checkTimeout, Deadline, OPERATION_TIMEOUT_MS } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import { type Phase, toRequestError } from "../network_errors.ts";
import type { RequestOptions } from "../tool_client.ts";
import { WorkCount } from "../work_count.ts";

/** What is done, for its deadline and for its error. */
export interface Operation {
  /** What the caller said. */
  readonly options: RequestOptions & { readonly inputTimeoutMs?: number | undefined };
  /** What fails if it fails. */
  readonly phase: () => Phase;
  /** How long it may take where nobody says, in milliseconds. @default {30_000} */
  readonly defaultMs?: number | undefined;
}

/** Runs the operations of one client. */
export class Operations {
  readonly #server: string;
  readonly #timeoutMs: number | undefined;
  readonly #closed = new AbortController();
  readonly #count = new WorkCount();

  /**
   * Creates a runner.
   *
   * @param server The server's name.
   * @param timeoutMs The longest that any operation may take, in milliseconds, where the configuration says.
   */
  constructor(server: string, timeoutMs: number | undefined) {
    this.#server = server;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Runs an operation.
   *
   * @param operation What is done.
   * @param work Does it.
   * @returns What the work resolves to.
   * @throws {MCPError} With the work's failure; with `closed` after `close()`.
   */
  async run<T>(operation: Operation, work: (deadline: Deadline) => Promise<T>): Promise<T> {
    const { options, phase, defaultMs = OPERATION_TIMEOUT_MS } = operation;
    this.throwIfClosed();
    checkTimeout("timeoutMs", options.timeoutMs);
    checkTimeout("inputTimeoutMs", options.inputTimeoutMs);
    const { timeoutMs = this.#timeoutMs ?? defaultMs, signal } = options;
    // The smaller of what the caller and the configuration say holds.
    const restMs = Math.min(timeoutMs, this.#timeoutMs ?? Infinity);
    const { inputTimeoutMs: pauseMs } = options;
    using _ = this.#count.begin();
    using deadline = new Deadline(restMs, { signal, owner: this.#closed.signal, pauseMs });
    try {
      return await work(deadline);
    } catch (error) {
      throw toRequestError(error, { server: this.#server, phase: phase(), deadline });
    }
  }

  /**
   * How long work may take that others may come to wait for: one caller's haste does not end it for them.
   *
   * @param options What the caller said.
   * @returns The time, in milliseconds.
   */
  sharedMs(options: RequestOptions): number {
    return this.#timeoutMs ?? Math.max(options.timeoutMs ?? 0, CONNECT_TIMEOUT_MS);
  }

  /**
   * Waits until nothing is under way.
   *
   * @param maxMs How long to wait, in milliseconds.
   */
  async idle(maxMs: number): Promise<void> {
    await this.#count.idle(maxMs);
  }

  /** Refuses what is begun after `close()`, with `closed`. */
  throwIfClosed(): void {
    this.#closed.signal.throwIfAborted();
  }

  /** Ends what is under way with `closed`. Idempotent. */
  close(): void {
    const message = `Cannot use server "${this.#server}" as its client is closed`;
    this.#closed.abort(new MCPError("closed", message, { server: this.#server }));
  }
}
