import { assertEquals, assertMatch } from "@std/assert";
import { startAskingServer } from "../support/asking_server.ts";
import { startModernFeaturesServer } from "../support/modern_features_server.ts";
import { beginSession, startNorthbound } from "../support/northbound_support.ts";

const ALL = { elicitation: {}, sampling: {}, roots: {} };
const toPort = (port: string) => ({ action: "accept", content: { port } });
const textOf = (message: { readonly result: { readonly content: readonly { readonly text: string }[] } }) =>
  message.result.content[0]?.text;

Deno.test("A legacy caller with a session is asked by a legacy server, on the stream of its call", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const asked: string[] = [];
  const { last } = await session.call("tools/call", { name: "ask_twice" }, ({ method, params }) => {
    asked.push(`${method} ${params.message}`);
    return { result: toPort(asked.length === 1 ? "Genoa" : "Venice") };
  });
  assertEquals(asked, ["elicitation/create From which port?", "elicitation/create To which port?"]);
  assertEquals(textOf(last), "From Genoa to Venice");
  assertEquals(server.executions.get("ask_twice"), 1);
});

Deno.test("A legacy caller with a session answers several questions at once, in any order", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const { last } = await session.call("tools/call", { name: "ask_both" }, ({ params }) => {
    return { result: toPort(params.message === "From?" ? "Genoa" : "Venice") };
  });
  assertEquals(textOf(last), "Genoa and Venice");
});

Deno.test("A legacy caller with a session samples and lists its roots for a legacy server", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const sampled = await session.call("tools/call", { name: "sample" }, ({ method, params }) => {
    assertEquals([method, params.maxTokens], ["sampling/createMessage", 9]);
    return { result: { role: "assistant", model: "model-1", content: { type: "text", text: "Genoa" } } };
  });
  assertEquals(textOf(sampled.last), '{"type":"text","text":"Genoa"}');
  const listed = await session.call(
    "tools/call",
    { name: "roots" },
    () => ({ result: { roots: [{ uri: "file:///a" }] } }),
  );
  assertEquals(textOf(listed.last), "file:///a");
});

Deno.test("A legacy caller with a session is asked by a modern server as by any other", async () => {
  await using server = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { features: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const { last } = await session.call("tools/call", { name: "ask_all" }, ({ method }) => {
    if (method === "roots/list") return { result: { roots: [] } };
    if (method === "elicitation/create") return { result: toPort("Genoa") };
    return { result: { role: "assistant", model: "model-1", content: { type: "text", text: "Genoa" } } };
  });
  assertEquals(textOf(last), "elicit sampling roots");
  assertEquals(last.result.resultType, undefined);
});

Deno.test("A refusal of a legacy caller is told to the server, and no more than that", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const declined = await session.call("tools/call", { name: "ask" }, () => ({ result: { action: "decline" } }));
  assertEquals(textOf(declined.last), "Sail to decline");
  const failed = await session.call(
    "tools/call",
    { name: "ask" },
    () => ({ error: { code: -32000, message: "canary" } }),
  );
  assertEquals(failed.last.result.isError, true);
  assertEquals(JSON.stringify(server.requests.map(({ body }) => body)).includes("canary"), false);
});

Deno.test("A legacy caller is asked for what it declared, and for nothing else", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const session = await beginSession(north.url, { roots: {} });
  const asked: string[] = [];
  const { last } = await session.call("tools/call", { name: "ask" }, ({ method }) => {
    asked.push(method);
    return { result: {} };
  });
  assertEquals(asked, []);
  assertEquals(last.result?.isError ?? last.error !== undefined, true);
});

Deno.test("A legacy caller without a session gets an error where it would have to be asked", async () => {
  await using server = startModernFeaturesServer();
  await using north = startNorthbound({ servers: { features: { url: server.url } } });
  const session = await beginSession(north.url, {});
  assertEquals(session.id, undefined);
  const { status, last } = await session.call("tools/call", { name: "ask_all" });
  assertEquals([status, last.error.code, last.error.data.code, last.error.data.server], [
    200,
    -32000,
    "input_required",
    "features",
  ]);
});

Deno.test("A legacy caller gets progress under its own token, and log messages from its level on", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const session = await beginSession(north.url, ALL);
  const { messages } = await session.call("tools/call", { name: "steps" }, undefined, { progressToken: "p" });
  const progress = messages.filter(({ method }) => method === "notifications/progress");
  // A slow reader may miss some: the last one it always gets.
  assertEquals(progress.at(-1)?.params, { progressToken: "p", progress: 3, total: 3 });
  assertEquals((await session.call("tools/call", { name: "steps" })).messages.length, 1);

  const levels = async () => {
    const { messages: logs } = await session.call("tools/call", { name: "log" });
    return logs.flatMap(({ method, params }) => method === "notifications/message" ? params.level : []);
  };
  assertEquals(await levels(), ["info", "error"]);
  await session.call("logging/setLevel", { level: "error" });
  assertEquals(await levels(), ["error"]);
  const { last } = await session.call("logging/setLevel", { level: "loud" });
  assertEquals(last.error.code, -32602);
});

Deno.test("A session id is of visible ASCII, and nobody could guess it", async () => {
  await using server = await startAskingServer();
  await using north = startNorthbound({ servers: { asking: { url: server.url } } });
  const ids = [(await beginSession(north.url, ALL)).id, (await beginSession(north.url, ALL)).id];
  for (const id of ids) assertMatch(id ?? "", /^[0-9a-f]{64}$/);
  assertEquals(ids[0] === ids[1], false);
});
