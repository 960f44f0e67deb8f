import { assert, assertEquals } from "@std/assert";
import { type Harness, openHarness, post, problemOf } from "../gateway/gateway_support.ts";
import { FaultyAuditKv } from "../support/faulty_audit_kv.ts";
import { MCPError } from "../../src/errors.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";

type Entry = Readonly<Record<string, unknown>>;

interface Page {
  readonly entries: readonly Entry[];
  readonly next: string | undefined;
}

async function readPage({ ask }: Harness, path: string): Promise<Page> {
  const response = await ask(path, { key: "admin-key" });
  assertEquals([response.status, response.headers.get("content-type")], [200, "application/x-ndjson"]);
  const text = await response.text();
  assert(text === "" || text.endsWith("\n"));
  const next = response.headers.get("link")?.match(/^<(\/admin\/audit\?[^>]+)>; rel="next"$/)?.[1];
  return { entries: text.split("\n").slice(0, -1).map((line) => JSON.parse(line)), next };
}

async function exportAll(gateway: Harness, query = "", betweenPages = async () => {}): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  for (let path: string | undefined = `/admin/audit?${query}`; path !== undefined;) {
    const { entries, next }: Page = await readPage(gateway, path);
    all.push(...entries);
    path = next;
    await betweenPages();
  }
  return all;
}

async function call({ ask }: Harness, requestId: string, agent = "Kairos"): Promise<number> {
  const init = post('{"query":"canary"}', { "x-request-id": requestId });
  const response = await ask(`/agents/${agent}/tools/search`, { ...init, key: "admin-key" });
  await response.body?.cancel();
  return response.status;
}

const requestsOf = (entries: readonly Entry[]) => entries.map(({ requestId }) => requestId);

Deno.test("GET /admin/audit exports the calls of every door and how they ended", async () => {
  const harness = await openHarness({
    callToolRouted: (name) =>
      name === "search"
        ? Promise.resolve({ server: "files", tool: "search", route: "memory", result: { content: [] } })
        : Promise.reject(new MCPError("unreachable", "x", { server: "files" })),
  }, { audit: {} });
  const { ask } = harness;
  const calls = [{ tool: "search" }, { tool: "gone" }];
  const rpc = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "search", arguments: {} } };
  await (await ask("/agents/Kairos/tools/search", post("{}"))).body?.cancel();
  await (await ask("/agents/Kairos/batch", post(JSON.stringify({ calls, concurrency: 1 })))).body?.cancel();
  await (await ask("/agents/Kairos/mcp", post(JSON.stringify(rpc)))).body?.cancel();
  const entries = await exportAll(harness);
  assertEquals(
    entries.map(({ kind, agent, door, tool, server, outcome }) => [kind, agent, door, tool, server, outcome]),
    [
      ["call", "Kairos", "rest", "search", "files", "ok"],
      ["call", "Kairos", "batch", "search", "files", "ok"],
      ["call", "Kairos", "batch", "gone", "files", "unreachable"],
      ["call", "Kairos", "mcp", "search", "files", "ok"],
    ],
  );
  for (const entry of entries) assert(/^key:[0-9a-f]{16}$/.test(String(entry.caller)));
  await harness.gateway.drain();
});

Deno.test("GET /admin/audit leads from page to page, and what arrives meanwhile is neither lost nor doubled", async () => {
  using kv = await Deno.openKv(":memory:");
  const harness = await openHarness({}, { audit: { kv } });
  for (let n = 0; n < 7; n++) await call(harness, `r${n}`);
  let made = 7;
  const entries = await exportAll(harness, "limit=2", async () => {
    if (made < 12) await call(harness, `r${made++}`);
  });
  assertEquals(requestsOf(entries), Array.from({ length: 12 }, (_, n) => `r${n}`));
  assertEquals(new Set(entries.map(({ id }) => id)).size, 12);
  // Who has read everything goes on after the last entry that it has.
  assertEquals((await readPage(harness, `/admin/audit?after=${entries.at(-1)?.id}`)).entries, []);
  await call(harness, "later");
  assertEquals(requestsOf((await readPage(harness, `/admin/audit?after=${entries.at(-1)?.id}`)).entries), ["later"]);
  await harness.gateway.drain();
});

