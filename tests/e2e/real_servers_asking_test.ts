/** The reference server over both transports: what it asks of the side that calls it. */

import { assertEquals, assertMatch } from "@std/assert";
import {
  type Elicitation,
  type ElicitationAnswer,
  type InputContext,
  MultiServerMCPClient,
  type SamplingRequest,
  SingleServerMCPClient,
  type ToolResult,
} from "@portolan/mcp";
import { failureOf, textOf } from "../support/client_support.ts";
import { startEverything } from "../support/everything.ts";

const FORM = "trigger-elicitation-request";
const PAGE = "trigger-url-elicitation";
/** What the form of the reference server has where a field is left out. */
const DEFAULTS = {
  firstLine: "It was a dark and stormy night.",
  integer: 42,
  number: 3.14,
  untitledSingleSelectEnum: "Monica",
  untitledMultipleSelectEnum: ["Guitar"],
  titledSingleSelectEnum: "hero-1",
  titledMultipleSelectEnum: ["fish-1"],
  legacyTitledEnum: "pet-1",
};

for (const transport of ["streamableHttp", "sse"] as const) {
  Deno.test(`SingleServerMCPClient answers server-everything over ${transport}`, async (t) => {
    await using server = await startEverything(transport);
    const asked: { readonly elicitation: Elicitation; readonly context: InputContext }[] = [];
    const sampled: SamplingRequest[] = [];
    let answer: ElicitationAnswer = { action: "accept" };
    await using client = new SingleServerMCPClient("everything", { url: server.url }, {
      input: {
        onElicit(elicitation, context) {
          asked.push({ elicitation, context });
          return answer;
        },
        onSample(request) {
          sampled.push(request);
          const content = { type: "text" as const, text: "Genoa" };
          return { role: "assistant", content, model: "pilot-1", stopReason: "endTurn" };
        },
        onListRoots: () => [{ uri: "file:///charts", name: "Charts" }],
      },
    });
    await client.connect();

    await t.step("onElicit is shown the form, and defaults stand for what is left out", async () => {
      answer = { action: "accept", content: { name: "Ada", check: true } };
      const result = await client.callTool(FORM);
      assertEquals(rawOf(result), { action: "accept", content: { ...DEFAULTS, name: "Ada", check: true } });
      const { elicitation, context } = asked.at(-1)!;
      assertEquals([elicitation.mode, context.server], ["form", "everything"]);
      assertEquals(elicitation.mode === "form" && elicitation.requestedSchema.required, ["name"]);
    });

    await t.step("onElicit overrides defaults", async () => {
      answer = { action: "accept", content: { name: "Ada", integer: 7, titledMultipleSelectEnum: ["fish-2"] } };
      const expected = { ...DEFAULTS, name: "Ada", integer: 7, titledMultipleSelectEnum: ["fish-2"] };
      assertEquals(rawOf(await client.callTool(FORM)), { action: "accept", content: expected });
    });

    for (const action of ["decline", "cancel"] as const) {
      await t.step(`onElicit that answers ${action} sends no content`, async () => {
        answer = { action, content: { name: "Ada" } };
        assertEquals(rawOf(await client.callTool(FORM)), { action });
      });
    }

    await t.step("onElicit is shown a page", async () => {
      answer = { action: "accept" };
      const url = "https://example.com/pay?order=7";
      const result = await client.callTool(PAGE, { url, message: "Pay here", elicitationId: "order-7" });
      assertEquals(rawOf(result), { action: "accept" });
      const { elicitation } = asked.at(-1)!;
      const seen = elicitation.mode === "url" ? [elicitation.url, elicitation.elicitationId] : [];
      assertEquals([...seen, elicitation.message], [url, "order-7", "Pay here"]);
    });

    await t.step("onElicit is shown the page that a server wants visited first, and the call goes on", async () => {
      const before = asked.length;
      const result = await client.callTool(PAGE, { url: "https://example.com/pay", errorPath: true });
      assertEquals(rawOf(result), { action: "accept" });
      const urls = asked.slice(before).map(({ elicitation }) => elicitation.url);
      assertEquals(urls, ["https://modelcontextprotocol.io", "https://example.com/pay"]);
    });

    await t.step("onSample answers for a model", async () => {
      const result = await client.callTool("trigger-sampling-request", { prompt: "Which port?", maxTokens: 9 });
      assertMatch(String(textOf(result)), /"text": "Genoa"/);
      assertMatch(String(textOf(result)), /"model": "pilot-1"/);
      const { maxTokens, systemPrompt, temperature, messages } = sampled[0]!;
      assertEquals([maxTokens, systemPrompt, temperature], [9, "You are a helpful test server.", 0.7]);
      assertMatch(JSON.stringify(messages), /Which port\?/);
    });

    await t.step("onListRoots tells the roots", async () => {
      const text = String(textOf(await client.callTool("get-roots-list")));
      assertMatch(text, /1\. Charts\n {3}URI: file:\/\/\/charts\n/);
    });
  });
}

Deno.test("SingleServerMCPClient is offered no tool that needs what its handlers cannot do", async () => {
  await using server = await startEverything("streamableHttp");
  const onElicit = () => ({ action: "decline" as const });
  await using client = new SingleServerMCPClient("everything", { url: server.url }, {
    input: { onElicit, elicitationModes: ["form"] },
  });
  const names = (await client.listTools()).map(({ name }) => name);
  assertEquals([FORM, PAGE, "trigger-sampling-request", "get-roots-list"].filter((name) => names.includes(name)), [
    FORM,
  ]);
});

Deno.test("MultiServerMCPClient tells its handlers which server asks", async () => {
  await using http = await startEverything("streamableHttp");
  await using sse = await startEverything("sse");
  const asking: string[] = [];
  const onElicit = (_: Elicitation, { server }: InputContext) => {
    asking.push(server);
    return { action: "accept" as const, content: { name: server } };
  };
  const servers = { http: { url: http.url }, old: { url: sse.url } };
  await using client = new MultiServerMCPClient("Kairos", { servers }, { input: { onElicit } });
  await client.connectToServers();
  const [first, second] = await Promise.all([client.callTool(`http__${FORM}`), client.callTool(`old__${FORM}`)]);
  assertEquals([rawOf(first), rawOf(second)], [
    { action: "accept", content: { ...DEFAULTS, name: "http" } },
    { action: "accept", content: { ...DEFAULTS, name: "old" } },
  ]);
  assertEquals(asking.sort(), ["http", "old"]);
  await failureOf(() => client.callTool("http__get-roots-list"), "tool_not_found");
});

/** What the reference server was answered, as it shows it. */
function rawOf({ content }: ToolResult): unknown {
  const [shown] = content.flatMap((block) => block.type === "text" ? block.text.split("Raw result: ").slice(1) : []);
  return shown === undefined ? content : JSON.parse(shown);
}
