import { assertEquals, assertGreaterOrEqual, assertLess, assertLessOrEqual } from "@std/assert";
import { type Behaviour, drop, hang, ok, rateLimited, sequence, status } from "../support/behaviours.ts";
import { codeOf, failureOf, textOf } from "../support/client_support.ts";
import { faultTest } from "./_fault_case.ts";

/** How many calls, with the listing of the connect, earn a retry. */
const CALLS_THAT_EARN = 10;
const HINTED = [{ name: "echo", inputSchema: { type: "object" }, annotations: { readOnlyHint: true } }];

/** As many correct answers as there are calls that earn a retry, then the others. */
function onceEarned(...behaviours: readonly Behaviour[]): Behaviour {
  return sequence(ok, ...new Array<Behaviour>(CALLS_THAT_EARN - 1).fill(ok), ...behaviours);
}

for (const code of [429, 503]) {
  const toScript = () => ({ "tools/call": onceEarned(rateLimited(1, code), ok) });
  faultTest(
    `F10 answers ${code} with a Retry-After that fits the deadline: obeyed, then sent again`,
    toScript(),
    async ({
      client,
      faulty,
      call,
    }) => {
      await client.connectToServers();
      for (let made = 0; made < CALLS_THAT_EARN; made++) await call();
      assertEquals(textOf(await call("in the end")), "in the end");
      assertEquals(faulty.count("tools/call"), CALLS_THAT_EARN + 2);
      const [refused, again] = faulty.requests.filter(({ rpcMethod }) => rpcMethod === "tools/call").slice(-2);
      assertGreaterOrEqual(again!.atMs - refused!.atMs, 990);
    },
  );

  faultTest(
    `F10 answers ${code} with a Retry-After past the deadline: failed at once with retryAfterMs`,
    toScript(),
    async ({
      client,
      faulty,
      call,
    }) => {
      await client.connectToServers();
      for (let made = 0; made < CALLS_THAT_EARN; made++) await call();
      const startedAt = performance.now();
      const error = await failureOf(() => call("hi", { timeoutMs: 900 }), "rate_limited");
      assertLess(performance.now() - startedAt, 800);
      assertEquals([error.retryAfterMs, error.retryable, faulty.count("tools/call")], [
        1_000,
        true,
        CALLS_THAT_EARN + 1,
      ]);
    },
  );
}

for (const code of [502, 503, 504]) {
  faultTest(`F12 answers ${code} to tools/list: sent again once that is earned`, {
    "tools/list": sequence(ok, status(code), ok),
  }, async ({ client, faulty, call }) => {
    await client.connectToServers();
    for (let made = 0; made < CALLS_THAT_EARN; made++) await call();
    assertEquals(await client.reconnect({ server: "faulty" }), { faulty: true });
    assertEquals(faulty.count("tools/list"), 3);
  });

  faultTest(`F12 answers ${code} to tools/list: not sent again before that is earned`, {
    "tools/list": sequence(status(code), ok),
  }, async ({ client, faulty }) => {
    assertEquals(await client.connectToServers(), { faulty: false, good: true });
    assertEquals([client.getConnectionStatus().faulty?.lastError?.code, faulty.count("tools/list")], [
      "upstream_error",
      1,
    ]);
  });

  faultTest(`F12 answers ${code} to three calls: the breaker opens, nothing more is sent, and it closes again`, {
    "tools/call": sequence(status(code), status(code), status(code), ok),
  }, async ({ client, faulty, events, clock, call }) => {
    await client.connectToServers();
    for (let failed = 0; failed < 3; failed++) {
      const error = await failureOf(() => call(), "upstream_error");
      assertEquals([error.httpStatus, error.retryable], [code, false]);
    }
    const sent = faulty.requests.length;
    const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(call())));
    assertEquals([new Set(codes), faulty.requests.length - sent], [new Set(["circuit_open"]), 0]);
    const { retryAfterMs = 0, retryable } = await failureOf(() => call(), "circuit_open");
    assertEquals([retryAfterMs > 0 && retryAfterMs <= 1_000, retryable], [true, true]);
    clock.nowMs += retryAfterMs;
    assertEquals(textOf(await call("again")), "again");
    const told = events.flatMap((event) => event.type === "breaker" ? [`${event.server} ${event.state}`] : []);
    assertEquals(told, ["faulty open", "faulty half_open", "faulty closed"]);
  }, { ownClock: true });
}

/** Ways to be out, and the codes that callers see. */
const OUTAGES: readonly (readonly [string, Behaviour, readonly string[]])[] = [
  ["502", status(502), ["upstream_error", "circuit_open"]],
  ["503", status(503), ["upstream_error", "circuit_open"]],
  ["504", status(504), ["upstream_error", "circuit_open"]],
  ["503 with Retry-After", rateLimited(0, 503), ["rate_limited"]],
  ["dropped connections", drop, ["outcome_unknown", "unreachable", "circuit_open"]],
];

