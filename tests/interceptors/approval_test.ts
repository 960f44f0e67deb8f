import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { approval, type ApprovalOptions, type ApprovalReason, type Interceptor } from "@portolan/mcp/interceptors";
import { MCPError } from "../../src/errors.ts";
import { createChain } from "../../src/interceptors/chain.ts";
import type { ToolAnnotations } from "../../src/protocol.ts";
import { codeOf, failureOf } from "../support/client_support.ts";
import { callThrough, fakeClient, never, resultOf, settle, toolOf } from "./interceptor_support.ts";

/** The reasons for which it is asked, and how the call ends. */
async function reasonsOf(
  annotations: ToolAnnotations | undefined,
  options: Partial<ApprovalOptions> = {},
): Promise<readonly (ApprovalReason | undefined)[]> {
  const reasons: ApprovalReason[] = [];
  const ask: ApprovalOptions["ask"] = (_request, reason) => (reasons.push(reason), true);
  const tools = annotations === undefined ? [] : [toolOf("read", annotations)];
  const listTools = () => Promise.resolve(tools);
  const chain = { listTools, describe: () => ({ tool: tools[0] }) };
  await callThrough([approval({ ask, ...options })], { chain });
  return reasons;
}

Deno.test("approval() asks for every call where annotations are not trusted", async () => {
  assertEquals(await reasonsOf({ readOnlyHint: true }), ["untrusted"]);
  assertEquals(await reasonsOf({}), ["untrusted"]);
  assertEquals(await reasonsOf(undefined), ["unknown_tool"]);
});

Deno.test("approval() asks for all but read-only tools where annotations are trusted", async () => {
  const trustAnnotations = true;
  assertEquals(await reasonsOf({ readOnlyHint: true }, { trustAnnotations }), []);
  assertEquals(await reasonsOf({ readOnlyHint: false }, { trustAnnotations }), ["destructive"]);
  assertEquals(await reasonsOf({ destructiveHint: true }, { trustAnnotations }), ["destructive"]);
  assertEquals(await reasonsOf({ destructiveHint: false }, { trustAnnotations }), ["changes_state"]);
  assertEquals(await reasonsOf(undefined, { trustAnnotations }), ["unknown_tool"]);
});

Deno.test("approval() asks where when() does not say false, with the definition", async () => {
  const titles: unknown[] = [];
  const when: ApprovalOptions["when"] = ({ name }, tool) => (titles.push(tool?.annotations?.title), name !== "read");
  assertEquals(await reasonsOf({ title: "Read" }, { when }), []);
  assertEquals(await reasonsOf({}, { when: () => true }), ["condition"]);
  assertEquals(await reasonsOf({}, { when: () => undefined as unknown as boolean }), ["condition"]);
  assertEquals(titles, ["Read"]);
});

Deno.test("approval() learns the definition from the client where annotations are trusted", async () => {
  const client = fakeClient({ tools: [toolOf("read", { readOnlyHint: true })] });
  const chain = { listTools: () => client.listTools() };
  const guard = approval({ trustAnnotations: true, ask: () => false });
  assertEquals(await codeOf(callThrough([guard], { chain })), "ok");
  assertEquals(client.asked, ["listTools"]);
});

Deno.test("approval() denies what is not approved by true itself, and nothing is sent", async () => {
  let calls = 0;
  const answer = () => (calls++, resultOf("x"));
  for (const said of [false, undefined, "yes", 1, Promise.resolve(false), {}]) {
    const guard = approval({ ask: () => said as boolean });
    const error = await failureOf(() => callThrough([guard], { answer }), "denied");
    assertEquals([error.message, error.retryable], ['Cannot call tool "read" as it was not approved', false]);
  }
  assertEquals(calls, 0);
});

Deno.test("approval() denies where ask() or when() throws, and keeps the cause", async () => {
  const own = new Error("no window");
  const fail = () => {
    throw own;
  };
  for (const options of [{ ask: fail }, { ask: () => Promise.reject(own) }, { ask: () => true, when: fail }]) {
    const error = await failureOf(() => callThrough([approval(options)]), "denied");
    assertStrictEquals(error.cause, own);
  }
});

