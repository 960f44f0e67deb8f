/** What the endpoint refuses and how it says so, in both eras, as it is on the wire. */

import { assertEquals } from "@std/assert";
import { MCPError, type MCPErrorCode } from "../../src/errors.ts";
import { openHarness, OWNED_TOOL } from "../gateway/gateway_support.ts";
import { legacy, modern, send, type SentHeaders } from "../support/harness_calls.ts";
import { toModern } from "../support/northbound_support.ts";

const PREFIX = "io.modelcontextprotocol/";

Deno.test("POST refuses what is not exactly one JSON-RPC message, and names the id where it can be read", async () => {
  const harness = await openHarness();
  const table: readonly (readonly [body: string, status: number, code: number, id: unknown])[] = [
    ["", 400, -32600, null],
    ["{", 400, -32700, null],
    ["nul", 400, -32700, null],
    ["null", 400, -32600, null],
    ["7", 400, -32600, null],
    ["[]", 400, -32600, null],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32600, null],
    ['{"id":1,"method":"ping"}', 400, -32600, null],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600, null],
    ['{"jsonrpc":"2.0","id":1}', 400, -32600, 1],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600, null],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 400, -32600, null],
    ['{"jsonrpc":"2.0","id":1e300,"method":"ping"}', 400, -32600, null],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600, null],
    [`{"jsonrpc":"2.0","id":"${"x".repeat(2_000)}","method":"ping"}`, 400, -32600, null],
    ['{"jsonrpc":"2.0","id":"a","method":7}', 400, -32600, "a"],
    ['{"jsonrpc":"2.0","id":"a","method":"ping","params":[]}', 400, -32600, "a"],
    ['{"jsonrpc":"2.0","id":"a","method":"ping","params":null}', 400, -32600, "a"],
    ['{"jsonrpc":"2.0","id":"a","result":{},"error":{"code":1}}', 400, -32600, "a"],
    ['{"jsonrpc":"2.0","id":"a","result":{}}', 400, -32600, null],
    [`{"jsonrpc":"2.0","id":1,"method":"ping","params":${"[".repeat(5_000)}${"]".repeat(5_000)}}`, 400, -32700, null],
  ];
  for (const [body, status, code, id] of table) {
    const { status: answered, last, headers } = await send(harness, body);
    const type = headers.get("content-type");
    const label = body.slice(0, 60);
    assertEquals([label, answered, last.jsonrpc, last.error.code, last.id, type], [
      label,
      status,
      "2.0",
      code,
      id,
      "application/json",
    ]);
  }
});

Deno.test("POST answers with the id as it was, whatever kind it is", async () => {
  const harness = await openHarness();
  for (const id of ["a", "", "__proto__", 0, -1, Number.MAX_SAFE_INTEGER, "x".repeat(1_024)]) {
    const { last } = await send(harness, { jsonrpc: "2.0", id, method: "ping" });
    assertEquals(last, { jsonrpc: "2.0", id, result: {} });
  }
});

Deno.test("POST takes notifications of both eras with 202 and no body", async () => {
  const harness = await openHarness();
  const { headers, body } = toModern("notifications/cancelled", { requestId: 1 });
  const { id: _, ...notification } = body;
  for (
    const [message, own] of [[{ jsonrpc: "2.0", method: "notifications/initialized" }, {}], [notification, headers]]
  ) {
    const { status, messages } = await send(harness, message, own as SentHeaders);
    assertEquals([status, messages], [202, []]);
  }
});

