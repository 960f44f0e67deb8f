/**
 * The old client for callers that still use it.
 *
 * @module
 */

import { MCPError } from "./errors.ts";
import { MultiServerMCPClient } from "./multi_server_client.ts";
import type { ConnectToServersOptions } from "./multi_server_options.ts";
import type { Tool, ToolResult } from "./protocol.ts";
import type { AgentConfig, AgentSecrets, ServerConfig } from "./server_config.ts";
import type { SingleServerMCPClient } from "./single_server_client.ts";
import type { ServerStatus } from "./status.ts";
import type { CallToolOptions, RequestOptions, ToolClient } from "./tool_client.ts";

/**
 * The one client of old: it connects to servers one by one or all at once, and calls each tool where it belongs. It
 * delegates to a {@linkcode MultiServerMCPClient} for an agent called `default`.
 *
 * @deprecated Use {@linkcode MultiServerMCPClient}, which says which server failed and why.
 *
 * @example
 * ```ts
 * import { MCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const client = new MCPClient();
 * assertEquals(await client.connectToServer("http://localhost:9/mcp"), false);
 * await client.cleanup();
 * ```
 */
export class MCPClient implements ToolClient {
  #client = create();

  /**
   * Connects to many servers at once, besides those it is connected to already. A server of a name that is taken
   * replaces the other one.
   *
   * @param config The servers by name, or an agent with its secrets.
   * @param options How they are connected to.
   * @returns For each of them whether it is connected.
   * @throws {ConfigError} If the configuration has faults (`invalid_config`).
   */
  async connectToServers(
    config: AgentConfig | Readonly<Record<string, ServerConfig>>,
    options: ConnectToServersOptions = {},
  ): Promise<Record<string, boolean>> {
    const { servers, secrets } = toAgent(config);
    for (const [server, serverConfig] of Object.entries(servers)) {
      if (this.#client.servers.includes(server)) await this.#client.removeServer(server);
      this.#client.addServer(server, serverConfig, Object.hasOwn(secrets, server) ? secrets[server] : {});
    }
    const connected = await this.#client.connectToServers(options);
    return Object.fromEntries(Object.keys(servers).map((server) => [server, connected[server] ?? false]));
  }

  /**
   * Connects to one server, under the name `server1`, `server2` and so on.
   *
   * @param url Its endpoint.
   * @param options How it is connected to.
   * @returns Whether it is connected.
   * @throws {ConfigError} If the URL cannot be used (`invalid_config`).
   */
  async connectToServer(url: string, options: ConnectToServersOptions = {}): Promise<boolean> {
    const taken = this.#client.servers;
    let count = taken.length + 1;
    while (taken.includes(`server${count}`)) count++;
    const server = `server${count}`;
    this.#client.addServer(server, { url });
    return (await this.#client.reconnect({ ...options, server }))[server] ?? false;
  }

  /** The status of every server by name. */
  get sessions(): Record<string, ServerStatus> {
    return this.#client.getConnectionStatus();
  }

  /**
   * The client of the server that owns a tool.
   *
   * @param name The tool's name.
   * @returns The client, or `undefined` where no owner is known.
   */
  findClientForTool(name: string): SingleServerMCPClient | undefined {
    return this.#client.findClientForTool(name);
  }

  /**
   * The tools of all servers.
   *
   * @param options Deadline and cancellation.
   * @returns Each tool under the name to call it by.
   * @throws {MCPError} If not one server has listed its tools.
   */
  async listTools(options: RequestOptions = {}): Promise<readonly Tool[]> {
    return await this.#client.listTools(options);
  }

  /**
   * Calls a tool at the server that owns it.
   *
   * @param name The tool's name.
   * @param args Its arguments. @default {{}}
   * @param options Deadline, cancellation, progress.
   * @returns What the tool answered.
   * @throws {MCPError} As {@linkcode MultiServerMCPClient.callTool}.
   */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallToolOptions = {},
  ): Promise<ToolResult> {
    return await this.#client.callTool(name, args, options);
  }

  /** Closes every connection and forgets the servers; the client can be used again. */
  async cleanup(): Promise<void> {
    const old = this.#client;
    this.#client = create();
    await old.close();
  }

  /** As {@linkcode MCPClient.cleanup}. */
  async close(): Promise<void> {
    await this.cleanup();
  }

  /** As {@linkcode MCPClient.cleanup}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup();
  }
}

function create(): MultiServerMCPClient {
  return new MultiServerMCPClient("default", { servers: {} });
}

function toAgent(config: AgentConfig | Readonly<Record<string, ServerConfig>>): {
  readonly servers: Readonly<Record<string, ServerConfig>>;
  readonly secrets: AgentSecrets;
} {
  const isServer = (value: unknown): value is ServerConfig => {
    // An agent may have a server that is called "url".
    return typeof value === "object" && value !== null && "url" in value && typeof value.url === "string";
  };
  if (typeof config !== "object" || config === null) {
    throw new MCPError("invalid_config", "Cannot connect to servers as the configuration is not an object");
  }
  if (!("servers" in config) || isServer(config.servers)) {
    return { servers: config as Readonly<Record<string, ServerConfig>>, secrets: {} };
  }
  const { servers, secrets = {} } = config as AgentConfig;
  return { servers, secrets };
}
