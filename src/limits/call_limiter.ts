/**
 * Whether a call may be made now: the limits a minute of its caller and of its agent, and how many may be under way.
 *
 * Limits a minute hold over all isolates that share a store; what exactly is promised stands in `leased_limit.ts`. The
 * limits of calls under way are those of this isolate alone: nothing tells how many isolates there are, and a count that
 * outlives the isolate that made it would lock callers out.
 *
 * @module
 */

import { RouteStoreGuard } from "../cache/route_store_guard.ts";
import type { Access } from "../callers/access.ts";
import { Deadline } from "../deadline.ts";
import { RequestError, toCallerGone } from "../gateway/request_error.ts";
import type { RouteStore } from "../route_store.ts";
import { AgentLimits, type AgentLimitsDeps, type SharedLimits } from "./agent_limits.ts";
import { SLOT_MS } from "./call_ledger.ts";
import type { LeasedLimit } from "./leased_limit.ts";
import { type CallLimits, isLimit, LIMIT_NAMES } from "./limits_config.ts";
import { type LimitState, rateLimitStates } from "./rate_limit_fields.ts";

/** How long a call may wait for one before it to end, in milliseconds. */
const MAX_WAIT_MS = 1_000;
/** How long giving back may take, in milliseconds. */
const GIVE_BACK_MS = 1_000;
/** How long one operation of the store may take, in milliseconds: it is asked ahead, so that calls seldom wait for it. */
const STORE_TIMEOUT_MS = 500;
const MAX_CALLERS = 10_000;

/** What a limiter works with. */
export interface CallLimiterDeps {
  /** Where the isolates share what was taken. */
  readonly store: RouteStore;
  /** The clock, in milliseconds since the epoch; it must not be set. @default {that of the start, and what passed since} */
  readonly now?: (() => number) | undefined;
  /** How many callers of an agent are remembered. @default {10_000} */
  readonly maxCallers?: number | undefined;
}

/** What a caller asks for. */
export interface AdmitOptions {
  /** How many calls it is. @default {1} */
  readonly cost?: number | undefined;
  /** Aborted when the caller has gone: then it waits no longer. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for a call before it to end, in milliseconds, where that is less than a second. */
  readonly maxWaitMs?: number | undefined;
}

/** A call that may be made. */
export interface Admission {
  /** Headers of the response, by lower-case name: what is left of the limits. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether it holds a place that others may wait for; without one, releasing it changes nothing. */
  readonly holdsPlace: boolean;
  /** Tells that the call has ended, its stream included. Idempotent. */
  release(): void;
}

const FREE: Admission = { headers: {}, holdsPlace: false, release: () => {} };

/** Admits calls. One for each gateway. */
export class CallLimiter {
  #limits: Readonly<Record<string, CallLimits>>;
  readonly #agents = new Map<string, AgentLimits | undefined>();
  readonly #deps: AgentLimitsDeps;

  /**
   * Creates a limiter. The store is asked when a call needs it.
   *
   * @param limits The limits by agent; those under `*` are for every agent that does not set the same one itself.
   * @param deps The store and the clock.
   * @throws {RangeError} If a limit is not a whole number from 0 to 1,000,000.
   */
  constructor(limits: Readonly<Record<string, CallLimits>>, deps: CallLimiterDeps) {
    checkLimits(limits);
    const { now = steadyNow, maxCallers = MAX_CALLERS } = deps;
    this.#limits = limits;
    this.#deps = { store: new RouteStoreGuard(deps.store, { now, opTimeoutMs: STORE_TIMEOUT_MS }), now, maxCallers };
  }

  /**
   * Prepares other limits.
   *
   * @param limits The limits by agent, as those of the beginning.
   * @returns What takes them, at once: what was counted stays counted.
   * @throws {RangeError} If a limit is not a whole number from 0 to 1,000,000; then nothing has changed.
   */
  prepare(limits: Readonly<Record<string, CallLimits>>): () => void {
    checkLimits(limits);
    return () => {
      this.#limits = limits;
      for (const [agent, before] of this.#agents) {
        const merged = this.#merge(agent);
        if (before === undefined || !isLimited(merged)) this.#agents.delete(agent);
        before?.change(isLimited(merged) ? merged : {});
      }
    };
  }

