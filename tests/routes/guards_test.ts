import { assert, assertEquals } from "@std/assert";
import { createGateway } from "../../routes/mod.ts";
import { AGENTS, fakeDirectory, openHarness, post, problemOf, ROUTED } from "../gateway/gateway_support.ts";

const TOOL = "/agents/Kairos/tools/search";
const STREAM = { accept: "text/event-stream" };

async function statusOf(response: Response | Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.cancel();
  return status;
}

Deno.test("POST /agents/:agent/tools/:tool answers 429 once a limit is used up, with what is left in every answer", async () => {
  const { ask, directory } = await openHarness({}, { limits: { Kairos: { callsPerMinutePerCaller: 2 } } });
  const first = await ask(TOOL, post("{}"));
  assertEquals(first.headers.get("ratelimit-policy"), '"caller";q=2;w=60');
  assertEquals(first.headers.get("ratelimit"), '"caller";r=1');
  assertEquals(await first.json(), ROUTED);
  // A request counts also where it is refused for what it is.
  const second = await ask(TOOL, post("[]"));
  assertEquals([second.status, second.headers.get("ratelimit")?.startsWith('"caller";r=0')], [400, true]);
  await second.body?.cancel();

  const third = await ask(TOOL, post("{}"));
  const retryAfter = third.headers.get("retry-after");
  assertEquals([third.status, third.headers.get("ratelimit")], [429, `"caller";r=0;t=${retryAfter}`]);
  const { code, retryAfterMs, detail } = await problemOf(third);
  assertEquals([code, String(Math.ceil(Number(retryAfterMs) / 1_000))], ["too_many_requests", retryAfter]);
  assertEquals(detail, "Cannot make the call as the caller's 2 calls a minute are used up: send it again later");
  assertEquals(directory.asked.filter(({ method }) => method === "callToolRouted").length, 1);
  // Another caller has a limit of its own, and lists cost nothing.
  assertEquals(await statusOf(ask(TOOL, { ...post("{}"), key: "admin-key" })), 200);
  assertEquals(await statusOf(ask("/agents/Kairos/tools")), 200);
  assertEquals(await statusOf(ask("/agents/Kairos/status")), 200);
});

Deno.test("S2 POST /agents/:agent/tools/:tool costs nothing for an agent that is unknown or forbidden, and tells nothing", async () => {
  const { ask } = await openHarness({}, { limits: { "*": { callsPerMinute: 1 } } });
  for (const agent of ["Mercurius", "Nobody", "__proto__"]) {
    for (let times = 0; times < 3; times++) {
      const response = await ask(`/agents/${agent}/tools/search`, post("{}"));
      assertEquals([response.status, response.headers.get("ratelimit")], [404, null]);
      await response.body?.cancel();
    }
  }
  assertEquals(await statusOf(ask("/agents/Mercurius/tools/search", { ...post("{}"), key: "admin-key" })), 200);
});

Deno.test("POST /agents/:agent/tools/:tool counts an agent's calls however its name is written", async () => {
  const { ask } = await openHarness({}, { limits: { Kairos: { callsPerMinute: 1 } } });
  const paths = [
    TOOL,
    "/agents/%4Bairos/tools/search",
    "/agents/Kairos/tools/se%61rch",
    "/%61gents/Kairos/tools/search",
  ];
  const statuses = [];
  for (const path of paths) statuses.push(await statusOf(ask(path, post("{}"))));
  assertEquals(statuses, [200, 429, 429, 429]);
});

Deno.test("K1 POST /agents/:agent/tools/:tool keeps the limit of this isolate where the store rejects, throws or hangs", async () => {
  const hung: (() => void)[] = [];
  const faults = {
    rejects: () => Promise.reject(new Error("away")),
    throws: () => {
      throw new Error("away");
    },
    hangs: () => new Promise<never>((_, reject) => hung.push(() => reject(new Error("late")))),
  };
  for (const fault of Object.values(faults)) {
    const store = { get: fault, set: fault, delete: fault };
    const directory = fakeDirectory(AGENTS);
    const gateway = createGateway({ directory, store }, { open: "loopback", limits: { "*": { callsPerMinute: 3 } } });
    const ask = () => {
      const headers = { host: "localhost", "content-type": "application/json" };
      const request = new Request(`http://localhost${TOOL}`, { method: "POST", headers, body: "{}" });
      return statusOf(gateway.fetch(request, { remoteAddr: { transport: "tcp", hostname: "127.0.0.1" } }));
    };
    assertEquals([await ask(), await ask(), await ask(), await ask()], [200, 200, 200, 429]);
    await gateway.drain();
  }
  for (const end of hung) end();
});

