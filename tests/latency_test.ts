import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { LatencyWindow } from "../src/latency.ts";

function windowOf(samples: readonly number[]): LatencyWindow {
  const latency = new LatencyWindow();
  for (const ms of samples) latency.add(ms);
  return latency;
}

/** The smallest sample that at least this share of the samples does not pass, by counting. */
function percentile(samples: readonly number[], share: number): number {
  const enough = samples.filter((ms) => samples.filter((other) => other <= ms).length >= samples.length * share);
  return Math.min(...enough);
}

Deno.test("LatencyWindow.summary is undefined before the first request", () => {
  assertEquals(new LatencyWindow().summary, undefined);
});

Deno.test("LatencyWindow.summary tells the last request and the percentiles, to a tenth of a millisecond", () => {
  assertEquals(windowOf([12.34]).summary, { lastMs: 12.3, p50Ms: 12.3, p99Ms: 12.3, count: 1 });
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assertEquals(windowOf(hundred).summary, { lastMs: 1, p50Ms: 50, p99Ms: 99, count: 100 });
});

Deno.test("LatencyWindow.summary is of the last 128 requests alone", () => {
  const latency = windowOf([...new Array<number>(500).fill(9_999), ...new Array<number>(127).fill(1), 2]);
  assertEquals(latency.summary, { lastMs: 2, p50Ms: 1, p99Ms: 1, count: 128 });
});

Deno.test("LatencyWindow.summary agrees with counting", () => {
  // Whole tenths, as the samples are kept.
  const sample = fc.nat(100_000).map((tenths) => tenths / 10);
  fc.assert(fc.property(fc.array(sample, { minLength: 1, maxLength: 300 }), (samples) => {
    const last = samples.slice(-128);
    assertEquals(windowOf(samples).summary, {
      lastMs: samples.at(-1)!,
      p50Ms: percentile(last, 0.5),
      p99Ms: percentile(last, 0.99),
      count: last.length,
    });
  }));
});

Deno.test("LatencyWindow.recent is the last 32 requests, oldest first", () => {
  assertEquals(windowOf([]).recent, undefined);
  assertEquals(windowOf([3, 1, 2]).recent, [3, 1, 2]);
  fc.assert(fc.property(fc.integer({ min: 1, max: 400 }), (count) => {
    const samples = Array.from({ length: count }, (_, index) => index);
    assertEquals(windowOf(samples).recent, samples.slice(-32));
  }));
});
