import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RequestError } from "../../src/gateway/request_error.ts";
import { CONFIG_MAX_AGE_MS } from "../../src/reload/kept_config.ts";
import { until } from "../support/client_support.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";
import type { RouteStore } from "../../src/route_store.ts";
import { CONFIG_SECRET, openIsolate, type TestIsolateOptions, toYaml } from "../support/kept_config.ts";

const START_MS = 1_800_000_000_000;

function createStore() {
  const clock = { nowMs: START_MS };
  const now = () => clock.nowMs;
  const store = new FaultyRouteStore(now);
  const open = (options: Partial<TestIsolateOptions> = {}) => openIsolate({ store, now, ...options });
  return { clock, store, open };
}

Deno.test("KeptConfig.write() serves a configuration here at once, and elsewhere within the stated time", async () => {
  const { open, clock, store } = createStore();
  const [one, two] = [await open(), await open()];
  const { difference, version, effectiveWithinMs } = await one.kept.write(toYaml("second"));
  const servers = { added: ["second"], removed: ["first"], changed: [] };
  assertEquals(difference.changed.map((agent) => agent.servers), [servers]);
  assertEquals([one.servers(), two.servers(), effectiveWithinMs], [["second"], ["first"], CONFIG_MAX_AGE_MS]);
  const before = store.operations.length;
  two.kept.poll();
  assertEquals(store.operations.length, before, "not before it is time to");
  clock.nowMs += CONFIG_MAX_AGE_MS;
  two.kept.poll();
  await until(() => two.servers()[0] === "second");
  assertEquals(two.said, [
    'Configuration taken: agent "Kairos" changed: server "second" added, server "first" removed',
  ]);
  const state = await two.kept.read();
  assertEquals(state, {
    source: "store",
    version,
    writtenAt: new Date(START_MS).toISOString(),
    text: toYaml("second"),
    inUse: true,
  });
  assertEquals((await open()).servers(), ["second"], "also by one that starts");
});

Deno.test("KeptConfig.poll() reads no more than a head where nothing is new", async () => {
  const { open, clock, store } = createStore();
  const one = await open();
  await one.kept.write(toYaml("second"));
  clock.nowMs += CONFIG_MAX_AGE_MS;
  const before = store.operations.length;
  one.kept.poll();
  await one.keeper.inTurn(() => Promise.resolve());
  assertEquals([store.operations.slice(before), one.said.length], [["get"], 1]);
});

Deno.test("KeptConfig.write() refuses what has faults, cannot be served, or holds secrets, and keeps nothing", async () => {
  const { open, store } = createStore();
  const { kept, servers } = await open();
  const refused = [
    ["agents: {", 0, ""],
    ["servers: { a: { url: ftp://x } }\nagents: { A: { servers: [b] } }", 2, "servers.a.url"],
    ["agents: { Forbidden: { servers: {} } }", 1, "agents.Forbidden"],
    [toYaml("x", "limits: { callsPerMinute: -1 }"), 1, "limits.callsPerMinute"],
    [
      'servers: { a: { url: "http://localhost:1/mcp", headers: { authorization: hunter22 } } }\nagents: { A: { servers: [a] } }',
      1,
      "servers.a.headers.authorization",
    ],
    ["", 1, ""],
  ] as const;
  for (const [text, count, path] of refused) {
    const error = await assertRejects(() => kept.write(text), RequestError);
    assertEquals(error.code, "config_refused");
    assert(error.faults.length >= count && error.faults[0]?.path === path, JSON.stringify(error.faults));
  }
  const error = await assertRejects(() => kept.write("x".repeat(300_000)), RequestError);
  assertEquals([error.code, servers(), store.memory.size], ["body_too_large", ["first"], 0]);
});

Deno.test("KeptConfig.write() with dryRun tells what would be different, and changes nothing", async () => {
  const { open, store } = createStore();
  const { kept, servers, said } = await open();
  const change = await kept.write(toYaml("second"), { dryRun: true });
  assertEquals([change.version, change.difference.changed.length], [undefined, 1]);
  assertEquals([servers(), store.memory.size, said], [["first"], 0, []]);
  assertEquals(
    (await assertRejects(() => kept.write("agents: 7", { dryRun: true }), RequestError)).code,
    "config_refused",
  );
  await kept.write(toYaml("second"));
  assertEquals((await kept.remove({ dryRun: true })).difference.changed.length, 1);
  assertEquals(servers(), ["second"]);
});

