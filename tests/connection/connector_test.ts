import { assertEquals, assertStrictEquals } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { failureOf, until } from "../support/client_support.ts";
import { settled } from "../support/manual_time.ts";
import { createTestConnector, FakeConnection } from "./_connector.ts";

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
