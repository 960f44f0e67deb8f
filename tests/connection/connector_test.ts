import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Connection } from "../../src/connection/connection.ts";
import { Connector } from "../../src/connection/connector.ts";
import { Deadline } from "../../src/deadline.ts";
import { MCPError, type MCPErrorOptions } from "../../src/errors.ts";
import { failureOf, until } from "../support/client_support.ts";

/** A connection that can be lost and counts its closings. */
class FakeConnection implements Connection {
  readonly era = "legacy";
  readonly transport = "streamable_http";
  readonly protocolVersion = "2025-11-25";
  readonly closed = Promise.withResolvers<void>();
  lost = false;
  closings = 0;
  listTools() {
    return Promise.resolve({ tools: [], nextCursor: undefined });
  }
  callTool() {
    return Promise.resolve({ content: [] });
  }
  close() {
    this.closings++;
    return this.closed.promise;
  }
}

/** A connector whose attempts the test ends. */
function createTestConnector() {
  const clock = { nowMs: 1_000_000 };
  const attempts: PromiseWithResolvers<Connection>[] = [];
  const connector = new Connector({
    server: "files",
    now: () => clock.nowMs,
    random: () => 1,
    open: (deadline) => {
      const attempt = Promise.withResolvers<Connection>();
      attempts.push(attempt);
      return deadline.race(attempt.promise);
    },
  });
  const ensure = async (force = false) => {
    using deadline = new Deadline(10_000);
    return await connector.ensure(deadline, { timeoutMs: 10_000, force });
  };
  const fail = async (options: MCPErrorOptions = {}, force = false) => {
    const waiting = failureOf(() => ensure(force), "unreachable");
    attempts.at(-1)?.reject(new MCPError("unreachable", "Cannot reach", { server: "files", ...options }));
    return await waiting;
  };
  return { connector, clock, attempts, ensure, fail };
}

Deno.test("Connector.ensure() opens one connection for all who wait, and keeps it", async () => {
  const { connector, attempts, ensure } = createTestConnector();
  const waiting = [ensure(), ensure()];
  assertEquals([attempts.length, connector.state], [1, "connecting"]);
  const connection = new FakeConnection();
  attempts[0]?.resolve(connection);
  for (const promise of waiting) assertStrictEquals(await promise, connection);
  assertStrictEquals(await ensure(), connection);
  assertEquals([attempts.length, connector.state, connector.connectedAtMs], [1, "connected", 1_000_000]);
});

Deno.test("Connector.ensure() opens another connection where the old one is lost", async () => {
  const { connector, attempts, ensure } = createTestConnector();
  const first = ensure();
  const lost = new FakeConnection();
  attempts[0]?.resolve(lost);
  await first;
  lost.lost = true;
  assertEquals([connector.connection, connector.connectedAtMs, connector.state], [undefined, undefined, "idle"]);
  const second = ensure();
  const next = new FakeConnection();
  attempts[1]?.resolve(next);
  assertStrictEquals(await second, next);
});

Deno.test("Connector.ensure() holds off from the second failure on, doubling up to 30 s", async () => {
  const { clock, attempts, fail, ensure } = createTestConnector();
  await fail();
  const waits: number[] = [];
  for (let round = 0; round < 9; round++) {
    await fail();
    const { retryAfterMs = 0 } = await failureOf(() => ensure(), "unreachable");
    waits.push(retryAfterMs);
    clock.nowMs += retryAfterMs;
  }
  assertEquals(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assertEquals(attempts.length, 10);
});

Deno.test("Connector.ensure() holds off as long as Retry-After asks, up to five minutes, unless it is forced", async () => {
  const { connector, attempts, fail, ensure } = createTestConnector();
  await fail({ retryAfterMs: 24 * 3_600_000 });
  assertEquals((await failureOf(() => ensure(), "unreachable")).retryAfterMs, 300_000);
  assertEquals([attempts.length, connector.state], [1, "failed"]);
  const forced = ensure(true);
  const joined = ensure();
  attempts[1]?.resolve(new FakeConnection());
  assertStrictEquals(await forced, await joined);
  assertEquals(connector.lastError?.code, "unreachable", "kept after the recovery");
});

Deno.test("Connector.ensure() starts anew after a success: one failure does not hold off", async () => {
  const { connector, attempts, ensure, fail } = createTestConnector();
  await fail();
  const connected = ensure();
  const connection = new FakeConnection();
  attempts.at(-1)?.resolve(connection);
  await connected;
  connector.drop(connection, new MCPError("unreachable", "Cannot reach"));
  connection.closed.resolve();
  const again = ensure();
  attempts.at(-1)?.resolve(new FakeConnection());
  await again;
});

Deno.test("Connector.drop() closes the connection it is given, and keeps another that has taken its place", async () => {
  const { connector, attempts, ensure } = createTestConnector();
  const first = ensure();
  const old = new FakeConnection();
  attempts[0]?.resolve(old);
  await first;
  connector.drop(old);
  const second = ensure();
  const next = new FakeConnection();
  attempts[1]?.resolve(next);
  await second;
  connector.drop(old, new MCPError("unreachable", "Cannot reach"));
  assertStrictEquals(connector.connection, next);
  assertEquals([old.closings, next.closings, connector.lastError], [1, 0, undefined]);
  old.closed.resolve();
});

Deno.test("Connector.close() waits for the connection and for those that were dropped", async () => {
  const { connector, attempts, ensure } = createTestConnector();
  const [dropped, live] = [new FakeConnection(), new FakeConnection()];
  for (const connection of [dropped, live]) {
    const connected = ensure();
    attempts.at(-1)?.resolve(connection);
    await connected;
    if (connection === dropped) connector.drop(dropped);
  }
  let closed = false;
  const closing = connector.close().then(() => closed = true);
  live.closed.resolve();
  await until(() => live.closings === 1);
  assertEquals(closed, false);
  dropped.closed.resolve();
  await closing;
  assertEquals(connector.state, "closed");
  await failureOf(() => ensure(), "closed");
});

Deno.test("Connector.close() ends the attempt under way, and closes a connection that comes too late", async () => {
  const late = new FakeConnection();
  late.closed.resolve();
  const opened = Promise.withResolvers<Connection>();
  // An attempt that does not heed its deadline.
  const connector = new Connector({ server: "files", now: Date.now, random: Math.random, open: () => opened.promise });
  using deadline = new Deadline(10_000);
  const waiting = failureOf(() => connector.ensure(deadline, { timeoutMs: 10_000 }), "closed");
  const closing = connector.close();
  opened.resolve(late);
  await Promise.all([waiting, closing]);
  assertEquals([late.closings, connector.connection], [1, undefined]);
});
