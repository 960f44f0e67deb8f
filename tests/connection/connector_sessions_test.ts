/** What becomes of a session where a request needs another one. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Deadline } from "../../src/deadline.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { until } from "../support/client_support.ts";
import { createTestConnector, FakeConnection } from "./_connector.ts";

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