Deno.test("GET /admin/audit finds the entries of an agent and of a time, page by page", async () => {
  const clock = { nowMs: Date.parse("2027-01-31T12:00:00Z") };
  const harness = await openHarness({}, { audit: {}, now: () => clock.nowMs });
  for (let n = 0; n < 6; n++) {
    await call(harness, `r${n}`, n % 2 === 0 ? "Kairos" : "Mercurius");
    clock.nowMs += 60_000;
  }
  assertEquals(requestsOf(await exportAll(harness, "agent=Mercurius&limit=1")), ["r1", "r3", "r5"]);
  const time = "from=2027-01-31T12:01:00Z&to=2027-01-31T12:04:00Z";
  assertEquals(requestsOf(await exportAll(harness, `${time}&limit=2`)), ["r1", "r2", "r3"]);
  assertEquals(requestsOf(await exportAll(harness, `${time}&agent=Kairos`)), ["r2"]);
  assertEquals(await exportAll(harness, "from=2027-02-01"), []);
  await harness.gateway.drain();
});

Deno.test("GET /admin/audit shows nothing that is older than entries are kept", async () => {
  using kv = await Deno.openKv(":memory:");
  const clock = { nowMs: Date.now() };
  const harness = await openHarness({}, { audit: { kv, retentionDays: 2 }, now: () => clock.nowMs });
  await call(harness, "old");
  assertEquals(requestsOf(await exportAll(harness)), ["old"]);
  clock.nowMs += 2 * 24 * 3_600_000;
  await call(harness, "new");
  assertEquals(requestsOf(await exportAll(harness)), ["new"]);
  await harness.gateway.drain();
});

Deno.test("GET /admin/audit tells what was done besides calling, by whom and how it ended, and no key", async () => {
  const harness = await openHarness({}, { audit: {}, store: new MemoryRouteStore() });
  const { ask } = harness;
  const act = async (method: string, path: string, body?: string, key = "admin-key") => {
    const response = await ask(path, { ...(body === undefined ? { method } : { ...post(body), method }), key });
    return [response.status, await response.json()] as const;
  };
  const keys = "/admin/agents/Kairos/keys";
  const [, { key }] = await act("POST", keys, '{"id":"ci"}');
  await act("POST", keys, "{}");
  await act("DELETE", `${keys}/ci`);
  await act("DELETE", `${keys}/${key}`);
  await act("POST", "/admin/reconnect?server=files");
  await act("POST", "/agents/Kairos/reconnect", undefined, "kairos-key");
  assertEquals((await act("POST", "/admin/cache/flush"))[0], 501);
  const response = await ask("/admin/audit", { key: "admin-key" });
  const text = await response.text();
  assertEquals(text.includes(String(key)), false);
  const entries: readonly Entry[] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(entries.map((one) => [one.action, one.agent, one.server ?? one.key, one.outcome]), [
    ["key_created", "Kairos", "ci", "ok"],
    ["key_created", "Kairos", undefined, "key_conflict"],
    ["key_revoked", "Kairos", "ci", "ok"],
    ["key_revoked", "Kairos", undefined, "key_not_found"],
    ["reconnected", "*", "files", "ok"],
    ["reconnected", "Kairos", undefined, "ok"],
  ]);
  assertEquals(new Set(entries.map(({ caller }) => caller)).size, 2);
  await harness.gateway.drain();
});

