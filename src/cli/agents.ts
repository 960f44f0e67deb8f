/**
 * The agents of a command, wherever they are: behind a configuration file, or behind a running gateway.
 *
 * @module
 */

import type { JsonObject } from "../protocol.ts";
import type { AgentStatus, OwnedTool, RoutedResult, ToolRoute } from "../status.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";

/** All agents. Who opens them closes them. */
export interface Agents extends AsyncDisposable {
  /**
   * The names of the agents.
   *
   * @param options Deadline and cancellation.
   * @returns The names, in the order of the configuration.
   */
  names(options: RequestOptions): Promise<readonly string[]>;
  /**
   * What is known of the agents; behind a file, once their servers have been tried.
   *
   * @param agent One of them; all where it is left out.
   * @param options Deadline and cancellation.
   * @returns The status by agent.
   */
  status(agent: string | undefined, options: RequestOptions): Promise<Readonly<Record<string, AgentStatus>>>;
  /**
   * The tools of an agent.
   *
   * @param agent The agent.
   * @param options Deadline and cancellation.
   * @returns The tools, each with its owner.
   */
  tools(agent: string, options: RequestOptions): Promise<readonly OwnedTool[]>;
  /**
   * The schema of a tool's arguments. Servers that cannot own the name are not waited for.
   *
   * @param agent The agent.
   * @param tool The name of the tool, bare or qualified.
   * @param options Deadline and cancellation.
   * @returns The schema, where the tool is known.
   */
  schemaOf(agent: string, tool: string, options: RequestOptions): Promise<JsonObject | undefined>;
  /**
   * Calls a tool.
   *
   * @param agent The agent.
   * @param tool The name of the tool.
   * @param args Its arguments.
   * @param options Deadline, cancellation, progress.
   * @returns What it answered.
   */
  call(agent: string, tool: string, args: JsonObject, options: CallToolOptions): Promise<RoutedResult>;
  /**
   * Tells who owns a tool's name.
   *
   * @param agent The agent.
   * @param tool The name of the tool.
   * @param options Deadline and cancellation.
   * @returns The owner, and why.
   */
  route(agent: string, tool: string, options: RequestOptions): Promise<ToolRoute>;
}
