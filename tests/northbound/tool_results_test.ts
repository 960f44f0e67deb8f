/** What a caller is told: by whom, of its own mistakes, of what there is not, of what a server asks. */

import { assertEquals, assertMatch } from "@std/assert";
import { startLegacyFixture } from "../conformance/fixture_legacy.ts";
import { startContextServer } from "../support/context_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { askLegacy, askModern, startNorthbound } from "../support/northbound_support.ts";

const SERVER_INFO = "io.modelcontextprotocol/serverInfo";

Deno.test("McpEndpoint names the agent as who answered, not the server behind it", async () => {
  await using server = startModernServer({ name: "harbour" });
  await using north = startNorthbound({ servers: { harbour: { url: server.url } } });
  const modern = await askModern(north.url, "tools/call", { name: "echo", arguments: { text: "ahoy" } });
  const { name, title } = modern.last.result._meta[SERVER_INFO];
  assertEquals([name, title], ["portolan", "Kairos"]);
  const legacy = await askLegacy(north.url, "tools/call", { name: "echo", arguments: { text: "ahoy" } });
  assertEquals(legacy.last.result, { content: [{ type: "text", text: "ahoy" }] });
});

Deno.test("McpEndpoint answers arguments that do not match with a result that a model can learn from", async () => {
  await using server = await startMCPServer();
  await using north = startNorthbound({ servers: { harbour: { url: server.url } } });
  const params = { name: "add", arguments: { a: "one", b: 2 } };
  for (const ask of [askLegacy, askModern]) {
    const { status, last } = await ask(north.url, "tools/call", params);
    assertEquals([status, last.error, last.result.isError], [200, undefined, true]);
    assertMatch(last.result.content[0].text, /^Cannot call tool "add".*\n {2}a: /);
  }
  assertEquals(server.count("tools/call"), 0);
});

Deno.test("McpEndpoint answers arguments that are no object with an error", async () => {
  await using server = await startMCPServer();
  await using north = startNorthbound({ servers: { harbour: { url: server.url } } });
  for (const ask of [askLegacy, askModern]) {
    const { last } = await ask(north.url, "tools/call", { name: "add", arguments: [1, 2] });
    assertEquals([last.result, last.error.code], [undefined, -32602]);
  }
});

Deno.test("McpEndpoint repeats the URI of a resource that is not there", async () => {
  for (const era of ["legacy", "modern"] as const) {
    await using server = startContextServer(era, "harbour", { resources: ["chart://Genoa"] });
    await using north = startNorthbound({ servers: { harbour: { url: server.url } } });
    for (const [ask, code] of [[askLegacy, -32002], [askModern, -32602]] as const) {
      const { last } = await ask(north.url, "resources/read", { uri: "chart://Atlantis" });
      assertEquals([last.error.code, last.error.data.uri], [code, "chart://Atlantis"], era);
    }
  }
});

Deno.test("McpEndpoint asks without the token that a server would be told of progress by", async () => {
  await using server = startLegacyFixture();
  await using north = startNorthbound({ servers: { harbour: { url: server.url } } });
  const capabilities = { elicitation: {} };
  const params = { name: "test_elicitation", arguments: { message: "Which port?" } };
  const { last } = await askModern(north.url, "tools/call", params, { capabilities });
  const asked = Object.values<{ readonly params: object }>(last.result.inputRequests).map(({ params }) => params);
  assertEquals(asked.map((params) => Object.keys(params).sort()), [["message", "requestedSchema"]]);
});
