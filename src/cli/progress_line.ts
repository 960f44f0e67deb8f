/**
 * The progress of a call, in one line of a terminal that is written over.
 *
 * @module
 */

import type { Progress } from "../protocol.ts";
import type { CliStream } from "./io.ts";
import { fitWidth, safeLine } from "./safe_text.ts";
import type { Paint } from "./style.ts";

const CLEAR = "\r\x1b[K";
const BAR_WIDTH = 20;
const DEFAULT_COLUMNS = 80;

/** Shows progress until it is cleared; shows nothing where nobody looks. */
export class ProgressLine implements Disposable {
  readonly #stream: CliStream;
  readonly #paint: Paint;
  #isShown = false;

  /**
   * Shows nothing yet.
   *
   * @param stream Where the line is.
   * @param paint Gives the line its style.
   */
  constructor(stream: CliStream, paint: Paint) {
    this.#stream = stream;
    this.#paint = paint;
  }

  /**
   * Shows a text.
   *
   * @param text The text; that of others may be part of it.
   */
  show(text: string): void {
    if (!this.#stream.isTerminal) return;
    // One column stays free: a line that fills the terminal would wrap, and could not be cleared.
    const columns = (this.#stream.columns ?? DEFAULT_COLUMNS) - 1;
    this.#stream.write(CLEAR + this.#paint("dim", fitWidth(safeLine(text), columns)));
    this.#isShown = true;
  }

  /**
   * Shows how far a call is.
   *
   * @param progress What the server says.
   */
  progress({ progress, total, message }: Progress): void {
    const words = typeof message === "string" ? ` ${message}` : "";
    if (typeof total !== "number" || !(total > 0)) return this.show(`… ${progress}${words}`);
    const share = Math.min(1, Math.max(0, progress / total));
    const full = Math.round(share * BAR_WIDTH);
    const bar = "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
    this.show(`${bar} ${Math.round(share * 100)} % (${progress} of ${total})${words}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isShown) this.#stream.write(CLEAR);
    this.#isShown = false;
  }

  /** As {@linkcode ProgressLine.clear}. */
  [Symbol.dispose](): void {
    this.clear();
  }
}
