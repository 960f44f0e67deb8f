/**
 * Keeps one connection to one server: opens it when it is needed, for all who wait at once, and holds off after
 * failures.
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import { toRequestError } from "../network_errors.ts";
import { SharedTask } from "../shared_task.ts";
import type { LastError } from "../status.ts";
import type { Connection } from "./connection.ts";

/** How long connecting may take where nobody says, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** How long to hold off after the second failure in a row; doubled with each further one, in milliseconds. */
const BACKOFF_MS = 500;
/** The longest to hold off, in milliseconds. */
const MAX_BACKOFF_MS = 30_000;

/** The longest a `Retry-After` is obeyed, in milliseconds. */
const MAX_RETRY_AFTER_MS = 300_000;

/** What a connector works with. */
export interface ConnectorDeps {
  /** The server's name. */
  readonly server: string;
  /** Opens a connection by a deadline. */
  readonly open: (deadline: Deadline) => Promise<Connection>;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

/** The connection of one server over its whole life. */
export class Connector {
  readonly #deps: ConnectorDeps;
  readonly #attempt: SharedTask<Connection>;
  #connection: Connection | undefined;
  #connectedAtMs: number | undefined;
  #lastError: LastError | undefined;
  readonly #leaving = new Set<Promise<void>>();
  #failures = 0;
  #retryAtMs = 0;
  #closing: Promise<void> | undefined;

  /**
   * Creates a connector; nothing is opened.
   *
   * @param deps What it works with.
   */
  constructor(deps: ConnectorDeps) {
    this.#deps = deps;
    this.#attempt = new SharedTask((deadline) => this.#open(deadline));
  }

  /** The live connection, or `undefined`. */
  get connection(): Connection | undefined {
    return this.#connection?.lost === false ? this.#connection : undefined;
  }

  /** Where the connection stands. */
  get state(): "idle" | "connecting" | "connected" | "failed" | "closed" {
    if (this.#closing !== undefined) return "closed";
    if (this.connection !== undefined) return "connected";
    if (this.#attempt.running) return "connecting";
    return this.#failures > 0 ? "failed" : "idle";
  }

  /** Since when it is connected, in milliseconds since the epoch. */
  get connectedAtMs(): number | undefined {
    return this.connection === undefined ? undefined : this.#connectedAtMs;
  }

  /** The last failure, kept after a recovery. */
  get lastError(): LastError | undefined {
    return this.#lastError;
  }

  /**
   * The live connection, opened where there is none.
   *
   * @param deadline How long the caller waits.
   * @param options How long the attempt may take, and whether it is made although the server has just failed.
   * @returns A connection that can be used.
   * @throws {MCPError} If there is none by the deadline; with `closed` after `close()`.
   */
  async ensure(
    deadline: Deadline,
    options: { readonly timeoutMs: number; readonly force?: boolean },
  ): Promise<Connection> {
    const { server, now } = this.#deps;
    this.#throwIfClosed();
    const live = this.connection;
    if (live !== undefined) return live;
    const waitMs = this.#retryAtMs - now();
    if (waitMs > 0 && options.force !== true && !this.#attempt.running) throw this.#heldOff(waitMs);
    try {
      return await this.#attempt.join(deadline, options.timeoutMs);
    } catch (error) {
      this.#throwIfClosed();
      throw toRequestError(error, { server, phase: "connect", deadline });
    }
  }

  /**
   * Gives a connection up; the next request opens another.
   *
   * @param connection The one to give up; another one that has taken its place is kept.
   * @param error Why, where it failed.
   */
  drop(connection: Connection, error?: MCPError): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (error !== undefined) this.#fail(error);
    const left = connection.close().finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  /**
   * Notes a failure that does not end the connection.
   *
   * @param error What failed.
   */
  note(error: MCPError): void {
    this.#lastError = { code: error.code, message: error.message, atMs: this.#deps.now() };
  }

  /** Ends the attempt under way and the connection. Idempotent. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #open(deadline: Deadline): Promise<Connection> {
    try {
      const connection = await this.#deps.open(deadline);
      if (this.#closing !== undefined) {
        await connection.close();
        this.#throwIfClosed();
      }
      this.#connection = connection;
      this.#connectedAtMs = this.#deps.now();
      this.#failures = 0;
      this.#retryAtMs = 0;
      return connection;
    } catch (error) {
      if (isMCPError(error) && error.code !== "closed") this.#fail(error);
      throw error;
    }
  }

  #fail(error: MCPError): void {
    const { now, random } = this.#deps;
    this.note(error);
    this.#failures++;
    // The first failure may be a hiccup: the next request tries at once.
    const backoffMs = this.#failures < 2 ? 0 : Math.min(BACKOFF_MS * 2 ** (this.#failures - 2), MAX_BACKOFF_MS);
    this.#retryAtMs = now() + Math.max(
      backoffMs * (0.5 + random() / 2),
      Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS),
    );
  }

  #heldOff(waitMs: number): MCPError {
    const { server } = this.#deps;
    const last = this.#lastError;
    return new MCPError(
      last?.code ?? "unreachable",
      `Cannot reach server "${server}" as it failed ${this.#failures} times; the next attempt is in ` +
        `${Math.ceil(waitMs)} ms. The last failure was: ${last?.message}`,
      { server, retryable: true, retryAfterMs: Math.ceil(waitMs) },
    );
  }

  #throwIfClosed(): void {
    if (this.#closing === undefined) return;
    const { server } = this.#deps;
    throw new MCPError("closed", `Cannot use server "${server}" as its client is closed`, { server });
  }

  async #close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    const attempt = this.#attempt.abort(new Error("The client is closed"));
    await Promise.all([attempt, connection?.close(), ...this.#leaving]);
  }
}
