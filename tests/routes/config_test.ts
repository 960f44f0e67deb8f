import { assertEquals, assertFalse, assertMatch } from "@std/assert";
import { CONFIG_MAX_AGE_MS } from "../../src/reload/kept_config.ts";
import { openHarness, problemOf } from "../gateway/gateway_support.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";
import { openIsolate, toYaml } from "../support/kept_config.ts";

const PATH = "/admin/config";

/** A gateway whose configuration is kept in a store. */
async function open() {
  const store = new FaultyRouteStore(Date.now);
  const isolate = await openIsolate({ store, now: Date.now });
  const { ask } = await openHarness({}, { config: isolate.kept });
  const send = (method: string, body?: string, headers: HeadersInit = {}, query = "") => {
    const type = body === undefined ? {} : { "content-type": "application/yaml" };
    const all = { ...type, ...Object.fromEntries(new Headers(headers)) };
    return ask(PATH + query, { method, key: "admin-key", headers: all, ...(body !== undefined && { body }) });
  };
  return { ask, send, store, isolate };
}

for (const method of ["GET", "PUT", "DELETE"]) {
  Deno.test(`S2 ${method} /admin/config is not there for who is no administrator, and tells nothing without a key`, async () => {
    const { ask, isolate } = await open();
    const body = method === "PUT" ? { body: toYaml("second"), headers: { "content-type": "application/yaml" } } : {};
    for (const [key, status] of [["kairos-key", 404], ["wrong-key", 401], [null, 401]] as const) {
      const response = await ask(PATH, { method, key, ...body });
      const elsewhere = await ask("/nowhere", { method, key, ...body });
      assertEquals([response.status, await problemOf(response)], [status, await problemOf(elsewhere)]);
    }
    assertEquals(isolate.servers(), ["first"]);
  });
}

