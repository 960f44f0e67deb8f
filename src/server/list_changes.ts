/**
 * Tells those who watch lists that these have changed, each at once and then at most once a second.
 *
 * @module
 */

import type { ListKind, ListWatch } from "../list_watch.ts";
import { tell } from "../tell.ts";
import { NoticePacer, type NoticePacerDeps } from "./notice_pacer.ts";

/** The kinds of lists. */
export const LIST_KINDS: readonly ListKind[] = ["tools", "resources", "prompts"];

/** Who watches the lists of one owner. */
export class ListChanges {
  readonly #deps: Pick<NoticePacerDeps, "now" | "wait">;
  readonly #watchers = new Set<ReadonlyMap<ListKind, NoticePacer>>();
  readonly #watches = new Set<ListWatch>();
  readonly #counts = new Map<ListKind, number>();

  /**
   * Creates it; nobody watches yet.
   *
   * @param deps The clock.
   */
  constructor(deps: Pick<NoticePacerDeps, "now" | "wait"> = {}) {
    this.#deps = deps;
  }

  /** Whether anybody watches. */
  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  /**
   * How often a kind has changed.
   *
   * @param kind Which lists.
   * @returns A count that grows.
   */
  countOf(kind: ListKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  /**
   * Tells that a list has changed.
   *
   * @param kind Which one.
   */
  tell(kind: ListKind): void {
    this.#counts.set(kind, this.countOf(kind) + 1);
    for (const pacers of this.#watchers) pacers.get(kind)?.notice();
  }

  /**
   * Adds somebody who watches.
   *
   * @param onChange Whom to tell. What it throws is ignored.
   * @param onClosed Told once when the watch is closed, before it is.
   * @returns The watch.
   */
  watch(onChange: (kind: ListKind) => void, onClosed: () => void | Promise<void> = () => {}): ListWatch {
    const over = new AbortController();
    const { signal } = over;
    const toPacer = (kind: ListKind) => {
      return new NoticePacer({ ...this.#deps, signal, onChange: () => tell(onChange, kind) });
    };
    const pacers = new Map(LIST_KINDS.map((kind) => [kind, toPacer(kind)]));
    this.#watchers.add(pacers);
    const end = async () => {
      over.abort(new Error("The watch is closed"));
      this.#watchers.delete(pacers);
      this.#watches.delete(watch);
      await onClosed();
      await Promise.all([...pacers.values()].map((pacer) => pacer.settled()));
    };
    let closing: Promise<void> | undefined;
    const close = () => closing ??= end();
    const watch: ListWatch = { close, [Symbol.asyncDispose]: close };
    this.#watches.add(watch);
    return watch;
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => watch.close()));
  }
}
