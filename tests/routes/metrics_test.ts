import { assertEquals, assertMatch } from "@std/assert";
import { MCPClientManager } from "../../src/client_manager.ts";
import { createGateway, digestKey } from "../../routes/mod.ts";
import { openHarness, post, problemOf } from "../gateway/gateway_support.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { findValues, readFamilies } from "../telemetry/_scrape.ts";

Deno.test("GET /metrics counts what was called, by every door, for a parser of Prometheus", async () => {
  await using upstream = await startMCPServer();
  await using manager = new MCPClientManager({ agents: { Kairos: { servers: { files: { url: upstream.url } } } } });
  const gateway = createGateway({ directory: manager }, { keys: { "*": [await digestKey("admin-key")] } });
  const headers = { host: "localhost", authorization: "Bearer admin-key", "content-type": "application/json" };
  const send = async (path: string, body?: unknown) => {
    const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    return await gateway.fetch(new Request(`http://localhost${path}`, init));
  };
  const echo = { tool: "echo", arguments: { text: "ahoy" } };
  for (
    const [path, body] of [
      ["tools/echo", { text: "ahoy" }],
      ["batch", { calls: [echo, echo] }],
      ["mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo", arguments: { text: "ahoy" } } }],
      ["tools/nothing", {}],
    ] as const
  ) {
    await (await send(`/agents/Kairos/${path}`, body)).text();
  }
  const refused = new Request("http://localhost/agents/Kairos/tools/echo", {
    method: "POST",
    headers: { host: "localhost" },
  });
  await (await gateway.fetch(refused)).text();
  const response = await send("/metrics");
  assertMatch(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const page = await response.text();
  const echoed = (door: string) => findValues(page, "portolan_calls_total", { tool: "echo", outcome: "ok", door });
  assertEquals([echoed("rest"), echoed("batch"), echoed("mcp")], [[1], [2], [1]]);
  assertEquals(findValues(page, "portolan_calls_total", { tool: "", outcome: "tool_not_found" }), [1]);
  assertEquals(findValues(page, "portolan_connections_total", { server: "files", event: "connected" }), [1]);
  assertEquals(findValues(page, "portolan_server_connected", { server: "files" }), [1]);
  assertEquals(findValues(page, "portolan_requests_in_flight"), [1]);
  const ROUTE = { route: "/agents/:agent/tools/:tool", method: "POST" };
  const requests = (labels: Record<string, string>) => findValues(page, "portolan_http_requests_total", labels);
  assertEquals([requests({ ...ROUTE, status: "200" }), requests({ ...ROUTE, status: "404" })], [[1], [1]]);
  assertEquals(requests({ ...ROUTE, status: "401" }), [1]);
  for (const [name, { type, help }] of readFamilies(page)) {
    assertEquals([type === "COUNTER", help !== ""], [name.endsWith("_total"), true], name);
  }
});

Deno.test("S2 GET /metrics shows a key its own agents, and nobody without one anything", async () => {
  const { ask } = await openHarness();
  for (const agent of ["Kairos", "Mercurius"]) {
    await (await ask(`/agents/${agent}/tools/search`, { ...post("{}"), key: "admin-key" })).text();
  }
  const pageFor = async (key: string) => await (await ask("/metrics", { key })).text();
  const [own, all] = [await pageFor("kairos-key"), await pageFor("admin-key")];
  assertEquals([own.includes('agent="Kairos"'), own.includes("Mercurius")], [true, false]);
  assertEquals([own.includes("requests_in_flight"), all.includes("requests_in_flight")], [false, true]);
  assertEquals(all.includes('agent="Mercurius"'), true);
  for (const key of [null, "wrong"]) {
    const response = await ask("/metrics", { key });
    assertEquals([response.status, (await problemOf(response)).code], [401, "unauthenticated"]);
  }
});
