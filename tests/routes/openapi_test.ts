import { assertEquals, assertNotEquals } from "@std/assert";
import { toConfigSchema } from "../../src/config/config_schema.ts";
import { MCPError } from "../../src/errors.ts";
import type { OwnedTool } from "../../src/status.ts";
import { openHarness, OWNED_TOOL, problemOf } from "../gateway/gateway_support.ts";

const PATH = "/agents/Kairos/openapi.json";

Deno.test("GET /openapi.json describes the gateway without a key, names no agent, and answers 304 to who knows it", async () => {
  const { ask, directory } = await openHarness();
  const response = await ask("/openapi.json", { key: null });
  const text = await response.text();
  assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"]);
  assertEquals([JSON.parse(text).openapi, text.includes("Kairos"), directory.asked], ["3.1.0", false, []]);
  assertEquals(response.headers.get("cache-control"), "no-cache");
  const etag = response.headers.get("etag")!;
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const again = await ask("/openapi.json", { key: null, headers: { "if-none-match": known } });
    assertEquals([again.status, again.headers.get("etag"), await again.text()], [304, etag, ""]);
  }
  const other = await ask("/openapi.json", { key: null, headers: { "if-none-match": '"other"' } });
  assertEquals([other.status, await other.text()], [200, text]);
});

Deno.test("GET /config.schema.json gives editors the schema of the configuration, without a key", async () => {
  const { ask } = await openHarness();
  const response = await ask("/config.schema.json", { key: null });
  assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"]);
  assertEquals(await response.json(), toConfigSchema());
  const headers = { "if-none-match": response.headers.get("etag")! };
  const again = await ask("/config.schema.json", { key: null, headers });
  assertEquals([again.status, await again.text()], [304, ""]);
});

Deno.test("GET /agents/:agent/openapi.json describes the agent's tools under the name that was asked", async () => {
  const { ask } = await openHarness();
  const response = await ask(PATH);
  assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"]);
  assertEquals(response.headers.get("cache-control"), "private, no-cache");
  const { paths, servers } = await response.json();
  assertEquals([Object.keys(paths), servers], [["/agents/Kairos/tools/search"], [{ url: "http://gateway.test" }]]);
});

Deno.test("GET /agents/:agent/openapi.json names the public URL, so that no key is sent elsewhere or in the clear", async () => {
  const { ask } = await openHarness({}, { publicUrl: "https://mcp.example.com" });
  assertEquals((await (await ask(PATH)).json()).servers, [{ url: "https://mcp.example.com" }]);
});

Deno.test("GET /agents/:agent/openapi.json answers 304 until the tools are others", async () => {
  let tools: readonly OwnedTool[] = [OWNED_TOOL];
  const { ask } = await openHarness({ listOwnedTools: () => Promise.resolve(tools) });
  const first = await ask(PATH);
  const etag = first.headers.get("etag")!;
  await first.body?.cancel();
  const again = await ask(PATH, { headers: { "if-none-match": etag } });
  assertEquals([again.status, again.headers.get("cache-control"), await again.text()], [304, "private, no-cache", ""]);
  tools = [{ ...OWNED_TOOL, tool: { ...OWNED_TOOL.tool } }];
  const listedAnew = await ask(PATH, { headers: { "if-none-match": etag } });
  assertEquals([listedAnew.status, await listedAnew.text()], [304, ""]);
  tools = [{ ...OWNED_TOOL, tool: { ...OWNED_TOOL.tool, description: "Finds more files" } }];
  const changed = await ask(PATH, { headers: { "if-none-match": etag } });
  assertEquals([changed.status, (await changed.json()).paths["/agents/Kairos/tools/search"].post.description], [
    200,
    "Finds more files",
  ]);
  assertNotEquals(changed.headers.get("etag"), etag);
});

Deno.test("S2 GET /agents/:agent/openapi.json needs a key of the agent", async () => {
  const { ask, directory } = await openHarness();
  for (
    const [path, key, status] of [[PATH, null, 401], ["/agents/Mercurius/openapi.json", "kairos-key", 404]] as const
  ) {
    const response = await ask(path, { key });
    await response.body?.cancel();
    assertEquals(response.status, status);
  }
  assertEquals(directory.asked, []);
});

Deno.test("GET /agents/:agent/openapi.json answers a problem, which is kept out of caches, where no tools can be had", async () => {
  const error = new MCPError("unreachable", "Cannot reach it", { server: "files" });
  const { ask } = await openHarness({ listOwnedTools: () => Promise.reject(error) });
  const response = await ask(PATH);
  assertEquals([response.status, response.headers.get("cache-control")], [503, "no-store"]);
  assertEquals((await problemOf(response)).code, "unreachable");
});

Deno.test("GET /agents/:agent/openapi.json takes a caller's deadline", async () => {
  const { ask } = await openHarness({
    listOwnedTools: (options) => Promise.reject(new MCPError("deadline_exceeded", `After ${options?.timeoutMs} ms`)),
  });
  const response = await ask(PATH, { headers: { "x-request-timeout-ms": "250" } });
  assertEquals([response.status, (await problemOf(response)).detail], [504, "After 250 ms"]);
  const refused = await ask(PATH, { headers: { "x-request-timeout-ms": "soon" } });
  assertEquals([refused.status, (await problemOf(refused)).code], [400, "invalid_header"]);
});
