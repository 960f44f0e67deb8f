import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Connection } from "../../src/connection/connection.ts";
import { Connector, type ConnectorDeps } from "../../src/connection/connector.ts";
import { Deadline } from "../../src/deadline.ts";
import { MCPError, type MCPErrorCode, type MCPErrorOptions } from "../../src/errors.ts";
import type { ClientEvent } from "../../src/events.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { failureOf, until } from "../support/client_support.ts";
import { settled } from "../support/manual_time.ts";
import { WorkCount } from "../../src/work_count.ts";

/** A connection that can be lost and counts its closings. */
class FakeConnection implements Connection {
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

function createTestConnector(more: Partial<ConnectorDeps> = {}) {
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

Deno.test("Connector.ensure() opens one connection for all who wait, and keeps it", async () => {
  const { connector, opener, ensure } = createTestConnector();
  assertEquals(connector.state, "idle");
  const waiting = [ensure(), ensure()];
  await until(() => opener.attempts.length > 0);
  assertEquals(connector.state, "connecting");
  const connection = new FakeConnection();
  opener.attempts[0]?.resolve(connection);
  for (const promise of waiting) assertStrictEquals(await promise, connection);
  assertStrictEquals(await ensure(), connection);
  assertEquals([opener.attempts.length, connector.state, connector.connectedAtMs], [1, "connected", 1_000_000]);
});

Deno.test("Connector.ensure() opens another connection where the old one is lost", async () => {
  const { connector, succeed } = createTestConnector();
  const lost = await succeed();
  lost.lost = true;
  assertEquals([connector.connection, connector.connectedAtMs, connector.state], [undefined, undefined, "idle"]);
  await succeed();
});

Deno.test("Connector.ensure() tries again at once after a failure: what holds off is the breaker", async () => {
  const { connector, opener, fail, succeed } = createTestConnector();
  for (let round = 0; round < 5; round++) await fail("unreachable");
  assertEquals([opener.attempts.length, connector.state, connector.lastError?.code], [5, "failed", "unreachable"]);
  await succeed();
  assertEquals([connector.state, connector.lastError?.code], ["connected", "unreachable"], "kept after the recovery");
});

Deno.test("Connector.ensure() holds off as long as Retry-After asks, up to five minutes, unless it is forced", async () => {
  const { connector, opener, clock, ensure, fail, succeed } = createTestConnector();
  await fail("rate_limited", { retryAfterMs: 24 * 3_600_000 });
  const held = await failureOf(() => ensure(), "rate_limited");
  assertEquals([held.retryAfterMs, held.retryable, held.server], [300_000, true, "files"]);
  assertEquals([opener.attempts.length, connector.state], [1, "failed"]);
  clock.nowMs += 299_999;
  assertEquals((await failureOf(() => ensure(), "rate_limited")).retryAfterMs, 1);
  clock.nowMs += 1;
  await fail("rate_limited", { retryAfterMs: 1_000 });
  // A clock that was set back does not make it wait for hours.
  clock.nowMs -= 3_600_000;
  await fail("rate_limited", { retryAfterMs: 1_000 });
  const forced = ensure(true);
  await until(() => opener.attempts.length === 4);
  const joined = ensure();
  opener.attempts[3]?.resolve(new FakeConnection());
  assertStrictEquals(await forced, await joined);
  connector.drop(await forced);
  await succeed();
});

Deno.test("Connector.drop() closes the connection it is given, and keeps another that has taken its place", async () => {
  const { connector, opener, succeed } = createTestConnector();
  const old = await succeed();
  connector.drop(old);
  const next = await succeed();
  connector.drop(old, new MCPError("unreachable", "Cannot reach"));
  assertStrictEquals(connector.connection, next);
  assertEquals([old.closings, next.closings, connector.lastError, opener.distrusted], [[false], [], undefined, [old]]);
  old.closed.resolve();
});

Deno.test("Connector.drop() with session_lost forgets what was learned before it opens another connection", async () => {
  const { connector, opener, events, ensure, succeed } = createTestConnector();
  const forgetting = Promise.withResolvers<void>();
  opener.forgetting = forgetting.promise;
  const old = await succeed();
  connector.drop(old, new MCPError("session_lost", "Cannot go on"));
  const waiting = ensure();
  await until(() => connector.state === "connecting");
  assertEquals([opener.distrusted, opener.attempts.length], [[old], 1]);
  forgetting.resolve();
  await until(() => opener.attempts.length === 2);
  const next = new FakeConnection();
  opener.attempts[1]?.resolve(next);
  assertStrictEquals(await waiting, next);
  assertEquals([connector.lastError, events.map(({ type }) => type)], [undefined, ["connected", "connected"]]);
  old.closed.resolve();
});

Deno.test("Connector.drop() ends a session that is kept only where nobody is to go on with it", async () => {
  const { connector, opener, succeed } = createTestConnector();
  opener.keepsSessions = true;
  const causes = [undefined, new MCPError("session_lost", "Cannot go on"), new MCPError("unreachable", "Cannot reach")];
  const closings: boolean[] = [];
  for (const error of causes) {
    const connection = await succeed();
    connection.closed.resolve();
    connection.quiet.resolve();
    connector.drop(connection, error);
    await until(() => connection.closings.length > 0);
    closings.push(...connection.closings);
  }
  assertEquals([closings, opener.distrusted.length], [[false, false, true], 2]);
});

Deno.test("Connector.drop() lets what runs finish where one request has failed, and the session has not", async () => {
  const { connector, opener, succeed } = createTestConnector();
  const old = await succeed();
  connector.drop(old, new MCPError("unreachable", "Cannot reach"));
  assertStrictEquals(connector.connection, undefined);
  const next = await succeed();
  await settled();
  assertEquals([old.closings, opener.distrusted], [[], []]);
  old.quiet.resolve();
  await until(() => old.closings.length === 1);
  assertEquals([old.closings, next.closings], [[false], []]);
  old.closed.resolve();
});

Deno.test("Connector tells of what it opens and of what fails", async () => {
  const { connector, events, fail, succeed } = createTestConnector();
  await fail("unreachable");
  const first = await succeed();
  connector.drop(first, new MCPError("unreachable", "Cannot reach it now"));
  await succeed(new FakeConnection(true));
  const base = { server: "files", era: "legacy", transport: "streamable_http" } as const;
  assertEquals(events, [
    { type: "failed", server: "files", code: "unreachable", message: "Cannot reach it" },
    { type: "recovered", ...base, resumed: false },
    { type: "failed", server: "files", code: "unreachable", message: "Cannot reach it now" },
    { type: "recovered", ...base, resumed: true },
  ]);
});

Deno.test("Connector opens a connection although a listener throws", async () => {
  const { connector, fail, succeed } = createTestConnector({
    onEvent: () => {
      throw new Error("a listener that throws");
    },
  });
  await fail("unreachable");
  await succeed();
  assertEquals(connector.state, "connected");
});

Deno.test("Connector.note() keeps the last failure without ending the connection", async () => {
  const { connector, clock, succeed } = createTestConnector();
  const connection = await succeed();
  clock.nowMs += 5;
  connector.note(new MCPError("bad_response", "Cannot use it"));
  assertStrictEquals(connector.connection, connection);
  assertEquals(connector.lastError, { code: "bad_response", message: "Cannot use it", atMs: 1_000_005 });
});

Deno.test("Connector.close() waits for the connection and for those that were dropped", async () => {
  const { connector, ensure, succeed } = createTestConnector();
  const dropped = await succeed();
  connector.drop(dropped);
  const live = await succeed();
  let closed = false;
  const closing = connector.close().then(() => closed = true);
  live.closed.resolve();
  await until(() => live.closings.length === 1);
  assertEquals(closed, false);
  dropped.closed.resolve();
  await closing;
  assertEquals(connector.state, "closed");
  await failureOf(() => ensure(), "closed");
});

for (const keepsSessions of [false, true]) {
  Deno.test(`Connector.close() ${keepsSessions ? "keeps" : "ends"} the session at the server`, async () => {
    const { connector, opener, succeed } = createTestConnector();
    opener.keepsSessions = keepsSessions;
    const live = await succeed();
    live.closed.resolve();
    assertStrictEquals(connector.close(), connector.close());
    await connector.close();
    assertEquals(live.closings, [keepsSessions]);
  });
}

Deno.test("Connector.close() ends the attempt under way, and closes a connection that comes too late", async () => {
  const { connector, opener, ensure } = createTestConnector();
  opener.heedsDeadline = false;
  const late = new FakeConnection();
  late.closed.resolve();
  const waiting = failureOf(() => ensure(), "closed");
  await until(() => opener.attempts.length === 1);
  const closing = connector.close();
  opener.attempts[0]?.resolve(late);
  await Promise.all([waiting, closing]);
  assertEquals([late.closings.length, connector.connection], [1, undefined]);
});

const NEEDS: JsonObject = { elicitation: { form: {} } };
const DECLARED = ["elicitation", "elicitation.form", "roots"];

Deno.test("Connector.ensure() makes room for a session that was told what is needed, and lets running work finish", async () => {
  const declared: JsonObject[] = [];
  const { connector, opener, ensure, succeed } = createTestConnector({ declare: (needs) => declared.push(needs) });
  const old = await succeed();
  const growing = ensure(false, NEEDS);
  await until(() => opener.attempts.length === 2);
  assertEquals([old.closings, declared, opener.distrusted], [[], [NEEDS], []]);
  const next = new FakeConnection(false, DECLARED);
  opener.attempts[1]?.resolve(next);
  assertStrictEquals(await growing, next);
  assertEquals(old.closings, [], "it is still in use");
  old.quiet.resolve();
  await until(() => old.closings.length === 1);
  old.closed.resolve();
  for (const needs of [undefined, {}, NEEDS, { roots: {} }]) assertStrictEquals(await ensure(false, needs), next);
  assertEquals([opener.attempts.length, connector.lastError, next.closings], [2, undefined, []]);
});

Deno.test("Connector.ensure() asks again where the attempt under way was not told what is needed", async () => {
  const { opener, ensure } = createTestConnector();
  const plain = ensure();
  await until(() => opener.attempts.length === 1);
  const growing = ensure(false, NEEDS);
  const first = new FakeConnection();
  first.quiet.resolve();
  first.closed.resolve();
  opener.attempts[0]?.resolve(first);
  assertStrictEquals(await plain, first);
  await until(() => opener.attempts.length === 2);
  const second = new FakeConnection(false, DECLARED);
  opener.attempts[1]?.resolve(second);
  assertStrictEquals(await growing, second);
  assertEquals(first.closings, [false]);
});

Deno.test("Connector.use() keeps a connection open until the work is over, also where another takes its place", async () => {
  const { connector, opener, ensure, succeed } = createTestConnector();
  const old = await succeed();
  old.quiet.resolve();
  old.closed.resolve();
  const done = Promise.withResolvers<string>();
  using deadline = new Deadline(10_000);
  const begun = Promise.withResolvers<void>();
  const work = connector.use(deadline, 10_000, {}, () => {
    begun.resolve();
    return done.promise;
  });
  await begun.promise;
  const growing = ensure(false, NEEDS);
  await until(() => opener.attempts.length === 2);
  opener.attempts[1]?.resolve(new FakeConnection(false, DECLARED));
  await growing;
  assertEquals(old.closings, []);
  done.resolve("done");
  assertEquals(await work, "done");
  await until(() => old.closings.length === 1);
});

Deno.test("Connector.use() takes the next connection where the one it waited for has made room already", async () => {
  const { connector, opener, ensure } = createTestConnector();
  const growing = ensure(false, NEEDS);
  using deadline = new Deadline(10_000);
  const used = connector.use(deadline, 10_000, {}, (connection) => Promise.resolve(connection));
  await until(() => opener.attempts.length === 1);
  const first = new FakeConnection();
  opener.attempts[0]?.resolve(first);
  await until(() => opener.attempts.length === 2);
  const second = new FakeConnection(false, DECLARED);
  opener.attempts[1]?.resolve(second);
  assertStrictEquals(await growing, second);
  assertStrictEquals(await used, second);
});

Deno.test("Connector.ensure() leaves a session that others may go on with where it makes room", async () => {
  const { opener, ensure, succeed } = createTestConnector();
  opener.keepsSessions = true;
  const old = await succeed();
  old.quiet.resolve();
  const growing = ensure(false, NEEDS);
  await until(() => opener.attempts.length === 2);
  opener.attempts[1]?.resolve(new FakeConnection(false, DECLARED));
  await growing;
  assertEquals(old.closings, [true]);
});

Deno.test("Connector.renew() forgets what was learned, and lets what runs on the connection finish", async () => {
  const { connector, opener, events, succeed } = createTestConnector();
  const old = await succeed();
  connector.renew(old);
  connector.renew(old);
  assertEquals([connector.connection, old.closings, opener.distrusted], [undefined, [], [old]]);
  await succeed();
  old.quiet.resolve();
  await until(() => old.closings.length === 1);
  old.closed.resolve();
  assertEquals(events.map(({ type }) => type), ["connected", "connected"]);
});

Deno.test("Connector.close() does not wait for what runs on a connection that made room", async () => {
  const { connector, succeed } = createTestConnector();
  const old = await succeed();
  connector.renew(old);
  const closing = connector.close();
  await until(() => old.closings.length === 1);
  old.closed.resolve();
  await closing;
});

Deno.test("Connector tells of each connection that it opens", async () => {
  const opened: unknown[] = [];
  const { connector, succeed } = createTestConnector({ onOpened: (connection) => opened.push(connection) });
  const first = await succeed();
  connector.drop(first);
  first.closed.resolve();
  assertEquals(opened, [first, await succeed()]);
});
