/**
 * Limits how many requests are made in a time.
 *
 * @module
 */

import { delay } from "@std/async";
import { checkTimeout, MAX_TIMER_MS } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import { checkCount } from "./checks.ts";
import type { Interceptor } from "./interceptor.ts";
import type { InterceptedRequest, RequestKind } from "./requests.ts";

/**
 * How requests are limited.
 *
 * @example
 * ```ts
 * import { rateLimit, type RateLimitOptions } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const options: RateLimitOptions = {
 *   limit: 60,
 *   windowMs: 60_000,
 *   key: ({ server = "" }) => server,
 *   kinds: ["call_tool", "read_resource"],
 * };
 * assertEquals(typeof rateLimit(options).any, "function");
 * ```
 */
export interface RateLimitOptions {
  /** How many requests may be made in `windowMs`; as many may be made at once after a quiet time. */
  readonly limit: number;
  /** The time, in milliseconds. Rights to a request come back evenly over it. */
  readonly windowMs: number;
  /**
   * What shares a limit: requests with equal keys. @default {Everything shares one}
   */
  readonly key?: ((request: InterceptedRequest) => string) | undefined;
  /** Which requests are limited. @default {["call_tool"]} */
  readonly kinds?: readonly RequestKind[] | undefined;
  /**
   * Whether a request waits for its turn, first come first served, where that comes before its deadline. Otherwise it
   * rejects at once. @default {false}
   */
  readonly wait?: boolean | undefined;
  /** How many requests may wait in all; more reject at once. @default {256} */
  readonly maxWaiting?: number | undefined;
  /** How many keys are kept. While all of them are in use, requests with other keys reject. @default {1_000} */
  readonly maxKeys?: number | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
  /** Waits; rejects where the signal aborts. @default {`delay` of @std/async} */
  readonly delay?: ((ms: number, options: { readonly signal?: AbortSignal }) => Promise<void>) | undefined;
}

interface Bucket {
  /** The rights there are; negative where requests wait for theirs. */
  rights: number;
  atMs: number;
}

/**
 * Makes an interceptor that limits how many requests are made in a time. It limits this client in this process: on the
 * edge there are many of both.
 *
 * @example Ten calls a second of each tool
 * ```ts
 * import { rateLimit } from "@portolan/mcp/interceptors";
 *
 * const limited = rateLimit({ limit: 10, windowMs: 1_000, key: ({ target }) => target ?? "", wait: true });
 * ```
 *
 * @param options The limit.
 * @returns The interceptor. A request too many rejects with an `MCPError` of code `rate_limited` that is `retryable`
 * and says when, in `retryAfterMs`.
 * @throws {RangeError} If a number makes no sense.
 */
export function rateLimit(options: RateLimitOptions): Interceptor {
  const { limit, windowMs, key: toKey = () => "", kinds = ["call_tool"], wait = false } = options;
  const { maxWaiting = 256, maxKeys = 1_000, now = Date.now, delay: sleep = delay } = options;
  checkCount("limit", limit);
  checkTimeout("windowMs", windowMs);
  if (windowMs === Infinity) throw new RangeError("Cannot use windowMs as a time in milliseconds: Infinity");
  checkCount("maxWaiting", maxWaiting, 0);
  checkCount("maxKeys", maxKeys);
  const limited = new Set(kinds);
  const msPerRight = windowMs / limit;
  const buckets = new Map<string, Bucket>();
  let waiting = 0;

  const fill = (bucket: Bucket) => {
    const atMs = now();
    // A clock that was set back takes nothing away.
    bucket.rights = Math.min(limit, bucket.rights + Math.max(0, atMs - bucket.atMs) / msPerRight);
    bucket.atMs = atMs;
    return bucket;
  };
  const makeRoom = () => {
    for (const [key, bucket] of buckets) {
      if (buckets.size < maxKeys) return;
      // A full one is as good as a new one.
      if (fill(bucket).rights === limit) buckets.delete(key);
    }
  };
  const find = (key: string): Bucket | undefined => {
    const found = buckets.get(key);
    if (found !== undefined) return fill(found);
    if (buckets.size >= maxKeys) makeRoom();
    if (buckets.size >= maxKeys) return undefined;
    const bucket = { rights: limit, atMs: now() };
    buckets.set(key, bucket);
    return bucket;
  };
  const takeTurn = async (bucket: Bucket, waitMs: number, request: InterceptedRequest) => {
    const { signal } = request.options;
    waiting++;
    try {
      await sleep(waitMs, signal === undefined ? {} : { signal });
    } catch (error) {
      bucket.rights++;
      throw signal?.aborted ? signal.reason : error;
    } finally {
      waiting--;
    }
  };

  return {
    async any(request, next) {
      if (!limited.has(request.kind)) return await next();
      const bucket = find(toKey(request));
      if (bucket === undefined) throw toRateLimited(request, windowMs);
      // Ten times a tenth is a little less than one.
      const waitMs = Math.ceil(Math.max(0, 1 - bucket.rights - 1e-9) * msPerRight);
      const mayWait = wait && waiting < maxWaiting && waitMs < Math.min(request.remainingMs, MAX_TIMER_MS);
      if (waitMs > 0 && !mayWait) throw toRateLimited(request, waitMs);
      bucket.rights--;
      if (waitMs > 0) await takeTurn(bucket, waitMs, request);
      return await next();
    },
  };
}

function toRateLimited({ kind, server }: InterceptedRequest, retryAfterMs: number): MCPError {
  return new MCPError("rate_limited", `Cannot make a request of kind "${kind}" as too many were made of late`, {
    server,
    retryable: true,
    retryAfterMs,
  });
}
