/**
 * Calling several tools of an agent by one request.
 *
 * @module
 */

import { Hono } from "hono";
import { MCPError } from "../src/errors.ts";
import { openAgent } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { readJsonObject } from "../src/gateway/json_body.ts";
import { toProblem } from "../src/gateway/problem.ts";
import { readTrace } from "../src/gateway/trace_headers.ts";
import { parseBatch } from "../src/rest/batch.ts";
import { type BatchAnswer, runBatch } from "../src/rest/batch_run.ts";
import { IDEMPOTENCY_HEADER, parseIdempotencyKey } from "../src/rest/idempotency_key.ts";
import { parseRequestTimeout, TIMEOUT_HEADER } from "../src/rest/request_timeout.ts";
import { streamEvents, wantsStream } from "./_event_stream.ts";

/** The most characters that the answer to a batch has, as JSON. */
const MAX_ANSWER_CHARS = 16 * 1024 * 1024;

/**
 * `POST /agents/:agent/batch`, whose body is `{ calls: [{ tool, arguments, id?, idempotencyKey? }], concurrency? }`. The
 * answer is `{ results }` in the order of the calls: each has `status`, and what the call alone would have answered.
 * With `Accept: text/event-stream` each is sent as it ends, as `result` or `problem` with its `index`; then comes `end`.
 *
 * @param deps The collaborators.
 * @returns The route.
 */
export function batchRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .post("/agents/:agent/batch", async (c) => {
      const agent = c.req.param("agent");
      const client = openAgent(deps.directory, c.var.access, agent);
      const timeoutMs = parseRequestTimeout(c.req.header(TIMEOUT_HEADER));
      const key = parseIdempotencyKey(c.req.header(IDEMPOTENCY_HEADER));
      const batch = await deps.inFlight.run(
        c.req.raw.signal,
        async () => parseBatch(await readJsonObject(c.req.raw, deps.maxBodyBytes)),
      );
      const trace = readTrace(c.req.raw.headers);
      const run = { requestId: c.var.requestId, trace, access: c.var.access, agent, client, batch, key, timeoutMs };
      const toEntry = ({ id, outcome, replayed }: BatchAnswer) => {
        const marks = { ...(id === undefined ? {} : { id }), ...(replayed ? { replayed } : {}) };
        if (outcome.kind === "result") return { ...marks, status: 200, ...outcome.routed };
        const problem = toProblem(outcome.error, c.var.requestId);
        if (problem.code === "internal") deps.onInternalError(outcome.error, c.var.requestId);
        return { ...marks, ...problem };
      };
      if (wantsStream(c)) {
        return streamEvents(c, async (send, signal) => {
          const sent = await runBatch(deps, { ...run, signal }, async (answer) => {
            const { kind } = answer.outcome;
            await send(kind === "result" ? "result" : "problem", { index: answer.index, ...toEntry(answer) });
            return kind;
          });
          await send("end", { calls: sent.length, failed: sent.filter((kind) => kind === "failure").length });
        });
      }
      let leftChars = MAX_ANSWER_CHARS;
      const take = (answer: BatchAnswer) => {
        const text = JSON.stringify(toEntry(answer));
        if (text.length > leftChars) {
          return JSON.stringify(toEntry({ ...answer, outcome: { kind: "failure", error: tooLarge() } }));
        }
        leftChars -= text.length;
        return text;
      };
      const results = await runBatch(deps, { ...run, signal: c.req.raw.signal }, (answer) => {
        return Promise.resolve(take(answer));
      });
      return c.body(`{"results":[${results.join()}]}`, 200, { "content-type": "application/json" });
    });
}

function tooLarge(): MCPError {
  return new MCPError(
    "too_large",
    "Cannot answer with the result as those of the batch are too large together; the tool ran: ask for a stream",
  );
}