Deno.test("approval() waits for a person no longer than the deadline and the caller, and sends nothing later", async () => {
  let calls = 0;
  const answer = () => (calls++, resultOf("x"));
  const { promise: thinking, resolve: decide } = Promise.withResolvers<boolean>();
  const signals: (AbortSignal | undefined)[] = [];
  const ask: ApprovalOptions["ask"] = ({ options }) => (signals.push(options.signal), thinking);
  const guard = approval({ ask, rememberMs: 60_000 });
  const late = await failureOf(() => callThrough([guard], { answer, timeoutMs: 20 }), "deadline_exceeded");
  assertEquals(late.retryable, true);
  const controller = new AbortController();
  const seen: unknown[] = [];
  const seeing: Interceptor = {
    callTool: (_request, next) => next().catch((error) => (seen.push(error), Promise.reject(error))),
  };
  const running = callThrough([seeing, guard], { answer, signal: controller.signal });
  await settle();
  const reason = new MCPError("closed", "the caller's own");
  controller.abort(reason);
  assertStrictEquals(await running.catch((error) => error), reason);
  await settle();
  assertStrictEquals(seen[0], reason);
  decide(true);
  await settle();
  assertEquals([calls, signals.map((signal) => signal?.aborted)], [0, [true, true]]);
  // An answer for which nobody waited any more is not remembered.
  assertEquals([await codeOf(callThrough([guard], { answer })), signals.length], ["ok", 3]);
});

Deno.test("approval() remembers approvals for equal calls alone, for as long as it is told, and never a denial", async () => {
  const state = { nowMs: 0, says: true };
  const asked: string[] = [];
  const ask: ApprovalOptions["ask"] = ({ name, args }) => (asked.push(`${name} ${JSON.stringify(args)}`), state.says);
  const chain = createChain([approval({ ask, rememberMs: 1_000, maxRemembered: 2, now: () => state.nowMs })]);
  const call = (name: string, args: Readonly<Record<string, unknown>> = {}) =>
    codeOf(chain.run({ kind: "call_tool", name, args, options: {} }, () => Promise.resolve(resultOf(name))));
  await call("read", { a: 1, b: 2 });
  await call("read", { b: 2, a: 1 });
  assertEquals(asked.length, 1);
  await call("read", { a: 1 });
  assertEquals(asked.length, 2);
  state.nowMs = 1_000;
  state.says = false;
  assertEquals(await call("read", { a: 1 }), "denied");
  assertEquals(await call("read", { a: 1 }), "denied");
  assertEquals(asked.length, 4);
  state.says = true;
  for (const name of ["one", "two", "three", "two", "three"]) await call(name);
  assertEquals(asked.length, 7);
  await call("one");
  assertEquals(asked.length, 8);
});

Deno.test("approval() shows what is sent: what an outer interceptor changed", async () => {
  const shown: unknown[] = [];
  const guard = approval({ ask: ({ args }) => (shown.push(args), true) });
  const sent: unknown[] = [];
  const answer = (_name: string, args: unknown) => (sent.push(args), resultOf("x"));
  await callThrough([{ callTool: (request, next) => next(request.with({ args: { path: "b" } })) }, guard], { answer });
  assertEquals([shown, sent], [[{ path: "b" }], [{ path: "b" }]]);
  assertStrictEquals(shown[0], sent[0]);
});

Deno.test("approval() refuses numbers that make no sense", () => {
  assertThrows(() => approval({ ask: never, rememberMs: -1 }), RangeError);
  assertThrows(() => approval({ ask: never, maxRemembered: 0 }), RangeError);
});

Deno.test("approval() asks nobody for a call that nobody waits for any more", async () => {
  const controller = new AbortController();
  const { promise: decided, resolve } = Promise.withResolvers<boolean>();
  let asked = 0;
  const guard = approval({ ask: () => ++asked > 0, when: () => decided });
  const call = callThrough([guard], { signal: controller.signal });
  await settle();
  controller.abort("left");
  assertEquals(await codeOf(call), "left");
  resolve(true);
  await settle();
  assertEquals(asked, 0);
});
