/**
 * What has to be true of the demo's agents once every server has been tried.
 *
 * @module
 */

import type { AgentStatus, MCPErrorCode } from "../../mod.ts";
import type { DemoServerName } from "./demo_servers.ts";

/** How each server of the first agent has to end up: connected, or failed with a code. */
const EXPECTED: Readonly<Record<DemoServerName, "connected" | MCPErrorCode>> = {
  everything: "connected",
  "everything-sse": "connected",
  harbour: "connected",
  silent: "deadline_exceeded",
  refused: "unreachable",
};

/** How many tools the reference server lists at least. */
const MIN_EVERYTHING_TOOLS = 13;

/** What is wrong with the status of the first agent; empty where it is as it has to be. */
export function findFaults({ servers }: AgentStatus): readonly string[] {
  const faults = Object.entries(EXPECTED).flatMap(([server, expected]) => {
    const status = servers[server];
    const actual = status?.state === "failed" ? status.lastError?.code : status?.state;
    return actual === expected ? [] : [`server ${server} is ${actual} instead of ${expected}`];
  });
  const toolCount = servers.everything?.toolCount ?? 0;
  if (toolCount < MIN_EVERYTHING_TOOLS) faults.push(`server everything lists ${toolCount} tools`);
  return faults;
}

/** What is wrong with the status of a cold agent after one call: every server but the owner has to be untouched. */
export function findAsked({ servers }: AgentStatus, owner: string): readonly string[] {
  const asked = Object.values(servers).filter(({ server, state }) => server !== owner && state !== "idle");
  return asked.map(({ server }) => `server ${server} was asked although ${owner} owns the tool`);
}
