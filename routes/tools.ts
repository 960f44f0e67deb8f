/**
 * An agent's tools: what there are, and calling one.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { openAgent } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { readJsonObject } from "../src/gateway/json_body.ts";
import { toProblem } from "../src/gateway/problem.ts";
import { readTrace } from "../src/gateway/trace_headers.ts";
import { IDEMPOTENCY_HEADER, parseIdempotencyKey } from "../src/rest/idempotency_key.ts";
import { parseRequestTimeout, TIMEOUT_HEADER, withinTime } from "../src/rest/request_timeout.ts";
import { type OpenCall, openCall } from "../src/rest/rest_calls.ts";
import { sendLatest, streamEvents, wantsStream } from "./_event_stream.ts";

/** Says that the call was made for an earlier request. */
const REPLAYED_HEADER = "idempotency-replayed";

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
      const timeoutMs = parseRequestTimeout(c.req.header(TIMEOUT_HEADER));
      const tools = await deps.inFlight.run(
        c.req.raw.signal,
        (signal) => withinTime(timeoutMs, signal, (options) => client.listOwnedTools(options)),
      );
      return c.json({ agent, tools });
    })
    .post("/agents/:agent/tools/:tool", async (c) => {
      const agent = c.req.param("agent");
      const access = c.get("access");
      const client = openAgent(deps.directory, access, agent);
      const tool = c.req.param("tool");
      const timeoutMs = parseRequestTimeout(c.req.header(TIMEOUT_HEADER));
      const key = parseIdempotencyKey(c.req.header(IDEMPOTENCY_HEADER));
      const { signal } = c.req.raw;
      // What is refused is a plain problem, also where a stream was asked for: nothing has been streamed yet.
      const args = await deps.inFlight.wait(signal, () => readJsonObject(c.req.raw, deps.maxBodyBytes));
      const call = await openCall(deps, {
        requestId: c.get("requestId"),
        door: "rest",
        trace: readTrace(c.req.raw.headers),
        access,
        agent,
        client,
        tool,
        args,
        key: key === undefined ? undefined : [key],
        timeoutMs,
      });
      if (call.replays) c.header(REPLAYED_HEADER, "true");
      if (wantsStream(c)) return streamCall(c, deps, call);
      const { outcome, replayed } = await call.answer(signal);
      if (replayed) c.header(REPLAYED_HEADER, "true");
      if (outcome.kind === "failure") throw outcome.error;
      return c.json(outcome.routed);
    });
}

function streamCall(c: Context<GatewayEnv>, deps: RouteDeps, call: OpenCall): Response {
  const requestId = c.get("requestId");
  return streamEvents(c, async (send, signal) => {
    const progress = sendLatest((value) => send("progress", value));
    try {
      const { outcome } = await call.answer(signal, progress.push);
      if (outcome.kind === "failure") throw outcome.error;
      await progress.sent();
      await send("result", outcome.routed);
    } catch (error) {
      const problem = toProblem(error, requestId);
      if (problem.code === "internal") deps.onInternalError(error, requestId);
      await progress.sent();
      await send("problem", problem);
    }
  });
}
