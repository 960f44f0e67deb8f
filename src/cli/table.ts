/**
 * Aligned columns that fit the terminal.
 *
 * @module
 */

import { fitWidth, safeLine, widthOf } from "./safe_text.ts";
import type { Paint, TextStyle } from "./style.ts";

/** One column. */
export interface Column {
  /** What stands above it. */
  readonly header: string;
  /** Whether it holds numbers. @default {false} */
  readonly right?: boolean | undefined;
}

/** One cell: its text, and what it looks like. */
export type Cell = string | readonly [text: string, style: TextStyle];

/** What a table is drawn with. */
export interface TableOptions {
  /** Gives texts their style. */
  readonly paint: Paint;
  /** How many columns the terminal has; without them nothing is cut. */
  readonly columns: number | undefined;
}

const GAP = "  ";
const INDENT = "  ";
const MIN_LAST_WIDTH = 12;

/**
 * Draws a table. Texts of others may stand in it. Columns without any text are left out; the last one is cut where the
 * terminal is too narrow.
 *
 * @param columns The columns.
 * @param rows The rows, each with a cell for every column.
 * @param options What it is drawn with.
 * @returns The lines, each with its line feed.
 */
export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { paint, columns: terminal }: TableOptions,
): string {
  const cells = rows.map((row) => row.map(toCell));
  const shown = columns
    .map((column, at) => ({ ...column, at, width: Math.max(...cells.map((row) => widthOf(row[at]?.text ?? ""))) }))
    .filter(({ width }) => width > 0)
    .map((column) => ({ ...column, width: Math.max(column.width, widthOf(column.header)) }));
  const before = shown.slice(0, -1).reduce((sum, { width }) => sum + width + GAP.length, INDENT.length);
  const room = terminal === undefined ? Infinity : Math.max(MIN_LAST_WIDTH, terminal - before);
  const line = (read: (at: number) => { text: string; style?: TextStyle | undefined }) => {
    const texts = shown.map(({ at, width, right }, index) => {
      const { text, style } = read(at);
      const isLast = index === shown.length - 1;
      const fitted = isLast ? fitWidth(text, room) : text;
      const space = " ".repeat(Math.max(0, width - widthOf(fitted)));
      const painted = style === undefined ? fitted : paint(style, fitted);
      return right === true ? space + painted : isLast ? painted : painted + space;
    });
    return `${INDENT}${texts.join(GAP)}`.trimEnd() + "\n";
  };
  const header = line((at) => ({ text: columns[at]?.header ?? "", style: "dim" }));
  return header + cells.map((row) => line((at) => row[at] ?? { text: "" })).join("");
}

function toCell(cell: Cell): { text: string; style?: TextStyle } {
  return typeof cell === "string" ? { text: safeLine(cell) } : { text: safeLine(cell[0]), style: cell[1] };
}
