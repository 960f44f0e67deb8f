import { assertEquals } from "@std/assert";
import { type LogMessage, SingleServerMCPClient } from "@portolan/mcp";
import type { JsonObject } from "../../src/protocol.ts";
import { ServerLink } from "../../src/server/server_link.ts";
import { ServerListener, type ServerListenerDeps, tellLog } from "../../src/server/server_listener.ts";
import { event, sequence, sse } from "../support/behaviours.ts";
import { until } from "../support/client_support.ts";
import { createTestSession } from "../support/connection_support.ts";
import { refusedUrl, startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { SetLevelRequestSchema } from "../support/sdk_server.ts";
import { textResult } from "../support/test_tools.ts";

function createListener(more: Partial<ServerListenerDeps> = {}) {
  const url = refusedUrl();
  const { send, now } = createTestSession(url);
  const link = new ServerLink({ server: "files", url: new URL(url), transport: "auto", era: "legacy", send, now });
  const told: unknown[] = [];
  const listener = new ServerListener({
    server: "files",
    link,
    onToolsStale: () => told.push("tools"),
    onContextStale: (what) => told.push(what),
    onLog: (message) => told.push(message),
    onOther: (message) => told.push(message),
    ...more,
  });
  const close = async () => {
    await listener.close();
    await link.close();
  };
  return { link, listener, told, close };
}

function changed(what: string): JsonObject {
  return { jsonrpc: "2.0", method: `notifications/${what}/list_changed` };
}

function logged(params: JsonObject): JsonObject {
  return { jsonrpc: "2.0", method: "notifications/message", params };
}

Deno.test("F34 ServerListener.onNotice() tells of each kind of list at once, whatever became of the others", async () => {
  const { listener, told, close } = createListener();
  for (let notices = 0; notices < 500; notices++) {
    for (const what of ["tools", "resources", "prompts"]) listener.onNotice(changed(what));
  }
  assertEquals(told, ["tools", "resources", "prompts"]);
  await close();
});

Deno.test("ServerListener hears what its link hears, until it is closed", async () => {
  const { link, listener, told, close } = createListener();
  link.notice(changed("tools"));
  await listener.close();
  link.notice(changed("prompts"));
  listener.onNotice(changed("resources"));
  listener.watch();
  assertEquals(told, ["tools"]);
  await close();
});

Deno.test("ServerListener.onNotice() passes on every other notice as it is", async () => {
  const { listener, told, close } = createListener();
  const others: JsonObject[] = [
    { jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: "file:///a" } },
    { jsonrpc: "2.0", method: "notifications/later" },
    { jsonrpc: "2.0", method: 7 },
    {},
  ];
  for (const other of others) listener.onNotice(other);
  assertEquals(told, others);
  await close();
});

Deno.test("ServerListener goes on where the functions of its owner throw", async () => {
  const fails = () => {
    throw new Error("of the owner");
  };
  const { listener, close } = createListener({ onToolsStale: fails, onContextStale: fails, onLog: fails });
  for (const what of ["tools", "resources", "prompts"]) listener.onNotice(changed(what));
  listener.onNotice(logged({ level: "info", data: 1 }));
  await close();
});

Deno.test("ServerListener.onGap() tells of everything that may have changed, where it watches", async () => {
  const { listener, told, close } = createListener();
  listener.onGap();
  assertEquals(told, []);
  listener.watch();
  listener.onGap();
  assertEquals(told, ["tools", "resources", "prompts"]);
  await close();
});

/** Parameters of log messages, and what is told of them. */
const MESSAGES: readonly (readonly [JsonObject | undefined, Omit<LogMessage, "server"> | undefined])[] = [
  [{ level: "info", data: "text" }, { level: "info", data: "text" }],
  [{ level: "emergency", logger: "db", data: { a: [1] }, _meta: {} }, {
    level: "emergency",
    logger: "db",
    data: { a: [1] },
  }],
  [{ level: "debug", logger: "x".repeat(200), data: null }, { level: "debug", logger: "x".repeat(128), data: null }],
  [{ level: "debug", logger: 7, data: 1 }, { level: "debug", data: 1 }],
  [{ level: "loud", data: 1 }, undefined],
  [{ data: 1 }, undefined],
  [undefined, undefined],
];

for (const [params, expected] of MESSAGES) {
  Deno.test(`tellLog() of ${JSON.stringify(params)?.slice(0, 80)}`, () => {
    const told: LogMessage[] = [];
    const message: JsonObject = { method: "notifications/message", ...(params === undefined ? {} : { params }) };
    tellLog((log) => told.push(log), message, "files");
    tellLog(undefined, message, "files");
    tellLog((log) => told.push(log), { ...message, method: "notifications/other" }, "files");
    assertEquals(told, expected === undefined ? [] : [{ server: "files", ...expected } as LogMessage]);
  });
}

Deno.test("SingleServerMCPClient passes on what a real legacy server logs: in a call to both listeners, else to the client's", async () => {
  const [own, ofCall]: [LogMessage[], LogMessage[]] = [[], []];
  await using server = await startMCPServer({
    configure: ({ server }) => {
      server.registerCapabilities({ logging: {} });
      server.setRequestHandler(SetLevelRequestSchema, () => ({}));
    },
    tools: [{
      name: "log",
      run: async (_args, { sendNotification }) => {
        const params = { level: "warning", logger: "db", data: "in the call" } as const;
        await sendNotification({ method: "notifications/message", params });
        return textResult("ok");
      },
    }],
  });
  const onLog = (message: LogMessage) => void own.push(message);
  await using client = new SingleServerMCPClient("files", { url: server.url, watch: true }, {
    onLog,
    logLevel: "notice",
  });
  await client.connect();
  await client.callTool("log", {}, { onLog: (message) => ofCall.push(message) });
  const inCall: LogMessage = { server: "files", level: "warning", logger: "db", data: "in the call" };
  assertEquals([own, ofCall], [[inCall], [inCall]]);
  await until(() => server.count("logging/setLevel") === 1 && server.openStreams() === 1);
  await server.live[0]?.server.sendLoggingMessage({ level: "error", data: "beside" });
  await until(() => own.length === 2);
  assertEquals([own[1], ofCall.length], [{ server: "files", level: "error", data: "beside" }, 1]);
  await client.setLogLevel("error");
  const levels = server.requests.filter(({ rpcMethod }) => rpcMethod === "logging/setLevel").map(({ body }) => {
    return ((body as JsonObject).params as JsonObject).level;
  });
  assertEquals(levels, ["notice", "error"]);
});

Deno.test("SingleServerMCPClient that watches tells of changed resources and prompts, and of all lists after a gap", async () => {
  const both = event(changed("resources")) + event(changed("prompts"));
  const never = new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream" } });
  await using server = startRawServer({ GET: sequence(() => sse(both), () => never) });
  const told: string[] = [];
  const options = {
    onToolsStale: () => void told.push("tools"),
    onContextStale: (what: string) => void told.push(what),
  };
  await using client = new SingleServerMCPClient("files", { url: server.url, watch: true }, options);
  await client.connect();
  await until(() => told.length === 5);
  assertEquals(told.toSorted(), ["prompts", "prompts", "resources", "resources", "tools"]);
});
