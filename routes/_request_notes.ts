/**
 * Notes each request, where somebody wants to be told.
 *
 * @module
 */

import type { Context } from "hono";
import { routePath } from "hono/route";
import type { AgentDirectory } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv } from "../src/gateway/gateway_env.ts";
import type { NotedRequest, RequestWatch } from "../src/telemetry/request_watch.ts";

const AGENT_PATH = /^\/(?:admin\/)?agents\/([^/]+)/;

/**
 * Notes how a request ended: a stream when it has been sent, where the runtime tells.
 *
 * @param requests Takes the notes.
 * @param noted What its beginning returned.
 * @param directory All agents.
 * @param c The context of the request; it has its answer.
 */
export function noteAnswer(
  requests: RequestWatch,
  noted: NotedRequest,
  directory: AgentDirectory,
  c: Context<GatewayEnv>,
): void {
  const { status, headers } = c.res;
  const route = routePath(c, -1);
  const ended = {
    method: c.req.method,
    route: route.includes("*") ? "" : route,
    status,
    caller: c.var.access?.caller,
    agent: noted.calls[0]?.agent ?? findAgent(c, status, directory),
  };
  const completed = headers.get("content-type")?.startsWith("text/event-stream") ? c.env?.completed : undefined;
  if (completed === undefined) return requests.end(noted, ended);
  const end = () => requests.end(noted, ended);
  completed.then(end, end);
}

/** A name that is no agent's is a text of the caller's; what succeeded had one. */
function findAgent(c: Context<GatewayEnv>, status: number, directory: AgentDirectory): string | undefined {
  const agent = AGENT_PATH.exec(c.req.path)?.[1];
  return agent === undefined || (status >= 400 && !directory.agents.includes(agent)) ? undefined : agent;
}
