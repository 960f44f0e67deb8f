/**
 * Runs the calls of a batch: some at once, each on its own, all by one deadline.
 *
 * @module
 */

import { pooledMap } from "@std/async";
import { MCPError } from "../errors.ts";
import { RequestError } from "../gateway/request_error.ts";
import type { CallLimiter } from "../limits/call_limiter.ts";
import type { Batch, BatchCall } from "./batch.ts";
import type { CallAnswer } from "./idempotent_calls.ts";
import { openCall, type RestCall, type RestCallsDeps } from "./rest_calls.ts";

/** How long a batch may take where nobody says, in milliseconds. */
export const BATCH_TIMEOUT_MS = 60_000;

/** What a batch is run with. */
export interface BatchDeps extends RestCallsDeps {
  /** Admits each call, as far as the limits allow. */
  readonly limiter: Pick<CallLimiter, "admit">;
}

/** How one call of a batch ended. */
export interface BatchAnswer extends CallAnswer {
  /** The call's place in the batch. */
  readonly index: number;
  /** What its caller calls it. */
  readonly id: string | undefined;
}

/** A batch as its caller wants it. */
export interface BatchRun extends Pick<RestCall, "access" | "agent" | "client" | "requestId" | "trace"> {
  /** The calls. */
  readonly batch: Batch;
  /** The key of the whole batch: each call without one of its own is named by it and by its place. */
  readonly key: string | undefined;
  /** How long the caller waits for all of it, in milliseconds. @default {60_000} */
  readonly timeoutMs: number | undefined;
  /** The caller's signal. */
  readonly signal: AbortSignal;
}

/**
 * Runs a batch. A call that fails fails alone.
 *
 * @param deps What calls are made with.
 * @param run The batch.
 * @param take Takes each answer as it comes; the next call waits until it is taken.
 * @returns What was made of the answers, in the order of the calls.
 */
export async function runBatch<T>(
  deps: BatchDeps,
  run: BatchRun,
  take: (answer: BatchAnswer) => Promise<T>,
): Promise<readonly T[]> {
  const { batch: { calls, concurrency }, timeoutMs = BATCH_TIMEOUT_MS } = run;
  const endsAtMs = performance.now() + timeoutMs;
  const answers = pooledMap(concurrency, calls.entries(), async ([index, call]) => {
    const { outcome, replayed } = await answerOne(deps, run, call, index, endsAtMs);
    return await take({ index, id: call.id, outcome, replayed });
  });
  return await Array.fromAsync(answers);
}

async function answerOne(
  deps: BatchDeps,
  run: BatchRun,
  call: BatchCall,
  index: number,
  endsAtMs: number,
): Promise<CallAnswer> {
  const { access, agent, client, requestId, trace, signal } = run;
  try {
    const restMs = Math.floor(endsAtMs - performance.now());
    if (restMs < 1) throw new MCPError("deadline_exceeded", "Cannot begin the call as the batch has taken its time");
    if (signal.aborted) throw new RequestError("caller_gone", "Cannot begin the call as the caller went away");
    const { tool, args } = call;
    const { release } = await deps.limiter.admit(access, agent, { signal, maxWaitMs: restMs });
    try {
      const key = toKey(call, run.key, index);
      const one = {
        requestId,
        trace,
        door: "batch",
        access,
        agent,
        client,
        tool,
        args,
        key,
        timeoutMs: restMs,
      } as const;
      const opened = await openCall(deps, one);
      return await opened.answer(signal);
    } finally {
      release();
    }
  } catch (error) {
    return { outcome: { kind: "failure", error }, replayed: false };
  }
}

function toKey({ idempotencyKey }: BatchCall, batchKey: string | undefined, index: number) {
  if (idempotencyKey !== undefined) return [idempotencyKey];
  return batchKey === undefined ? undefined : [batchKey, String(index)];
}
