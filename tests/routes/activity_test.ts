import { assert, assertEquals } from "@std/assert";
import { createGateway, digestKey } from "../../routes/mod.ts";
import { MCPClientManager } from "../../src/client_manager.ts";
import { type Harness, openHarness, post, problemOf } from "../gateway/gateway_support.ts";
import { startMCPServer } from "../support/mcp_server.ts";

interface Entry {
  readonly kind: string;
  readonly agent: string;
  readonly caller?: string;
  readonly text?: string;
  readonly outcome?: string;
}

async function activityOf(ask: Harness["ask"], query = "", key = "kairos-key"): Promise<readonly Entry[]> {
  const response = await ask(`/activity${query}`, { key });
  assertEquals(response.status, 200);
  return (await response.json()).activity;
}

async function call(ask: Harness["ask"], agent: string, key: string): Promise<void> {
  const response = await ask(`/agents/${agent}/tools/search`, { ...post('{"query":"canary-7"}'), key });
  assert(!JSON.stringify(await response.json()).includes("canary-7"));
}

Deno.test("GET /activity shows the calls of the agents that the key opens, newest first", async () => {
  const { ask } = await openHarness();
  await call(ask, "Kairos", "kairos-key");
  await call(ask, "Mercurius", "admin-key");
  await call(ask, "Kairos", "admin-key");
  const own = await activityOf(ask);
  const callers = own.map(({ caller }) => caller);
  assertEquals([own.map(({ agent }) => agent), callers[0], typeof callers[1]], [
    ["Kairos", "Kairos"],
    undefined,
    "string",
  ]);
  assertEquals(JSON.stringify(own).includes("canary-7"), false);
  const all = await activityOf(ask, "", "admin-key");
  assertEquals(all.map(({ agent }) => agent), ["Kairos", "Mercurius", "Kairos"]);
  assertEquals(all.every(({ caller }) => caller !== undefined), true);
  assertEquals((await activityOf(ask, "?agent=Mercurius", "admin-key")).length, 1);
  assertEquals((await activityOf(ask, "?limit=2", "admin-key")).length, 2);
});

Deno.test("S2 GET /activity answers for another agent as for one that does not exist", async () => {
  const { ask } = await openHarness();
  const [other, unknown] = await Promise.all([ask("/activity?agent=Mercurius"), ask("/activity?agent=Nobody")]);
  assertEquals([other.status, unknown.status], [404, 404]);
  assertEquals(await problemOf(other), await problemOf(unknown));
  const without = await ask("/activity", { key: null });
  assertEquals([without.status, (await problemOf(without)).code], [401, "unauthenticated"]);
});

Deno.test("GET /activity refuses a limit that is none", async () => {
  const { ask } = await openHarness();
  for (const limit of ["0", "501", "-1", "x", "", "1e2"]) {
    const response = await ask(`/activity?limit=${limit}`);
    assertEquals([response.status, (await problemOf(response)).code], [400, "invalid_request"], limit);
  }
});

Deno.test("GET /activity tells what happened to a real server, until the gateway stops", async () => {
  await using server = await startMCPServer({ name: "files" });
  await using directory = new MCPClientManager({
    agents: { Kairos: { servers: { files: { url: server.url }, gone: { url: "http://127.0.0.1:9/mcp" } } } },
  });
  const gateway = createGateway({ directory }, { keys: { Kairos: [await digestKey("key")] } });
  await directory.connectAll();
  const headers = { host: "gateway.test", authorization: "Bearer key" };
  const response = await gateway.fetch(new Request("http://gateway.test/activity", { headers }));
  const { activity } = await response.json();
  const texts = activity.map(({ text }: Entry) => text).sort();
  assertEquals(texts.length, 2);
  assert(texts[0].startsWith('Server "files" of "Kairos" is connected ('));
  assert(texts[1].startsWith('Server "gone" of "Kairos" failed (unreachable): '));
  await gateway.drain();
});
