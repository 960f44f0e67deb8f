import { assertEquals, assertLessOrEqual } from "@std/assert";
import {
  drop,
  hang,
  hangAfterHead,
  htmlPage,
  invalidJson,
  ok,
  rateLimited,
  sequence,
  sessionGone,
  sseBreaks,
  sseEnds,
  status,
} from "../support/behaviours.ts";
import { codeOf, failureOf, textOf, until } from "../support/client_support.ts";
import { faultTest } from "./_fault_case.ts";

for (const [what, behaviour] of Object.entries({ hang, hangAfterHead })) {
  faultTest(`F4 20 calls hang: 20 typed time-outs, no socket left (${what})`, { "tools/call": behaviour }, async ({
    client,
    faulty,
    call,
  }) => {
    await client.connectToServers();
    const calls = Array.from({ length: 20 }, () => codeOf(call("hi", { timeoutMs: 100 })));
    assertEquals(new Set(await Promise.all(calls)), new Set(["deadline_exceeded"]));
    await until(() => faulty.openStreams() === 0 && faulty.openConnections() <= 2);
    assertLessOrEqual(faulty.count("notifications/cancelled"), 20);
    assertEquals(faulty.count("tools/call"), 20);
  });
}

/** Answers that are lost, and what is wrong with them. */
const LOST = { "F5 SSE ends": sseEnds(), "F6 SSE breaks": sseBreaks, "F6 connection drops": drop };

for (const [what, behaviour] of Object.entries(LOST)) {
  faultTest(`${what} without an answer: outcome_unknown at once, sent once`, {
    "tools/call": sequence(behaviour, ok),
  }, async ({ client, faulty, call }) => {
    await client.connectToServers();
    const error = await failureOf(() => call(), "outcome_unknown");
    assertEquals([error.server, error.retryable, faulty.count("tools/call")], ["faulty", false, 1]);
    assertEquals(textOf(await call("next")), "next");
  });
}

faultTest("F7 answers 500 a hundred times: upstream_error each time, nothing is left", {
  "tools/call": status(500, { body: "x".repeat(5_000) }),
}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  for (let round = 0; round < 10; round++) {
    const codes = await Promise.all(Array.from({ length: 10 }, () => codeOf(call())));
    assertEquals(new Set(codes), new Set(["upstream_error"]));
  }
  assertEquals([faulty.count("tools/call"), faulty.count("initialize")], [100, 1]);
  await until(() => faulty.openStreams() === 0);
}, { answeredAtOnce: 20 });

faultTest("F8 a signal aborted after its calls ended: nothing happens", {}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  const controller = new AbortController();
  const { signal } = controller;
  for (let i = 0; i < 5; i++) assertEquals(textOf(await call(`${i}`, { signal })), `${i}`);
  const sent = faulty.requests.length;
  controller.abort();
  assertEquals(textOf(await call("after")), "after");
  assertEquals([faulty.requests.length - sent, faulty.count("notifications/cancelled")], [1, 0]);
});

for (const code of [404, 400] as const) {
  faultTest(`F9 session gone with ${code}: one re-initialise for all waiting calls, one resend each`, {
    "tools/call": sequence(sessionGone(code), sessionGone(code), sessionGone(code), ok),
  }, async ({ client, faulty, call }) => {
    await client.connectToServers();
    const texts = (await Promise.all(["a", "b", "c"].map((text) => call(text)))).map(textOf);
    assertEquals(texts, ["a", "b", "c"]);
    assertEquals([faulty.count("initialize"), faulty.count("tools/call")], [2, 6]);
  }, { sessionId: "s-1", answeredAtOnce: 6 });
}

faultTest("F9 session gone for ever: session_lost, and a server that keeps none is left alone", {
  "tools/call": sessionGone(),
}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  for (let failed = 0; failed < 3; failed++) await failureOf(() => call(), "session_lost");
  const sent = faulty.requests.length;
  const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(call())));
  assertEquals([new Set(codes), faulty.requests.length - sent], [new Set(["circuit_open"]), 0]);
  assertEquals(faulty.count("tools/call"), 6);
}, { sessionId: "s-1" });

for (const code of [429, 503]) {
  faultTest(`F10 answers ${code} with Retry-After to a call: rate_limited with retryAfterMs, sent once`, {
    "tools/call": rateLimited(60, code),
  }, async ({ client, faulty, call }) => {
    await client.connectToServers();
    const error = await failureOf(() => call(), "rate_limited");
    assertEquals([error.retryAfterMs, error.retryable, error.httpStatus], [60_000, true, code]);
    assertEquals(faulty.count("tools/call"), 1);
  });
}

for (const [code, expected] of [[401, "unauthorized"], [403, "forbidden"]] as const) {
  faultTest(`F11 answers ${code} to a call: ${expected}, sent once, no SSE`, { "tools/call": status(code) }, async ({
    client,
    faulty,
    call,
  }) => {
    await client.connectToServers();
    assertEquals((await failureOf(() => call(), expected)).retryable, false);
    assertEquals([faulty.count("tools/call"), faulty.count("initialize")], [1, 1]);
    assertEquals(faulty.requests.filter(({ method }) => method === "GET"), []);
  });
}

for (const code of [502, 503, 504]) {
  faultTest(`F12 answers ${code} to a call: upstream_error, sent once`, { "tools/call": status(code) }, async ({
    client,
    faulty,
    call,
  }) => {
    await client.connectToServers();
    const error = await failureOf(() => call(), "upstream_error");
    assertEquals([error.httpStatus, error.retryable, faulty.count("tools/call")], [code, false, 1]);
  });
}

for (const [what, behaviour] of Object.entries({ "F13 invalid JSON": invalidJson, "F14 an HTML page": htmlPage })) {
  faultTest(
    `${what} with 200 to a call: bad_response`,
    { "tools/call": behaviour },
    async ({ client, faulty, call }) => {
      await client.connectToServers();
      const error = await failureOf(() => call(), "bad_response");
      assertEquals([error.server, error.retryable, faulty.count("tools/call")], ["faulty", false, 1]);
    },
  );

  faultTest(`${what} with 200 to tools/list: bad_response`, { "tools/list": behaviour }, async ({ client }) => {
    assertEquals(await client.connectToServers(), { faulty: false, good: true });
    assertEquals(client.getConnectionStatus().faulty?.lastError?.code, "bad_response");
  });
}

faultTest("F40 our close: DELETE of the session, everything freed", {}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  await call();
  await client.removeServer("faulty");
  const deletes = faulty.requests.filter(({ method }) => method === "DELETE");
  assertEquals(deletes.map(({ headers }) => headers.get("mcp-session-id")), ["s-1"]);
}, { sessionId: "s-1" });

faultTest("F41 restarts mid-call: outcome_unknown, and the next call works", {
  "tools/call": sequence(drop, sessionGone(), ok),
}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  await failureOf(() => call(), "outcome_unknown");
  assertEquals(textOf(await call("next")), "next");
  assertEquals([faulty.count("initialize"), faulty.count("tools/call")], [2, 3]);
}, { sessionId: "s-1" });
