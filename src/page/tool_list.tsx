/**
 * The tools of an agent.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { AgentStatus, OwnedTool, ShadowedTool } from "../status.ts";
import { toSegment } from "./api.ts";
import type { PinnedTool } from "./api_types.ts";
import { formatCount } from "./figures.ts";

/** The most tools that one page shows. */
const MAX_TOOLS = 1_000;
/** How much of a description stands in the list. */
const MAX_CHARS = 180;

/** What is shown of the tools. */
export interface ToolListProps {
  /** The agent. */
  readonly status: AgentStatus;
  /** Its tools. */
  readonly tools: readonly OwnedTool[];
  /** Those that are not what they were. */
  readonly pins: readonly PinnedTool[];
  /** What is looked for; empty for everything. */
  readonly wanted: string;
}

/**
 * The tools of an agent, with their owners and marks.
 *
 * @param props What is shown.
 * @returns A list with a box to look for some of them.
 */
export function ToolList({ status, tools, pins, wanted }: ToolListProps): JSX.Element {
  const found = tools.filter((tool) => toSearchText(tool).includes(wanted.toLowerCase()));
  return (
    <>
      <form class="filter" method="get" action={`/ui/agents/${toSegment(status.agent)}`} role="search">
        <label for="filter">Find a tool</label>
        <input id="filter" type="search" name="q" value={wanted} autocomplete="off" data-filter="tool-list" />
        <span id="filter-count" class="quiet" data-keep="">
          {found.length === tools.length
            ? formatCount(tools.length, "tool")
            : `${found.length} of ${formatCount(tools.length, "tool")}`}
        </span>
      </form>
      {tools.length === 0 && <p class="quiet">No tool is known yet: no server has listed any.</p>}
      <ul id="tool-list" class="tools">
        {found.slice(0, MAX_TOOLS).map((tool) => (
          <ToolItem agent={status.agent} tool={tool} shadowed={status.shadowed} pins={pins} />
        ))}
      </ul>
      {found.length > MAX_TOOLS && (
        <p class="quiet">{formatCount(found.length - MAX_TOOLS, "more tool")}: look for a part of the name.</p>
      )}
    </>
  );
}

function toSearchText({ name, server, tool }: OwnedTool): string {
  return `${name} ${server} ${tool.title ?? ""} ${tool.description ?? ""}`.toLowerCase();
}

interface ToolItemProps {
  readonly agent: string;
  readonly tool: OwnedTool;
  readonly shadowed: readonly ShadowedTool[];
  readonly pins: readonly PinnedTool[];
}

function ToolItem({ agent, tool, shadowed, pins }: ToolItemProps): JSX.Element {
  const { name, server, toolName, tool: { description = "", annotations } } = tool;
  const hides = shadowed.filter((one) => one.tool === name && one.owner === server);
  const hidden = shadowed.find((one) => one.exposedAs === name && one.server === server);
  const pin = pins.find((one) => one.server === server && one.tool === toolName);
  const short = description.length > MAX_CHARS ? `${description.slice(0, MAX_CHARS)} …` : description;
  return (
    <li data-text={toSearchText(tool).slice(0, 2_000)}>
      <a class="code tool-name" href={`/ui/agents/${toSegment(agent)}/tools/${toSegment(name)}`}>{name}</a>
      <span class="tool-server">{server}</span>
      <span class="tool-about">{short === "" ? <span class="quiet">without a description</span> : short}</span>
      <span class="tags">
        {pin !== undefined && <Tag text={pin.state} tone="bad" />}
        {annotations?.readOnlyHint === true && <Tag text="read only" />}
        {annotations?.destructiveHint === true && annotations.readOnlyHint !== true && (
          <Tag text="may destroy" tone="wary" />
        )}
        {hides.map((one) => (
          <Tag key={one.exposedAs} text={`shadows ${one.server}`} title={`The other one is ${one.exposedAs}`} />
        ))}
        {hidden !== undefined && (
          <Tag
            text={`shadowed by ${hidden.owner ?? "the policy"}`}
            title={`The name ${hidden.tool} belongs to ${hidden.owner ?? "no server"}`}
            tone="wary"
          />
        )}
      </span>
    </li>
  );
}

function Tag(
  { text, title, tone }: {
    readonly text: string;
    readonly title?: string | undefined;
    readonly tone?: "wary" | "bad" | undefined;
  },
): JSX.Element {
  return <span class={tone === undefined ? "tag" : `tag tag-${tone}`} title={title}>{text}</span>;
}
