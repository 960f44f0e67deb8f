import { assertEquals } from "@std/assert";
import { createGateway, digestKey } from "../../routes/mod.ts";
import { fakeDirectory } from "../gateway/gateway_support.ts";
import { startAskingServer } from "../support/asking_server.ts";
import { until } from "../support/client_support.ts";
import { startModernFeaturesServer } from "../support/modern_features_server.ts";
import {
  type Answer,
  askModern,
  type Northbound,
  type SendOptions,
  startNorthbound,
} from "../support/northbound_support.ts";

const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
const toPort = (port: string) => ({ action: "accept", content: { port } });
const textOf = ({ last }: Answer) => last.result.content[0].text;

/** Calls a tool, and again with answers as long as there are questions. */
async function callInRounds(
  url: string,
  name: string,
  args: Readonly<Record<string, unknown>>,
  // deno-lint-ignore no-explicit-any -- Tests look into questions at any depth.
  onAsked: (request: any, round: number) => unknown,
  options: SendOptions = {},
): Promise<{ answer: Answer; rounds: number }> {
  let further: Record<string, unknown> = {};
  for (let round = 1;; round++) {
    const answer = await askModern(url, "tools/call", { name, arguments: args, ...further }, {
      capabilities,
      ...options,
    });
    if (answer.last.result?.resultType !== "input_required") return { answer, rounds: round };
    const { inputRequests, requestState } = answer.last.result;
    const responses = Object.entries(inputRequests).map(([key, request]) => [key, onAsked(request, round)] as const);
    const inputResponses = Object.fromEntries(responses.filter(([, response]) => response !== undefined));
    further = { inputResponses, requestState };
  }
}

Deno.test("A modern caller is asked by a modern server in rounds, with its state sealed", async () => {
  await using server = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { features: { url: server.url } } });
  const { answer, rounds } = await callInRounds(
    north.url,
    "ask_often",
    { rounds: 3 },
    (_, round) => toPort(`P${round}`),
  );
  assertEquals([rounds, textOf(answer)], [4, "P1 → P2 → P3"]);
});

Deno.test("A modern caller is asked by a legacy server while the call waits, and nothing is sent twice", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const messages: string[] = [];
  const { answer, rounds } = await callInRounds(north.url, "ask_twice", {}, ({ method, params }, round) => {
    messages.push(`${method} ${params.message}`);
    return toPort(round === 1 ? "Genoa" : "Venice");
  });
  assertEquals(messages, ["elicitation/create From which port?", "elicitation/create To which port?"]);
  assertEquals([rounds, textOf(answer)], [3, "From Genoa to Venice"]);
  assertEquals([server.count("tools/call"), server.executions.get("ask_twice")], [1, 1]);
});

Deno.test("A modern caller who declares less in a later round is asked for nothing else", async () => {
  await using legacy = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: legacy.url } } });
  const first = await askModern(north.url, "tools/call", { name: "ask_twice" }, { capabilities });
  const { inputRequests, requestState } = first.last.result;
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, toPort("Genoa")]));
  const params = { name: "ask_twice", inputResponses, requestState };
  const { status, last: { error } } = await askModern(north.url, "tools/call", params);
  assertEquals([status, error.code, error.data.requiredCapabilities], [400, -32021, { elicitation: {} }]);
  assertEquals((await askModern(north.url, "tools/call", params)).last.error.data.code, "outcome_unknown");
  await until(() => legacy.openStreams() <= 1);
});

Deno.test("A modern caller who answers some of the questions of a legacy server is asked the others again", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const seen: number[] = [];
  const first = await askModern(north.url, "tools/call", { name: "ask_both" }, { capabilities });
  const questions = Object.keys(first.last.result.inputRequests);
  seen.push(questions.length);
  const { answer } = await callInRounds(north.url, "ask_both", {}, ({ params }, round) => {
    return round === 1 && params.message === "To?" ? undefined : toPort(params.message);
  });
  assertEquals([seen, textOf(answer)], [[2], "From? and To?"]);
});

Deno.test("A modern caller samples and lists its roots for servers of both eras", async () => {
  await using legacy = await startAskingServer();
  await using modern = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { asking: { url: legacy.url }, features: { url: modern.url } } });
  const content = { type: "text", text: "Genoa" };
  const onAsked = ({ method }: { readonly method: string }) => {
    if (method === "roots/list") return { roots: [{ uri: "file:///charts" }] };
    return method === "elicitation/create" ? toPort("Genoa") : { role: "assistant", model: "model-1", content };
  };
  assertEquals(textOf((await callInRounds(north.url, "sample", {}, onAsked)).answer), JSON.stringify(content));
  assertEquals(textOf((await callInRounds(north.url, "roots", {}, onAsked)).answer), "file:///charts");
  assertEquals(textOf((await callInRounds(north.url, "ask_all", {}, onAsked)).answer), "elicit sampling roots");
});