for (const trustAnnotations of [false, true]) {
  for (const [what, behaviour, expected] of OUTAGES) {
    const hints = trustAnnotations ? ", also where the tool may be called twice" : "";
    const outage = { on: false };
    const faulty: Behaviour = (context) => outage.on ? behaviour(context) : context.respondOk();
    const script = { "server/discover": faulty, initialize: faulty, "tools/list": faulty, "tools/call": faulty };
    faultTest(`F12 an outage of 200 requests (${what}) sends at most 220${hints}`, script, async ({
      client,
      faulty,
      clock,
      call,
    }) => {
      await client.connectToServers();
      const sent = faulty.requests.length;
      outage.on = true;
      const codes = new Set<unknown>();
      for (let round = 0; round < 50; round++) {
        for (const code of await Promise.all([call(), call(), call(), call()].map(codeOf))) codes.add(code);
        // Trials pass again and again.
        clock.nowMs += 700;
      }
      outage.on = false;
      assertLessOrEqual(faulty.requests.length - sent, 220);
      assertEquals([...codes].filter((code) => !expected.includes(String(code))), []);
      clock.nowMs += 30_000;
      assertEquals(textOf(await call("over")), "over");
    }, { ownClock: true, answeredAtOnce: 8, tools: HINTED, config: { trustAnnotations } });
  }
}

faultTest("F12 an outage that ends: 200 calls at once send at most 220, and the others wait for nothing", {
  "tools/call": status(503),
}, async ({ client, faulty, good, call }) => {
  await client.connectToServers();
  const sent = faulty.requests.length;
  const codes = await Promise.all(Array.from({ length: 200 }, () => codeOf(call())));
  assertLessOrEqual(faulty.requests.length - sent, 220);
  assertEquals(codes.filter((code) => code !== "upstream_error" && code !== "circuit_open"), []);
  assertEquals([textOf(await client.callTool("good__whoami")), good.executions.get("whoami")], ["good", 1]);
}, { answeredAtOnce: 128 });

const FLAPPING: Readonly<Record<string, Behaviour>> = { "dropped connections": drop, "503": status(503) };

for (const [what, behaviour] of Object.entries(FLAPPING)) {
  const server = { up: true };
  const flapping: Behaviour = (context) => server.up ? context.respondOk() : behaviour(context);
  const script = { "server/discover": flapping, initialize: flapping, "tools/list": flapping, "tools/call": flapping };
  faultTest(
    `F45 up and down every 200 ms (${what}): no call slides to another server, and no route flaps`,
    script,
    async ({
      client,
      good,
      clock,
    }) => {
      await client.connectToServers();
      const outcomes = new Set<unknown>();
      for (let turn = 1; turn <= 60; turn++) {
        server.up = turn % 2 === 0;
        clock.nowMs += 200;
        if (turn % 10 === 0) await client.reconnect({ server: "faulty" });
        outcomes.add(await codeOf(client.callTool("echo", { text: "hi" })));
        const { server: owner } = await client.routeTool("echo");
        assertEquals([owner, client.findClientForTool("echo")?.server], ["faulty", "faulty"]);
      }
      assertEquals(good.executions.get("echo"), undefined);
      const failures = ["circuit_open", "outcome_unknown", "unreachable", "upstream_error"];
      assertEquals([...outcomes].filter((code) => code !== "ok" && !failures.includes(String(code))), []);
      assertEquals([outcomes.has("ok"), outcomes.size > 1], [true, true]);
      server.up = true;
      clock.nowMs += 30_000;
      assertEquals(textOf(await client.callTool("echo", { text: "up" })), "up");
    },
    { ownClock: true, answeredAtOnce: 4 },
  );
}

faultTest("F45 down for longer and longer: the breaker lets fewer and fewer requests through", {
  "tools/call": status(503),
}, async ({ client, faulty, clock, call }) => {
  await client.connectToServers();
  const sentAtMs: number[] = [];
  const startMs = clock.nowMs;
  while (clock.nowMs - startMs < 60_000) {
    const before = faulty.count("tools/call");
    await codeOf(call());
    if (faulty.count("tools/call") > before) sentAtMs.push(clock.nowMs - startMs);
    clock.nowMs += 200;
  }
  // Three to open it; then after 1, 2, 4, 8, 16 and 30 s, or half of that.
  assertLessOrEqual(sentAtMs.length, 3 + 7);
  assertGreaterOrEqual(sentAtMs.length, 3 + 4);
}, { ownClock: true });

faultTest("F45 hangs and answers in turn: slow calls alone do not open the breaker", {
  "tools/call": sequence(hang, hang, hang, hang, ok),
}, async ({ client, call }) => {
  await client.connectToServers();
  const codes = await Promise.all(Array.from({ length: 4 }, () => codeOf(call("hi", { timeoutMs: 60 }))));
  assertEquals([new Set(codes), client.getConnectionStatus().faulty?.breaker], [
    new Set(["deadline_exceeded"]),
    "closed",
  ]);
  assertEquals(textOf(await call("next")), "next");
}, { answeredAtOnce: 8 });
