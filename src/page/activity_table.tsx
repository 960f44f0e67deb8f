/**
 * What happened in the last minutes.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import { toSegment } from "./api.ts";
import type { ActivityItem, CallEntry, EventEntry } from "./api_types.ts";
import { formatSpan } from "./figures.ts";
import { Mark, Moment } from "./page_parts.tsx";
import { ROUTE_WORDS, type Tone } from "./words.ts";

/** What can be looked for. */
export const OUTCOMES = ["all", "calls", "failures", "servers"] as const;

/** Which entries are looked for. */
export type OutcomeFilter = (typeof OUTCOMES)[number];

const DOOR_WORDS = { rest: "by REST", batch: "in a batch", mcp: "over MCP" } as const;

const EVENT_TONES: Readonly<Record<EventEntry["type"], Tone>> = {
  connected: "good",
  recovered: "good",
  authorized: "good",
  token_renewed: "good",
  failed: "bad",
  authorization_required: "wary",
  tools_changed: "wary",
  breaker: "wary",
};

/**
 * Whether an entry is looked for.
 *
 * @param item The entry.
 * @param outcome What is looked for.
 * @returns Whether it is.
 */
export function isWanted(item: ActivityItem, outcome: OutcomeFilter): boolean {
  if (outcome === "all") return true;
  if (outcome === "servers") return item.kind === "event";
  if (outcome === "calls") return item.kind === "call";
  return item.kind === "call" ? item.outcome !== "ok" : EVENT_TONES[item.type] === "bad";
}

/** What is shown of what happened. */
export interface ActivityListProps {
  /** The entries, newest first. */
  readonly items: readonly ActivityItem[];
  /** Whether each names its agent. */
  readonly showAgent: boolean;
  /** Whether there is little room. */
  readonly isShort?: boolean | undefined;
}

/**
 * What happened, newest first.
 *
 * @param props What is shown.
 * @returns A list.
 */
export function ActivityList({ items, showAgent, isShort = false }: ActivityListProps): JSX.Element {
  if (items.length === 0) return <p class="quiet">Nothing has happened lately.</p>;
  return (
    <ol class="log">
      {items.map((item) =>
        item.kind === "call"
          ? <CallRow key={item.id} call={item} showAgent={showAgent} isShort={isShort} />
          : <EventRow key={item.id} event={item} />
      )}
    </ol>
  );
}

interface CallRowProps {
  readonly call: CallEntry;
  readonly showAgent: boolean;
  readonly isShort: boolean;
}

function CallRow({ call, showAgent, isShort }: CallRowProps): JSX.Element {
  const { agent, tool, outcome, server, route, durationMs, door, requestId, at } = call;
  const tone = toTone(outcome);
  const shown = tool.length > 80 ? `${tool.slice(0, 80)}…` : tool;
  const facts = [
    ...(showAgent ? [agent] : []),
    ...(server === undefined ? [] : [server]),
    ...(route === undefined || isShort ? [] : [ROUTE_WORDS[route]]),
    ...(isShort ? [] : [DOOR_WORDS[door], `request ${requestId.slice(0, 8)}`]),
  ];
  return (
    <li id={`log-${call.id}`} class={`tone-${tone}`}>
      <span class="log-at">
        <Moment atMs={Date.parse(at)} />
      </span>
      <span class="log-what">
        <Mark tone={tone} />
        <a class="code" href={`/ui/agents/${toSegment(agent)}/tools/${toSegment(tool)}`}>{shown}</a>
        <span class="log-took figures">{formatSpan(durationMs)}</span>
      </span>
      <span class="log-more">
        {outcome !== "ok" && <strong>{outcome.replaceAll("_", " ")}</strong>} {facts.join(" · ")}
      </span>
    </li>
  );
}

function toTone(outcome: CallEntry["outcome"]): Tone {
  if (outcome === "ok") return "good";
  if (outcome === "cancelled") return "idle";
  return outcome === "tool_error" ? "wary" : "bad";
}

function EventRow({ event }: { readonly event: EventEntry }): JSX.Element {
  return (
    <li id={`log-${event.id}`} class={`tone-${EVENT_TONES[event.type]}`}>
      <span class="log-at">
        <Moment atMs={Date.parse(event.at)} />
      </span>
      <span class="log-what">
        <Mark tone={EVENT_TONES[event.type]} />
        <span class="log-text">{event.text}</span>
      </span>
    </li>
  );
}
