/**
 * Numbers as people read them.
 *
 * @module
 */

/**
 * A time span.
 *
 * @param ms The span, in milliseconds.
 * @returns With a unit: `8 ms`, `1.2 s`, `4 min`.
 */
export function formatSpan(ms: number): string {
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

/**
 * A count with its noun.
 *
 * @param count How many.
 * @param one The noun for one.
 * @param many The noun for others. @default {with an s}
 * @returns Both.
 */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/**
 * Bytes.
 *
 * @param bytes How many.
 * @returns With a unit.
 */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return formatCount(bytes, "byte");
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/**
 * A moment.
 *
 * @param atMs When, in milliseconds since the epoch.
 * @returns Date and time to the second, in UTC.
 */
export function formatMoment(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
