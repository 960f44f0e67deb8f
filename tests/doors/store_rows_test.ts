/** The store rows of the table of faults at every door of the gateway: the store can cost time, never an answer. */

import { assertEquals } from "@std/assert";
import { type AgentConfig, type MCPClientManagerOptions, MemoryRouteStore, type RouteStore } from "@portolan/mcp";
import { KvRouteStore } from "@portolan/mcp/kv";
import type { JsonObject } from "../../src/protocol.ts";
import { answer } from "../support/behaviours.ts";
import { until } from "../support/client_support.ts";
import { STORE_SECRET } from "../support/cold_support.ts";
import { startRawServer } from "../support/fault_server.ts";
import { FaultyRouteStore, type StoreFault } from "../support/faulty_route_store.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { GATEWAY_DOORS, type GatewayDoor, type House, send } from "./_door.ts";
import { openHouse } from "./_house.ts";

const FAULTS: readonly StoreFault[] = ["none", "rejects", "throws", "hangs", "applied_then_rejects"];
const HOUR_MS = 3_600_000;

/** Two servers, and a configuration of both. */
async function startBoth(stack: AsyncDisposableStack): Promise<AgentConfig> {
  const legacy = stack.use(await startMCPServer({ name: "legacy" }));
  const modern = stack.use(startModernServer({ name: "modern" }));
  return { servers: { legacy: { url: legacy.url }, modern: { url: modern.url } } };
}

/** What a gateway answers over its whole life; the same for every store. */
async function answersOf(house: House, door: GatewayDoor): Promise<unknown> {
  const call = async (tool: string, args: JsonObject = {}) => {
    const { code, text } = await door.read(await send(house, door.toCall("Kairos", tool, args)));
    return text ?? code;
  };
  return [
    await call("legacy__whoami"),
    await door.readList(await send(house, door.toList("Kairos"))),
    await call("modern__whoami"),
    await call("unknown"),
    await house.manager.reconnectClient("Kairos", { server: "legacy" }),
    await call("legacy__echo", { text: "hi" }),
  ];
}

const EXPECTED = [
  "legacy",
  ["add", "echo", "whoami", "modern__echo", "modern__whoami"],
  "modern",
  "tool_not_found",
  { legacy: true },
  "hi",
];

/** One life of a gateway over a store. */
async function live(config: AgentConfig, door: GatewayDoor, store: RouteStore, options: MCPClientManagerOptions = {}) {
  await using house = await openHouse(
    { agents: { Kairos: config } },
    { store, storeSecret: STORE_SECRET, ...options },
    {},
    store,
  );
  const answers = await answersOf(house, door);
  assertEquals(house.internal, []);
  return answers;
}

/** A store whose every value is replaced. */
class ReplacedStore extends MemoryRouteStore {
  readonly #change: (value: unknown) => JsonObject;

  constructor(change: (value: unknown) => JsonObject) {
    super();
    this.#change = change;
  }

