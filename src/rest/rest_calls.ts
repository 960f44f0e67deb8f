/**
 * One call by REST, alone or in a batch: by whom, of what, until when, and under which key.
 *
 * @module
 */

import type { Access } from "../callers/access.ts";
import { Deadline, OPERATION_TIMEOUT_MS } from "../deadline.ts";
import type { AgentClient } from "../gateway/agent_directory.ts";
import type { CallJournal } from "../gateway/call_journal.ts";
import type { CallDoor } from "../gateway/call_record.ts";
import { type InFlight, toCallStopped } from "../gateway/in_flight.ts";
import type { JsonObject, Progress } from "../protocol.ts";
import type { RoutedResult } from "../status.ts";
import type { TraceContext } from "../tool_client.ts";
import { toCallMark } from "./idempotency_key.ts";
import type { CallAnswer, CallTurn, IdempotentCalls } from "./idempotent_calls.ts";
import { withinTime } from "./request_timeout.ts";

/** A call as its caller wants it. */
export interface RestCall {
  /** The id of the request. */
  readonly requestId: string;
  /** Whether it came alone or in a batch. */
  readonly door: CallDoor;
  /** The trace that the request belongs to. */
  readonly trace: TraceContext | undefined;
  /** Who calls. */
  readonly access: Access;
  /** Whose tool it is. */
  readonly agent: string;
  /** The agent's client. */
  readonly client: AgentClient;
  /** The tool. */
  readonly tool: string;
  /** Its arguments. */
  readonly args: JsonObject;
  /** The parts of its idempotency key, or `undefined` where it has none. */
  readonly key: readonly string[] | undefined;
  /** How long the caller waits, in milliseconds, or `undefined` where nothing is said. */
  readonly timeoutMs: number | undefined;
}

/** A call that has been let in. */
export interface OpenCall {
  /** Whether its answer is known already. */
  readonly replays: boolean;
  /**
   * Gets the answer; to be asked for once.
   *
   * @param signal The caller's.
   * @param onProgress Told of progress, where this request makes the call.
   * @returns How the call ended; a failure of the call itself is one of them.
   * @throws {RequestError} If the gateway gives no answer.
   */
  answer(signal: AbortSignal, onProgress?: (progress: Progress) => void): Promise<CallAnswer>;
}

/** What calls are made with. */
export interface RestCallsDeps {
  /** Notes each call. */
  readonly journal: CallJournal;
  /** What is running. */
  readonly inFlight: InFlight;
  /** The calls that have keys. */
  readonly idempotentCalls: IdempotentCalls;
}

/**
 * Lets a call in. Every call by REST passes here, also each of a batch.
 *
 * @param deps What it is made with.
 * @param call The call.
 * @returns The way to its answer.
 * @throws {RequestError} If it is refused.
 */
export async function openCall(
  { inFlight, idempotentCalls, journal }: RestCallsDeps,
  call: RestCall,
): Promise<OpenCall> {
  const { access: { caller }, agent, client, tool, args, key, timeoutMs, requestId, door, trace } = call;
  const begun = { requestId, caller, agent, door, tool, args, trace };
  const make = (signal: AbortSignal, onProgress: ((progress: Progress) => void) | undefined): Promise<RoutedResult> =>
    journal.run(begun, (trace) =>
      withinTime(
        timeoutMs,
        signal,
        (options) => client.callToolRouted(tool, args, { ...options, onProgress, trace }),
      ));
  if (key === undefined) {
    return {
      replays: false,
      async answer(signal, onProgress) {
        const routed = await inFlight.run(signal, (signal) => make(signal, onProgress), { toStopped: toCallStopped });
        return { outcome: { kind: "result", routed }, replayed: false };
      },
    };
  }
  const turn: CallTurn = await idempotentCalls.begin(await toCallMark({ caller, agent, key, tool, args }));
  return {
    replays: turn.replays,
    async answer(signal, onProgress) {
      let began = false;
      try {
        return await inFlight.run(signal, async (signal) => {
          began = true;
          using deadline = new Deadline(timeoutMs ?? OPERATION_TIMEOUT_MS, { signal });
          return await turn.answer((signal) => make(signal, onProgress), deadline);
        });
      } catch (error) {
        if (!began) await turn.drop(error);
        throw error;
      }
    },
  };
}
