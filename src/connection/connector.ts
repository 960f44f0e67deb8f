/**
 * Keeps one connection to one server: opens it when it is needed, for all who wait at once.
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { ClientEventListener } from "../events.ts";
import { tell } from "../tell.ts";
import { toRequestError } from "../network_errors.ts";
import { SharedTask } from "../shared_task.ts";
import type { LastError, ServerState } from "../status.ts";
import type { JsonObject } from "../protocol.ts";
import { type Connection, declares } from "./connection.ts";
import type { ConnectionOpener } from "./opener.ts";

/** How long connecting may take where nobody says, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** The longest a server is left alone because it asks for it, in milliseconds. */
const MAX_HOLD_MS = 300_000;

/** What a connector works with. */
export interface ConnectorDeps {
  /** The server's name. */
  readonly server: string;
  /** Opens connections. */
  readonly opener: Pick<ConnectionOpener, "open" | "distrust" | "keepsSessions">;
  /** Has what a request needs declared to a legacy server from the next session on. */
  readonly declare?: ((needs: JsonObject) => void) | undefined;
  /** Told of each connection that was opened. */
  readonly onOpened?: ((connection: Connection) => void) | undefined;
  /** Told of connections that were opened or failed. */
  readonly onEvent?: ClientEventListener | undefined;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** How a connection is asked for. */
export interface EnsureOptions {
  /** Whether to try although the server asked to be left alone. @default {false} */
  readonly force?: boolean | undefined;
  /** Client capabilities that a legacy session must have been told of. @default {undefined, none} */
  readonly needs?: JsonObject | undefined;
}

/** The connection of one server over its whole life. */
export class Connector {
  readonly #deps: ConnectorDeps;
  readonly #attempt: SharedTask<Connection>;
  #connection: Connection | undefined;
  #connectedAtMs: number | undefined;
  #lastError: LastError | undefined;
  #failed = false;
  /** Until when the server asked to be left alone, in milliseconds since the epoch. */
  #heldUntilMs = 0;
  /** Connections that were dropped and are still saying good-bye. */
  readonly #leaving = new Set<Promise<void>>();
  /** What was learned of the server is being forgotten: the next attempt waits for it. */
  #distrusting: Promise<void> | undefined;
  /** Settles with `close()`. */
  readonly #over = Promise.withResolvers<void>();
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
  get state(): ServerState {
    if (this.#closing !== undefined) return "closed";
    if (this.connection !== undefined) return "connected";
    if (this.#attempt.running) return "connecting";
    return this.#failed ? "failed" : "idle";
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
   * The live connection, opened where there is none. A legacy session that was not told of what a request needs makes
   * room for one that is; what runs in it is let finish.
   *
   * @param deadline How long the caller waits.
   * @param timeoutMs How long an attempt may take that this caller starts, in milliseconds.
   * @param options What it must be good for.
   * @returns A connection that can be used.
   * @throws {MCPError} If there is none by the deadline; with `closed` after `close()`.
   */
  async ensure(deadline: Deadline, timeoutMs: number, options: EnsureOptions = {}): Promise<Connection> {
    const { force = false, needs } = options;
    for (;;) {
      this.#throwIfClosed();
      const live = this.connection;
      if (live !== undefined && suffices(live, needs)) return live;
      if (live !== undefined) this.#retire(live, this.#deps.opener.keepsSessions);
      if (needs !== undefined) this.#deps.declare?.(needs);
      if (!force && !this.#attempt.running) this.#throwIfHeld();
      try {
        const opened = await this.#attempt.join(deadline, timeoutMs);
        // One that was under way already was not told: the next one is.
        if (suffices(opened, needs)) return opened;
      } catch (error) {
        this.#throwIfClosed();
        throw toRequestError(error, { server: this.#deps.server, phase: "connect", deadline });
      }
    }
  }

  /**
   * Has work done on the live connection, opened where there is none. It stays open until the work is over, also where
   * another one takes its place meanwhile.
   *
   * @param deadline How long the caller waits.
   * @param timeoutMs How long an attempt to connect may take that this caller starts, in milliseconds.
   * @param options What the connection must be good for.
   * @param work The work.
   * @returns What the work resolves to.
   * @throws {MCPError} If there is no connection by the deadline; with `closed` after `close()`; and what the work throws.
   */
  async use<T>(
    deadline: Deadline,
    timeoutMs: number,
    options: EnsureOptions,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const connection = await this.ensure(deadline, timeoutMs, options);
      // Who waited for the same attempt and needs more may have made room for another one between the two steps.
      if (connection !== this.#connection) continue;
      using _ = connection.hold();
      return await work(connection);
    }
  }

  /**
   * Gives a connection up; the next request opens another. Where one request has failed and the session has not, what
   * else runs on it is let finish.
   *
   * @param connection The one to give up; another one that has taken its place is kept.
   * @param error Why, where it failed. Without one, and with `session_lost`, nothing that was learned with it is used
   * again.
   */
  drop(connection: Connection, error?: MCPError): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    const { opener } = this.#deps;
    const isOver = error === undefined || error.code === "session_lost";
    if (isOver) {
      this.#distrusting = opener.distrust(connection);
      this.#leave(connection.close());
    } else {
      this.#fail(error);
      this.#retire(connection, opener.keepsSessions);
    }
  }

  /**
   * Gives a connection up although it has not failed: what runs on it is let finish, and nothing that was learned with
   * it is used again.
   *
   * @param connection The one to give up.
   */
  renew(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#distrusting = this.#deps.opener.distrust(connection);
    this.#retire(connection, false);
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

  /** Closes a connection once nothing runs on it any more. A session that is kept for others may be in use there. */
  #retire(connection: Connection, keepSession: boolean): void {
    if (this.#connection === connection) this.#connection = undefined;
    const over = Promise.race([connection.idle(), this.#over.promise]);
    this.#leave(over.then(() => connection.close({ keepSession })));
  }

  #leave(closing: Promise<void>): void {
    const left = closing.finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  async #open(deadline: Deadline): Promise<Connection> {
    const { server, opener, onEvent, onOpened, now } = this.#deps;
    try {
      await this.#distrusting;
      const connection = await opener.open(deadline);
      if (this.#closing !== undefined) {
        await connection.close({ keepSession: opener.keepsSessions });
        this.#throwIfClosed();
      }
      this.#connection = connection;
      this.#connectedAtMs = now();
      const { era, transport, resumed } = connection;
      tell(onEvent, { type: this.#failed ? "recovered" : "connected", server, era, transport, resumed });
      this.#failed = false;
      this.#heldUntilMs = 0;
      onOpened?.(connection);
      return connection;
    } catch (error) {
      if (isMCPError(error) && error.code !== "closed") this.#fail(error);
      throw error;
    }
  }

  #fail(error: MCPError): void {
    const { server, onEvent } = this.#deps;
    this.note(error);
    this.#failed = true;
    if (error.retryAfterMs !== undefined) {
      this.#heldUntilMs = this.#deps.now() + Math.min(error.retryAfterMs, MAX_HOLD_MS);
    }
    tell(onEvent, { type: "failed", server, code: error.code, message: error.message });
  }

  /** A server that answered an attempt to connect with Retry-After is not asked again before (RFC 9110, 10.2.3). */
  #throwIfHeld(): void {
    const { server, now } = this.#deps;
    const restMs = Math.ceil(this.#heldUntilMs - now());
    // A rest longer than the longest hold means that the clock was set back.
    if (restMs <= 0 || restMs > MAX_HOLD_MS) return;
    const message = `Cannot connect to server "${server}" as it asked to be left alone for another ${restMs} ms`;
    throw new MCPError("rate_limited", message, { server, retryable: true, retryAfterMs: restMs });
  }

  #throwIfClosed(): void {
    if (this.#closing === undefined) return;
    const { server } = this.#deps;
    throw new MCPError("closed", `Cannot use server "${server}" as its client is closed`, { server });
  }

  async #close(): Promise<void> {
    this.#over.resolve();
    const connection = this.#connection;
    this.#connection = undefined;
    const keepSession = this.#deps.opener.keepsSessions;
    const attempt = this.#attempt.abort(new Error("The client is closed"));
    await Promise.all([attempt, connection?.close({ keepSession }), ...this.#leaving]);
  }
}

function suffices(connection: Connection, needs: JsonObject | undefined): boolean {
  return needs === undefined || connection.era === "modern" || declares(connection.declared, needs);
}
