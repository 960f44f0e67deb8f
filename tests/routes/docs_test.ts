import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import type { OwnedTool } from "../../src/status.ts";
import { type Harness, openHarness, OWNED_TOOL, ROUTED } from "../gateway/gateway_support.ts";
import { attributeOf, parseElements, submit, textOf } from "../support/html.ts";

const SEARCH: OwnedTool = {
  ...OWNED_TOOL,
  tool: {
    name: "search",
    description: "Finds <b>files</b>",
    inputSchema: {
      type: "object",
      properties: { query: { type: "string" }, limit: { type: "integer" } },
      required: ["query"],
    },
  },
};
const WIPE: OwnedTool = {
  ...OWNED_TOOL,
  name: "wipe",
  toolName: "wipe",
  tool: { name: "wipe", inputSchema: { type: "object" }, annotations: { destructiveHint: true } },
};
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const OWN = { ...FORM, origin: "http://gateway.test", "sec-fetch-site": "same-origin" };

/** Signs in, and asks as a browser does. */
async function signIn({ ask }: Harness, key: string) {
  const response = await ask("/ui/session", {
    key: null,
    method: "POST",
    headers: OWN,
    body: new URLSearchParams({ key }),
  });
  await response.body?.cancel();
  const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
  return {
    async show(path: string) {
      const response = await ask(path, { key: null, headers: { cookie, accept: "text/html" } });
      return { response, html: await response.text() };
    },
    async send(form: URLSearchParams, headers: Record<string, string> = {}) {
      const init = { key: null, method: "POST", body: form, headers: { ...OWN, cookie, ...headers } };
      const response = await ask("/ui/try", init);
      return { response, html: await response.text() };
    },
  };
}

function tryForm(html: string, operation: string, changes: Record<string, string> = {}): URLSearchParams {
  const form = parseElements(html).find((element) =>
    element.tagName === "form" && attributeOf(element, "action") === "/ui/try" &&
    parseInside(element).some((input) =>
      attributeOf(input, "name") === "operation" && attributeOf(input, "value") === operation
    )
  );
  assert(form !== undefined, `no form for ${operation}`);
  return submit(parseInside(form), changes);
}

function parseInside(element: ReturnType<typeof parseElements>[number]): ReturnType<typeof parseElements> {
  return element.childNodes.flatMap((node) => "tagName" in node ? [node, ...parseInside(node)] : []);
}

/** The texts of a class. */
function texts(html: string, className: string): readonly string[] {
  return parseElements(html).filter((element) => attributeOf(element, "class")?.split(" ").includes(className)).map(
    textOf,
  );
}

