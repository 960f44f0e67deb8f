import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { intercept, type Interceptor, resultCache, type ResultCacheOptions } from "@portolan/mcp/interceptors";
import { MCPError } from "../../src/errors.ts";
import { codeOf, textOf } from "../support/client_support.ts";
import { type Answer, fakeClient, never, orAborted, resultOf, settle, toolOf } from "./interceptor_support.ts";

const TOOLS = ["read"];

/** A client that numbers its answers, behind a cache under a clock that is moved by hand. */
function cached(options: ResultCacheOptions & { readonly answer?: Answer } = {}) {
  const { answer, ...rest } = options;
  const state = { nowMs: 0 };
  let count = 0;
  const fake = fakeClient({
    tools: [toolOf("read", { readOnlyHint: true }), toolOf("write")],
    answer: answer ?? (() => resultOf(String(++count))),
  });
  const cache = resultCache({ tools: TOOLS, now: () => state.nowMs, ...rest });
  const client = intercept(fake, [cache]);
  return {
    state,
    cache,
    client,
    asked: fake.asked,
    read: async (args = {}) => textOf(await client.callTool("read", args)),
  };
}

Deno.test("resultCache() keeps a result for its time, under the tool and its arguments in any order", async () => {
  const { state, read, cache } = cached({ ttlMs: 1_000 });
  assertEquals([await read({ a: 1, b: [2] }), await read({ b: [2], a: 1 })], ["1", "1"]);
  assertEquals([await read({ a: 1 }), await read({ a: "1", b: [2] })], ["2", "3"]);
  state.nowMs = 999;
  assertEquals([await read({ a: 1 }), cache.size], ["2", 3]);
  state.nowMs = 1_000;
  assertEquals(await read({ a: 1 }), "4");
});

Deno.test("resultCache() keeps arguments with members called like those of every object apart", async () => {
  const { read } = cached();
  const texts = ['{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}', "{}", '{"__proto__":{"a":1}}'];
  const got: unknown[] = [];
  for (const text of texts) got.push(await read(JSON.parse(text)));
  assertEquals(got, ["1", "2", "3", "1"]);
});

Deno.test("resultCache() keeps results of the tools it is told, and of trusted read-only ones where it may", async () => {
  const neither = cached({ tools: [] });
  assertEquals([await neither.read(), await neither.read()], ["1", "2"]);
  assertEquals(neither.asked.includes("listTools"), false);
  const trusting = cached({ tools: [], trustAnnotations: true });
  assertEquals([await trusting.read(), await trusting.read()], ["1", "1"]);
  await trusting.client.callTool("write");
  await trusting.client.callTool("write");
  assertEquals(trusting.asked, ["listTools", "callTool read {}", "callTool write {}", "callTool write {}"]);
});

Deno.test("resultCache() empties itself when another tool was called, also in vain, unless told otherwise", async () => {
  const { client, read, cache } = cached();
  assertEquals(await read(), "1");
  await client.callTool("write");
  assertEquals([cache.size, await read()], [0, "3"]);
  const failing = cached({ answer: (name) => name === "read" ? resultOf("x") : Promise.reject(new Error("lost")) });
  await failing.read();
  await codeOf(failing.client.callTool("write"));
  assertEquals(failing.cache.size, 0);
  const keeping = cached({ clearOnCall: false });
  await keeping.read();
  await keeping.client.callTool("write");
  assertEquals(await keeping.read(), "1");
});

Deno.test("resultCache() does not keep what was asked before it was emptied", async () => {
  const answers = [Promise.withResolvers<unknown>(), Promise.withResolvers<unknown>()];
  let at = 0;
  const { read, cache } = cached({ answer: () => answers[at++]!.promise });
  const before = read();
  await settle();
  cache.clear();
  const after = read();
  await settle();
  answers[1]!.resolve(resultOf("after"));
  assertEquals(await after, "after");
  answers[0]!.resolve(resultOf("before"));
  assertEquals([await before, await read(), cache.size], ["before", "after", 1]);
});

