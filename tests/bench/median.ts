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
 * A ratio as the tables print it.
 *
 * @param value The value.
 * @param unit What it is compared to.
 * @returns Such as `1.07 ×`.
 */
export function toRatio(value: number, unit: number): string {
  return `${(value / unit).toFixed(2)} ×`;
}
