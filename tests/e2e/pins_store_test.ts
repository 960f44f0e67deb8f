import { assertEquals, assertFalse, assertMatch, assertRejects } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { MultiServerMCPClient } from "../../src/multi_server_client.ts";
import { SingleServerMCPClient } from "../../src/single_server_client.ts";
import { PINS_MAX_AGE_MS } from "../../src/tools/pinned_tool.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { CANARY, openIsolate, read, withKv } from "./_pins_isolate.ts";

for (const fault of ["rejects", "throws", "hangs"] as const) {
  Deno.test(`K1 a decision while the store ${fault} holds here, is said not to be kept, and is kept when the store is back`, async () => {
    const clock = { nowMs: Date.now() };
    await using server = await startMCPServer({ tools: read("Reads") });
    const store = new FaultyRouteStore(() => clock.nowMs);
    await using one = await openIsolate(server, "warn", store, clock);
    assertEquals(await one.call(), "read");
    store.fault = fault;
    const { status, body } = await one.decide("withhold");
    assertEquals([status, body.code], [503, "store_unavailable"]);
    assertEquals([await one.call(), await one.list()], ["404 tool_not_found", ["other"]]);
    store.fault = "none";
    store.releaseHung();
    clock.nowMs += PINS_MAX_AGE_MS;
    assertEquals(await one.call(), "404 tool_not_found");
    await using late = await openIsolate(server, "warn", store.memory, clock);
    assertEquals(await late.call(), "404 tool_not_found");
  });
}

Deno.test("K1 what was first seen while the store was away is pinned for others with the next list", async () => {
  const clock = { nowMs: Date.now() };
  await using server = await startMCPServer({ tools: read("Reads") });
  const store = new FaultyRouteStore(() => clock.nowMs);
  store.fault = "rejects";
  await using one = await openIsolate(server, "block", store, clock);
  assertEquals(await one.call(), "read");
  store.fault = "none";
  clock.nowMs += PINS_MAX_AGE_MS;
  await one.ask("/agents/Kairos/reconnect?server=files", { method: "POST" });
  server.setTools(read("Reads and mails", "mails"));
  await using late = await openIsolate(server, "block", store, clock);
  await late.ask("/agents/Kairos/reconnect?server=files", { method: "POST" });
  assertEquals([await late.call(), (await late.pins())[0].before.description], ["404 tool_not_found", "Reads"]);
});

Deno.test("K2 pins that were tampered with show no definition that was never pinned, and a call goes on", async () => {
  await withKv(async (store, kv) => {
    const clock = { nowMs: Date.now() };
    await using server = await startMCPServer({ tools: read("Reads") });
    await using one = await openIsolate(server, "block", store, clock);
    assertEquals(await one.call(), "read");
    for await (const { key, value } of kv.list({ prefix: [] })) {
      if (key.includes("pin-texts")) {
        await kv.set(key, JSON.parse(JSON.stringify(value).replaceAll("Reads", "Harmless")));
      }
      if (key.includes("pin-decisions")) await kv.set(key, { v: 1, withheld: "all" });
    }
    server.setTools(read("Reads and mails", "mails"));
    await using late = await openIsolate(server, "block", store, clock);
    await late.ask("/agents/Kairos/reconnect?server=files", { method: "POST" });
    const [changed] = await late.pins();
    assertEquals([changed.state, changed.before, changed.now.description], ["changed", undefined, "Reads and mails"]);
    assertMatch(changed.note, /is not kept/);
    assertEquals([await late.call(), await late.call("other")], ["404 tool_not_found", "ok"]);
  });
});

Deno.test("no secret is in what pins leave in KV, and no text of a server in its keys", async () => {
  await withKv(async (store, kv) => {
    const clock = { nowMs: Date.now() };
    await using server = await startMCPServer({ tools: read("Reads the moon") });
    await using one = await openIsolate(server, "block", store, clock);
    await one.call();
    await one.decide("withhold");
    const entries = await Array.fromAsync(kv.list({ prefix: [] }));
    const kinds = new Set(entries.map(({ key }) => String(key[2])).filter((kind) => kind.startsWith("pin")));
    assertEquals([...kinds].sort(), ["pin-book", "pin-decisions", "pin-texts"]);
    assertFalse(JSON.stringify(entries).includes(CANARY));
    assertFalse(JSON.stringify(entries.map(({ key }) => key)).includes("moon"));
  });
});

Deno.test("a pinned server costs one read of the store every 10 s of calls, and one that is not pinned none", async () => {
  for (const [pin, expected] of [["warn", 3], ["off", 0]] as const) {
    const clock = { nowMs: Date.now() };
    await using server = await startMCPServer({ tools: read("Reads") });
    const store = new FaultyRouteStore(() => clock.nowMs);
    const config = { servers: { files: { url: server.url, pin } } };
    await using client = new MultiServerMCPClient("Kairos", config, { store, now: () => clock.nowMs });
    await client.callTool("read");
    const before = store.operations.length;
    for (let round = 0; round < 3; round++) {
      clock.nowMs += PINS_MAX_AGE_MS;
      for (let call = 0; call < 5; call++) await client.callTool("read");
    }
    assertEquals(store.operations.slice(before), new Array(expected).fill("get"), pin);
  }
});

Deno.test("SingleServerMCPClient.decidePin() holds as long as the client where nothing is kept", async () => {
  await using server = await startMCPServer({ tools: read("Reads") });
  await using client = new SingleServerMCPClient("files", { url: server.url, pin: "warn" });
  assertEquals((await client.listPins()).map(({ tool, state }) => [tool, state]), [["read", "pinned"], [
    "other",
    "pinned",
  ]]);
  const withheld = await client.decidePin({ tool: "read", decision: "withhold" });
  assertEquals(withheld, { server: "files", tool: "read", state: "withheld", decided: true, kept: true });
  assertEquals([client.withheldTools, (await client.listTools()).map(({ name }) => name)], [["read"], ["other"]]);
  const refused = await assertRejects(() => client.callTool("read"), MCPError);
  assertEquals([refused.code, refused.server, server.executions.get("read")], ["tool_not_found", "files", undefined]);
  server.setTools(read("Reads more"));
  await client.listTools({ refresh: true });
  const [changed] = await client.listPins();
  assertEquals([changed?.state, changed?.before?.description, changed?.now?.description], [
    "withheld",
    "Reads",
    "Reads more",
  ]);
  await client.decidePin({ tool: "read", decision: "accept", digest: changed?.digest });
  assertEquals([client.withheldTools, (await client.callTool("read")).isError], [[], undefined]);
});
