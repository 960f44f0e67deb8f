import { assertEquals } from "@std/assert";
import { MCPClient } from "@portolan/mcp";
import { failureOf, textOf } from "./support/client_support.ts";
import { refusedUrl } from "./support/fault_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";

Deno.test("MCPClient.connectToServer() connects to one server after the other, and calls each tool where it belongs", async () => {
  await using first = await startMCPServer({ name: "first", tools: [{ name: "one" }] });
  await using second = await startMCPServer({ name: "second", tools: [{ name: "two" }] });
  await using client = new MCPClient();
  assertEquals(await client.connectToServer(first.url), true);
  assertEquals(await client.connectToServer(second.url), true);
  assertEquals(await client.connectToServer(refusedUrl()), false);
  assertEquals(Object.keys(client.sessions), ["server1", "server2", "server3"]);
  assertEquals(client.sessions.server3?.lastError?.code, "unreachable");
  assertEquals((await client.listTools()).map(({ name }) => name), ["one", "two"]);
  assertEquals(textOf(await client.callTool("two", { any: 1 })), "ok");
  assertEquals([first.count("tools/call"), second.count("tools/call")], [0, 1]);
  assertEquals(client.findClientForTool("one")?.server, "server1");
});

Deno.test("MCPClient.connectToServers() takes servers by name, or an agent with its secrets", async () => {
  const requireHeader = { name: "authorization", value: "Bearer hunter22" };
  await using open = await startMCPServer({ name: "open" });
  await using locked = await startMCPServer({ name: "locked", requireHeader });
  await using client = new MCPClient();
  assertEquals(await client.connectToServers({ open: { url: open.url } }), { open: true });
  const servers = { locked: { url: locked.url, headers: { authorization: "Bearer ${TOKEN}" } } };
  const agent = { servers, secrets: { locked: { TOKEN: "hunter22" } } };
  assertEquals(await client.connectToServers(agent), { locked: true });
  assertEquals(textOf(await client.callTool("locked__whoami")), "locked");
});

for (const server of ["servers", "constructor"]) {
  Deno.test(`MCPClient.connectToServers() takes a server that is called ${server}`, async () => {
    await using running = await startMCPServer();
    await using client = new MCPClient();
    const connected = await client.connectToServers({ [server]: { url: running.url } });
    assertEquals(Object.entries(connected), [[server, true]]);
  });
}

Deno.test("MCPClient.connectToServers() takes an agent with a server that is called url", async () => {
  await using running = await startMCPServer();
  await using client = new MCPClient();
  assertEquals(await client.connectToServers({ servers: { url: { url: running.url } } }), { url: true });
});

Deno.test("MCPClient.connectToServers() rejects with invalid_config what is no configuration", async () => {
  await using client = new MCPClient();
  await failureOf(() => client.connectToServers({ s: { url: "ftp://x" } }), "invalid_config");
  await failureOf(() => client.connectToServers(null as unknown as { servers: never }), "invalid_config");
});

Deno.test("MCPClient.cleanup() closes every session, and the client can be used again", async () => {
  await using server = await startMCPServer();
  const client = new MCPClient();
  await client.connectToServer(server.url);
  await client.cleanup();
  assertEquals([server.sessions, client.sessions], [[], {}]);
  assertEquals(await client.connectToServer(server.url), true);
  await client.close();
  assertEquals(server.sessions, []);
});

Deno.test("MCPClient.connectToServers() replaces a server whose name is taken", async () => {
  await using first = await startMCPServer({ name: "first" });
  await using second = await startMCPServer({ name: "second" });
  await using client = new MCPClient();
  assertEquals(await client.connectToServers({ files: { url: first.url } }), { files: true });
  assertEquals(await client.connectToServers({ files: { url: second.url } }), { files: true });
  assertEquals(textOf(await client.callTool("whoami")), "second");
});
