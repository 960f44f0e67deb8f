import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import type { MCPErrorCode } from "../../src/errors.ts";
import type { JsonObject } from "../../src/protocol.ts";
import {
  answer,
  answerSse,
  answerTwice,
  type Behaviour,
  endlessSse,
  endlessSseLine,
  event,
  gzipBomb,
  ok,
  oversizeError,
  oversizeJson,
  sequence,
  slowDrip,
  sse,
  swapped,
  wrongId,
} from "../support/behaviours.ts";
import { codeOf, failureOf, textOf, until } from "../support/client_support.ts";
import { faultTest } from "./_fault_case.ts";

const MIB = 1024 * 1024;
const text = (value: string): JsonObject => ({ content: [{ type: "text", text: value }] });
const tool = (name: unknown, more: JsonObject = {}) =>
  ({ name, inputSchema: { type: "object" }, ...more }) as JsonObject;

/** Answers that are too large; all but the second are stopped at a cap that is told. */
const LARGE: readonly (readonly [string, Behaviour])[] = [
  ["F17 64 MiB of JSON", oversizeJson(64 * MIB)],
  ["F19 an SSE line that never ends", endlessSseLine],
  [
    "F19 SSE events that never end",
    endlessSse(`data: ${JSON.stringify({ method: "x", text: "x".repeat(10_000) })}\n\n`),
  ],
  ["F20 a gzip bomb of 64 MiB", gzipBomb(64 * MIB)],
];

for (const [row, behaviour] of LARGE) {
  faultTest(
    `${row} to a call: too_large, stopped at the cap`,
    { "tools/call": behaviour },
    async ({ client, call }) => {
      await client.connectToServers();
      const error = await failureOf(() => call(), "too_large");
      assertEquals([error.server, error.retryable], ["faulty", false]);
    },
  );

  faultTest(`${row} to tools/list: too_large, stopped at the cap`, { "tools/list": behaviour }, async ({ client }) => {
    assertEquals(await client.connectToServers(), { faulty: false, good: true });
    assertEquals(client.getConnectionStatus().faulty?.lastError?.code, "too_large");
  });
}

faultTest("F18 an error of 32 MiB: upstream_error, the rest is not read", {
  "tools/call": oversizeError(32 * MIB, 500),
}, async ({ client, call, faulty }) => {
  await client.connectToServers();
  assertLess((await failureOf(() => call(), "upstream_error")).message.length, 500);
  await until(() => faulty.openStreams() === 0);
});

faultTest("F21 a slow drip: the total deadline closes the socket", { "tools/call": slowDrip(20) }, async ({
  client,
  call,
}) => {
  await client.connectToServers();
  await failureOf(() => call("hi", { timeoutMs: 200 }), "deadline_exceeded");
});

faultTest("F21 a slow drip: the idle deadline closes the socket long before the total one", {
  "tools/call": slowDrip(100),
}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  const startedAt = performance.now();
  await failureOf(() => call("hi", { timeoutMs: 60_000, idleTimeoutMs: 200 }), "deadline_exceeded");
  assertLess(performance.now() - startedAt, 5_000);
  await until(() => faulty.openStreams() === 0);
});

for (const method of ["initialize", "tools/list"]) {
  faultTest(`F21 a slow drip of ${method}: the total deadline closes the socket`, { [method]: slowDrip(20) }, async ({
    client,
    faulty,
  }) => {
    assertEquals(await client.connectToServers({ timeoutMs: 300 }), { faulty: false, good: true });
    assertEquals(client.getConnectionStatus().faulty?.lastError?.code, "deadline_exceeded");
    await until(() => faulty.openStreams() === 0);
  });
}

faultTest("F22 an answer with an unknown id: bad_response", { "tools/call": wrongId() }, async ({ client, call }) => {
  await client.connectToServers();
  await failureOf(() => call(), "bad_response");
});

faultTest("F22 an SSE answer with an unknown id: outcome_unknown", {
  "tools/call": () => sse(event({ jsonrpc: "2.0", id: "another", result: text("foreign") })),
}, async ({ client, call }) => {
  await client.connectToServers();
  await failureOf(() => call(), "outcome_unknown");
});

faultTest(
  "F23 the answers of two calls swapped: neither is delivered to the other",
  { "tools/call": swapped() },
  async ({
    client,
    call,
  }) => {
    await client.connectToServers();
    assertEquals(await Promise.all([codeOf(call("a")), codeOf(call("b"))]), ["bad_response", "bad_response"]);
  },
  { answeredAtOnce: 4 },
);

faultTest("F24 a second answer: the first counts, the next call has its own", {
  "tools/call": sequence(answerTwice(text("first"), text("second")), ok),
}, async ({ client, call }) => {
  await client.connectToServers();
  assertEquals([textOf(await call("own")), textOf(await call("own"))], ["first", "own"]);
});

for (
  const [what, nextCursor] of [["that repeats", () => "again"], [
    "that never ends",
    (page: number) => `${page}`,
  ]] as const
) {
  let page = 0;
  const behaviour: Behaviour = (context) => {
    page++;
    return answer({ tools: [tool(page === 1 ? "echo" : `t${page}`)], nextCursor: nextCursor(page) })(context);
  };
  faultTest(`F25 a cursor ${what}: kept and marked partial`, { "tools/list": behaviour }, async ({
    client,
    faulty,
    call,
  }) => {
    assertEquals(await client.connectToServers(), { faulty: true, good: true });
    const { toolsPartial, toolCount = 0 } = client.getConnectionStatus().faulty!;
    assertEquals([toolsPartial, toolCount], [true, faulty.count("tools/list")]);
    assertLessOrEqual(faulty.count("tools/list"), 64);
    assertEquals(textOf(await call("still there")), "still there");
  });
}