Deno.test("POST decides on the era by the envelope and the header of each request", async () => {
  const harness = await openHarness();
  const discover = toModern("server/discover");
  const withVersion = (version: unknown) => {
    const { body } = toModern("server/discover", {}, { meta: { [`${PREFIX}protocolVersion`]: version } });
    return body;
  };
  const legacyInit = { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: "2025-06-18" } };
  const table:
    readonly (readonly [what: string, body: unknown, headers: SentHeaders, status: number, outcome: unknown])[] = [
      ["modern", discover.body, discover.headers, 200, "complete"],
      ["no envelope", { ...discover.body, params: {} }, discover.headers, 400, -32602],
      ["no version", withVersion(undefined), discover.headers, 400, -32602],
      ["a number as version", withVersion(7), discover.headers, 400, -32602],
      ["another version in the body", withVersion("v999"), discover.headers, 400, -32020],
      [
        "an unknown version in both",
        withVersion("v999"),
        { ...discover.headers, "mcp-protocol-version": "v999" },
        400,
        -32022,
      ],
      [
        "an unknown version in the header",
        { jsonrpc: "2.0", id: 1, method: "ping" },
        { "mcp-protocol-version": "v999" },
        400,
        -32022,
      ],
      [
        "a legacy version in both",
        withVersion("2025-11-25"),
        { ...discover.headers, "mcp-protocol-version": "2025-11-25" },
        400,
        -32022,
      ],
      ["no header", discover.body, { ...discover.headers, "mcp-protocol-version": null }, 400, -32020],
      ["a legacy header", discover.body, { ...discover.headers, "mcp-protocol-version": "2025-11-25" }, 400, -32020],
      ["no Mcp-Method", discover.body, { ...discover.headers, "mcp-method": null }, 400, -32020],
      ["another Mcp-Method", discover.body, { ...discover.headers, "mcp-method": "SERVER/DISCOVER" }, 400, -32020],
      ["initialize, modern", toModern("initialize").body, toModern("initialize").headers, 404, -32601],
      ["initialize", legacyInit, {}, 200, "2025-06-18"],
      ["initialize of the future", legacyInit, { "mcp-protocol-version": "2099-01-01" }, 200, "2025-06-18"],
      ["no version at all", { jsonrpc: "2.0", id: 1, method: "ping" }, {}, 200, undefined],
      ["a legacy request for a modern method", { jsonrpc: "2.0", id: 1, method: "server/discover" }, {}, 200, -32601],
    ];
  for (const [what, body, headers, status, outcome] of table) {
    const { status: answered, last } = await send(harness, body, headers);
    const found = last.error?.code ?? last.result.resultType ?? last.result.protocolVersion;
    assertEquals([what, answered, found, last.id], [what, status, outcome, 1]);
  }
});

Deno.test("POST names the supported versions to a caller of another one", async () => {
  const harness = await openHarness();
  const { last } = await send(harness, { jsonrpc: "2.0", id: 1, method: "ping" }, { "mcp-protocol-version": "v999" });
  const { last: discovered } = await modern(harness, "server/discover");
  assertEquals(last.error.data, { supported: ["2026-07-28"], requested: "v999" });
  assertEquals(discovered.result.supportedVersions, ["2026-07-28"]);
});

Deno.test("initialize goes on with the version that is asked for, else with the best one", async () => {
  const harness = await openHarness();
  const versions: [unknown, string][] = [
    ["2024-11-05", "2024-11-05"],
    ["2025-03-26", "2025-03-26"],
    ["2025-06-18", "2025-06-18"],
    ["2025-11-25", "2025-11-25"],
    ["2026-07-28", "2025-11-25"],
    ["1900-01-01", "2025-11-25"],
    [7, "2025-11-25"],
  ];
  for (const [requested, agreed] of versions) {
    const { last } = await legacy(harness, "initialize", { protocolVersion: requested });
    assertEquals([requested, last.result.protocolVersion], [requested, agreed]);
    assertEquals([last.result.serverInfo.name, last.result.serverInfo.title], ["portolan", "Kairos"]);
  }
});

