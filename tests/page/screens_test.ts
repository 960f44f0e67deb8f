import { assertEquals, assertStringIncludes } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import type { JsonObject } from "../../src/protocol.ts";
import type { AgentStatus, OwnedTool, ServerStatus } from "../../src/status.ts";
import { agentStatus, OWNED_TOOL, ROUTED } from "../gateway/gateway_support.ts";
import { attributeOf, parseElements } from "../support/html.ts";
import { openPage } from "./_page_browser.ts";

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(1)>' onclick='alert(1)`;

function server(name: string, changes: Partial<ServerStatus> = {}): ServerStatus {
  return {
    server: name,
    url: `https://${name}.example.com/mcp`,
    state: "connected",
    era: "modern",
    transport: "streamable_http",
    protocolVersion: "2026-07-28",
    toolCount: 1,
    toolsFrom: "server",
    toolsPartial: false,
    toolsTtlMs: undefined,
    warnings: [],
    latencyMs: 4,
    latency: { lastMs: 4, p50Ms: 4, p99Ms: 18, count: 3 },
    latencySamples: [18, 4, 4],
    breaker: "closed",
    running: 0,
    waiting: 0,
    connectedAtMs: Date.parse("2026-11-26T12:00:00Z"),
    lastError: undefined,
    ...changes,
  };
}

function statusOf(...servers: readonly ServerStatus[]): AgentStatus {
  return {
    ...agentStatus("Kairos"),
    totalServers: servers.length,
    servers: Object.fromEntries(servers.map((one) => [one.server, one])),
  };
}