Deno.test("resultCache() never keeps failures or results with isError", async () => {
  let count = 0;
  const answers = [
    () => Promise.reject(new MCPError("unreachable", "away")),
    () => ({ content: [], isError: true }),
    () => resultOf("good"),
  ];
  const { client, cache } = cached({ answer: () => answers[count++]!() });
  assertEquals(await codeOf(client.callTool("read")), "unreachable");
  assertEquals((await client.callTool("read")).isError, true);
  assertEquals(cache.size, 0);
  assertEquals([textOf(await client.callTool("read")), textOf(await client.callTool("read"))], ["good", "good"]);
});

Deno.test("resultCache() gives results that no caller can change for another", async () => {
  const { client } = cached({ answer: () => ({ content: [], structuredContent: { list: [1] } }) });
  const first = await client.callTool("read");
  assertThrows(() => (first.structuredContent as { readonly list: number[] }).list.push(2), TypeError);
  assertThrows(() => Object.assign(first, { isError: true }), TypeError);
  assertEquals((await client.callTool("read")).structuredContent, { list: [1] });
});

Deno.test("resultCache() makes equal requests at once once; who leaves does not end it for the others", async () => {
  const { promise: answered, resolve } = Promise.withResolvers<unknown>();
  let signal: AbortSignal | undefined;
  const { client, asked } = cached({
    answer: (_name, _args, options) => orAborted(answered, signal = options.signal),
  });
  const controller = new AbortController();
  const leader = client.callTool("read", {}, { signal: controller.signal });
  const followers = [client.callTool("read"), client.callTool("read", {}, { timeoutMs: 60_000 })];
  await settle();
  controller.abort("left");
  assertEquals(await leader.catch((error) => error), "left");
  const late = await codeOf(client.callTool("read", {}, { timeoutMs: 20 }));
  assertEquals([late, signal?.aborted], ["deadline_exceeded", false]);
  resolve(resultOf("shared"));
  const results = await Promise.all(followers);
  assertEquals(results.map(textOf), ["shared", "shared"]);
  assertStrictEquals(results[0], results[1]);
  assertEquals(asked, ["callTool read {}"]);
});

Deno.test("resultCache() gives a shared request no less time than its followers have", async () => {
  let timeoutMs: number | undefined;
  const { client } = cached({ answer: (_name, _args, options) => (timeoutMs = options.timeoutMs, resultOf("x")) });
  await client.callTool("read", {}, { timeoutMs: 50 });
  assert(timeoutMs !== undefined && timeoutMs > 50);
  await client.callTool("read", { other: true });
  assertEquals(timeoutMs, undefined);
});

Deno.test("resultCache() aborts a shared request when the last one has left, and the next one begins anew", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const { client, asked } = cached({
    answer: (_name, _args, { signal }) => {
      signals.push(signal);
      return signals.length === 1 ? orAborted(never(), signal) : resultOf("second");
    },
  });
  const controllers = [new AbortController(), new AbortController()];
  const calls = controllers.map(({ signal }) => client.callTool("read", {}, { signal }).catch((error) => error));
  await settle();
  for (const [index, controller] of controllers.entries()) controller.abort(index);
  assertEquals(await Promise.all(calls), [0, 1]);
  assertEquals(textOf(await client.callTool("read")), "second");
  assertEquals([signals[0]?.aborted, asked.length], [true, 2]);
});

Deno.test("resultCache() begins anew also where the request before does not heed its signal", async () => {
  let count = 0;
  const { promise: answered, resolve } = Promise.withResolvers<unknown>();
  const { client } = cached({ answer: () => ++count === 1 ? answered : resultOf("second") });
  const leaving = codeOf(client.callTool("read", {}, { timeoutMs: 20 }));
  assertEquals(await leaving, "deadline_exceeded");
  assertEquals(textOf(await client.callTool("read", {}, { timeoutMs: 5_000 })), "second");
  resolve(resultOf("first"));
  await settle();
  assertEquals(textOf(await client.callTool("read")), "second");
});

