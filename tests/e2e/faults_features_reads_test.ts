/** What goes wrong with reads, prompts and completions; the rows are those of tools/call. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import type { MCPErrorCode } from "@portolan/mcp";
import type { JsonValue } from "../../src/protocol.ts";
import {
  acceptedOnly,
  answer,
  answerTwice,
  type Behaviour,
  drop,
  endlessSse,
  endlessSseLine,
  event,
  gzipBomb,
  hang,
  hangAfterHead,
  htmlPage,
  invalidJson,
  ok,
  oversizeError,
  oversizeJson,
  rateLimited,
  rpcError,
  sequence,
  sessionGone,
  slowDrip,
  sseBreaks,
  sseEnds,
  status,
  swapped,
  wrongId,
} from "../support/behaviours.ts";
import { assertNoCanary, CANARY, codeOf, failureOf } from "../support/client_support.ts";
import { type Door, DOORS, features, featureTest, offering } from "./_feature_case.ts";

const MIB = 1024 * 1024;

/** Answers of no use, the code, and how often the server is asked at most. */
const FAILING: readonly (readonly [string, Behaviour, MCPErrorCode, number])[] = [
  ["F2 no answer", hang, "deadline_exceeded", 1],
  ["F2 no answer after the head", hangAfterHead, "deadline_exceeded", 1],
  ["F5 a stream that ends without the answer", sseEnds(), "bad_response", 1],
  ["F6 a stream that breaks", sseBreaks, "unreachable", 3],
  ["F6 a connection that drops", drop, "unreachable", 3],
  ["F7 500", status(500, { body: CANARY }), "upstream_error", 1],
  ["F10 429 with Retry-After", rateLimited(60), "rate_limited", 1],
  ["F11 401", status(401, { body: CANARY }), "unauthorized", 1],
  ["F11 403", status(403), "forbidden", 1],
  ["F12 503", status(503), "upstream_error", 3],
  ["F13 invalid JSON", invalidJson, "bad_response", 1],
  ["F14 an HTML page", htmlPage, "bad_response", 1],
  ["F17 64 MiB", oversizeJson(64 * MIB), "too_large", 1],
  ["F18 an error of 32 MiB", oversizeError(32 * MIB), "upstream_error", 1],
  ["F19 a line that never ends", endlessSseLine, "too_large", 1],
  ["F20 a gzip bomb", gzipBomb(64 * MIB), "too_large", 1],
  ["F21 a slow drip", slowDrip(20), "deadline_exceeded", 1],
  ["F22 another id", wrongId(), "bad_response", 1],
  ["F39 notices for ever", endlessSse(event({ jsonrpc: "2.0", method: "x" }), 1), "deadline_exceeded", 1],
  ["a 202 without a body", acceptedOnly, "bad_response", 1],
  ["a JSON-RPC error with secrets", rpcError(-32000, CANARY, { trace: CANARY }), "upstream_error", 1],
  ["a result that is a text", answer(CANARY), "bad_response", 1],
  ["an unknown kind of result", answer({ resultType: CANARY }), "bad_response", 1],
];

for (const { method, use } of DOORS) {
  for (const [row, behaviour, code, mostRequests] of FAILING) {
    featureTest(
      `${row} to ${method}: ${code}, with no word of it`,
      { [method]: behaviour },
      async ({ client, faulty }) => {
        const timeoutMs = code === "deadline_exceeded" ? 300 : 10_000;
        const error = await failureOf(() => use(client, { timeoutMs }), code);
        assertEquals([error.server, /html|gone|missing|trace/i.test(error.message)], ["faulty", false]);
        assertLessOrEqual(faulty.count(method), mostRequests);
      },
    );
  }
}

/** Results that are of another shape than they must be. */
const MISSHAPEN: Readonly<Record<string, readonly JsonValue[]>> = {
  "resources/read": [
    {},
    { contents: null },
    { contents: {} },
    { contents: [null] },
    { contents: [{ text: "no uri" }] },
    { contents: [{ uri: "x://a" }] },
    { contents: [{ uri: 7, text: "a" }] },
    { contents: [{ uri: "x://a", text: { a: 1 } }] },
  ],
  "prompts/get": [
    {},
    { messages: {} },
    { messages: ["words"] },
    { messages: [{ role: "system", content: { type: "text", text: "a" } }] },
    { messages: [{ role: "user", content: "a" }] },
    { messages: [{ role: "user", content: [{ type: "text", text: "a" }] }] },
    { messages: [{ role: "user", content: { type: "text", text: 7 } }] },
  ],
  "completion/complete": [
    {},
    { completion: [] },
    { completion: { values: "a" } },
    { completion: { values: [7] } },
    { completion: { values: [null] } },
  ],
};

