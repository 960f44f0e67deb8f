/**
 * `portolan tools`: what there is to call.
 *
 * @module
 */

import { ToolSearch } from "../../models/tool_search.ts";
import type { OwnedTool } from "../../status.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import { safeLine } from "../safe_text.ts";
import type { SessionFlags } from "../session.ts";

/** The options of the command. */
export interface ToolsFlags extends SessionFlags {
  /** Words to look for. */
  readonly search?: string | undefined;
}

const MAX_FOUND = 20;
const COLUMNS = [{ header: "TOOL" }, { header: "SERVER" }, { header: "ARGUMENTS" }, { header: "DESCRIPTION" }];

/** Lists the tools of one agent or of all, or those that words find, best first. */
export const tools = toCommand(async (session, { search }: ToolsFlags, agent?: string) => {
  await using agents = await session.openAgents();
  const { request, output } = session;
  const lists = await session.waiting("Asking the servers …", async () => {
    const names = agent === undefined ? await agents.names(request) : [agent];
    return await Promise.all(names.map(async (name) => ({ agent: name, tools: await agents.tools(name, request) })));
  });
  const found = lists.map(({ agent, tools }) => ({ agent, tools: search === undefined ? tools : find(tools, search) }));
  if (output.isJson) {
    output.json(agent === undefined ? { agents: found } : found[0]);
    return EXIT.ok;
  }
  for (const { agent: name, tools } of found) {
    output.line(
      `${output.paint("bold", safeLine(name))}: ${tools.length} tools${search === undefined ? "" : " found"}`,
    );
    if (tools.length > 0) output.table(COLUMNS, tools.map(toRow));
  }
  return EXIT.ok;
});

function find(tools: readonly OwnedTool[], words: string): readonly OwnedTool[] {
  const owned = new Map(tools.map((one) => [{ ...one.tool, name: one.name }, one]));
  const found = new ToolSearch([...owned.keys()]).search(words, { limit: MAX_FOUND });
  return found.flatMap(({ tool }) => owned.get(tool) ?? []);
}

function toRow({ name, server, tool }: OwnedTool): readonly string[] {
  const { properties, required } = tool.inputSchema ?? {};
  const names = Object.keys(properties ?? {}).map((key) => {
    return Array.isArray(required) && required.includes(key) ? key : `[${key}]`;
  });
  return [name, server, safeLine(names.join(" "), 40), String(tool.description ?? tool.title ?? "")];
}
