/**
 * What a command writes: JSON for a program, text for a person.
 *
 * @module
 */

import type { CliIO } from "./io.ts";
import { createPaint, type Paint, wantsColour } from "./style.ts";
import { type Cell, type Column, drawTable } from "./table.ts";

/** What the options say of the output. */
export interface OutputFlags {
  /** Whether it is JSON. @default {Whether it goes to anything but a terminal} */
  readonly json?: boolean | undefined;
  /** Whether it has colours. @default {As the environment and the terminal say} */
  readonly color?: boolean | undefined;
}

/** Also in a text of JSON: a person may look at it, and what is escaped is the same text. */
const UNSEEN = /[\p{Cf}\p{Zl}\p{Zp}\p{Co}\u007f-\u009f]/gu;

/**
 * Writes a value as JSON that is harmless on a terminal.
 *
 * @param value The value.
 * @param indent How many blanks a level has; `0` for one line.
 * @returns The text.
 */
export function toSafeJson(value: unknown, indent = 2): string {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value, undefined, indent).replaceAll(UNSEEN, (char) => char.split("").map(escape).join(""));
}

/** The output of one command. */
export class Output {
  /** Whether answers are JSON. */
  readonly isJson: boolean;
  /** Gives texts of the answer their style. */
  readonly paint: Paint;
  /** Gives texts of the standard error their style. */
  readonly paintError: Paint;
  readonly #io: CliIO;

  /**
   * Decides what the output is like.
   *
   * @param io Where it goes.
   * @param flags What the options say.
   */
  constructor(io: CliIO, flags: OutputFlags) {
    const { stdout, stderr, env } = io;
    const paintOf = ({ isTerminal }: { isTerminal: boolean }) => {
      return createPaint(wantsColour({ flag: flags.color, env, isTerminal }));
    };
    this.isJson = flags.json ?? !stdout.isTerminal;
    this.paint = paintOf(stdout);
    this.paintError = paintOf(stderr);
    this.#io = io;
  }

  /**
   * Writes one JSON document.
   *
   * @param value The document.
   */
  json(value: unknown): void {
    this.#io.stdout.write(`${toSafeJson(value)}\n`);
  }

  /**
   * Writes one line of JSON Lines.
   *
   * @param value The document of the line.
   */
  jsonLine(value: unknown): void {
    this.#io.stdout.write(`${toSafeJson(value, 0)}\n`);
  }

  /**
   * Writes a line of text.
   *
   * @param text The line; what others said in it is harmless already.
   */
  line(text = ""): void {
    this.#io.stdout.write(`${text}\n`);
  }

  /**
   * Writes a line that is no answer.
   *
   * @param text The line; what others said in it is harmless already.
   */
  note(text: string): void {
    this.#io.stderr.write(`${text}\n`);
  }

  /**
   * Writes a table.
   *
   * @param columns Its columns.
   * @param rows Its rows; texts of others may stand in them.
   */
  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
    const { isTerminal, columns: width } = this.#io.stdout;
    this.#io.stdout.write(drawTable(columns, rows, { paint: this.paint, columns: isTerminal ? width : undefined }));
  }
}
