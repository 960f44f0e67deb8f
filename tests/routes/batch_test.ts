import { assertEquals } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import type { AgentClient } from "../../src/gateway/agent_directory.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import type { RoutedResult } from "../../src/status.ts";
import { createGateway } from "../../routes/mod.ts";
import { AGENTS, fakeDirectory, openHarness, post, problemOf, ROUTED } from "../gateway/gateway_support.ts";
import { until } from "../support/client_support.ts";

const PATH = "/agents/Kairos/batch";
const STREAM = { accept: "text/event-stream" };

function batch(calls: readonly unknown[], more: Record<string, unknown> = {}): string {
  return JSON.stringify({ calls, ...more });
}

/** A client whose calls end when a test says so. */
function gated() {
  const running = new Map<string, PromiseWithResolvers<RoutedResult>>();
  const begun: string[] = [];
  const client: Partial<AgentClient> = {
    callToolRouted(name, _args, options) {
      const gate = Promise.withResolvers<RoutedResult>();
      options?.signal?.addEventListener("abort", () => gate.reject(options.signal?.reason));
      running.set(name, gate);
      begun.push(name);
      return gate.promise;
    },
  };
  return { client, begun, end: (name: string) => running.get(name)?.resolve({ ...ROUTED, tool: name }) };
}

function eventsIn(text: string) {
  return text.trimEnd().split("\n\n").map((event) => {
    const [name = "", data = ""] = event.split("\n");
    return [name.replace("event: ", ""), JSON.parse(data.replace("data: ", ""))] as const;
  });
}

Deno.test("POST /agents/:agent/batch answers each call as if it came alone, in order", async () => {
  const { ask, directory } = await openHarness({
    callToolRouted(name) {
      if (name === "search") return Promise.resolve(ROUTED);
      const faults = [{ path: "lines[0]", message: "Expected an integer" }];
      const error = name === "read"
        ? new MCPError("invalid_arguments", "Cannot call it", { server: "files", faults })
        : new MCPError("tool_not_found", "Cannot find it", { suggestions: ["search"] });
      return Promise.reject(error);
    },
  });
  const calls = [
    { tool: "search", arguments: { query: "ahoy" }, id: "first" },
    { tool: "read", arguments: { lines: ["a"] } },
    { tool: "serch", id: "third" },
    { tool: "search" },
  ];
  const response = await ask(PATH, post(batch(calls), { "x-request-id": "id-1" }));
  assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"]);
  const { results } = await response.json();
  assertEquals(results[0], { id: "first", status: 200, ...ROUTED });
  assertEquals([results[1].status, results[1].code, results[1].faults[0].path, results[1].id], [
    422,
    "invalid_arguments",
    "lines[0]",
    undefined,
  ]);
  assertEquals([results[2].id, results[2].status, results[2].code, results[2].suggestions, results[2].requestId], [
    "third",
    404,
    "tool_not_found",
    ["search"],
    "id-1",
  ]);
  assertEquals([results[3].status, results.length], [200, 4]);
  const values = directory.asked.filter(({ method }) => method === "callToolRouted").map(({ values }) => values);
  assertEquals(values.slice(0, 2), [["search", { query: "ahoy" }], ["read", { lines: ["a"] }]]);
});

Deno.test("POST /agents/:agent/batch refuses what is no batch, with the paths of all faults, and calls nothing", async () => {
  const { ask, directory } = await openHarness();
  for (
    const [body, status, code] of [
      ["[]", 400, "invalid_arguments"],
      ["{}", 422, "invalid_batch"],
      [batch([]), 422, "invalid_batch"],
      [batch(Array(65).fill({ tool: "search" })), 422, "invalid_batch"],
      [batch([{ tool: "search" }, { tool: 7 }]), 422, "invalid_batch"],
      [batch([{ tool: "search" }], { concurrency: 17 }), 422, "invalid_batch"],
    ] as const
  ) {
    for (const headers of [{}, STREAM]) {
      const response = await ask(PATH, post(body, headers));
      assertEquals([response.status, (await problemOf(response)).code], [status, code]);
    }
  }
  const response = await ask(PATH, post(batch([{ tool: "search" }, { tool: 7 }])));
  assertEquals((await problemOf(response)).faults, [{ path: "calls[1].tool", message: "Write the name of a tool" }]);
  assertEquals(directory.asked.some(({ method }) => method === "callToolRouted"), false);
});

Deno.test("S2 POST /agents/:agent/batch answers 404 for an agent that the key does not open", async () => {
  const { ask, directory } = await openHarness();
  const response = await ask("/agents/Mercurius/batch", post(batch([{ tool: "search" }])));
  assertEquals([response.status, (await problemOf(response)).code], [404, "agent_not_found"]);
  assertEquals(directory.asked, []);
});

