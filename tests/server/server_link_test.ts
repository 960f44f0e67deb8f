import { assertEquals } from "@std/assert";
import { SingleServerMCPClient } from "@portolan/mcp";
import { z } from "zod";
import type { SavedConnection } from "../../src/connection/connection.ts";
import { RpcRefusal } from "../../src/connection/connection.ts";
import type { ConnectionKeeper } from "../../src/connection/opener.ts";
import { Deadline } from "../../src/deadline.ts";
import type { InputHandlers } from "../../src/input.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { ServerLink, type ServerLinkDeps } from "../../src/server/server_link.ts";
import { hang } from "../support/behaviours.ts";
import { CANARY, failureOf, textOf, until } from "../support/client_support.ts";
import { createTestResponder, createTestSession } from "../support/connection_support.ts";
import { refusedUrl, startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { type TestTool, textResult } from "../support/test_tools.ts";

const { signal } = new AbortController();
const FORM = { mode: "form", message: "Name?", requestedSchema: { type: "object", properties: {} } } as const;

function createLink(url = refusedUrl(), more: Partial<ServerLinkDeps> = {}): ServerLink {
  const { send, now } = createTestSession(url);
  return new ServerLink({
    server: "files",
    url: new URL(url),
    transport: "streamable_http",
    era: "legacy",
    send,
    now,
    ...more,
  });
}

/** What a link answers to a question that belongs to no request: the result, or the code of the refusal. */
async function answerOf(link: ServerLink, method = "elicitation/create"): Promise<unknown> {
  return await link.answer(method, {}, signal).catch((error) => error instanceof RpcRefusal ? error.code : error);
}

const named = (name: string) => createTestResponder(() => ({ name }));

Deno.test("ServerLink.answer() turns to the only request there is, and refuses where it could be another's", async () => {
  const link = createLink();
  assertEquals(await answerOf(link), -32601);
  const use = link.use(named("a"));
  assertEquals(await answerOf(link), { name: "a" });
  const silent = link.use(undefined);
  assertEquals(await answerOf(link), -32601, "it may be a question to the other");
  use[Symbol.dispose]();
  assertEquals(await answerOf(link), -32601, "the only one answers nothing");
  silent[Symbol.dispose]();
  using _one = link.use(named("b"));
  {
    using _other = link.use(named("c"));
    assertEquals(await answerOf(link), -32601);
  }
  assertEquals(await answerOf(link), { name: "b" });
  await link.close();
});

Deno.test("ServerLink.answer() turns to the client's own handlers, unless something runs that has others", async () => {
  const responder = named("client");
  const link = createLink(undefined, { responder });
  assertEquals([await answerOf(link), link.capabilities], [{ name: "client" }, { elicitation: { form: {} } }]);
  using _one = link.use(responder);
  using _other = link.use(responder);
  assertEquals(await answerOf(link), { name: "client" }, "whichever asks, they answer");
  for (const others of [named("a"), undefined]) {
    using _another = link.use(others);
    assertEquals(await answerOf(link), -32601);
  }
  assertEquals(await answerOf(link), { name: "client" });
  await link.close();
});

Deno.test("ServerLink.answer() ends a question with the only request there is", async () => {
  const link = createLink();
  const responder = createTestResponder(({ signal }) => {
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
  });
  const use = link.use(responder);
  const answering = answerOf(link);
  use[Symbol.dispose]();
  assertEquals([(await answering as Error).message, responder.asked[0]?.signal.aborted], [
    "The request has settled",
    true,
  ]);
  await link.close();
});

Deno.test("ServerLink.answer() answers a ping, whoever is there", async () => {
  const link = createLink();
  assertEquals(await answerOf(link, "ping"), {});
  await link.close();
});

Deno.test("ServerLink.notice() tells every view, until it is taken away", async () => {
  const link = createLink();
  const told: string[] = [];
  const view = (name: string) => ({ onNotice: () => void told.push(name), onGap: () => {} });
  const detach = link.attach(view("a"));
  link.attach(view("b"));
  link.notice({ method: "notifications/message" });
  detach();
  link.notice({ method: "notifications/message" });
  assertEquals(told, ["a", "b", "b"]);
  await link.close();
});

Deno.test("ServerLink says the log level and the subscriptions to each new legacy session, and to none twice", async () => {
  await using server = await startMCPServer();
  const link = createLink(server.url);
  link.logFrom("warning");
  link.subscribe("file:///a");
  link.subscribe("file:///a");
  link.subscribe("file:///b");
  using deadline = new Deadline(10_000);
  for (let sessions = 1; sessions <= 2; sessions++) {
    const connection = await link.connector.ensure(deadline, 10_000);
    assertEquals(await link.connector.ensure(deadline, 10_000), connection);
    await until(() => server.count("resources/subscribe") === 2 * sessions);
    assertEquals([server.count("logging/setLevel"), server.count("initialize")], [sessions, sessions]);
    link.connector.renew(connection);
  }
  await link.close();
});

Deno.test("ServerLink.unsubscribe() tells a legacy session of the last one, where there is somebody left", async () => {
  await using server = await startMCPServer();
  const link = createLink(server.url);
  const detach = link.attach({ onNotice: () => {}, onGap: () => {} });
  using deadline = new Deadline(10_000);
  await link.connector.ensure(deadline, 10_000);
  for (const uri of ["a", "a", "b"]) link.subscribe(uri);
  await link.unsubscribe("a");
  assertEquals([server.count("resources/unsubscribe"), link.isSubscribed("a")], [0, true]);
  await link.unsubscribe("a");
  assertEquals([server.count("resources/unsubscribe"), link.isSubscribed("a")], [1, false]);
  detach();
  await link.unsubscribe("b");
  assertEquals(server.count("resources/unsubscribe"), 1);
  await link.close();
});

Deno.test("ServerLink.close() ends what is being said on the side", async () => {
  await using server = startRawServer({ "logging/setLevel": hang, "resources/subscribe": hang });
  const link = createLink(server.url);
  link.logFrom("info");
  link.subscribe("file:///a");
  using deadline = new Deadline(10_000);
  await link.connector.ensure(deadline, 10_000);
  await until(() => server.openStreams() === 2);
  await link.close();
  await until(() => server.openStreams() === 0);
});

/** A tool that asks the person: on the stream of its call, or beside it. */
function asking(where: "stream" | "beside", answers: unknown[] = []): TestTool {
  return {
    name: "ask",
    run: async (_args, { sendRequest }) => {
      const request = { method: "elicitation/create", params: FORM } as const;
      const [mcp] = servers;
      const answer = where === "stream"
        ? await sendRequest(request, z.looseObject({})).catch(String)
        : await mcp?.().elicitInput(FORM).catch(String);
      answers.push(answer);
      return textResult(JSON.stringify(answer));
    },
  };
}

/** The SDK server of the live session of the test under way. */
const servers: (() => { elicitInput(params: typeof FORM): Promise<unknown> })[] = [];

const says = (name: string): InputHandlers => ({ onElicit: () => ({ action: "accept", content: { name } }) });
const said = (name: string) => JSON.stringify({ action: "accept", content: { name } });

for (const where of ["stream", "beside"] as const) {
  Deno.test(`SingleServerMCPClient.callTool() answers a real legacy server that asks ${where} the call`, async () => {
    await using server = await startMCPServer({ tools: [asking(where)] });
    servers.splice(0, 1, () => server.live.at(-1)!.server);
    await using own = new SingleServerMCPClient("files", { url: server.url }, { input: says("client") });
    assertEquals(textOf(await own.callTool("ask")), said("client"));
    await using client = new SingleServerMCPClient("files", { url: server.url });
    assertEquals(textOf(await client.callTool("ask", {}, { input: says("call") })), said("call"));
    await client.close();
    await own.close();
    await until(() => server.openStreams() === 0 && server.sessions.length === 0);
  });
}

Deno.test("SingleServerMCPClient.callTool() answers a real server of 2024-11-05, on whose one stream all is asked", async () => {
  await using server = await startMCPServer({ tools: [asking("stream")], transport: "sse" });
  await using client = new SingleServerMCPClient("files", { url: server.url, transport: "sse" });
  assertEquals(textOf(await client.callTool("ask", {}, { input: says("call") })), said("call"));
  const fails: InputHandlers = {
    onElicit: () => {
      throw new Error(CANARY);
    },
  };
  const refused = textOf(await client.callTool("ask", {}, { input: fails }));
  assertEquals(refused, JSON.stringify("McpError: MCP error -32603: The request could not be answered"));
  assertEquals(textOf(await client.callTool("ask")), JSON.stringify("McpError: MCP error -32601: Method not found"));
  await until(() => server.openStreams() === 1);
  await client.close();
  await until(() => server.openStreams() === 0);
});

Deno.test("SingleServerMCPClient.callTool() answers a legacy server beside two calls where the same handlers are both's", async () => {
  await using server = await startMCPServer({
    tools: [asking("beside"), { name: "hang", run: () => new Promise(() => {}) }],
  });
  servers.splice(0, 1, () => server.live.at(-1)!.server);
  for (const [input, expected] of [[undefined, "Method not found"], [says("client"), said("client")]] as const) {
    await using client = new SingleServerMCPClient("files", { url: server.url }, { input });
    // Each call makes a responder of its own of what it is given.
    const call = input === undefined ? { input: says("call") } : {};
    const controller = new AbortController();
    const other = client.callTool("hang", {}, { ...call, signal: controller.signal }).catch((error) => error);
    await until(() => server.executions.get("hang") === (input === undefined ? 1 : 2));
    const text = String(textOf(await client.callTool("ask", {}, call)));
    assertEquals(text.includes(expected), true, text);
    controller.abort("enough");
    assertEquals(await other, "enough");
  }
});

Deno.test("SingleServerMCPClient.callTool() opens a session that declares a call's handlers once, and running calls finish", async () => {
  const gate = Promise.withResolvers<void>();
  const slow: TestTool = { name: "slow", run: async () => (await gate.promise, textResult("slow")) };
  await using server = await startMCPServer({ tools: [asking("stream"), slow, { name: "quick" }] });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const running = client.callTool("slow");
  await until(() => server.executions.get("slow") === 1);
  const [first] = server.sessions;
  for (let calls = 0; calls < 3; calls++) {
    assertEquals(textOf(await client.callTool("ask", {}, { input: says("call") })), said("call"));
  }
  assertEquals([server.count("initialize"), server.sessions.includes(first!)], [2, true]);
  gate.resolve();
  assertEquals([textOf(await running), server.executions.get("slow")], ["slow", 1]);
  await until(() => !server.sessions.includes(first!));
  assertEquals(textOf(await client.callTool("quick")), "ok");
  assertEquals([server.count("initialize"), server.sessions.length, client.getStatus().breaker], [2, 1, "closed"]);
  const declared = server.requests.filter(({ rpcMethod }) => rpcMethod === "initialize").map(({ body }) => {
    return ((body as JsonObject).params as JsonObject).capabilities;
  });
  assertEquals(declared, [{}, { elicitation: { form: {}, url: {} } }]);
});

Deno.test("SingleServerMCPClient.callTool() adds up what the handlers of calls can answer", async () => {
  await using server = await startMCPServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const roots = { onListRoots: () => [] };
  for (const input of [says("a"), roots, { ...says("b"), ...roots }, undefined]) {
    await client.callTool("whoami", {}, { input });
  }
  assertEquals(server.count("initialize"), 2);
  await until(() => server.sessions.length === 1);
});

/** A keeper of sessions that may have kept a connection. */
function keeping(saved?: SavedConnection): ConnectionKeeper & { readonly saves: SavedConnection[] } {
  const saves: SavedConnection[] = [];
  return {
    saves,
    keepsSessions: true,
    load: () => {
      const kept = saves.at(-1) ?? saved;
      return Promise.resolve(kept && { ...kept, atMs: Date.now() });
    },
    save: (next) => Promise.resolve(void saves.push(next)),
    forget: () => Promise.resolve(),
  };
}

for (
  const [kept, responder, resumes] of [
    [undefined, undefined, true],
    [[], undefined, true],
    [["elicitation", "elicitation.form"], createTestResponder(), true],
    [undefined, createTestResponder(), false],
    [["elicitation"], createTestResponder(), false],
    [["elicitation", "elicitation.form", "roots"], createTestResponder(), false],
    [["roots"], undefined, false],
  ] as const
) {
  Deno.test(`ServerLink goes on from a session that declared ${kept}: ${resumes}, with ${responder?.capabilities}`, async () => {
    await using server = await startMCPServer();
    const other = createLink(server.url, { keeper: keeping(), era: "legacy", responder });
    using deadline = new Deadline(10_000);
    const { saved } = await other.connector.ensure(deadline, 10_000);
    await other.close();
    const keeper = keeping({ ...saved, declared: kept });
    const link = createLink(server.url, { keeper, responder });
    const connection = await link.connector.ensure(deadline, 10_000);
    assertEquals([connection.resumed, server.count("initialize")], [resumes, resumes ? 1 : 2]);
    assertEquals(connection.declared, responder === undefined ? [] : ["elicitation", "elicitation.form"]);
    await link.close();
  });
}

const hanging = new Promise<never>(() => {});

for (const [how, kept] of [["hangs", () => hanging], ["rejects", () => Promise.reject(new Error(CANARY))]] as const) {
  Deno.test(`ServerLink connects, and connects again, where what keeps its connections ${how}`, async () => {
    await using server = await startMCPServer();
    const keeper: ConnectionKeeper = { keepsSessions: true, load: kept, save: kept, forget: kept };
    const link = createLink(server.url, { keeper, keeperTimeoutMs: 5 });
    using deadline = new Deadline(10_000);
    const first = await link.connector.ensure(deadline, 10_000);
    link.connector.renew(first);
    await link.connector.ensure(deadline, 10_000);
    assertEquals(server.count("initialize"), 2);
    await link.close();
  });
}

Deno.test("SingleServerMCPClient.callTool() rejects with closed while its question is open, and the handler is told", async () => {
  await using server = await startMCPServer({ tools: [asking("stream")] });
  const client = new SingleServerMCPClient("files", { url: server.url });
  let told: AbortSignal | undefined;
  const input: InputHandlers = {
    onElicit: (_, context) => {
      told = context.signal;
      return new Promise(() => {});
    },
  };
  const call = failureOf(() => client.callTool("ask", {}, { input }), "closed");
  await until(() => told !== undefined);
  await client.close();
  await call;
  assertEquals(told?.aborted, true);
  await until(() => server.openStreams() === 0);
});
