/**
 * The screen of one agent: what changed, its tools, its servers.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { Access } from "../callers/access.ts";
import { headOf } from "../models/cut_text.ts";
import type { Problem } from "../gateway/problem.ts";
import type { AgentStatus } from "../status.ts";
import { type Answer, LIST_HEADERS, type PageApi, toSegment } from "./api.ts";
import type { PinsAnswer, ToolsAnswer } from "./api_types.ts";
import { formatCount } from "./figures.ts";
import { ProblemBox, Sheet } from "./page_parts.tsx";
import { PinList } from "./pin_list.tsx";
import { ServerTable } from "./server_table.tsx";
import { ToolList } from "./tool_list.tsx";
import type { View, ViewPart } from "./view.ts";
import { tallyServers, toHeadline } from "./words.ts";

/** How much of a description is kept: it is shown in part, and searched. */
const MAX_ABOUT_CHARS = 2_000;

/** What a screen that follows an agent has been told of its tools: servers are not asked again before that changes. */
export interface KnownTools {
  /** What the status said of the lists when they were asked for. */
  signature?: string;
  /** The tools. */
  tools?: Answer<ToolsAnswer>;
  /** Those that changed. */
  pins?: Answer<PinsAnswer>;
}

/** What is looked at. */
export interface AgentViewOptions {
  /** The agent. */
  readonly agent: string;
  /** Which tools are looked for; empty for all. */
  readonly wanted: string;
  /** Kept from one look to the next, where there are several. */
  readonly known?: KnownTools | undefined;
}

/**
 * Loads the screen of an agent.
 *
 * @param api The gateway's interface.
 * @param access Who looks.
 * @param options What is looked at.
 * @returns The screen.
 */
export async function loadAgentView(
  api: PageApi,
  access: Access,
  { agent, wanted, known = {} }: AgentViewOptions,
): Promise<View | Problem> {
  const path = `/agents/${toSegment(agent)}`;
  let status = await api.get<AgentStatus>(`${path}/status`);
  if (!status.ok) return status.problem;
  if (known.tools === undefined || known.signature !== toSignature(status.value)) {
    known.tools = withoutSchemas(await api.get<ToolsAnswer>(`${path}/tools`, LIST_HEADERS));
    known.pins = await api.get<PinsAnswer>(`${path}/pins`, LIST_HEADERS);
    // What listing has found out is in it now.
    status = await api.get<AgentStatus>(`${path}/status`);
    if (!status.ok) return status.problem;
    known.signature = toSignature(status.value);
  }
  const { tools, pins } = known;
  const changed = pins?.ok === true ? pins.value.tools : [];
  const parts: ViewPart[] = [
    { id: "summary", node: <Summary status={status.value} /> },
    {
      id: "pins",
      node: (
        <Sheet id="pins" title="Tools that changed" isHidden={changed.length === 0} facts={String(changed.length)}>
          <PinList agent={agent} pins={changed} isAdmin={access.isAdmin} />
        </Sheet>
      ),
    },
    {
      id: "servers",
      node: (
        <Sheet id="servers" title="Servers" facts={formatCount(status.value.totalServers, "server")}>
          <ServerTable status={status.value} />
        </Sheet>
      ),
    },
    {
      id: "tools",
      node: (
        <Sheet id="tools" title="Tools">
          {tools.ok
            ? <ToolList status={status.value} tools={tools.value.tools} pins={changed} wanted={wanted} />
            : <ProblemBox problem={tools.problem} />}
        </Sheet>
      ),
    },
  ];
  return { title: agent, parts, agents: [status.value] };
}

/** A screen is kept for hours, and schemas have most of the megabytes of a list: none is shown there. */
function withoutSchemas(answer: Answer<ToolsAnswer>): Answer<ToolsAnswer> {
  if (!answer.ok) return answer;
  const tools = answer.value.tools.map(({ tool, ...owned }) => {
    const { name, title, description, annotations } = tool;
    const about = description === undefined ? {} : { description: headOf(description, MAX_ABOUT_CHARS) };
    return {
      ...owned,
      tool: {
        name,
        ...(title !== undefined && { title }),
        ...about,
        ...(annotations && { annotations }),
        inputSchema: {},
      },
    };
  });
  return { ...answer, value: { ...answer.value, tools } };
}

/** Changes when the tools do, as far as the status tells. A server that stays down changes nothing. */
function toSignature({ servers, totalTools, shadowed }: AgentStatus): string {
  const lists = Object.values(servers).map((server) => {
    const { state, toolCount, toolsChangedAtMs, changedTools, withheldTools } = server;
    return [state === "connected", toolCount, toolsChangedAtMs, changedTools, withheldTools];
  });
  return JSON.stringify([lists, totalTools, shadowed]);
}

function Summary({ status }: { readonly status: AgentStatus }): JSX.Element {
  const { agent, totalServers, connectedServers, totalTools } = status;
  const tally = tallyServers(Object.values(status.servers));
  return (
    <section id="summary" class="summary" aria-labelledby="headline">
      <div>
        <p class="crumbs">
          <a href="/">Status</a> / agent
        </p>
        <h1 id="headline">{agent}</h1>
        <p class="facts">
          {toHeadline(tally)} · {connectedServers} of {totalServers} connected · {formatCount(totalTools, "tool")}
        </p>
      </div>
      {tally.bad > 0 && (
        <form method="post" action={`/ui/agents/${toSegment(agent)}/reconnect`} data-quiet="Connecting">
          <button type="submit">Reconnect all that are down</button>
        </form>
      )}
    </section>
  );
}
