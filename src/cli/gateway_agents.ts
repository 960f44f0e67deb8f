/**
 * The agents of a running gateway.
 *
 * @module
 */

import { EventSourceParserStream } from "eventsource-parser/stream";
import { MCPError } from "../errors.ts";
import { isJsonObject, type JsonObject, parseJsonObject, type Progress } from "../protocol.ts";
import type { AgentStatus, OwnedTool, RoutedResult, ToolRoute } from "../status.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";
import type { Agents } from "./agents.ts";
import { CliError, GatewayProblem } from "./cli_error.ts";
import type { GatewayHttp } from "./gateway_http.ts";

/** The agents that the key opens. */
export class GatewayAgents implements Agents {
  readonly #http: GatewayHttp;

  /**
   * Takes the gateway; nothing is sent.
   *
   * @param http The gateway.
   */
  constructor(http: GatewayHttp) {
    this.#http = http;
  }

  /** As the port says. */
  async names(options: RequestOptions): Promise<readonly string[]> {
    return Object.keys(await this.status(undefined, options));
  }

  /** As the port says: what the gateway knows, without asking a server. */
  async status(agent: string | undefined, options: RequestOptions): Promise<Record<string, AgentStatus>> {
    if (agent !== undefined) {
      const status = await this.#http.json(`${pathOf(agent)}/status`, options);
      return { [agent]: requireShape<AgentStatus>(status, isJsonObject(status.servers)) };
    }
    const { agents } = await this.#http.json("/status", options);
    const isShaped = isJsonObject(agents) &&
      Object.values(agents).every((one) => isJsonObject(one) && isJsonObject(one.servers));
    return requireShape<Record<string, AgentStatus>>(agents, isShaped);
  }

  /** As the port says. */
  async tools(agent: string, options: RequestOptions): Promise<readonly OwnedTool[]> {
    const { tools } = await this.#http.json(`${pathOf(agent)}/tools`, options);
    return requireShape(
      tools,
      Array.isArray(tools) && tools.every((one) => isJsonObject(one) && isJsonObject(one.tool)),
    );
  }

  /** As the port says. */
  async schemaOf(agent: string, tool: string, options: RequestOptions): Promise<JsonObject | undefined> {
    const tools = await this.tools(agent, options);
    return tools.find(({ name, server, toolName }) => name === tool || `${server}__${toolName}` === tool)?.tool
      .inputSchema;
  }

  /** As the port says; progress is asked for where somebody listens. */
  async call(agent: string, tool: string, args: JsonObject, options: CallToolOptions): Promise<RoutedResult> {
    const path = `${pathOf(agent)}/tools/${encodeURIComponent(tool)}`;
    const { timeoutMs, signal, onProgress } = options;
    const request = { method: "POST", body: args, timeoutMs, signal };
    if (onProgress === undefined) return toResult(await this.#http.json(path, request));
    const accept = "text/event-stream";
    return await this.#http.read(path, { ...request, accept }, async (response) => {
      if (!response.headers.get("content-type")?.startsWith(accept)) return toResult(await response.json());
      return await readCall(response, onProgress);
    });
  }

  /** As the port says. */
  async route(agent: string, tool: string, options: RequestOptions): Promise<ToolRoute> {
    const route = await this.#http.json(`${pathOf(agent)}/routes/${encodeURIComponent(tool)}`, options);
    return requireShape<ToolRoute>(route, typeof route.server === "string");
  }

  /** Nothing is open between requests. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

async function readCall(response: Response, onProgress: (progress: Progress) => void): Promise<RoutedResult> {
  const events = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const { event, data } of events ?? []) {
    const value = parseJsonObject(data);
    if (value === undefined) continue;
    if (event === "result") return toResult(value);
    if (event === "problem") throw new GatewayProblem(value);
    if (event === "progress" && typeof value.progress === "number") onProgress({ ...value, progress: value.progress });
  }
  throw new MCPError("outcome_unknown", "Cannot tell how the call ended as the gateway closed the connection before");
}

function toResult(value: unknown): RoutedResult {
  return requireShape<RoutedResult>(value, isJsonObject(value) && isJsonObject(value.result));
}

/** The gateway's own types, of what has come over the wire and has their outline. */
function requireShape<T>(value: unknown, isShaped: boolean): T {
  if (isShaped) return value as T;
  throw new CliError("bad_gateway_answer", "Cannot use the answer as no gateway of this version gives it: check --url");
}

function pathOf(agent: string): string {
  return `/agents/${encodeURIComponent(agent)}`;
}
