/** A connector whose connections are fakes, and whose attempts to connect the test ends. */

import { assertStrictEquals } from "@std/assert";
import type { Connection } from "../../src/connection/connection.ts";
import { Connector, type ConnectorDeps } from "../../src/connection/connector.ts";
import { Deadline } from "../../src/deadline.ts";
import { MCPError, type MCPErrorCode, type MCPErrorOptions } from "../../src/errors.ts";
import type { ClientEvent } from "../../src/events.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { WorkCount } from "../../src/work_count.ts";
import { failureOf, until } from "../support/client_support.ts";

/** A connection that can be lost and counts its closings. */
export class FakeConnection implements Connection {
  readonly era = "legacy";
  readonly transport = "streamable_http";
  readonly protocolVersion = "2025-11-25";
  readonly info = undefined;
  readonly resumed: boolean;
  readonly declared: readonly string[];
  readonly closed = Promise.withResolvers<void>();
  /** Settles when nothing runs on it any more. */
  readonly quiet = Promise.withResolvers<void>();
  /** What each `close()` was told of the session. */
  readonly closings: boolean[] = [];
  readonly #uses = new WorkCount();
  lost = false;

  constructor(resumed = false, declared: readonly string[] = []) {
    this.resumed = resumed;
    this.declared = declared;
  }

  get saved() {
    const { era, transport, protocolVersion } = this;
    return { era, transport, protocolVersion, resumable: true } as const;
  }

  request() {
    return Promise.resolve({});
  }

  notify() {
    return Promise.resolve();
  }

  hold() {
    return this.#uses.begin();
  }

  async idle() {
    await this.quiet.promise;
    await this.#uses.idle();
  }

  listen() {
    return Promise.resolve(false);
  }

  close({ keepSession = false } = {}) {
    this.closings.push(keepSession);
    return this.closed.promise;
  }
}

/** An opener whose attempts the test ends. */
class FakeOpener {
  readonly attempts: PromiseWithResolvers<Connection>[] = [];
  readonly distrusted: Connection[] = [];
  /** How long it takes to forget what was learned. */
  forgetting: Promise<void> = Promise.resolve();
  keepsSessions = false;
  /** Whether an attempt ends with its deadline. */
  heedsDeadline = true;

  open(deadline: Deadline): Promise<Connection> {
    const attempt = Promise.withResolvers<Connection>();
    this.attempts.push(attempt);
    return this.heedsDeadline ? deadline.race(attempt.promise) : attempt.promise;
  }

  distrust(connection: Connection): Promise<void> {
    this.distrusted.push(connection);
    return this.forgetting;
  }
}

export function createTestConnector(more: Partial<ConnectorDeps> = {}) {
  const clock = { nowMs: 1_000_000 };
  const opener = new FakeOpener();
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent) => void events.push(event);
  const connector = new Connector({ server: "files", opener, onEvent, now: () => clock.nowMs, ...more });
  const ensure = async (force = false, needs?: JsonObject) => {
    using deadline = new Deadline(10_000);
    return await connector.ensure(deadline, 10_000, { force, needs });
  };
  /** Waits for an attempt to begin and ends it. */
  const settle = async (end: (attempt: PromiseWithResolvers<Connection>) => void, force = false) => {
    const count = opener.attempts.length;
    const waiting = ensure(force);
    waiting.catch(() => {});
    await until(() => opener.attempts.length === count + 1);
    end(opener.attempts[count]!);
    return await waiting;
  };
  const succeed = async (connection = new FakeConnection(), force = false) => {
    assertStrictEquals(await settle((attempt) => attempt.resolve(connection), force), connection);
    return connection;
  };
  const fail = async (code: MCPErrorCode, options: MCPErrorOptions = {}) => {
    const error = new MCPError(code, "Cannot reach it", { server: "files", ...options });
    return await failureOf(() => settle((attempt) => attempt.reject(error)), code);
  };
  return { connector, opener, clock, events, ensure, succeed, fail };
}
