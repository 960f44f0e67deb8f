import { assertEquals } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { openHarness, problemOf } from "../gateway/gateway_support.ts";

Deno.test("POST /agents/:agent/reconnect reconnects all servers, or the one that is named", async () => {
  const { ask, directory } = await openHarness();
  const response = await ask("/agents/Kairos/reconnect", { method: "POST" });
  assertEquals([response.status, await response.json()], [200, { files: true }]);
  await (await ask("/agents/Kairos/reconnect?server=files", { method: "POST" })).body?.cancel();
  const asked = directory.asked.filter((asked) => asked.method === "reconnect");
  assertEquals(asked.map((asked) => asked.values), [[undefined], ["files"]]);
});

Deno.test("POST /agents/:agent/reconnect answers 404 for a server that the agent has not", async () => {
  const error = new MCPError("server_not_found", "Cannot reconnect it", { suggestions: ["files"] });
  const { ask } = await openHarness({ reconnect: () => Promise.reject(error) });
  const response = await ask("/agents/Kairos/reconnect?server=flies", { method: "POST" });
  assertEquals([response.status, (await problemOf(response)).code], [404, "server_not_found"]);
});
