/** Servers of the modern era: subscriptions that go wrong, and rounds behind reads and prompts. */

import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import type { Elicitation } from "@portolan/mcp";
import type { JsonObject } from "../../src/protocol.ts";
import { answer, type Behaviour, event, hang, rpcError, sse, status } from "../support/behaviours.ts";
import { failureOf, until } from "../support/client_support.ts";
import type { RawServerScript } from "../support/fault_server.ts";
import { modernScript } from "../support/modern_script.ts";
import { DOORS, gapsOf, openStream, timesOf } from "./_feature_case.ts";
import { faultTest } from "./_fault_case.ts";

const LISTEN = "subscriptions/listen";
/** How much later than it was sent a request may arrive, in milliseconds, where the machine is busy. */
const TOLERANCE_MS = 250;
const FORM: JsonObject = {
  method: "elicitation/create",
  params: { message: "Name?", requestedSchema: { type: "object" } },
};

function offering(script: RawServerScript): RawServerScript {
  const discover = answer({
    resultType: "complete",
    supportedVersions: ["2026-07-28"],
    capabilities: { tools: {}, resources: { subscribe: true, listChanged: true }, prompts: {}, completions: {} },
  });
  return { ...modernScript(), "server/discover": discover, ...script };
}

const updated = (uri: string) => event({ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri } });

/** Streams that end at once, so that a client could be tempted to open them again at once. */
const ENDING: Readonly<Record<string, Behaviour>> = {
  "F36 retry: 0": () => sse("retry: 0\nid: 1\ndata:\n\n"),
  "F7 500": status(500),
  "F12 503": status(503),
};

for (const [row, behaviour] of Object.entries(ENDING)) {
  faultTest(`${row} to ${LISTEN}: asked again after a second, then ever more slowly, from the beginning`, {
    ...offering({ [LISTEN]: behaviour }),
  }, async ({ client, faulty }) => {
    const subscription = await client.subscribeResource("x://a", () => {}, { server: "faulty" });
    await until(() => faulty.count(LISTEN) >= 3);
    const [first = 0, second = 0] = gapsOf(timesOf(faulty, LISTEN));
    assertGreaterOrEqual(first, 1_000 - TOLERANCE_MS);
    assertGreaterOrEqual(second, 2_000 - TOLERANCE_MS);
    assertEquals(faulty.requests.some(({ headers }) => headers.has("last-event-id")), false);
    await subscription.close();
  }, { liveStreams: 1 });
}

/** Answers that say that there is no such stream. */
const NO_STREAM: Readonly<Record<string, Behaviour>> = {
  "a result that is JSON": answer({ resultType: "complete" }),
  "405": status(405),
  "-32601 with 404": async (context) => {
    const response = await rpcError(-32601, "No")(context);
    return new Response(response.body, { status: 404, headers: response.headers });
  },
};

for (const [what, behaviour] of Object.entries(NO_STREAM)) {
  faultTest(`F14 ${what} to ${LISTEN}: not_supported, asked once`, {
    ...offering({ [LISTEN]: behaviour }),
  }, async ({ client, faulty }) => {
    await failureOf(() => client.subscribeResource("x://a", () => {}, { server: "faulty" }), "not_supported");
    assertEquals(faulty.count(LISTEN), 1);
  });
}

faultTest("F37 10,000 updates that nobody asked for on the stream of a subscription: told of what is watched alone", {
  ...offering({ [LISTEN]: openStream(updated("x://b").repeat(10_000) + updated("x://a")) }),
}, async ({ client, faulty }) => {
  const told: string[] = [];
  const subscription = await client.subscribeResource("x://a", (uri) => told.push(uri), { server: "faulty" });
  await until(() => told.length > 0);
  assertEquals(told, ["x://a"]);
  await subscription.close();
  await until(() => faulty.openStreams() === 0);
});

faultTest("F37 questions on the stream of a subscription, which a modern server must not ask: refused, few are", {
  ...offering({
    [LISTEN]: openStream(
      Array.from({ length: 3_000 }, (_, id) => event({ jsonrpc: "2.0", id, ...FORM } as JsonObject)).join("") +
        updated("x://a"),
    ),
    POST: hang,
  }),
}, async ({ client, faulty }) => {
  const told: string[] = [];
  await client.subscribeResource("x://a", (uri) => told.push(uri), { server: "faulty" });
  await until(() => told.length > 0);
  assertLessOrEqual(faulty.openStreams(), 1 + 64);
}, { liveStreams: 65, answeredAtOnce: 66 });

for (const { method, use } of DOORS.filter(({ method }) => method !== "completion/complete")) {
  faultTest(`F42 input_required to ${method} for ever: input_required after 10 rounds`, {
    ...offering({ [method]: answer({ resultType: "input_required", inputRequests: { a: FORM }, requestState: "s" }) }),
  }, async ({ client, faulty }) => {
    const asked: Elicitation[] = [];
    const onElicit = (elicitation: Elicitation) => (asked.push(elicitation), { action: "accept" as const });
    await failureOf(() => use(client, { server: "faulty", input: { onElicit } }), "input_required");
    assertEquals([faulty.count(method), asked.length], [11, 10]);
  });

  faultTest(`F2 a handler that never settles behind ${method}: the deadline ends it, nothing is left`, {
    ...offering({ [method]: answer({ resultType: "input_required", inputRequests: { a: FORM } }) }),
  }, async ({ client, faulty }) => {
    let signal: AbortSignal | undefined;
    const onElicit = (_: Elicitation, context: { readonly signal: AbortSignal }) => {
      signal = context.signal;
      return new Promise<never>(() => {});
    };
    const options = { server: "faulty", input: { onElicit }, timeoutMs: 300 };
    await failureOf(() => use(client, options), "deadline_exceeded");
    assertEquals([faulty.count(method), signal?.aborted], [1, true]);
  });
}
