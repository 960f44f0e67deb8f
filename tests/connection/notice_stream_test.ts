import { assertEquals, assertRejects } from "@std/assert";
import type { StreamCursor } from "../../src/connection/answer_reader.ts";
import type { NoticeFilter } from "../../src/connection/connection.ts";
import { readNotices } from "../../src/connection/notice_stream.ts";
import type { JsonObject } from "../../src/protocol.ts";
import {
  answer,
  type Behaviour,
  drop,
  endlessSse,
  endlessSseLine,
  event,
  hangAfterHead,
  htmlPage,
  sequence,
  sse,
  status,
} from "../support/behaviours.ts";
import { until } from "../support/client_support.ts";
import { createTestSession } from "../support/connection_support.ts";
import { type RawServer, startRawServer } from "../support/fault_server.ts";
import { refusal } from "../support/modern_script.ts";

type Era = "legacy" | "modern";

const CHANGED = event({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });

const TOOLS: NoticeFilter = { tools: true, prompts: false, resources: false, uris: [] };

interface Listening {
  readonly signal?: AbortSignal;
  readonly onChange?: () => void;
  readonly filter?: NoticeFilter;
  readonly cursor?: StreamCursor;
  readonly onOpen?: () => void;
}

/** Listens to a server until the stream ends; tells whether it was offered, and how often the tools changed. */
async function listen(era: Era, server: RawServer, listening: Listening = {}) {
  const { signal = new AbortController().signal, onChange = () => {}, filter = TOOLS, cursor = {}, onOpen } = listening;
  let notices = 0;
  const onMessage = ({ method }: JsonObject) => {
    if (method !== "notifications/tools/list_changed") return;
    notices++;
    onChange();
  };
  const session = createTestSession(server.url, era);
  const offered = await readNotices(session, { id: "id-1", filter, signal, cursor, onOpen, onMessage });
  return { offered, notices };
}

function start(era: Era, behaviour: Behaviour): RawServer {
  return startRawServer({ [era === "legacy" ? "GET" : "subscriptions/listen"]: behaviour });
}

Deno.test("readNotices() opens the stream of a legacy server by a GET in its session", async () => {
  await using server = start("legacy", () => sse(CHANGED));
  await listen("legacy", server);
  const { method, headers, body } = server.requests[0]!;
  const names = ["accept", "mcp-session-id", "mcp-protocol-version", "content-type", "mcp-method"];
  assertEquals([method, body, ...names.map((name) => headers.get(name))], [
    "GET",
    undefined,
    "text/event-stream",
    "s-1",
    "2025-11-25",
    null,
    null,
  ]);
});

