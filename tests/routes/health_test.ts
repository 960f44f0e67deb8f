import { assertEquals } from "@std/assert";
import { createGateway } from "../../routes/mod.ts";
import { fakeDirectory, openHarness } from "../gateway/gateway_support.ts";

const init = { headers: { host: "gateway.test" } };
const get = (path: string) => new Request(`http://gateway.test${path}`, init);
const KEYS = { "*": [`sha256:${"a".repeat(64)}`] };

Deno.test("GET /healthz answers without a key, also while the gateway stops", async () => {
  const { ask, gateway } = await openHarness();
  await gateway.drain();
  const response = await ask("/healthz", { key: null });
  assertEquals([response.status, await response.json()], [200, { status: "alive" }]);
});

Deno.test("GET /readyz answers 503 with the reason until the first connections have been tried", async () => {
  const started = Promise.withResolvers<void>();
  const gateway = createGateway({ directory: fakeDirectory([]), started: started.promise }, { keys: KEYS });
  const before = await gateway.fetch(get("/readyz"));
  assertEquals([before.status, await before.json()], [503, { status: "not_ready", reasons: ["starting"] }]);
  started.reject(new Error("no server answers"));
  await started.promise.catch(() => {});
  await Promise.resolve();
  const after = await gateway.fetch(get("/readyz"));
  assertEquals([after.status, await after.json()], [200, { status: "ready" }]);
});

Deno.test("S11 GET /readyz answers 503 while the gateway stops", async () => {
  const { ask, gateway } = await openHarness();
  assertEquals((await ask("/readyz", { key: null })).status, 200);
  await gateway.drain();
  const response = await ask("/readyz", { key: null });
  assertEquals([response.status, await response.json()], [503, { status: "not_ready", reasons: ["stopping"] }]);
});
