import { assert, assertEquals } from "@std/assert";
import { createApp } from "../../routes/app.ts";
import { MCPClientManager } from "../../src/client_manager.ts";
import { createCallers } from "../../src/callers/callers.ts";
import { OPEN_ACCESS } from "../../src/callers/access.ts";
import { Activity } from "../../src/gateway/activity.ts";
import { CallJournal } from "../../src/gateway/call_journal.ts";
import { InFlight } from "../../src/gateway/in_flight.ts";
import { PROBLEM_KINDS, type ProblemCode } from "../../src/gateway/problem.ts";
import { CallLimiter } from "../../src/limits/call_limiter.ts";
import { LoadMeter } from "../../src/limits/load_meter.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { listRoutes, writeGatewayDocument } from "../../src/openapi/gateway_document.ts";
import { GATEWAY_ROUTES } from "../../src/openapi/gateway_routes.ts";
import { isJsonObject, type JsonObject } from "../../src/protocol.ts";
import { IdempotentCalls } from "../../src/rest/idempotent_calls.ts";
import { SchemaChecker } from "../../src/schema/schema_checker.ts";
import { GatewayMetrics } from "../../src/telemetry/gateway_metrics.ts";
import { AGENTS, fakeDirectory, openHarness, post } from "../gateway/gateway_support.ts";
import { openIsolate, toYaml } from "../support/kept_config.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { createGateway, digestKey } from "../../routes/mod.ts";
import { assertValidDocument } from "./_validators.ts";

async function readDocument() {
  return JSON.parse((await writeGatewayDocument()).text);
}

/** Every schema of the document under its name, as one that stands alone. */
async function readSchemas(): Promise<(name: string) => JsonObject> {
  const { components: { schemas } } = await readDocument();
  const text = JSON.stringify(schemas).replaceAll("#/components/schemas/", "#/$defs/");
  return (name) => ({ $ref: `#/$defs/${name}`, $defs: JSON.parse(text) });
}

Deno.test("writeGatewayDocument() writes a valid document, always the same", async () => {
  const document = await writeGatewayDocument();
  await assertValidDocument(document.text);
  assertEquals(await writeGatewayDocument(), document);
});

Deno.test("GATEWAY_ROUTES has every route of the app, and no other", () => {
  const inFlight = new InFlight();
  const store = new MemoryRouteStore();
  const directory = fakeDirectory(AGENTS);
  const journal = new CallJournal();
  const callers = createCallers({ keys: {}, jwt: [], publicUrl: undefined }, { store, fetch, now: Date.now });
  const app: ReturnType<typeof createApp> = createApp(
    {
      directory,
      store,
      idempotentCalls: new IdempotentCalls({ store: undefined, inFlight }),
      inFlight,
      journal,
      metrics: new GatewayMetrics(),
      audit: undefined,
      activity: new Activity({ journal, directory }),
      limiter: new CallLimiter({}, { store }),
      load: new LoadMeter(),
      open: true,
      sessions: "auto",
      storeSecret: undefined,
      callers,
      maxBodyBytes: 1,
      isStarting: () => false,
      onInternalError: () => {},
      dispatch: async (request, info) => await app.fetch(request, info),
    },
    { open: true, allowedHosts: undefined, allowedOrigins: [] },
    { authenticate: () => Promise.resolve(OPEN_ACCESS) },
  );
  const served = app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`);
  assertEquals([...new Set(served)].sort(), [...listRoutes()].sort());
});

Deno.test("GATEWAY_ROUTES says which routes need no key", async () => {
  const { ask } = await openHarness();
  for (const { method, path, isKeyless = false } of GATEWAY_ROUTES) {
    const at = path.replace(":agent", "Kairos").replace(":tool", "search").replace(":id", "one");
    const response = await ask(at, { method: method.toUpperCase(), key: null });
    await response.body?.cancel();
    assertEquals(response.status === 401, !isKeyless, `${method} ${path}`);
  }
});

Deno.test("writeGatewayDocument() names every path with its parameters, and every id once", async () => {
  const { paths } = await readDocument();
  const ids: string[] = [];
  for (const [path, operations] of Object.entries<JsonObject>(paths)) {
    for (const operation of Object.values(operations)) {
      assert(isJsonObject(operation));
      ids.push(String(operation.operationId));
      const parameters = Array.isArray(operation.parameters) ? operation.parameters : [];
      const inPath = parameters.filter((one) => isJsonObject(one) && one.in === "path").map((one) =>
        (one as JsonObject).name
      );
      assertEquals(inPath, [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ""));
    }
  }
  assertEquals([new Set(ids).size, ids.length], [GATEWAY_ROUTES.length, GATEWAY_ROUTES.length]);
});

Deno.test("writeGatewayDocument() has the closed list of codes, and each code that a route names under its status", async () => {
  const { components: { schemas }, paths } = await readDocument();
  assertEquals(schemas.Problem.properties.code.enum, Object.keys(PROBLEM_KINDS));
  const { responses } = paths["/agents/{agent}/tools/{tool}"].post;
  for (
    const [code, status] of [["tool_not_found", 404], ["store_unavailable", 503], ["invalid_arguments", 422]] as const
  ) {
    assert(responses[status].description.includes(`\`${code}\``), code);
  }
  assertEquals(Object.keys(responses["503"].headers), ["X-Request-Id", "Retry-After"]);
});