for (const [concurrency, atOnce] of [[undefined, 8], [1, 1], [3, 3], [16, 16]] as const) {
  Deno.test(`POST /agents/:agent/batch runs ${atOnce} of 20 calls at once where concurrency is ${concurrency}`, async () => {
    const { client, begun, end } = gated();
    const { ask } = await openHarness(client);
    const names = Array.from({ length: 20 }, (_, index) => `t${index}`);
    const asked = ask(PATH, post(batch(names.map((tool) => ({ tool })), { concurrency })));
    for (let ended = 0; ended < 20; ended++) {
      await until(() => begun.length === Math.min(20, atOnce + ended));
      end(`t${ended}`);
    }
    const { results } = await (await asked).json();
    assertEquals([begun, results.map(({ tool }: RoutedResult) => tool)], [names, names]);
  });
}

Deno.test("POST /agents/:agent/batch sends each answer as it ends to who accepts a stream", async () => {
  const { client, begun, end } = gated();
  const { ask } = await openHarness(client);
  const calls = [{ tool: "slow", id: "a" }, { tool: "quick" }];
  const response = await ask(PATH, post(batch(calls), STREAM));
  assertEquals([response.status, response.headers.get("content-type")], [200, "text/event-stream"]);
  await until(() => begun.length === 2);
  end("quick");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader.read()).value ?? "";
  assertEquals(eventsIn(first), [["result", { index: 1, status: 200, ...ROUTED, tool: "quick" }]]);
  end("slow");
  let rest = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) rest += next.value;
  assertEquals(eventsIn(rest), [
    ["result", { index: 0, id: "a", status: 200, ...ROUTED, tool: "slow" }],
    ["end", { calls: 2, failed: 0 }],
  ]);
});

Deno.test("POST /agents/:agent/batch streams a failure as a problem and counts it", async () => {
  const told: unknown[] = [];
  const { ask } = await openHarness(
    { callToolRouted: () => Promise.reject(new TypeError("canary")) },
    { onInternalError: (error) => told.push(error) },
  );
  const text = await (await ask(PATH, post(batch([{ tool: "search", id: "a" }]), STREAM))).text();
  const [[name, problem] = [], end] = eventsIn(text);
  assertEquals([name, problem.index, problem.id, problem.status, problem.code], ["problem", 0, "a", 500, "internal"]);
  assertEquals([end, told.length, text.includes("canary")], [["end", { calls: 1, failed: 1 }], 1, false]);
});

Deno.test("POST /agents/:agent/batch ends all calls by one deadline, and begins none after it", async () => {
  const { client, begun } = gated();
  const timeouts: (number | undefined)[] = [];
  const { ask } = await openHarness({
    callToolRouted(name, args, options) {
      timeouts.push(options?.timeoutMs);
      setTimeout(() => late.get(name)?.(), options?.timeoutMs);
      return Promise.race([
        client.callToolRouted!(name, args, options),
        new Promise<never>((_, reject) => {
          late.set(name, () => reject(new MCPError("deadline_exceeded", "Cannot answer in time")));
        }),
      ]);
    },
  });
  const late = new Map<string, () => void>();
  const calls = [{ tool: "a" }, { tool: "b" }, { tool: "c" }];
  const response = await ask(PATH, post(batch(calls, { concurrency: 2 }), { "x-request-timeout-ms": "30" }));
  const { results } = await response.json();
  assertEquals(results.map(({ status, code }: { status: number; code: string }) => [status, code]), [
    [504, "deadline_exceeded"],
    [504, "deadline_exceeded"],
    [504, "deadline_exceeded"],
  ]);
  assertEquals([begun, timeouts.every((timeoutMs) => timeoutMs !== undefined && timeoutMs <= 30)], [["a", "b"], true]);
});

Deno.test("POST /agents/:agent/batch makes a call once for its key, alone or in a batch", async () => {
  const { ask, directory } = await openHarness({}, { store: new MemoryRouteStore() });
  const call = { tool: "search", arguments: { query: "ahoy" }, idempotencyKey: "k" };
  // One after the other: of several at once, whichever is first has the key.
  const calls = batch([call, call, { ...call, arguments: {} }], { concurrency: 1 });
  const { results } = await (await ask(PATH, post(calls))).json();
  assertEquals(results.map(({ status }: { status: number }) => status), [200, 200, 422]);
  assertEquals(results.filter(({ replayed }: { replayed?: boolean }) => replayed === true).length, 1);
  const alone = await ask("/agents/Kairos/tools/search", post('{"query":"ahoy"}', { "idempotency-key": "k" }));
  assertEquals([alone.status, alone.headers.get("idempotency-replayed")], [200, "true"]);
  await alone.body?.cancel();
  assertEquals(directory.asked.filter(({ method }) => method === "callToolRouted").length, 1);
});

