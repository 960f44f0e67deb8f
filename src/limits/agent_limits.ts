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

/** The limits of one agent. */
export class AgentLimits {
  /** What all callers share. */
  readonly all: SharedLimits;
  /** The value of `RateLimit-Policy`; empty where no limit is one of calls a minute. */
  readonly policy: string;
  readonly #agent: string;
  readonly #limits: CallLimits;
  readonly #deps: AgentLimitsDeps;
  readonly #callers = new Map<string, SharedLimits>();

  /**
   * Creates the limits of an agent.
   *
   * @param agent The agent's name.
   * @param limits What is configured; `0` is no limit.
   * @param deps The store, the clock, and how much to remember.
   */
  constructor(agent: string, limits: CallLimits, deps: AgentLimitsDeps) {
    const { callsPerMinute = 0, callsPerMinutePerCaller = 0, concurrentCalls = 0 } = limits;
    this.#agent = agent;
    this.#limits = limits;
    this.#deps = deps;
    this.all = {
      rate: this.#createRate(callsPerMinute, ["all"], true),
      places: createPlaces(concurrentCalls),
    };
    const named: NamedLimit[] = [
      { name: "caller", limit: callsPerMinutePerCaller },
      { name: "agent", limit: callsPerMinute },
    ];
    this.policy = rateLimitPolicy(named.filter(({ limit }) => limit > 0));
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
    const { callsPerMinutePerCaller = 0, concurrentCallsPerCaller = 0 } = this.#limits;
    const limits = {
      // Somebody who was forgotten too early must not begin anew.
      rate: this.#createRate(callsPerMinutePerCaller, ["caller", caller], !isFull),
      places: createPlaces(concurrentCallsPerCaller),
    };
    this.#callers.set(caller, limits);
    return limits;
  }

  /** Gives back to other isolates what this one has leased, as far as the store answers. */
  async giveBack(): Promise<void> {
    const all = [this.all, ...this.#callers.values()];
    await Promise.all(all.map(({ rate }) => rate?.giveBack()));
  }

  #createRate(limit: number, key: readonly string[], mayBorrow: boolean): LeasedLimit | undefined {
    if (limit === 0) return undefined;
    const { callsPerLease = 0 } = this.#limits;
    const lease = Math.min(limit, callsPerLease || Math.max(1, Math.floor(limit / PART_PER_LEASE)));
    return new LeasedLimit({ limit, lease, key: ["limits", "v1", this.#agent, ...key], mayBorrow }, this.#deps);
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

function createPlaces(count: number): Bulkhead | undefined {
  // As many may wait as may run: who comes then would wait for too long.
  return count === 0 ? undefined : new Bulkhead(count, count);
}

function isIdle({ rate, places }: SharedLimits): boolean {
  return (rate?.isIdle ?? true) && (places === undefined || places.running === 0);
}