Deno.test("PUT /admin/config serves a configuration, GET tells it with its version, and DELETE forgets it", async () => {
  const { send, isolate } = await open();
  assertEquals(await (await send("GET")).json(), { source: "text", inUse: true });
  const put = await send("PUT", toYaml("second"));
  const { version, difference, effectiveWithinMs } = await put.json();
  assertEquals([put.status, put.headers.get("etag"), effectiveWithinMs], [200, `"${version}"`, CONFIG_MAX_AGE_MS]);
  assertEquals(difference.changed[0].servers, { added: ["second"], removed: ["first"], changed: [] });
  assertEquals(isolate.servers(), ["second"]);
  const got = await send("GET");
  const { writtenAt, ...state } = await got.json();
  assertEquals(got.headers.get("etag"), `"${version}"`);
  assertMatch(writtenAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assertEquals(state, { source: "store", version, text: toYaml("second"), inUse: true });
  const deleted = await (await send("DELETE")).json();
  assertEquals([deleted.version, isolate.servers()], [undefined, ["first"]]);
});

Deno.test("PUT /admin/config replaces only the version that If-Match names, and with If-None-Match none", async () => {
  const { send, isolate } = await open();
  const codeOf = async (answer: Promise<Response>) => {
    const response = await answer;
    return [response.status, (await problemOf(response)).code];
  };
  const none = { "if-none-match": "*" };
  const first = (await send("PUT", toYaml("second"), none)).headers.get("etag") ?? "";
  assertEquals(await codeOf(send("PUT", toYaml("third"), none)), [412, "config_changed"]);
  const response = await send("PUT", toYaml("third"), { "if-match": first });
  assertEquals([response.status, (await response.json()).difference.changed.length], [200, 1]);
  for (const method of ["PUT", "DELETE"]) {
    const body = method === "PUT" ? toYaml("fourth") : undefined;
    assertEquals(await codeOf(send(method, body, { "if-match": first })), [412, "config_changed"]);
    for (const header of ["*", "W/x", '"x"', `${first}, ${first}`]) {
      assertEquals(await codeOf(send(method, body, { "if-match": header })), [400, "invalid_header"]);
    }
  }
  assertEquals(isolate.servers(), ["third"]);
});

Deno.test("PUT /admin/config with dry_run tells the difference and changes nothing", async () => {
  const { send, isolate, store } = await open();
  const response = await send("PUT", toYaml("second"), {}, "?dry_run=true");
  assertEquals([response.status, response.headers.get("etag")], [200, null]);
  assertEquals((await response.json()).difference.changed[0].servers.added, ["second"]);
  assertEquals([isolate.servers(), store.memory.size], [["first"], 0]);
  const refused = await send("PUT", toYaml("second"), {}, "?dry_run=yes");
  assertEquals([refused.status, (await problemOf(refused)).code], [400, "invalid_request"]);
});

Deno.test("PUT /admin/config names the place of every fault and of every secret, and quotes none", async () => {
  const { send } = await open();
  const text =
    'servers: { a: { url: "ftp://canary" } }\nagents: { A: { servers: [b], secrets: { a: { T: canary } } } }';
  const response = await send("PUT", text);
  const body = await response.text();
  assertEquals([response.status, JSON.parse(body).code], [422, "config_refused"]);
  const paths = JSON.parse(body).faults.map(({ path }: { readonly path: string }) => path);
  assertEquals(paths.slice(0, 2), ["servers.a.url", "agents.A.servers[0]"]);
  assertFalse(body.includes("canary"));
  const secret = toYaml("a").replace("servers: [a]", "servers: [a], secrets: { a: { T: canary } }");
  const literal = await send("PUT", secret);
  const problem = await problemOf(literal);
  assertEquals([literal.status, problem.code], [422, "config_refused"]);
  assertFalse(JSON.stringify(problem).includes("canary"));
});

Deno.test("PUT /admin/config takes YAML and JSON alone, and within the cap of bodies", async () => {
  const { send, isolate } = await open();
  const json = JSON.stringify({
    servers: { x: { url: "https://x.example.com/mcp" } },
    agents: { Kairos: { servers: ["x"] } },
  });
  for (const type of ["application/json", "application/yaml", "text/yaml; charset=utf-8", "text/plain"]) {
    const response = await send("PUT", json, { "content-type": type });
    assertEquals([response.status, (await response.json()).difference.added], [200, []], type);
  }
  assertEquals(isolate.servers(), ["x"]);
  const type = "application/x-www-form-urlencoded";
  for (
    const [headers, body, status] of [[{ "content-type": type }, json, 415], [{}, "x".repeat(2_000_000), 413]] as const
  ) {
    const response = await send("PUT", body, headers);
    assertEquals(response.status, status);
    await response.body?.cancel();
  }
  const empty = await send("PUT");
  assertEquals([empty.status, (await problemOf(empty)).code], [422, "config_refused"]);
});

Deno.test("K1 /admin/config answers 503 where the store does not", async () => {
  const { send, store, isolate } = await open();
  store.fault = "rejects";
  for (const [method, body] of [["GET", undefined], ["PUT", toYaml("second")], ["DELETE", undefined]] as const) {
    const response = await send(method, body);
    assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
    assertEquals((await problemOf(response)).code, "config_unavailable");
  }
  assertEquals(isolate.servers(), ["first"]);
});

Deno.test("/admin/config says what to set where the configuration is not kept in the store", async () => {
  const { ask } = await openHarness();
  for (const method of ["GET", "PUT", "DELETE"]) {
    const response = await ask(PATH, { method, key: "admin-key" });
    const { code, detail } = await problemOf(response);
    assertEquals([response.status, code], [501, "not_implemented"]);
    assertMatch(String(detail), /PORTOLAN_CONFIG_FROM=kv/);
  }
});

Deno.test("PUT and DELETE /admin/config are in the audit trail, without the text, and what only looks is not", async () => {
  const isolate = await openIsolate({ store: new FaultyRouteStore(Date.now), now: Date.now });
  const { ask, gateway } = await openHarness({}, { config: isolate.kept, audit: {} });
  const send = async (method: string, query = "", body?: string) => {
    const headers = body === undefined ? {} : { "content-type": "application/yaml" };
    const response = await ask(PATH + query, {
      method,
      key: "admin-key",
      headers,
      ...(body !== undefined && { body }),
    });
    await response.body?.cancel();
  };
  await send("PUT", "?dry_run=true", toYaml("second"));
  await send("PUT", "", toYaml("second"));
  await send("PUT", "", "servers: [");
  await send("DELETE");
  const text = await (await ask("/admin/audit", { key: "admin-key" })).text();
  const entries = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(entries.map(({ action, outcome }) => [action, outcome]), [
    ["config_replaced", "ok"],
    ["config_replaced", "config_refused"],
    ["config_removed", "ok"],
  ]);
  assertFalse(text.includes("second"));
  await gateway.drain();
});
