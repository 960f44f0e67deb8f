/** The MCP endpoint as HTTP has it: who may ask, what is refused before a body is read, what browsers may do. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { AGENTS, openHarness } from "../gateway/gateway_support.ts";
import { modern, PATH, send } from "../support/harness_calls.ts";
import { read, toModern } from "../support/northbound_support.ts";

Deno.test("An error that nobody expected says nothing of itself, and the operator hears of it", async () => {
  const heard: unknown[] = [];
  const canary = new TypeError("canary");
  const onInternalError = (error: unknown) => heard.push(error);
  const harness = await openHarness({ callToolRouted: () => Promise.reject(canary) }, { onInternalError });
  const { status, last } = await modern(harness, "tools/call", { name: "search" });
  assertEquals([status, last.error.code, last.error.data.code, last.id], [500, -32603, "internal", 1]);
  assertEquals([JSON.stringify(last).includes("canary"), heard], [false, [canary]]);
});

Deno.test("The Accept header decides what is answered, and one that allows neither is refused", async () => {
  const harness = await openHarness();
  const table: readonly (readonly [string | null, number, string])[] = [
    [null, 200, "application/json"],
    ["*/*", 200, "application/json"],
    ["application/json", 200, "application/json"],
    ["text/event-stream", 200, "text/event-stream"],
    ["text/html", 406, "application/json"],
  ];
  for (const [accept, status, type] of table) {
    const { status: answered, headers } = await modern(harness, "tools/list", {}, { accept });
    assertEquals([accept, answered, headers.get("content-type")], [accept, status, type]);
  }
});

Deno.test("Other methods than POST are 405 where there is no session", async () => {
  const { ask } = await openHarness();
  for (const method of ["GET", "DELETE", "PUT", "PATCH"]) {
    const response = await ask(PATH, { method, headers: { accept: "text/event-stream" } });
    const { status, last, headers } = await read(response);
    assertEquals([method, status, last.id, last.error.data.code], [method, 405, null, "method_not_allowed"]);
    assertStringIncludes(headers.get("allow") ?? "", "POST");
  }
});

Deno.test("S2 A caller without a key, with a wrong one, or with that of another agent learns nothing of agents", async () => {
  const harness = await openHarness();
  const { body, headers } = toModern("tools/list");
  const init = (path: string, key: string | null) =>
    send(harness, body, headers, { path, key }).then(({ status, last }) => [status, last.id, last.error.data.code]);
  assertEquals(await init(PATH, null), [401, null, "unauthenticated"]);
  assertEquals(await init(PATH, "wrong"), [401, null, "unauthenticated"]);
  assertEquals(await init(`${PATH}?key=kairos-key`, null), [401, null, "unauthenticated"]);
  const answers = ["/agents/Mercurius/mcp", "/agents/Nobody/mcp", "/agents/__proto__/mcp", "/agents/constructor/mcp"];
  for (const path of answers) assertEquals(await init(path, "kairos-key"), [404, null, "agent_not_found"]);
  assertEquals(AGENTS.includes("Mercurius"), true);
  assertEquals(harness.directory.asked, []);
});

Deno.test("S1 S3 What is refused before a body is read is JSON-RPC too, with the status of the problem", async () => {
  const harness = await openHarness({}, { maxBodyBytes: 100 });
  const { body, headers } = toModern("tools/list");
  const outcome = async (answer: ReturnType<typeof send>) => {
    const { status, last, headers } = await answer;
    return [status, last.jsonrpc, last.id, last.error.data.code, headers.get("content-type")];
  };
  const json = "application/json";
  assertEquals(await outcome(send(harness, body, { ...headers, origin: "https://evil.example" })), [
    403,
    "2.0",
    null,
    "origin_refused",
    json,
  ]);
  assertEquals(await outcome(send(harness, body, headers)), [413, "2.0", null, "body_too_large", json]);
  assertEquals(await outcome(send(harness, "{}", { "content-type": "text/plain" })), [
    415,
    "2.0",
    null,
    "unsupported_media_type",
    json,
  ]);
});

Deno.test("S3 S6 Names of Object's prototype are names like any other, and members called so do not arrive", async () => {
  const harness = await openHarness();
  for (const name of ["__proto__", "constructor", "toString", "a\r\nX: 1"]) {
    const header = `=?base64?${new TextEncoder().encode(name).toBase64()}?=`;
    await modern(harness, "tools/call", { name }, { "mcp-name": header });
    assertEquals(harness.directory.asked.at(-1)?.values[0], name);
  }
  const body =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"__proto__":{"a":1},"b":2}}}';
  await send(harness, body);
  const [, args] = harness.directory.asked.at(-1)?.values ?? [];
  assertEquals([JSON.stringify(args), Object.getPrototypeOf(args)], ['{"b":2}', Object.prototype]);
});

Deno.test("S5 No header of a caller reaches a server, but for the trace", async () => {
  const seen: unknown[] = [];
  const harness = await openHarness({
    callToolRouted: (_name, _args, { signal: _, ...options } = {}) => {
      seen.push(options);
      return Promise.resolve({ server: "files", tool: "search", route: "memory", result: { content: [] } });
    },
  });
  const traceparent = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
  const headers = {
    cookie: "canary",
    forwarded: "for=canary",
    "mcp-session-id": "canary",
    traceparent,
    tracestate: "a=1",
  };
  await modern(harness, "tools/call", { name: "search" }, headers);
  assertEquals(seen, [{ trace: { traceparent, tracestate: "a=1" } }]);
});

Deno.test("A browser of an allowed origin may send what MCP needs, and read the session", async () => {
  const { ask } = await openHarness({}, { allowedOrigins: ["https://app.example.com"] });
  const origin = "https://app.example.com";
  const asked = "authorization,content-type,mcp-method,mcp-param-region,mcp-protocol-version,mcp-session-id";
  const preflight = await ask(PATH, {
    method: "OPTIONS",
    key: null,
    headers: { origin, "access-control-request-method": "DELETE", "access-control-request-headers": asked },
  });
  assertEquals([preflight.status, preflight.headers.get("access-control-allow-headers")], [204, asked]);
  assertStringIncludes(preflight.headers.get("access-control-allow-methods") ?? "", "DELETE");
  const { body, headers } = toModern("tools/list");
  const answered = await ask(PATH, {
    method: "POST",
    headers: { ...headers, origin, "content-type": "application/json" } as Record<string, string>,
    body: JSON.stringify(body),
  });
  assertStringIncludes(answered.headers.get("access-control-expose-headers") ?? "", "mcp-session-id");
  await answered.body?.cancel();
});
