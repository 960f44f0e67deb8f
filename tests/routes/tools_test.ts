import { assertEquals, assertStringIncludes } from "@std/assert";
import { z } from "zod";
import { createGateway, digestKey } from "../../routes/mod.ts";
import { MCPClientManager } from "../../src/client_manager.ts";
import { MCPError } from "../../src/errors.ts";
import type { AgentClient } from "../../src/gateway/agent_directory.ts";
import { AGENTS, fakeDirectory, openHarness, OWNED_TOOL, post, problemOf, ROUTED } from "../gateway/gateway_support.ts";
import { startSilentServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";

const STREAM = { accept: "text/event-stream" };

/** An open gateway on a real socket: only there do connections break and responses complete. */
function serve(overrides: Partial<AgentClient>) {
  const directory = fakeDirectory(AGENTS, overrides);
  const gateway = createGateway({ directory }, { open: "loopback" });
  const requestSignals: AbortSignal[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request, info) => {
    requestSignals.push(request.signal);
    return gateway.fetch(request, info);
  });
  const url = `http://127.0.0.1:${server.addr.port}/agents/Kairos/tools`;
  return { directory, gateway, server, requestSignals, url };
}

/** A gateway over real servers; asks for what is under `/agents/Kairos/`. */
async function serveReal(servers: Record<string, { readonly url: string; readonly timeoutMs?: number }>) {
  const directory = new MCPClientManager({ agents: { Kairos: { servers } } });
  const gateway = createGateway({ directory }, { keys: { Kairos: [await digestKey("kairos-key")] } });
  return {
    [Symbol.asyncDispose]: () => directory.close(),
    ask(path: string, init: RequestInit): Promise<Response> {
      const headers = new Headers(init.headers);
      headers.set("host", "gateway.test");
      headers.set("authorization", "Bearer kairos-key");
      return gateway.fetch(new Request(`http://gateway.test/agents/Kairos/${path}`, { ...init, headers }));
    },
  };
}

Deno.test("GET /agents/:agent/tools lists the tools with their owners and schemas", async () => {
  const { ask } = await openHarness();
  const response = await ask("/agents/Kairos/tools");
  assertEquals([response.status, await response.json()], [200, { agent: "Kairos", tools: [OWNED_TOOL] }]);
});

Deno.test("POST /agents/:agent/tools/:tool calls the tool with the body as its arguments", async () => {
  const { ask, directory } = await openHarness();
  const response = await ask("/agents/Kairos/tools/search", post('{"query":"ahoy"}'));
  assertEquals([response.status, await response.json()], [200, ROUTED]);
  assertEquals(directory.asked.at(-1)?.values, ["search", { query: "ahoy" }]);
});

Deno.test("POST /agents/:agent/tools/:tool calls a tool without arguments where there is no body", async () => {
  const { ask, directory } = await openHarness();
  const response = await ask("/agents/Kairos/tools/search", { method: "POST" });
  assertEquals([response.status, directory.asked.at(-1)?.values], [200, ["search", {}]]);
  await response.body?.cancel();
});

Deno.test("POST /agents/:agent/tools/:tool answers 200 where the tool itself failed", async () => {
  const routed = { ...ROUTED, result: { content: [], isError: true } };
  const { ask } = await openHarness({ callToolRouted: () => Promise.resolve(routed) });
  const response = await ask("/agents/Kairos/tools/search", post("{}"));
  assertEquals([response.status, await response.json()], [200, routed]);
});

Deno.test("POST /agents/:agent/tools/:tool answers with a problem that names the server", async () => {
  const error = new MCPError("rate_limited", "Cannot call it yet", { server: "files", retryAfterMs: 1_500 });
  const { ask } = await openHarness({ callToolRouted: () => Promise.reject(error) });
  const response = await ask("/agents/Kairos/tools/search", post("{}", { "x-request-id": "id-1" }));
  assertEquals([response.status, response.headers.get("retry-after")], [503, "2"]);
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  assertEquals(response.headers.get("x-request-id"), "id-1");
  const { server, retryAfterMs, requestId } = await response.json();
  assertEquals([server, retryAfterMs, requestId], ["files", 1_500, "id-1"]);
});