for (const { method, use } of DOORS) {
  const results = MISSHAPEN[method]!;
  featureTest(`F13 ${results.length} misshapen results of ${method}: bad_response each`, {
    [method]: sequence(...results.map((result) => answer(result)) as [Behaviour]),
  }, async ({ client, faulty }) => {
    for (const _ of results) await failureOf(() => use(client), "bad_response");
    assertEquals(faulty.count(method), results.length);
  });

  const session = { begun: 0, goneUpTo: 0 };
  featureTest(`F9 the session is lost in the middle of ${method}: renewed once for all, each asks again once`, {
    initialize: (context) => {
      session.begun++;
      return offering()(context);
    },
    [method]: (context) => (session.begun <= session.goneUpTo ? sessionGone() : features()[method]!)(context),
  }, async ({ client, faulty }) => {
    await use(client);
    session.goneUpTo = 1;
    assertEquals(await Promise.all(Array.from({ length: 5 }, () => codeOf(use(client)))), Array(5).fill("ok"));
    assertEquals(faulty.count("initialize"), 2);
    assertLessOrEqual(faulty.count(method), 1 + 2 * 5);
  }, { sessionId: "s-1", answeredAtOnce: 10 });

  featureTest(`F9 the session is always lost at ${method}: session_lost after two requests, then it is left alone`, {
    [method]: sessionGone(),
  }, async ({ client, faulty }) => {
    await failureOf(() => use(client), "session_lost");
    assertEquals([faulty.count(method), faulty.count("initialize")], [2, 2]);
    for (let count = 0; count < 50; count++) await codeOf(use(client));
    assertLessOrEqual(faulty.count(method), 6);
  }, { sessionId: "s-1" });

  featureTest(`F23 the answers of two requests by ${method} swapped: neither is delivered to the other`, {
    [method]: swapped(),
  }, async ({ client }) => {
    assertEquals(await Promise.all([codeOf(use(client)), codeOf(use(client))]), ["bad_response", "bad_response"]);
  }, { answeredAtOnce: 4 });
}

featureTest("F24 a second answer to resources/read: the first counts, the next read has its own", {
  "resources/read": sequence(
    answerTwice({ contents: [{ uri: "a", text: "first" }] }, { contents: [{ uri: "a", text: "second" }] }),
    features()["resources/read"]!,
  ),
}, async ({ client }) => {
  const read = async () => (await client.readResource("faulty://a", { server: "faulty" })).contents[0]?.text;
  assertEquals([await read(), await read()], ["first", "faulty"]);
});

featureTest("F31 completion/complete with 10,000 values: 100 are kept", {
  "completion/complete": answer({ completion: { values: Array(10_000).fill("v"), total: "many", hasMore: 1 } }),
}, async ({ client }) => {
  const reference = { type: "ref/prompt", name: "faulty_prompt" } as const;
  const completion = await client.complete(reference, { name: "a", value: "" });
  assertEquals([completion.values.length, Object.keys(completion)], [100, ["values"]]);
});

/** Servers that are down, or down every other time. */
const OUTAGES: Readonly<Record<string, (door: Door) => Behaviour>> = {
  "503 for ever": () => status(503),
  "connections that drop for ever": () => drop,
  "503 every other time": ({ method }) => {
    const good = features()[method] ?? ok;
    return sequence(...Array.from({ length: 400 }, (_, at) => at % 2 === 0 ? good : status(503)) as [Behaviour]);
  },
};

for (const [what, toBehaviour] of Object.entries(OUTAGES)) {
  for (const door of DOORS) {
    const { method, use } = door;
    featureTest(`F12 100 requests by ${method} in an outage (${what}): at most 110 are sent`, {
      [method]: toBehaviour(door),
    }, async ({ client, faulty }) => {
      for (let count = 0; count < 100; count++) await codeOf(use(client));
      assertLessOrEqual(faulty.count(method), 110);
      assertNoCanary(client.getConnectionStatus());
    });
  }
}
