/**
 * Listens for a server's notices that its tools have changed, and passes on as few of them as needed.
 *
 * @module
 */

import { delay } from "@std/async";

/** At least this long between two notices that are passed on, and between two openings of the stream. */
const MIN_INTERVAL_MS = 1_000;
/** The longest between two openings of a stream that keeps ending at once. */
const MAX_INTERVAL_MS = 60_000;

/** What a watcher works with. */
export interface ToolWatcherDeps {
  /** Opens the stream and reads it to its end; `false` where the server offers none. May reject. */
  readonly listen: (onChange: () => void, signal: AbortSignal) => Promise<boolean>;
  /** Told that the tools have changed: at once for the first notice, then at most once a second. */
  readonly onChange: () => void;
  /** The time, in milliseconds. @default {performance.now} */
  readonly now?: (() => number) | undefined;
  /** Waits for a time in milliseconds, or until the signal is aborted. @default {delay} */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** Watches one server until it is closed. */
export class ToolWatcher {
  readonly #deps: ToolWatcherDeps;
  readonly #now: () => number;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #closing = new AbortController();
  #watching: Promise<void> | undefined;
  #toldAt = -Infinity;
  #trailing: Promise<void> | undefined;

  /**
   * Creates a watcher; nothing is opened.
   *
   * @param deps What it works with.
   */
  constructor(deps: ToolWatcherDeps) {
    const { now = () => performance.now(), wait = (ms, signal) => delay(ms, { signal }) } = deps;
    this.#deps = deps;
    this.#now = now;
    this.#wait = wait;
  }

  /** Begins to watch, where it does not already. */
  start(): void {
    if (this.#closing.signal.aborted) return;
    this.#watching ??= this.#watch();
  }

  /** Closes the stream. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#watching, this.#trailing]);
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    let isFirst = true;
    for (let pauseMs = MIN_INTERVAL_MS; !signal.aborted; isFirst = false) {
      const openedAt = this.#now();
      // While there was no stream, nobody could tell.
      if (!isFirst) this.#notice();
      const offered = await this.#deps.listen(() => this.#notice(), signal).catch(() => true);
      if (!offered) return;
      // A stream that lasted is opened again soon, one that ends at once ever more slowly. A "retry:" of the server
      // changes nothing about it.
      pauseMs = this.#now() - openedAt > MAX_INTERVAL_MS ? MIN_INTERVAL_MS : Math.min(pauseMs * 2, MAX_INTERVAL_MS);
      await this.#wait(pauseMs / 2, signal).catch(() => {});
    }
  }

  #notice(): void {
    if (this.#closing.signal.aborted || this.#trailing !== undefined) return;
    const waitMs = this.#toldAt + MIN_INTERVAL_MS - this.#now();
    if (waitMs <= 0) return this.#tell();
    this.#trailing = this.#wait(waitMs, this.#closing.signal).then(() => this.#tell(), () => {});
  }

  /** What the owner's function throws is ignored: it must not end the stream. */
  #tell(): void {
    this.#trailing = undefined;
    this.#toldAt = this.#now();
    try {
      this.#deps.onChange();
    } catch {
      // The next notice is told again.
    }
  }
}