Deno.test("S3 POST /agents/:agent/tools/:tool refuses a bad body before the tool is called", async () => {
  const { ask, directory } = await openHarness({}, { maxBodyBytes: 1_000 });
  const statusOf = async (body: string, headers = {}) => {
    const response = await ask("/agents/Kairos/tools/search", post(body, headers));
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await statusOf(`{"a":"${"x".repeat(1_000)}"}`), 413);
  assertEquals(await statusOf("not json"), 400);
  assertEquals(await statusOf("[]"), 400);
  assertEquals(await statusOf('{"a":'.repeat(100) + "1" + "}".repeat(100)), 400);
  assertEquals(await statusOf("{}", { "content-type": "text/plain" }), 415);
  assertEquals(await statusOf("[]", STREAM), 400);
  assertEquals(directory.asked.some((asked) => asked.method === "callToolRouted"), false);
});

Deno.test("S3 POST /agents/:agent/tools/:tool answers 413 on a socket while the caller still sends", async () => {
  const { directory, server, url } = serve({});
  const response = await fetch(`${url}/search`, post(`{"a":"${"x".repeat(8_000_000)}"}`));
  assertEquals([response.status, (await problemOf(response)).code], [413, "body_too_large"]);
  assertEquals(directory.asked.some((asked) => asked.method === "callToolRouted"), false);
  await server.shutdown();
});

Deno.test("S4 POST /agents/:agent/tools/:tool takes a tool's name as data, decoded once", async () => {
  const { ask, directory } = await openHarness();
  const names = ["a\r\nX-Evil: 1", "a/b", "a%2Fb", "a?b#c", "..", "é", "a b", "%zz"];
  for (const name of names) {
    await (await ask(`/agents/Kairos/tools/x${encodeURIComponent(name)}`, post("{}"))).body?.cancel();
    assertEquals(directory.asked.at(-1)?.values[0], `x${name}`);
  }
});

Deno.test("S5 POST /agents/:agent/tools/:tool hands no header of the caller on", async () => {
  const { ask, directory } = await openHarness();
  const headers = { cookie: "canary", "mcp-session-id": "canary", forwarded: "for=canary", "x-canary": "canary" };
  await (await ask("/agents/Kairos/tools/search", post("{}", headers))).body?.cancel();
  assertEquals(JSON.stringify(directory.asked).includes("canary"), false);
});

