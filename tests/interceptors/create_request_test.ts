import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLessOrEqual,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { type CallToolRequest, isCallToolRequest, type RequestKind } from "@portolan/mcp/interceptors";
import { Deadline } from "../../src/deadline.ts";
import { createRequest, type RequestFields } from "../../src/interceptors/create_request.ts";
import { ToolBook } from "../../src/interceptors/tool_book.ts";
import { failureOf } from "../support/client_support.ts";
import { toolOf } from "./interceptor_support.ts";

/** Without a timer, so that each test need not stop one. */
const DEADLINE = new Deadline(60_000);
DEADLINE[Symbol.dispose]();

function requestOf<K extends RequestKind>(fields: RequestFields<K>) {
  const describe = (name: string) => name === "read" ? { tool: toolOf("read"), server: "files" } : undefined;
  return createRequest(fields, { deadline: DEADLINE, book: new ToolBook({ describe }) });
}

function callOf(args: Readonly<Record<string, unknown>>): CallToolRequest {
  const request = requestOf({ kind: "call_tool", name: "read", args, options: { timeoutMs: 9, idleTimeoutMs: 3 } });
  assert(isCallToolRequest(request));
  return request;
}

Deno.test("createRequest() gives a request that nobody can change, from a copy of the caller's arguments", () => {
  const args = { path: { parts: ["a"] } };
  const request = callOf(args);
  const attempts: (() => unknown)[] = [
    () => Object.assign(request, { name: "other" }),
    () => Object.assign(request.args, { more: 1 }),
    () => Object.assign(request.options, { timeoutMs: 1 }),
    () => (request.args.path as typeof args.path).parts.push("b"),
    () => Object.assign(request, { target: "other" }),
  ];
  for (const attempt of attempts) assertThrows(attempt, TypeError);
  args.path.parts.push("c");
  assertEquals(request.args, { path: { parts: ["a"] } });
});

Deno.test("InterceptedRequest.with() makes a changed request and leaves the first as it is", () => {
  const first = callOf({ path: "a" });
  const more = { path: "b", deep: {} };
  const second = first.with({ name: "write", args: more, options: { idleTimeoutMs: 4 } });
  assertEquals([first.name, first.target, first.args, first.options.idleTimeoutMs], ["read", "read", { path: "a" }, 3]);
  assertEquals([second.name, second.target, second.args], ["write", "write", more]);
  assertEquals([second.options.timeoutMs, second.options.idleTimeoutMs], [9, 4]);
  assertThrows(() => Object.assign(second.args.deep as object, { x: 1 }), TypeError);
  assertEquals([first.server, second.server, first.tool?.name, second.tool], ["files", undefined, "read", undefined]);
  const third = second.with({ name: undefined, args: undefined });
  assertEquals([third.name, third.args], ["write", more]);
  assertStrictEquals(second.with({ options: { timeoutMs: 1 } }).args, second.args);
});

Deno.test("InterceptedRequest.with() changes nothing but what can be changed", () => {
  const changes = { kind: "complete", target: "x", uri: "a:1" } as object;
  const changed = callOf({}).with(changes);
  assertEquals([changed.kind, changed.target, "uri" in changed], ["call_tool", "read", false]);
});

Deno.test("InterceptedRequest has a signal, also where it is taken away", () => {
  const request = requestOf({ kind: "list_tools", options: {} });
  assertInstanceOf(request.options.signal, AbortSignal);
  assertInstanceOf(request.with({ options: { signal: undefined } }).options.signal, AbortSignal);
  assertLessOrEqual(request.remainingMs, 60_000);
});

Deno.test("InterceptedRequest tells what it is about", () => {
  const options = { server: "files" };
  const argument = { name: "n", value: "v" };
  const requests = [
    requestOf({ kind: "list_tools", options: {} }),
    requestOf({ kind: "read_resource", uri: "a:1", options }),
    requestOf({ kind: "get_prompt", name: "greet", args: {}, options }),
    requestOf({ kind: "complete", reference: { type: "ref/prompt", name: "greet" }, argument, options }),
    requestOf({ kind: "complete", reference: { type: "ref/resource", uri: "a:{n}" }, argument, options }),
  ];
  assertEquals(requests.map(({ target }) => target), [undefined, "a:1", "greet", "greet", "a:{n}"]);
  assertEquals(requests.map(({ server }) => server), [undefined, ...Array.from({ length: 4 }, () => "files")]);
});

Deno.test("createRequest() rejects arguments that hold themselves with invalid_arguments", async () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  await failureOf(() => Promise.resolve().then(() => callOf(circle)), "invalid_arguments");
  await failureOf(() => Promise.resolve().then(() => callOf({}).with({ args: circle })), "invalid_arguments");
});