Deno.test("A modern caller who declared nothing is told what a server needs, with status 400", async () => {
  await using legacy = await startAskingServer();
  await using modern = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { asking: { url: legacy.url }, features: { url: modern.url } } });
  const { status, last } = await askModern(north.url, "tools/call", { name: "ask_form", arguments: { about: "a" } });
  assertEquals([status, last.error.code], [400, -32021]);
  assertEquals(Object.keys(last.error.data.requiredCapabilities), ["elicitation"]);
  const { last: other } = await askModern(north.url, "tools/call", { name: "ask" });
  assertEquals(other.result.isError, true);
});

Deno.test("A modern caller is asked in rounds for a prompt too", async () => {
  await using server = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { features: { url: server.url } } });
  const first = await askModern(north.url, "prompts/get", { name: "question" }, { capabilities });
  const { inputRequests, requestState } = first.last.result;
  assertEquals(inputRequests.asked.params.message, "Which port?");
  const answered = { name: "question", inputResponses: { asked: toPort("Genoa") }, requestState };
  const second = await askModern(north.url, "prompts/get", answered, { capabilities });
  assertEquals(second.last.result.messages[0].content.text, "Sail to Genoa");
});

Deno.test("A state opens for the request that it was made for, and every other gets the same error", async (t) => {
  await using legacy = await startAskingServer();
  await using modern = startModernFeaturesServer();
  const servers = { asking: { url: legacy.url }, features: { url: modern.url } };
  const keys = {
    Kairos: [await digestKey("kairos-key"), await digestKey("other-key")],
    Mercurius: [await digestKey("kairos-key")],
  };
  await using north = startNorthbound({ servers, gateway: { keys } });
  const headers = { authorization: "Bearer kairos-key" };
  const begin = async (name: string, args: Record<string, unknown>) => {
    const asked = await askModern(north.url, "tools/call", { name, arguments: args }, { capabilities, headers });
    const { inputRequests, requestState } = asked.last.result;
    const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, toPort("Genoa")]));
    return { name, arguments: args, inputResponses, requestState };
  };
  const refusedBy = async (params: Record<string, unknown>, options: SendOptions = {}, url = north.url) => {
    const { last } = await askModern(url, "tools/call", params, { capabilities, headers, ...options });
    const { code, message, data } = last.error;
    return { code, message, data };
  };
  const refusal = {
    code: -32602,
    message: "Cannot go on with the request as its requestState is none of this request",
    data: { code: "invalid_arguments", retryable: false },
  };

  for (const [name, args] of [["ask_often", { rounds: 1 }], ["ask", {}]] as const) {
    await t.step(`of ${name}`, async () => {
      const good = await begin(name, args);
      const state: string = good.requestState;
      const flipped = `${state.slice(0, 40)}${state[40] === "A" ? "B" : "A"}${state.slice(41)}`;
      for (const requestState of [`${state}A`, flipped, state.slice(4), "", 7, null, {}, "x".repeat(600_000)]) {
        assertEquals(await refusedBy({ ...good, requestState }), refusal);
      }
      assertEquals(await refusedBy({ ...good, arguments: { ...args, more: 1 } }), refusal);
      assertEquals(await refusedBy({ ...good, name: "sample" }), refusal);
      assertEquals(await refusedBy(good, { headers: { authorization: "Bearer other-key" } }), refusal);
      assertEquals(await refusedBy(good, {}, north.url.replace("Kairos", "Mercurius")), refusal);
      const { last } = await askModern(north.url, "tools/call", good, { capabilities, headers });
      assertEquals(last.result.resultType, "complete");
    });
  }

  await t.step("and one of a request that waited, once", async () => {
    const good = await begin("ask_twice", {});
    const { last } = await askModern(north.url, "tools/call", good, { capabilities, headers });
    assertEquals(last.result.resultType, "input_required");
    assertEquals(await refusedBy(good), refusal);
    const { last: done } = await askModern(north.url, "tools/call", {
      ...good,
      inputResponses: Object.fromEntries(Object.keys(last.result.inputRequests).map((key) => [key, toPort("Venice")])),
      requestState: last.result.requestState,
    }, { capabilities, headers });
    assertEquals(done.result.content[0].text, "From Genoa to Venice");
    assertEquals((await refusedBy({ ...good, requestState: last.result.requestState })).data.code, "outcome_unknown");
  });
});

