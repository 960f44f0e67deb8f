/**
 * `portolan routes`: who owns a tool's name, and why.
 *
 * @module
 */

import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import { safeLine } from "../safe_text.ts";
import type { SessionFlags } from "../session.ts";

/** Explains where a call of a tool would go; nothing is called. */
export const routes = toCommand(async (session, _flags: SessionFlags, agent: string, tool: string) => {
  await using agents = await session.openAgents();
  const route = await session.waiting("Asking the servers …", () => agents.route(agent, tool, session.request));
  const { output } = session;
  if (output.isJson) {
    output.json(route);
    return EXIT.ok;
  }
  const { name, server, reason, route: source, ageMs, fresh, shadowedServers } = route;
  const row = (label: string, value: string) => {
    output.line(`  ${output.paint("dim", label.padEnd(9))} ${safeLine(value)}`);
  };
  output.line(`${output.paint("bold", safeLine(name))} goes to ${output.paint("cyan", safeLine(server))}`);
  row("tool", route.tool);
  row("because", reason);
  row("known by", `${source}, ${Math.round(ageMs / 1_000)} s old, ${fresh ? "fresh" : "past its time"}`);
  if (shadowedServers.length > 0) row("also in", shadowedServers.join(", "));
  return EXIT.ok;
});
