/**
 * Colours, where they are wanted.
 *
 * @module
 */

import { styleText } from "node:util";
import type { Environment } from "../server_config.ts";

/** What text may look like. */
export type TextStyle = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Gives a text its style, or none. */
export type Paint = (style: TextStyle, text: string) => string;

/** What decides about colours. */
export interface ColourWishes {
  /** What the option `--color` or `--no-color` says, where it was given. */
  readonly flag: boolean | undefined;
  /** The environment. */
  readonly env: Environment;
  /** Whether a person looks at the stream. */
  readonly isTerminal: boolean;
}

/**
 * Whether a stream gets colours: as the option says, else as `FORCE_COLOR` and `NO_COLOR` say, else on a terminal.
 *
 * @param wishes What decides.
 * @returns Whether it does.
 */
export function wantsColour({ flag, env, isTerminal }: ColourWishes): boolean {
  if (flag !== undefined) return flag;
  const { FORCE_COLOR: force = "", NO_COLOR: no = "", TERM: term } = env;
  if (force !== "") return force !== "0" && force !== "false";
  return no === "" && isTerminal && term !== "dumb";
}

/**
 * Makes what paints.
 *
 * @param coloured Whether there are colours.
 * @returns What gives a text its style, where there are.
 */
export function createPaint(coloured: boolean): Paint {
  // Whether the stream takes them has been decided: the runtime need not look at its own.
  return (style, text) => coloured && text !== "" ? styleText(style, text, { validateStream: false }) : text;
}
