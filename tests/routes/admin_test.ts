import { assertEquals, assertFalse, assertMatch } from "@std/assert";
import { createGateway } from "../../routes/mod.ts";
import { digestKey } from "../../src/callers/keys.ts";
import { KEYS_MAX_AGE_MS } from "../../src/callers/key_book.ts";
import { MCPError } from "../../src/errors.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";
import { fakeDirectory, type Harness, openHarness, post, problemOf } from "../gateway/gateway_support.ts";

const START_MS = Date.parse("2027-01-31T12:00:00Z");
const ROUTES: readonly [method: string, path: string][] = [
  ["POST", "/admin/reconnect"],
  ["POST", "/admin/cache/flush"],
  ["POST", "/admin/agents/Kairos/pins"],
  ["GET", "/admin/agents/Kairos/keys"],
  ["GET", "/admin/agents/*/keys"],
  ["POST", "/admin/agents/Kairos/keys"],
  ["DELETE", "/admin/agents/Kairos/keys/any"],
  ["GET", "/admin/audit"],
];
const KAIROS_KEYS = "/admin/agents/Kairos/keys";

/** Several gateways of one store and one clock. */
async function openTwo() {
  const clock = { nowMs: START_MS };
  const now = () => clock.nowMs;
  const store = new FaultyRouteStore(now);
  const [one, two] = await Promise.all([openHarness({}, { store, now }), openHarness({}, { store, now })]);
  return { clock, store, one, two };
}

async function createKey(gateway: Harness, agent = "Kairos", body: unknown = {}): Promise<Record<string, unknown>> {
  const response = await gateway.ask(`/admin/agents/${agent}/keys`, {
    ...post(JSON.stringify(body)),
    key: "admin-key",
  });
  assertEquals(response.status, 201);
  return await response.json();
}

async function statusOf(gateway: Harness, key: string, path = "/agents/Kairos/status"): Promise<number> {
  const response = await gateway.ask(path, { key });
  await response.body?.cancel();
  return response.status;
}

function withoutIds(response: Response): readonly unknown[] {
  return [response.status, ...[...response.headers].filter(([name]) => name !== "x-request-id")];
}

for (const [method, path] of ROUTES) {
  Deno.test(`S2 ${method} ${path} is not there for who is no administrator, and tells nothing without a key`, async () => {
    const { ask, directory } = await openHarness();
    const refused = await ask(path, { method });
    const nowhere = await ask("/nowhere", { method });
    assertEquals([withoutIds(refused), await problemOf(refused)], [withoutIds(nowhere), await problemOf(nowhere)]);
    assertEquals(refused.status, 404);
    const unknown = await ask(path, { method, key: "wrong-key" });
    const elsewhere = await ask("/nowhere", { method, key: "wrong-key" });
    assertEquals([withoutIds(unknown), await problemOf(unknown)], [withoutIds(elsewhere), await problemOf(elsewhere)]);
    assertEquals([unknown.status, directory.asked], [401, []]);
  });
}

Deno.test("a path under /admin with another method is not there either, but for an administrator", async () => {
  const { ask } = await openHarness();
  const statuses = [await ask("/admin/reconnect"), await ask("/admin/reconnect", { key: "admin-key" })];
  assertEquals(statuses.map(({ status }) => status), [404, 405]);
  for (const response of statuses) await response.body?.cancel();
});

Deno.test("POST /admin/agents/:agent/keys creates a key that opens the agent, in every isolate", async () => {
  const { one, two, clock } = await openTwo();
  const { key, ...created } = await createKey(one, "Kairos", { id: "ci", expiresAt: "2027-02-01" });
  assertMatch(String(key), /^ptl_[A-Za-z0-9_-]{43}$/);
  assertEquals(created, {
    agent: "Kairos",
    id: "ci",
    digestPrefix: (await digestKey(String(key))).slice(0, 15),
    source: "store",
    createdAt: "2027-01-31T12:00:00.000Z",
    expiresAt: "2027-02-01T00:00:00.000Z",
    active: true,
    effectiveWithinMs: 5_000,
  });
  for (const gateway of [one, two]) {
    assertEquals(await statusOf(gateway, String(key)), 200);
    assertEquals(await statusOf(gateway, String(key), "/agents/Mercurius/status"), 404);
    assertEquals(await statusOf(gateway, String(key), KAIROS_KEYS), 404);
  }
  clock.nowMs = Date.parse("2027-02-01");
  assertEquals(await statusOf(one, String(key)), 401);
});

