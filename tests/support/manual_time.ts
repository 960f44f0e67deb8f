/**
 * Time that passes when a test says so.
 *
 * @module
 */

/** A clock with those who wait for it. They are woken in order. */
export class ManualTime {
  /** The time, in milliseconds. */
  nowMs = 0;
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();

  /** How many wait. */
  get waiting(): number {
    return this.#sleepers.size;
  }

  /** The time, as the code under test asks for it. */
  readonly now = (): number => this.nowMs;

  /** Waits, as the code under test does. */
  readonly wait = (ms: number, signal: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { atMs: this.nowMs + ms, wake: resolve };
    this.#sleepers.add(sleeper);
    const stop = () => {
      this.#sleepers.delete(sleeper);
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    return promise;
  };

  /** Lets time pass, and everything happen that happens by then. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      await settled();
      const [next] = [...this.#sleepers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#sleepers.delete(next);
      this.nowMs = next.atMs;
      next.wake();
    }
    this.nowMs = endMs;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
}
