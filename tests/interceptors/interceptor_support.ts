/**
 * What tests of interceptors have in common: a client that records, and answers as it is told.
 *
 * @module
 */

import type { FeatureClient, ResourceSubscription } from "../../src/feature_client.ts";
import { type ChainOptions, createChain } from "../../src/interceptors/chain.ts";
import type { Interceptor } from "../../src/interceptors/interceptor.ts";
import type { Tool, ToolAnnotations, ToolResult } from "../../src/protocol.ts";
import type { CallToolOptions, RequestOptions } from "../../src/tool_client.ts";

/** How a fake client answers calls. */
export type Answer = (name: string, args: Readonly<Record<string, unknown>>, options: CallToolOptions) => unknown;

/** A client in memory. */
export interface FakeClient extends FeatureClient {
  /** What was asked of it, in order: `callTool read {"a":1}`. */
  readonly asked: string[];
  /** The options it was last given. */
  readonly lastOptions: RequestOptions;
}

/** A result with one text. */
export function resultOf(text: string): ToolResult {
  return { content: [{ type: "text", text }] };
}

/** A tool of a name with annotations. */
export function toolOf(name: string, annotations: ToolAnnotations = {}): Tool {
  return { name, inputSchema: { type: "object" }, annotations };
}

/** Never settles. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

/** Lets everything that is settled be seen by those who wait for it. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

/** Settles as work does, or rejects with a signal's reason. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

/** A client that answers with the tool's name, or as told. */
export function fakeClient(
  { tools = [], answer = (name) => resultOf(name) }: { readonly tools?: readonly Tool[]; readonly answer?: Answer } =
    {},
): FakeClient {
  const asked: string[] = [];
  let lastOptions: RequestOptions = {};
  const record = <T>(what: readonly unknown[], options: RequestOptions | undefined, result: T): Promise<T> => {
    asked.push(what.map((part) => typeof part === "string" ? part : JSON.stringify(part)).join(" "));
    lastOptions = options ?? {};
    return Promise.resolve(result);
  };
  const close = () => record(["close"], {}, undefined);
  return {
    asked,
    get lastOptions() {
      return lastOptions;
    },
    async callTool(name, args = {}, options = {}) {
      await record(["callTool", name, args], options, undefined);
      return await answer(name, args, options) as ToolResult;
    },
    listTools: (options) => record(["listTools"], options, tools),
    listResources: (options) => record(["listResources"], options, [{ uri: "a:1", name: "one" }]),
    listResourceTemplates: (options) =>
      record(["listResourceTemplates"], options, [{ uriTemplate: "a:{n}", name: "n" }]),
    readResource: (uri, options) => record(["readResource", uri], options, { contents: [{ uri, text: uri }] }),
    subscribeResource: (uri, _onUpdate, options) =>
      record<ResourceSubscription>(["subscribeResource", uri], options, {
        uri,
        server: "fake",
        close: () => Promise.resolve(),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    listPrompts: (options) => record(["listPrompts"], options, [{ name: "greet" }]),
    getPrompt: (name, args, options) =>
      record(["getPrompt", name, args], options, {
        messages: [{ role: "user" as const, content: { type: "text" as const, text: name } }],
      }),
    complete: (reference, argument, options) =>
      record(["complete", reference.type, argument], options, { values: [argument.value] }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Calls a tool through interceptors, with nothing but a function behind them. */
export function callThrough(
  interceptors: readonly Interceptor[],
  options: CallToolOptions & { readonly answer?: Answer; readonly chain?: ChainOptions } = {},
): Promise<ToolResult> {
  const { answer = (name) => resultOf(name), chain, ...rest } = options;
  return createChain(interceptors, chain).run(
    { kind: "call_tool", name: "read", args: { path: "a" }, options: rest },
    async ({ name, args, options }) => await answer(name, args, options) as ToolResult,
  );
}
