import { assertEquals, assertMatch } from "@std/assert";
import { Client } from "@modelcontextprotocol/sdk/client";
import { StreamableHTTPClientTransport } from "../../src/sdk.ts";
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { startModernServer } from "../support/modern_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { askLegacy, askModern, startNorthbound } from "../support/northbound_support.ts";

Deno.test("McpEndpoint serves both official clients before servers of both eras", async () => {
  await using modern = startModernServer();
  await using legacy = await startMCPServer();
  await using north = startNorthbound({ servers: { modern: { url: modern.url }, legacy: { url: legacy.url } } });

  const old = new Client({ name: "test", version: "1.0.0" });
  await old.connect(new StreamableHTTPClientTransport(new URL(north.url)) as never);
  const oldTools = (await old.listTools()).tools.map(({ name }) => name);
  assertEquals(oldTools.includes("echo"), true);
  const oldResult = await old.callTool({ name: "modern__echo", arguments: { text: "ahoy" } });
  assertEquals(oldResult.content, [{ type: "text", text: "ahoy" }]);
  await old.close();

  const young = new ModernClient({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await young.connect(new ModernTransport(new URL(north.url)));
  assertEquals(young.getNegotiatedProtocolVersion(), "2026-07-28");
  const youngTools = (await young.listTools()).tools.map(({ name }) => name);
  assertEquals(youngTools, oldTools);
  const youngResult = await young.callTool({ name: "legacy__echo", arguments: { text: "ahoy" } });
  assertEquals(youngResult.content, [{ type: "text", text: "ahoy" }]);
  await young.close();
});

Deno.test("McpEndpoint answers a modern call as JSON with the id, the kind of result and who answers", async () => {
  await using modern = startModernServer();
  await using north = startNorthbound({ servers: { modern: { url: modern.url } } });
  const { status, headers, last } = await askModern(north.url, "tools/call", { name: "whoami" }, { id: "a" });
  assertEquals([status, headers.get("content-type"), headers.get("mcp-session-id")], [200, "application/json", null]);
  assertEquals([last.id, last.result.resultType, last.result.content[0].text], ["a", "complete", "modern"]);
  assertMatch(last.result._meta["io.modelcontextprotocol/serverInfo"].version, /^\d/);
});

Deno.test("McpEndpoint answers a legacy call without what only the modern era has", async () => {
  await using modern = startModernServer();
  await using north = startNorthbound({ servers: { modern: { url: modern.url } } });
  const { status, last } = await askLegacy(north.url, "tools/call", { name: "whoami" });
  assertEquals([status, last.id, last.result.resultType], [200, 1, undefined]);
  assertEquals(last.result.content, [{ type: "text", text: "modern" }]);
});
