/**
 * What changed between two texts, line by line.
 *
 * @module
 */

/** A line of a comparison. */
export interface DiffLine {
  /** Whether it stands in both texts, only in the first, only in the second, or for lines that are left out. */
  readonly kind: "same" | "removed" | "added" | "left_out";
  /** The line. */
  readonly text: string;
}

/** How many lines of each text are compared: the work grows with the product of both. */
const MAX_LINES = 600;
/** How many lines stand around a change that are the same. */
const CONTEXT_LINES = 3;

/**
 * Compares two texts by the longest lines they have in common, in order.
 *
 * @param before The first text.
 * @param after The second text.
 * @returns What changed, in order, with a few lines around it. Of texts of many lines the first ones are compared.
 */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [left, right] = [before.split("\n"), after.split("\n")];
  const [a, b] = [left.slice(0, MAX_LINES), right.slice(0, MAX_LINES)];
  const common = measureCommon(a, b);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [old, fresh] = [a[i], b[j]];
    if (old !== undefined && old === fresh) {
      lines.push({ kind: "same", text: old });
      i++;
      j++;
    } else if (old !== undefined && (fresh === undefined || at(common, i + 1, j) >= at(common, i, j + 1))) {
      lines.push({ kind: "removed", text: old });
      i++;
    } else {
      lines.push({ kind: "added", text: fresh ?? "" });
      j++;
    }
  }
  const isCut = left.length > MAX_LINES || right.length > MAX_LINES;
  const shown = leaveOut(lines);
  return isCut ? [...shown, { kind: "left_out", text: `only the first ${MAX_LINES} lines are compared` }] : shown;
}

/** Leaves out what is far from every change. */
function leaveOut(lines: readonly DiffLine[]): readonly DiffLine[] {
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some(({ kind }) => kind !== "same")
  );
  const shown: DiffLine[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index];
    if (line === undefined) break;
    const next = isNear.indexOf(true, index);
    const far = isNear[index] === true ? 0 : (next === -1 ? lines.length : next) - index;
    if (far <= 1) {
      shown.push(line);
    } else {
      shown.push({ kind: "left_out", text: `${far} lines that are the same` });
      index += far - 1;
    }
  }
  return shown;
}

function at(table: readonly Uint16Array[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}

/** How many lines the rest of both texts have in common, by where the rests begin. */
function measureCommon(a: readonly string[], b: readonly string[]): readonly Uint16Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    const row = table[i];
    if (row === undefined) continue;
    for (let j = b.length - 1; j >= 0; j--) {
      row[j] = a[i] === b[j] ? at(table, i + 1, j + 1) + 1 : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}
