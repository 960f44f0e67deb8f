/**
 * The limits of one agent in one isolate: what all its callers share, and what each of them has.
 *
 * @module
 */

import type { RouteStoreGuard } from "../cache/route_store_guard.ts";
import { Bulkhead } from "../resilience/bulkhead.ts";
import { LeasedLimit } from "./leased_limit.ts";
import type { CallLimits } from "./limits_config.ts";
import { type NamedLimit, rateLimitPolicy } from "./rate_limit_fields.ts";

/** The part of a limit that an isolate leases at once where nobody says: a twentieth. */
const PART_PER_LEASE = 20;
/** How many callers are looked at for one that can be forgotten. */
const MAX_LOOKED_AT = 64;

/** What the limits of an agent work with. */
export interface AgentLimitsDeps {
  /** The store, which may fail. */
  readonly store: RouteStoreGuard;
  /** The clock, in milliseconds since the epoch; it is never set. */
  readonly now: () => number;
  /** How many callers of the agent are remembered. */
  readonly maxCallers: number;
}

/** Limits that some calls share. */
export interface SharedLimits {
  /** The limit of calls a minute; `undefined` where there is none. */
  readonly rate: LeasedLimit | undefined;
  /** The places for calls that are under way; `undefined` where there is no limit. */
  readonly places: Bulkhead | undefined;
}

/** The same, for whoever changes them. */
interface OwnLimits {
  rate: LeasedLimit | undefined;
  places: Bulkhead | undefined;
}

/** What some calls share by a configuration; `0` is no limit. */
interface LimitNumbers {
  readonly callsPerMinute: number;
  readonly concurrentCalls: number;
}

/** The limits of one agent. */
export class AgentLimits {
  readonly #agent: string;
  readonly #deps: AgentLimitsDeps;
  readonly #all: OwnLimits;
  readonly #callers = new Map<string, OwnLimits>();
  #limits: CallLimits;
  #policy: string;

  /**
   * Creates the limits of an agent.
   *
   * @param agent The agent's name.
   * @param limits What is configured; `0` is no limit.
   * @param deps The store, the clock, and how much to remember.
   */
  constructor(agent: string, limits: CallLimits, deps: AgentLimitsDeps) {
    this.#agent = agent;
    this.#limits = limits;
    this.#policy = toPolicy(limits);
    this.#deps = deps;
    const { callsPerMinute, concurrentCalls } = ofAll(limits);
    this.#all = { rate: this.#createRate(callsPerMinute, ["all"], true), places: createPlaces(concurrentCalls) };
  }

  /** What all callers share. */
  get all(): SharedLimits {
    return this.#all;
  }

  /** The value of `RateLimit-Policy`; empty where no limit is one of calls a minute. */
  get policy(): string {
    return this.#policy;
  }

  /**
   * Makes them other limits. What was counted stays counted, calls under way keep their places, and those who wait for
   * one go on where there is room now.
   *
   * @param limits What is configured; `0` is no limit.
   */
  change(limits: CallLimits): void {
    this.#limits = limits;
    this.#policy = toPolicy(limits);
    this.#change(this.#all, ofAll(limits), ["all"]);
    for (const [caller, own] of this.#callers) this.#change(own, ofCaller(limits), ["caller", caller]);
  }

  /**
   * Finds the limits that one caller has for itself.
   *
   * @param caller Who it is.
   * @returns Its limits.
   */
  of(caller: string): SharedLimits {
    const known = this.#callers.get(caller);
    if (known !== undefined) return known;
    const isFull = this.#callers.size >= this.#deps.maxCallers;
    if (isFull) this.#makeRoom();
    const { callsPerMinute, concurrentCalls } = ofCaller(this.#limits);
    const limits = {
      // Somebody who was forgotten too early must not begin anew.
      rate: this.#createRate(callsPerMinute, ["caller", caller], !isFull),
      places: createPlaces(concurrentCalls),
    };
    this.#callers.set(caller, limits);
    return limits;
  }

  /** Gives back to other isolates what this one has leased, as far as the store answers. */
  async giveBack(): Promise<void> {
    const all = [this.#all, ...this.#callers.values()];
    await Promise.all(all.map(({ rate }) => rate?.giveBack()));
  }

  #createRate(limit: number, key: readonly string[], mayBorrow: boolean): LeasedLimit | undefined {
    if (limit === 0) return undefined;
    const lease = this.#leaseOf(limit);
    return new LeasedLimit({ limit, lease, key: ["limits", "v1", this.#agent, ...key], mayBorrow }, this.#deps);
  }

  #leaseOf(limit: number): number {
    const { callsPerLease = 0 } = this.#limits;
    return Math.min(limit, callsPerLease || Math.max(1, Math.floor(limit / PART_PER_LEASE)));
  }

  #change(own: OwnLimits, { callsPerMinute, concurrentCalls }: LimitNumbers, key: readonly string[]): void {
    if (own.rate === undefined) {
      own.rate = this.#createRate(callsPerMinute, key, true);
    } else if (callsPerMinute > 0) {
      own.rate.change(callsPerMinute, this.#leaseOf(callsPerMinute));
    } else {
      void own.rate.giveBack();
      own.rate = undefined;
    }
    if (own.places === undefined) {
      own.places = createPlaces(concurrentCalls);
    } else {
      const places = concurrentCalls === 0 ? Infinity : concurrentCalls;
      own.places.resize(places, places);
      if (concurrentCalls === 0) own.places = undefined;
    }
  }

  /** Forgets callers who do nothing; where all do something, the one who has been here longest. */
  #makeRoom(): void {
    let looked = 0;
    for (const [caller, limits] of this.#callers) {
      if (looked++ >= MAX_LOOKED_AT) break;
      this.#callers.delete(caller);
      if (isIdle(limits)) return;
      this.#callers.set(caller, limits);
    }
    for (const caller of this.#callers.keys()) {
      this.#callers.delete(caller);
      return;
    }
  }
}

function ofAll({ callsPerMinute = 0, concurrentCalls = 0 }: CallLimits): LimitNumbers {
  return { callsPerMinute, concurrentCalls };
}

function ofCaller({ callsPerMinutePerCaller = 0, concurrentCallsPerCaller = 0 }: CallLimits): LimitNumbers {
  return { callsPerMinute: callsPerMinutePerCaller, concurrentCalls: concurrentCallsPerCaller };
}

function toPolicy(limits: CallLimits): string {
  const named: NamedLimit[] = [
    { name: "caller", limit: ofCaller(limits).callsPerMinute },
    { name: "agent", limit: ofAll(limits).callsPerMinute },
  ];
  return rateLimitPolicy(named.filter(({ limit }) => limit > 0));
}

function createPlaces(count: number): Bulkhead | undefined {
  // As many may wait as may run: who comes then would wait for too long.
  return count === 0 ? undefined : new Bulkhead(count, count);
}

function isIdle({ rate, places }: SharedLimits): boolean {
  return (rate?.isIdle ?? true) && (places === undefined || places.running === 0);
}
