import { assertEquals } from "@std/assert";
import { z } from "zod";
import { MCPClientManager } from "../../src/client_manager.ts";
import { MCPError } from "../../src/errors.ts";
import type { AgentClient } from "../../src/gateway/agent_directory.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { createGateway, digestKey, type Gateway } from "../../routes/mod.ts";
import { AGENTS, fakeDirectory, openHarness, post, problemOf, ROUTED } from "../gateway/gateway_support.ts";
import { until } from "../support/client_support.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { textResult } from "../support/test_tools.ts";

const PATH = "/agents/Kairos/tools/search";
const KEY = { "idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"' };
const STREAM = { accept: "text/event-stream" };
const storeSecret = new TextEncoder().encode("a secret of more than 16 bytes");

function openKeyed(overrides: Partial<AgentClient> = {}) {
  return openHarness(overrides, { store: new MemoryRouteStore(), storeSecret });
}

function callsOf(directory: { readonly asked: readonly { readonly method: string }[] }): number {
  return directory.asked.filter(({ method }) => method === "callToolRouted").length;
}

Deno.test("POST /agents/:agent/tools/:tool calls once for one Idempotency-Key and says so the second time", async () => {
  const { ask, directory } = await openKeyed();
  const first = await ask(PATH, post('{"query":"ahoy"}', KEY));
  assertEquals([first.status, first.headers.get("idempotency-replayed"), await first.json()], [200, null, ROUTED]);
  const again = await ask(PATH, post('{ "query": "ahoy" }', KEY));
  assertEquals([again.status, again.headers.get("idempotency-replayed"), await again.json()], [200, "true", ROUTED]);
  assertEquals(callsOf(directory), 1);
});

Deno.test("POST /agents/:agent/tools/:tool takes a key as the caller's own, for one agent", async () => {
  const { ask, directory } = await openKeyed();
  for (
    const [path, key] of [[PATH, "kairos-key"], [PATH, "admin-key"], ["/agents/Mercurius/tools/search", "admin-key"]]
  ) {
    const response = await ask(path!, { ...post("{}", KEY), key: key! });
    assertEquals([response.status, response.headers.get("idempotency-replayed")], [200, null]);
    await response.body?.cancel();
  }
  assertEquals(callsOf(directory), 3);
});

Deno.test("POST /agents/:agent/tools/:tool answers 422 to a key that was used for other arguments or another tool", async () => {
  const { ask, directory } = await openKeyed();
  await (await ask(PATH, post('{"query":"ahoy"}', KEY))).body?.cancel();
  for (const [path, body] of [[PATH, '{"query":"moin"}'], ["/agents/Kairos/tools/find", '{"query":"ahoy"}']]) {
    const response = await ask(path!, post(body!, KEY));
    assertEquals([response.status, (await problemOf(response)).code], [422, "idempotency_key_reused"]);
  }
  assertEquals(callsOf(directory), 1);
});

for (const key of ["", "a b", '"open', "é", "x".repeat(256)]) {
  Deno.test(`POST /agents/:agent/tools/:tool answers 400 to an Idempotency-Key of ${key.length} characters: ${key.slice(0, 8)}`, async () => {
    const { ask, directory } = await openKeyed();
    const response = await ask(PATH, post("{}", { "idempotency-key": key }));
    assertEquals([response.status, (await problemOf(response)).code, callsOf(directory)], [400, "invalid_header", 0]);
  });
}

Deno.test("POST /agents/:agent/tools/:tool answers 409 with Retry-After while another call with the key runs", async () => {
  const gate = Promise.withResolvers<void>();
  const called = Promise.withResolvers<void>();
  const { ask, directory } = await openKeyed({
    async callToolRouted() {
      called.resolve();
      await gate.promise;
      return ROUTED;
    },
  });
  const first = ask(PATH, post("{}", KEY));
  await called.promise;
  const second = await ask(PATH, post("{}", { ...KEY, "x-request-timeout-ms": "1" }));
  assertEquals([second.status, second.headers.get("retry-after")], [409, "1"]);
  assertEquals((await problemOf(second)).code, "idempotency_in_progress");
  gate.resolve();
  await (await first).body?.cancel();
  assertEquals(callsOf(directory), 1);
});

Deno.test("POST /agents/:agent/tools/:tool streams the answer of an earlier call", async () => {
  const { ask, directory } = await openKeyed();
  const first = await ask(PATH, post("{}", { ...KEY, ...STREAM }));
  assertEquals([first.headers.get("idempotency-replayed"), await first.text()], [
    null,
    `event: result\ndata: ${JSON.stringify(ROUTED)}\n\n`,
  ]);
  const again = await ask(PATH, post("{}", { ...KEY, ...STREAM }));
  assertEquals([again.headers.get("idempotency-replayed"), await again.text()], [
    "true",
    `event: result\ndata: ${JSON.stringify(ROUTED)}\n\n`,
  ]);
  const refused = await ask(PATH, post('{"query":"moin"}', { ...KEY, ...STREAM }));
  assertEquals([refused.status, (await problemOf(refused)).code], [422, "idempotency_key_reused"]);
  assertEquals(callsOf(directory), 1);
});

Deno.test("POST /agents/:agent/tools/:tool answers a failure again under the id of the new request", async () => {
  const error = new MCPError("upstream_error", "Cannot call it", { server: "files" });
  const { ask, directory } = await openKeyed({ callToolRouted: () => Promise.reject(error) });
  for (const [requestId, replayed] of [["id-1", null], ["id-2", "true"]]) {
    const response = await ask(PATH, post("{}", { ...KEY, "x-request-id": requestId! }));
    assertEquals([response.status, response.headers.get("idempotency-replayed")], [502, replayed]);
    assertEquals(response.headers.get("content-type"), "application/problem+json");
    const problem = await response.json();
    assertEquals([problem.code, problem.server, problem.requestId], ["upstream_error", "files", requestId]);
  }
  assertEquals(callsOf(directory), 1);
});

for (const headers of [{}, STREAM]) {
  Deno.test(`POST /agents/:agent/tools/:tool makes a call to its end for who left and comes back: ${JSON.stringify(headers)}`, async () => {
    const gate = Promise.withResolvers<void>();
    const called = Promise.withResolvers<AbortSignal | undefined>();
    const directory = fakeDirectory(AGENTS, {
      async callToolRouted(_name, _args, options) {
        called.resolve(options?.signal);
        await gate.promise;
        return ROUTED;
      },
    });
    const gateway = createGateway({ directory, store: new MemoryRouteStore() }, { open: "loopback" });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
    const url = `http://127.0.0.1:${server.addr.port}${PATH}`;
    const caller = new AbortController();
    const left = fetch(url, { ...post("{}", { ...KEY, ...headers }), signal: caller.signal })
      .then((response) => response.text()).catch(() => "left");
    const signal = await called.promise;
    caller.abort();
    assertEquals([await left, signal?.aborted], ["left", false]);
    const again = fetch(url, post("{}", KEY));
    gate.resolve();
    const response = await again;
    assertEquals([response.headers.get("idempotency-replayed"), await response.json()], ["true", ROUTED]);
    assertEquals(callsOf(directory), 1);
    await server.shutdown();
  });
}

Deno.test("K1 POST /agents/:agent/tools/:tool answers 503 to a key where the gateway has no store, or none that answers", async () => {
  const store = new FaultyRouteStore(Date.now);
  store.fault = "rejects";
  for (const options of [{}, { store }]) {
    const { ask, directory } = await openHarness({}, options);
    const response = await ask(PATH, post("{}", KEY));
    assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
    assertEquals([(await problemOf(response)).code, callsOf(directory)], ["store_unavailable", 0]);
    await (await ask(PATH, post("{}"))).body?.cancel();
    assertEquals(callsOf(directory), 1, "a call without a key needs no store");
  }
});

Deno.test("50 equal requests at two gateways over one KV reach a real server once", async () => {
  using kv = await Deno.openKv(":memory:");
  const gate = Promise.withResolvers<void>();
  const slow = { name: "search", run: async () => (await gate.promise, textResult("found")) };
  await using upstream = await startMCPServer({ name: "files", tools: [slow] });
  const config = { agents: { Kairos: { servers: { files: { url: upstream.url } } } } };
  const keys = { Kairos: [await digestKey("kairos-key")] };
  await using one = new MCPClientManager(config);
  await using two = new MCPClientManager(config);
  const gateways: readonly Gateway[] = [one, two].map((directory) => {
    const store = new KvRouteStore(kv, { prefix: ["gateway"], consistency: "strong" });
    return createGateway({ directory, store, storeSecret }, { keys });
  });
  const headers = { ...KEY, host: "gateway.test", authorization: "Bearer kairos-key" };
  const ask = (index: number) =>
    gateways[index % 2]!.fetch(new Request(`http://gateway.test${PATH}`, post("{}", headers)));

  const asked = Array.from({ length: 50 }, (_, index) => ask(index));
  await until(() => upstream.executions.get("search") === 1);
  gate.resolve();
  const responses = await Promise.all(asked);
  assertEquals(responses.map(({ status }) => status), Array(50).fill(200));
  assertEquals(responses.filter(({ headers }) => headers.get("idempotency-replayed") === null).length, 1);
  const texts = new Set(await Promise.all(responses.map((response) => response.text())));
  assertEquals([...texts].map((text) => JSON.parse(text).result.content), [[{ type: "text", text: "found" }]]);
  for (const index of [0, 1]) assertEquals((await (await ask(index)).json()).server, "files");
  assertEquals(upstream.executions.get("search"), 1);
});

Deno.test("50 equal requests whose arguments the tool's schema refuses reach no server, and leave the key free", async () => {
  using kv = await Deno.openKv(":memory:");
  await using upstream = await startMCPServer({ tools: [{ name: "search", inputSchema: { query: z.string() } }] });
  await using directory = new MCPClientManager({ agents: { Kairos: { servers: { files: { url: upstream.url } } } } });
  const store = new KvRouteStore(kv, { consistency: "strong" });
  const gateway = createGateway({ directory, store }, { keys: { Kairos: [await digestKey("kairos-key")] } });
  const headers = { ...KEY, host: "gateway.test", authorization: "Bearer kairos-key" };
  const ask = (body: string) => gateway.fetch(new Request(`http://gateway.test${PATH}`, post(body, headers)));
  const responses = await Promise.all(Array.from({ length: 50 }, () => ask('{"query":7}')));
  for (const response of responses) {
    assertEquals([response.status, (await problemOf(response)).faults], [
      422,
      [{ path: "query", message: "Expected a string: got a number" }],
    ]);
  }
  assertEquals(upstream.executions.get("search"), undefined);
  const mended = await ask('{"query":"ahoy"}');
  assertEquals([mended.status, upstream.executions.get("search")], [200, 1]);
  await mended.body?.cancel();
});
