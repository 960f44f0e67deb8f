/**
 * The first screen: every agent with its servers, and what happened lately.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { Access } from "../callers/access.ts";
import type { Problem } from "../gateway/problem.ts";
import type { AgentStatus } from "../status.ts";
import { ActivityList } from "./activity_table.tsx";
import { type PageApi, toSegment } from "./api.ts";
import type { ActivityAnswer, ActivityItem, StatusAnswer } from "./api_types.ts";
import { formatCount } from "./figures.ts";
import { Sheet } from "./page_parts.tsx";
import { ServerTable } from "./server_table.tsx";
import { toId, type View, type ViewPart } from "./view.ts";
import { tallyServers, toHeadline } from "./words.ts";

/** How many entries stand beside the servers. */
const RECENT = 14;

/**
 * Loads the first screen.
 *
 * @param api The gateway's interface.
 * @param access Who looks.
 * @returns The screen.
 */
export async function loadOverview(api: PageApi, access: Access): Promise<View | Problem> {
  const [status, activity] = await Promise.all([
    api.get<StatusAnswer>("/status"),
    api.get<ActivityAnswer>(`/activity?limit=${RECENT}`),
  ]);
  if (!status.ok) return status.problem;
  const agents = Object.values(status.value.agents);
  const parts: ViewPart[] = [
    { id: "summary", node: <Summary agents={agents} access={access} /> },
    ...agents.map((agent) => ({ id: toId("agent", agent.agent), node: <AgentSection status={agent} /> })),
  ];
  if (activity.ok) {
    const items = activity.value.activity;
    parts.push({ id: "recent", node: <Recent items={items} showAgent={agents.length > 1} />, aside: true });
  }
  return { title: "Status", parts, agents };
}

function Summary(
  { agents, access }: { readonly agents: readonly AgentStatus[]; readonly access: Access },
): JSX.Element {
  const tally = tallyServers(agents.flatMap((agent) => Object.values(agent.servers)));
  const tools = agents.reduce((sum, agent) => sum + agent.totalTools, 0);
  return (
    <section id="summary" class="summary" aria-labelledby="headline">
      <div>
        <h1 id="headline" class={tally.bad > 0 ? "tone-bad" : undefined}>{toHeadline(tally)}</h1>
        <p class="facts">
          {formatCount(agents.length, "agent")} · {tally.good} of {formatCount(tally.all, "server")} connected ·{" "}
          {formatCount(tools, "tool")}
        </p>
      </div>
      {access.isAdmin && tally.bad > 0 && (
        <form method="post" action="/ui/reconnect" data-quiet="Connecting">
          <button type="submit">Reconnect all that are down</button>
        </form>
      )}
    </section>
  );
}

function AgentSection({ status }: { readonly status: AgentStatus }): JSX.Element {
  const { agent, connectedServers, totalServers, totalTools, shadowed } = status;
  const path = `/ui/agents/${toSegment(agent)}`;
  const facts = (
    <>
      {connectedServers} of {formatCount(totalServers, "server")} connected ·{" "}
      <a href={`${path}#tools`}>{formatCount(totalTools, "tool")}</a>
      {shadowed.length > 0 && <>{" "}· {shadowed.length} shadowed</>}
    </>
  );
  return (
    <Sheet id={toId("agent", agent)} title={<a href={path}>{agent}</a>} facts={facts}>
      <ServerTable status={status} />
    </Sheet>
  );
}

function Recent(
  { items, showAgent }: { readonly items: readonly ActivityItem[]; readonly showAgent: boolean },
): JSX.Element {
  return (
    <Sheet id="recent" title="Activity" facts={<a href="/ui/activity">All of it</a>}>
      <ActivityList items={items} showAgent={showAgent} isShort />
    </Sheet>
  );
}