Deno.test("GET /admin/audit tells what was decided of pinned tools, also where it was not kept", async () => {
  const outcomes = [{ kept: true }, { kept: false }];
  const harness = await openHarness({
    decidePin: ({ server, tool, decision }) => {
      if (server !== "files") return Promise.reject(new MCPError("server_not_found", "Cannot use the server"));
      const state = decision === "accept" ? "pinned" : "withheld";
      return Promise.resolve({ server, tool, state, decided: true, kept: true, ...outcomes.shift() });
    },
  }, { audit: {} });
  for (
    const [server, decision] of [["files", "accept"], ["files", "withhold"], ["mail", "withhold"], ["files", "no"]]
  ) {
    const body = JSON.stringify({ server, tool: "read", decision });
    const response = await harness.ask("/admin/agents/Kairos/pins", { ...post(body), key: "admin-key" });
    await response.body?.cancel();
  }
  const entries = await exportAll(harness);
  assertEquals(entries.map((one) => [one.action, one.agent, one.server, one.tool, one.outcome]), [
    ["pin_accepted", "Kairos", "files", "read", "ok"],
    ["pin_withheld", "Kairos", "files", "read", "store_unavailable"],
    ["pin_withheld", "Kairos", "mail", "read", "server_not_found"],
  ]);
  await harness.gateway.drain();
});

Deno.test("GET /admin/audit refuses what it cannot use, and says so where there is no trail", async () => {
  const harness = await openHarness({}, { audit: {} });
  const codeOf = async (gateway: Harness, query: string) => {
    const response = await gateway.ask(`/admin/audit?${query}`, { key: "admin-key" });
    return [response.status, (await problemOf(response)).code];
  };
  for (const query of ["after=x", "after=", "from=yesterday", "to=2027-02-31", "limit=0", "limit=5001"]) {
    assertEquals(await codeOf(harness, query), [400, "invalid_request"], query);
  }
  assertEquals(await codeOf(await openHarness(), ""), [501, "not_implemented"]);
  await harness.gateway.drain();
});

for (const fault of ["locked", "closed", "hangs"] as const) {
  Deno.test(`K1 calls are answered all the same where the database of the audit trail ${fault}`, async () => {
    using kv = await Deno.openKv(":memory:");
    const database = new FaultyAuditKv(kv);
    database.fault = fault;
    const warnings: string[] = [];
    const harness = await openHarness({}, { audit: { kv: database, onWarning: (text) => warnings.push(text) } });
    assertEquals([await call(harness, "r0"), await call(harness, "r1")], [200, 200]);
    if (fault === "hangs") {
      await harness.gateway.drain();
      database.releaseHung();
      return;
    }
    const response = await harness.ask("/admin/audit", { key: "admin-key" });
    assertEquals([response.status, (await problemOf(response)).code], [503, "audit_unavailable"]);
    assertEquals(warnings.length, 1);
    database.fault = "none";
    assertEquals(requestsOf(await exportAll(harness)), ["r0", "r1"]);
    assertEquals([warnings.length, warnings[1]], [2, "The audit trail is written again"]);
    await harness.gateway.drain();
  });
}

Deno.test("two gateways of one database make one trail, complete and in order, with what each wrote as it stopped", async () => {
  using kv = await Deno.openKv(":memory:");
  const gateways = await Promise.all([1, 2].map(() => openHarness({}, { audit: { kv } })));
  const [one, two] = gateways;
  assert(one !== undefined && two !== undefined);
  const ids = Array.from({ length: 60 }, (_, n) => `r${n}`);
  let read: readonly Entry[] = [];
  for (const [n, id] of ids.entries()) {
    await call(gateways[n % 2] ?? one, id);
    if (n % 20 === 0) read = await exportAll(one, "limit=7");
  }
  assertEquals(read.length > 0 && read.length < 60, true);
  await Promise.all(gateways.map(({ gateway }) => gateway.drain()));
  const reader = await openHarness({}, { audit: { kv } });
  const all = await exportAll(reader, "limit=7");
  assertEquals([...requestsOf(all)].sort(), [...ids].sort());
  for (const rest of [0, 1]) {
    const own = ids.filter((_, n) => n % 2 === rest);
    assertEquals(requestsOf(all).filter((id) => own.includes(String(id))), own, "each in the order of its calls");
  }
  assertEquals(requestsOf(all).slice(0, read.length), requestsOf(read), "what was read stays where it was");
  await reader.gateway.drain();
});
