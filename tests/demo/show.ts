/**
 * The parts of the demo, in the order in which a person reads them.
 *
 * @module
 */

import type { AgentStatus, MCPClientManager, ServerStatus } from "../../mod.ts";
import { DEMO_SERVERS, type DemoServers, startDemoServers } from "./demo_servers.ts";
import { LiveList } from "./live_list.ts";
import type { Cell, Column, Screen } from "./screen.ts";

/** How long each server took to be ready or to fail, in milliseconds, by agent and server. */
export type Timings = ReadonlyMap<string, number>;

const COLUMNS: readonly Column[] = [
  { heading: "AGENT" },
  { heading: "SERVER" },
  { heading: "STATE" },
  { heading: "TRANSPORT" },
  { heading: "PROTOCOL" },
  { heading: "TOOLS", align: "right" },
  { heading: "MS", align: "right" },
  { heading: "ERROR" },
];

/** Starts the five servers and shows how they come up. */
export async function showServers(screen: Screen, signal: AbortSignal): Promise<DemoServers> {
  screen.heading("Starting five servers on loopback");
  const width = longest(Object.keys(DEMO_SERVERS));
  using list = new LiveList(screen, mapValues(DEMO_SERVERS, (_, name) => name.padEnd(width)));
  return await startDemoServers({
    signal,
    onStarted: (name, url) => list.settle(name, "ok", `${url.padEnd(27)}  ${screen.paint(DEMO_SERVERS[name], "dim")}`),
    onDownload: (name) => list.note(name, "fetching @modelcontextprotocol/server-everything from npm"),
  });
}

/** Connects all agents at once and shows each server as it settles. */
export async function showConnections(
  screen: Screen,
  manager: MCPClientManager,
  signal: AbortSignal,
): Promise<Timings> {
  const servers = manager.agents.flatMap((agent) => manager.openClient(agent).servers.map((name) => [agent, name]));
  const width = longest(servers.map(([, server]) => server ?? ""));
  const agentWidth = longest(manager.agents);
  const labels = servers.map(([agent = "", server = ""]) =>
    [keyOf(agent, server), `${agent.padEnd(agentWidth)}  ${server.padEnd(width)}`] as const
  );
  const timings = new Map<string, number>();
  screen.heading("Connecting, all at once");
  using list = new LiveList(screen, Object.fromEntries(labels));
  const startedAt = performance.now();
  await Promise.all(manager.agents.map((agent) => {
    const onServerSettled = (status: ServerStatus) => {
      if (signal.aborted) return;
      const ms = Math.ceil(performance.now() - startedAt);
      timings.set(keyOf(agent, status.server), ms);
      const note = `${String(ms).padStart(5)} ms  ${describe(status)}`;
      list.settle(keyOf(agent, status.server), status.state === "connected" ? "ok" : "failed", note);
    };
    return manager.addClient(agent, undefined, { signal, onServerSettled });
  }));
  return timings;
}

/** Shows the status of all agents as a table, and what the numbers mean. */
export function showStatus(screen: Screen, summary: Readonly<Record<string, AgentStatus>>, timings: Timings): void {
  screen.heading("Status");
  const rows = Object.entries(summary).flatMap(([agent, { servers }]) =>
    Object.values(servers).map((status) => toRow(agent, status, timings.get(keyOf(agent, status.server))))
  );
  screen.table(COLUMNS, rows);
  screen.print("");
  for (const [agent, { servers, connectedServers, totalServers, totalTools }] of Object.entries(summary)) {
    const connected = Object.values(servers).filter(({ state }) => state === "connected");
    const lastMs = Math.max(0, ...connected.map(({ server }) => timings.get(keyOf(agent, server)) ?? 0));
    const counts = `${connectedServers} of ${totalServers} servers connected after ${lastMs} ms, ${totalTools} tools`;
    screen.print(`  ${agent}: ${counts}`);
  }
}

/** Shows how to go on from here. */
export function showCommands(screen: Screen, origin: string): void {
  const agent = `${origin}/agents/Kairos`;
  const commands = [
    ["page", `open ${origin}/ in a browser`],
    ["status", `curl ${origin}/status`],
    ["tools", `curl ${agent}/tools`],
    ["call", `curl ${agent}/tools/tide --json '{"harbour":"Genoa","hour":9}'`],
    ["route", `curl ${agent}/routes/echo`],
    ["retry", `curl -X POST '${agent}/reconnect?server=silent'`],
  ] as const;
  screen.heading("Go on with");
  const width = longest(commands.map(([what]) => what));
  for (const [what, command] of commands) screen.print(`  ${screen.paint(what.padEnd(width), "dim")}  ${command}`);
}

function describe({ state, toolCount = 0, transport, lastError }: ServerStatus): string {
  if (state !== "connected") return lastError?.code ?? state;
  return `${String(toolCount).padStart(2)} tools over ${transport}`;
}

function toRow(agent: string, status: ServerStatus, ms: number | undefined): readonly Cell[] {
  const { server, state, transport, protocolVersion, toolCount, lastError } = status;
  const isConnected = state === "connected";
  return [
    agent,
    server,
    { text: state, colour: isConnected ? "green" : "red" },
    transport ?? "-",
    protocolVersion ?? "-",
    String(toolCount ?? "-"),
    String(ms ?? "-"),
    isConnected || lastError === undefined ? "-" : { text: lastError.code, colour: "red" },
  ];
}

function keyOf(agent: string, server: string): string {
  return `${agent}/${server}`;
}

function longest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length));
}

function mapValues<T>(record: Readonly<Record<string, T>>, map: (value: T, key: string) => string) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
