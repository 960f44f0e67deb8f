/**
 * What is different between two configurations: names alone, never a value.
 *
 * @module
 */

import { quoteAll } from "../nearest.ts";
import { toSortedText } from "../protocol.ts";
import type { AgentConfig, PortolanConfig, ServerConfig } from "../server_config.ts";

/**
 * Names of servers that have come, gone, or changed.
 *
 * @example
 * ```ts
 * import type { NameDifference } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const servers: NameDifference = { added: ["calendar"], removed: [], changed: ["files"] };
 * assertEquals(servers.added.length + servers.changed.length, 2);
 * ```
 */
export interface NameDifference {
  /** Those that are new. */
  readonly added: readonly string[];
  /** Those that are gone. */
  readonly removed: readonly string[];
  /** Those of which something else is said than before, their secrets included. */
  readonly changed: readonly string[];
}

/**
 * What is different about an agent.
 *
 * @example
 * ```ts
 * import type { AgentDifference } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const servers = { added: ["calendar"], removed: [], changed: [] };
 * const difference: AgentDifference = { agent: "Kairos", servers, order: false, collisions: false, limits: true };
 * assertEquals(difference.servers.added, ["calendar"]);
 * ```
 */
export interface AgentDifference {
  /** The agent's name. */
  readonly agent: string;
  /** Its servers. */
  readonly servers: NameDifference;
  /** Whether the servers that it had and has stand in another order. */
  readonly order: boolean;
  /** Whether another policy decides who owns a bare name. */
  readonly collisions: boolean;
  /** Whether its own limits are others. */
  readonly limits: boolean;
}

/**
 * What is different between two configurations.
 *
 * @example
 * ```ts
 * import { type ConfigDifference, MCPClientManager } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using manager = new MCPClientManager({ agents: { Kairos: { servers: {} } } });
 * const difference: ConfigDifference = await manager.applyConfig({ agents: { Mercurius: { servers: {} } } });
 * assertEquals([difference.added, difference.removed], [["Mercurius"], ["Kairos"]]);
 * ```
 */
export interface ConfigDifference {
  /** Agents that are new. */
  readonly added: readonly string[];
  /** Agents that are gone. */
  readonly removed: readonly string[];
  /** Agents of which something else is said than before. */
  readonly changed: readonly AgentDifference[];
  /** What of the gateway itself is another: its keys, whose tokens it takes, where it is reached, its limits. */
  readonly gateway: readonly ("keys" | "jwt" | "publicUrl" | "limits")[];
}

const GATEWAY = ["keys", "jwt", "publicUrl", "limits"] as const;

/**
 * Everything that a configuration says of a server of an agent.
 *
 * @param config The agent.
 * @param server The server's name.
 * @returns The server, and the agent's secrets for it; a server may be called `constructor`.
 */
export function serverOf(
  config: AgentConfig,
  server: string,
): { readonly config: ServerConfig | undefined; readonly secrets: Readonly<Record<string, string>> | undefined } {
  const own = <T>(record: Readonly<Record<string, T>> | undefined) => {
    return record !== undefined && Object.hasOwn(record, server) ? record[server] : undefined;
  };
  return { config: own(config.servers), secrets: own(config.secrets) };
}

/**
 * Compares two configurations.
 *
 * @param before The one that was.
 * @param after The one that is to be.
 * @returns What is different.
 */
export function diffConfigs(before: PortolanConfig, after: PortolanConfig): ConfigDifference {
  const agentsOf = ({ agents }: PortolanConfig) => new Map(Object.entries(agents));
  const [old, wanted] = [agentsOf(before), agentsOf(after)];
  const changed = [...wanted].flatMap(([agent, config]) => {
    const was = old.get(agent);
    const difference = was === undefined ? undefined : diffAgents(agent, was, config);
    return difference === undefined ? [] : [difference];
  });
  return {
    added: [...wanted.keys()].filter((agent) => !old.has(agent)),
    removed: [...old.keys()].filter((agent) => !wanted.has(agent)),
    changed,
    gateway: GATEWAY.filter((field) => toSortedText(before[field]) !== toSortedText(after[field])),
  };
}

/**
 * Whether nothing is different.
 *
 * @param difference What is different.
 * @returns Whether it is nothing.
 */
export function isSame({ added, removed, changed, gateway }: ConfigDifference): boolean {
  return added.length + removed.length + changed.length + gateway.length === 0;
}

/**
 * What is different, in words.
 *
 * @param difference What is different.
 * @returns A sentence for each agent and for the gateway; `nothing has changed` where that is so.
 */
export function describeDifference(difference: ConfigDifference): string {
  const { added, removed, changed, gateway } = difference;
  const parts = [
    ...(added.length > 0 ? [`${count("agent", added)} added`] : []),
    ...(removed.length > 0 ? [`${count("agent", removed)} removed`] : []),
    ...changed.map((agent) => `agent "${agent.agent}" changed: ${describeAgent(agent)}`),
    ...(gateway.length > 0 ? [`gateway changed: ${gateway.join(", ")}`] : []),
  ];
  return parts.length === 0 ? "nothing has changed" : parts.join("; ");
}

function describeAgent({ servers, order, collisions, limits }: AgentDifference): string {
  const kinds = (["added", "removed", "changed"] as const).flatMap((kind) => {
    return servers[kind].length === 0 ? [] : [`${count("server", servers[kind])} ${kind}`];
  });
  const others = [order && "order of servers", collisions && "collisions", limits && "limits"];
  return [...kinds, ...others.filter((text) => text !== false)].join(", ");
}

function count(what: string, names: readonly string[]): string {
  return `${what}${names.length === 1 ? "" : "s"} ${quoteAll(names)}`;
}

function diffAgents(agent: string, before: AgentConfig, after: AgentConfig): AgentDifference | undefined {
  const [old, wanted] = [Object.keys(before.servers), Object.keys(after.servers)];
  const isChanged = (server: string) => {
    return toSortedText(serverOf(before, server)) !== toSortedText(serverOf(after, server));
  };
  const kept = wanted.filter((server) => old.includes(server));
  const difference: AgentDifference = {
    agent,
    servers: {
      added: wanted.filter((server) => !old.includes(server)),
      removed: old.filter((server) => !wanted.includes(server)),
      changed: kept.filter(isChanged),
    },
    order: old.filter((server) => wanted.includes(server)).join() !== kept.join(),
    collisions: (before.collisions ?? "first") !== (after.collisions ?? "first"),
    limits: toSortedText(before.limits) !== toSortedText(after.limits),
  };
  const { servers: { added, removed, changed }, order, collisions, limits } = difference;
  const isNothing = added.length + removed.length + changed.length === 0 && !order && !collisions && !limits;
  return isNothing ? undefined : difference;
}