Deno.test("resultCache() leaves it to the request to say that its deadline passed", async () => {
  const fake = fakeClient({ answer: (_name, _args, { signal }) => orAborted(never(), signal) });
  // A timer for what is left of the last millisecond would be the first to go off.
  const slow: Interceptor = {
    callTool(request, next) {
      while (request.remainingMs > 4.5);
      return next();
    },
  };
  const client = intercept(fake, [slow, resultCache({ tools: TOOLS })]);
  const codes = Array.from({ length: 10 }, (_, at) => codeOf(client.callTool("read", { at }, { timeoutMs: 5 })));
  assertEquals(new Set(await Promise.all(codes)), new Set(["deadline_exceeded"]));
});

Deno.test("resultCache() gives what holds itself, and does not keep it", async () => {
  const circle: Record<string, unknown> = { content: [] };
  circle.structuredContent = circle;
  const { client, cache } = cached({ answer: () => circle });
  assertStrictEquals(await client.callTool("read"), circle);
  assertEquals(cache.size, 0);
});

Deno.test("resultCache() drops what was not used for longest, by number and by size", async () => {
  const few = cached({ maxEntries: 2 });
  for (const a of [1, 2, 1, 3]) await few.read({ a });
  assertEquals([await few.read({ a: 1 }), few.cache.size], ["1", 2]);
  assertEquals(await few.read({ a: 2 }), "4");

  const small = cached({ maxBytes: 4_000, answer: (_name, { size }) => resultOf("x".repeat(Number(size))) });
  for (const size of [700, 701, 700, 701]) await small.client.callTool("read", { size });
  assertEquals(small.cache.size, 2);
  await small.client.callTool("read", { size: 702 });
  assertEquals(small.cache.size, 2);
  await small.client.callTool("read", { size: 5_000 });
  assertEquals(small.cache.size, 2);
  const before = small.asked.length;
  await small.client.callTool("read", { size: 702 });
  assertEquals(small.asked.length, before);
});

Deno.test("resultCache() keeps those apart whom key() tells apart", async () => {
  const state = { who: "ann" };
  const { read } = cached({ key: () => state.who });
  assertEquals(await read(), "1");
  state.who = "bob";
  assertEquals(await read(), "2");
  state.who = "ann";
  assertEquals(await read(), "1");
});

Deno.test("resultCache() keeps no call that brings its own answers, and none whose arguments are no JSON", async () => {
  const { client, read, cache } = cached();
  await client.callTool("read", {}, { input: {} });
  assertEquals([await read({ at: new Date(0) }), await read({ at: new Date(0) }), cache.size], ["2", "3", 0]);
});

Deno.test("resultCache() keeps reads and lists only where it is told", async () => {
  const use = async ({ client, asked }: ReturnType<typeof cached>) => {
    for (let round = 0; round < 2; round++) {
      await client.readResource("a:1", { server: "one" });
      await client.getPrompt("greet", { who: "me" });
      await client.listTools();
      await client.listResources();
      await client.listResourceTemplates();
      await client.listPrompts();
    }
    return asked.length;
  };
  assertEquals(await use(cached()), 12);
  assertEquals(await use(cached({ reads: true })), 10);
  assertEquals(await use(cached({ lists: true })), 8);
  const { client, asked } = cached({ reads: true });
  for (const server of ["one", "two"]) await client.readResource("a:1", { server });
  await client.readResource("a:1", { server: "two", input: {} });
  assertEquals(asked.length, 3);
});

Deno.test("resultCache() refuses numbers that make no sense", () => {
  for (const options of [{ ttlMs: 0 }, { maxEntries: 0 }, { maxBytes: NaN }, { maxBytes: -1 }]) {
    assertThrows(() => resultCache(options), RangeError);
  }
});