Deno.test("A modern caller's Mcp-Name is what its params name, encoded or not", async () => {
  const harness = await openHarness();
  const call = (name: string, header: string | null) => modern(harness, "tools/call", { name }, { "mcp-name": header });
  const encode = (text: string) => `=?base64?${new TextEncoder().encode(text).toBase64()}?=`;
  const table: readonly (readonly [name: string, header: string | null, code: number | undefined])[] = [
    ["search", "search", undefined],
    ["search", encode("search"), undefined],
    ["häfen", encode("häfen"), undefined],
    ["a\r\nb", encode("a\r\nb"), undefined],
    ["search", "Search", -32020],
    ["search", null, -32020],
    ["search", "=?base64?c2VhcmNo!?=", -32020],
    ["search", "=?base64?c2VhcmN?=", -32020],
    ["search", "=?base64? c2VhcmNo?=", -32020],
    ["=?base64?eA==?=", encode("=?base64?eA==?="), undefined],
    ["=?base64?eA==?=", "=?base64?eA==?=", -32020],
  ];
  for (const [name, header, code] of table) {
    const { last, status } = await call(name, header);
    assertEquals([name, header, last.error?.code, status], [name, header, code, code === undefined ? 200 : 400]);
  }
});

Deno.test("A modern caller's Mcp-Param headers are what the arguments are, as the tool's schema names them", async () => {
  const properties = {
    region: { type: "string", "x-mcp-header": "Region" },
    size: { type: "integer", "x-mcp-header": "Size" },
    dry: { type: "boolean", "x-mcp-header": "Dry" },
  };
  const tool = { name: "search", inputSchema: { type: "object", properties } };
  let known = false;
  const harness = await openHarness({
    findTool: () => known ? tool : undefined,
    routeTool: () => {
      known = true;
      return Promise.resolve({ server: "files" } as never);
    },
  });
  const call = async (args: Record<string, unknown>, headers: SentHeaders) => {
    const { last } = await modern(harness, "tools/call", { name: "search", arguments: args }, headers);
    return last.error?.code;
  };
  assertEquals(await call({ region: "eu" }, { "mcp-param-region": "eu" }), undefined);
  assertEquals(known, true);
  const all = { region: "Gênes", size: 42, dry: true };
  const region = `=?base64?${new TextEncoder().encode("Gênes").toBase64()}?=`;
  assertEquals(
    await call(all, { "mcp-param-region": region, "mcp-param-size": "42.0", "mcp-param-dry": "true" }),
    undefined,
  );
  assertEquals(
    await call(all, { "mcp-param-region": region, "mcp-param-size": "43", "mcp-param-dry": "true" }),
    -32020,
  );
  assertEquals(await call(all, { "mcp-param-region": region, "mcp-param-size": "42" }), -32020);
  assertEquals(await call({ region: "eu" }, {}), -32020);
  assertEquals(await call({}, { "mcp-param-region": "eu" }), -32020);
  assertEquals(await call({ region: null }, {}), undefined);
  assertEquals(await call({}, { "mcp-param-unknown": "eu" }), undefined);
  // A legacy caller knows nothing of them.
  const { last } = await legacy(harness, "tools/call", { name: "search", arguments: { region: "eu" } });
  assertEquals(last.error, undefined);
});

Deno.test("Every error of an agent's client has a JSON-RPC code of the era, and says the rest in its data", async () => {
  const table: readonly (readonly [MCPErrorCode, legacy: number, modern: number])[] = [
    ["tool_not_found", -32602, -32602],
    ["tool_ambiguous", -32602, -32602],
    ["resource_not_found", -32002, -32602],
    ["not_supported", -32601, -32601],
    ["input_required", -32000, -32603],
    ["unreachable", -32000, -32603],
    ["deadline_exceeded", -32000, -32603],
    ["outcome_unknown", -32000, -32603],
    ["upstream_error", -32000, -32603],
    ["overloaded", -32000, -32603],
    ["rate_limited", -32000, -32603],
    ["denied", -32000, -32603],
  ];
  for (const [code, inLegacy, inModern] of table) {
    const error = new MCPError(code, "Cannot do it", { server: "files", retryAfterMs: 5_000, retryable: true });
    const harness = await openHarness({ callToolRouted: () => Promise.reject(error) });
    for (const [era, expected] of [[legacy, inLegacy], [modern, inModern]] as const) {
      const { status, last } = await era(harness, "tools/call", { name: "search" });
      const { data, ...rest } = last.error;
      const { requestId, ...further } = data;
      assertEquals([code, status, rest.code, rest.message], [code, 200, expected, "Cannot do it"]);
      assertEquals(further, { code, server: "files", retryable: true, retryAfterMs: 5_000 });
      assertEquals(typeof requestId, "string");
    }
  }
});