Deno.test("S2 DELETE /admin/agents/:agent/keys/:id of one gateway holds at the other within the stated time", async () => {
  const { one, two, clock } = await openTwo();
  const { key, id } = await createKey(one);
  const ofFile = (await digestKey("kairos-key")).slice(7, 23);
  for (const gateway of [one, two]) assertEquals(await statusOf(gateway, String(key)), 200);
  for (const revoked of [id, ofFile]) {
    const response = await one.ask(`${KAIROS_KEYS}/${revoked}`, { method: "DELETE", key: "admin-key" });
    const { effectiveWithinMs, ...rest } = await response.json();
    assertEquals([response.status, effectiveWithinMs], [200, KEYS_MAX_AGE_MS]);
    assertEquals(rest, { agent: "Kairos", id: revoked, revokedAt: "2027-01-31T12:00:00.000Z" });
  }
  for (const revoked of [String(key), "kairos-key"]) assertEquals(await statusOf(one, revoked), 401, "at once here");
  assertEquals(await statusOf(two, "kairos-key"), 200, "not yet there");
  clock.nowMs += KEYS_MAX_AGE_MS;
  for (const revoked of [String(key), "kairos-key"]) assertEquals(await statusOf(two, revoked), 401);
  assertEquals(await statusOf(two, "admin-key"), 200);
});

Deno.test("S2 a revoked, an ended and an unknown key are answered alike", async () => {
  const { one, clock } = await openTwo();
  const revoked = await createKey(one);
  await (await one.ask(`${KAIROS_KEYS}/${revoked.id}`, { method: "DELETE", key: "admin-key" })).body?.cancel();
  const ended = await createKey(one, "Mercurius", { expiresAt: "2027-01-31T12:00:01Z" });
  clock.nowMs += 1_000;
  const answers = [];
  for (const key of [revoked.key, ended.key, "wrong-key"]) {
    const response = await one.ask("/agents/Kairos/status", { key: String(key) });
    answers.push([withoutIds(response), await problemOf(response)]);
  }
  assertEquals(answers, [answers[0], answers[0], answers[0]]);
});

Deno.test("GET /admin/agents/:agent/keys lists keys of every source, and no digest in full", async () => {
  const { one } = await openTwo();
  const { key, effectiveWithinMs: _, agent, ...created } = await createKey(one);
  const response = await one.ask(KAIROS_KEYS, { key: "admin-key" });
  const text = await response.text();
  const digest = await digestKey("kairos-key");
  const ofCode = { id: digest.slice(7, 23), digestPrefix: digest.slice(0, 15), source: "code", active: true };
  assertEquals(JSON.parse(text), { agent, keys: [ofCode, created] });
  for (const secret of [String(key), digest.slice(7), (await digestKey(String(key))).slice(7)]) {
    assertFalse(text.includes(secret));
  }
  const ofAll = await (await one.ask("/admin/agents/*/keys", { key: "admin-key" })).json();
  assertEquals(ofAll.keys.map(({ source }: { source: string }) => source), ["code"]);
});

Deno.test("the keys of an agent that is configured no longer are listed and revoked, and no new ones are created", async () => {
  const { one, store, clock } = await openTwo();
  const { id, key } = await createKey(one);
  const gateway = createGateway(
    { directory: fakeDirectory(["Mercurius"]), store, now: () => clock.nowMs },
    { keys: { "*": [await digestKey("admin-key")] } },
  );
  const ask = async (method: string, path: string) => {
    const headers = { host: "gateway.test", authorization: "Bearer admin-key" };
    const response = await gateway.fetch(new Request(`http://gateway.test${path}`, { method, headers }));
    return [response.status, await response.json()] as const;
  };
  const [status, { keys }] = await ask("GET", KAIROS_KEYS);
  assertEquals([status, keys.map((one: { readonly id: string }) => one.id)], [200, [id]]);
  assertEquals((await ask("POST", KAIROS_KEYS))[1].code, "agent_not_found");
  assertEquals((await ask("DELETE", `${KAIROS_KEYS}/${id}`))[0], 200);
  for (const method of ["GET", "POST"]) {
    assertEquals((await ask(method, KAIROS_KEYS.replace("Kairos", "Nobody")))[1].code, "agent_not_found");
  }
  clock.nowMs += KEYS_MAX_AGE_MS;
  assertEquals(await statusOf(one, String(key)), 401);
});

Deno.test("POST /admin/agents/:agent/keys refuses a third good key, and what it cannot use", async () => {
  const { one } = await openTwo();
  await createKey(one);
  const answer = async (path: string, body: string) => {
    const response = await one.ask(path, { ...post(body), key: "admin-key" });
    return [response.status, (await problemOf(response)).code];
  };
  assertEquals(await answer(KAIROS_KEYS, "{}"), [409, "key_conflict"]);
  const keys = "/admin/agents/Mercurius/keys";
  const bodies = ['{"id":"a b"}', '{"id":""}', '{"id":7}', '{"expiresAt":7}', '{"expiresAt":"soon"}', '{"key":"mine"}'];
  for (const body of [...bodies, '{"expiresAt":"2020-01-01"}', '{"expiresAt":null}']) {
    assertEquals(await answer(keys, body), [400, "invalid_request"], body);
  }
  assertEquals(await answer(keys, "[]"), [400, "invalid_arguments"]);
  assertEquals(await answer("/admin/agents/Nobody/keys", "{}"), [404, "agent_not_found"]);
  for (const name of ["__proto__", "constructor", "toString"]) {
    assertEquals(await answer(`/admin/agents/${name}/keys`, "{}"), [404, "agent_not_found"], `S6 ${name}`);
  }
});

