/**
 * The agents of a configuration file, whose servers this process asks itself.
 *
 * @module
 */

import { deadline } from "@std/async";
import { MCPClientManager } from "../client_manager.ts";
import type { JsonObject } from "../protocol.ts";
import type { PortolanConfig } from "../server_config.ts";
import type { AgentStatus, OwnedTool, RoutedResult, ToolRoute } from "../status.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";
import type { Agents } from "./agents.ts";

/** How long saying goodbye to the servers may take, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

/** What the agents of a file are asked with. */
export interface ConfigAgentsDeps {
  /** The way to the network. */
  readonly fetch: typeof fetch;
  /** Told of what is worth a warning. */
  readonly onWarning: (message: string) => void;
}

/** The agents of a configuration. */
export class ConfigAgents implements Agents {
  readonly #manager: MCPClientManager;

  /**
   * Takes the configuration; nothing is sent.
   *
   * @param config The configuration.
   * @param deps What they are asked with.
   */
  constructor(config: PortolanConfig, deps: ConfigAgentsDeps) {
    this.#manager = new MCPClientManager(config, deps);
  }

  /** As the port says; asks nobody. */
  names(): Promise<readonly string[]> {
    return Promise.resolve(this.#manager.agents);
  }

  /** As the port says: every server is tried. */
  async status(agent: string | undefined, options: RequestOptions): Promise<Record<string, AgentStatus>> {
    const agents = agent === undefined ? this.#manager.agents : [agent];
    const found = agents.map(async (name) => {
      const client = this.#manager.openClient(name);
      await client.connectToServers(options);
      return [name, client.getStatus()] as const;
    });
    return Object.fromEntries(await Promise.all(found));
  }

  /** As the port says. */
  async tools(agent: string, options: RequestOptions): Promise<readonly OwnedTool[]> {
    return await this.#manager.openClient(agent).listOwnedTools(options);
  }

  /** As the port says. */
  async schemaOf(agent: string, tool: string, options: RequestOptions): Promise<JsonObject | undefined> {
    const client = this.#manager.openClient(agent);
    await client.routeTool(tool, options);
    return client.findTool(tool)?.inputSchema;
  }

  /** As the port says. */
  async call(agent: string, tool: string, args: JsonObject, options: CallToolOptions): Promise<RoutedResult> {
    return await this.#manager.openClient(agent).callToolRouted(tool, args, options);
  }

  /** As the port says. */
  async route(agent: string, tool: string, options: RequestOptions): Promise<ToolRoute> {
    return await this.#manager.openClient(agent).routeTool(tool, options);
  }

  /** Closes all connections, for which a server has a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    await deadline(this.#manager.close(), CLOSE_TIMEOUT_MS).catch(() => {});
  }
}