Deno.test("GET /docs shows the gateway's document to everybody, names no agent, and has nothing to try", async () => {
  const { ask, directory } = await openHarness();
  const response = await ask("/docs", { key: null });
  const html = await response.text();
  assertEquals([response.status, response.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  assertEquals([html.includes("Kairos"), html.includes("/ui/try"), directory.asked], [false, false, []]);
  assertStringIncludes(html, "/agents/{agent}/tools/{tool}");
  const policy = response.headers.get("content-security-policy") ?? "";
  assertMatch(policy, /^default-src 'none'; script-src 'nonce-[^']+'; style-src 'nonce-[^']+';/);
  assertEquals([policy.includes("unsafe"), / style="| on[a-z]+="/.test(html)], [false, false]);
});

Deno.test("S2 GET /docs?agent= shows nothing without a session, and nothing of an agent that the key does not open", async () => {
  const harness = await openHarness({ listOwnedTools: () => Promise.resolve([SEARCH]) });
  const refused = await harness.ask("/docs?agent=Kairos", { key: null });
  const form = parseElements(await refused.text()).filter(({ tagName }) => tagName === "h1" || tagName === "input");
  assertEquals([refused.status, form.map(textOf), harness.directory.asked], [200, ["Sign in", "", ""], []]);
  const kairos = await signIn(harness, "kairos-key");
  for (const agent of ["Mercurius", "Nobody"]) {
    const { response, html } = await kairos.show(`/docs?agent=${agent}`);
    assertEquals([response.status, html.includes("agent_not_found"), html.includes("search")], [404, true, false]);
  }
  assertEquals(texts((await kairos.show("/docs")).html, "choice").map((text) => text.includes("Mercurius")), [false]);
});

Deno.test("GET /docs?agent= shows the agent's tools escaped, with a command, the type of the body, and a form", async () => {
  const harness = await openHarness({ listOwnedTools: () => Promise.resolve([SEARCH]) });
  const { html } = await (await signIn(harness, "kairos-key")).show("/docs?agent=Kairos");
  assertEquals(parseElements(html).some(({ tagName }) => tagName === "b"), false);
  assertStringIncludes(texts(html, "operation-summary")[0]!, "Finds <b>files</b>");
  assertStringIncludes(texts(html, "type")[0]!, "query: string\n  limit?: integer\n");
  assertEquals(
    texts(html, "code").find((text) => text.startsWith("curl"))!.split(" \\\n  "),
    [
      "curl -X POST 'http://gateway.test/agents/Kairos/tools/search'",
      '-H "authorization: Bearer $PORTOLAN_KEY"',
      "-H 'content-type: application/json'",
      `-d '{"query":""}'`,
    ],
  );
});

Deno.test("POST /ui/try calls a tool with what the form says, and shows the answer with its headers and its timing", async () => {
  const harness = await openHarness({ listOwnedTools: () => Promise.resolve([SEARCH]) });
  const kairos = await signIn(harness, "kairos-key");
  const { html } = await kairos.show("/docs?agent=Kairos");
  const form = tryForm(html, "search", { "search-body/query": "<i>", "search-body/limit": "3" });
  const answer = await kairos.send(form);
  assertEquals(answer.response.status, 200);
  const called = harness.directory.asked.find(({ method }) => method === "callToolRouted");
  assertEquals(called?.values, ["search", { query: "<i>", limit: 3 }]);
  const [shown = ""] = texts(answer.html, "try-answer");
  assertMatch(shown, /200 .*\d+ bytes/);
  assertStringIncludes(shown, JSON.stringify(ROUTED, null, 2));
  assertStringIncludes(shown, "x-request-id");
  assertEquals(answer.html.includes("kairos-key"), false);
  const again = parseElements(answer.html).find((element) => attributeOf(element, "name") === "search-body/query");
  assertEquals(textOf(again!), "<i>");
});

Deno.test("POST /ui/try answers the script with the part of the page that changed", async () => {
  const harness = await openHarness({ listOwnedTools: () => Promise.resolve([SEARCH]) });
  const kairos = await signIn(harness, "kairos-key");
  const form = tryForm((await kairos.show("/docs?agent=Kairos")).html, "search", { "search-body/query": "a" });
  const { html } = await kairos.send(form, { "x-portolan-parts": "1" });
  const { parts, text } = JSON.parse(html);
  assertMatch(text, /^Status 200 after /);
  assertEquals([parts.length, attributeOf(parseElements(parts[0]).find(({ tagName }) => tagName === "div")!, "id")], [
    1,
    "try-search",
  ]);
});

Deno.test("POST /ui/try says at the field what is wrong, and sends nothing", async () => {
  const harness = await openHarness({ listOwnedTools: () => Promise.resolve([SEARCH]) });
  const kairos = await signIn(harness, "kairos-key");
  const form = tryForm((await kairos.show("/docs?agent=Kairos")).html, "search", { "search-body/limit": "many" });
  const { html } = await kairos.send(form);
  assertEquals(texts(html, "form-fault"), [
    "Required: write a text; an empty one is written as JSON",
    "Not a number: write digits",
  ]);
  assertEquals(harness.directory.asked.some(({ method }) => method === "callToolRouted"), false);
});

Deno.test("POST /ui/try sends what may not be brought back only once its very line has been confirmed", async () => {
  const harness = await openHarness({ listOwnedTools: () => Promise.resolve([WIPE]) });
  const called = () => harness.directory.asked.filter(({ method }) => method === "callToolRouted").length;
  const kairos = await signIn(harness, "kairos-key");
  const first = await kairos.send(tryForm((await kairos.show("/docs?agent=Kairos")).html, "wipe"));
  assertEquals([called(), texts(first.html, "box-bad").length], [0, 1]);
  const form = tryForm(first.html, "wipe");
  assertEquals(form.get("confirm"), "POST /agents/Kairos/tools/wipe");
  const other = new URLSearchParams(form);
  other.set("wipe-body~mode", "json");
  other.set("wipe-body~json", '{"all":true}');
  const changed = await kairos.send(other);
  assertEquals(called(), 0);
  assertEquals(tryForm(changed.html, "wipe").get("confirm"), 'POST /agents/Kairos/tools/wipe {"all":true}');
  await kairos.send(form);
  assertEquals(called(), 1);
});

Deno.test("POST /ui/try lets an administrator try what its key opens, and others find no such path", async () => {
  const harness = await openHarness();
  for (const [key, status] of [["admin-key", 200], ["kairos-key", 404]] as const) {
    const visitor = await signIn(harness, key);
    const { html } = await visitor.show("/docs");
    const form = tryForm(html, "listKeys", { "listKeys-parameters/agent": '"Kairos"' });
    assertMatch(texts((await visitor.send(form)).html, "try-answer")[0]!, new RegExp(`^ ?${status} `));
  }
});

Deno.test("POST /ui/try reads a stream of events no further than its end, and shows its events", async () => {
  const harness = await openHarness({
    listOwnedTools: () => Promise.resolve([SEARCH]),
    callToolRouted: (_name, _args, options) => {
      options?.onProgress?.({ progress: 1 });
      return Promise.resolve(ROUTED);
    },
  });
  const kairos = await signIn(harness, "kairos-key");
  const form = tryForm((await kairos.show("/docs?agent=Kairos")).html, "search", {
    "search-body/query": "a",
    accept: "text/event-stream",
  });
  const [shown = ""] = texts((await kairos.send(form)).html, "try-answer");
  assertStringIncludes(shown, 'event: progress\ndata: {"progress":1}');
  assertStringIncludes(shown, "event: result\n");
  assertStringIncludes(shown, "--no-buffer");
});

Deno.test("POST /ui/try shows a problem as the answer that it is", async () => {
  const error = new MCPError("unreachable", "Cannot reach it", { server: "files" });
  const harness = await openHarness({
    listOwnedTools: () => Promise.resolve([SEARCH]),
    callToolRouted: () => Promise.reject(error),
  });
  const kairos = await signIn(harness, "kairos-key");
  const form = tryForm((await kairos.show("/docs?agent=Kairos")).html, "search", { "search-body/query": "a" });
  const { response, html } = await kairos.send(form);
  assertEquals(response.status, 200);
  assertMatch(texts(html, "try-answer")[0]!, /503 .*"code": "unreachable"/s);
});

Deno.test("S1 POST /ui/try refuses a form of another page, before it is read, and who is not signed in", async () => {
  const harness = await openHarness({ listOwnedTools: () => Promise.resolve([SEARCH]) });
  const kairos = await signIn(harness, "kairos-key");
  const form = new URLSearchParams({ agent: "Kairos", operation: "search" });
  for (
    const foreign of [
      { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      { origin: "null", "sec-fetch-site": "same-origin" },
    ]
  ) {
    assertEquals((await kairos.send(form, foreign)).response.status, 403);
  }
  const unknown = await harness.ask("/ui/try", { key: "kairos-key", method: "POST", headers: OWN, body: form });
  assertEquals([unknown.status, await unknown.text()], [401, ""]);
});

for (const operation of ["callTool", "nope", "__proto__", "", "/ui/session"]) {
  Deno.test(`POST /ui/try refuses "${operation}", which the document does not list`, async () => {
    const harness = await openHarness({ listOwnedTools: () => Promise.resolve([SEARCH]) });
    const kairos = await signIn(harness, "kairos-key");
    const { response } = await kairos.send(new URLSearchParams({ agent: "Kairos", operation }));
    assertEquals(response.status, 404);
  });
}

Deno.test("POST /ui/try tells why an agent's operations cannot be had, to the script too", async () => {
  const harness = await openHarness({
    listOwnedTools: () => Promise.reject(new MCPError("unreachable", "Cannot reach it", { server: "files" })),
  });
  const kairos = await signIn(harness, "kairos-key");
  const form = new URLSearchParams({ agent: "Kairos", operation: "search" });
  const { response, html } = await kairos.send(form, { "x-portolan-parts": "1" });
  assertEquals([response.status, JSON.parse(html)], [503, { parts: [], text: "Cannot reach it." }]);
  const page = await kairos.send(form);
  assertEquals([page.response.status, page.html.includes("Cannot reach it.")], [503, true]);
});

Deno.test("GET /docs shows no document that would hold up everybody else", async () => {
  const text = "x".repeat(60_000);
  const tools = Array.from({ length: 90 }, (_, at) => {
    const tool = { name: `tool_${at}`, inputSchema: { type: "object", properties: { it: { const: text } } } };
    return { ...SEARCH, name: tool.name, toolName: tool.name, tool };
  });
  const kairos = await signIn(await openHarness({ listOwnedTools: () => Promise.resolve(tools) }), "kairos-key");
  const { response, html } = await kairos.show("/docs?agent=Kairos");
  assertEquals([response.status, html.length < 20_000], [502, true]);
  assertMatch(html, /Cannot show a document of \d+ characters: read it at \/agents\/Kairos\/openapi.json/);
});

Deno.test("GET /docs splits many operations into parts, and finds those that are wanted", async () => {
  const tools = Array.from({ length: 90 }, (_, at) => ({ ...SEARCH, name: `tool_${at}`, toolName: `tool_${at}` }));
  const kairos = await signIn(await openHarness({ listOwnedTools: () => Promise.resolve(tools) }), "kairos-key");
  const count = async (path: string) => texts((await kairos.show(path)).html, "operation").length;
  assertEquals(await count("/docs?agent=Kairos"), 40);
  assertEquals(await count("/docs?agent=Kairos&page=3"), 10);
  assertEquals(await count("/docs?agent=Kairos&page=x"), 40);
  assertEquals(await count("/docs?agent=Kairos&q=TOOL_7"), 11);
  assertEquals(await count("/docs?agent=Kairos&q=nothing"), 0);
});

Deno.test("GET /docs lets everybody who may ask an open gateway try", async () => {
  const { gateway } = await openHarness({ listOwnedTools: () => Promise.resolve([SEARCH]) }, { open: "loopback" });
  const peer = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 } } as const;
  const request = (path: string, init: RequestInit = {}) =>
    new Request(`http://localhost${path}`, { ...init, headers: { host: "localhost", ...init.headers } });
  const html = await (await gateway.fetch(request("/docs?agent=Kairos"), peer)).text();
  const body = tryForm(html, "search", { "search-body/query": "a" });
  const headers = { ...FORM, origin: "http://localhost", "sec-fetch-site": "same-origin" };
  const answer = await gateway.fetch(request("/ui/try", { method: "POST", body, headers }), peer);
  assertMatch(texts(await answer.text(), "try-answer")[0]!, /200 /);
});
