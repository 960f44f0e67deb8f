/**
 * How many callers may listen.
 *
 * @module
 */

import { INTERNAL_ERROR, RpcError } from "./rpc.ts";

/** How many streams that stay open the gateway has at most. */
const MAX_STREAMS = 1_024;
/** How many of them one caller has. */
const MAX_STREAMS_OF_CALLER = 128;
/** When to try again where there are too many, in milliseconds. */
const RETRY_AFTER_MS = 10_000;

/** Counts streams that stay open. One for each gateway. */
export class StreamSlots {
  readonly #ofCaller = new Map<string, number>();
  #taken = 0;

  /**
   * Takes a slot.
   *
   * @param caller Who listens.
   * @returns Gives it back. Idempotent.
   * @throws {RpcError} If there are too many.
   */
  take(caller: string): () => void {
    const own = this.#ofCaller.get(caller) ?? 0;
    if (this.#taken >= MAX_STREAMS || own >= MAX_STREAMS_OF_CALLER) {
      throw new RpcError(INTERNAL_ERROR, "Cannot open another stream as there are too many: close some first", {
        status: 503,
        data: { code: "overloaded", retryable: true, retryAfterMs: RETRY_AFTER_MS },
      });
    }
    this.#taken++;
    this.#ofCaller.set(caller, own + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken--;
      const rest = (this.#ofCaller.get(caller) ?? 1) - 1;
      if (rest === 0) this.#ofCaller.delete(caller);
      else this.#ofCaller.set(caller, rest);
    };
  }
}
