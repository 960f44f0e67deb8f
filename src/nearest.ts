/**
 * The names that a mistyped name may have meant.
 *
 * @module
 */

const MAX_CANDIDATES = 10_000;
const MAX_NAME_LENGTH = 64;
const MAX_DISTANCE = 4;

/**
 * Finds the candidates that are a few slips of the keyboard away from a name: letters missing, added, changed or
 * swapped (optimal string alignment), upper and lower case being the same. How many slips are forgiven grows with the
 * name, up to 4. The answer depends on the names alone, not on the order of the candidates.
 *
 * @example
 * ```ts
 * import { nearestNames } from "./nearest.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nearestNames("serch", ["search", "write_file"]), ["search"]);
 * ```
 *
 * @param name The name that nobody knows; only its first 64 characters count.
 * @param candidates The known names; those after the first 10,000 are not looked at.
 * @param max How many names to give back at most; `0` gives none.
 * @returns The near candidates, nearest first, equally near ones in the order of their code units.
 */
export function nearestNames(name: string, candidates: Iterable<string>, max = 3): readonly string[] {
  const wanted = fold(name);
  const limit = Math.min(MAX_DISTANCE, Math.max(1, Math.ceil(wanted.length / 3)));
  const found = new Map<string, number>();
  let seen = 0;
  for (const candidate of candidates) {
    if (++seen > MAX_CANDIDATES) break;
    const distance = cappedDistance(wanted, fold(candidate), limit);
    if (distance <= limit) found.set(candidate, distance);
  }
  return [...found]
    .sort(([a, distanceA], [b, distanceB]) => distanceA - distanceB || (a < b ? -1 : 1))
    .slice(0, max)
    .map(([candidate]) => candidate);
}

function fold(name: string): string {
  return name.slice(0, MAX_NAME_LENGTH).toLowerCase();
}

/** The distance of two names, or `limit + 1` where it passes the limit; only the band of the limit is computed. */
function cappedDistance(a: string, b: string, limit: number): number {
  const over = limit + 1;
  if (Math.abs(a.length - b.length) > limit) return over;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => Math.min(column, over));
  for (let row = 1; row <= a.length; row++) {
    const current = new Array<number>(b.length + 1).fill(over);
    current[0] = Math.min(row, over);
    let least = current[0];
    const end = Math.min(b.length, row + limit);
    for (let column = Math.max(1, row - limit); column <= end; column++) {
      const same = a[row - 1] === b[column - 1];
      let distance = Math.min(
        at(last, column, over) + 1,
        at(current, column - 1, over) + 1,
        at(last, column - 1, over) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, at(beforeLast, column - 2, over) + 1);
      }
      current[column] = Math.min(distance, over);
      least = Math.min(least, distance);
    }
    if (least > limit) return over;
    beforeLast = last;
    last = current;
  }
  return at(last, b.length, over);
}

function at(row: readonly number[], column: number, otherwise: number): number {
  return row[column] ?? otherwise;
}

/**
 * Names for the text of an error.
 *
 * @param names The names.
 * @param joint What stands between two of them. @default {", "}
 * @returns The names in quotes.
 */
export function quoteAll(names: readonly string[], joint = ", "): string {
  return names.map((name) => `"${name}"`).join(joint);
}

/**
 * A question that names what the caller may have meant.
 *
 * @param suggestions Names, nearest first.
 * @returns The end of an error's message; empty where there are none.
 */
export function didYouMean(suggestions: readonly string[]): string {
  return suggestions.length === 0 ? "" : `; did you mean ${quoteAll(suggestions, " or ")}?`;
}
