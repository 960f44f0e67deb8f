import { assertEquals, assertMatch } from "@std/assert";
import { startMCPServer } from "../support/mcp_server.ts";
import { askLegacy, askModern, open, read, startNorthbound, toModern } from "../support/northbound_support.ts";
import { textResult } from "../support/test_tools.ts";

for (const [era, ask] of [["legacy", askLegacy], ["modern", askModern]] as const) {
  Deno.test(`McpEndpoint answers a ${era} call with 429 once a limit is used up, and lists all the same`, async () => {
    await using server = await startMCPServer();
    const limits = { Kairos: { callsPerMinutePerCaller: 2 } };
    await using north = startNorthbound({
      servers: { files: { url: server.url } },
      gateway: { open: "loopback", limits },
    });
    const call = () => ask(north.url, "tools/call", { name: "whoami" });
    const answered = [await call(), await call()];
    assertEquals(answered.map(({ status, last }) => [status, last.result.content[0].text]), [[200, "test"], [
      200,
      "test",
    ]]);
    assertEquals(answered.map(({ headers }) => headers.get("ratelimit")?.slice(0, 12)), [
      '"caller";r=1',
      '"caller";r=0',
    ]);

    const { status, headers, last } = await call();
    assertEquals([status, last.id, last.error.data.code, last.error.data.retryable], [
      429,
      1,
      "too_many_requests",
      true,
    ]);
    assertEquals(String(Math.ceil(last.error.data.retryAfterMs / 1_000)), headers.get("retry-after"));
    assertMatch(headers.get("ratelimit") ?? "", /^"caller";r=0;t=\d+$/);
    assertEquals((await ask(north.url, "tools/list")).status, 200);
    assertEquals(server.executions.get("whoami"), 2);
  });
}

Deno.test("McpEndpoint counts every request that has a server do something, and no other", async () => {
  await using server = await startMCPServer();
  await using north = startNorthbound({
    servers: { files: { url: server.url } },
    gateway: { open: "loopback", limits: { "*": { callsPerMinute: 100 } } },
  });
  const counted: string[] = [];
  for (
    const [method, params] of [
      ["tools/call", { name: "whoami" }],
      ["resources/read", { uri: "file:///none" }],
      ["prompts/get", { name: "none" }],
      ["completion/complete", { ref: { type: "ref/prompt", name: "none" }, argument: { name: "a", value: "b" } }],
      ["tools/list", {}],
      ["resources/list", {}],
      ["resources/templates/list", {}],
      ["prompts/list", {}],
      ["server/discover", {}],
    ] as const
  ) {
    const { headers } = await askModern(north.url, method, params);
    if (headers.has("ratelimit")) counted.push(method);
  }
  assertEquals(counted, ["tools/call", "resources/read", "prompts/get", "completion/complete"]);
});

Deno.test("McpEndpoint holds a place for a call until its stream has ended", async () => {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const slow = {
    name: "slow",
    run: async () => {
      begun.resolve();
      await gate.promise;
      return textResult("done");
    },
  };
  await using server = await startMCPServer({ tools: [slow, { name: "quick" }] });
  await using north = startNorthbound({
    servers: { files: { url: server.url } },
    gateway: { open: "loopback", limits: { Kairos: { concurrentCalls: 1 } } },
  });
  const { headers, body } = toModern("tools/call", { name: "slow" });
  const running = open(north.url, body, { ...headers, accept: "text/event-stream" });
  await begun.promise;
  // Of two that come now one waits, and the other may not even wait.
  const later = [1, 2].map(() => askModern(north.url, "tools/call", { name: "quick" }));
  const refused = await Promise.race(later);
  assertEquals([refused.status, refused.last.error.data.code], [429, "too_many_requests"]);
  gate.resolve();
  assertEquals((await read(await running)).last.result.content[0].text, "done");
  assertEquals((await Promise.all(later)).map(({ status }) => status).sort(), [200, 429]);
});
