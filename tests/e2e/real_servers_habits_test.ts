/** What real servers do that servers of one's own making do not. */

import { assertEquals } from "@std/assert";
import { type LogMessage, type Root, SingleServerMCPClient } from "@portolan/mcp";
import { failureOf, textOf, until } from "../support/client_support.ts";
import { startEverything } from "../support/everything.ts";
import { startModernFeaturesServer } from "../support/modern_features_server.ts";
import { startRecordingProxy } from "../support/recording_proxy.ts";

const FORM = "trigger-elicitation-request";
const SLOW = "trigger-long-running-operation";
const TEXT = "demo://resource/dynamic/text";

for (const transport of ["streamableHttp", "sse"] as const) {
  Deno.test(`SingleServerMCPClient gets along with server-everything over ${transport}`, async (t) => {
    await using server = await startEverything(transport);
    const { url } = server;

    // Servers of the SDK answer -32602 in either era; 2026-07-28 demands it, 2025-11-25 has -32002.
    await t.step("readResource() rejects with resource_not_found where there is none", async () => {
      await using client = new SingleServerMCPClient("everything", { url });
      await failureOf(() => client.readResource("demo://resource/none"), "resource_not_found");
    });

    // Behind a proxy, the last notice and the answer come in one piece.
    await t.step("callTool() tells of all progress before it resolves", async () => {
      await using proxy = startRecordingProxy(url);
      await using client = new SingleServerMCPClient("everything", { url: proxy.url });
      const told: number[] = [];
      const onProgress = ({ progress }: { readonly progress: number }) => void told.push(progress);
      await client.callTool(SLOW, { duration: 0.3, steps: 3 }, { onProgress });
      assertEquals(told, [1, 2, 3]);
    });

    // A stream that is gone on from by `Last-Event-ID` gets what is stored, and nothing that comes later.
    await t.step("subscribeResource() tells of updates also after an earlier subscription was closed", async () => {
      await using client = new SingleServerMCPClient("everything", { url });
      await (await client.subscribeResource(`${TEXT}/1`, () => {})).close();
      const updates: string[] = [];
      await using _subscription = await client.subscribeResource(`${TEXT}/2`, (uri) => updates.push(uri));
      await client.callTool("toggle-subscriber-updates");
      await until(() => updates.length > 0);
    });

    await t.step("onLog is told of what belongs to no request, without `watch`", async () => {
      const logs: LogMessage[] = [];
      const onLog = (message: LogMessage) => void logs.push(message);
      await using client = new SingleServerMCPClient("everything", { url }, { onLog, logLevel: "debug" });
      await client.callTool("toggle-simulated-logging");
      await until(() => logs.length > 0);
    });

    await t.step("notifyRootsChanged() has the roots listed anew", async () => {
      let roots: readonly Root[] = [{ uri: "file:///charts", name: "Charts" }];
      await using client = new SingleServerMCPClient("everything", { url }, { input: { onListRoots: () => roots } });
      const listed = async () => String(textOf(await client.callTool("get-roots-list")));
      assertEquals((await listed()).includes("1. Charts"), true);
      roots = [...roots, { uri: "file:///logs", name: "Logs" }];
      await client.notifyRootsChanged();
      await until(async () => (await listed()).includes("2. Logs"));
    });

    await t.step("callTool() asks the handlers of the call instead of the client's own", async () => {
      const answerOf = (name: string) => ({ onElicit: () => ({ action: "accept" as const, content: { name } }) });
      await using client = new SingleServerMCPClient("everything", { url }, { input: answerOf("client") });
      await client.connect();
      const result = await client.callTool(FORM, {}, { input: answerOf("call") });
      assertEquals(JSON.stringify(result).includes('\\"name\\": \\"call\\"'), true);
    });

    // The server lists the tool only in a session that can be asked.
    await t.step(
      "callTool() with handlers of its own finds a tool that needs them, although a list is known",
      async () => {
        const input = { onElicit: () => ({ action: "decline" as const }) };
        await using client = new SingleServerMCPClient("everything", { url });
        await client.connect();
        assertEquals((await client.callTool(FORM, {}, { input })).isError, undefined);
      },
    );
  });
}

Deno.test("SingleServerMCPClient.readResource() rejects with resource_not_found where a modern server has none", async () => {
  await using server = startModernFeaturesServer();
  await using client = new SingleServerMCPClient("features", { url: server.url });
  await failureOf(() => client.readResource("logbook://1"), "resource_not_found");
});
