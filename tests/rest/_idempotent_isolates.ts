/** Isolates that make calls once for each idempotency key. */

import { Deadline } from "../../src/deadline.ts";
import { MCPError } from "../../src/errors.ts";
import { InFlight } from "../../src/gateway/in_flight.ts";
import { RequestError } from "../../src/gateway/request_error.ts";
import { toCallMark } from "../../src/rest/idempotency_key.ts";
import { type CallAnswer, IdempotentCalls, type MakeCall } from "../../src/rest/idempotent_calls.ts";
import type { RouteStore } from "../../src/route_store.ts";
import type { RoutedResult } from "../../src/status.ts";

/** What isolates share that can answer for each other. */
export const SECRET = new TextEncoder().encode("a secret of more than 16 bytes");
/** What the calls answer. */
export const ROUTED: RoutedResult = {
  server: "files",
  tool: "search",
  route: "memory",
  result: { content: [{ type: "text", text: "canary" }] },
};
/** A call that has a key. */
export const CALL = { caller: "key:a", agent: "Kairos", key: ["k"], tool: "search", args: { query: "ahoy" } };
/** How long a call is believed to run without a sign of life, in milliseconds. */
export const LEASE_MS = 15_000;

/** One isolate. */
export interface Isolate {
  /** Its calls. */
  readonly calls: IdempotentCalls;
  /** What it has under way. */
  readonly inFlight: InFlight;
  /** Lets a request in and gets its answer. */
  ask(
    make: MakeCall,
    options?: { readonly call?: Partial<typeof CALL>; readonly timeoutMs?: number },
  ): Promise<CallAnswer>;
}

/** Opens an isolate on a store. */
export function openIsolate(
  store: RouteStore | undefined,
  options: { now?: () => number; storeSecret?: Uint8Array; opTimeoutMs?: number } = {},
): Isolate {
  const inFlight = new InFlight();
  const calls = new IdempotentCalls({ store, inFlight, leaseMs: LEASE_MS, ...options });
  return {
    calls,
    inFlight,
    async ask(make, { call, timeoutMs = 5_000 } = {}) {
      const turn = await calls.begin(await toCallMark({ ...CALL, ...call }));
      using deadline = new Deadline(timeoutMs);
      return await turn.answer(make, deadline);
    },
  };
}

/** Makes a call that counts, and answers `ROUTED`. */
export function counting(made: { count: number }): MakeCall {
  return () => {
    made.count++;
    return Promise.resolve(ROUTED);
  };
}

/** Begins a call that ends when the gate opens; resolves when it has been claimed and is being made. */
export async function begin(
  { ask }: Isolate,
  gate: Promise<RoutedResult>,
): Promise<{ readonly running: Promise<CallAnswer> }> {
  const made = Promise.withResolvers<void>();
  const running = ask(() => {
    made.resolve();
    return gate;
  });
  await made.promise;
  return { running };
}

/** How a call ended: `result`, or the code of its failure. */
export async function codeOf(work: Promise<CallAnswer>): Promise<string> {
  const { outcome } = await work.catch((error): CallAnswer => {
    return { outcome: { kind: "failure", error }, replayed: false };
  });
  if (outcome.kind === "result") return "result";
  return outcome.error instanceof MCPError || outcome.error instanceof RequestError ? outcome.error.code : "other";
}
