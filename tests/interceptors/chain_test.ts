import { assertEquals, assertFalse, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Interceptor } from "@portolan/mcp/interceptors";
import { MCPError } from "../../src/errors.ts";
import { createChain } from "../../src/interceptors/chain.ts";
import type { InterceptedRequest } from "../../src/interceptors/requests.ts";
import { codeOf, failureOf, textOf } from "../support/client_support.ts";
import { type Answer, callThrough, never, orAborted, resultOf, settle, toolOf } from "./interceptor_support.ts";

const SHORT_MS = 20;

function noting(notes: string[], name: string): Interceptor {
  return {
    async callTool(_request, next) {
      notes.push(`${name} in`);
      const result = await next();
      notes.push(`${name} out`);
      return result;
    },
  };
}

Deno.test("InterceptorChain.run() goes from the first interceptor inwards and back", async () => {
  const notes: string[] = [];
  const answer = () => (notes.push("call"), resultOf("x"));
  await callThrough([noting(notes, "a"), noting(notes, "b")], { answer });
  assertEquals(notes, ["a in", "b in", "call", "b out", "a out"]);
});

Deno.test("InterceptorChain.run() runs any() outside of the method of the kind, as methods of their object", async () => {
  class Counting implements Interceptor {
    readonly notes: string[] = [];
    any: NonNullable<Interceptor["any"]> = (request, next) => (this.notes.push(`any ${request.target}`), next());
    callTool: NonNullable<Interceptor["callTool"]> = function (this: Counting, request, next) {
      this.notes.push(`callTool ${request.name}`);
      return next();
    };
  }
  const counting = new Counting();
  await callThrough([counting]);
  assertEquals(counting.notes, ["any read", "callTool read"]);
});

Deno.test("InterceptorChain.run() is the call of the terminal alone where no interceptor looks at the kind", async () => {
  const chain = createChain([{ listPrompts: (_request, next) => next() }]);
  const options = { timeoutMs: 5 };
  const fields = { kind: "call_tool", name: "read", args: {}, options } as const;
  const result = resultOf("as it is");
  const given: unknown[] = [];
  assertStrictEquals(await chain.run(fields, (request) => (given.push(request), Promise.resolve(result))), result);
  assertStrictEquals(given[0], fields);
  assertEquals([chain.handles("call_tool"), chain.handles("list_prompts")], [false, true]);
});

Deno.test("InterceptorChain.run() lets an interceptor pass a request on never, once and often", async () => {
  let calls = 0;
  const answer = () => resultOf(String(++calls));
  assertEquals(textOf(await callThrough([{ callTool: () => resultOf("own") }], { answer })), "own");
  assertEquals(calls, 0);
  assertEquals(textOf(await callThrough([{ callTool: (_request, next) => next() }], { answer })), "1");
  const twice: Interceptor = { callTool: async (_request, next) => (await next(), await next()) };
  assertEquals(textOf(await callThrough([twice, twice], { answer })), "5");
  const atOnce: Interceptor = { callTool: (_request, next) => Promise.race([next(), next(), next()]) };
  assertEquals(textOf(await callThrough([atOnce], { answer })), "6");
  assertEquals(calls, 8);
});

Deno.test("InterceptorChain.run() passes on changed requests, and the next interceptors see them", async () => {
  const seen: unknown[] = [];
  const renaming: Interceptor = {
    callTool: (request, next) => next(request.with({ name: "write", args: { ...request.args, more: true } })),
  };
  const seeing: Interceptor = {
    any(request, next) {
      seen.push(request.target);
      return next(request.with({ options: { timeoutMs: 7 } }));
    },
  };
  const answer: Answer = (name, args, { timeoutMs, signal, idleTimeoutMs }) => {
    seen.push([name, args, timeoutMs, idleTimeoutMs, signal instanceof AbortSignal]);
    return resultOf(name);
  };
  await callThrough([renaming, seeing], { answer, idleTimeoutMs: 9 });
  assertEquals(seen, ["write", ["write", { path: "a", more: true }, 7, 9, true]]);
});

Deno.test("InterceptorChain.run() rejects with what an interceptor throws, at once and later", async () => {
  const own = new Error("own");
  const failing: readonly Interceptor[] = [
    { callTool: () => Promise.reject(own) },
    {
      callTool: () => {
        throw own;
      },
    },
    {
      callTool: async (_request, next) => {
        await next();
        throw own;
      },
    },
  ];
  for (const interceptor of failing) {
    assertStrictEquals(await assertRejects(() => callThrough([{ any: (_request, next) => next() }, interceptor])), own);
  }
});

