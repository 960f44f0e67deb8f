/**
 * Tells a caller what a server says of a task, in line with the progress that was reported before there was one.
 *
 * @module
 */

import { tell } from "../tell.ts";
import type { Progress } from "../protocol.ts";

/** The progress of one call. */
export class TaskProgress {
  /** Takes progress that the server reports itself and passes it on; `undefined` where nobody wants it. */
  readonly take: ((progress: Progress) => void) | undefined;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  #highest = 0;
  #message: string | undefined;

  /**
   * Creates the progress of a call.
   *
   * @param onProgress Whom to tell.
   */
  constructor(onProgress: ((progress: Progress) => void) | undefined) {
    this.#onProgress = onProgress;
    this.take = onProgress && ((progress) => {
      this.#highest = Math.max(this.#highest, progress.progress);
      onProgress(progress);
    });
  }

  /**
   * Tells of a message, where it is another one than before. What the caller's function throws is ignored: it must not
   * end the call.
   *
   * @param message What the server says of the task.
   */
  say(message: string | undefined): void {
    if (message === undefined || message === this.#message) return;
    this.#message = message;
    tell(this.#onProgress, { progress: ++this.#highest, message });
  }
}
