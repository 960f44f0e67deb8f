import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { delay } from "@std/async";
import { type Behaviour, endlessSse, endlessSseLine, event, sequence, sse } from "../support/behaviours.ts";
import { textOf, until } from "../support/client_support.ts";
import type { RawServer } from "../support/fault_server.ts";
import { faultTest, type FaultTestOptions } from "./_fault_case.ts";

const CHANGED = event({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
const WATCHED: FaultTestOptions = { config: { watch: true }, liveStreams: 1 };
/** How much later than it was sent a request may arrive, in milliseconds, where the machine is busy. */
const TOLERANCE_MS = 250;

/** A stream that begins with these events, and stays open. */
function stream(text: string): Behaviour {
  return () => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}

/** When requests came, in milliseconds: those of a JSON-RPC method, or those of an HTTP method. */
function timesOf(server: RawServer, what: string): readonly number[] {
  return server.requests.filter(({ method, rpcMethod }) => (rpcMethod ?? method) === what).map(({ atMs }) => atMs);
}

faultTest("F34 list_changed 500 times: one list at once, one a second later", {
  GET: stream(CHANGED.repeat(500)),
}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  await until(() => faulty.count("tools/list") >= 3);
  await delay(200);
  const [, leading, trailing, ...more] = timesOf(faulty, "tools/list");
  assertEquals(more, []);
  assertLessOrEqual(leading! - timesOf(faulty, "GET")[0]!, 1_000);
  assertGreaterOrEqual(trailing! - leading!, 1_000 - TOLERANCE_MS);
  assertEquals(textOf(await call("still")), "still");
}, WATCHED);

faultTest("F34 list_changed: the new tools can be called, the ones that are gone cannot", {
  GET: stream(CHANGED),
  "tools/list": sequence(
    ({ rpc }) => Response.json({ jsonrpc: "2.0", id: rpc.id, result: { tools: [{ name: "old", inputSchema: {} }] } }),
    ({ respondOk }) => respondOk(),
  ),
}, async ({ client, events, call }) => {
  await client.connectToServers();
  await until(() => events.some(({ type }) => type === "tools_changed"));
  assertEquals(textOf(await call("new")), "new");
  const changes = events.flatMap((one) => one.type === "tools_changed" ? [[one.server, one.added, one.removed]] : []);
  assertEquals(changes, [["faulty", ["echo"], ["old"]]]);
}, WATCHED);

faultTest(
  "F35 list_changed every 100 ms: a list at once, then one a second",
  { GET: endlessSse(CHANGED, 100) },
  async ({
    client,
    faulty,
    call,
  }) => {
    await client.connectToServers();
    await until(() => faulty.count("tools/list") >= 4);
    const [opened] = timesOf(faulty, "GET");
    const [, ...refreshes] = timesOf(faulty, "tools/list");
    assertLessOrEqual(refreshes[0]! - opened!, 1_000);
    for (const [index, atMs] of refreshes.slice(1).entries()) {
      assertGreaterOrEqual(atMs - refreshes[index]!, 1_000 - TOLERANCE_MS);
    }
    assertEquals(textOf(await call("still")), "still");
  },
  WATCHED,
);

/** Streams that end at once, so that a client could be tempted to open them again at once. */
const ENDING: Readonly<Record<string, Behaviour>> = {
  "F36 retry: 0 in a stream that ends": () => sse("retry: 0\n\n"),
  "F36 a stream that ends at once": () => sse(": nothing\n\n"),
  "F19 a stream whose line never ends": endlessSseLine,
};

for (const [row, behaviour] of Object.entries(ENDING)) {
  faultTest(`${row}: opened again after a second`, { GET: behaviour }, async ({ client, faulty, call }) => {
    await client.connectToServers();
    await until(() => timesOf(faulty, "GET").length >= 2);
    const [first, second, ...more] = timesOf(faulty, "GET");
    assertEquals(more, []);
    assertGreaterOrEqual(second! - first!, 1_000 - TOLERANCE_MS);
    assertEquals([textOf(await call("still")), faulty.count("tools/list")], ["still", 2]);
  }, WATCHED);
}

const PINGS = Array.from({ length: 3_000 }, (_, id) => event({ jsonrpc: "2.0", id, method: "ping" })).join("");
const BATCH = `data: [${"0,".repeat(200_000)}{"method":"notifications/tools/list_changed"}]\n\n`;

/** How many pings at once are answered. */
const MAX_PONGS = 64;

faultTest("F37 3,000 pings on the stream: few are answered, and the notice after them counts once", {
  GET: stream(PINGS + CHANGED),
}, async ({ client, faulty, call }) => {
  await client.connectToServers();
  await until(() => faulty.count("tools/list") === 2);
  const pongs = () => faulty.requests.filter(({ method, rpcMethod }) => method === "POST" && rpcMethod === undefined);
  await until(() => pongs().length >= MAX_PONGS);
  assertEquals(textOf(await call("still")), "still");
  assertEquals(pongs().map(({ body }) => body), Array.from({ length: pongs().length }, (_, id) => pong(id)));
  // One more is answered each second.
  assertLessOrEqual(pongs().length, MAX_PONGS + 5);
  assertEquals([faulty.count("tools/list"), timesOf(faulty, "GET").length], [2, 1]);
}, { ...WATCHED, answeredAtOnce: MAX_PONGS + 2 });

function pong(id: number) {
  return { jsonrpc: "2.0", id, result: {} };
}

/** What a stream may begin with without anything coming of it. */
const PASSED_OVER: Readonly<Record<string, string>> = {
  "F38 a batch of 200,000 messages on the stream": BATCH,
  "F13 a notice that is no JSON": "data: notifications/tools/list_changed\n\n",
};

for (const [row, before] of Object.entries(PASSED_OVER)) {
  faultTest(`${row}: passed over, none is answered, and the notice after it counts once`, {
    GET: stream(before + CHANGED),
  }, async ({ client, faulty, call }) => {
    await client.connectToServers();
    await until(() => faulty.count("tools/list") === 2);
    assertEquals(textOf(await call("still")), "still");
    const answers = faulty.requests.filter(({ method, rpcMethod }) => method === "POST" && rpcMethod === undefined);
    assertEquals([answers, faulty.count("tools/list"), timesOf(faulty, "GET").length], [[], 2, 1]);
  }, WATCHED);
}
