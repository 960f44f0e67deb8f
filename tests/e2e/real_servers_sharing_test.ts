/** Agents that share their connections to the reference server. */

import { assertEquals } from "@std/assert";
import { MCPClientManager, MultiServerMCPClient, SharedConnections } from "@portolan/mcp";
import { failureOf, textOf, until } from "../support/client_support.ts";
import { startEverything } from "../support/everything.ts";
import { startRecordingProxy } from "../support/recording_proxy.ts";

/** How many sessions were opened; what is posted to an SSE endpoint only tries for the other transport. */
function sessionsOf({ requests }: ReturnType<typeof startRecordingProxy>): number {
  return requests.filter(({ rpcMethod, path }) => rpcMethod === "initialize" && path !== "/sse").length;
}

for (const transport of ["streamableHttp", "sse"] as const) {
  Deno.test(`MultiServerMCPClient of two agents shares one session of server-everything over ${transport}`, async () => {
    await using server = await startEverything(transport);
    await using proxy = startRecordingProxy(server.url);
    const connections = new SharedConnections();
    const serversOf = (...allow: readonly string[]) => ({ everything: { url: proxy.url, tools: { allow } } });
    const kairos = new MultiServerMCPClient("Kairos", { servers: serversOf("echo") }, { connections });
    const mercurius = new MultiServerMCPClient("Mercurius", { servers: serversOf("get-sum") }, { connections });
    await Promise.all([kairos.connectToServers(), mercurius.connectToServers()]);
    assertEquals(sessionsOf(proxy), 1);

    const names = [kairos, mercurius].map(async (client) => (await client.listTools()).map(({ name }) => name));
    assertEquals(await Promise.all(names), [["echo"], ["get-sum"]]);
    assertEquals(textOf(await kairos.callTool("echo", { message: "x" })), "Echo: x");
    await failureOf(() => kairos.callTool("get-sum", { a: 1, b: 1 }), "tool_not_found");
    await failureOf(() => mercurius.callTool("everything__echo", { message: "x" }), "tool_not_found");

    await kairos.close();
    await failureOf(() => kairos.callTool("echo", { message: "x" }), "closed");
    assertEquals((await mercurius.callTool("get-sum", { a: 40, b: 2 })).isError, undefined);
    assertEquals(sessionsOf(proxy), 1);
    await mercurius.close();
    await until(() => proxy.openStreams() === 0);
    const deleted = proxy.requests.filter(({ method }) => method === "DELETE").length;
    assertEquals(deleted, transport === "sse" ? 0 : 1, "the last one ends the session");
  });
}

Deno.test("MultiServerMCPClient tells each agent that shares a session of its own subscriptions alone", async () => {
  await using server = await startEverything("streamableHttp");
  await using proxy = startRecordingProxy(server.url);
  const connections = new SharedConnections();
  const servers = { everything: { url: proxy.url } };
  await using kairos = new MultiServerMCPClient("Kairos", { servers }, { connections });
  await using mercurius = new MultiServerMCPClient("Mercurius", { servers }, { connections });
  const uri = "demo://resource/dynamic/text/1";
  const updates: string[] = [];
  await using _one = await kairos.subscribeResource(uri, () => updates.push("Kairos"));
  const two = await mercurius.subscribeResource(uri, () => updates.push("Mercurius"));
  await kairos.callTool("toggle-subscriber-updates");
  await until(() => updates.length === 2);
  await two.close();
  assertEquals(proxy.count("resources/unsubscribe"), 0, "the other still watches");
  await kairos.callTool("toggle-subscriber-updates");
  await kairos.callTool("toggle-subscriber-updates");
  await until(() => updates.length === 3);
  assertEquals(updates.toSorted(), ["Kairos", "Kairos", "Mercurius"]);
  assertEquals([sessionsOf(proxy), proxy.count("resources/subscribe")], [1, 1]);
});

Deno.test("MultiServerMCPClient with handlers of its own shares no session", async () => {
  await using server = await startEverything("streamableHttp");
  await using proxy = startRecordingProxy(server.url);
  const connections = new SharedConnections();
  const servers = { everything: { url: proxy.url } };
  await using kairos = new MultiServerMCPClient("Kairos", { servers }, { connections });
  const input = { onElicit: () => ({ action: "decline" as const }) };
  await using mercurius = new MultiServerMCPClient("Mercurius", { servers }, { connections, input });
  await Promise.all([kairos.connectToServers(), mercurius.connectToServers()]);
  assertEquals(sessionsOf(proxy), 2);
  await failureOf(() => kairos.callTool("trigger-elicitation-request"), "tool_not_found");
  assertEquals((await mercurius.callTool("trigger-elicitation-request")).isError, undefined);
});

Deno.test("MCPClientManager shares one session between its agents, and none with another secret", async () => {
  await using server = await startEverything("streamableHttp");
  await using proxy = startRecordingProxy(server.url);
  const everything = { url: proxy.url, headers: { "x-key": "${KEY}" } };
  const agentOf = (KEY: string) => ({ servers: { everything }, secrets: { everything: { KEY } } });
  await using manager = new MCPClientManager({
    agents: { Kairos: agentOf("first key"), Mercurius: agentOf("first key"), Hermes: agentOf("second key") },
  });
  assertEquals(await Promise.all(["Kairos", "Mercurius", "Hermes"].map((agent) => manager.addClient(agent))), [
    ...[true, true, true],
  ]);
  const keys = proxy.requests.filter(({ rpcMethod }) => rpcMethod === "initialize").map(({ headers }) =>
    headers.get("x-key")
  );
  assertEquals(keys.toSorted(), ["first key", "second key"]);
});