Deno.test("readNotices() opens the stream of a modern server by subscriptions/listen for its tools alone", async () => {
  await using server = start("modern", () => sse(CHANGED));
  await listen("modern", server);
  const { method, headers, body, rpcId } = server.requests[0]!;
  assertEquals([method, rpcId, headers.get("mcp-method")], ["POST", "id-1", "subscriptions/listen"]);
  const { params } = body as { params: JsonObject };
  assertEquals(params.notifications, { toolsListChanged: true });
  assertEquals((params._meta as JsonObject)["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
});

Deno.test("readNotices() asks a modern server for what is wanted, and for nothing else", async () => {
  const uris = ["file:///b", "file:///a"];
  const wanted: readonly (readonly [NoticeFilter, JsonObject])[] = [
    [{ ...TOOLS, tools: false }, {}],
    [{ ...TOOLS, prompts: true }, { toolsListChanged: true, promptsListChanged: true }],
    [{ ...TOOLS, tools: false, resources: true, uris }, { resourcesListChanged: true, resourceSubscriptions: uris }],
  ];
  await using server = start("modern", () => sse(CHANGED));
  for (const [filter] of wanted) await listen("modern", server, { filter });
  const sent = server.requests.map(({ body }) => (body as { params: JsonObject }).params.notifications);
  assertEquals(sent, wanted.map(([, notifications]) => notifications));
});

Deno.test("readNotices() goes on after the last event that a legacy server gave an id that fits a header", async () => {
  const ids = ["a", "b c", "é", "d\u0000e", "x".repeat(513), ""];
  let at = 0;
  await using server = start("legacy", () => sse(`id: ${ids[at++]}\n${CHANGED}`));
  const cursor: StreamCursor = {};
  for (const _ of ids) await listen("legacy", server, { cursor });
  const sent = server.requests.map(({ headers }) => headers.get("last-event-id"));
  // An id with NUL is none in an event stream, and changes nothing (HTML, 9.2.6).
  assertEquals(sent, [null, "a", "b c", null, null, null]);
  assertEquals(cursor.lastEventId, undefined);
});

Deno.test("readNotices() begins anew where a legacy server refuses the place to go on from", async () => {
  const gone = sequence(() => sse(`id: a\n${CHANGED}`), status(400), () => sse(CHANGED));
  await using server = start("legacy", gone);
  const cursor: StreamCursor = {};
  for (let streams = 0; streams < 3; streams++) {
    assertEquals((await listen("legacy", server, { cursor })).offered, true);
  }
  assertEquals(server.requests.map(({ headers }) => headers.get("last-event-id")), [null, "a", null]);
});

Deno.test("readNotices() sends a modern server no place to go on from", async () => {
  await using server = start("modern", () => sse(`id: a\n${CHANGED}`));
  const cursor: StreamCursor = {};
  for (let streams = 0; streams < 2; streams++) await listen("modern", server, { cursor });
  assertEquals(server.requests.map(({ headers }) => headers.get("last-event-id")), [null, null]);
});

for (const era of ["legacy", "modern"] as const) {
  Deno.test(`readNotices() tells once that the stream is open, and only where it is one: ${era}`, async () => {
    for (const [behaviour, expected] of [[() => sse(CHANGED), 1], [status(405), 0], [answer({}), 0]] as const) {
      await using server = start(era, behaviour);
      let opened = 0;
      await listen(era, server, { onOpen: () => void opened++ });
      assertEquals(opened, expected);
    }
  });

  Deno.test(`readNotices() tells of each notice about the tools, and of no other message: ${era}`, async () => {
    const others = [
      event({ jsonrpc: "2.0", method: "notifications/resources/list_changed" }),
      event({ jsonrpc: "2.0", method: "notifications/message", params: { data: "notifications/tools/list_changed" } }),
      event({ jsonrpc: "2.0", id: "id-1", result: { method: "notifications/tools/list_changed" } }),
      'data: {"method":"notifications/tools/list_changed"\n\n',
      ": notifications/tools/list_changed\n\n",
    ];
    await using server = start(era, () => sse(CHANGED + others.join("") + CHANGED));
    assertEquals(await listen(era, server), { offered: true, notices: 2 });
  });

  Deno.test(`readNotices() ends with its signal, and closes the stream: ${era}`, async () => {
    await using server = start(era, hangAfterHead);
    const controller = new AbortController();
    const ended = assertRejects(() => listen(era, server, { signal: controller.signal }));
    await until(() => server.openStreams() === 1);
    controller.abort();
    await ended;
    await until(() => server.openStreams() === 0);
  });

  Deno.test(`F19 readNotices() gives a stream up whose line never ends: ${era}`, async () => {
    await using server = start(era, endlessSseLine);
    assertEquals(await listen(era, server), { offered: true, notices: 0 });
    await until(() => server.openStreams() === 0);
  });

  Deno.test(`F34 readNotices() reads a stream that never ends without keeping it: ${era}`, async () => {
    await using server = start(era, endlessSse(CHANGED.repeat(100)));
    const controller = new AbortController();
    let told = 0;
    const onChange = () => void (++told === 5_000 && controller.abort());
    await listen(era, server, { signal: controller.signal, onChange }).catch(() => {});
    assertEquals(told >= 5_000, true);
    await until(() => server.openStreams() === 0);
  });

  for (
    const [what, behaviour] of Object.entries({
      "405": status(405),
      "406": status(406),
      "501": status(501),
      "200 with JSON": answer({}),
      "F14 200 with a page": htmlPage,
      "202": status(202),
      "404 with method not found": refusal(404, -32601),
      "200 with method not found": refusal(200, -32601),
    })
  ) {
    Deno.test(`readNotices() is false where the server offers no stream: ${era}, ${what}`, async () => {
      await using server = start(era, behaviour);
      assertEquals((await listen(era, server)).offered, false);
      await until(() => server.openStreams() === 0);
    });
  }

  for (
    const [what, behaviour] of Object.entries({
      "a session that is gone": refusal(404, -32001),
      "400": status(400),
      "401": status(401),
      "429": status(429),
      "500": status(500),
      "503": status(503),
    })
  ) {
    Deno.test(`readNotices() is true where the server may offer a stream later: ${era}, ${what}`, async () => {
      await using server = start(era, behaviour);
      assertEquals((await listen(era, server)).offered, true);
      await until(() => server.openStreams() === 0);
    });
  }

  Deno.test(`readNotices() rejects where the connection breaks: ${era}`, async () => {
    await using server = start(era, drop);
    await assertRejects(() => listen(era, server));
  });
}
