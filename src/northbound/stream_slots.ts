/**
 * How many callers may listen.
 *
 * @module
 */

import { tooMany } from "./rpc.ts";

/** How many streams that stay open the gateway has at most. */
const MAX_STREAMS = 4_096;
/** How many of them the callers of one agent have: an agent with many callers leaves room for the others. */
const MAX_STREAMS_OF_AGENT = 1_024;
/** How many of them one caller has. */
const MAX_STREAMS_OF_CALLER = 128;

/** Counts streams that stay open. One for each gateway. */
export class StreamSlots {
  readonly #ofCaller = new Map<string, number>();
  readonly #ofAgent = new Map<string, number>();
  #taken = 0;

  /**
   * Takes a slot.
   *
   * @param caller Who listens.
   * @param agent To which agent.
   * @returns Gives it back. Idempotent.
   * @throws {RpcError} If there are too many.
   */
  take(caller: string, agent: string): () => void {
    const own = this.#ofCaller.get(caller) ?? 0;
    const all = this.#ofAgent.get(agent) ?? 0;
    if (this.#taken >= MAX_STREAMS || all >= MAX_STREAMS_OF_AGENT || own >= MAX_STREAMS_OF_CALLER) {
      throw tooMany("Cannot open another stream as there are too many: close some first");
    }
    this.#taken++;
    add(this.#ofCaller, caller, 1);
    add(this.#ofAgent, agent, 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken--;
      add(this.#ofCaller, caller, -1);
      add(this.#ofAgent, agent, -1);
    };
  }
}

function add(counts: Map<string, number>, name: string, more: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + more;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
