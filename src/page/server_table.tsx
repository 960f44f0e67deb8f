/**
 * The servers of an agent, one row each.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { AgentStatus, ServerStatus } from "../status.ts";
import { toSegment } from "./api.ts";
import { formatCount, formatSpan } from "./figures.ts";
import { Mark, Moment, Sparkline } from "./page_parts.tsx";
import { describeServer } from "./words.ts";

const ERAS = { legacy: "Legacy", modern: "Modern" } as const;
const TRANSPORTS = { streamable_http: "HTTP", sse: "SSE" } as const;
const BREAKERS = { closed: "closed", open: "open", half_open: "half open" } as const;

/**
 * The servers of an agent.
 *
 * @param props The agent.
 * @returns A table.
 */
export function ServerTable({ status }: { readonly status: AgentStatus }): JSX.Element {
  const servers = Object.values(status.servers);
  if (servers.length === 0) return <p class="quiet">This agent has no server.</p>;
  return (
    <table class="servers">
      <caption class="unseen">Servers of {status.agent}</caption>
      <thead>
        <tr>
          <th scope="col">Server</th>
          <th scope="col">State</th>
          <th scope="col">Protocol</th>
          <th scope="col">Latency</th>
          <th scope="col">Tools</th>
        </tr>
      </thead>
      <tbody>
        {servers.map((server) => <ServerRow key={server.server} agent={status.agent} server={server} />)}
      </tbody>
    </table>
  );
}

function ServerRow({ agent, server }: { readonly agent: string; readonly server: ServerStatus }): JSX.Element {
  const words = describeServer(server);
  // What was never connected to has nothing to say but why.
  const isKnown = server.era !== undefined || server.latency !== undefined || server.toolCount !== undefined;
  return (
    <tr class={`tone-${words.tone}`} data-server={server.server} data-state={server.state}>
      <th scope="row">
        <span class="server-name">{server.server}</span>
        <span class="url" title={server.url}>{server.url.replace(/^https?:\/\//, "")}</span>
      </th>
      <td class="state" colspan={isKnown ? undefined : 4}>
        <div class="state-line">
          <p class="word">
            <Mark tone={words.tone} /> <span>{words.word}</span>
            {server.connectedAtMs !== undefined && server.state === "connected" && (
              <span class="quiet">
                <Moment atMs={server.connectedAtMs} />
              </span>
            )}
          </p>
          <form method="post" action={`/ui/agents/${toSegment(agent)}/reconnect`} data-quiet="Connecting">
            <input type="hidden" name="server" value={server.server} />
            <button type="submit" aria-label={`Reconnect ${server.server} of ${agent}`}>Reconnect</button>
          </form>
        </div>
        {words.reason !== undefined && <p class="reason">{words.reason}</p>}
        {words.advice !== undefined && <p class="advice">{words.advice}</p>}
        <LastTrouble server={server} />
      </td>
      {isKnown && <Facts server={server} />}
    </tr>
  );
}

function Facts({ server }: { readonly server: ServerStatus }): JSX.Element {
  return (
    <>
      <td data-label="Protocol" class={server.era === undefined ? "unknown" : undefined}>
        {server.era === undefined ? <span class="quiet">not known yet</span> : (
          <>
            {ERAS[server.era]}
            {server.transport !== undefined && <>, {TRANSPORTS[server.transport]}</>}
            <span class="sub">{server.protocolVersion ?? ""}</span>
            <span class="sub">breaker {BREAKERS[server.breaker]}</span>
          </>
        )}
      </td>
      <td data-label="Latency" class={server.latency === undefined ? "unknown" : undefined}>
        <Latency server={server} />
      </td>
      <td data-label="Tools" class={server.toolCount === undefined ? "unknown" : undefined}>
        <ToolFacts server={server} />
      </td>
    </>
  );
}

/** The last failure: when it was, and, where that is over, what it was. */
function LastTrouble({ server }: { readonly server: ServerStatus }): JSX.Element | null {
  const { lastError, state } = server;
  if (lastError === undefined) return null;
  return (
    <p class="sub">
      {state === "failed"
        ? (
          <>
            Last tried <Moment atMs={lastError.atMs} />
          </>
        )
        : (
          <>
            Failed <Moment atMs={lastError.atMs} />: {lastError.code.replaceAll("_", " ")}
          </>
        )}
    </p>
  );
}

function Latency({ server }: { readonly server: ServerStatus }): JSX.Element {
  const { latency, latencySamples = [] } = server;
  if (latency === undefined) return <span class="quiet">no request yet</span>;
  return (
    <>
      {latencySamples.length > 0 && <Sparkline samples={latencySamples} p50Ms={latency.p50Ms} p99Ms={latency.p99Ms} />}
      <span class="sub figures">
        <span>
          <abbr title="Half of the requests took at most this long">p50</abbr> {formatSpan(latency.p50Ms)}
        </span>{" "}
        <span>
          <abbr title="99 of 100 requests took at most this long">p99</abbr> {formatSpan(latency.p99Ms)}
        </span>
      </span>
    </>
  );
}

function ToolFacts({ server }: { readonly server: ServerStatus }): JSX.Element {
  const { toolCount, toolsFrom, toolsUpdatedAtMs, toolsChangedAtMs, toolsExpireAtMs, changedTools = 0, warnings } =
    server;
  return (
    <>
      {toolCount === undefined ? <span class="quiet">no list yet</span> : formatCount(toolCount, "tool")}
      {toolCount !== undefined && (
        <span class="sub">
          {toolsFrom === "cache" ? "from the cache" : "listed"}
          {toolsUpdatedAtMs !== undefined && (
            <>
              {" "}
              <Moment atMs={toolsUpdatedAtMs} />
            </>
          )}
          {toolsExpireAtMs !== undefined && (
            <>
              , due <Moment atMs={toolsExpireAtMs} />
            </>
          )}
        </span>
      )}
      {toolsChangedAtMs !== undefined && (
        <span class={changedTools === 0 ? "sub" : "sub wary"}>
          {changedTools > 0 ? `${formatCount(changedTools, "tool")} changed` : "changed"}{" "}
          <Moment atMs={toolsChangedAtMs} />
        </span>
      )}
      {(server.running > 0 || server.waiting > 0) && (
        <span class="sub">{server.running} running, {server.waiting} waiting</span>
      )}
      {warnings.length > 0 && (
        <details class="more">
          <summary>{formatCount(warnings.length, "warning")}</summary>
          <ul class="plain">{warnings.slice(0, 20).map((warning) => <li key={warning}>{warning}</li>)}</ul>
        </details>
      )}
    </>
  );
}
