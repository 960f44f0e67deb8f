/** Streams that are gone on from, and streams of notices, of servers that make the worst of them. */

import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { delay } from "@std/async";
import { type MCPErrorCode, MultiServerMCPClient } from "@portolan/mcp";
import type { JsonObject } from "../../src/protocol.ts";
import {
  after,
  answer,
  type Behaviour,
  endlessSse,
  endlessSseLine,
  event,
  hang,
  hangAfterHead,
  htmlPage,
  invalidJson,
  sequence,
  sessionGone,
  sse,
  status,
} from "../support/behaviours.ts";
import { codeOf, failureOf, textOf, until } from "../support/client_support.ts";
import { startRawServer } from "../support/fault_server.ts";
import { EVERYTHING, features, featureTest, gapsOf, offering, openStream, timesOf } from "./_feature_case.ts";
import type { FaultTestOptions } from "./_fault_case.ts";

/** How much later than it was sent a request may arrive, in milliseconds, where the machine is busy. */
const TOLERANCE_MS = 250;
/** How long a server that is silent is waited for, in milliseconds. */
const SILENT_MS = 1_500;
const WATCHED: FaultTestOptions = { config: { watch: true }, liveStreams: 1 };
const notice = (method: string, params: JsonObject = {}) => event({ jsonrpc: "2.0", method, params });
const updated = (uri: string) => notice("notifications/resources/updated", { uri });

/** A stream that ends early and says where it can be gone on from. */
function ends(id: string, before = ""): Behaviour {
  return () => sse(`${before}id: ${id}\ndata:\n\n`);
}

/** An answer to a GET with what another request asked for. */
const foreign: Behaviour = () => {
  return sse(event({ jsonrpc: "2.0", id: "another", result: { content: [{ type: "text", text: "foreign" }] } }));
};

/** What a server sends that ends a call's stream early, what a GET gets, the code, and the most GETs that are sent. */
const EARLY_ENDS: readonly (readonly [string, Behaviour, Behaviour, MCPErrorCode, number])[] = [
  ["retry: 0, and an early end for ever", ends("1", "retry: 0\n"), ends("2", "retry: 0\n"), "outcome_unknown", 3],
  ["retry: 1e12", ends("1", "retry: 1000000000000\n"), hang, "outcome_unknown", 0],
  ["a negative retry", ends("1", "retry: -5\n"), status(404), "outcome_unknown", 1],
  ["an id of 1 MB", ends("1".repeat(1e6)), hang, "outcome_unknown", 0],
  ["an id that fits no header", ends("caf\u00e9 \u202e"), hang, "outcome_unknown", 0],
  ["an id that is a header of its own", () => sse("id: 1\rx-evil: 1\ndata:\n\n"), status(404), "outcome_unknown", 1],
  ["an id that is empty", () => sse("id:\ndata:\n\n"), hang, "outcome_unknown", 0],
  ["a GET that hangs", ends("1", "retry: 0\n"), hang, "deadline_exceeded", 1],
  ["a GET that hangs after the head", ends("1", "retry: 0\n"), hangAfterHead, "deadline_exceeded", 1],
  ["a GET with an HTML page", ends("1", "retry: 0\n"), htmlPage, "bad_response", 1],
  ["a GET with invalid JSON", ends("1", "retry: 0\n"), invalidJson, "bad_response", 1],
  [
    "a GET with JSON of another request",
    ends("1", "retry: 0\n"),
    () => Response.json({ id: 1, result: {} }),
    "bad_response",
    1,
  ],
  ["a GET with the answer to another request", ends("1", "retry: 0\n"), foreign, "outcome_unknown", 3],
  ["a GET with a line that never ends", ends("1", "retry: 0\n"), endlessSseLine, "too_large", 1],
  ["a GET whose session is gone", ends("1", "retry: 0\n"), sessionGone(), "outcome_unknown", 1],
];

for (const [what, first, get, code, mostGets] of EARLY_ENDS) {
  featureTest(
    `F5 ${what}: ${code}, the call is sent once`,
    { "tools/call": first, GET: get },
    async ({ call, faulty }) => {
      await failureOf(() => call("hi", { timeoutMs: 1_800 }), code);
      const gets = faulty.requests.filter(({ method }) => method === "GET");
      assertEquals([faulty.count("tools/call"), gets.some(({ headers }) => headers.has("x-evil"))], [1, false]);
      assertLessOrEqual(gets.length, mostGets);
      for (const gapMs of gapsOf(gets.map(({ atMs }) => atMs))) assertGreaterOrEqual(gapMs, 1_000 - TOLERANCE_MS);
    },
  );
}

