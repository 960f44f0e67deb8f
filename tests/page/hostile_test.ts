import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { OWNED_TOOL, ROUTED } from "../gateway/gateway_support.ts";
import { drawForm } from "./_drawn_form.ts";
import { openPage, ORIGIN } from "./_page_browser.ts";

Deno.test("the page shows also a call of a tool that was named with half a character", async () => {
  const { browser, ask } = await openPage();
  const params = { name: "\ud800", arguments: {} };
  const called = await ask("/agents/Kairos/mcp", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
  });
  await called.body?.cancel();
  await browser.signIn("admin-key");
  for (const path of ["/", "/ui/activity"]) assertEquals((await browser.open(path)).status, 200, path);
});

Deno.test("F30 a form of alternatives that refer to each other takes not much longer than one of texts", async () => {
  const names = Array.from({ length: 199 }, (_, at) => `p${at}`);
  const toSchema = (member: JsonObject, rest: JsonObject = {}): JsonObject => ({
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, member])),
    ...rest,
  });
  const itself = { $ref: "#/$defs/a" };
  const hostile = toSchema(itself, { $defs: { a: { anyOf: Array.from({ length: 256 }, () => itself) } } });
  const timeOf = async (schema: JsonObject) => {
    const began = performance.now();
    await drawForm(schema);
    return performance.now() - began;
  };
  await timeOf(toSchema({ type: "string" }));
  // Without a bound it is a thousand times.
  assert(await timeOf(hostile) < 100 * await timeOf(toSchema({ type: "string" })));
});

Deno.test("a tool's screen shows an answer that is nested deeply, as the tool has run", async () => {
  let deep: JsonValue = 1;
  for (let depth = 0; depth < 2_000; depth++) deep = [deep];
  const structuredContent = { all: Array.from({ length: 100 }, () => deep) };
  const result = { content: [], structuredContent };
  const { browser } = await openPage({ callToolRouted: () => Promise.resolve({ ...ROUTED, result }) });
  await browser.signIn("kairos-key");
  const page = await browser.send(`/ui/agents/Kairos/tools/${OWNED_TOOL.name}`, {
    "arg~mode": "json",
    "arg~json": "{}",
  });
  assertEquals(page.status, 200);
  assertStringIncludes(page.html, "Answered");
});

Deno.test("POST /ui/session lets no more than some arrive at once, and calls go on meanwhile", async () => {
  const { gateway, ask } = await openPage();
  const ends: (() => void)[] = [];
  const begin = () => {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void ends.push(() => controller.close()) });
    const headers = {
      host: "gateway.test",
      origin: ORIGIN,
      "sec-fetch-site": "same-origin",
      "content-type": "application/x-www-form-urlencoded",
    };
    return gateway.fetch(new Request(`${ORIGIN}/ui/session`, { method: "POST", body, headers }));
  };
  const waiting = Array.from({ length: 64 }, begin);
  const refused = await begin();
  assertEquals(refused.status, 503);
  await refused.body?.cancel();
  const headers = { "content-type": "application/json" };
  const called = await ask(`/agents/Kairos/tools/${OWNED_TOOL.name}`, { method: "POST", headers, body: "{}" });
  assertEquals(called.status, 200);
  await called.body?.cancel();
  for (const end of ends) end();
  for (const answer of await Promise.all(waiting)) {
    assertEquals(answer.status, 401);
    await answer.body?.cancel();
  }
});

Deno.test("a tool's form sends nothing where the tool has changed since it was drawn, or a number cannot be kept", async () => {
  let properties: JsonObject = { pattern: { type: "string" } };
  const sent: unknown[] = [];
  const { browser } = await openPage({
    listOwnedTools: () => {
      const tool = { name: OWNED_TOOL.toolName, inputSchema: { type: "object", properties } };
      return Promise.resolve([{ ...OWNED_TOOL, tool }]);
    },
    callToolRouted: (_name, args) => {
      sent.push(args);
      return Promise.resolve(ROUTED);
    },
  });
  await browser.signIn("kairos-key");
  const path = `/ui/agents/Kairos/tools/${OWNED_TOOL.name}`;
  await browser.open(path);
  properties = { glob: { type: "string" } };
  const changed = await browser.send(path, { "arg~mode": "fields", "arg/pattern": "*.tmp" });
  assertStringIncludes(changed.html, "The tool has changed since the form was opened");
  for (const json of ['{"id":9007199254740993}', '{"n":1e400}']) {
    const page = await browser.send(path, { "arg~mode": "json", "arg~json": json });
    assertStringIncludes(page.html, "cannot be sent exactly");
  }
  assertEquals(sent, []);
});

Deno.test("HEAD /ui/events takes no place of a stream", async () => {
  const { browser, gateway } = await openPage();
  await browser.signIn("kairos-key");
  for (let at = 0; at < 40; at++) assertEquals((await browser.ask("/ui/events", { method: "HEAD" })).status, 200);
  const stream = await browser.ask("/ui/events?view=overview");
  assertEquals(stream.status, 200);
  await stream.body?.cancel();
  await gateway.drain();
});
