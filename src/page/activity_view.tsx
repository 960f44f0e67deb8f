/**
 * The screen of what happened in the last minutes.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { Problem } from "../gateway/problem.ts";
import { ActivityList, isWanted, type OutcomeFilter, OUTCOMES } from "./activity_table.tsx";
import type { PageApi } from "./api.ts";
import type { ActivityAnswer, StatusAnswer } from "./api_types.ts";
import { formatCount } from "./figures.ts";
import { Sheet } from "./page_parts.tsx";
import type { View } from "./view.ts";

/** How much is asked for. */
const LIMIT = 200;

const WORDS: Readonly<Record<OutcomeFilter, string>> = {
  all: "Everything",
  calls: "Calls",
  failures: "What failed",
  servers: "Servers",
};

/** What is looked for. */
export interface ActivityViewOptions {
  /** Of which agent; empty for all. */
  readonly agent: string;
  /** Of which kind. */
  readonly outcome: OutcomeFilter;
}

/**
 * Reads what is looked for.
 *
 * @param text What came in the address.
 * @returns The kind; everything where it is none.
 */
export function parseOutcome(text: string | undefined): OutcomeFilter {
  return OUTCOMES.find((outcome) => outcome === text) ?? "all";
}

/**
 * Loads the screen.
 *
 * @param api The gateway's interface.
 * @param options What is looked for.
 * @returns The screen.
 */
export async function loadActivityView(api: PageApi, options: ActivityViewOptions): Promise<View | Problem> {
  const { agent, outcome } = options;
  const query = new URLSearchParams({ limit: String(LIMIT), ...(agent !== "" && { agent }) });
  const [status, activity] = await Promise.all([
    api.get<StatusAnswer>("/status"),
    api.get<ActivityAnswer>(`/activity?${query}`),
  ]);
  if (!status.ok) return status.problem;
  if (!activity.ok) return activity.problem;
  const items = activity.value.activity.filter((item) => isWanted(item, outcome));
  const agents = Object.keys(status.value.agents);
  return {
    title: "Activity",
    agents: [],
    parts: [
      { id: "summary", node: <Choice agents={agents} options={options} /> },
      {
        id: "entries",
        node: (
          <Sheet id="entries" title="Entries" facts={formatCount(items.length, "entry", "entries")}>
            <ActivityList items={items} showAgent={agents.length > 1} />
          </Sheet>
        ),
      },
    ],
  };
}

function Choice(
  { agents, options }: { readonly agents: readonly string[]; readonly options: ActivityViewOptions },
): JSX.Element {
  return (
    <section id="summary" class="summary" aria-labelledby="headline">
      <div>
        <h1 id="headline">Activity</h1>
        <p class="facts">The last calls and events of this instance, newest first. Times of your browser.</p>
      </div>
      <form class="choice" method="get" action="/ui/activity">
        <label for="agent">Agent</label>
        <select id="agent" name="agent">
          <option value="">All</option>
          {agents.map((name) => <option key={name} value={name} selected={name === options.agent}>{name}</option>)}
        </select>
        <label for="outcome">Show</label>
        <select id="outcome" name="outcome">
          {OUTCOMES.map((one) => <option key={one} value={one} selected={one === options.outcome}>{WORDS[one]}
          </option>)}
        </select>
        <button type="submit">Show</button>
      </form>
    </section>
  );
}
