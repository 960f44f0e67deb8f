import { assertEquals } from "@std/assert";
import { agentStatus, openHarness } from "../gateway/gateway_support.ts";

Deno.test("GET /status shows an agent's key its own agent and the key for all every agent", async () => {
  const { ask } = await openHarness();
  assertEquals(await (await ask("/status")).json(), { agents: { Kairos: agentStatus("Kairos") } });
  assertEquals(await (await ask("/status", { key: "admin-key" })).json(), {
    agents: { Kairos: agentStatus("Kairos"), Mercurius: agentStatus("Mercurius") },
  });
});

Deno.test("GET /agents/:agent/status shows one agent", async () => {
  const { ask } = await openHarness();
  const response = await ask("/agents/Kairos/status");
  assertEquals([response.status, await response.json()], [200, agentStatus("Kairos")]);
});