Deno.test("DELETE /admin/agents/:agent/keys/:id answers 404 for a key that is not there", async () => {
  const { one } = await openTwo();
  const response = await one.ask(`${KAIROS_KEYS}/nothing`, { method: "DELETE", key: "admin-key" });
  assertEquals([response.status, (await problemOf(response)).code], [404, "key_not_found"]);
});

for (const fault of ["rejects", "throws", "hangs"] as const) {
  Deno.test(`K1 with a store of keys that ${fault} configured keys open what they open, and nothing is changed`, async () => {
    const { one, store, clock } = await openTwo();
    store.fault = fault;
    assertEquals(await statusOf(one, "kairos-key"), 200);
    assertEquals(await statusOf(one, "wrong-key"), 401);
    assertEquals(await statusOf(one, `ptl_${"A".repeat(43)}`), 503);
    if (fault !== "hangs") {
      for (const [method, path] of [["GET", ""], ["POST", ""], ["DELETE", "/any"]] as const) {
        const response = await one.ask(KAIROS_KEYS + path, { method, key: "admin-key" });
        assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
        assertEquals((await problemOf(response)).code, "callers_unavailable");
      }
    }
    store.releaseHung();
    store.fault = "none";
    clock.nowMs += KEYS_MAX_AGE_MS;
    assertEquals(await statusOf(one, "kairos-key"), 200);
    assertEquals(await statusOf(one, `ptl_${"A".repeat(43)}`), 401);
  });
}

Deno.test("keys and digests of configured keys are nowhere in KV, and of created ones the digest alone", async () => {
  using kv = await Deno.openKv(":memory:");
  const gateway = await openHarness({}, { store: new KvRouteStore(kv, { consistency: "strong" }) });
  const { key } = await createKey(gateway);
  const ofFile = (await digestKey("kairos-key")).slice(7);
  const deleted = await gateway.ask(`${KAIROS_KEYS}/${ofFile.slice(0, 16)}`, { method: "DELETE", key: "admin-key" });
  assertEquals(deleted.status, 200);
  await deleted.body?.cancel();
  assertEquals([await statusOf(gateway, "kairos-key"), await statusOf(gateway, String(key))], [401, 200]);
  let stored = "";
  for await (const { key, value } of kv.list({ prefix: [] })) {
    const { json } = value as { readonly json: Uint8Array };
    stored += JSON.stringify(key) + new TextDecoder().decode(json);
  }
  assertEquals(stored.includes((await digestKey(String(key))).slice(7)), true);
  for (const secret of [String(key), String(key).slice(4), "kairos-key", "admin-key", ofFile]) {
    assertFalse(stored.includes(secret), secret);
  }
});

Deno.test("POST /admin/reconnect reconnects every agent, or the servers of one name", async () => {
  const error = new MCPError("server_not_found", "Cannot reconnect it");
  const { ask, directory } = await openHarness({
    reconnect: (options) => options?.server === "gone" ? Promise.reject(error) : Promise.resolve({ files: false }),
  });
  const reconnect = (query: string) => ask(`/admin/reconnect${query}`, { method: "POST", key: "admin-key" });
  const agents = { Kairos: { files: false }, Mercurius: { files: false } };
  assertEquals(await (await reconnect("")).json(), { agents });
  assertEquals(await (await reconnect("?server=files")).json(), { agents });
  const asked = directory.asked.filter(({ method }) => method === "reconnect").map(({ values }) => values);
  assertEquals(asked, [[undefined], [undefined], ["files"], ["files"]]);
  const response = await reconnect("?server=gone");
  assertEquals([response.status, (await problemOf(response)).code], [404, "server_not_found"]);
});

Deno.test("POST /admin/cache/flush flushes one agent or all, where the directory can", async () => {
  const { ask, directory } = await openHarness();
  const flush = (query: string) => ask(`/admin/cache/flush${query}`, { method: "POST", key: "admin-key" });
  const without = await flush("");
  assertEquals([without.status, (await problemOf(without)).code], [501, "not_implemented"]);
  const flushed: (string | undefined)[] = [];
  directory.flushCache = (agent) => Promise.resolve(void flushed.push(agent));
  assertEquals(await (await flush("")).json(), { flushed: "*" });
  assertEquals(await (await flush("?agent=Kairos")).json(), { flushed: "Kairos" });
  const unknown = await flush("?agent=Nobody");
  assertEquals([unknown.status, (await problemOf(unknown)).code], [404, "agent_not_found"]);
  assertEquals(flushed, [undefined, "Kairos"]);
});
