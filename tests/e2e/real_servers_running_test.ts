/** The reference server over both transports: calls that take time, notices, log messages, tasks. */

import { assertEquals, assertGreater, assertRejects, assertStrictEquals } from "@std/assert";
import { type LogMessage, type Progress, SingleServerMCPClient } from "@portolan/mcp";
import { failureOf, textOf, until } from "../support/client_support.ts";
import { startEverything } from "../support/everything.ts";
import { startRecordingProxy } from "../support/recording_proxy.ts";

const SLOW = "trigger-long-running-operation";
const TEXT = "demo://resource/dynamic/text";

for (const transport of ["streamableHttp", "sse"] as const) {
  /** What stays open between calls: SSE is one stream. */
  const standing = transport === "sse" ? 1 : 0;

  Deno.test(`SingleServerMCPClient follows and ends calls of server-everything over ${transport}`, async (t) => {
    await using server = await startEverything(transport);
    await using proxy = startRecordingProxy(server.url);
    await using client = new SingleServerMCPClient("everything", { url: proxy.url });
    await client.connect();
    const follow = async (steps: number) => {
      const told: unknown[] = [];
      const onProgress = ({ progress, total }: Progress) => void told.push(`${progress}/${total}`);
      await client.callTool(SLOW, { duration: 1, steps }, { onProgress });
      return told;
    };

    await t.step("callTool() tells of progress", async () => {
      assertEquals((await follow(3)).slice(0, 2), ["1/3", "2/3"]);
    });

    await t.step("callTool() tells each of two calls at once of its own progress", async () => {
      const [two, four] = await Promise.all([follow(2), follow(4)]);
      assertEquals([two.slice(0, 1), four.slice(0, 3)], [["1/2"], ["1/4", "2/4", "3/4"]]);
    });

    await t.step("callTool() that is aborted tells the server and leaves no exchange open", async () => {
      const controller = new AbortController();
      const reason = new Error("The person went away");
      const sessions = proxy.count("initialize");
      const error = await assertRejects(() =>
        client.callTool(SLOW, { duration: 60, steps: 600 }, {
          signal: controller.signal,
          timeoutMs: 120_000,
          onProgress: () => controller.abort(reason),
        })
      );
      assertStrictEquals(error, reason);
      await until(() => proxy.count("notifications/cancelled") === 1);
      assertEquals(textOf(await client.callTool("echo", { message: "after" })), "Echo: after");
      await until(() => proxy.openStreams() === standing);
      assertEquals(proxy.count("initialize"), sessions);
    });

    await t.step(
      "callTool() rejects with deadline_exceeded, not to be repeated, when its time is over, and leaves no exchange open",
      async () => {
        const call = () => client.callTool(SLOW, { duration: 60, steps: 1 }, { timeoutMs: 200 });
        assertEquals((await failureOf(call, "deadline_exceeded")).retryable, false);
        await until(() => proxy.count("notifications/cancelled") === 2);
        await until(() => proxy.openStreams() === standing);
      },
    );

    await t.step("callTool() lives on progress where only silence is limited", async () => {
      const options = { idleTimeoutMs: 900, onProgress: () => {} };
      const result = await client.callTool(SLOW, { duration: 1.5, steps: 10 }, options);
      assertEquals(result.isError, undefined);
    });

    await t.step("close() leaves no exchange open", async () => {
      await client.close();
      await until(() => proxy.openStreams() === 0);
    });
  });

  Deno.test(`SingleServerMCPClient that watches is told by server-everything over ${transport}`, async (t) => {
    await using server = await startEverything(transport);
    await using proxy = startRecordingProxy(server.url);
    const logs: LogMessage[] = [];
    const onLog = (message: LogMessage) => void logs.push(message);
    // What belongs to no request comes only on a stream that is kept open.
    const config = { url: proxy.url, watch: true };
    await using client = new SingleServerMCPClient("everything", config, { onLog, logLevel: "error" });
    await client.connect();
    const watch = async (uri: string) => await (await client.subscribeResource(uri, () => {})).close();

    await t.step("onLog is told from the level of the options on", async () => {
      await watch(`${TEXT}/1`);
      await client.setLogLevel("info");
      await watch(`${TEXT}/2`);
      await until(() => logs.some(({ data }) => String(data).includes("Received Unsubscribe")));
      assertEquals(logs.filter(({ data }) => String(data).includes(`${TEXT}/1`)), []);
      assertEquals(logs[0]?.server, "everything");
      assertEquals(logs[0]?.level, "info");
    });

    await t.step("onLog is told of simulated logging", async () => {
      await client.setLogLevel("debug");
      const before = logs.length;
      await client.callTool("toggle-simulated-logging");
      await until(() => logs.length > before);
      await client.callTool("toggle-simulated-logging");
    });

    await t.step("subscribeResource() tells each of its own updates until it is closed", async () => {
      const updates: Record<string, string[]> = { one: [], two: [], gone: [] };
      const one = await client.subscribeResource(`${TEXT}/1`, (uri) => updates.one!.push(uri));
      const two = await client.subscribeResource(`${TEXT}/2`, (uri) => updates.two!.push(uri));
      const gone = await client.subscribeResource(`${TEXT}/3`, (uri) => updates.gone!.push(uri));
      await gone.close();
      assertEquals([one.uri, one.server], [`${TEXT}/1`, "everything"]);
      await client.callTool("toggle-subscriber-updates");
      await until(() => updates.one!.length > 0 && updates.two!.length > 0);
      await client.callTool("toggle-subscriber-updates");
      assertEquals([updates.one![0], updates.two![0], updates.gone], [`${TEXT}/1`, `${TEXT}/2`, []]);
      await Promise.all([one.close(), two.close()]);
      assertEquals(proxy.count("resources/subscribe"), proxy.count("resources/unsubscribe"));
    });

    await t.step("close() leaves no exchange open", async () => {
      await client.close();
      await until(() => proxy.openStreams() === 0);
    });
  });

  Deno.test(`SingleServerMCPClient runs tasks of server-everything over ${transport}`, async (t) => {
    await using server = await startEverything(transport);
    const asked: string[] = [];
    const input = {
      onElicit: ({ message }: { readonly message: string }) => {
        asked.push(message);
        return { action: "accept" as const, content: { interpretation: "snake" } };
      },
    };
    await using client = new SingleServerMCPClient("everything", { url: server.url }, { input });
    // A tool that is not known yet cannot be known to run only as a task.
    await client.connect();
    const research = async (args: Record<string, unknown>) => {
      const told: Progress[] = [];
      const onProgress = (progress: Progress) => void told.push(progress);
      const result = await client.callTool("simulate-research-query", args, { onProgress, timeoutMs: 60_000 });
      return { text: String(textOf(result)), told };
    };

    await t.step("callTool() of a tool that runs only as a task resolves with the task's result", async () => {
      const { text, told } = await research({ topic: "portolans" });
      assertEquals(text.split("\n")[0], "# Research Report: portolans");
      assertGreater(told.length, 0);
      assertEquals(asked, []);
    });

    await t.step("callTool() answers what a task asks", async () => {
      const { text } = await research({ topic: "python", ambiguous: true });
      assertEquals(text.split("\n")[0], "# Research Report: python (snake)");
      assertEquals(asked.length, 1);
    });
  });
}
