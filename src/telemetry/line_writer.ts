/**
 * Writes lines without waiting for who reads them.
 *
 * @module
 */

import { clearAlarm, setAlarm } from "../alarm.ts";

/** How a {@linkcode LineWriter} writes. */
export interface LineWriterOptions {
  /** Writes some bytes, and resolves to how many of them were. */
  readonly write: (bytes: Uint8Array) => Promise<number>;
  /** A line that says how many were left out. */
  readonly toGap: (lines: number) => string;
  /** How much may wait, in characters; lines beyond are left out. @default {1_048_576} */
  readonly maxWaitingChars?: number | undefined;
}

/** The most characters that are written at once. */
const MAX_CHUNK_CHARS = 65_536;
/** How long lines are gathered after a write, in milliseconds: a write costs more than the lines of many requests. */
const GATHER_MS = 25;

/**
 * Keeps lines until they are written. A console would wait for its reader, and with it all who are answered: one that
 * reads no more costs lines here, nothing else.
 */
export class LineWriter {
  readonly #write: (bytes: Uint8Array) => Promise<number>;
  readonly #toGap: (lines: number) => string;
  readonly #maxWaitingChars: number;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #waitingChars = 0;
  #leftOut = 0;
  #writing: Promise<void> | undefined;
  /** How many wait for all to be written. */
  #flushing = 0;
  /** Ends the gathering of lines. */
  #stopGathering: (() => void) | undefined;

  /**
   * Creates a writer.
   *
   * @param options How it writes.
   */
  constructor({ write, toGap, maxWaitingChars = 1_048_576 }: LineWriterOptions) {
    this.#write = write;
    this.#toGap = toGap;
    this.#maxWaitingChars = maxWaitingChars;
  }

  /**
   * Adds a line.
   *
   * @param line The line, without its end.
   */
  add(line: string): void {
    if (this.#waitingChars + line.length > this.#maxWaitingChars) {
      this.#leftOut++;
      return;
    }
    this.#waitingChars += line.length;
    this.#lines.push(line);
    this.#writing ??= this.#writeAll();
  }

  /**
   * Waits for what has been added.
   *
   * @returns When it is written, or cannot be.
   */
  async flush(): Promise<void> {
    this.#flushing++;
    this.#stopGathering?.();
    await this.#writing;
    this.#flushing--;
  }

  async #writeAll(): Promise<void> {
    // What comes in the same turn goes out at once.
    await Promise.resolve();
    try {
      while (this.#lines.length > 0) {
        await this.#writeSome();
        if (this.#flushing === 0 && this.#waitingChars < MAX_CHUNK_CHARS) await this.#gather();
      }
    } catch {
      // Nobody reads any more: there is no place to say so.
      this.#lines = [];
      this.#waitingChars = 0;
    } finally {
      this.#writing = undefined;
    }
  }

  async #gather(): Promise<void> {
    const over = Promise.withResolvers<void>();
    const alarm = setAlarm(over.resolve, GATHER_MS);
    this.#stopGathering = over.resolve;
    await over.promise;
    clearAlarm(alarm);
    this.#stopGathering = undefined;
  }

  async #writeSome(): Promise<void> {
    let chunk = "";
    let taken = 0;
    for (const line of this.#lines) {
      if (taken > 0 && chunk.length + line.length > MAX_CHUNK_CHARS) break;
      chunk += `${line}\n`;
      taken++;
    }
    this.#lines = this.#lines.slice(taken);
    let bytes = this.#encoder.encode(chunk);
    while (bytes.length > 0) bytes = bytes.subarray(await this.#write(bytes));
    this.#waitingChars -= chunk.length - taken;
    if (this.#leftOut === 0) return;
    const gap = this.#toGap(this.#leftOut);
    this.#leftOut = 0;
    this.#waitingChars += gap.length;
    // Where they are missing: after what had waited already.
    this.#lines.push(gap);
  }
}
