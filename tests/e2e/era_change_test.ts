/** A server is upgraded to another era, or rolled back, while clients are connected or remember it. */

import { assertEquals } from "@std/assert";
import { MemoryRouteStore, MultiServerMCPClient, SingleServerMCPClient } from "@portolan/mcp";
import { ok, rpcError, sequence, status } from "../support/behaviours.ts";
import { codeOf, textOf, until } from "../support/client_support.ts";
import { fillStore, methodsSince, STORE_SECRET } from "../support/cold_support.ts";
import { startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { modernScript, refusal } from "../support/modern_script.ts";
import { startModernServer } from "../support/modern_server.ts";
import type { RecordedRequest } from "../support/recorder.ts";
import { startSwitchingServer } from "../support/switching_server.ts";

/** What the kinds of servers have in common. */
interface AnyServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  readonly executions: ReadonlyMap<string, number>;
}

const KINDS = {
  "legacy with sessions": (name) => startMCPServer({ name }),
  "legacy with sessions and JSON": (name) => startMCPServer({ name, json: true }),
  "legacy without sessions": (name) => startMCPServer({ name, stateful: false }),
  "SSE of 2024-11-05": (name) => startMCPServer({ name, transport: "sse" }),
  "modern": (name) => Promise.resolve(startModernServer({ name })),
  "of both eras": (name) => Promise.resolve(startModernServer({ name, dualEra: true })),
} as const satisfies Readonly<Record<string, (name: string) => Promise<AnyServer>>>;

const MODERN = new Set<string>(["modern", "of both eras"]);

/** Changes of the era or the transport, each with what the server is before and after. */
const CHANGES: readonly (readonly [keyof typeof KINDS, keyof typeof KINDS])[] = [
  ["legacy with sessions", "modern"],
  ["legacy with sessions and JSON", "modern"],
  ["legacy without sessions", "modern"],
  ["SSE of 2024-11-05", "modern"],
  ["legacy with sessions", "of both eras"],
  ["legacy without sessions", "of both eras"],
  ["modern", "legacy with sessions"],
  ["modern", "legacy with sessions and JSON"],
  ["modern", "legacy without sessions"],
  ["modern", "SSE of 2024-11-05"],
  ["of both eras", "legacy with sessions"],
  ["legacy with sessions", "legacy without sessions"],
  ["legacy without sessions", "legacy with sessions"],
  ["legacy with sessions", "SSE of 2024-11-05"],
  ["SSE of 2024-11-05", "legacy with sessions"],
];

for (const [before, after] of CHANGES) {
  Deno.test(`A server changes under a connected client: ${before} → ${after}: the next call succeeds and runs once`, async () => {
    await using old = await KINDS[before]("old");
    await using next = await KINDS[after]("next");
    await using front = startSwitchingServer(old.url);
    await using client = new SingleServerMCPClient("files", { url: front.url });
    await client.connect();
    assertEquals(textOf(await client.callTool("whoami")), "old");
    front.switchTo(next.url);
    // The stream of the old transport ends with its server.
    if (before === "SSE of 2024-11-05") {
      await old[Symbol.asyncDispose]();
      await until(() => !client.isConnected);
    }
    assertEquals(textOf(await client.callTool("whoami")), "next");
    assertEquals([old.executions.get("whoami"), next.executions.get("whoami")], [1, 1]);
    assertEquals(textOf(await client.callTool("echo", { text: "again" })), "again");
    if (after === "modern") assertEquals(client.getStatus().era, "modern");
    if (!MODERN.has(after)) assertEquals(client.getStatus().era, "legacy");
  });

  Deno.test(`A server changes while a client remembers it: ${before} → ${after}: the next call succeeds and runs once`, async () => {
    const store = new MemoryRouteStore();
    await using old = await KINDS[before]("old");
    await using next = await KINDS[after]("next");
    await using front = startSwitchingServer(old.url);
    const config = { servers: { s: { url: front.url } } };
    await fillStore(config, { store, storeSecret: STORE_SECRET });
    front.switchTo(next.url);
    for (let isolate = 1; isolate <= 2; isolate++) {
      await using client = new MultiServerMCPClient("Kairos", config, { store, storeSecret: STORE_SECRET });
      const { route, result } = await client.callToolRouted("whoami");
      assertEquals([route, textOf(result)], ["cache", "next"]);
      assertEquals([old.executions.get("whoami"), next.executions.get("whoami")], [undefined, isolate]);
    }
  });
}

Deno.test("A server is rolled back and upgraded again under a connected client: every call succeeds and runs once", async () => {
  await using legacy = await startMCPServer({ name: "legacy" });
  await using modern = startModernServer({ name: "modern" });
  await using front = startSwitchingServer(legacy.url);
  await using client = new SingleServerMCPClient("files", { url: front.url });
  for (let round = 1; round <= 3; round++) {
    for (const [name, server] of Object.entries({ legacy, modern })) {
      front.switchTo(server.url);
      const texts = (await Promise.all([1, 2, 3].map(() => client.callTool("whoami")))).map(textOf);
      assertEquals([texts, server.executions.get("whoami")], [[name, name, name], 3 * round]);
    }
  }
});

Deno.test("A legacy server that lost its sessions is not asked for its era again", async () => {
  await using server = await startMCPServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  await server.dropSessions();
  const count = server.requests.length;
  await client.callTool("whoami");
  assertEquals(methodsSince(server, count), ["tools/call", "initialize", "notifications/initialized", "tools/call"]);
});

Deno.test("A modern server that no longer speaks our version is asked for its versions: no call runs there", async () => {
  const gone = refusal(400, -32022, { supported: ["2027-01-01"] });
  const script = modernScript();
  const discover = sequence(script["server/discover"]!, gone);
  await using server = startRawServer({ ...script, "server/discover": discover, "tools/call": gone });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  assertEquals(await codeOf(client.callTool("echo")), "unsupported_protocol");
  assertEquals(methodsSince(server, 2), ["tools/call", "server/discover"]);
});

Deno.test("A modern server that refuses for ever ends in an error after one resend", async () => {
  await using server = startRawServer(modernScript({ "tools/call": status(404) }));
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  assertEquals(await codeOf(client.callTool("echo")), "session_lost");
  assertEquals(methodsSince(server, 2), ["tools/call", "server/discover", "tools/call"]);
});

Deno.test("A server that refused to shake hands is asked for its era again with the next attempt", async () => {
  await using server = startRawServer({ initialize: sequence(rpcError(-32000, "words"), ok) });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  assertEquals(await codeOf(client.connect()), "upstream_error");
  await client.connect();
  const handshake = ["initialize", "notifications/initialized", "tools/list"];
  assertEquals(methodsSince(server), ["server/discover", "initialize", "server/discover", ...handshake]);
});
