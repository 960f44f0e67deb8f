/**
 * `portolan status`: which servers are up, and why others are not.
 *
 * @module
 */

import type { AgentStatus, ServerStatus } from "../../status.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import type { Output } from "../output.ts";
import { safeLine } from "../safe_text.ts";
import type { Cell } from "../table.ts";

const COLUMNS = [
  { header: "SERVER" },
  { header: "STATE" },
  { header: "ERA" },
  { header: "TRANSPORT" },
  { header: "TOOLS", right: true },
  { header: "LATENCY", right: true },
];

const STATE_STYLES = { connected: "green", failed: "red", connecting: "yellow", idle: "dim", closed: "dim" } as const;

/** Tells the status of one agent or of all; ends with 1 where a server is down. */
export const status = toCommand(async (session, _flags: object, agent?: string) => {
  await using agents = await session.openAgents();
  const all = await session.waiting("Asking the servers …", () => agents.status(agent, session.request));
  const { output } = session;
  if (output.isJson) output.json(agent === undefined ? { agents: all } : all[agent]);
  else for (const [name, one] of Object.entries(all)) writeAgent(name, one, output);
  const servers = Object.values(all).flatMap((one) => Object.values(one.servers));
  return servers.some(isDown) ? EXIT.failed : EXIT.ok;
});

function isDown({ state, breaker }: ServerStatus): boolean {
  return state === "failed" || breaker === "open";
}

function writeAgent(name: string, status: AgentStatus, output: Output): void {
  const { connectedServers, totalServers, totalTools, shadowed = [] } = status;
  const summary = `${connectedServers} of ${totalServers} servers connected, ${totalTools} tools`;
  output.line(`${output.paint("bold", safeLine(name))}: ${summary}`);
  const servers = Object.values(status.servers);
  if (servers.length > 0) output.table(COLUMNS, servers.map(toRow));
  // Below, where there is room: a reason that is cut helps nobody.
  for (const server of servers) {
    for (const note of notesOf(server)) {
      output.line(output.paint("yellow", `  ${safeLine(`${server.server}: ${note}`)}`));
    }
  }
  for (const { tool, owner, server, exposedAs } of shadowed) {
    const whose = owner === undefined ? "nobody's" : `that of "${owner}"`;
    output.line(safeLine(`  "${tool}" is ${whose}; call that of "${server}" as "${exposedAs}"`));
  }
}

function notesOf(server: ServerStatus): readonly string[] {
  const { breaker, lastError, warnings = [] } = server;
  return [
    ...(breaker === "open" ? ["kept failing and is left alone for a while"] : []),
    ...(isDown(server) && lastError !== undefined ? [`${lastError.code}: ${lastError.message}`] : []),
    ...warnings,
  ];
}

function toRow({ server, state, era, transport, toolCount, latencyMs }: ServerStatus): readonly Cell[] {
  const tools = toolCount === undefined ? "" : String(toolCount);
  const latency = latencyMs === undefined ? "" : `${Math.round(latencyMs)} ms`;
  return [server, [state, STATE_STYLES[state] ?? "dim"], era ?? "", transport ?? "", tools, latency];
}