Deno.test("POST /agents/:agent/tools/:tool holds its place until the answer has been sent, streams until their end", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let called = 0;
  const { ask } = await openHarness({
    async callToolRouted() {
      await gates[called++]?.promise;
      return ROUTED;
    },
  }, { limits: { Kairos: { concurrentCalls: 1 } } });
  const stream = await ask(TOOL, post("{}", STREAM));
  const waiting = ask(TOOL, post("{}"));
  // One may run and one may wait.
  assertEquals(await statusOf(ask(TOOL, post("{}"))), 429);
  gates[0]?.resolve();
  assert((await stream.text()).includes("event: result"));
  gates[1]?.resolve();
  assertEquals(await statusOf(waiting), 200);
});

Deno.test("POST /agents/:agent/tools/:tool frees its place where the reader of a stream goes away", async () => {
  let called = 0;
  const { ask } = await openHarness({
    callToolRouted: () => called++ === 0 ? new Promise(() => {}) : Promise.resolve(ROUTED),
  }, { limits: { Kairos: { concurrentCallsPerCaller: 1 } } });
  const stream = await ask(TOOL, post("{}", STREAM));
  await stream.body?.cancel();
  assertEquals(await statusOf(ask(TOOL, post("{}"))), 200);
});

Deno.test("POST /agents/:agent/tools/:tool frees its place where the call fails", async () => {
  const { ask } = await openHarness({ callToolRouted: () => Promise.reject(new Error("failed")) }, {
    limits: { Kairos: { concurrentCalls: 1 } },
  });
  for (const headers of [{}, STREAM, {}]) {
    const response = await ask(TOOL, post("{}", headers));
    assert((await response.text()).includes('"internal"'));
  }
});

Deno.test("The gateway refuses early what is more than it can do, before the body is read, but for health and operators", async () => {
  const gate = Promise.withResolvers<void>();
  const bothCalled = Promise.withResolvers<void>();
  let called = 0;
  const { ask } = await openHarness({
    async callToolRouted() {
      if (++called === 2) bothCalled.resolve();
      await gate.promise;
      return ROUTED;
    },
  }, { maxRequests: 2 });
  const running = [ask(TOOL, post("{}")), ask(TOOL, post("{}"))];
  await bothCalled.promise;

  let read = false;
  const body = new ReadableStream<Uint8Array>({ pull: () => void (read = true) }, { highWaterMark: 0 });
  const refused = await ask(TOOL, { ...post(body), duplex: "half" } as RequestInit);
  assertEquals([refused.status, refused.headers.get("retry-after"), read], [503, "1", false]);
  assertEquals((await problemOf(refused)).code, "overloaded");
  assertEquals(await statusOf(ask("/healthz", { key: null })), 200);
  assertEquals(await statusOf(ask("/readyz", { key: null })), 200);
  assertEquals(await statusOf(ask("/status", { key: "admin-key" })), 200);
  assertEquals(await statusOf(ask("/status")), 503);
  gate.resolve();
  assertEquals(await Promise.all(running.map(statusOf)), [200, 200]);
  assertEquals(await statusOf(ask("/status")), 200);
});

Deno.test("S4 The gateway refuses a URL and headers that are too large before it looks for a key", async () => {
  const { ask } = await openHarness();
  const cases = [
    await ask(`/status?${"a".repeat(9_000)}`, { key: null }),
    await ask("/status", { key: null, headers: { "x-a": "a".repeat(20_000) } }),
  ];
  const told = cases.map(async (response) => [response.status, (await problemOf(response)).code]);
  assertEquals(await Promise.all(told), [[414, "url_too_long"], [431, "headers_too_large"]]);
});

Deno.test("S11 A gateway that stops refuses every new request but for its health, and asks to close the connection", async () => {
  const gateway = createGateway({ directory: fakeDirectory(AGENTS) }, { open: "loopback" });
  const ask = (path: string) => {
    const request = new Request(`http://localhost${path}`, { headers: { host: "localhost" } });
    return gateway.fetch(request, { remoteAddr: { transport: "tcp", hostname: "127.0.0.1" } });
  };
  await gateway.drain({ graceMs: 0, flushMs: 0 });
  for (const path of ["/", "/status", "/agents/Kairos/tools", "/nowhere"]) {
    const response = await ask(path);
    const { headers } = response;
    assertEquals([response.status, headers.get("retry-after"), headers.get("connection")], [503, "1", "close"]);
    assertEquals((await problemOf(response)).code, "closed");
  }
  assertEquals([await statusOf(ask("/healthz")), await (await ask("/readyz")).json()], [
    200,
    { status: "not_ready", reasons: ["stopping"] },
  ]);
});
