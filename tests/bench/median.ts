/**
 * The middle of some measurements.
 *
 * @param values At least one.
 * @returns The median.
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * What a share of some measurements does not exceed.
 *
 * @param values At least one.
 * @param share From 0 to 1, such as 0.99.
 * @returns The percentile.
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

/**
 * A ratio as the tables print it.
 *
 * @param value The value.
 * @param unit What it is compared to.
 * @returns Such as `1.07 ×`.
 */
export function toRatio(value: number, unit: number): string {
  return `${(value / unit).toFixed(2)} ×`;
}
