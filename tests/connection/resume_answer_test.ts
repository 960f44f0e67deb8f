/** A legacy server ends a stream before the answer, to be gone on from (specification 2025-11-25, Resumability). */

import { assertEquals } from "@std/assert";
import { exchange, type ExchangeRequest } from "../../src/connection/call_exchange.ts";
import { CALL_CAPS } from "../../src/connection/limits.ts";
import { Deadline } from "../../src/deadline.ts";
import type { MCPErrorCode } from "../../src/errors.ts";
import type { JsonObject } from "../../src/protocol.ts";
import {
  type Behaviour,
  drop,
  endlessSseLine,
  event,
  hangAfterHead,
  invalidJson,
  sequence,
  sse,
  sseBreaks,
  status,
} from "../support/behaviours.ts";
import { codeOf, failureOf, until } from "../support/client_support.ts";
import { createTestSession } from "../support/connection_support.ts";
import { type RawServer, startRawServer } from "../support/fault_server.ts";

const ID = "id-1";
const ANSWER: JsonObject = { jsonrpc: "2.0", id: ID, result: { content: [] } };
const NOTICE: JsonObject = {
  jsonrpc: "2.0",
  method: "notifications/message",
  params: { level: "info", data: "on it" },
};

/** A stream that ends after an event with an id. */
function ends(id: string, retry?: string): Behaviour {
  return () => sse(`${retry === undefined ? "" : `retry: ${retry}\n`}id: ${id}\ndata:\n\n`);
}

/** A stream that breaks in the middle of an event, after one with an id. */
function breaks(id: string): Behaviour {
  return () => {
    const parts = [`id: ${id}\ndata:\n\n`, "data: {"];
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        const part = parts.shift();
        if (part === undefined) return controller.error(new Error("broken"));
        controller.enqueue(new TextEncoder().encode(part));
      },
    }, { highWaterMark: 0 });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}

const answers: Behaviour = () => sse(event(NOTICE) + event(ANSWER));

interface Asking {
  readonly era?: "legacy" | "modern";
  readonly timeoutMs?: number;
  readonly phase?: ExchangeRequest["phase"];
  readonly signal?: AbortSignal;
}

/** Sends a call on a clock that does not make a test wait. */
function createCaller(server: RawServer) {
  const waitsMs: number[] = [];
  const heard: JsonObject[] = [];
  const wait = (ms: number, signal: AbortSignal) => {
    waitsMs.push(ms);
    return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve();
  };
  const ask = async ({ era = "legacy", timeoutMs = 60_000, phase = "call", signal }: Asking = {}) => {
    using deadline = new Deadline(timeoutMs, { signal });
    return await exchange({ ...createTestSession(server.url, era), wait }, {
      id: ID,
      method: "tools/call",
      params: { name: "echo" },
      phase,
      deadline,
      caps: CALL_CAPS,
      onMessage: (message) => heard.push(message),
    });
  };
  const resumptions = () => server.requests.filter(({ method }) => method === "GET");
  return { ask, waitsMs, heard, resumptions };
}

Deno.test("exchange() goes on from where a legacy server ended the stream, and sends nothing again", async () => {
  await using server = startRawServer({ "tools/call": ends("e-1"), GET: answers });
  const { ask, heard, resumptions } = createCaller(server);
  assertEquals(await ask(), ANSWER);
  assertEquals([server.count("tools/call"), heard], [1, [NOTICE]]);
  const [{ headers }] = resumptions() as [RawServer["requests"][number]];
  const names = ["last-event-id", "accept", "mcp-session-id", "mcp-protocol-version", "content-type"];
  assertEquals(names.map((name) => headers.get(name)), ["e-1", "text/event-stream", "s-1", "2025-11-25", null]);
  await until(() => server.openStreams() === 0);
});

Deno.test("exchange() goes on as often as the stream ends or breaks, each time after the last event", async () => {
  const GET = sequence(ends("e-2"), breaks("e-3"), () => sse(event(NOTICE)), answers);
  await using server = startRawServer({ "tools/call": breaks("e-1"), GET });
  const { ask, resumptions } = createCaller(server);
  assertEquals(await ask(), ANSWER);
  assertEquals(resumptions().map(({ headers }) => headers.get("last-event-id")), ["e-1", "e-2", "e-3", "e-3"]);
  assertEquals(server.count("tools/call"), 1);
});

for (
  const [retry, expected] of [
    [undefined, [1_000, 1_000]],
    ["500", [500, 1_000]],
    ["0", [100, 1_000]],
    ["5000", [5_000, 5_000]],
    ["86400000", [30_000, 30_000]],
    ["soon", [1_000, 1_000]],
  ] as const
) {
  Deno.test(`exchange() waits as long as the server says, within bounds: retry: ${retry}`, async () => {
    await using server = startRawServer({ "tools/call": ends("a", retry), GET: sequence(ends("b"), answers) });
    const { ask, waitsMs } = createCaller(server);
    assertEquals([await ask(), waitsMs], [ANSWER, expected]);
  });
}

Deno.test("exchange() goes on a bounded number of times from a stream that keeps ending", async () => {
  await using server = startRawServer({ "tools/call": ends("a"), GET: ends("b") });
  const { ask, resumptions } = createCaller(server);
  await failureOf(() => ask(), "outcome_unknown");
  assertEquals([resumptions().length, server.count("tools/call")], [100, 1]);
});