featureTest(
  "F23 two calls are gone on from, each with the answer of the other: neither is delivered",
  (() => {
    const ids: (string | number)[] = [];
    const other = { "1": 1, "2": 0 };
    return {
      "tools/call": ({ rpc }) => sse(`retry: 0\nid: ${ids.push(rpc.id ?? "")}\ndata:\n\n`),
      GET: ({ request }) => {
        const id = ids[other[request.headers.get("last-event-id") as "1" | "2"]] ?? null;
        return sse(event({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "foreign" }] } }));
      },
    };
  })(),
  async ({ client, call }) => {
    await client.connectToServers();
    const codes = await Promise.all([codeOf(call("a", { timeoutMs: 1_500 })), codeOf(call("b", { timeoutMs: 1_500 }))]);
    assertEquals(codes, ["outcome_unknown", "outcome_unknown"]);
  },
  { answeredAtOnce: 4 },
);

/** Kinds of lists, how they are announced, and how they are asked for. */
const LISTS = [
  ["resources", "resources/list"],
  ["resources", "resources/templates/list"],
  ["prompts", "prompts/list"],
] as const;

for (const [what, method] of LISTS) {
  const changed = notice(`notifications/${what}/list_changed`);
  const list = (client: MultiServerMCPClient) => {
    if (method === "prompts/list") return client.listPrompts();
    return method === "resources/list" ? client.listResources() : client.listResourceTemplates();
  };

  featureTest(`F34 ${what} list_changed 500 times: ${method} at once, and once a second later`, {
    GET: openStream(changed.repeat(500)),
  }, async ({ client, faulty, call }) => {
    await list(client);
    await until(() => faulty.count(method) >= 3);
    await delay(200);
    const [, leading, trailing, ...more] = timesOf(faulty, method);
    assertEquals(more, []);
    assertGreaterOrEqual(trailing! - leading!, 1_000 - TOLERANCE_MS);
    assertEquals(textOf(await call("still")), "still");
  }, WATCHED);

  featureTest(`F35 ${what} list_changed every 100 ms: ${method} at most once a second`, {
    GET: endlessSse(changed, 100),
  }, async ({ client, faulty }) => {
    await list(client);
    await until(() => faulty.count(method) >= 4);
    const [, ...refreshes] = timesOf(faulty, method);
    for (const gapMs of gapsOf(refreshes)) assertGreaterOrEqual(gapMs, 1_000 - TOLERANCE_MS);
  }, WATCHED);

  featureTest(
    `F34 ${what} list_changed 500 times in the answer to a read: ${method} at once, and once a second later`,
    {
      "resources/read": ({ rpc }) => {
        const contents = [{ uri: "faulty://a", text: "a" }];
        return sse(changed.repeat(500) + event({ jsonrpc: "2.0", id: rpc.id ?? null, result: { contents } }));
      },
    },
    async ({ client, faulty }) => {
      await list(client);
      await client.readResource("faulty://a", { server: "faulty" });
      await until(() => faulty.count(method) >= 3);
      await delay(200);
      assertEquals(faulty.count(method), 3);
    },
  );
}

featureTest("F34 a server says all the time that a list has changed, and never gives it: nobody waits for it again", {
  "resources/list": sequence(features()["resources/list"]!, hang),
  GET: endlessSse(notice("notifications/resources/list_changed"), 50),
}, async ({ client, faulty }) => {
  assertEquals((await client.listResources()).length, 1);
  await until(() => faulty.count("resources/list") >= 2);
  // Once, somebody waits for the new list, which does not come.
  await client.listResources();
  const asked = faulty.count("resources/list");
  await until(() => faulty.count("resources/list") > asked);
  const startedAt = performance.now();
  assertEquals((await client.listResources()).length, 1);
  assertLessOrEqual(performance.now() - startedAt, SILENT_MS / 2);
}, { config: { watch: true, timeoutMs: SILENT_MS }, liveStreams: 2 });

featureTest("F37 10,000 updates of resources that nobody watches: the one that is watched is told once", {
  GET: openStream(updated("faulty://b").repeat(10_000) + updated("faulty://a") + updated("x".repeat(100_000))),
}, async ({ client, faulty }) => {
  const told: string[] = [];
  const subscription = await client.subscribeResource("faulty://a", (uri) => {
    told.push(uri);
    throw new Error("a listener that throws");
  });
  await until(() => told.length > 0);
  assertEquals(told, ["faulty://a"]);
  await subscription.close();
  await until(() => faulty.openStreams() === 0);
  assertEquals(faulty.count("resources/unsubscribe"), 1);
});

Deno.test("F37 10,000 log messages, each told to a function that throws or rejects: the call has its answer", async () => {
  const logs = notice("notifications/message", { level: "error", logger: "x".repeat(200), data: "words" });
  const bad = notice("notifications/message", { level: "loud", data: "words" });
  await using server = startRawServer({
    ...features(),
    "tools/call": ({ rpc }) => {
      return sse(bad + logs.repeat(10_000) + event({ jsonrpc: "2.0", id: rpc.id ?? null, result: { content: [] } }));
    },
  });
  let told = 0;
  const onLog = ({ logger = "" }: { readonly logger?: string | undefined }): void => {
    assertLessOrEqual(logger.length, 128);
    told++;
    if (told % 2 === 0) return Promise.reject(new Error("asynchronous after all")) as unknown as undefined;
    throw new Error("a listener that throws");
  };
  await using client = new MultiServerMCPClient("Kairos", { servers: { s: { url: server.url } } }, { onLog });
  assertEquals((await client.callTool("s__echo")).content, []);
  assertEquals(told, 10_000);
});