Deno.test("Two instances with one secret share what a modern server asks, and say of what waits that they do not", async () => {
  await using legacy = await startAskingServer();
  await using modern = startModernFeaturesServer();
  const servers = { asking: { url: legacy.url }, features: { url: modern.url } };
  const storeSecret = crypto.getRandomValues(new Uint8Array(32));
  await using one = startNorthbound({ servers, storeSecret });
  await using two = startNorthbound({ servers, storeSecret });
  await using stranger = startNorthbound({ servers });

  const goOn = async (name: string, args: Record<string, unknown>, north: Northbound) => {
    const { last } = await askModern(one.url, "tools/call", { name, arguments: args }, { capabilities });
    const { inputRequests, requestState } = last.result;
    const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, toPort("Genoa")]));
    const params = { name, arguments: args, inputResponses, requestState };
    return (await askModern(north.url, "tools/call", params, { capabilities })).last;
  };
  assertEquals((await goOn("ask_often", { rounds: 1 }, two)).result.content[0].text, "Genoa");
  assertEquals((await goOn("ask_often", { rounds: 1 }, stranger)).error.code, -32602);
  const { code, data } = (await goOn("ask", {}, two)).error;
  assertEquals([code, data.code], [-32603, "outcome_unknown"]);
  assertEquals(legacy.executions.get("ask"), 1);
});

Deno.test("Answers go to the server that asked, and to no other that lists the name since", async () => {
  await using asking = startModernFeaturesServer();
  await using other = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { asking: { url: asking.url }, other: { url: other.url } } });
  const params = { name: "ask_often", arguments: { rounds: 1 } };
  const { last } = await askModern(north.url, "tools/call", params, { capabilities });
  await north.manager.openClient("Kairos").removeServer("asking");
  const { requestState } = last.result;
  const answered = { ...params, inputResponses: { asked: toPort("Genoa") }, requestState };
  const { last: refused } = await askModern(north.url, "tools/call", answered, { capabilities });
  assertEquals(refused.error?.code, -32602);
  assertEquals(other.count("tools/call"), 0);
});

for (const declared of [{}, capabilities]) {
  const what = Object.keys(declared).length === 0 ? "nothing" : "everything";
  Deno.test(`A modern caller who declares ${what} and goes away while it waits cancels the call`, async () => {
    const called = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const directory = fakeDirectory(["Kairos"], {
      callToolRouted(_name, _args, options) {
        options?.signal?.addEventListener("abort", () => cancelled.resolve());
        called.resolve();
        return new Promise(() => {});
      },
    });
    const gateway = createGateway({ directory }, { open: "loopback" });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
    const url = `http://127.0.0.1:${server.addr.port}/agents/Kairos/mcp`;
    const gone = new AbortController();
    const asked = askModern(url, "tools/call", { name: "search" }, { capabilities: declared, signal: gone.signal });
    await called.promise;
    gone.abort("gone");
    assertEquals(await asked.catch((reason) => reason), "gone");
    await cancelled.promise;
    await server.shutdown();
  });
}

Deno.test("A modern caller gets progress and log messages on the stream of its call, if it asks for them", async () => {
  await using server = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { features: { url: server.url } } });
  const steps = { name: "steps", arguments: { count: 3 } };
  const quiet = await askModern(north.url, "tools/call", steps);
  assertEquals([quiet.headers.get("content-type"), quiet.messages.length], ["application/json", 1]);
  const { headers, messages, last } = await askModern(north.url, "tools/call", steps, { meta: { progressToken: 7 } });
  assertEquals(headers.get("content-type"), "text/event-stream");
  assertEquals(messages.at(-2)?.params, { progressToken: 7, progress: 3, total: 3, message: "Step 3" });
  assertEquals(last.result.content[0].text, "done");

  const logLevel = { "io.modelcontextprotocol/logLevel": "info" };
  const logged = await askModern(north.url, "tools/call", { name: "log" }, { meta: logLevel });
  assertEquals(logged.messages.flatMap(({ params }) => params?.level ?? []), ["info", "error"]);
  assertEquals((await askModern(north.url, "tools/call", { name: "log" })).messages.length, 1);
  const json = { accept: "application/json" };
  const plain = await askModern(north.url, "tools/call", steps, { meta: { progressToken: 7 }, headers: json });
  assertEquals([plain.headers.get("content-type"), plain.messages.length], ["application/json", 1]);
  const stream = await askModern(north.url, "tools/call", steps, { headers: { accept: "text/event-stream" } });
  assertEquals([stream.headers.get("content-type"), stream.messages.length], ["text/event-stream", 1]);
});

Deno.test("The time that a caller takes to answer is none of the server's, whose own time goes on", async () => {
  await using legacy = await startAskingServer();
  const servers = { asking: { url: legacy.url, timeoutMs: 400 } };
  await using north = startNorthbound({ servers });
  const first = await askModern(north.url, "tools/call", { name: "ask" }, { capabilities });
  const { inputRequests, requestState } = first.last.result;
  const startedAt = performance.now();
  await until(() => performance.now() - startedAt > 600);
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, toPort("Genoa")]));
  const second = await askModern(north.url, "tools/call", { name: "ask", inputResponses, requestState }, {
    capabilities,
  });
  assertEquals(textOf(second), "Sail to Genoa");
  legacy.hangNext("tools/call");
  const { last } = await askModern(north.url, "tools/call", { name: "ask" }, { capabilities });
  assertEquals(last.error.data.code, "deadline_exceeded");
});
