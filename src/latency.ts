/**
 * How long the last requests took.
 *
 * @module
 */

/** How many requests are remembered. */
const MAX_SAMPLES = 128;
/** How many are shown one by one. */
const MAX_RECENT = 32;

/**
 * Percentiles of the last requests, in milliseconds.
 *
 * @example
 * ```ts
 * import type { LatencySummary } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const isSlow = ({ p99Ms, count }: LatencySummary) => count >= 20 && p99Ms > 1_000;
 * assertEquals(isSlow({ lastMs: 12, p50Ms: 11, p99Ms: 1_400, count: 128 }), true);
 * ```
 */
export interface LatencySummary {
  /** The last one. */
  readonly lastMs: number;
  /** Half took at most this long. */
  readonly p50Ms: number;
  /** 99 of 100 took at most this long. */
  readonly p99Ms: number;
  /** How many requests the percentiles are of; at most 128. */
  readonly count: number;
}

/** The last requests of one server. */
export class LatencyWindow {
  readonly #samples: number[] = [];
  #next = 0;

  /**
   * Adds a request.
   *
   * @param ms How long it took, in milliseconds.
   */
  add(ms: number): void {
    this.#samples[this.#next] = Math.round(ms * 10) / 10;
    this.#next = (this.#next + 1) % MAX_SAMPLES;
  }

  /** The last 32 at most, oldest first, or `undefined` where nothing was measured yet. */
  get recent(): readonly number[] | undefined {
    const count = this.#samples.length;
    if (count === 0) return undefined;
    // Once it is full, the oldest one stands where the next one goes.
    const inOrder = count < MAX_SAMPLES ? this.#samples : [
      ...this.#samples.slice(this.#next),
      ...this.#samples.slice(0, this.#next),
    ];
    return inOrder.slice(-MAX_RECENT);
  }

  /** The percentiles, or `undefined` where nothing was measured yet. */
  get summary(): LatencySummary | undefined {
    const count = this.#samples.length;
    const lastMs = this.#samples[(this.#next + MAX_SAMPLES - 1) % MAX_SAMPLES];
    if (lastMs === undefined) return undefined;
    const sorted = this.#samples.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(count - 1, Math.ceil(count * share) - 1)] ?? lastMs;
    return { lastMs, p50Ms: at(0.5), p99Ms: at(0.99), count };
  }
}
