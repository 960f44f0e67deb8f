import { assertEquals, assertThrows } from "@std/assert";
import { createGateway, digestKey, type GatewayUpdate } from "../../routes/mod.ts";
import { ConfigError } from "../../src/errors.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { PUBLIC_URL, startIssuer } from "../callers/jwt_support.ts";
import { AGENTS, fakeDirectory, openHarness, ROUTED } from "../gateway/gateway_support.ts";

const toKeys = async (...keys: string[]) => ({ "*": await Promise.all(keys.map(digestKey)) });

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.body?.cancel();
  return response.status;
}

Deno.test("Gateway.update() takes other keys at once, and a call under way has its answer", async () => {
  const gate = Promise.withResolvers<void>();
  const { gateway, ask } = await openHarness({
    callToolRouted: async () => {
      await gate.promise;
      return ROUTED;
    },
  });
  const call = ask("/agents/Kairos/tools/search", { method: "POST" });
  gateway.update({ keys: { Kairos: [await digestKey("new-key")] } });
  const statuses = ["kairos-key", "admin-key", "new-key"].map((key) => statusOf(ask("/agents/Kairos/status", { key })));
  assertEquals(await Promise.all(statuses), [401, 401, 200]);
  gate.resolve();
  assertEquals(await statusOf(call), 200);
});

Deno.test("Gateway.update() keeps keys that were created and revoked at run time", async () => {
  const { gateway, ask } = await openHarness({}, { store: new MemoryRouteStore() });
  const send = (method: string, path: string) => ask(`/admin/agents/Kairos/keys${path}`, { method, key: "admin-key" });
  const { key } = await (await send("POST", "")).json();
  const revoked = (await digestKey("kairos-key")).slice(7, 23);
  assertEquals(await statusOf(send("DELETE", `/${revoked}`)), 200);
  gateway.update({ keys: { Kairos: [await digestKey("kairos-key")], ...await toKeys("admin-key") } });
  const statuses = [key, "kairos-key"].map((key) => statusOf(ask("/agents/Kairos/status", { key })));
  assertEquals(await Promise.all(statuses), [200, 401]);
  const { keys } = await (await send("GET", "")).json();
  assertEquals(keys.map(({ source, active }: Record<string, unknown>) => [source, active]), [["code", false], [
    "store",
    true,
  ]]);
});

Deno.test("Gateway.update() keeps what limits have counted, also where they are others now", async () => {
  const { gateway, ask } = await openHarness();
  const keys = await toKeys("kairos-key");
  const call = () => statusOf(ask("/agents/Kairos/tools/search", { method: "POST" }));
  const callAll = async (times: number) => {
    const statuses = [];
    for (let time = 0; time < times; time++) statuses.push(await call());
    return statuses;
  };
  const toLimits = (callsPerMinute: number): GatewayUpdate => ({ keys, limits: { "*": { callsPerMinute } } });
  gateway.update(toLimits(3));
  assertEquals(await callAll(2), [200, 200]);
  gateway.update(toLimits(3));
  assertEquals(await callAll(2), [200, 429]);
  gateway.update(toLimits(5));
  assertEquals(await callAll(3), [200, 200, 429]);
  gateway.update({ keys });
  assertEquals(await callAll(10), Array(10).fill(200));
});

Deno.test("Gateway.update() lets waiting calls in where there is room now", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const { gateway, ask } = await openHarness({
    callToolRouted: async () => {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return ROUTED;
    },
  });
  const keys = await toKeys("kairos-key");
  gateway.update({ keys, limits: { "*": { concurrentCalls: 1 } } });
  const calls = [1, 2].map(() => statusOf(ask("/agents/Kairos/tools/search", { method: "POST" })));
  while (gates.length < 1) await new Promise((resolve) => setTimeout(resolve, 0));
  gateway.update({ keys, limits: { "*": { concurrentCalls: 2 } } });
  while (gates.length < 2) await new Promise((resolve) => setTimeout(resolve, 0));
  for (const gate of gates) gate.resolve();
  assertEquals(await Promise.all(calls), [200, 200]);
});

Deno.test("Gateway.update() takes tokens and the public URL, and asks an issuer that is the same for nothing again", async () => {
  await using issuer = await startIssuer();
  const gateway = createGateway({ directory: fakeDirectory(AGENTS), fetch }, { open: "loopback" });
  const token = await issuer.sign();
  const ask = (path: string) => {
    const headers = { host: "mcp.example.com", authorization: `Bearer ${token}` };
    return statusOf(gateway.fetch(new Request(`https://mcp.example.com${path}`, { headers })));
  };
  const metadata = "/.well-known/oauth-protected-resource";
  assertEquals([await ask("/agents/Kairos/status"), await ask(metadata)], [403, 403]);
  const update: GatewayUpdate = { jwt: [{ issuer: issuer.issuer }], publicUrl: PUBLIC_URL };
  gateway.update(update);
  assertEquals([await ask("/agents/Kairos/status"), await ask(metadata)], [200, 200]);
  gateway.update({ ...update, keys: await toKeys("admin-key"), limits: { "*": { callsPerMinute: 9 } } });
  assertEquals(await ask("/agents/Kairos/status"), 200);
  assertEquals(issuer.paths.filter((path) => path === "/jwks").length, 1);
  gateway.update({ keys: await toKeys("admin-key") });
  assertEquals([await ask("/agents/Kairos/status"), await ask(metadata)], [401, 404]);
});

Deno.test("Gateway.update() asks for keys where there are some now, and serves loopback alone where there are none", async () => {
  const gateway = createGateway({ directory: fakeDirectory(AGENTS) }, { open: "loopback" });
  const request = () => new Request("http://localhost/status", { headers: { host: "localhost" } });
  const near = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1" } };
  const far = { remoteAddr: { transport: "tcp", hostname: "192.0.2.7" } };
  const ask =
    async () => [await statusOf(gateway.fetch(request(), near)), await statusOf(gateway.fetch(request(), far))];
  assertEquals(await ask(), [200, 403]);
  gateway.update({ keys: await toKeys("admin-key") });
  assertEquals(await ask(), [401, 401]);
  gateway.update({ open: "loopback" });
  assertEquals(await ask(), [200, 403]);
});

Deno.test("Gateway.update() checks everything before anything changes", async () => {
  const { gateway, ask } = await openHarness();
  const keys = await toKeys("other-key");
  const bad: readonly [GatewayUpdate, new (...args: never[]) => Error][] = [
    [{}, TypeError],
    [{ keys: { Kairos: ["no digest"] } }, TypeError],
    [{ keys, limits: { "*": { callsPerMinute: -1 } } }, RangeError],
    [{ keys, jwt: [{ issuer: "https://login.example.com" }] }, ConfigError],
    [{ keys, publicUrl: "ftp://x" }, ConfigError],
  ];
  for (const [update, kind] of bad) {
    const error = assertThrows(() => gateway.update(update));
    assertEquals(error instanceof kind, true, String(error));
    assertEquals(await statusOf(ask("/agents/Kairos/status")), 200);
    assertEquals(await statusOf(ask("/agents/Kairos/status", { key: "other-key" })), 401);
  }
});
