/**
 * Fakes of the port for tests of what is built over several servers: lists that a test decides, requests that it sees.
 *
 * @module
 */

import { abortable } from "@std/async";
import { AgentContext, type AgentContextDeps } from "../../src/agent/agent_context.ts";
import { MCPError } from "../../src/errors.ts";
import type { FeatureClient } from "../../src/feature_client.ts";
import type { RequestOptions } from "../../src/tool_client.ts";
import { WorkCount } from "../../src/work_count.ts";

/** What a fake server lists; each list is read anew with every request. */
export interface FakeLists {
  /** The URIs of its resources, or a failure. */
  resources?: readonly string[] | MCPError | undefined;
  /** The texts of its templates, or a failure. */
  templates?: readonly string[] | MCPError | undefined;
  /** The names of its prompts, or a failure. */
  prompts?: readonly string[] | MCPError | undefined;
  /** What every request that is no list fails with. */
  failure?: MCPError | undefined;
  /** Lists are answered once this has settled. */
  gate?: Promise<unknown> | undefined;
}

/** A fake server. */
export interface FakeServer extends FakeLists {
  /** Every request, as its method and the name or URI, in the order of arrival. */
  readonly requests: string[];
  /** How many requests had this method. */
  count(method: string): number;
  /** The port. */
  readonly client: FeatureClient;
}

/** Makes a fake server. */
export function createFakeServer(server: string, lists: FakeLists = {}): FakeServer {
  const requests: string[] = [];
  const list = async <T>(
    kind: "resources" | "templates" | "prompts",
    { signal }: RequestOptions = {},
    toEntry: (text: string) => T,
  ) => {
    requests.push(kind);
    if (fake.gate !== undefined) await abortable(fake.gate, signal ?? new AbortController().signal);
    const entries = fake[kind] ?? [];
    if (entries instanceof MCPError) throw entries;
    return entries.map(toEntry);
  };
  const answer = <T>(request: string, result: T): Promise<T> => {
    requests.push(request);
    return fake.failure === undefined ? Promise.resolve(result) : Promise.reject(fake.failure);
  };
  const client: FeatureClient = {
    listTools: () => Promise.resolve([]),
    callTool: () => Promise.reject(new Error("No tool is called here")),
    listResources: (options) => list("resources", options, (uri) => ({ uri, name: server })),
    listResourceTemplates: (options) => list("templates", options, (uriTemplate) => ({ uriTemplate, name: server })),
    listPrompts: (options) => list("prompts", options, (name) => ({ name, description: server })),
    readResource: (uri) => answer(`read ${uri}`, { contents: [{ uri, text: server }] }),
    getPrompt: (name) => answer(`get ${name}`, { description: server, messages: [] }),
    complete: (reference, { value }) => {
      const name = reference.type === "ref/prompt" ? reference.name : reference.uri;
      return answer(`complete ${name}`, { values: [`${value}${server}`] });
    },
    subscribeResource: (uri) => {
      const close = () => Promise.resolve();
      return answer(`watch ${uri}`, { uri, server, close, [Symbol.asyncDispose]: close });
    },
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const fake: FakeServer = {
    ...lists,
    requests,
    client,
    count: (method) => requests.filter((r) => r === method).length,
  };
  return fake;
}

/** The context of an agent over fake servers, on a clock that the test moves. */
export function createTestContext<const S extends Readonly<Record<string, FakeLists>>>(
  lists: S,
  options: Partial<Pick<AgentContextDeps, "policy">> & { readonly serverTtlMs?: number } = {},
) {
  const { policy = "first", serverTtlMs } = options;
  const clock = { nowMs: 1_000_000 };
  const servers = Object.fromEntries(Object.entries(lists).map(([name, each]) => [name, createFakeServer(name, each)]));
  const closing = new AbortController();
  const memberOf = (server: string) => {
    if (!Object.hasOwn(servers, server)) throw new MCPError("server_not_found", `None of that name`, { server });
    return { client: servers[server]!.client, timeoutMs: undefined };
  };
  const context = new AgentContext({
    work: new WorkCount(),
    agent: "Kairos",
    policy,
    memberOf,
    hintsOf: () => ({ ttlMs: serverTtlMs }),
    concurrency: 8,
    ttlMs: 60_000,
    now: () => clock.nowMs,
    closed: closing.signal,
  });
  for (const name of Object.keys(servers)) context.add(name, undefined);
  const close = async () => {
    closing.abort(new MCPError("closed", "Closed"));
    await context.close();
  };
  return { context, clock, close, servers: servers as Readonly<Record<keyof S, FakeServer>> };
}
