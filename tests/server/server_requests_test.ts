import { assertEquals, assertGreaterOrEqual, assertLess, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { SingleServerMCPClient } from "@portolan/mcp";
import { Deadline } from "../../src/deadline.ts";
import { MCPError, type MCPErrorCode, type MCPErrorOptions } from "../../src/errors.ts";
import type { ClientEvent } from "../../src/events.ts";
import type { GuardedFetch } from "../../src/guarded_fetch.ts";
import type { Phase } from "../../src/network_errors.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { ServerLink } from "../../src/server/server_link.ts";
import { MAX_RUNNING, MAX_WAITING, type ServerRequest, ServerRequests } from "../../src/server/server_requests.ts";
import { codeOf, failureOf, textOf, until } from "../support/client_support.ts";
import { startMCPServer } from "../support/mcp_server.ts";

const SERVER = "files";
/** How many requests earn ten retries, the most that can be saved. */
const ENOUGH_TO_EARN_ALL = 100;

const fault = (code: MCPErrorCode, options: MCPErrorOptions = {}) => {
  return new MCPError(code, `Scripted: ${code}`, { server: SERVER, ...options });
};
const down = (httpStatus = 503) => fault("upstream_error", { httpStatus });

interface Setup {
  readonly random?: () => number;
  readonly onEvent?: (event: ClientEvent) => void;
}

/** Requests over a scripted server: what each send comes to is the test's; its handshakes are answered here. */
function createRequests({ random = () => 0, onEvent }: Setup = {}) {
  const clock = { nowMs: 1_000_000 };
  const now = () => clock.nowMs;
  const handshakes: string[] = [];
  const send: GuardedFetch = ({ body = "{}" }) => {
    const { method, id = null, params } = JSON.parse(body) as { method: string; id?: string; params?: JsonObject };
    handshakes.push(method);
    if (method !== "initialize") return Promise.resolve(new Response(null, { status: 202 }));
    const serverInfo = { name: SERVER, version: "1.0.0" };
    const result = { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
    return Promise.resolve(Response.json({ jsonrpc: "2.0", id, result }));
  };
  const url = new URL("http://localhost/mcp");
  const link = new ServerLink({ server: SERVER, url, transport: "streamable_http", era: "legacy", send, now });
  const { connector } = link;
  const requests = new ServerRequests({ server: SERVER, link, onEvent, now, random });
  let sends = 0;
  /** Runs a request whose sends fail one after another as the script says, and then succeed. */
  const run = async (
    phase: Phase,
    failures: readonly unknown[] = [],
    more: Partial<ServerRequest<string>> & { readonly timeoutMs?: number } = {},
  ): Promise<string> => {
    const { timeoutMs = 60_000, ...rest } = more;
    using deadline = new Deadline(timeoutMs);
    let attempt = 0;
    return await requests.run<string>({
      phase,
      deadline,
      connectTimeoutMs: 10_000,
      send: () => {
        sends++;
        const failure = failures[attempt++];
        return failure === undefined ? Promise.resolve("answer") : Promise.reject(failure);
      },
      ...rest,
    });
  };
  const earn = async (count = ENOUGH_TO_EARN_ALL) => {
    for (let made = 0; made < count; made++) await run("call");
    sends = 0;
  };
  return { requests, connector, clock, handshakes, run, earn, sends: () => sends };
}

/** Failures, and in which phases a request that failed so is sent again. */
const REPEATED: readonly (readonly [string, MCPError, readonly (Phase | "repeatable call")[]])[] = [
  ["unreachable", fault("unreachable", { retryable: true }), ["list", "call", "repeatable call"]],
  ["rate_limited", fault("rate_limited", { httpStatus: 429 }), ["list", "call", "repeatable call"]],
  ["outcome_unknown", fault("outcome_unknown"), ["list", "repeatable call"]],
  ["HTTP 502", down(502), ["list", "repeatable call"]],
  ["HTTP 503", down(503), ["list", "repeatable call"]],
  ["HTTP 504", down(504), ["list", "repeatable call"]],
  ["HTTP 500", fault("upstream_error", { httpStatus: 500 }), []],
  ["HTTP 400", fault("upstream_error", { httpStatus: 400 }), []],
  ["a JSON-RPC error", fault("upstream_error", { rpcCode: -32603 }), []],
  ["bad_response", fault("bad_response"), []],
  ["too_large", fault("too_large"), []],
  ["unauthorized", fault("unauthorized", { httpStatus: 401 }), []],
  ["forbidden", fault("forbidden", { httpStatus: 403 }), []],
  ["input_required", fault("input_required"), []],
  ["redirect_refused", fault("redirect_refused"), []],
  ["deadline_exceeded", fault("deadline_exceeded"), []],
  ["closed", fault("closed"), []],
];

for (const [what, failure, where] of REPEATED) {
  for (const kind of ["list", "call", "repeatable call"] as const) {
    const repeated = where.includes(kind);
    Deno.test(`ServerRequests.run() sends a ${kind} ${repeated ? "again" : "once"} after ${what}`, async () => {
      const { run, earn, sends } = createRequests();
      await earn();
      const phase = kind === "list" ? "list" : "call";
      const outcome = run(phase, [failure], { repeatable: kind === "repeatable call" }).catch((error) => error);
      assertStrictEquals(await outcome, repeated ? "answer" : failure);
      assertEquals(sends(), repeated ? 2 : 1);
    });
  }
}

Deno.test("ServerRequests.run() rethrows what is no error of a server as it is, and sends once", async () => {
  const { requests, run, earn, sends } = createRequests();
  await earn();
  for (const reason of ["the caller's reason", new Error("of the caller")]) {
    assertStrictEquals(await run("list", [reason]).catch((error) => error), reason);
  }
  assertEquals([sends(), requests.breaker], [2, "closed"]);
});

Deno.test("ServerRequests.run() sends a request three times at most", async () => {
  const { run, earn, sends } = createRequests();
  await earn();
  const limited = fault("rate_limited", { httpStatus: 429 });
  assertEquals(await run("list", [limited, limited]), "answer");
  assertEquals(sends(), 3);
  await earn();
  await failureOf(() => run("list", new Array(10).fill(limited)), "rate_limited");
  assertEquals(sends(), 3);
});

Deno.test("ServerRequests.run() sends nothing again before ten requests have earned it", async () => {
  const { run, earn, sends } = createRequests();
  await earn(8);
  await failureOf(() => run("list", [down()]), "upstream_error");
  assertEquals(sends(), 1);
  assertEquals(await run("list", [down()]), "answer");
  assertEquals(sends(), 3);
  await failureOf(() => run("list", [down()]), "upstream_error");
});

Deno.test("ServerRequests.run() sends at most 1.1 times the requests, whatever fails and whenever", async () => {
  const failures = fc.constantFrom(
    undefined,
    down(502),
    fault("unreachable"),
    fault("rate_limited"),
    fault("outcome_unknown"),
  );
  const request = fc.tuple(fc.array(failures, { maxLength: 4 }), fc.nat(3_000));
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 80 }), async (made) => {
      const { run, sends, clock } = createRequests();
      for (const [index, [script, waitMs]] of made.entries()) {
        await run("list", script).catch(() => {});
        clock.nowMs += waitMs;
        assertLessOrEqual(sends(), (index + 1) * 1.1);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("ServerRequests.run() waits for Retry-After where it fits the deadline", async () => {
  const { run, earn, sends } = createRequests();
  await earn();
  const startedAt = performance.now();
  assertEquals(await run("call", [fault("rate_limited", { retryAfterMs: 60 })]), "answer");
  assertGreaterOrEqual(performance.now() - startedAt, 59);
  assertEquals(sends(), 2);
});

Deno.test("ServerRequests.run() fails at once with retryAfterMs where Retry-After does not fit the deadline", async () => {
  const { run, earn, sends } = createRequests();
  await earn();
  const startedAt = performance.now();
  const limited = fault("rate_limited", { retryAfterMs: 5_000 });
  const error = await failureOf(() => run("call", [limited], { timeoutMs: 4_000 }), "rate_limited");
  assertLess(performance.now() - startedAt, 1_000);
  assertEquals([error.retryAfterMs, sends()], [5_000, 1]);
});

Deno.test("ServerRequests.run() ends the wait for a repeat with the deadline, and tells the failure", async () => {
  const { requests, run, earn, sends } = createRequests();
  await earn();
  const controller = new AbortController();
  using deadline = new Deadline(60_000, { signal: controller.signal });
  const work = codeOf(run("call", [fault("rate_limited", { retryAfterMs: 30_000 })], { deadline }));
  await until(() => sends() === 1);
  controller.abort();
  assertEquals([await work, sends(), requests.running], ["rate_limited", 1, 0]);
});

Deno.test("ServerRequests opens its breaker after three failures of the transport, and sends nothing then", async () => {
  const events: ClientEvent[] = [];
  const { requests, run, sends, clock, handshakes } = createRequests({ onEvent: (event) => events.push(event) });
  for (let failed = 0; failed < 3; failed++) await failureOf(() => run("call", [down()]), "upstream_error");
  const before = handshakes.length;
  const error = await failureOf(() => run("call"), "circuit_open");
  assertEquals([error.server, error.retryable, error.retryAfterMs], [SERVER, true, 500]);
  assertEquals([sends(), handshakes.length - before, requests.breaker], [3, 0, "open"]);
  clock.nowMs += 500;
  assertEquals([requests.breaker, await run("call"), requests.breaker], ["half_open", "answer", "closed"]);
  assertEquals(events.map((event) => event.type === "breaker" && [event.server, event.state]), [
    [SERVER, "open"],
    [SERVER, "half_open"],
    [SERVER, "closed"],
  ]);
});

Deno.test("ServerRequests.run() says in circuit_open what failed last", async () => {
  const { run } = createRequests();
  for (let failed = 0; failed < 3; failed++) await failureOf(() => run("call", [down()]), "upstream_error");
  const { message } = await failureOf(() => run("call"), "circuit_open");
  assertEquals(message.includes("The last failure was upstream_error: Scripted"), true, message);
});

Deno.test("ServerRequests lets one of many requests through while its breaker is half open", async () => {
  const { run, sends, clock } = createRequests();
  for (let failed = 0; failed < 3; failed++) await failureOf(() => run("call", [down()]), "upstream_error");
  clock.nowMs += 1_000;
  const trial = Promise.withResolvers<string>();
  let trials = 0;
  const send = () => (trials++, trial.promise);
  const outcomes = Array.from({ length: 20 }, () => codeOf(run("call", [], { send })));
  const others = await Promise.all(outcomes.slice(1));
  trial.resolve("answer");
  assertEquals([await outcomes[0], new Set(others), trials, sends()], ["ok", new Set(["circuit_open"]), 1, 3]);
});

Deno.test("ServerRequests.run() with force asks although the breaker is open, and closes it", async () => {
  const { requests, run } = createRequests();
  for (let failed = 0; failed < 3; failed++) await failureOf(() => run("call", [down()]), "upstream_error");
  assertEquals([await run("list", [], { force: true }), requests.breaker], ["answer", "closed"]);
});

Deno.test("ServerRequests.run() neither repeats nor waits while the breaker is open: the caller sees the failure", async () => {
  const { run, earn, sends } = createRequests();
  await earn();
  for (let failed = 0; failed < 2; failed++) await failureOf(() => run("call", [down()]), "upstream_error");
  const startedAt = performance.now();
  const last = fault("upstream_error", { httpStatus: 502, retryAfterMs: 20_000 });
  assertStrictEquals(await run("list", [last]).catch((error) => error), last);
  assertLess(performance.now() - startedAt, 5_000);
  assertEquals(sends(), 3);
});

/** Failures, and whether three of them in a row open the breaker. */
const COUNTED: readonly (readonly [string, MCPError, boolean])[] = [
  ["unreachable", fault("unreachable"), true],
  ["outcome_unknown", fault("outcome_unknown"), true],
  ["HTTP 502", down(502), true],
  ["HTTP 503", down(503), true],
  ["HTTP 504", down(504), true],
  ["a handshake or a list that is slow", fault("deadline_exceeded", { retryable: true }), true],
  ["a call that is slow", fault("deadline_exceeded"), false],
  ["HTTP 500", fault("upstream_error", { httpStatus: 500 }), false],
  ["HTTP 404", fault("upstream_error", { httpStatus: 404 }), false],
  ["a JSON-RPC error", fault("upstream_error", { rpcCode: -32602 }), false],
  ["unauthorized", fault("unauthorized", { httpStatus: 401 }), false],
  ["forbidden", fault("forbidden", { httpStatus: 403 }), false],
  ["rate_limited", fault("rate_limited", { httpStatus: 429 }), false],
  ["bad_response", fault("bad_response"), false],
  ["too_large", fault("too_large"), false],
  ["input_required", fault("input_required"), false],
  ["closed", fault("closed"), false],
];

for (const [what, failure, counted] of COUNTED) {
  Deno.test(`ServerRequests ${counted ? "opens" : "does not open"} its breaker because of ${what}`, async () => {
    const { requests, run, sends } = createRequests();
    for (let failed = 0; failed < 3; failed++) await codeOf(run("call", [failure]));
    assertEquals(requests.breaker, counted ? "open" : "closed");
    for (let failed = 3; failed < 9; failed++) await codeOf(run("call", [failure]));
    assertEquals(sends(), counted ? 3 : 9);
  });
}

Deno.test("ServerRequests does not open its breaker because of callers who did not give the server any time", async () => {
  const { requests, run } = createRequests();
  const slow = fault("deadline_exceeded", { retryable: true });
  for (let failed = 0; failed < 10; failed++) await codeOf(run("call", [slow], { timeoutMs: 900 }));
  assertEquals(requests.breaker, "closed");
  // Where the configuration gives as little, it is all there is.
  for (let failed = 0; failed < 3; failed++) {
    await codeOf(run("call", [slow], { timeoutMs: 900, connectTimeoutMs: 900 }));
  }
  assertEquals(requests.breaker, "open");
});

Deno.test("ServerRequests opens its breaker because of a server that keeps no session", async () => {
  const { requests, run, sends, handshakes } = createRequests();
  const lost = fault("session_lost", { retryable: true });
  for (let failed = 0; failed < 20; failed++) await codeOf(run("call", [lost, lost]));
  assertEquals([requests.breaker, sends()], ["open", 6]);
  assertLessOrEqual(handshakes.filter((method) => method === "initialize").length, 6);
});

Deno.test("ServerRequests does not take a call that is slow for a sign that the transport works", async () => {
  const { requests, run, clock } = createRequests();
  const slow = fault("deadline_exceeded");
  for (const failure of [down(), slow, down(), slow]) await codeOf(run("call", [failure]));
  assertEquals(requests.breaker, "closed");
  await codeOf(run("call", [down()]));
  assertEquals(requests.breaker, "open");
  clock.nowMs += 1_000;
  await failureOf(() => run("call", [slow]), "deadline_exceeded");
  assertEquals(requests.breaker, "half_open");
});

Deno.test("ServerRequests.run() fails with overloaded where too many wait, and has sent nothing", async () => {
  const { requests, run, sends } = createRequests();
  const open = Promise.withResolvers<string>();
  const send = () => open.promise;
  const work = Array.from({ length: MAX_RUNNING + MAX_WAITING }, () => run("call", [], { send }));
  await until(() => requests.running === MAX_RUNNING && requests.waiting === MAX_WAITING);
  const error = await failureOf(() => run("call"), "overloaded");
  assertEquals([error.server, error.retryable, sends()], [SERVER, true, 0]);
  open.resolve("late");
  assertEquals(new Set(await Promise.all(work)), new Set(["late"]));
  assertEquals([requests.running, requests.waiting], [0, 0]);
});

Deno.test("ServerRequests.run() says of a call that waited in vain for its turn that it may be sent again", async () => {
  const { requests, run, sends } = createRequests();
  const open = Promise.withResolvers<string>();
  const work = Array.from({ length: MAX_RUNNING }, () => run("call", [], { send: () => open.promise }));
  await until(() => requests.running === MAX_RUNNING);
  const error = await failureOf(() => run("call", [], { timeoutMs: 20 }), "deadline_exceeded");
  assertEquals([error.server, error.retryable, sends()], [SERVER, true, 0]);
  assertEquals(/sent/.test(error.message), false, error.message);
  open.resolve("late");
  await Promise.all(work);
  assertEquals([requests.running, requests.waiting], [0, 0]);
});

Deno.test("ServerRequests.run() opens one new session for 20 calls that lost theirs, and sends each once more", async () => {
  const { requests, connector, run, sends, handshakes } = createRequests();
  await run("call");
  const lost = fault("session_lost", { retryable: true });
  const work = Array.from({ length: 20 }, () => run("call", [lost]));
  assertEquals(new Set(await Promise.all(work)), new Set(["answer"]));
  assertEquals([sends(), handshakes.filter((method) => method === "initialize").length], [41, 2]);
  assertEquals([requests.breaker, connector.state], ["closed", "connected"]);
});

Deno.test("ServerRequests.run() gives up where the new session is lost too", async () => {
  const { run, earn, sends } = createRequests();
  await earn();
  const lost = fault("session_lost", { retryable: true });
  await failureOf(() => run("call", [lost, lost, lost]), "session_lost");
  assertEquals(sends(), 2);
});

Deno.test("ServerRequests.latency is of answered requests alone", async () => {
  const { requests, run } = createRequests();
  assertEquals(requests.latency, undefined);
  await failureOf(() => run("call", [fault("bad_response")]), "bad_response");
  assertEquals(requests.latency, undefined);
  await run("call");
  assertEquals(requests.latency?.count, 1);
});

/** A real server whose answers are lost on the way after the tool has run, as often as a test says. */
async function startLossy(annotations: JsonObject) {
  const server = await startMCPServer({ tools: [{ name: "act", annotations }] });
  const way = { lossesLeft: 0 };
  const lossy: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (server.requests.at(-1)?.rpcMethod !== "tools/call" || way.lossesLeft === 0) return response;
    way.lossesLeft--;
    await response.text();
    throw new TypeError("error sending request: connection closed before message completed");
  };
  return { server, way, lossy };
}

for (
  const [trustAnnotations, hints, repeated] of [
    [false, { readOnlyHint: true, idempotentHint: true }, false],
    [true, { readOnlyHint: true }, true],
    [true, { idempotentHint: true }, true],
    [true, { readOnlyHint: false, destructiveHint: false }, false],
    [true, {}, false],
  ] as const
) {
  const words = `${trustAnnotations ? "trusted" : "untrusted"} hints ${JSON.stringify(hints)}`;
  Deno.test(`SingleServerMCPClient.callTool() runs a tool ${repeated ? "again" : "once"} whose answer is lost, with ${words}`, async () => {
    const { server, way, lossy } = await startLossy({ ...hints });
    await using stack = new AsyncDisposableStack();
    stack.use(server);
    const config = { url: server.url, trustAnnotations };
    const client = stack.use(new SingleServerMCPClient(SERVER, config, { fetch: lossy, random: () => 0 }));
    await client.connect();
    for (let made = 0; made < 20; made++) await client.callTool("act");
    way.lossesLeft = 1;
    if (repeated) assertEquals(textOf(await client.callTool("act")), "ok");
    else await failureOf(() => client.callTool("act"), "outcome_unknown");
    assertEquals(server.executions.get("act"), repeated ? 22 : 21);
  });
}