const MALFORMED = [
  null,
  tool(""),
  tool("__proto__"),
  tool("a\u202Eb"),
  tool("\u001b[31m"),
  { name: "no_schema" },
  tool("bad_output", { outputSchema: "text" }),
];

faultTest("F26 F27 F32 malformed tools: dropped with a warning each, the rest kept", {
  "tools/list": answer({ tools: [...MALFORMED, tool("echo"), tool("constructor")] }),
}, async ({ client, call }) => {
  assertEquals(await client.connectToServers(), { faulty: true, good: true });
  const { warnings, toolCount, toolsPartial } = client.getConnectionStatus().faulty!;
  assertEquals([warnings.length, toolCount, toolsPartial], [MALFORMED.length, 2, false]);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\u0000-\u001f\u202e]/.test(warnings.join("")), false);
  assertEquals(textOf(await call("kept")), "kept");
  assertEquals(textOf(await client.callTool("faulty__constructor", { text: "kept" })), "kept");
});

faultTest("F31 10,000 tools: capped and marked", {
  "tools/list": answer({ tools: [tool("echo"), ...Array.from({ length: 9_999 }, (_, index) => tool(`t${index}`))] }),
}, async ({ client, call }) => {
  await client.connectToServers();
  const { toolCount, toolsPartial, warnings } = client.getConnectionStatus().faulty!;
  assertEquals([toolCount, toolsPartial, warnings], [2_000, true, ["Cut at 2000 tools"]]);
  assertEquals(textOf(await call("kept")), "kept");
});

faultTest("F36 retry: 0 in an answer and in one that ends: no reconnect", {
  "tools/call": sequence(answerSse(text("answered"), "id: 1\nretry: 0\n\n"), () => sse("id: 2\nretry: 0\n\n"), ok),
}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  assertEquals(textOf(await call()), "answered");
  await failureOf(() => call(), "outcome_unknown");
  assertEquals(textOf(await call("next")), "next");
  assertEquals(faulty.requests.filter(({ method }) => method === "GET"), []);
});

faultTest("F37 3,000 pings before the answer: passed over, none is answered", {
  "tools/call": (context) => {
    const pings = Array.from({ length: 3_000 }, (_, id) => event({ jsonrpc: "2.0", id, method: "ping" })).join("");
    return answerSse(text("answered"), pings)(context);
  },
}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  const sent = faulty.requests.length;
  assertEquals([textOf(await call()), faulty.requests.length - sent], ["answered", 1]);
});

faultTest("F38 a batch of 200,000 messages: refused", {
  "tools/call": ({ rpc }) => {
    const batch = Array.from({ length: 200_000 }, () => 0) as unknown[];
    return Response.json([...batch, { jsonrpc: "2.0", id: rpc.id ?? null, result: text("hidden") }]);
  },
}, async ({ client, call }) => {
  await client.connectToServers();
  await failureOf(() => call(), "too_large");
});

faultTest("F39 progress for ever: told, and the total deadline holds", {
  "tools/call": endlessSse(({ id = null }) => {
    const params = { progressToken: id, progress: 1 };
    return event({ jsonrpc: "2.0", method: "notifications/progress", params });
  }, 5),
}, async ({ client, call }) => {
  await client.connectToServers();
  let told = 0;
  await failureOf(() => call("hi", { timeoutMs: 300, onProgress: () => told++ }), "deadline_exceeded");
  assertEquals(told > 1, true);
});

const INPUT_REQUIRED: JsonObject = {
  resultType: "input_required",
  requestState: "opaque",
  inputRequests: { name: { method: "elicitation/create", params: { message: "Who?", requestedSchema: {} } } },
};
/** What makes a raw server one of the modern era. */
const MODERN: Readonly<Record<string, Behaviour>> = {
  "server/discover": answer({ resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: { tools: {} } }),
  "tools/list": answer({ resultType: "complete", tools: [tool("echo")], ttlMs: 60_000, cacheScope: "private" }),
};

/** The eras, and what comes of a result that asks: what answers a legacy client with a result has run. */
const ASKING: readonly (readonly [string, Readonly<Record<string, Behaviour>>, MCPErrorCode])[] = [
  ["legacy", {}, "bad_response"],
  ["modern", MODERN, "input_required"],
];

for (const [era, script, code] of ASKING) {
  faultTest(`F42 input_required for ever, in the ${era} era: ${code}, one request each`, {
    ...script,
    "tools/call": answer(INPUT_REQUIRED),
  }, async ({ client, faulty, call }) => {
    await client.connectToServers();
    assertEquals(client.getConnectionStatus().faulty?.era, era);
    for (let calls = 1; calls <= 5; calls++) {
      const error = await failureOf(() => call(), code);
      assertEquals([error.server, error.retryable, faulty.count("tools/call")], ["faulty", false, calls]);
    }
    assertEquals(client.getConnectionStatus().faulty?.breaker, "closed");
  });
}
