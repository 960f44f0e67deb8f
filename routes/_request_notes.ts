/**
 * Counts each request, and notes it where somebody wants to be told.
 *
 * @module
 */

import type { Context } from "hono";
import { routePath } from "hono/route";
import type { AgentDirectory } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import type { NotedRequest } from "../src/telemetry/request_watch.ts";

const AGENT_PATH = /^\/(?:admin\/)?agents\/([^/]+)/;

/**
 * Counts an answer, and notes how its request ended: a stream when it has been sent, where the runtime tells.
 *
 * @param deps Who counts, who takes the notes, and all agents.
 * @param noted What the beginning of the request returned; `undefined` where nobody wants to be told.
 * @param c The context of the request; it has its answer.
 */
export function noteAnswer(
  { metrics, requests, directory }: Pick<RouteDeps, "metrics" | "requests" | "directory">,
  noted: NotedRequest | undefined,
  c: Context<GatewayEnv>,
): void {
  const { method } = c.req;
  const { status, headers } = c.res;
  const path = routePath(c, -1);
  const route = path.includes("*") ? "" : path;
  metrics.countRequest({ method, route, status });
  if (requests === undefined || noted === undefined) return;
  const ended = {
    method,
    route,
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