  override async get(key: readonly string[]) {
    const item = await super.get(key);
    return item && { ...item, value: this.#change(item.value) };
  }
}

const GARBAGE: Readonly<Record<string, (value: unknown) => JsonObject>> = {
  "empty": () => ({}),
  "of a newer form": (value) => ({ ...value as JsonObject, v: 99 }),
  "of wrong types": (value) => Object.fromEntries(Object.keys(value as JsonObject).map((name) => [name, []])),
  "with __proto__": () => JSON.parse('{"__proto__":{"v":1},"constructor":{"prototype":{}}}'),
  "foreign and large": () => ({ hello: "x".repeat(50_000) }),
};

for (const [name, door] of Object.entries(GATEWAY_DOORS)) {
  for (const fault of FAULTS) {
    Deno.test(`K1 K4 a store that fails (${fault}): the same answers and one warning, at ${name}`, async () => {
      await using stack = new AsyncDisposableStack();
      const config = await startBoth(stack);
      const store = new FaultyRouteStore(Date.now);
      const warnings: string[] = [];
      store.fault = fault;
      const onWarning = (message: string) => void warnings.push(message);
      assertEquals(await live(config, door, store, { onWarning }), EXPECTED);
      assertEquals(warnings.length, fault === "none" ? 0 : 1, warnings.join("\n"));
      store.releaseHung();
    });
  }

  Deno.test(`K1 a database that is closed under the gateway: the same answers, at ${name}`, async () => {
    await using stack = new AsyncDisposableStack();
    const config = await startBoth(stack);
    const kv = await Deno.openKv(":memory:");
    const store = new KvRouteStore(kv);
    assertEquals(await live(config, door, store), EXPECTED);
    await using house = await openHouse(
      { agents: { Kairos: config } },
      { store, storeSecret: STORE_SECRET },
      {},
      store,
    );
    kv.close();
    assertEquals([await answersOf(house, door), house.internal], [EXPECTED, []]);
  });

  for (const [what, change] of Object.entries(GARBAGE)) {
    Deno.test(`K2 entries that are ${what}: the same answers, at ${name}`, async () => {
      await using stack = new AsyncDisposableStack();
      const config = await startBoth(stack);
      const store = new ReplacedStore(change);
      assertEquals(await live(config, door, store), EXPECTED);
      assertEquals(await live(config, door, store), EXPECTED, "and the next isolate");
    });
  }

  for (const offsetMs of [-HOUR_MS, HOUR_MS]) {
    Deno.test(`K3 a clock that is ${offsetMs / HOUR_MS} h off: the same answers, at ${name}`, async () => {
      await using stack = new AsyncDisposableStack();
      const config = await startBoth(stack);
      const store = new MemoryRouteStore();
      assertEquals(await live(config, door, store), EXPECTED);
      assertEquals(await live(config, door, store, { now: () => Date.now() + offsetMs }), EXPECTED);
      assertEquals(await live(config, door, store), EXPECTED, "and one whose clock is right after it");
    });
  }

  Deno.test(`K5 two gateways refresh at once: one list for each, and both see the change, at ${name}`, async () => {
    await using server = await startMCPServer({ name: "s" });
    const kv = await Deno.openKv(":memory:");
    const store = new KvRouteStore(kv);
    let nowMs = Date.now();
    const options = { store, storeSecret: STORE_SECRET, now: () => nowMs, toolsTtlMs: 1_000 };
    const config = { agents: { Kairos: { servers: { s: { url: server.url } } } } };
    await using one = await openHouse(config, options, {}, store);
    await using other = await openHouse(config, options, {}, store);
    const list = async (house: House) => await door.readList(await send(house, door.toList("Kairos")));
    const whoami = async (house: House) =>
      (await door.read(await send(house, door.toCall("Kairos", "whoami", {})))).text;
    assertEquals([await list(one), await whoami(other)], [["add", "echo", "whoami"], "s"]);
    const before = server.count("tools/list");
    nowMs += 1_001;
    await Promise.all([whoami(one), whoami(other), whoami(one), whoami(other)]);
    await until(() => server.count("tools/list") > before);
    assertEquals(await Promise.all([list(one), list(other)]), [await list(one), await list(one)]);
    // One for each isolate at most: a lease lets one of them ask for both.
    assertEquals(server.count("tools/list") - before <= 2, true, `${server.count("tools/list") - before}`);
    await Promise.all([one.manager.close(), other.manager.close()]);
    kv.close();
  });

  Deno.test(`K6 two tenants of a server of the same name that says cacheScope: public share nothing, at ${name}`, async () => {
    const tools = (tool: string): JsonObject => ({
      resultType: "complete",
      tools: [{ name: tool, inputSchema: { type: "object" } }],
      ttlMs: 60_000,
      cacheScope: "public",
    });
    const discover = answer({
      resultType: "complete",
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {} },
      serverInfo: { name: "same", version: "1.0.0" },
    });
    await using mine = startRawServer({ "server/discover": discover, "tools/list": answer(tools("of_kairos")) });
    await using theirs = startRawServer({ "server/discover": discover, "tools/list": answer(tools("of_mercurius")) });
    const kv = await Deno.openKv(":memory:");
    const store = new KvRouteStore(kv);
    const agents = {
      Kairos: { servers: { s: { url: mine.url } } },
      Mercurius: { servers: { s: { url: theirs.url } } },
    };
    for (let life = 0; life < 2; life++) {
      await using house = await openHouse({ agents }, { store, storeSecret: STORE_SECRET }, {}, store);
      const admin = { ...house, key: "a-key-of-Mercurius" };
      assertEquals(await door.readList(await send(house, door.toList("Kairos"))), ["of_kairos"]);
      assertEquals(await door.readList(await send(admin, door.toList("Mercurius"))), ["of_mercurius"]);
    }
    kv.close();
  });
}
