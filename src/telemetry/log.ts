/**
 * Lines about what happens, for people or for programs.
 *
 * @module
 */

import { cleanText, toJsonLine } from "./clean_text.ts";

/** From which level on lines are written, most first; `off` writes none. */
export const LOG_THRESHOLDS = ["debug", "info", "warning", "error", "off"] as const;

/** From which level on lines are written. */
export type LogThreshold = (typeof LOG_THRESHOLDS)[number];

/** How grave a line is. */
export type LineLevel = Exclude<LogThreshold, "off">;

/** How lines are written: each a JSON object, or as people read them. */
export type LogFormat = "json" | "text";

/** What a line says. */
export interface LogEntry {
  /** In words. */
  readonly message: string;
  /** The same for people, where that differs; several lines. */
  readonly text?: readonly string[] | undefined;
  /** What else programs may ask for. Never a secret. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

/** How a log writes. */
export interface LogOptions {
  /** From which level on. */
  readonly threshold: LogThreshold;
  /** How. */
  readonly format: LogFormat;
  /** Writes a line, which has no end of line. */
  readonly write: (line: string, level: LineLevel) => void;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/** Writes lines. What is in them breaks none: whoever is named in a line cannot write another. */
export class Log {
  readonly #threshold: number;
  readonly #format: LogFormat;
  readonly #write: (line: string, level: LineLevel) => void;
  readonly #now: () => number;

  /**
   * Creates a log.
   *
   * @param options How it writes.
   */
  constructor({ threshold, format, write, now = Date.now }: LogOptions) {
    this.#threshold = LOG_THRESHOLDS.indexOf(threshold);
    this.#format = format;
    this.#write = write;
    this.#now = now;
  }

  /**
   * Whether lines of a level are written.
   *
   * @param level The level.
   * @returns Whether they are.
   */
  isOn(level: LineLevel): boolean {
    return LOG_THRESHOLDS.indexOf(level) >= this.#threshold;
  }

  /**
   * Writes a line, where its level is on.
   *
   * @param level Its level.
   * @param entry What it says.
   */
  add(level: LineLevel, entry: LogEntry): void {
    if (this.isOn(level)) this.#write(this.toLine(level, entry), level);
  }

  /**
   * Writes the last line, whatever is on: nobody would know why the program ends.
   *
   * @param entry What it says.
   */
  addLast(entry: LogEntry): void {
    this.#write(this.toLine("error", entry), "error");
  }

  /**
   * A line as it would be written.
   *
   * @param level Its level.
   * @param entry What it says.
   * @returns The line, or several where the entry has several for people.
   */
  toLine(level: LineLevel, entry: LogEntry): string {
    const { message } = entry;
    // What is not written is not asked for: it may be made when it is.
    if (this.#format === "text") return (entry.text ?? [message]).map(cleanText).join("\n");
    return toJsonLine({ time: new Date(this.#now()).toISOString(), level, message, ...entry.fields });
  }
}
