import { assertEquals } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { openHarness, problemOf, ROUTE } from "../gateway/gateway_support.ts";

Deno.test("GET /agents/:agent/routes/:tool explains who owns a tool without calling it", async () => {
  const { ask, directory } = await openHarness();
  const response = await ask("/agents/Kairos/routes/search");
  assertEquals([response.status, await response.json()], [200, ROUTE]);
  assertEquals(directory.asked.map((asked) => asked.method), ["openClient", "routeTool"]);
});

Deno.test("GET /agents/:agent/routes/:tool answers 409 where several servers list the tool", async () => {
  const error = new MCPError("tool_ambiguous", "Cannot route it", { suggestions: ["a__search", "b__search"] });
  const { ask } = await openHarness({ routeTool: () => Promise.reject(error) });
  const response = await ask("/agents/Kairos/routes/search");
  const { code, suggestions } = await problemOf(response);
  assertEquals([response.status, code, suggestions], [409, "tool_ambiguous", ["a__search", "b__search"]]);
});
