/**
 * Many isolates that keep one limit on one store, in a time that passes when a test says so.
 *
 * @module
 */

import { RouteStoreGuard } from "../../src/cache/route_store_guard.ts";
import { LeasedLimit } from "../../src/limits/leased_limit.ts";
import type { RouteKey, RouteStore } from "../../src/route_store.ts";
import { FaultyRouteStore, type StoreFault } from "./faulty_route_store.ts";

export const WINDOW_MS = 60_000;
export const START_MS = 1_800_000_000_000;
/** How long a store may take without being taken for one that does not answer, in milliseconds. */
const MAX_ANSWER_MS = 250;
/** For how many turns everything may be under way that does not hang. */
const MAX_TURNS = 500;
/** Where the ledger is. */
export const KEY: RouteKey = ["limits", "Kairos"];

interface Admitted {
  readonly atMs: number;
  readonly calls: number;
  readonly isolate: FleetIsolate;
}

/** One isolate with a clock and a way to the store of its own. */
export interface FleetIsolate {
  readonly limit: LeasedLimit;
  readonly skewMs: number;
  /** When its store began to fail and when it was well again, in true time. */
  readonly away: { fromMs: number; toMs: number }[];
}

export interface FleetOptions {
  readonly limit: number;
  readonly lease: number;
  /** For how many turns an operation of the store is on its way. */
  readonly turns?: () => number;
}

/** The isolates, and what they admitted in true time. */
export class Fleet {
  readonly admitted: Admitted[] = [];
  readonly store: FaultyRouteStore;
  readonly #options: FleetOptions;
  readonly #writes: { readonly atMs: number; readonly isolate: FleetIsolate }[] = [];
  nowMs = START_MS;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.store = new FaultyRouteStore(() => this.nowMs);
  }

  /** Starts an isolate whose clock is off. */
  start(skewMs = 0): FleetIsolate {
    const now = () => this.nowMs + skewMs;
    const away: FleetIsolate["away"] = [];
    const store = this.#watched(away, () => this.#writes.push({ atMs: this.nowMs, isolate }));
    const guard = new RouteStoreGuard(store, { now, opTimeoutMs: 5 });
    const limit = new LeasedLimit({ ...this.#options, key: KEY, mayBorrow: true }, { store: guard, now });
    const isolate: FleetIsolate = { limit, skewMs, away };
    return isolate;
  }

  /** Makes calls at once; the number that was admitted. */
  async call(isolate: FleetIsolate, times: number, calls = 1): Promise<number> {
    const answers = await Promise.all(Array.from({ length: times }, () => isolate.limit.take(calls)));
    const admitted = answers.filter((answer) => answer).length * calls;
    if (admitted > 0) this.admitted.push({ atMs: this.nowMs, calls: admitted, isolate });
    return admitted;
  }

  /** Lets time pass; what takes longer than a store may take happens before. */
  async pass(ms: number): Promise<void> {
    for (let turns = 0; ms >= MAX_ANSWER_MS && turns < MAX_TURNS; turns++) await Promise.resolve();
    this.nowMs += ms;
  }

  /** Lets everything end that is under way. */
  async settle(): Promise<void> {
    this.fail("none");
    for (let turns = 0; turns < MAX_TURNS; turns++) await Promise.resolve();
  }

  fail(fault: StoreFault): void {
    if (this.store.fault === "hangs") this.store.releaseHung();
    this.store.fault = fault;
  }

  /** The minutes in which more was admitted than was promised. */
  broken(cost = 1): unknown[] {
    const { limit, lease } = this.#options;
    const broken: unknown[] = [];
    for (const { atMs: fromMs } of this.admitted) {
      const toMs = fromMs + WINDOW_MS;
      const inside = this.admitted.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
      const sum = inside.reduce((sum, { calls }) => sum + calls, 0);
      const isolates = [...new Set(inside.map(({ isolate }) => isolate))];
      const writes = this.#writes.filter(({ atMs }) => atMs < toMs);
      const furthestMs = Math.max(...writes.map(({ isolate }) => isolate.skewMs));
      const users = new Set([
        ...isolates,
        ...writes.filter(({ atMs }) => atMs >= fromMs).map(({ isolate }) => isolate),
      ]);
      const behind = [...users].filter(({ skewMs }) => skewMs < furthestMs - WINDOW_MS).length;
      const clocks = Math.max(1, behind + (behind < users.size ? 1 : 0));
      const alone = isolates.filter(({ away }) =>
        away.some((away) => away.fromMs < toMs && away.toMs >= fromMs)
      ).length;
      const promised = clocks * limit + isolates.length * Math.max(lease, cost) + alone * limit;
      if (sum > Math.min(promised, isolates.length * limit)) broken.push({ fromMs, sum, promised, clocks, alone });
    }
    return broken;
  }

  /** The store as an isolate reaches it, which notes when it does not answer, or too late. */
  #watched(away: FleetIsolate["away"], onWrite: () => void): RouteStore {
    const watch = async <T>(ask: () => Promise<T>): Promise<T> => {
      const failing = { fromMs: this.nowMs, toMs: Infinity };
      away.push(failing);
      for (let turns = this.#options.turns?.() ?? 0; turns > 0; turns--) await Promise.resolve();
      const value = await ask();
      if (this.nowMs - failing.fromMs < MAX_ANSWER_MS) away.splice(away.indexOf(failing), 1);
      for (const earlier of away) earlier.toMs = Math.min(earlier.toMs, this.nowMs);
      return value;
    };
    return {
      get: (key) => watch(() => this.store.get(key)),
      set: (key, value, options) =>
        watch(() => {
          onWrite();
          return this.store.set(key, value, options);
        }),
      delete: (key, options) => watch(() => this.store.delete(key, options)),
    };
  }
}