Deno.test("InterceptorChain.run() rejects where what is passed on is no request or one of another kind", async () => {
  for (const passedOn of [{}, null, 7, "copy"]) {
    const wrong: Interceptor = {
      callTool: (request, next) => next((passedOn === "copy" ? { ...request } : passedOn) as typeof request),
    };
    await assertRejects(() => callThrough([wrong]), TypeError, "as it was not made by request.with()");
  }
  let other: InterceptedRequest<"call_tool"> | undefined;
  await callThrough([{ callTool: (request, next) => next(other = request) }]);
  const mixing: Interceptor = { listPrompts: (_request, next) => next(other as never) };
  const run = createChain([mixing]).run({ kind: "list_prompts", options: {} }, () => Promise.resolve([]));
  await assertRejects(() => run, TypeError, 'of kind "call_tool" as the one given is of kind "list_prompts"');
});

Deno.test("createChain() refuses what intercepts nothing, and a timeout that is none", () => {
  const nothing = [{ any: (_request, next) => next() }, { calltool: () => resultOf("typo") }] as Interceptor[];
  assertThrows(() => createChain(nothing), TypeError, "Cannot use interceptor 2 as it intercepts nothing");
  assertThrows(() => createChain([], { timeoutMs: 0 }), RangeError, "timeoutMs");
});

Deno.test("InterceptorChain.run() ends by the deadline where an interceptor hangs; nothing was sent, so it is retryable", async () => {
  const hanging: Interceptor = { callTool: never };
  for (const options of [{ timeoutMs: SHORT_MS }, { chain: { timeoutMs: SHORT_MS } }]) {
    const error = await failureOf(() => callThrough([hanging], options), "deadline_exceeded");
    assertEquals([error.retryable, error.server], [true, undefined]);
    assertEquals(error.message, 'Cannot call tool "read" as the deadline passed among its interceptors');
  }
  await assertRejects(() => callThrough([hanging], { timeoutMs: Number.NaN }), RangeError, "timeoutMs");
});

Deno.test("InterceptorChain.run() says that a call may have run where the deadline passes after it was made", async () => {
  const afterwards: Interceptor = { callTool: async (_request, next) => (await next(), await never()) };
  const describe = () => ({ server: "files" });
  const during = [{ any: (_request, next) => next() }] satisfies Interceptor[];
  for (const [interceptors, answer] of [[[afterwards], resultOf], [during, never]] as const) {
    const run = () => callThrough(interceptors, { timeoutMs: SHORT_MS, answer, chain: { describe } });
    const error = await failureOf(run, "deadline_exceeded");
    assertEquals([error.retryable, error.server], [false, "files"]);
  }
});

Deno.test("InterceptorChain.run() takes a call that was refused unsent for one that did not run", async () => {
  const patient: Interceptor = { callTool: (_request, next) => next().catch(never) };
  const answer = () => Promise.reject(new MCPError("unreachable", "refused", { retryable: true }));
  const error = await failureOf(() => callThrough([patient], { timeoutMs: SHORT_MS, answer }), "deadline_exceeded");
  assertEquals(error.retryable, true);
});

Deno.test("InterceptorChain.run() prefers what the client says when the deadline passes", async () => {
  const own = new MCPError("outcome_unknown", "the client's own", { server: "files" });
  const answer: Answer = (_name, _args, options) => orAborted(never(), options.signal).catch(() => Promise.reject(own));
  const through: Interceptor = { any: (_request, next) => next() };
  assertStrictEquals(await assertRejects(() => callThrough([through], { timeoutMs: SHORT_MS, answer })), own);
});

Deno.test("InterceptorChain.run() rejects with the caller's reason, whatever hangs", async () => {
  for (const interceptor of [{ callTool: never }, { any: (_request, next) => next() }] satisfies Interceptor[]) {
    const controller = new AbortController();
    const running = callThrough([interceptor], { signal: controller.signal, answer: never });
    const reason = { left: true };
    controller.abort(reason);
    assertStrictEquals(await running.catch((error) => error), reason);
  }
  let calls = 0;
  const counting: Interceptor = { callTool: (_request, next) => (calls++, next()) };
  const before = callThrough([counting], { signal: AbortSignal.abort("before") });
  assertEquals([await before.catch((error) => error), calls], ["before", 0]);
});