Deno.test("POST /agents/:agent/batch makes each call of a batch with an Idempotency-Key once, by its place", async () => {
  const { ask, directory } = await openHarness({}, { store: new MemoryRouteStore() });
  const calls = [{ tool: "search" }, { tool: "search" }, { tool: "search", idempotencyKey: "own" }];
  for (const replayed of [undefined, true]) {
    const response = await ask(PATH, post(batch(calls), { "idempotency-key": '"k"' }));
    const { results } = await response.json();
    assertEquals(results.map((result: { replayed?: boolean }) => result.replayed), [replayed, replayed, replayed]);
  }
  assertEquals(directory.asked.filter(({ method }) => method === "callToolRouted").length, 3);
});

Deno.test("POST /agents/:agent/batch answers with as much as fits, and says of the rest that it ran", async () => {
  const text = "x".repeat(6_000_000);
  const routed = { ...ROUTED, result: { content: [{ type: "text" as const, text }] } };
  const { ask } = await openHarness({ callToolRouted: () => Promise.resolve(routed) });
  const calls = Array(4).fill({ tool: "search" });
  const { results } = await (await ask(PATH, post(batch(calls, { concurrency: 1 })))).json();
  assertEquals(results.map(({ status, code }: { status: number; code?: string }) => [status, code]), [
    [200, undefined],
    [200, undefined],
    [502, "too_large"],
    [502, "too_large"],
  ]);
  const stream = await (await ask(PATH, post(batch(calls), STREAM))).text();
  assertEquals(eventsIn(stream).map(([event]) => event), ["result", "result", "result", "result", "end"]);
});

for (const headers of [{}, STREAM]) {
  Deno.test(`POST /agents/:agent/batch cancels its calls when the caller goes away: ${JSON.stringify(headers)}`, async () => {
    const signals: AbortSignal[] = [];
    const directory = fakeDirectory(AGENTS, {
      callToolRouted(_name, _args, options) {
        if (options?.signal !== undefined) signals.push(options.signal);
        return new Promise(() => {});
      },
    });
    const gateway = createGateway({ directory }, { open: "loopback" });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
    const url = `http://127.0.0.1:${server.addr.port}${PATH}`;
    const caller = new AbortController();
    // Deno 2.9 tells of a lost connection before the answer only where the body came within its first 1,024 bytes.
    const body = batch(Array(12).fill({ tool: "s" }));
    const answer = fetch(url, { ...post(body, headers), signal: caller.signal }).then((r) => r.text()).catch(() => {});
    await until(() => signals.length === 8);
    caller.abort();
    await until(() => signals.every(({ aborted }) => aborted));
    await answer;
    await server.shutdown();
    assertEquals(signals.length, 8);
  });
}

Deno.test("S11 a stop answers a batch with what has ended, and says of the others under way that they may have run", async () => {
  const { client, begun, end } = gated();
  const { ask, gateway } = await openHarness(client);
  const calls = [{ tool: "quick" }, { tool: "slow" }, { tool: "never" }];
  const asked = ask(PATH, post(batch(calls, { concurrency: 2 })));
  await until(() => begun.length === 2);
  end("quick");
  await until(() => begun.length === 3);
  await gateway.drain({ graceMs: 0 });
  const response = await asked;
  const { results } = await response.json();
  assertEquals(results.map(({ status, code }: { status: number; code?: string }) => [status, code]), [
    [200, undefined],
    [502, "outcome_unknown"],
    [502, "outcome_unknown"],
  ]);
});

Deno.test("POST /agents/:agent/batch counts each call for the limits, and gives its place back", async () => {
  const { ask } = await openHarness({}, { limits: { Kairos: { callsPerMinute: 3, concurrentCalls: 1 } } });
  const calls = Array.from({ length: 5 }, () => ({ tool: "search" }));
  const { results } = await (await ask(PATH, post(batch(calls, { concurrency: 1 })))).json();
  const statuses = results.map(({ status }: { readonly status: number }) => status);
  assertEquals(statuses, [200, 200, 200, 429, 429]);
  assertEquals([results[3].code, results[3].retryAfterMs > 0], ["too_many_requests", true]);
  assertEquals((await problemOf(await ask("/agents/Kairos/tools/search", post("{}")))).code, "too_many_requests");
});
