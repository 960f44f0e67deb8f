/**
 * The tools of one server that are withheld by decision, in whichever isolate it was made.
 *
 * @module
 */

import type { PinKeeper } from "./pin_keeper.ts";
import { PINS_MAX_AGE_MS } from "./pinned_tool.ts";

/** What is decided. */
export interface DecisionChange {
  /** The tools to withhold. */
  readonly withhold?: readonly string[];
  /** The tools that are withheld no longer. */
  readonly release?: readonly string[];
}

/** What was decided of the tools of one server. */
export class WithheldTools {
  readonly #keeper: PinKeeper | undefined;
  readonly #now: () => number;
  #names: ReadonlySet<string> = new Set();
  #revision: number | undefined;
  #readAtMs: number | undefined;
  /** Withheld here, and not yet kept: a store that comes back must not let it through. */
  readonly #unkept = new Set<string>();

  /**
   * Creates them; nothing is read.
   *
   * @param keeper Where decisions are kept; one that keeps none is passed by.
   * @param now The time, in milliseconds since the epoch.
   */
  constructor(keeper: PinKeeper | undefined, now: () => number) {
    this.#keeper = keeper;
    this.#now = now;
  }

  /** Larger after each decision; `undefined` where none has been read. */
  get revision(): number | undefined {
    return this.#revision;
  }

  /** The names, as far as they are known here. */
  get names(): readonly string[] {
    return [...new Set([...this.#names, ...this.#unkept])];
  }

  /** Whether others may have decided since this was last read. */
  get isDue(): boolean {
    if (this.#keeper?.loadDecisions === undefined) return false;
    const ageMs = this.#readAtMs === undefined ? Infinity : this.#now() - this.#readAtMs;
    return ageMs < 0 || ageMs >= PINS_MAX_AGE_MS;
  }

  /**
   * Whether a tool is withheld by decision.
   *
   * @param name Its name at the server.
   * @returns Whether it is, as far as is known here.
   */
  has(name: string): boolean {
    return this.#names.has(name) || this.#unkept.has(name);
  }

  /**
   * Reads what was decided. Where that cannot be told, what is known goes on.
   *
   * @returns Whether something was decided elsewhere since the last time.
   */
  async read(): Promise<boolean> {
    this.#readAtMs = this.#now();
    if (this.#unkept.size > 0) await this.decide({ withhold: [...this.#unkept] });
    const kept = await this.#keeper?.loadDecisions?.();
    // A smaller number is of a replica that is behind.
    if (kept === undefined || kept.revision < (this.#revision ?? 0)) return false;
    const isNews = this.#revision !== undefined && this.#revision !== kept.revision;
    this.#take(kept);
    return isNews;
  }

  /**
   * Decides: here at once, then where it is kept.
   *
   * @param change What is decided.
   * @returns Whether it is kept.
   */
  async decide(change: DecisionChange): Promise<boolean> {
    const { withhold = [], release = [] } = change;
    const names = new Set(this.#names);
    for (const name of withhold) names.add(name);
    for (const name of release) {
      names.delete(name);
      this.#unkept.delete(name);
    }
    this.#names = names;
    if (this.#keeper?.saveDecisions === undefined) return true;
    const kept = await this.#keeper.saveDecisions(change);
    for (const name of withhold) kept === undefined ? this.#unkept.add(name) : this.#unkept.delete(name);
    if (kept !== undefined) this.#take(kept);
    return kept !== undefined;
  }

  #take({ revision, withheld }: { readonly revision: number; readonly withheld: readonly string[] }): void {
    this.#revision = revision;
    this.#names = new Set(withheld);
  }
}