Deno.test("InterceptorChain.run() passes nothing on once the caller has been told", async () => {
  let calls = 0;
  const answer = () => resultOf(String(++calls));
  const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
  const late: unknown[] = [];
  const sleepy: Interceptor = {
    async callTool(request, next) {
      await woken;
      const changed = request.with({ options: { signal: undefined } });
      return await next(changed).catch((error) => (late.push(error), Promise.reject(error)));
    },
  };
  await failureOf(() => callThrough([sleepy], { timeoutMs: SHORT_MS, answer }), "deadline_exceeded");
  const forgetful: Interceptor = {
    callTool(_request, next) {
      woken.then(() => next()).catch((error) => late.push(error));
      return resultOf("early");
    },
  };
  assertEquals(textOf(await callThrough([forgetful], { answer })), "early");
  wake();
  await settle();
  assertEquals([calls, late.length], [0, 2]);
  assertEquals(await codeOf(Promise.reject(late[1])), "closed");
});

Deno.test("InterceptorChain.run() aborts what an interceptor left running, and ignores how that ends", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const answer: Answer = (_name, _args, options) => {
    signals.push(options.signal);
    return signals.length === 1 ? orAborted(never(), options.signal) : resultOf("second");
  };
  const hedging: Interceptor = {
    callTool(_request, next) {
      next();
      return next();
    },
  };
  assertEquals(textOf(await callThrough([hedging], { answer })), "second");
  await settle();
  assertEquals(signals.map((signal) => signal?.aborted), [true, true]);
});

Deno.test("InterceptorChain.run() bounds nested chains by the outer deadline", async () => {
  const answer: Answer = (_name, _args, { signal }) =>
    callThrough([{ callTool: never }], signal === undefined ? {} : { signal });
  const outer: Interceptor = { any: (_request, next) => next() };
  await failureOf(() => callThrough([outer], { timeoutMs: SHORT_MS, answer }), "deadline_exceeded");
});

Deno.test("InterceptorChain.run() tells of tools what a list that passed by says", async () => {
  const known: unknown[] = [];
  const seeing: Interceptor = { callTool: (request, next) => (known.push(request.tool?.name), next()) };
  const chain = createChain([seeing]);
  const call = () =>
    chain.run({ kind: "call_tool", name: "read", args: {}, options: {} }, () => Promise.resolve(resultOf("x")));
  await call();
  await chain.run({ kind: "list_tools", options: {} }, () => Promise.resolve([toolOf("read")]));
  await call();
  assertEquals(known, [undefined, "read"]);
});

Deno.test("InterceptorChain.run() is an onion whatever its interceptors do", async () => {
  type Layer = "pass" | "skip" | "twice" | "catch" | "fail";
  const layers = fc.array(fc.constantFrom<Layer>("pass", "skip", "twice", "catch", "fail"), { maxLength: 6 });
  /** What the layers come to, said without a chain. */
  const model = ([layer, ...inner]: readonly Layer[]): { readonly ok: boolean; readonly calls: number } => {
    if (layer === undefined) return { ok: true, calls: 1 };
    if (layer === "skip" || layer === "fail") return { ok: layer === "skip", calls: 0 };
    const once = model(inner);
    if (layer === "catch") return { ok: true, calls: once.calls };
    return layer === "pass" || !once.ok ? once : { ok: true, calls: once.calls * 2 };
  };
  const toInterceptor = (layer: Layer): Interceptor => ({
    async callTool(_request, next) {
      if (layer === "fail") throw new Error("fails");
      if (layer === "skip") return resultOf("skipped");
      if (layer === "catch") return await next().catch(() => resultOf("caught"));
      if (layer === "twice") await next();
      return await next();
    },
  });
  await fc.assert(fc.asyncProperty(layers, async (names) => {
    let calls = 0;
    const answer = () => (calls++, resultOf("called"));
    const ok = await callThrough(names.map(toInterceptor), { answer }).then(() => true, () => false);
    assertEquals({ ok, calls }, model(names));
  }));
});

Deno.test("InterceptorChain.run() keeps requests that run at once apart", async () => {
  const chain = createChain([{
    async callTool(request, next) {
      await settle();
      return await next(request.with({ args: { ...request.args, name: request.name } }));
    },
  }]);
  const names = Array.from({ length: 50 }, (_, index) => `tool${index}`);
  const got = await Promise.all(names.map((name) =>
    chain.run(
      { kind: "call_tool", name, args: {}, options: {} },
      (request) => Promise.resolve(resultOf(String(request.args.name))),
    )
  ));
  assertEquals(got.map(textOf), names);
  assertFalse(got.some(({ isError }) => isError));
});
