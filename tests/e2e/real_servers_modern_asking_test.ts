/** A server of the modern era that asks in rounds: elicitation, sampling and roots by `input_required`. */

import { assertEquals } from "@std/assert";
import { type Elicitation, type InputHandlers, MultiServerMCPClient, SingleServerMCPClient } from "@portolan/mcp";
import { CANARY, failureOf, textOf } from "../support/client_support.ts";
import { startModernFeaturesServer } from "../support/modern_features_server.ts";

const ROOTS = [{ uri: "file:///charts", name: "Charts" }];

/** Handlers that answer everything, and what they were asked. */
function createHandlers() {
  const asked: Elicitation[] = [];
  const input: InputHandlers = {
    onElicit(elicitation) {
      asked.push(elicitation);
      return elicitation.mode === "url"
        ? { action: "accept" }
        : { action: "accept", content: { port: `Port of ${elicitation.message}` } };
    },
    onSample({ messages }) {
      const content = messages[0]!.content as { readonly type: "text"; readonly text: string };
      return { role: "assistant", content: { type: "text", text: `Heard ${content.text}` }, model: "pilot-1" };
    },
    onListRoots: () => ROOTS,
  };
  return { asked, input };
}

Deno.test("SingleServerMCPClient answers a modern server in rounds", async (t) => {
  await using server = startModernFeaturesServer();
  const { asked, input } = createHandlers();
  await using client = new SingleServerMCPClient("features", { url: server.url }, { input });
  const ask = async (tool: string, about: string) => JSON.parse(String(textOf(await client.callTool(tool, { about }))));

  await t.step("onElicit answers a form, and defaults stand for what is left out", async () => {
    const content = { port: "Port of salt", days: 3 };
    assertEquals(await ask("ask_form", "salt"), { about: "salt", kind: "elicit", action: "accept", content });
  });

  await t.step("onElicit is shown a page", async () => {
    assertEquals(await ask("ask_page", "pay"), { about: "pay", kind: "elicit", action: "accept" });
    const { mode, message, url } = asked.at(-1)!;
    assertEquals([mode, message, url], ["url", "pay", "https://example.com/pay?id=1"]);
  });

  await t.step("onSample answers for a model", async () => {
    const { kind, result } = await ask("ask_model", "which port");
    assertEquals([kind, result.model, result.content.text], ["sampling", "pilot-1", "Heard which port"]);
  });

  await t.step("onListRoots tells the roots", async () => {
    assertEquals(await ask("ask_roots", "where"), { about: "where", kind: "roots", roots: ROOTS });
  });

  await t.step("callTool() answers several questions of one round", async () => {
    const before = server.count("tools/call");
    assertEquals(textOf(await client.callTool("ask_all")), "elicit sampling roots");
    assertEquals(server.count("tools/call") - before, 2);
  });

  await t.step("callTool() answers several rounds, and sends the state of each back", async () => {
    const before = server.count("tools/call");
    const text = textOf(await client.callTool("ask_often", { rounds: 3 }));
    assertEquals(text, "Port of Port 1? → Port of Port 2? → Port of Port 3?");
    assertEquals(server.count("tools/call") - before, 4);
  });

  await t.step("callTool() rejects with input_required where the questions do not end", async () => {
    await failureOf(() => client.callTool("ask_often", { rounds: 1_000 }), "input_required");
  });

  await t.step("getPrompt() answers what a prompt asks", async () => {
    const { messages } = await client.getPrompt("question");
    assertEquals(messages[0]?.content, { type: "text", text: "Sail to Port of Which port?" });
  });
});

Deno.test("SingleServerMCPClient passes on that a person says no to a modern server", async () => {
  await using server = startModernFeaturesServer();
  await using client = new SingleServerMCPClient("features", { url: server.url });
  for (const action of ["decline", "cancel"] as const) {
    const input = { onElicit: () => ({ action, content: { port: "Genoa" } }) };
    const answer = JSON.parse(String(textOf(await client.callTool("ask_form", { about: "salt" }, { input }))));
    assertEquals(answer, { about: "salt", kind: "elicit", action });
  }
});

Deno.test("SingleServerMCPClient rejects with the failure of a handler that throws, without a word of it", async () => {
  await using server = startModernFeaturesServer();
  const input = { onElicit: () => Promise.reject(new Error("Not now")) };
  await using client = new SingleServerMCPClient("features", { url: server.url }, { input });
  const error = await failureOf(() => client.callTool("ask_form", { about: CANARY }), "input_required");
  assertEquals(error.message.includes("Not now"), false);
  assertEquals(server.count("tools/call"), 1, "nothing is sent after it");
});

Deno.test("SingleServerMCPClient declares to a modern server what it can answer, with each call", async () => {
  await using server = startModernFeaturesServer();
  const { input } = createHandlers();
  await using client = new SingleServerMCPClient("features", { url: server.url });
  const declared = () => {
    const { params } = server.requests.at(-1)!.body as { readonly params: { readonly _meta: Record<string, unknown> } };
    return Object.keys(params._meta["io.modelcontextprotocol/clientCapabilities"] ?? {}).sort();
  };
  await client.callTool("add", { a: 1, b: 1 }, { input });
  assertEquals(declared().filter((name) => name !== "extensions"), ["elicitation", "roots", "sampling"]);
  await client.callTool("add", { a: 1, b: 1 });
  assertEquals(declared().filter((name) => name !== "extensions"), []);
});

Deno.test("callTool() with handlers of its own is asked its own questions", async (t) => {
  await using server = startModernFeaturesServer();
  const shared: string[] = [];
  const own = (name: string, heard: string[]): InputHandlers => ({
    onElicit({ message }) {
      heard.push(message);
      return { action: "accept", content: { port: name } };
    },
  });
  const options = { input: own("shared", shared) };
  await using single = new SingleServerMCPClient("features", { url: server.url }, options);
  await using multi = new MultiServerMCPClient("Kairos", { servers: { features: { url: server.url } } }, options);
  for (const [what, client] of [["SingleServerMCPClient", single], ["MultiServerMCPClient", multi]] as const) {
    await t.step(`${what}, also of many calls at once`, async () => {
      const names = Array.from({ length: 8 }, (_, index) => `caller ${index}`);
      const heard = names.map((): string[] => []);
      const calls = names.map((name, index) => {
        return client.callTool("ask_form", { about: name }, { input: own(name, heard[index]!) });
      });
      const answers = (await Promise.all(calls)).map((result) => JSON.parse(String(textOf(result))));
      assertEquals(answers.map(({ about, content }) => [about, content.port]), names.map((name) => [name, name]));
      assertEquals(heard, names.map((name) => [name]));
      assertEquals(shared, []);
    });
  }
});
