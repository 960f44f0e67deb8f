/**
 * What the package is for, shown on real servers: concurrent connection, error isolation, tool routing, many agents,
 * and secrets that stay where they belong.
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { isMCPError, MCPClientManager, MultiServerMCPClient } from "@portolan/mcp";
import { parseConfig } from "@portolan/mcp/config";
import { assertNoCanary, CANARY, textOf } from "../support/client_support.ts";
import { refusedUrl, startSilentServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { textResult } from "../support/test_tools.ts";

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

Deno.test("Demonstration: five servers are connected to in about the time of one", async () => {
  await using stack = new AsyncDisposableStack();
  const names = ["fileio", "calendar", "mail", "search", "notes"];
  const servers: Record<string, { url: string }> = {};
  for (const name of names) {
    servers[name] = { url: stack.use(await startMCPServer({ name, delayMs: 80 })).url };
  }
  const alone = stack.use(new MultiServerMCPClient("Alone", { servers: { fileio: servers.fileio! } }));
  const oneMs = await timeOf(() => alone.connectToServers());

  const client = stack.use(new MultiServerMCPClient("Kairos", { servers }));
  const fiveMs = await timeOf(() => client.connectToServers({ concurrentConnections: 5 }));

  assertEquals(client.getStatus().connectedServers, 5);
  assertLess(fiveMs / oneMs, 2.5, "one after the other they would take five times as long");
});

Deno.test("Demonstration: servers that hang or refuse cost the others nothing", async () => {
  await using fileio = await startMCPServer({ name: "fileio" });
  await using hanging = startSilentServer();
  const servers = {
    hanging: { url: hanging.url, timeoutMs: 150 },
    refusing: { url: refusedUrl() },
    fileio: { url: fileio.url },
  };
  await using client = new MultiServerMCPClient("Kairos", { servers });

  const settled: string[] = [];
  const connecting = client.connectToServers({ onServerSettled: ({ server }) => settled.push(server) });
  const early = await client.callTool("fileio__whoami");
  assertEquals(textOf(early), "fileio", "answered while another server hangs");

  assertEquals(await connecting, { hanging: false, refusing: false, fileio: true });
  assertEquals(settled.length, 3);
  const status = client.getConnectionStatus();
  assertEquals(status.hanging?.lastError?.code, "deadline_exceeded");
  assertEquals(status.refusing?.lastError?.code, "unreachable");
  assertEquals(textOf(await client.callTool("add", { a: 40, b: 2 })), "42");
});

Deno.test("Demonstration: each tool is called at the server that owns it", async () => {
  const answers = (server: string) => ({ run: () => textResult(`from ${server}`) });
  await using fileio = await startMCPServer({
    tools: [{ name: "read_file", ...answers("fileio") }, { name: "search", ...answers("fileio") }],
  });
  await using calendar = await startMCPServer({
    tools: [{ name: "list_events", ...answers("calendar") }, { name: "search", ...answers("calendar") }],
  });
  const servers = { fileio: { url: fileio.url }, calendar: { url: calendar.url } };
  await using client = new MultiServerMCPClient("Kairos", { servers });
  await client.connectToServers();

  assertEquals(textOf(await client.callTool("list_events")), "from calendar");
  assertEquals(textOf(await client.callTool("read_file", { filename: "test.txt" })), "from fileio");
  assertEquals(textOf(await client.callTool("search")), "from fileio", "the first server owns an equal name");
  assertEquals(textOf(await client.callTool("calendar__search")), "from calendar");
  assertEquals(client.findClientForTool("list_events")?.server, "calendar");

  const error = await client.callTool("list_evnts").catch((error) => error);
  assert(isMCPError(error));
  assertEquals([error.code, error.suggestions], ["tool_not_found", ["list_events"]]);
});

Deno.test("Demonstration: a manager keeps the clients of many agents", async () => {
  await using fileio = await startMCPServer({ name: "fileio" });
  await using calendar = await startMCPServer({ name: "calendar" });
  const config = parseConfig(`
servers:
  fileio: { url: "${fileio.url}" }
  calendar: { url: "${calendar.url}" }
agents:
  Kairos: { servers: [fileio, calendar] }
  Mercurius: { servers: [fileio] }
`);
  await using manager = new MCPClientManager(config);
  assertEquals(await manager.addClient("Kairos"), true);
  assertEquals(await manager.addClient("Mercurius"), true);

  const { Kairos, Mercurius } = manager.getStatusSummary();
  assertEquals([Kairos?.connectedServers, Mercurius?.connectedServers], [2, 1]);
  assertEquals(await manager.reconnectClient("Kairos", { server: "calendar" }), { calendar: true });
  assertEquals(await manager.reconnectAll(), { Kairos: {}, Mercurius: {} });
  assertEquals(textOf(await manager.getClient("Kairos")!.callTool("calendar__whoami")), "calendar");

  await manager.close();
  assertEquals([fileio.sessions, calendar.sessions], [[], []]);
});

Deno.test("Demonstration: a secret goes to its own server alone, and shows nowhere", async () => {
  const requireHeader = { name: "authorization", value: `Bearer ${CANARY}` };
  await using calendar = await startMCPServer({ name: "calendar", requireHeader });
  await using fileio = await startMCPServer({ name: "fileio" });
  const servers = {
    fileio: { url: fileio.url },
    calendar: { url: calendar.url, headers: { authorization: "Bearer ${TOKEN}" } },
  };
  await using client = new MultiServerMCPClient("Kairos", { servers, secrets: { calendar: { TOKEN: CANARY } } });
  assertEquals(await client.connectToServers(), { fileio: true, calendar: true });
  assertEquals(textOf(await client.callTool("calendar__whoami")), "calendar");
  assertEquals(textOf(await client.callTool("fileio__whoami")), "fileio");

  assertEquals(calendar.requests.every(({ headers }) => headers.get("authorization") === `Bearer ${CANARY}`), true);
  for (const { headers, body, path, query } of fileio.requests) assertNoCanary([[...headers], body, path, query]);
  assertNoCanary(client);
  assertNoCanary(client.getStatus());
});
