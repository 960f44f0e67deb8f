/** What a measured ratio is held against. */
export interface Target {
  /** At most this much. */
  readonly atMost?: number;
  /** At least this much. */
  readonly atLeast?: number;
}

/** A line of a table: the first cell to the left, the others to the right. */
export function toRow(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, index) => {
    const width = widths[index] ?? 12;
    return index === 0 ? `  ${cell}`.padEnd(width) : cell.padStart(width);
  });
  return padded.join("").trimEnd();
}

/** Whether a target is met, in words; the noise of a machine may miss it. */
export function toVerdict(value: number, target: Target | undefined): string {
  if (target === undefined) return "";
  const { atMost = Infinity, atLeast = -Infinity } = target;
  const bound = target.atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
  return `${bound} ${value <= atMost && value >= atLeast ? "ok" : "missed"}`;
}
