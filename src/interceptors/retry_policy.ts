/**
 * Makes requests again that failed and that can be made again without harm.
 *
 * @module
 */

import { delay } from "@std/async";
import { checkTimeout, MAX_TIMER_MS } from "../deadline.ts";
import { isMCPError, type MCPError, type MCPErrorCode } from "../errors.ts";
import { InputRequiredError } from "../input_round.ts";
import { checkCount } from "./checks.ts";
import type { Interceptor } from "./interceptor.ts";
import { type InterceptedRequest, isCallToolRequest } from "./requests.ts";

/** Failures that may be gone the next time. */
const PASSING: ReadonlySet<MCPErrorCode> = new Set(
  [
    "circuit_open",
    "deadline_exceeded",
    "outcome_unknown",
    "overloaded",
    "rate_limited",
    "session_lost",
    "unreachable",
  ] as const,
);

/**
 * How many retries there may be, so that an outage does not multiply the load.
 *
 * @example
 * ```ts
 * import { retryPolicy, type RetryPolicyBudget } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * // One retry for twenty requests, and five at once after a quiet time.
 * const budget: RetryPolicyBudget = { ratio: 0.05, burst: 5 };
 * assertEquals(typeof retryPolicy({ budget }).any, "function");
 * ```
 */
export interface RetryPolicyBudget {
  /** Each request earns this share of a retry. @default {0.1} */
  readonly ratio?: number | undefined;
  /** How many retries can be saved up; as many are there at the beginning. @default {10} */
  readonly burst?: number | undefined;
}

/**
 * How requests are made again.
 *
 * @example
 * ```ts
 * import { retryPolicy, type RetryPolicyOptions } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const options: RetryPolicyOptions = {
 *   attempts: 4,
 *   backoffMs: 200,
 *   retryOn: ({ code }, { kind }) => code === "unreachable" || kind !== "call_tool",
 * };
 * assertEquals(typeof retryPolicy(options).any, "function");
 * ```
 */
export interface RetryPolicyOptions {
  /** How often a request is made at most, the first time included. @default {3} */
  readonly attempts?: number | undefined;
  /** The longest wait before the second attempt, in milliseconds; doubled for each one after it. @default {100} */
  readonly backoffMs?: number | undefined;
  /** The longest wait that `backoffMs` grows to, in milliseconds. @default {5_000} */
  readonly maxBackoffMs?: number | undefined;
  /** How many retries there may be over all requests. */
  readonly budget?: RetryPolicyBudget | undefined;
  /**
   * Whether the annotations of tools are believed. Then a call of a tool that says `readOnlyHint` or `idempotentHint`
   * is made again also where it may have run. A server can write what it likes there. @default {false}
   */
  readonly trustAnnotations?: boolean | undefined;
  /**
   * Which of the failures after which a repeat is harmless are worth one. It cannot make a harmful one harmless.
   * @default {Those that are `retryable` or may be gone the next time}
   */
  readonly retryOn?: ((error: MCPError, request: InterceptedRequest) => boolean) | undefined;
  /** A number from 0 up to 1, for the jitter of waits. @default {Math.random} */
  readonly random?: (() => number) | undefined;
  /** Waits; rejects where the signal aborts. @default {`delay` of @std/async} */
  readonly delay?: ((ms: number, options: { readonly signal?: AbortSignal }) => Promise<void>) | undefined;
}

/**
 * Makes an interceptor that makes a request again where that is harmless: the failure says that nothing ran
 * (`retryable`), the request only reads, or the tool is trusted to be repeatable. It waits with full jitter, at least
 * `retryAfterMs` where the failure says so, and never beyond the deadline: what does not fit is told at once. The
 * clients repeat a little by themselves; this is for those who want more.
 *
 * @example
 * ```ts
 * import { retryPolicy } from "@portolan/mcp/interceptors";
 *
 * const patient = retryPolicy({ attempts: 5, backoffMs: 200, retryOn: ({ code }) => code === "unreachable" });
 * ```
 *
 * @param options How requests are made again.
 * @returns The interceptor. A request rejects with the failure of its last attempt.
 * @throws {RangeError} If a number makes no sense.
 */
export function retryPolicy(options: RetryPolicyOptions = {}): Interceptor {
  const { attempts = 3, backoffMs = 100, maxBackoffMs = 5_000, trustAnnotations = false } = options;
  const { retryOn = isPassing, random = Math.random, delay: sleep = delay } = options;
  const { ratio = 0.1, burst = 10 } = options.budget ?? {};
  checkCount("attempts", attempts);
  checkTimeout("backoffMs", backoffMs);
  checkTimeout("maxBackoffMs", maxBackoffMs);
  checkCount("burst", burst);
  if (!(ratio >= 0 && ratio <= 1)) throw new RangeError(`Cannot use ratio as a share from 0 to 1: ${String(ratio)}`);
  let saved = burst;

  const isHarmless = async (error: MCPError, request: InterceptedRequest): Promise<boolean> => {
    if (error.retryable || !isCallToolRequest(request)) return true;
    if (!trustAnnotations) return false;
    const { readOnlyHint, idempotentHint } = (await request.findTool())?.annotations ?? {};
    return readOnlyHint === true || idempotentHint === true;
  };
  /** How long to wait before another attempt, or `undefined` where there is to be none. */
  const toWaitMs = async (
    error: unknown,
    attempt: number,
    request: InterceptedRequest,
  ): Promise<number | undefined> => {
    // A server that asks is not to be asked again without the answers.
    if (attempt >= attempts || !isMCPError(error) || error instanceof InputRequiredError) return undefined;
    if (!retryOn(error, request) || !(await isHarmless(error, request))) return undefined;
    const jitterMs = random() * Math.min(backoffMs * 2 ** (attempt - 1), maxBackoffMs);
    const waitMs = Math.max(error.retryAfterMs ?? 0, jitterMs);
    // Ten times a tenth is a little less than one.
    if (waitMs >= Math.min(request.remainingMs, MAX_TIMER_MS) || saved < 1 - 1e-9) return undefined;
    saved = Math.max(0, saved - 1);
    return waitMs;
  };

  return {
    async any(request, next) {
      saved = Math.min(burst, saved + ratio);
      const { signal } = request.options;
      for (let attempt = 1;; attempt++) {
        try {
          return await next();
        } catch (error) {
          const waitMs = await toWaitMs(error, attempt, request);
          if (waitMs === undefined) throw error;
          await sleep(waitMs, signal === undefined ? {} : { signal });
        }
      }
    },
  };
}

/** Whether a failure may be gone the next time. */
function isPassing({ code, httpStatus, retryable }: MCPError): boolean {
  return retryable || PASSING.has(code) || (code === "upstream_error" && httpStatus !== undefined && httpStatus >= 500);
}