Deno.test("POST /agents/:agent/tools/:tool streams progress and then the result to who accepts a stream", async () => {
  const { ask } = await openHarness({
    async callToolRouted(_name, _args, options) {
      for (const progress of [1, 2]) {
        options?.onProgress?.({ progress, total: 2, message: "line 1\nline 2" });
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      return ROUTED;
    },
  });
  const response = await ask("/agents/Kairos/tools/search", post("{}", STREAM));
  assertEquals([response.status, response.headers.get("content-type")], [200, "text/event-stream"]);
  assertEquals(response.headers.get("cache-control"), "no-store");
  const events = (await response.text()).trimEnd().split("\n\n");
  assertEquals(events, [
    'event: progress\ndata: {"progress":1,"total":2,"message":"line 1\\nline 2"}',
    'event: progress\ndata: {"progress":2,"total":2,"message":"line 1\\nline 2"}',
    `event: result\ndata: ${JSON.stringify(ROUTED)}`,
  ]);
});

Deno.test("POST /agents/:agent/tools/:tool ends a stream with a problem where the call fails", async () => {
  const { ask } = await openHarness({
    callToolRouted: () => Promise.reject(new MCPError("outcome_unknown", "The answer was lost", { server: "files" })),
  });
  const text = await (await ask("/agents/Kairos/tools/search", post("{}", STREAM))).text();
  assertStringIncludes(text, "event: problem\n");
  const { code, status, server } = JSON.parse(text.split("data: ")[1] ?? "");
  assertEquals([code, status, server], ["outcome_unknown", 502, "files"]);
});

Deno.test("POST /agents/:agent/tools/:tool keeps the newest progress alone for a caller who does not read", async () => {
  const { ask } = await openHarness({
    callToolRouted(_name, _args, options) {
      for (let progress = 0; progress < 10_000; progress++) options?.onProgress?.({ progress });
      return Promise.resolve(ROUTED);
    },
  });
  const response = await ask("/agents/Kairos/tools/search", post("{}", STREAM));
  await new Promise((resolve) => setTimeout(resolve, 0));
  const text = await response.text();
  assertEquals(text.split("\n\n").at(-2), `event: result\ndata: ${JSON.stringify(ROUTED)}`);
  const progress = [...text.matchAll(/"progress":(\d+)/g)].map((match) => Number(match[1]));
  assertEquals([progress.length < 10, progress.at(-1)], [true, 9_999]);
});

Deno.test("POST /agents/:agent/tools/:tool answers JSON to who prefers it or does not say", async () => {
  const { ask } = await openHarness();
  for (const accept of ["*/*", "application/json", "application/json, text/event-stream", "text/event-stream;q=0"]) {
    const response = await ask("/agents/Kairos/tools/search", post("{}", { accept }));
    assertEquals(response.headers.get("content-type"), "application/json", accept);
    await response.body?.cancel();
  }
});

Deno.test("POST /agents/:agent/tools/:tool tells the operator alone of an error that nobody expected", async () => {
  const told: [unknown, string][] = [];
  const failure = new TypeError("canary");
  const { ask } = await openHarness(
    { callToolRouted: () => Promise.reject(failure) },
    { onInternalError: (error, requestId) => told.push([error, requestId]) },
  );
  for (const accept of ["application/json", "text/event-stream"]) {
    const headers = { accept, "x-request-id": "id-1" };
    const text = await (await ask("/agents/Kairos/tools/search", post("{}", headers))).text();
    assertEquals([text.includes("canary"), text.includes('"internal"')], [false, true]);
  }
  assertEquals(told, [[failure, "id-1"], [failure, "id-1"]]);
});

Deno.test("POST /agents/:agent/tools/:tool answers also where something throws what is no Error", async () => {
  const { ask } = await openHarness({ callToolRouted: () => Promise.reject("a text") });
  const response = await ask("/agents/Kairos/tools/search", post("{}"));
  assertEquals([response.status, (await problemOf(response)).code], [500, "internal"]);
});

Deno.test("POST /agents/:agent/tools/:tool never hands on the request's signal, which aborts after a success", async () => {
  const { directory, server, requestSignals, url } = serve({});
  for (const accept of ["application/json", "text/event-stream"]) {
    const response = await fetch(`${url}/search`, { ...post("{}", { accept }) });
    await response.text();
  }
  await server.shutdown();
  const signals = directory.asked.filter((asked) => asked.method === "callToolRouted").map((asked) => asked.signal);
  assertEquals(signals.map((signal) => signal?.aborted), [false, false]);
  assertEquals(signals.some((signal) => signal !== undefined && requestSignals.includes(signal)), false);
});

for (const accept of ["application/json", "text/event-stream"]) {
  Deno.test(`POST /agents/:agent/tools/:tool cancels the call when the caller of ${accept} goes away`, async () => {
    const called = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const { server, url } = serve({
      callToolRouted(_name, _args, options) {
        options?.signal?.addEventListener("abort", () => cancelled.resolve());
        called.resolve();
        return new Promise(() => {});
      },
    });
    const caller = new AbortController();
    const answer = fetch(`${url}/search`, { ...post("{}", { accept }), signal: caller.signal })
      .then((response) => response.text()).catch(() => {});
    await called.promise;
    caller.abort();
    await cancelled.promise;
    await answer;
    await server.shutdown();
  });
}

Deno.test("POST /agents/:agent/tools/:tool cancels the call when its stream is cancelled", async () => {
  const cancelled = Promise.withResolvers<void>();
  const { ask } = await openHarness({
    callToolRouted(_name, _args, options) {
      options?.signal?.addEventListener("abort", () => cancelled.resolve());
      return new Promise(() => {});
    },
  });
  const response = await ask("/agents/Kairos/tools/search", post("{}", STREAM));
  await response.body?.cancel();
  await cancelled.promise;
});

for (const headers of [{}, STREAM]) {
  Deno.test(`POST /agents/:agent/tools/:tool answers 422 with the path of each nested fault: ${JSON.stringify(headers)}`, async () => {
    const line = z.object({ at: z.int(), text: z.string().max(5) });
    const inputSchema = { edit: z.object({ lines: z.array(line).max(3) }), mode: z.enum(["dry", "wet"]) };
    await using upstream = await startMCPServer({ tools: [{ name: "edit", inputSchema }] });
    await using real = await serveReal({ files: { url: upstream.url } });
    const lines = [{ at: 1, text: "a" }, { at: "2", text: "too long" }, {}];
    const response = await real.ask("tools/edit", post(JSON.stringify({ edit: { lines }, mode: "moist" }), headers));
    const text = await response.text();
    const problem = JSON.parse(text.replace(/^event: problem\ndata: /, ""));
    assertEquals([problem.status, problem.code, problem.server], [422, "invalid_arguments", "files"]);
    assertEquals(problem.faults.map(({ path }: { path: string }) => path).sort(), [
      "edit.lines[1].at",
      "edit.lines[1].text",
      "edit.lines[2].at",
      "edit.lines[2].text",
      "mode",
    ]);
    assertEquals([upstream.executions.size, upstream.count("tools/call")], [0, 0]);
  });
}

for (const [method, path] of [["GET", "tools"], ["POST", "tools/search"]] as const) {
  Deno.test(`${method} /agents/:agent/${path} answers 400 to an X-Request-Timeout-Ms that is no time`, async () => {
    const { ask, directory } = await openHarness();
    for (const timeout of ["0", "-5", "1.5", "soon", "1e3"]) {
      const response = await ask(`/agents/Kairos/${path}`, { method, headers: { "x-request-timeout-ms": timeout } });
      assertEquals([response.status, (await problemOf(response)).code], [400, "invalid_header"]);
    }
    assertEquals(directory.asked.filter(({ method }) => method !== "openClient"), []);
  });

  Deno.test(`${method} /agents/:agent/${path} answers 504 at the caller's deadline`, async () => {
    await using silent = startSilentServer();
    await using real = await serveReal({ files: { url: silent.url } });
    const response = await real.ask(path, { method, headers: { "x-request-timeout-ms": "50" } });
    assertEquals([response.status, (await problemOf(response)).code], [504, "deadline_exceeded"]);
  });
}

Deno.test("POST /agents/:agent/tools/:tool streams a problem at the caller's deadline", async () => {
  await using upstream = await startMCPServer({ tools: [{ name: "search" }] });
  await using real = await serveReal({ files: { url: upstream.url } });
  await (await real.ask("tools/search", post("{}"))).body?.cancel();
  upstream.hangNext("tools/call");
  const response = await real.ask("tools/search", post("{}", { ...STREAM, "x-request-timeout-ms": "50" }));
  const text = await response.text();
  const { status, code } = JSON.parse(text.replace("event: problem\ndata: ", ""));
  assertEquals([status, code], [504, "deadline_exceeded"]);
});

Deno.test("POST /agents/:agent/tools/:tool never prolongs a server's own time for a caller with more", async () => {
  await using upstream = await startMCPServer({ tools: [{ name: "search" }] });
  await using real = await serveReal({ files: { url: upstream.url, timeoutMs: 200 } });
  await (await real.ask("tools/search", post("{}"))).body?.cancel();
  for (const timeout of ["20000", "600000"]) {
    upstream.hangNext("tools/call");
    const response = await real.ask("tools/search", post("{}", { "x-request-timeout-ms": timeout }));
    assertEquals([response.status, (await problemOf(response)).code], [504, "deadline_exceeded"]);
  }
});

Deno.test("S11 a stop answers 20 calls and 5 streams that do not end: they may have run", async () => {
  let called = 0;
  const allCalled = Promise.withResolvers<void>();
  const { gateway, server, url } = serve({
    callToolRouted() {
      if (++called === 25) allCalled.resolve();
      return new Promise(() => {});
    },
  });
  const call = async (accept: string) => {
    const response = await fetch(`${url}/search`, post("{}", { accept }));
    const text = await response.text();
    return [response.status, JSON.parse(text.replace("event: problem\ndata: ", "")).status];
  };
  const answers = [
    ...Array.from({ length: 20 }, () => call("application/json")),
    ...Array.from({ length: 5 }, () => call("text/event-stream")),
  ];
  await allCalled.promise;
  await gateway.drain({ graceMs: 1 });
  assertEquals(await Promise.all(answers), [...Array(20).fill([502, 502]), ...Array(5).fill([200, 502])]);
  await server.shutdown();
});

Deno.test("S11 a stop lets calls that end in time have their result", async () => {
  const called = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const { gateway, server, url } = serve({
    async callToolRouted() {
      called.resolve();
      await gate.promise;
      return ROUTED;
    },
  });
  const answer = fetch(`${url}/search`, post("{}"));
  await called.promise;
  const drained = gateway.drain({ graceMs: 60_000 });
  const refused = await fetch(`${url}/search`, post("{}"));
  assertEquals([refused.status, refused.headers.get("retry-after"), (await problemOf(refused)).code], [
    503,
    "1",
    "closed",
  ]);
  gate.resolve();
  assertEquals(await (await answer).json(), ROUTED);
  await drained;
  await server.shutdown();
});
