/**
 * The terminal, or the pipe, to which the demo writes: colours, tables, and what may be done in place.
 *
 * @module
 */

/** The colours in use; few, so that each keeps its meaning. */
export type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** A text of a table with its colour; a bare string has none. */
export type Cell = string | { readonly text: string; readonly colour: Colour };

/** A column of a table. */
export interface Column {
  /** Its heading. */
  readonly heading: string;
  /** At which side its cells are. @default {"left"} */
  readonly align?: "left" | "right";
}

const CODES: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/** What a screen is like. */
export interface ScreenOptions {
  /** Whether it is a terminal that understands escape sequences. */
  readonly isTerminal: boolean;
  /** Whether colours are wanted; a pipe has none. */
  readonly hasColours: boolean;
  /** Told once when nobody reads any longer: a pipe or a terminal that was closed. */
  readonly onGone: () => void;
}

/** Where the demo writes: standard output. */
export class Screen {
  /** Whether lines can be written over: a terminal, and one that knows how. */
  readonly isLive: boolean;
  readonly #hasColours: boolean;
  readonly #onGone: () => void;
  readonly #encoder = new TextEncoder();
  #isGone = false;

  constructor({ isTerminal, hasColours, onGone }: ScreenOptions) {
    this.isLive = isTerminal;
    this.#hasColours = isTerminal && hasColours;
    this.#onGone = onGone;
  }

  /** The text in a colour, or as it is where there are none. */
  paint(text: string, colour: Colour): string {
    return this.#hasColours ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
  }

  /** Writes lines. */
  print(...lines: readonly string[]): void {
    this.write(lines.map((line) => `${line}\n`).join(""));
  }

  /** Writes a heading, with an empty line before it. */
  heading(text: string): void {
    this.print("", this.paint(text, "bold"));
  }

  /** Writes a table, two spaces from the left. */
  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
    const headings = columns.map(({ heading }): Cell => ({ text: heading, colour: "dim" }));
    const widths = columns.map((_, at) => Math.max(...[headings, ...rows].map((row) => textOf(row[at]).length)));
    for (const row of [headings, ...rows]) {
      const cells = columns.map(({ align }, at) => {
        const text = textOf(row[at]);
        const blank = " ".repeat((widths[at] ?? 0) - text.length);
        const shown = this.#paintCell(row[at]);
        return align === "right" ? blank + shown : at === columns.length - 1 ? shown : shown + blank;
      });
      this.print(`  ${cells.join("  ")}`.trimEnd());
    }
  }

  /** Writes text as it is. */
  write(text: string): void {
    if (this.#isGone) return;
    const bytes = this.#encoder.encode(text);
    try {
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    } catch {
      this.#isGone = true;
      this.#onGone();
    }
  }

  #paintCell(cell: Cell | undefined): string {
    return typeof cell === "object" ? this.paint(cell.text, cell.colour) : textOf(cell);
  }
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === "object" ? cell.text : cell ?? "";
}