Deno.test("exchange() tells at once where the deadline leaves no time to go on", async () => {
  await using server = startRawServer({ "tools/call": ends("a", "30000"), GET: answers });
  const { ask, waitsMs, resumptions } = createCaller(server);
  await failureOf(() => ask({ timeoutMs: 20_000 }), "outcome_unknown");
  assertEquals([waitsMs, resumptions()], [[], []]);
});

/** Streams that cannot be gone on from. */
const NO_PLACE: Readonly<Record<string, Behaviour>> = {
  "F5 it ends without an id": () => sse(event(NOTICE)),
  "F6 it breaks without an id": sseBreaks,
  "its id is empty": ends(""),
  "its last id is empty": () => sse("id: a\ndata:\n\nid:\ndata:\n\n"),
  "its id does not fit a header": ends("é"),
  "its id is too long": ends("x".repeat(513)),
};

for (const [what, behaviour] of Object.entries(NO_PLACE)) {
  Deno.test(`exchange() does not go on from a stream, and tells outcome_unknown at once: ${what}`, async () => {
    await using server = startRawServer({ "tools/call": behaviour, GET: answers });
    const { ask, waitsMs, resumptions } = createCaller(server);
    await failureOf(() => ask(), "outcome_unknown");
    assertEquals([waitsMs, resumptions(), server.count("tools/call")], [[], [], 1]);
  });
}

Deno.test("exchange() does not go on from a stream of a modern server", async () => {
  for (const behaviour of [ends("a"), breaks("a")]) {
    await using server = startRawServer({ "tools/call": behaviour, GET: answers });
    const { ask, resumptions } = createCaller(server);
    await failureOf(() => ask({ era: "modern" }), "outcome_unknown");
    assertEquals(resumptions(), []);
  }
});

/** What a server can answer to the wish to go on, and what comes of a call. */
const REFUSALS: readonly (readonly [string, Behaviour, MCPErrorCode])[] = [
  ["405", status(405), "outcome_unknown"],
  ["400", status(400), "outcome_unknown"],
  ["404, the session is gone", status(404), "outcome_unknown"],
  ["401", status(401), "outcome_unknown"],
  ["500 with a body", status(500, { body: "x".repeat(100_000) }), "outcome_unknown"],
  ["a connection that drops", drop, "outcome_unknown"],
  [
    "F15 a redirect to another origin",
    status(307, { headers: { location: "http://localhost:9/" } }),
    "outcome_unknown",
  ],
  ["F13 an event that is no JSON", () => sse("data: {\n\n"), "bad_response"],
  ["F13 no JSON", invalidJson, "bad_response"],
  ["F19 a line that never ends", endlessSseLine, "too_large"],
];

for (const [what, behaviour, code] of REFUSALS) {
  Deno.test(`exchange() tells ${code} where a stream cannot be gone on from, and asks once: ${what}`, async () => {
    await using server = startRawServer({ "tools/call": ends("a"), GET: behaviour });
    const { ask, resumptions } = createCaller(server);
    await failureOf(() => ask(), code);
    assertEquals([resumptions().length, server.count("tools/call")], [1, 1]);
    await until(() => server.openStreams() === 0);
  });
}

Deno.test("exchange() tells outcome_unknown where the server is gone when it is to be gone on from", async () => {
  const server = startRawServer({ "tools/call": ends("a") });
  const { ask } = createCaller(server);
  // A refused connection would say that nothing was sent, and have the call sent again.
  const session = createTestSession(server.url);
  using deadline = new Deadline(60_000);
  const code = await codeOf(exchange({ ...session, wait: () => server.stop() }, {
    id: ID,
    method: "tools/call",
    params: {},
    phase: "call",
    deadline,
    caps: CALL_CAPS,
  }));
  assertEquals(code, "outcome_unknown");
  await failureOf(() => ask(), "unreachable");
});

Deno.test("exchange() of a list that cannot be gone on from can be repeated", async () => {
  await using server = startRawServer({ "tools/call": ends("a"), GET: status(405) });
  const { ask } = createCaller(server);
  assertEquals((await failureOf(() => ask({ phase: "list" }), "bad_response")).retryable, true);
});

for (const [what, behaviour] of [["is open", hangAfterHead], ["does not open", drop]] as const) {
  Deno.test(`exchange() ends with the caller's reason while the stream it goes on from ${what}`, async () => {
    const controller = new AbortController();
    const reason = new Error("of the caller");
    await using server = startRawServer({
      "tools/call": ends("a"),
      GET: (context) => {
        queueMicrotask(() => controller.abort(reason));
        return behaviour(context);
      },
    });
    const { ask } = createCaller(server);
    assertEquals(await ask({ signal: controller.signal }).catch((error) => error), reason);
    await until(() => server.openStreams() === 0);
  });
}

Deno.test("exchange() reads a stream it goes on from up to the cap", async () => {
  const big = event({ ...NOTICE, params: { data: "x".repeat(1_000_000) } });
  await using server = startRawServer({ "tools/call": ends("a"), GET: () => sse(big.repeat(6)) });
  const { ask } = createCaller(server);
  await failureOf(() => ask(), "too_large");
});