  /**
   * Admits a call, after a wait of up to a second where too many are under way.
   *
   * @param access Who calls.
   * @param agent The agent's name; one that exists.
   * @param options What it costs, and how long to wait.
   * @returns The admission; it must be released.
   * @throws {RequestError} If a limit is used up (`too_many_requests`), or the signal aborts while the call waits
   * (`caller_gone`).
   */
  async admit(access: Access, agent: string, options: AdmitOptions = {}): Promise<Admission> {
    const limits = this.#find(agent);
    if (limits === undefined) return FREE;
    const { cost = 1 } = options;
    const caller = limits.of(access.caller);
    const shared = [["caller", caller], ["agent", limits.all]] as const;
    const taken: LeasedLimit[] = [];
    const leaves: (() => void)[] = [];
    const release = () => {
      for (const leave of leaves.splice(0)) leave();
    };
    try {
      for (const [who, { rate }] of shared) {
        if (rate === undefined) continue;
        const verdict = rate.take(cost);
        // Only where the store has to be asked: most calls are admitted at once.
        if (!(verdict === true || verdict !== false && await verdict)) {
          throw refuse(`the ${who}'s ${rate.limit} calls a minute are used up`, rate.waitMs(cost), limits, caller);
        }
        taken.push(rate);
      }
      for (const [who, { places }] of shared) {
        if (places === undefined) continue;
        const leave = places.tryEnter() ?? await enter(places, options);
        if (leave === undefined) {
          throw refuse(`too many calls of the ${who} are under way`, MAX_WAIT_MS, limits, caller);
        }
        leaves.push(leave);
      }
    } catch (error) {
      release();
      for (const rate of taken) rate.refund(cost);
      throw error;
    }
    return { headers: toHeaders(limits, caller), holdsPlace: leaves.length > 0, release };
  }

  /** Gives back to other isolates what this one has leased: best effort, and not for long. */
  async giveBack(): Promise<void> {
    using deadline = new Deadline(GIVE_BACK_MS);
    const giveBack = [...this.#agents.values()].map((limits) => limits?.giveBack());
    await deadline.race(Promise.all(giveBack)).catch(() => {});
  }

  #find(agent: string): AgentLimits | undefined {
    if (this.#agents.has(agent)) return this.#agents.get(agent);
    const merged = this.#merge(agent);
    const limits = isLimited(merged) ? new AgentLimits(agent, merged, this.#deps) : undefined;
    this.#agents.set(agent, limits);
    return limits;
  }

  #merge(agent: string): CallLimits {
    const own = Object.hasOwn(this.#limits, agent) ? this.#limits[agent] : {};
    return { ...given(this.#limits["*"]), ...given(own) };
  }
}

function checkLimits(limits: Readonly<Record<string, CallLimits>>): void {
  for (const [agent, set] of Object.entries(limits)) {
    for (const name of LIMIT_NAMES) {
      if (set[name] === undefined || isLimit(set[name])) continue;
      throw new RangeError(`Cannot use ${name} of agent "${agent}" as a limit: ${String(set[name])}`);
    }
  }
}

function isLimited(limits: CallLimits): boolean {
  return Object.entries(limits).some(([name, limit]) => name !== "callsPerLease" && limit !== 0);
}

async function enter(
  places: NonNullable<SharedLimits["places"]>,
  { signal, maxWaitMs = MAX_WAIT_MS }: AdmitOptions,
): Promise<(() => void) | undefined> {
  using deadline = new Deadline(Math.min(MAX_WAIT_MS, maxWaitMs), { signal });
  try {
    return await places.enter(deadline);
  } catch (error) {
    if (deadline.passed) return undefined;
    if (signal?.aborted === true) throw toCallerGone();
    throw error;
  }
}

function refuse(reason: string, waitMs: number, limits: AgentLimits, caller: SharedLimits): RequestError {
  return new RequestError("too_many_requests", `Cannot make the call as ${reason}: send it again later`, {
    retryAfterMs: Math.max(SLOT_MS, Math.ceil(waitMs)),
    headers: toHeaders(limits, caller),
  });
}

function toHeaders({ policy, all }: AgentLimits, caller: SharedLimits): Record<string, string> {
  if (policy === "") return {};
  const states: LimitState[] = [];
  if (caller.rate !== undefined) states.push(toState("caller", caller.rate));
  if (all.rate !== undefined) states.push(toState("agent", all.rate));
  return { "ratelimit-policy": policy, ratelimit: rateLimitStates(states) };
}

function toState(name: LimitState["name"], rate: LeasedLimit): LimitState {
  return { name, remaining: rate.remaining, waitMs: rate.moreInMs };
}

function given(limits: CallLimits = {}): CallLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

/** The clock of the start and what has passed since: setting the clock does not change it. */
function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
