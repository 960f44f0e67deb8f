/**
 * An agent's tools: what there are, and calling one.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { streamSSE } from "hono/streaming";
import { openAgent } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { readJsonObject } from "../src/gateway/json_body.ts";
import { toProblem } from "../src/gateway/problem.ts";
import type { Progress } from "../src/protocol.ts";
import type { RoutedResult } from "../src/status.ts";
import type { CallToolOptions } from "../src/tool_client.ts";

/**
 * `GET /agents/:agent/tools` and `POST /agents/:agent/tools/:tool`, whose body is the arguments. With
 * `Accept: text/event-stream` the answer is a stream: `progress` events, then one `result` or `problem`.
 *
 * @param deps The collaborators.
 * @returns The routes.
 */
export function toolsRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get("/agents/:agent/tools", async (c) => {
      const agent = c.req.param("agent");
      const client = openAgent(deps.directory, c.get("access"), agent);
      const tools = await deps.inFlight.run(c.req.raw.signal, (signal) => client.listOwnedTools({ signal }));
      return c.json({ agent, tools });
    })
    .post("/agents/:agent/tools/:tool", async (c) => {
      const client = openAgent(deps.directory, c.get("access"), c.req.param("agent"));
      const tool = c.req.param("tool");
      const { signal } = c.req.raw;
      // A refused body is a plain problem, also where a stream was asked for: nothing has been streamed yet.
      const args = await deps.inFlight.run(signal, () => readJsonObject(c.req.raw, deps.maxBodyBytes));
      const call = (options: CallToolOptions) => client.callToolRouted(tool, args, options);
      if (wantsStream(c)) return streamCall(c, deps, call);
      return c.json(await deps.inFlight.run(signal, (signal) => call({ signal })));
    });
}

function wantsStream(c: Context<GatewayEnv>): boolean {
  if (c.req.header("accept")?.includes("text/event-stream") !== true) return false;
  const supports = ["application/json", "text/event-stream"];
  return accepts(c, { header: "Accept", supports, default: "application/json" }) === "text/event-stream";
}

function streamCall(
  c: Context<GatewayEnv>,
  deps: RouteDeps,
  call: (options: CallToolOptions) => Promise<RoutedResult>,
): Response {
  const { requestId } = c.var;
  const response = streamSSE(c, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    const send = (event: string, value: unknown) => stream.writeSSE({ event, data: JSON.stringify(value) });
    const progress = sendLatest((value) => send("progress", value));
    try {
      const signals = AbortSignal.any([c.req.raw.signal, gone.signal]);
      const routed = await deps.inFlight.run(signals, (signal) => call({ signal, onProgress: progress.push }));
      await progress.sent();
      await send("result", routed);
    } catch (error) {
      const problem = toProblem(error, requestId);
      if (problem.code === "internal") deps.onInternalError(error, requestId);
      await progress.sent();
      await send("problem", problem);
    }
  });
  // Both belong to the connection, which is the server's business, and HTTP/2 forbids them.
  response.headers.delete("connection");
  response.headers.delete("transfer-encoding");
  response.headers.set("x-accel-buffering", "no");
  return response;
}

/** Sends the newest notice when the one before has left: a caller who reads slowly misses some, and none pile up. */
function sendLatest(send: (value: Progress) => Promise<void>) {
  let next: Progress | undefined;
  let sending: Promise<void> | undefined;
  const sendAll = async () => {
    while (next !== undefined) {
      const value = next;
      next = undefined;
      await send(value);
    }
    sending = undefined;
  };
  return {
    push: (value: Progress): void => {
      next = value;
      sending ??= sendAll();
    },
    sent: async (): Promise<void> => await sending,
  };
}