/** Streams of notices that end at once, or are no streams. */
const ENDING: Readonly<Record<string, Behaviour>> = {
  "F36 retry: 0": () => sse("retry: 0\n\n"),
  "F36 an event with an id, and an end": ends("1"),
  "F19 a line that never ends": endlessSseLine,
  "F7 500": status(500),
  "F9 a session that is gone": sessionGone(),
  "F12 503": status(503),
};

for (const [row, behaviour] of Object.entries(ENDING)) {
  featureTest(`${row} on the stream of a subscription: opened again after a second, then ever more slowly`, {
    GET: behaviour,
  }, async ({ client, faulty }) => {
    const subscription = await client.subscribeResource("faulty://a", () => {});
    await until(() => timesOf(faulty, "GET").length >= 3);
    const [first = 0, second = 0, ...more] = gapsOf(timesOf(faulty, "GET"));
    assertGreaterOrEqual(first, 1_000 - TOLERANCE_MS);
    assertGreaterOrEqual(second, 2_000 - TOLERANCE_MS);
    assertEquals([more, faulty.count("resources/subscribe")], [[], 1]);
    await subscription.close();
  }, { liveStreams: 1 });
}

/** Streams of notices that a server does not have after all. */
const NO_STREAM: Readonly<Record<string, Behaviour>> = {
  "405": status(405),
  "F14 an HTML page": htmlPage,
  "JSON": () => Response.json({ jsonrpc: "2.0", method: "notifications/resources/updated" }),
};

for (const [what, behaviour] of Object.entries(NO_STREAM)) {
  featureTest(`F14 ${what} in place of the stream of a subscription: not_supported, asked for once`, {
    GET: behaviour,
  }, async ({ client, faulty }) => {
    await failureOf(() => client.subscribeResource("faulty://a", () => {}), "not_supported");
    assertEquals([timesOf(faulty, "GET").length, faulty.count("resources/subscribe")], [1, 0]);
  });
}

featureTest("F2 a stream of a subscription that never opens: subscribed all the same, and freed by close()", {
  GET: hang,
}, async ({ client, faulty }) => {
  const subscription = await client.subscribeResource("faulty://a", () => {});
  assertEquals(faulty.count("resources/subscribe"), 1);
  await subscription.close();
  await until(() => faulty.openStreams() === 0);
});

featureTest("F2 resources/subscribe is never answered: deadline_exceeded, the stream is closed", {
  GET: openStream(": hello\n\n"),
  "resources/subscribe": hang,
}, async ({ client, faulty }) => {
  await failureOf(() => client.subscribeResource("faulty://a", () => {}, { timeoutMs: 300 }), "deadline_exceeded");
  await until(() => faulty.openStreams() === 0);
});

featureTest("F7 resources/subscribe is refused: the stream is closed, nothing is unsubscribed", {
  GET: openStream(": hello\n\n"),
  "resources/subscribe": status(500),
}, async ({ client, faulty }) => {
  await failureOf(() => client.subscribeResource("faulty://a", () => {}), "upstream_error");
  await until(() => faulty.openStreams() === 0);
  assertEquals(faulty.count("resources/unsubscribe"), 0);
});

const session = { begun: 0, subscribing: 0, mostAtOnce: 0 };
featureTest("F9 the session of 200 subscriptions is lost: they are told to the new one, a few at once", {
  initialize: (context) => {
    session.begun++;
    return offering(EVERYTHING)(context);
  },
  GET: openStream(": hello\n\n"),
  "resources/subscribe": async (context) => {
    session.mostAtOnce = Math.max(session.mostAtOnce, ++session.subscribing);
    await after(delay(5))(context);
    session.subscribing--;
    return answer({})(context);
  },
  "tools/call": (context) => (session.begun === 1 ? sessionGone() : answer({ content: [] }))(context),
}, async ({ client, faulty, call }) => {
  for (let count = 0; count < 200; count++) {
    await client.subscribeResource(`faulty://rows/${count}`, () => {}, { server: "faulty" });
  }
  session.mostAtOnce = 0;
  await call();
  await until(() => faulty.count("resources/subscribe") === 400);
  assertLessOrEqual(session.mostAtOnce, 8);
  // A busy machine opens more sockets than it needs before the first ones are free again; 200 they are not.
}, { sessionId: "s-1", liveStreams: 1, answeredAtOnce: 40 });
