/** Clients that nobody here wrote list and call the tools of an agent, whatever era its server is of. */

import { assertArrayIncludes, assertEquals, assertRejects } from "@std/assert";
import { openAgentEndpoint } from "../support/agent_endpoint.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { REAL_CLIENTS } from "./_real_clients.ts";

/** What each client has to speak where it tells: one that finds the era finds the newer one. */
const REVISIONS: Readonly<Record<string, string>> = {
  "the SDK 1.x": "2025-11-25",
  "the client 2.x that finds the era": "2026-07-28",
  "the client 2.x of 2026-07-28": "2026-07-28",
  "the client 2.x of 2025-11-25": "2025-11-25",
};
const TEXT = "a — b 🦊\n";

for (const [name, use] of Object.entries(REAL_CLIENTS)) {
  Deno.test(`POST /agents/:agent/mcp serves ${name}`, async (t) => {
    await t.step("in front of a legacy server", async () => {
      await using server = await startMCPServer({ name: "harbour" });
      await using endpoint = await openAgentEndpoint({ harbour: { url: server.url } });
      const { tools, said, revision } = await use({ ...endpoint, tool: "echo", args: { text: TEXT } });
      assertArrayIncludes(tools, ["echo", "whoami", "add"]);
      assertEquals([said, server.executions.get("echo"), revision], [TEXT, 1, REVISIONS[name]]);
    });

    await t.step("in front of a modern server", async () => {
      await using server = startModernServer({ name: "harbour" });
      await using endpoint = await openAgentEndpoint({ harbour: { url: server.url } });
      const { tools, said, revision } = await use({ ...endpoint, tool: "echo", args: { text: TEXT } });
      assertArrayIncludes(tools, ["echo", "whoami"]);
      assertEquals([said, server.executions.get("echo"), revision], [TEXT, 1, REVISIONS[name]]);
    });

    await t.step("not under another key", async () => {
      await using server = await startMCPServer({ name: "harbour" });
      await using endpoint = await openAgentEndpoint({ harbour: { url: server.url } });
      await assertRejects(() => use({ ...endpoint, key: "wrong", tool: "echo", args: { text: TEXT } }), Error);
      assertEquals(server.requests.length, 0);
    });
  });
}
