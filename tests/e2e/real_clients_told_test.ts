/** Callers of an agent are told of progress and of changes, and end what they called, whatever era each side is of. */

import { assertEquals, assertRejects } from "@std/assert";
import { startLegacyFixture } from "../conformance/fixture_legacy.ts";
import { startModernFixture } from "../conformance/fixture_modern.ts";
import { openAgentEndpoint } from "../support/agent_endpoint.ts";
import { until } from "../support/client_support.ts";
import { ASKED_CALLERS } from "./_asked_callers.ts";

const SERVERS = { legacy: startLegacyFixture, modern: startModernFixture };

for (const [name, connect] of Object.entries(ASKED_CALLERS)) {
  for (const [era, startFixture] of Object.entries(SERVERS)) {
    Deno.test(`POST /agents/:agent/mcp tells ${name} what a ${era} server tells`, async (t) => {
      await using server = startFixture();
      await using endpoint = await openAgentEndpoint({ harbour: { url: server.url } });

      await t.step("of progress, in order", async () => {
        await using caller = await connect(endpoint, {});
        const told: number[] = [];
        await caller.call("test_tool_with_progress", {}, { onProgress: (progress) => told.push(progress) });
        assertEquals(told, [0, 50, 100]);
      });

      await t.step("of changed tools", async () => {
        let told = 0;
        const onElicit = () => ({ action: "cancel" as const });
        await using caller = await connect(endpoint, { onElicit, onToolsChanged: () => told++ });
        // Nothing tells when the stream is open that notices come on.
        await until(async () => {
          await caller.call("test_trigger_tool_change");
          return told > 0;
        });
      });

      await t.step("nothing more of a call that it has cancelled", async () => {
        const asked = Promise.withResolvers<void>();
        const stop = new AbortController();
        await using caller = await connect(endpoint, {
          async onElicit() {
            asked.resolve();
            await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
            return { action: "cancel" };
          },
        });
        const call = caller.call("test_elicitation", { message: "Which port?" }, { signal: stop.signal });
        await asked.promise;
        stop.abort(new Error("Enough"));
        await assertRejects(() => call, Error, "Enough");
        assertEquals(await caller.call("test_simple_text"), "This is a simple text response for testing.");
      });
    });
  }
}
