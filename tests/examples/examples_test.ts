/** Each example as a user runs it, against real servers: what it prints, to the letter where nothing is left to chance. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { z } from "zod";
import { digestKey } from "../../src/callers/keys.ts";
import { browse, REDIRECT_URL } from "../support/auth_support.ts";
import { startAuthorized } from "../support/authorized_servers.ts";
import { refusedUrl } from "../support/fault_server.ts";
import { startGateway } from "../support/gateway_process.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { startNginx } from "../support/nginx.ts";
import { askModern, beginSession } from "../support/northbound_support.ts";
import { testRouteStore } from "../support/route_store_contract.ts";
import { type TestTool, textResult } from "../support/test_tools.ts";
import { SqliteRouteStore } from "./sqlite_route_store.ts";

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

interface RunOptions {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
}

/** Runs an example in a process of its own; it must end well and complain of nothing. */
async function run(example: string, { args = [], env = {} }: RunOptions = {}): Promise<readonly string[]> {
  const program = new URL(example, import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", CONFIG, "--frozen", program, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const [told, failed] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  // Deno 2.5 says that SQLite is new to it.
  assertEquals([code, failed?.replaceAll(/^.*ExperimentalWarning.*\n.*--trace-warnings.*\n/gm, "")], [0, ""]);
  return (told ?? "").trimEnd().split("\n");
}

Deno.test("Example agent_loop.ts: a model calls tools of two servers, and mends a call that was refused", async () => {
  const count = { name: "count_crates", inputSchema: { ship: z.string() }, run: () => textResult("12") };
  const weigh: TestTool = {
    name: "weigh",
    inputSchema: { crates: z.number() },
    run: ({ crates }) => textResult(`${Number(crates) * 50} kg`),
  };
  await using cargo = await startMCPServer({ tools: [count] });
  await using crane = await startMCPServer({ tools: [weigh] });
  assertEquals(await run("agent_loop.ts", { env: { CARGO_URL: cargo.url, CRANE_URL: crane.url } }), [
    "tools: count_crates, weigh",
    'call: count_crates {"ship":"Argo"}',
    "  → 12",
    'call: weigh {"crates":"12"}',
    '  → Cannot call tool "weigh" of server "crane" as its arguments do not match its schema:   crates: Expected a number: got a string',
    'call: weigh {"crates":12}',
    "  → 600 kg",
    "answer: It weighs 600 kg.",
  ]);
  assertEquals([cargo.executions.get("count_crates"), crane.executions.get("weigh")], [1, 1]);
});

Deno.test("Example several_agents.ts: each agent has its own tools and its own credential", async () => {
  const tools: readonly TestTool[] = [
    { name: "read_note", run: () => textResult("nothing") },
    {
      name: "write_note",
      inputSchema: { text: z.string() },
      run: ({ text }, { requestInfo }) => textResult(`${String(requestInfo?.headers["x-user"])} wrote "${text}"`),
    },
  ];
  await using notes = await startMCPServer({ tools });
  assertEquals(await run("several_agents.ts", { env: { NOTES_URL: notes.url, DOWN_URL: refusedUrl() } }), [
    "connected: { Ada: true, Grace: true, Visitor: true }",
    "Ada: 1 of 2 servers, 2 tools",
    "Grace: 1 of 1 servers, 2 tools",
    "Visitor: 1 of 1 servers, 1 tools",
    'Ada: ada wrote "from Ada"',
    'Grace: grace wrote "from Grace"',
    "Visitor: tool_not_found",
    "tried again: { Ada: { weather: false }, Grace: {}, Visitor: {} }",
  ]);
});

Deno.test("Example custom_store.ts: the second process knows from the first, and sends one request", async () => {
  await using server = startModernServer();
  const folder = await Deno.makeTempDir();
  const options = { args: [`${folder}/routes.db`], env: { FILES_URL: server.url } };
  assertEquals(await run("custom_store.ts", options), ['files answered "ahoy", found by discovery']);
  const before = server.requests.length;
  assertEquals(await run("custom_store.ts", options), ['files answered "ahoy", found by cache']);
  assertEquals(server.requests.slice(before).map(({ rpcMethod }) => rpcMethod), ["tools/call"]);
  await Deno.remove(folder, { recursive: true });
});

testRouteStore("Example SqliteRouteStore", async (row) => {
  const folder = await Deno.makeTempDir();
  const clock = { nowMs: 1_800_000_000_000 };
  {
    using store = new SqliteRouteStore(`${folder}/routes.db`, () => clock.nowMs);
    await row({ store, clock });
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("Example interceptor.ts: calls are signed and logged, addresses hidden, deletions not approved", async () => {
  const tools: readonly TestTool[] = [
    {
      name: "read_file",
      inputSchema: { path: z.string(), user: z.string() },
      run: ({ path, user }) => textResult(`${path} for ${user}: ada@example.com, grace@example.com`),
    },
    { name: "delete_file" },
  ];
  await using server = await startMCPServer({ tools });
  assertEquals(await run("interceptor.ts", { env: { FILES_URL: server.url } }), [
    "log: read_file ok",
    "crew.txt for ada: [redacted], [redacted]",
    'denied: Cannot call tool "delete_file" as it was not approved',
  ]);
  assertEquals(server.executions.get("delete_file"), undefined);
});

Deno.test("Example code_flow.ts: one process begins, another one finishes, a third calls the tool", async () => {
  await using calendar = await startAuthorized();
  const folder = await Deno.makeTempDir();
  const env = {
    CALENDAR_URL: calendar.url,
    KV_PATH: `${folder}/kv.db`,
    STORE_SECRET: "0123456789abcdef",
    REDIRECT_URL,
    ALLOW_PRIVATE: "true",
  };
  const [open = "", ...more] = await run("code_flow.ts", { env });
  assertMatch(open, /^open: http:\/\/127\.0\.0\.1:\d+\/auth\?.*code_challenge=/);
  assertEquals(more, []);
  const callbackUrl = await browse(open.replace("open: ", ""));
  assertEquals(await run("code_flow.ts", { env, args: [callbackUrl] }), ["authorized: calendar for Ada"]);
  assertEquals(await run("code_flow.ts", { env }), ["answer: ok"]);
  assertEquals(calendar.login.tokenRequests.map(({ grantType }) => grantType), ["authorization_code"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("Example deploy.ts: isolates start for a request, and the second knows what the first has learned", async () => {
  await using server = startModernServer();
  const env = { FILES_URL: server.url };
  const told = (await run("deploy.ts", { env })).filter((line) => !line.startsWith("Portolan"));
  assertEquals(told, [
    "first isolate: 401 unauthenticated, then by discovery, then by memory",
    "first isolate: ended with 0",
    "second isolate: 401 unauthenticated, then by cache, then by memory",
    "second isolate: ended with 0",
  ]);
  assertEquals([server.count("server/discover"), server.count("tools/list"), server.count("tools/call")], [1, 1, 4]);
});

Deno.test("Example reverse_proxy.conf: nginx passes REST, both eras of MCP, and progress as it comes", async () => {
  const first = Promise.withResolvers<void>();
  const slow: TestTool = {
    name: "slow",
    async run(_args, { sendNotification, _meta }) {
      const params = { progressToken: _meta?.progressToken ?? 0, progress: 1, total: 2 };
      await sendNotification({ method: "notifications/progress", params });
      // Whoever holds the progress back waits for ever.
      await first.promise;
      return textResult("done");
    },
  };
  await using server = await startMCPServer({
    tools: [slow, { name: "echo", run: ({ text }) => textResult(String(text)) }],
  });
  const yaml = `servers: { files: { url: "${server.url}" } }\nagents: { Kairos: { servers: [files] } }`;
  const env = {
    PORTOLAN_KEYS: `Kairos=${await digestKey("key")}`,
    PORTOLAN_ALLOWED_HOSTS: "127.0.0.1,mcp.example.com",
  };
  await using gateway = await startGateway(yaml, { env });
  await using proxy = await startNginx(new URL("reverse_proxy.conf", import.meta.url), gateway.origin);
  const authorization = "Bearer key";
  const call = (tool: string, headers: Record<string, string> = {}) =>
    fetch(`${proxy.origin}/agents/Kairos/tools/${tool}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: "{}",
    });

  const refused = await call("echo");
  assertEquals([refused.status, (await refused.json()).code], [401, "unauthenticated"]);
  const answered = await call("echo", { authorization });
  assertEquals([answered.status, (await answered.json()).server], [200, "files"]);

  const streamed = await call("slow", { authorization, accept: "text/event-stream" });
  let text = "";
  for await (const chunk of streamed.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes("event: progress")) first.resolve();
  }
  assertStringIncludes(text, "event: result");

  const mcp = `${proxy.origin}/agents/Kairos/mcp`;
  const { last } = await askModern(mcp, "tools/list", {}, { headers: { authorization } });
  assertEquals(last.result.tools.map(({ name }: { name: string }) => name), ["echo", "slow"]);
  const caller = await beginSession(mcp, {}, { authorization });
  const params = { name: "echo", arguments: { text: "ahoy" } };
  assertEquals((await caller.call("tools/call", params)).last.result.content, [{ type: "text", text: "ahoy" }]);
});
