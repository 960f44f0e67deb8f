/** Handlers of one call, with legacy servers: the session is opened anew where it was not told of them. */

import { assertEquals } from "@std/assert";
import { z } from "zod";
import { type InputHandlers, MultiServerMCPClient, SingleServerMCPClient } from "@portolan/mcp";
import { failureOf, textOf } from "../support/client_support.ts";
import { startEverything } from "../support/everything.ts";
import { startMCPServer, type TestMCPServerOptions } from "../support/mcp_server.ts";
import type { RecordedRequest } from "../support/recorder.ts";
import { startRecordingProxy } from "../support/recording_proxy.ts";
import { defaultTools, type TestTool, textResult } from "../support/test_tools.ts";

const FORM = "trigger-elicitation-request";
const TRANSPORTS = ["streamable_http", "sse"] as const;
const ASK: TestTool = {
  name: "ask",
  inputSchema: { about: z.string() },
  async run({ about }, { sendRequest }) {
    const requestedSchema = { type: "object" as const, properties: { port: { type: "string" as const } } };
    const params = { message: String(about), requestedSchema };
    const answer = await sendRequest({ method: "elicitation/create", params }, z.looseObject({}));
    return textResult(`${about}: ${JSON.stringify(answer)}`);
  },
};

const start = (transport: TestMCPServerOptions["transport"] & string) =>
  startMCPServer({ transport, tools: [...defaultTools("legacy"), ASK] });

function own(port: string, heard: string[] = []): InputHandlers {
  return {
    onElicit({ message }) {
      heard.push(message);
      return { action: "accept", content: { port } };
    },
  };
}

/** What the sessions were told; what is posted to an SSE endpoint only tries for the other transport. */
function declaredIn(requests: readonly RecordedRequest[]): readonly unknown[] {
  return requests.filter(({ rpcMethod, path }) => rpcMethod === "initialize" && path !== "/sse").map(({ body }) =>
    (body as { readonly params: { readonly capabilities: unknown } }).params.capabilities
  );
}

for (const transport of TRANSPORTS) {
  Deno.test(`callTool() with handlers of its own opens the session anew, once, over ${transport}`, async () => {
    await using server = await start(transport);
    await using client = new SingleServerMCPClient("legacy", { url: server.url });
    await client.connect();
    const declared = { elicitation: { form: {}, url: {} } };
    assertEquals(declaredIn(server.requests), [{}]);
    for (const port of ["Genoa", "Venice"]) {
      const result = await client.callTool("ask", { about: "Which?" }, { input: own(port) });
      assertEquals(textOf(result), `Which?: {"action":"accept","content":{"port":"${port}"}}`);
    }
    assertEquals(textOf(await client.callTool("echo", { text: "after" })), "after");
    assertEquals(declaredIn(server.requests), [{}, declared]);
    assertEquals(server.executions.get("ask"), 2);
    assertEquals(server.sessions.length, 1, "the session of before is ended");
  });

  Deno.test(`callTool() with handlers of its own adds to what the session was told over ${transport}`, async () => {
    await using server = await start(transport);
    const input: InputHandlers = { onListRoots: () => [] };
    await using client = new SingleServerMCPClient("legacy", { url: server.url }, { input });
    await client.connect();
    await client.callTool("ask", { about: "Which?" }, { input: own("Genoa") });
    const [first, second, ...others] = declaredIn(server.requests) as readonly Record<string, unknown>[];
    assertEquals([Object.keys(first!), Object.keys(second!).sort(), others], [["roots"], ["elicitation", "roots"], []]);
  });

  Deno.test(`callTool() without handlers fails the tool that asks over ${transport}`, async () => {
    await using server = await start(transport);
    await using client = new SingleServerMCPClient("legacy", { url: server.url });
    assertEquals((await client.callTool("ask", { about: "Which?" })).isError, true);
  });

  Deno.test(`MultiServerMCPClient.callTool() with handlers of its own asks them over ${transport}`, async () => {
    await using server = await start(transport);
    await using client = new MultiServerMCPClient("Kairos", { servers: { legacy: { url: server.url } } });
    await client.connectToServers();
    const result = await client.callTool("ask", { about: "Which?" }, { input: own("Genoa") });
    assertEquals(textOf(result), 'Which?: {"action":"accept","content":{"port":"Genoa"}}');
  });

  Deno.test(`callTool() of two calls at once is never asked what the other is over ${transport}`, async () => {
    await using server = await start(transport);
    await using client = new SingleServerMCPClient("legacy", { url: server.url });
    await client.connect();
    const names = ["first", "second"];
    const heard = names.map((): string[] => []);
    const results = await Promise.all(names.map((name, index) => {
      return client.callTool("ask", { about: name }, { input: own(name, heard[index]!) });
    }));
    for (const [index, name] of names.entries()) {
      assertEquals(heard[index]!.filter((about) => about !== name), []);
      // The stream of SSE does not tell whose a question is: of several calls it is refused.
      const { isError } = results[index]!;
      assertEquals([isError, heard[index]!.length], transport === "sse" ? [true, 0] : [undefined, 1]);
    }
  });
}

Deno.test("callTool() with handlers of its own reaches a tool that server-everything has for them alone", async () => {
  await using server = await startEverything("streamableHttp");
  await using proxy = startRecordingProxy(server.url);
  await using client = new SingleServerMCPClient("everything", { url: proxy.url });
  assertEquals(textOf(await client.callTool("echo", { message: "before" })), "Echo: before");
  const result = await client.callTool(FORM, {}, { input: own("Genoa") });
  assertEquals([result.isError, JSON.stringify(result.content).includes("Genoa")], [undefined, true]);
  assertEquals(textOf(await client.callTool("echo", { message: "after" })), "Echo: after");
  assertEquals(declaredIn(proxy.requests), [{}, { elicitation: { form: {}, url: {} } }]);
  assertEquals((await client.callTool(FORM)).isError, true, "the session knows the tool, but nobody answers");
  assertEquals((await client.listTools({ refresh: true })).some(({ name }) => name === FORM), true);
  await failureOf(() => client.callTool("get-roots-list"), "tool_not_found");
});