Deno.test("KeptConfig goes on with the last good one where an isolate refuses the newest, and says why once", async () => {
  const { open, clock } = createStore();
  const env = { TOKEN: "hunter22" };
  const [whole, bare] = [await open({ env }), await open()];
  await whole.kept.write(toYaml("second"));
  clock.nowMs += CONFIG_MAX_AGE_MS;
  await bare.kept.refresh();
  const headers = '{ authorization: "Bearer ${env:TOKEN}" }';
  const third =
    `servers: { third: { url: "https://third.example.com/mcp", headers: ${headers} } }\nagents: { Kairos: { servers: [third] } }`;
  await whole.kept.write(third);
  for (let times = 0; times < 3; times++) {
    clock.nowMs += CONFIG_MAX_AGE_MS;
    await bare.kept.refresh();
  }
  assertEquals([whole.servers(), bare.servers()], [["third"], ["second"]]);
  assertEquals(bare.said.length, 2);
  assertStringIncludes(bare.said[1] ?? "", "servers.third.headers.authorization: ");
  const state = await bare.kept.read();
  assertEquals([state.inUse, state.text], [false, third]);
  assertStringIncludes(state.fault ?? "", "servers.third.headers.authorization");

  const started = await open();
  assertEquals(started.servers(), ["second"], "one that starts takes the one before");
  assertEquals((await started.kept.read()).inUse, false);
  await whole.kept.write(toYaml("fourth"));
  await started.kept.refresh();
  assertEquals(started.servers(), ["fourth"]);
});

Deno.test("KeptConfig.refresh() with force reads the environment anew", async () => {
  const { open } = createStore();
  const env: Record<string, string> = {};
  const bare = await open({ env });
  const whole = await open({ env: { HOST: "x.example.com" } });
  await whole.kept.write('servers: { x: { url: "https://${env:HOST}/mcp" } }\nagents: { Kairos: { servers: [x] } }');
  await bare.kept.refresh();
  assertEquals(bare.servers(), ["first"]);
  env.HOST = "x.example.com";
  await bare.kept.refresh();
  assertEquals(bare.servers(), ["first"]);
  await bare.kept.refresh({ force: true });
  assertEquals(bare.servers(), ["x"]);
});

Deno.test("KeptConfig.remove() goes back to the environment, everywhere", async () => {
  const { open, clock } = createStore();
  const [one, two] = [await open(), await open({ text: toYaml("other") })];
  const { version } = await one.kept.write(toYaml("second"));
  await two.kept.refresh();
  const wrong = { ifVersion: crypto.randomUUID() };
  assertEquals((await assertRejects(() => one.kept.remove(wrong), RequestError)).code, "config_changed");
  const change = await one.kept.remove({ ifVersion: version });
  clock.nowMs += CONFIG_MAX_AGE_MS;
  await two.kept.refresh();
  assertEquals([change.version, one.servers(), two.servers()], [undefined, ["first"], ["other"]]);
  assertEquals(await one.kept.read(), { source: "text", inUse: true });
});

Deno.test("KeptConfig goes on where everything in the store is lost, and where the store does not answer", async () => {
  const { open, store, clock } = createStore();
  const one = await open();
  await one.kept.write(toYaml("second"));
  await store.memory.delete(["config", "v1"]);
  await one.kept.refresh();
  assertEquals(one.servers(), ["second"]);
  for (const fault of ["rejects", "throws", "hangs"] as const) {
    store.fault = fault;
    clock.nowMs += CONFIG_MAX_AGE_MS;
    await one.kept.refresh();
    for (const work of [() => one.kept.read(), () => one.kept.write(toYaml("third")), () => one.kept.remove()]) {
      assertEquals((await assertRejects(work, RequestError)).code, "config_unavailable");
    }
    assertEquals(one.servers(), ["second"]);
  }
  const started = await open();
  assertEquals(started.servers(), ["first"]);
  assertStringIncludes(started.said[0] ?? "", "as the store does not answer: the text holds until it does");
  store.releaseHung();
  store.fault = "none";
  await one.kept.write(toYaml("third"));
  await started.kept.refresh();
  assertEquals(started.servers(), ["third"]);
});

Deno.test("KeptConfig cannot read what was encrypted with another secret, and says so", async () => {
  const { open } = createStore();
  await (await open()).kept.write(toYaml("second"));
  const stranger = await open({ secret: new TextEncoder().encode("quite another secret") });
  assertEquals(stranger.servers(), ["first"]);
  assertStringIncludes(stranger.said.join(), "PORTOLAN_STORE_SECRET is another than it was");
  assertEquals(CONFIG_SECRET.byteLength >= 16, true);
});

Deno.test("KeptConfig begins with the newest although one reading of it fails: the one before would open what was closed", async () => {
  const { open, store } = createStore();
  const one = await open();
  await one.kept.write(toYaml("second"));
  const { version } = await one.kept.write(toYaml("third"));
  let failures = 1;
  const flaky: RouteStore = {
    get: (key) => {
      if (key.includes(String(version)) && failures-- > 0) return Promise.reject(new Error("locked"));
      return store.get(key);
    },
    set: (...args) => store.set(...args),
    delete: (...args) => store.delete(...args),
  };
  const started = await open({ store: flaky });
  assertEquals([failures < 0, started.servers()], [true, ["third"]]);
});

Deno.test("KeptConfig says once of a text that it cannot read, however often it looks", async () => {
  const { open, clock } = createStore();
  await (await open()).kept.write(toYaml("second"));
  const stranger = await open({ secret: new TextEncoder().encode("quite another secret") });
  const said = stranger.said.length;
  for (let looks = 0; looks < 3; looks++) {
    clock.nowMs += CONFIG_MAX_AGE_MS;
    await stranger.kept.refresh();
  }
  assertEquals(stranger.said.length, said);
});
