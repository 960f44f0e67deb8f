/**
 * Several signals as one.
 *
 * @module
 */

/**
 * Several signals as one, from whichever aborts first. Deno 2.5 forgets the result of `AbortSignal.any()`, and whoever
 * listens to it, at the first garbage collection; this one lives as long as the signals.
 */
export class JoinedSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #unlink: (() => void)[] = [];

  /**
   * Joins signals. One of them has to abort when the work is over, or the result has to be disposed of.
   *
   * @param sources The signals.
   */
  constructor(...sources: readonly AbortSignal[]) {
    for (const source of sources) {
      const abort = () => {
        this.#controller.abort(source.reason);
        this[Symbol.dispose]();
      };
      if (source.aborted) {
        abort();
        return;
      }
      source.addEventListener("abort", abort, { once: true });
      this.#unlink.push(() => source.removeEventListener("abort", abort));
    }
  }

  /** Aborted, with the same reason, when one of the signals is. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Lets go of the signals; the work is over. */
  [Symbol.dispose](): void {
    for (const unlink of this.#unlink.splice(0)) unlink();
  }
}
