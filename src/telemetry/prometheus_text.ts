/**
 * Metrics as text: the exposition format of Prometheus, version 0.0.4. It is written by hand as it is short, and as a
 * library for it would be loaded before the first call.
 *
 * @module
 */

import type { Series } from "./series_table.ts";

/** The media type of the text. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A name with its meaning and its labels. */
export interface MetricFamily {
  /** The name; with `_total` where it counts. */
  readonly name: string;
  /** What it is, in words. */
  readonly help: string;
  /** The names of the labels. */
  readonly labels: readonly string[];
}

/** What was measured, by upper bounds. */
export interface Histogram {
  /** How many values were at most as large as the bound of the same place; not cumulative. The last one has no bound. */
  readonly counts: number[];
  /** The sum of all values. */
  sum: number;
}

/**
 * Writes counters or gauges.
 *
 * @param type Which of them.
 * @param family What they are.
 * @param series Their values.
 * @returns The lines, or nothing where there are no values.
 */
export function writeNumbers(
  type: "counter" | "gauge",
  family: MetricFamily,
  series: readonly Series<number>[],
): string {
  const lines = series.map(({ labels, value }) => `${family.name}${writeLabels(family.labels, labels)} ${value}\n`);
  return series.length === 0 ? "" : writeHead(type, family) + lines.join("");
}

/**
 * Writes histograms.
 *
 * @param family What they are.
 * @param bounds The upper bounds, in order.
 * @param series Their values.
 * @returns The lines, or nothing where there are no values.
 */
export function writeHistograms(
  family: MetricFamily,
  bounds: readonly number[],
  series: readonly Series<Histogram>[],
): string {
  const lines = series.map(({ labels, value: { counts, sum } }) => {
    let count = 0;
    const buckets = [...bounds.map(String), "+Inf"].map((bound, index) => {
      count += counts[index] ?? 0;
      return `${family.name}_bucket${writeLabels([...family.labels, "le"], [...labels, bound])} ${count}\n`;
    });
    const own = writeLabels(family.labels, labels);
    return `${buckets.join("")}${family.name}_sum${own} ${sum}\n${family.name}_count${own} ${count}\n`;
  });
  return series.length === 0 ? "" : writeHead("histogram", family) + lines.join("");
}

function writeHead(type: string, { name, help }: MetricFamily): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function writeLabels(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return "";
  return `{${names.map((name, index) => `${name}="${escapeLabel(values[index] ?? "")}"`).join()}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