/** What a browser would run or load, were it in a page. */
function findActive(html: string): readonly string[] {
  return parseElements(html).flatMap((element) => {
    const { tagName, attrs } = element;
    const loads = attrs.filter(({ name, value }) =>
      name.startsWith("on") || (/^(?:src|href|action)$/.test(name) && !/^(?:\/|#|data:image\/svg)/.test(value))
    );
    const isOwn = tagName !== "script" || attributeOf(element, "src") === "/ui/app.js";
    return [...(isOwn ? [] : [tagName]), ...loads.map(({ name, value }) => `${tagName} ${name}=${value}`)];
  });
}

Deno.test("an agent's screen tells of each server how it stands, why, and what to do", async () => {
  const lastError = { code: "unreachable", message: 'Cannot reach server "mail"', atMs: 0 } as const;
  const down = { state: "failed", lastError, latency: undefined, era: undefined, toolCount: undefined } as const;
  const { browser } = await openPage({
    getStatus: () => statusOf(server("files"), server("mail", down), server("maps", { breaker: "open" })),
  });
  await browser.signIn("kairos-key");
  const { html } = await browser.open("/ui/agents/Kairos");
  for (
    const text of [
      "2 of 3 servers need attention",
      "Connected",
      "Modern, HTTP",
      "2026-07-28",
      "half took at most 4 ms, 99 of 100 at most 18 ms",
      "Down",
      "Cannot reach server &quot;mail&quot;.",
      "Check that it runs and that its URL is right",
      "Left alone",
      "breaker open",
      "files.example.com/mcp",
    ]
  ) assertStringIncludes(html, text);
});

Deno.test("what servers say of themselves is text on every screen, whatever is in it", async () => {
  const tool: OwnedTool = {
    name: HOSTILE,
    server: HOSTILE,
    toolName: HOSTILE,
    tool: {
      name: HOSTILE,
      title: HOSTILE,
      description: HOSTILE,
      inputSchema: { type: "object", title: HOSTILE, properties: { [HOSTILE]: { description: HOSTILE } } },
      outputSchema: { title: HOSTILE },
    },
  };
  const content = [
    { type: "text", text: HOSTILE },
    { type: "image", data: HOSTILE, mimeType: "image/png" },
    { type: "image", data: "PHN2Zz4=", mimeType: "image/svg+xml" },
    { type: "audio", data: "AAAA", mimeType: `audio/mpeg"${HOSTILE}` },
    { type: "resource_link", uri: "javascript:alert(1)", name: HOSTILE },
    { type: "resource_link", uri: `data:text/html,${HOSTILE}`, name: "x" },
    { type: "resource", resource: { uri: HOSTILE, text: HOSTILE } },
    { type: HOSTILE, text: "x" },
  ] as const;
  const { browser } = await openPage({
    listOwnedTools: () => Promise.resolve([tool]),
    getStatus: () => statusOf(server(HOSTILE, { warnings: [HOSTILE], url: HOSTILE, protocolVersion: HOSTILE })),
    callToolRouted: () => Promise.resolve({ ...ROUTED, server: HOSTILE, result: { content: [...content] as never } }),
  });
  await browser.signIn("kairos-key");
  const path = `/ui/agents/Kairos/tools/${encodeURIComponent(HOSTILE)}`;
  const pages = [
    await browser.open("/ui/agents/Kairos"),
    await browser.open(path),
    await browser.send(path, { "arg~mode": "json", "arg~json": "{}" }),
    await browser.open("/ui/activity"),
  ];
  for (const { html, status } of pages) {
    assertEquals([status, findActive(html)], [200, []]);
  }
  assertStringIncludes(pages[2]!.html, "image/svg+xml, 6 bytes, which is not shown here");
});

Deno.test("a tool is called by its form without a script, and answered on a whole page", async () => {
  const inputSchema: JsonObject = {
    type: "object",
    properties: { query: { type: "string" } },
    required: ["query"],
  };
  const { browser, directory } = await openPage({
    listOwnedTools: () => Promise.resolve([{ ...OWNED_TOOL, tool: { ...OWNED_TOOL.tool, inputSchema } }]),
    callToolRouted: () =>
      Promise.resolve({
        ...ROUTED,
        result: { content: [{ type: "text", text: "found" }], structuredContent: { n: 1 } },
      }),
  });
  await browser.signIn("kairos-key");
  const path = "/ui/agents/Kairos/tools/search";
  const form = await browser.open(path);
  assertStringIncludes(form.html, "The only server that lists the tool");
  const control = parseElements(form.html).find((one) => attributeOf(one, "name")?.endsWith("query"));
  const { html } = await browser.send(path, { "arg~mode": "fields", [attributeOf(control!, "name")!]: "<b>maps</b>" });
  const asked = directory.asked.find(({ method }) => method === "callToolRouted");
  assertEquals(asked?.values, ["search", { query: "<b>maps</b>" }]);
  for (const text of ["found", "&quot;n&quot;: 1", "known here", "by files", "&lt;b&gt;maps&lt;/b&gt;"]) {
    assertStringIncludes(html, text);
  }
});

Deno.test("what cannot be sent is told beside the form, and nothing is called", async () => {
  const inputSchema: JsonObject = {
    type: "object",
    properties: { lines: { type: "integer" } },
    required: ["lines"],
  };
  const { browser, directory } = await openPage({
    listOwnedTools: () => Promise.resolve([{ ...OWNED_TOOL, tool: { ...OWNED_TOOL.tool, inputSchema } }]),
  });
  await browser.signIn("kairos-key");
  const path = "/ui/agents/Kairos/tools/search";
  const { html } = await browser.send(path, { "arg~mode": "json", "arg~json": "{" });
  assertStringIncludes(html, "form-faults");
  assertEquals(directory.asked.some(({ method }) => method === "callToolRouted"), false);
});

Deno.test("a call that fails is told in words, with its code and the id of its request", async () => {
  const { browser } = await openPage({
    callToolRouted: () =>
      Promise.reject(new MCPError("outcome_unknown", "Cannot tell whether the call ran", { server: "files" })),
  });
  await browser.signIn("kairos-key");
  const { html } = await browser.send("/ui/agents/Kairos/tools/search", { "arg~mode": "json", "arg~json": "{}" });
  for (const text of ["The call may have run", "Cannot tell whether the call ran.", "outcome_unknown", "request "]) {
    assertStringIncludes(html, text);
  }
});

Deno.test("the script is answered parts of the screen, and a sentence to be read out", async () => {
  const { browser } = await openPage();
  await browser.signIn("kairos-key");
  const fields = { "arg~mode": "json", "arg~json": "{}" };
  const response = await browser.post("/ui/agents/Kairos/tools/search", fields, { "x-portolan-parts": "1" });
  const { parts, text } = await response.json();
  assertEquals(parts.map((part: string) => /^<\w+ id="(\w+)"/.exec(part)?.[1]), ["fields", "answer"]);
  assertEquals(/^files answered after /.test(text), true, text);
});

Deno.test("reconnecting leads back to where the button was, and says how it went to the script", async () => {
  const { browser, directory } = await openPage({ reconnect: () => Promise.resolve({ files: true, mail: false }) });
  await browser.signIn("kairos-key");
  const back = await browser.post("/ui/agents/Kairos/reconnect", { server: "files" }, {
    referer: "http://gateway.test/ui/agents/Kairos?q=x",
  });
  assertEquals([back.status, back.headers.get("location")], [303, "/ui/agents/Kairos?q=x"]);
  const strange = await browser.post("/ui/agents/Kairos/reconnect", {}, { referer: "http://evil.test/ui/x" });
  assertEquals(strange.headers.get("location"), "/");
  const told = await browser.post("/ui/agents/Kairos/reconnect", {}, { "x-portolan-parts": "1" });
  assertEquals((await told.json()).text, "Connected: files. Still down: mail.");
  const asked = directory.asked.filter(({ method }) => method === "reconnect").map(({ values }) => values);
  assertEquals(asked, [["files"], [undefined], [undefined]]);
});

Deno.test("what only an administrator may do is neither shown nor done for others", async () => {
  const { browser, directory } = await openPage({ getStatus: () => statusOf(server("files")) });
  await browser.signIn("kairos-key");
  assertEquals((await browser.open("/")).html.includes('action="/ui/reconnect"'), false);
  for (const path of ["/ui/reconnect", "/ui/agents/Kairos/pins", "/ui/agents/Mercurius/pins"]) {
    const page = await browser.send(path, { server: "files", tool: "search", decision: "accept" });
    assertEquals(page.status, 404, path);
  }
  assertEquals(directory.asked.some(({ method }) => method === "reconnect"), false);
});

Deno.test("another agent's screens are those of an agent that does not exist", async () => {
  const { browser } = await openPage();
  await browser.signIn("kairos-key");
  const show = async (agent: string, path: string) => {
    const { status, html } = await browser.open(`/ui/agents/${agent}${path}`);
    return [status, html.match(/<main.*<\/main>/s)?.[0].replaceAll(/request [\w-]+/g, "").replaceAll(agent, "")];
  };
  for (const path of ["", "/tools/search"]) {
    assertEquals(await show("Mercurius", path), await show("Xenophon", path));
    assertEquals((await show("Mercurius", path))[0], 404);
  }
  const { html } = await browser.open("/ui/activity?agent=Mercurius");
  assertEquals(html.includes("Mercurius"), false);
});

Deno.test("a path of the page that does not exist is told in words", async () => {
  const { browser } = await openPage();
  await browser.signIn("kairos-key");
  const { status, html, headers } = await browser.open("/ui/nothing");
  assertEquals([status, headers.get("content-type")], [404, "text/html; charset=utf-8"]);
  assertStringIncludes(html, "This cannot be shown");
});

Deno.test("a form that is too large is refused in words, and not read to its end", async () => {
  const { browser } = await openPage({}, { maxBodyBytes: 1_000 });
  await browser.signIn("kairos-key");
  const { status, html } = await browser.send("/ui/agents/Kairos/tools/search", { "arg~json": "x".repeat(2_000) });
  assertEquals(status, 413);
  assertStringIncludes(html, "Cannot take more than 1000 bytes");
});

Deno.test("a list that takes too long, or fails, does not take the screen of its agent away", async () => {
  const { browser } = await openPage({
    listOwnedTools: () => Promise.reject(new MCPError("unreachable", "Cannot list tools as no server answers")),
    getStatus: () => statusOf(server("files")),
  });
  await browser.signIn("kairos-key");
  const { status, html } = await browser.open("/ui/agents/Kairos");
  assertEquals(status, 200);
  for (const text of ["Cannot list tools as no server answers.", "files.example.com"]) assertStringIncludes(html, text);
});

Deno.test("the tools of an agent can be looked through without a script", async () => {
  const mail = { ...OWNED_TOOL, name: "mail", toolName: "mail" };
  const { browser } = await openPage({ listOwnedTools: () => Promise.resolve([OWNED_TOOL, mail]) });
  await browser.signIn("kairos-key");
  const { html } = await browser.open("/ui/agents/Kairos?q=MAIL");
  assertStringIncludes(html, "1 of 2 tools");
  assertEquals([html.includes("tools/mail"), html.includes("tools/search")], [true, false]);
});