Deno.test("the gateway answers what its document says", async () => {
  await using files = await startMCPServer({ name: "files" });
  await using mail = await startMCPServer({ name: "mail" });
  const servers = {
    files: { url: files.url, pin: "warn" as const },
    mail: { url: mail.url },
    gone: { url: "http://127.0.0.1:9/mcp" },
    idle: { url: "http://127.0.0.1:9/mcp" },
  };
  await using directory = new MCPClientManager({ agents: { Kairos: { servers }, Empty: { servers: {} } } });
  const keys = { "*": [await digestKey("key")] };
  const store = new MemoryRouteStore();
  const { kept: config } = await openIsolate({ store, now: Date.now });
  const gateway = createGateway({ directory, store, config, audit: {} }, {
    keys,
    publicUrl: "https://gateway.test",
    jwt: [{ issuer: "https://login.example.com" }],
  });
  const schemaOf = await readSchemas();
  const checker = new SchemaChecker();
  const { paths } = await readDocument();

  const seen = new Set<string>();
  const check = async (path: string, template: string, init: RequestInit = {}, method = init.method ?? "GET") => {
    const headers = new Headers(init.headers);
    headers.set("host", "gateway.test");
    headers.set("authorization", "Bearer key");
    const response = await gateway.fetch(new Request(`http://gateway.test${path}`, { ...init, headers }));
    const operation = paths[template][method.toLowerCase()];
    const described = operation.responses[response.status];
    assert(described !== undefined, `${method} ${template}: ${response.status}`);
    const type = response.headers.get("content-type") ?? "";
    if (response.body === null) {
      assertEquals(described.content, undefined, `${method} ${template}: ${response.status}`);
      return void seen.add(`${method.toUpperCase()} ${template}`);
    }
    if (type.startsWith("text/plain")) {
      assertEquals(described.content["text/plain"].schema, { type: "string" }, path);
      await response.text();
      return void seen.add(`${method.toUpperCase()} ${template}`);
    }
    if (type === "application/x-ndjson") {
      for (const line of (await response.text()).trimEnd().split("\n")) {
        const entry = JSON.parse(line);
        assertEquals(await checker.check(schemaOf("AuditEntry"), entry), { kind: "valid" }, line);
      }
      return void seen.add(`${method.toUpperCase()} ${template}`);
    }
    if (type === "text/html; charset=utf-8") {
      assertEquals([described.content["text/html"].schema.type, typeof await response.text()], ["string", "string"]);
      return void seen.add(`${method.toUpperCase()} ${template}`);
    }
    const { $ref } = described.content[type].schema;
    const body = await response.json();
    assertEquals(await checker.check(schemaOf($ref.split("/").at(-1)), body), { kind: "valid" }, `${method} ${path}`);
    if (type === "application/problem+json") {
      assert(described.description.includes(`\`${body.code as ProblemCode}\``), `${method} ${template}: ${body.code}`);
    }
    seen.add(`${method.toUpperCase()} ${template}`);
  };

  const agent = "/agents/{agent}";
  await check("/agents/Kairos/status", `${agent}/status`);
  await check("/agents/Kairos/tools", `${agent}/tools`);
  await check("/agents/Kairos/tools/add", `${agent}/tools/{tool}`, post('{"a":1,"b":2}', { "idempotency-key": "k" }));
  await check("/agents/Kairos/tools/add", `${agent}/tools/{tool}`, post('{"a":1,"b":3}', { "idempotency-key": "k" }));
  await check("/agents/Kairos/tools/add", `${agent}/tools/{tool}`, post('{"a":"1"}'));
  await check("/agents/Kairos/tools/add", `${agent}/tools/{tool}`, post("[]"));
  await check("/agents/Kairos/tools/ad", `${agent}/tools/{tool}`, post("{}"));
  await check("/agents/Kairos/tools/add", `${agent}/tools/{tool}`, post("{}", { "x-request-timeout-ms": "x" }));
  await check("/agents/Kairos/tools/gone__x", `${agent}/tools/{tool}`, post("{}"));
  await check("/agents/Nobody/tools/add", `${agent}/tools/{tool}`, post("{}"));
  const calls = [{ tool: "add", arguments: { a: 1, b: 2 }, id: "a" }, { tool: "ad" }, { tool: "add" }];
  await check("/agents/Kairos/batch", `${agent}/batch`, post(JSON.stringify({ calls })));
  await check("/agents/Kairos/batch", `${agent}/batch`, post('{"calls":[]}'));
  await check("/agents/Kairos/routes/add", `${agent}/routes/{tool}`);
  await check("/agents/Kairos/routes/ad", `${agent}/routes/{tool}`);
  await check("/agents/Kairos/reconnect?server=files", `${agent}/reconnect`, { method: "POST" });
  await check("/agents/Kairos/reconnect?server=file", `${agent}/reconnect`, { method: "POST" });
  await check("/activity?agent=Kairos&limit=500", "/activity");
  await check("/activity?agent=Nobody", "/activity");
  await check("/activity?limit=x", "/activity");
  await check("/agents/Kairos/openapi.json", `${agent}/openapi.json`);
  const decision = (tool: string) => post(JSON.stringify({ server: "files", tool, decision: "withhold" }));
  await check("/admin/agents/Kairos/pins", `/admin${agent}/pins`, decision("add"));
  await check("/admin/agents/Kairos/pins", `/admin${agent}/pins`, decision("ad"));
  await check("/admin/agents/Kairos/pins", `/admin${agent}/pins`, post("{}"));
  await check("/agents/Kairos/pins?all=true", `${agent}/pins`);
  await check("/agents/Kairos/pins?all=x", `${agent}/pins`);
  await check("/agents/Kairos/status", `${agent}/status`);
  const rpc = (method: string, id?: number) => post(JSON.stringify({ jsonrpc: "2.0", id, method, params: {} }));
  for (const message of [rpc("tools/list", 1), rpc("no/such", 2), rpc("notifications/initialized")]) {
    await check("/agents/Kairos/mcp", `${agent}/mcp`, message);
  }
  await check("/agents/Nobody/mcp", `${agent}/mcp`, rpc("tools/list", 1));
  for (const method of ["GET", "DELETE"]) await check("/agents/Kairos/mcp", `${agent}/mcp`, { method });
  const metadata = "/.well-known/oauth-protected-resource";
  await check(metadata, metadata);
  await check(`${metadata}/agents/Kairos/mcp`, `${metadata}${agent}/mcp`);
  const keysOf = `/admin${agent}/keys`;
  await check("/admin/agents/Kairos/keys", keysOf, post('{"id":"new"}'));
  await check("/admin/agents/Kairos/keys", keysOf, post('{"id":"new"}'));
  await check("/admin/agents/Kairos/keys", keysOf, post('{"name":"new"}'));
  await check("/admin/agents/Kairos/keys", keysOf);
  for (const id of ["new", "old"]) {
    await check(`/admin/agents/Kairos/keys/${id}`, `${keysOf}/{id}`, { method: "DELETE" });
  }
  await check("/admin/reconnect?server=files", "/admin/reconnect", { method: "POST" });
  await check("/admin/cache/flush?agent=Kairos", "/admin/cache/flush", { method: "POST" });
  await check("/admin/cache/flush?agent=Nobody", "/admin/cache/flush", { method: "POST" });
  const put = (body: string, query = "", type = "application/yaml") => {
    const init = { method: "PUT", body, headers: { "content-type": type } };
    return check(`/admin/config${query}`, "/admin/config", init);
  };
  await check("/admin/config", "/admin/config");
  await put(toYaml("second"));
  await put("agents: 7");
  await put(toYaml("third"), "?dry_run=true");
  await put(toYaml("third"), "?dry_run=7");
  await put(toYaml("third"), "", "text/html");
  await check("/admin/config", "/admin/config");
  await check("/admin/config", "/admin/config", { method: "DELETE", headers: { "if-match": '"x"' } });
  await check("/admin/config", "/admin/config", { method: "DELETE" });
  await check("/admin/audit?limit=5000", "/admin/audit");
  await check("/admin/audit?after=x", "/admin/audit");
  const keyless = ["/", "/healthz", "/readyz", "/openapi.json", "/docs", "/config.schema.json"];
  for (const path of [...keyless, "/status", "/metrics"]) await check(path, path);
  await gateway.drain();
  await check("/readyz", "/readyz");
  await check("/agents/Kairos/tools", `${agent}/tools`);
  assertEquals(seen.size, GATEWAY_ROUTES.length);
});

Deno.test("the gateway's document refuses the batches that the gateway refuses", async () => {
  const schema = (await readSchemas())("Batch");
  const checker = new SchemaChecker();
  const kindOf = async (batch: unknown) => (await checker.check(schema, batch)).kind;
  const call = { tool: "a" };
  assertEquals(
    await kindOf({ calls: [call, { ...call, arguments: {}, id: "x", idempotencyKey: "k" }], concurrency: 16 }),
    "valid",
  );
  const refused: unknown[] = [{}, { calls: [] }, { calls: Array(65).fill(call) }, { calls: [call], concurrency: 17 }];
  refused.push({ calls: [{}] }, { calls: [{ tool: "" }] }, { calls: [{ ...call, arguments: [] }] }, {
    calls: [call],
    more: 1,
  });
  refused.push({ calls: [{ ...call, id: "x".repeat(129) }] }, { calls: [{ ...call, idempotencyKey: "" }] });
  for (const batch of refused) assertEquals(await kindOf(batch), "invalid", JSON.stringify(batch).slice(0, 80));
});