Deno.test("Unknown methods are 404 in the modern era, and those of sessions do not exist without one", async () => {
  const harness = await openHarness();
  for (
    const method of ["ping", "initialize", "logging/setLevel", "resources/subscribe", "__proto__", "toString", "x/y"]
  ) {
    const { status, last } = await modern(harness, method);
    assertEquals([method, status, last.error.code], [method, 404, -32601]);
  }
  for (const method of ["logging/setLevel", "resources/subscribe", "constructor", "x/y", "subscriptions/listen"]) {
    const { status, last } = await legacy(harness, method, { uri: "a://b", level: "info" });
    assertEquals([method, status, last.error.code], [method, 200, -32601]);
  }
});

Deno.test("Parameters of the wrong type are -32602, and nobody is asked", async () => {
  const harness = await openHarness({ getStatus: () => ({ servers: { files: {} } }) as never });
  const table: readonly (readonly [method: string, params: Record<string, unknown>])[] = [
    ["tools/call", {}],
    ["tools/call", { name: 7 }],
    ["tools/call", { name: "search", arguments: [] }],
    ["tools/call", { name: "search", arguments: "a" }],
    ["tools/call", { name: "search", arguments: null }],
    ["resources/read", { uri: 7 }],
    ["prompts/get", {}],
    ["prompts/get", { name: "a", arguments: { a: 1 } }],
    ["completion/complete", {}],
    ["completion/complete", { ref: { type: "ref/tool", name: "a" }, argument: { name: "a", value: "" } }],
    ["completion/complete", { ref: { type: "ref/prompt", name: "a" }, argument: { name: "a" } }],
    ["tools/list", { cursor: "nonsense" }],
    ["tools/list", { cursor: 7 }],
    ["tools/list", { cursor: btoa("tools:1000") }],
    ["tools/list", { cursor: btoa("prompts:1000") }],
  ];
  for (const [method, params] of table) {
    for (const era of [legacy, modern]) {
      const { last } = await era(harness, method, params, { "mcp-name": String(params.name ?? params.uri ?? "") });
      assertEquals([method, JSON.stringify(params), last.error?.code], [method, JSON.stringify(params), -32602]);
    }
  }
  assertEquals(harness.directory.asked.some(({ method }) => method === "callToolRouted"), false);
});

Deno.test("tools/list is cut into pages where it is very long, with cursors of its own", async () => {
  const tools = Array.from({ length: 2_500 }, (_, index) => ({ ...OWNED_TOOL, name: `tool_${index}` }));
  const harness = await openHarness({ listOwnedTools: () => Promise.resolve(tools) });
  const names: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const { last } = await modern(harness, "tools/list", cursor === undefined ? {} : { cursor });
    names.push(...last.result.tools.map(({ name }: { readonly name: string }) => name));
    cursor = last.result.nextCursor;
    pages++;
  } while (cursor !== undefined);
  assertEquals([pages, names], [3, tools.map(({ name }) => name)]);
});

Deno.test("Lists of a gateway with keys are private, whatever the servers say", async () => {
  const harness = await openHarness();
  const { last } = await modern(harness, "tools/list");
  assertEquals([last.result.ttlMs, last.result.cacheScope], [1_000, "private"]);
  assertEquals((await modern(harness, "server/discover")).last.result.cacheScope, "private");
  assertEquals((await legacy(harness, "tools/list")).last.result.ttlMs, undefined);
});
