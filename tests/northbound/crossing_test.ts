/** Callers of one agent whose ids and tokens are the same, at once, over the one connection to a server. */

import { assertEquals } from "@std/assert";
import { z } from "zod";
import { digestKey } from "../../src/callers/keys.ts";
import { textOf } from "../support/client_support.ts";
import { startMCPServer, type TestMCPServer } from "../support/mcp_server.ts";
import { beginSession, messagesOf, open, startNorthbound, toModern } from "../support/northbound_support.ts";
import { textResult } from "../support/test_tools.ts";

const FORM = { type: "object", properties: { port: { type: "string" } }, required: ["port"] };
const ID = 1;
const TOKEN = "t";

/** A server whose tool tells, logs and asks with the name of who called, once as many as that have called. */
function startCrossing(callers: number, onAllCalled: () => Promise<void> = () => Promise.resolve()) {
  const all = Promise.withResolvers<void>();
  let waiting = 0;
  return startMCPServer({
    configure: ({ server }) => server.registerCapabilities({ logging: {} }),
    tools: [{
      name: "sail",
      inputSchema: { who: z.string() },
      async run({ who }, { _meta, sendNotification, sendRequest }) {
        if (++waiting === callers) onAllCalled().then(all.resolve, all.reject);
        await all.promise;
        const progressToken = _meta?.progressToken ?? "none";
        await sendNotification({
          method: "notifications/progress",
          params: { progressToken, progress: 1, message: String(who) },
        });
        await sendNotification({ method: "notifications/message", params: { level: "error", data: who } });
        const params = { message: String(who), requestedSchema: FORM };
        const question = { method: "elicitation/create", params } as never;
        const { content } = await sendRequest(question, z.looseObject({}));
        return textResult(`${who} ${Object(content).port}`);
      },
    }],
  });
}

const toContent = (who: unknown) => ({ action: "accept", content: { port: `for ${who}` } });

/** What a caller has heard: who the notices and questions were about, and the text of the result. */
interface Heard {
  readonly about: readonly unknown[];
  readonly text: unknown;
}

async function callLegacy(url: string, key: string, who: string): Promise<Heard> {
  const authorization = { authorization: `Bearer ${key}` };
  const { headers, post } = await beginSession(url, { elicitation: {} }, authorization);
  const params = { name: "sail", arguments: { who }, _meta: { progressToken: TOKEN } };
  const response = await open(url, { jsonrpc: "2.0", id: ID, method: "tools/call", params }, headers);
  const about: unknown[] = [];
  for await (const { id, method, params, result } of messagesOf(response)) {
    if (method === undefined) return { about: [...about, id], text: textOf(result) };
    about.push(params.data ?? params.message);
    if (id !== undefined) await post({ id, result: toContent(params.message) });
  }
  throw new Error("The stream ended without a response");
}

async function callModern(url: string, key: string, who: string): Promise<Heard> {
  const about: unknown[] = [];
  const ask = async (more: Readonly<Record<string, unknown>>) => {
    const { headers, body } = toModern("tools/call", { name: "sail", arguments: { who }, ...more }, {
      id: ID,
      capabilities: { elicitation: {} },
      meta: { progressToken: TOKEN, "io.modelcontextprotocol/logLevel": "info" },
      headers: { authorization: `Bearer ${key}` },
    });
    for await (const { id, method, params, result } of messagesOf(await open(url, body, headers))) {
      if (method === undefined) return { id, result };
      about.push(params.data ?? params.message);
    }
    throw new Error("The stream ended without a response");
  };
  const { result: { inputRequests, requestState } } = await ask({});
  const questions = Object.entries<{ readonly params: { readonly message: unknown } }>(inputRequests);
  for (const [, { params }] of questions) about.push(params.message);
  const inputResponses = Object.fromEntries(questions.map(([key, { params }]) => [key, toContent(params.message)]));
  const { id, result } = await ask({ inputResponses, requestState });
  return { about: [...about, id], text: textOf(result) };
}

Deno.test("Callers of both eras with equal ids and tokens get each its own progress, logs, questions and result", async () => {
  const calls = [callLegacy, callLegacy, callModern, callModern];
  await using server = await startCrossing(calls.length);
  const keys = { Kairos: [await digestKey("one-key"), await digestKey("two-key")] };
  await using north = startNorthbound({ servers: { crossing: { url: server.url } }, gateway: { keys } });
  const heard = await Promise.all(
    calls.map((call, index) => call(north.url, index % 2 === 0 ? "one-key" : "two-key", `who-${index}`)),
  );
  for (const [index, { about, text }] of heard.entries()) {
    const who = `who-${index}`;
    assertEquals(about, [who, who, who, ID]);
    assertEquals(text, `${who} for ${who}`);
  }
  assertEquals(server.sessions.length, 1);
});

Deno.test("A cancellation of one session leaves the equal id of another alone", async () => {
  await using server = await startCrossing(2);
  await using north = startNorthbound({ servers: { crossing: { url: server.url } } });
  const sessions = [
    await beginSession(north.url, { elicitation: {} }),
    await beginSession(north.url, { elicitation: {} }),
  ];
  const streams = await Promise.all(sessions.map(async ({ headers }, index) => {
    const params = { name: "sail", arguments: { who: `who-${index}` } };
    const response = await open(north.url, { jsonrpc: "2.0", id: ID, method: "tools/call", params }, headers);
    const messages = messagesOf(response);
    for await (const message of { [Symbol.asyncIterator]: () => ({ next: () => messages.next() }) }) {
      if (message.id !== undefined) return { messages, question: message };
    }
    throw new Error("The stream ended without a question");
  }));
  await sessions[0]?.post({ method: "notifications/cancelled", params: { requestId: ID } });
  const first = [];
  for await (const { method } of streams[0]?.messages ?? []) first.push(method);
  assertEquals(first, ["notifications/cancelled"]);
  await sessions[1]?.post({ id: streams[1]?.question.id, result: toContent("who-1") });
  const { value } = await streams[1]?.messages.next() ?? {};
  assertEquals([value.id, textOf(value.result)], [ID, "who-1 for who-1"]);
  await streams[1]?.messages.return(undefined);
});

Deno.test("A server that asks outside of requests, while two sessions call, is answered by neither", async () => {
  const answers: unknown[] = [];
  const server: TestMCPServer = await startCrossing(2, async () => {
    const params = { message: "Whose am I?", requestedSchema: FORM } as never;
    answers.push(await server.live[0]?.server.elicitInput(params).catch((error) => error.code));
  });
  await using _ = server;
  await using north = startNorthbound({ servers: { crossing: { url: server.url } } });
  const heard = await Promise.all(["who-0", "who-1"].map((who) => callLegacy(north.url, "", who)));
  assertEquals(answers, [-32601]);
  assertEquals(heard.map(({ about }) => about.filter((one) => one === "Whose am I?")), [[], []]);
});
