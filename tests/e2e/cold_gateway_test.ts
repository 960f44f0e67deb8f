import { assertEquals } from "@std/assert";
import { methodsSince } from "../support/cold_support.ts";
import { type GatewayProcess, startGateway } from "../support/gateway_process.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { askLegacy, askModern } from "../support/northbound_support.ts";
import type { RecordedRequest } from "../support/recorder.ts";
import { textResult } from "../support/test_tools.ts";

/** How many calls come at once. */
const AT_ONCE = 8;

/** A server of either era. */
interface Upstream extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  hangNext(rpcMethod: string, times?: number): void;
}

type Start = (name: string) => Promise<Upstream>;

const STARTS: Readonly<Record<string, Start>> = {
  legacy: (name) => {
    const tool = `ask_${name}`;
    return startMCPServer({ name, tools: [{ name: tool, run: () => textResult(`${tool} ran`) }] });
  },
  modern: (name) => {
    const tool = `ask_${name}`;
    return Promise.resolve(startModernServer({ name, tools: [{ name: tool, run: () => `${tool} ran` }] }));
  },
};

/** An agent of three servers behind a gateway whose database lasts longer than its processes. */
async function createAgent(start: Start) {
  const stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const upstreams: Upstream[] = [];
  for (const name of ["one", "two", "three"]) upstreams.push(stack.use(await start(name)));
  const servers = Object.fromEntries(upstreams.map(({ url }, index) => [`server${index}`, { url }]));
  const config = JSON.stringify({ agents: { Kairos: { servers } } });
  const env = { PORTOLAN_KV: `${folder}/routes.db`, PORTOLAN_STORE_SECRET: "a secret of more than 16 bytes" };
  return {
    upstreams,
    /** A process that asks nobody before it is called. */
    gateway: () => startGateway(config, { env: { ...env, PORTOLAN_CONNECT: "lazy" } }),
    /** A process that connects to everything, leaves what it learned in the database, and is gone. */
    async fill() {
      await using gateway = await startGateway(config, { env: { ...env, PORTOLAN_CONNECT: "eager" } });
      await gateway.ready();
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The ways to call a tool; each tells the status and who answered. */
const DOORS: Readonly<Record<string, (gateway: GatewayProcess, tool: string) => Promise<readonly unknown[]>>> = {
  "REST": async (gateway, tool) => (await call(gateway, tool)).slice(0, 2),
  "MCP, legacy": async ({ origin }, tool) => {
    const { status, last } = await askLegacy(`${origin}/agents/Kairos/mcp`, "tools/call", { name: tool });
    return [status, last.result.content[0].text];
  },
  "MCP, modern": async ({ origin }, tool) => {
    const { status, last } = await askModern(`${origin}/agents/Kairos/mcp`, "tools/call", { name: tool });
    return [status, last.result.content[0].text];
  },
};

/** Calls a tool by REST. */
async function call(gateway: GatewayProcess, tool: string): Promise<readonly unknown[]> {
  const response = await fetch(`${gateway.origin}/agents/Kairos/tools/${tool}`, { method: "POST" });
  const { server, route } = await response.json();
  return [response.status, server, route];
}

/** Calls the last server's tool several times at once; who comes last may find the owner known already. */
async function callAtOnce(gateway: GatewayProcess): Promise<void> {
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => call(gateway, "ask_three")));
  assertEquals(answers.map(([status, server]) => [status, server]), Array(AT_ONCE).fill([200, "server2"]));
}

/** What each server received since there were so many requests. */
function since(upstreams: readonly Upstream[], counts: readonly number[]): readonly (readonly string[])[] {
  return upstreams.map((upstream, index) => methodsSince(upstream, counts[index]));
}

for (const [era, start] of Object.entries(STARTS)) {
  for (const [door, callBy] of Object.entries(DOORS)) {
    Deno.test(`A fresh gateway with a warm KV file answers its first call in exactly one upstream request: ${era}, ${door}`, async () => {
      await using agent = await createAgent(start);
      await agent.fill();
      const counts = agent.upstreams.map(({ requests }) => requests.length);
      await using gateway = await agent.gateway();
      // A bare name of the last server: every other server could own it.
      assertEquals(await callBy(gateway, "ask_three"), [200, door === "REST" ? "server2" : "ask_three ran"]);
      assertEquals(since(agent.upstreams, counts), [[], [], ["tools/call"]]);
    });
  }

  Deno.test(`A fresh gateway with a warm KV file answers ${AT_ONCE} first calls in as many upstream requests: ${era}`, async () => {
    await using agent = await createAgent(start);
    await agent.fill();
    const counts = agent.upstreams.map(({ requests }) => requests.length);
    await using gateway = await agent.gateway();
    await callAtOnce(gateway);
    assertEquals(since(agent.upstreams, counts), [[], [], Array(AT_ONCE).fill("tools/call")]);
  });

  Deno.test(`A gateway without anything kept connects to and lists each server once for ${AT_ONCE} first calls: ${era}`, async () => {
    await using agent = await createAgent(start);
    await using gateway = await agent.gateway();
    await callAtOnce(gateway);
    const handshake = era === "legacy" ? ["server/discover", "initialize", "notifications/initialized"] : [
      "server/discover",
    ];
    const asked = [...handshake, "tools/list"];
    assertEquals(since(agent.upstreams, [0, 0, 0]), [asked, asked, [...asked, ...Array(AT_ONCE).fill("tools/call")]]);
  });
}

Deno.test("A fresh gateway with a list past its time answers first, and asks for the list after that", async () => {
  const upstreams = new Set<Upstream>();
  await using agent = await createAgent((name) => {
    const upstream = startModernServer({ name, tools: [{ name: `ask_${name}` }], ttlMs: 0 });
    upstreams.add(upstream);
    return Promise.resolve(upstream);
  });
  await agent.fill();
  const counts = agent.upstreams.map(({ requests }) => requests.length);
  for (const upstream of upstreams) upstream.hangNext("tools/list");
  await using gateway = await agent.gateway();
  assertEquals(await call(gateway, "ask_three"), [200, "server2", "cache"]);
  const received = () => since(agent.upstreams, counts)[2] ?? [];
  while (received().length < 2) await (await fetch(`${gateway.origin}/healthz`)).body?.cancel();
  assertEquals(received(), ["tools/call", "tools/list"]);
});
