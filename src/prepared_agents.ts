/**
 * What is prepared of another configuration before it is taken: clients of new agents, and new servers of others.
 *
 * @module
 */

import type { PreparedServers } from "./agent/server_roster.ts";
import type { ConfigDifference } from "./config/config_difference.ts";
import { ConfigError } from "./errors.ts";
import { type MultiServerMCPClient, serversOf } from "./multi_server_client.ts";
import { type AgentConfig, type PortolanConfig, resolveAgent } from "./server_config.ts";
import type { RequestOptions } from "./tool_client.ts";

/** An agent that is prepared. */
export interface PreparedAgent {
  /** The agent's name. */
  readonly agent: string;
  /** Its client. */
  readonly client: MultiServerMCPClient;
  /** What makes it the agent of the configuration; `undefined` where it is a new one. */
  readonly servers: PreparedServers | undefined;
}

/** What agents are prepared with. */
export interface PrepareAgentsDeps {
  /** The client of an agent, where there is one. */
  readonly clientOf: (agent: string) => MultiServerMCPClient | undefined;
  /** Makes a client; nothing is sent. */
  readonly create: (agent: string, config: AgentConfig) => MultiServerMCPClient;
}

/**
 * Checks all agents of a configuration.
 *
 * @param config The configuration.
 * @throws {ConfigError} If there are faults, those of all agents at once (`invalid_config`).
 */
export function checkAgents(config: PortolanConfig): void {
  const faults = Object.entries(config.agents).flatMap(([agent, agentConfig]) => {
    try {
      resolveAgent(agent, agentConfig);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.faults;
      throw error;
    }
  });
  if (faults.length > 0) throw new ConfigError(faults);
}

/**
 * Prepares the agents that are new in a configuration, and those that are others and have a client, all at once.
 *
 * @param difference What is different.
 * @param config The configuration.
 * @param deps The clients there are, and how to make more.
 * @param request How to connect to what is new; `undefined` leaves that to the first call.
 * @returns What was prepared; whether servers are down changes nothing.
 */
export async function prepareAgents(
  difference: ConfigDifference,
  config: PortolanConfig,
  deps: PrepareAgentsDeps,
  request: RequestOptions | undefined,
): Promise<readonly PreparedAgent[]> {
  const added = difference.added.map((agent): PreparedAgent => {
    return { agent, client: deps.create(agent, configOf(config, agent)), servers: undefined };
  });
  const changed = difference.changed.flatMap(({ agent }): PreparedAgent[] => {
    const client = deps.clientOf(agent);
    return client === undefined ? [] : [prepareChange(agent, client, config)];
  });
  const all = [...added, ...changed];
  if (request !== undefined) {
    await Promise.allSettled(all.map(async ({ client, servers }) => {
      await (servers === undefined ? client.connectToServers(request) : servers.connect(request));
    }));
  }
  return all;
}

/**
 * Prepares one agent that has a client; nothing is sent.
 *
 * @param agent The agent's name.
 * @param client Its client.
 * @param config The configuration.
 * @returns What was prepared.
 */
export function prepareChange(agent: string, client: MultiServerMCPClient, config: PortolanConfig): PreparedAgent {
  return { agent, client, servers: serversOf(client).prepare(configOf(config, agent)) };
}

/**
 * Closes what was opened for an agent that is not taken.
 *
 * @param prepared The agent.
 */
export async function discardAgent({ client, servers }: PreparedAgent): Promise<void> {
  await (servers === undefined ? client.close() : servers.discard());
}

function configOf({ agents }: PortolanConfig, agent: string): AgentConfig {
  return (Object.hasOwn(agents, agent) ? agents[agent] : undefined) ?? { servers: {} };
}
