import { median } from "./median.ts";

/** One contender's measurements of one kind. */
export interface Measured {
  /** The median of the rounds. */
  readonly value: number;
  /** The median of the ratios to the first contender, each within one round. */
  readonly ratio: number;
}

/**
 * Measures contenders in turn, round after round, so that what slows the machine down slows all of them.
 *
 * @param rounds How many rounds count; one more warms up.
 * @param contenders How each is measured: some numbers, always the same ones in the same order.
 * @returns For each contender its numbers, beside the ratios to those of the first.
 */
export async function measureInTurn(
  rounds: number,
  contenders: readonly (() => Promise<readonly number[]>)[],
): Promise<readonly (readonly Measured[])[]> {
  const taken: (readonly number[])[][] = contenders.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, measure] of contenders.entries()) {
      const numbers = await measure();
      if (round > 0) taken[index]!.push(numbers);
    }
  }
  return taken.map((rows) => {
    return rows[0]!.map((_, column) => ({
      value: median(rows.map((row) => row[column]!)),
      ratio: median(rows.map((row, round) => row[column]! / taken[0]![round]![column]!)),
    }));
  });
}
