/**
 * One limit of calls a minute, kept by many isolates together.
 *
 * The store holds one ledger of the calls that were taken. An isolate enters a batch of calls there, its lease, by
 * compare-and-set, and admits calls from it in memory; it enters the next one before the last is used up. A lease is
 * spent by who took it, lapses after {@linkcode LEASE_MS}, and is smaller where little is left or little is used.
 *
 * The promise, for any minute and not only for those of the clock:
 *
 * - While the store answers, all isolates together admit at most **limit + isolates × lease**. What is entered never
 *   passes the limit in a minute; what an isolate still held when the minute began is at most its lease. An isolate that
 *   has admitted nothing for a minute does not wait for the store: it admits up to a lease at once and enters that
 *   afterwards, in the place of what it did not hold.
 * - An isolate alone never admits more than the limit. So without a store, or for isolates whose store does not answer,
 *   it is at most **limit × isolates**.
 * - Clocks may differ by a second. The ledger's time is that of the furthest clock that has written it and never goes
 *   back: an isolate whose clock is behind reads it there, and waits a minute at the most. It cannot tell how old what it
 *   reads is, so each isolate that is further behind may add one limit.
 * - A call that costs more than a lease is entered by itself and counts as a lease.
 *
 * A call is refused only where the limit is used up, never because of the store.
 *
 * @module
 */

import type { RouteStoreGuard } from "../cache/route_store_guard.ts";
import type { RouteKey } from "../route_store.ts";
import {
  type CallLedger,
  countCalls,
  EMPTY_LEDGER,
  enterCalls,
  hasRoomAtMs,
  type LedgerSlot,
  moveOn,
  parseLedger,
  SLOT_MS,
  slotOf,
  strikeCalls,
  toStored,
} from "./call_ledger.ts";
import { RecentCalls } from "./recent_calls.ts";

/** How long a lease may be spent, in milliseconds. */
export const LEASE_MS = 10_000;

/** How long a ledger outlives its last change: clocks that are hours apart still read it. */
const LEDGER_TTL_MS = 4 * 3_600_000;
/** How long it takes until a limit that is used up is asked for again, in milliseconds: others may have given back. */
const MAX_BLOCKED_MS = 5_000;
const MAX_TRIES = 12;
const MAX_ASKING_MS = 1_000;
/** How many grants are remembered, besides the newest, to give back what is left of them. */
const MAX_GRANTS = 7;
/** A lease takes at most this part of what is left. */
const PART_OF_REST = 4;

/** What a limit is. */
export interface LeasedLimitRule {
  /** How many calls may be made in a minute. */
  readonly limit: number;
  /** How many calls an isolate may hold at most. */
  readonly lease: number;
  /** Where the ledger is in the store. */
  readonly key: RouteKey;
  /** Whether the first calls after a minute without any are admitted before the store has answered. */
  readonly mayBorrow: boolean;
}

/** What a limit works with. */
export interface LeasedLimitDeps {
  /** The store, which may fail. */
  readonly store: RouteStoreGuard;
  /** The clock, in milliseconds since the epoch; it is never set. */
  readonly now: () => number;
}

/** What became of a question to the store. */
type Outcome = "granted" | "used_up" | "away";

interface Seen {
  readonly ledger: CallLedger;
  readonly version: string | null;
}

interface Waiter {
  readonly calls: number;
  readonly resolve: (admitted: boolean) => void;
}

/** One limit, as one isolate keeps it. */
export class LeasedLimit {
  #rule: LeasedLimitRule;
  readonly #deps: LeasedLimitDeps;
  readonly #own = new RecentCalls();
  #waiters: Waiter[] = [];
  /** What may be spent, until when, and where it was entered, newest first: the oldest is spent first. */
  #held = 0;
  #heldUntilMs = 0;
  #grantedAtMs = -Infinity;
  #grants: LedgerSlot[] = [];
  /** How much to hold: more while it is used up quickly. */
  #want = 1;
  /** What was admitted before it was entered, and how much of that since the last minute without calls. */
  #borrowed = 0;
  #borrowing: number | undefined;
  #asking: Promise<void> | undefined;
  #isAway = false;
  #blockedUntilMs = 0;
  #seen: Seen | undefined;
  /** What the ledger that was seen last leaves, and when it leaves more, on our clock. */
  #room = 0;
  #moreAtMs = 0;
  /** By how much the ledger's time is ahead of our clock, in milliseconds; never negative. */
  #leadMs = 0;

  /**
   * Creates a limit of which nothing is known.
   *
   * @param rule What the limit is.
   * @param deps The store and the clock.
   */
  constructor(rule: LeasedLimitRule, deps: LeasedLimitDeps) {
    this.#rule = rule;
    this.#deps = deps;
  }

  /** How many calls may be made in a minute. */
  get limit(): number {
    return this.#rule.limit;
  }

  /**
   * Makes it another limit; what was counted stays counted, here and in the store.
   *
   * @param limit How many calls may be made in a minute.
   * @param lease How many calls an isolate may hold at most.
   */
  change(limit: number, lease: number): void {
    if (limit === this.#rule.limit && lease === this.#rule.lease) return;
    this.#rule = { ...this.#rule, limit, lease };
    this.#held = Math.min(this.#held, lease);
    this.#want = Math.min(this.#want, lease);
    this.#blockedUntilMs = 0;
    this.#seen = undefined;
  }

  /** Whether nothing would be lost if the limit were forgotten. */
  get isIdle(): boolean {
    return this.#asking === undefined && this.#own.count(this.#deps.now()) === 0;
  }

  /**
   * Admits calls, or refuses all of them.
   *
   * @param calls How many.
   * @returns Whether they are admitted; a promise where the store has to be asked first.
   */
  take(calls: number): boolean | Promise<boolean> {
    const nowMs = this.#deps.now();
    const own = this.#own.count(nowMs);
    if (own + calls > this.#rule.limit) return false;
    if (nowMs >= this.#heldUntilMs) this.#lapse();
    if (this.#held >= calls) {
      this.#held -= calls;
      if (this.#held * 2 <= this.#want && nowMs >= this.#blockedUntilMs) this.#ask();
    } else if (nowMs < this.#blockedUntilMs) {
      return false;
    } else if (this.#isAway) {
      this.#ask();
    } else if (this.#canBorrow(calls, own)) {
      this.#borrowed += calls;
      this.#borrowing = (this.#borrowing ?? 0) + calls;
      this.#ask();
    } else {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      this.#waiters.push({ calls, resolve });
      this.#ask();
      return promise;
    }
    this.#own.add(calls, nowMs);
    return true;
  }

  /**
   * Takes back an admission: the calls were not made after all.
   *
   * @param calls How many.
   */
  refund(calls: number): void {
    this.#own.takeBack(calls);
    this.#held = Math.min(this.#rule.lease, this.#held + calls);
  }

  /** How many more calls may be made, as far as it is known here. */
  get remaining(): number {
    const ownRoom = this.#rule.limit - this.#own.count(this.#deps.now());
    return Math.max(0, this.#seen === undefined ? ownRoom : Math.min(ownRoom, this.#room + this.#held));
  }

  /** How long it is until more calls may be made than now, in milliseconds; `0` where it is not known. */
  get moreInMs(): number {
    return this.#seen === undefined ? 0 : Math.max(0, this.#moreAtMs - this.#deps.now());
  }

  /**
   * Tells how long it is until calls have room.
   *
   * @param calls How many.
   * @returns The time, in milliseconds; `0` where they have room, as far as it is known here.
   */
  waitMs(calls: number): number {
    const nowMs = this.#deps.now();
    const room = Math.max(0, this.#rule.limit - calls);
    const ownMs = this.#own.waitMs(room, nowMs);
    if (this.#seen === undefined) return ownMs;
    return Math.max(ownMs, hasRoomAtMs(this.#seen.ledger, room) - this.#leadMs - nowMs);
  }

  /** Gives back to the others what is held, as far as the store answers. */
  async giveBack(): Promise<void> {
    await this.#asking;
    let left = this.#held;
    this.#held = 0;
    const returned: LedgerSlot[] = [];
    for (const [slot, calls] of this.#grants) {
      if (left > 0) returned.push([slot, Math.min(left, calls)]);
      left -= calls;
    }
    if (returned.length === 0) return;
    await this.#change((ledger) => ({
      changed: returned.reduce((ledger, [slot, calls]) => strikeCalls(ledger, slot, calls), ledger),
      outcome: "granted",
    }));
  }

  #canBorrow(calls: number, own: number): boolean {
    if (!this.#rule.mayBorrow || (this.#borrowing ?? 0) + calls > this.#rule.lease) return false;
    if (this.#borrowing !== undefined) return true;
    if (own > 0 || this.#asking !== undefined) return false;
    // What could not be entered in the meantime is older than a minute.
    this.#borrowed = 0;
    this.#held = 0;
    return true;
  }

  #lapse(): void {
    if (this.#held * 2 > this.#want) this.#want = Math.max(1, this.#want >> 1);
    this.#held = 0;
  }

  /** Asks for a lease, once at a time. */
  #ask(): void {
    if (this.#asking !== undefined) return;
    if (this.#deps.now() - this.#grantedAtMs < LEASE_MS / 4) this.#want = Math.min(this.#rule.lease, this.#want * 2);
    this.#asking = this.#change((ledger, nowMs) => this.#plan(ledger, nowMs)).then((outcome) => {
      this.#asking = undefined;
      this.#borrowing = undefined;
      this.#isAway = outcome === "away";
      const nowMs = this.#deps.now();
      if (outcome === "used_up") this.#blockedUntilMs = nowMs + Math.min(MAX_BLOCKED_MS, this.waitMs(1));
      this.#serve(outcome, nowMs);
    });
  }

  #note(ledger: CallLedger, version: string | null): void {
    const calls = countCalls(ledger);
    this.#seen = { ledger, version };
    this.#room = this.#rule.limit - calls;
    this.#moreAtMs = hasRoomAtMs(ledger, Math.max(0, calls - 1)) - this.#leadMs;
  }

  #plan(ledger: CallLedger, nowMs: number): Plan {
    const borrowed = this.#borrowed;
    const room = Math.max(0, this.#rule.limit - countCalls(ledger) - borrowed);
    let waiting = 0;
    for (const { calls } of this.#waiters) if (waiting + calls <= room + this.#held) waiting += calls;
    const lacking = Math.max(0, waiting - this.#held);
    const rest = room - lacking;
    const part = Math.max(Math.floor(rest / PART_OF_REST), Math.min(rest, 1));
    const spare = Math.min(Math.max(0, this.#want - Math.max(0, this.#held - waiting)), part);
    const calls = borrowed + lacking + spare;
    const isUsedUp = waiting + spare === 0 && (room === 0 || this.#waiters.length > 0);
    return {
      changed: calls === 0 ? undefined : enterCalls(ledger, calls),
      outcome: isUsedUp ? "used_up" : "granted",
      commit: () => {
        this.#borrowed = Math.max(0, this.#borrowed - borrowed);
        // An answer that took so long may be spent in another minute than the one it was entered in.
        if (this.#deps.now() - nowMs > SLOT_MS) return;
        this.#held += lacking + spare;
        this.#heldUntilMs = nowMs + LEASE_MS;
        this.#grantedAtMs = nowMs;
        this.#grants = [[slotOf(ledger.atMs), lacking + spare], ...this.#grants.slice(0, MAX_GRANTS)];
      },
    };
  }

  #serve(outcome: Outcome, nowMs: number): void {
    const left: Waiter[] = [];
    for (const waiter of this.#waiters) {
      const { calls, resolve } = waiter;
      const isOver = this.#own.count(nowMs) + calls > this.#rule.limit;
      const isPaid = this.#held >= calls;
      if (!isOver && !isPaid && outcome === "granted") {
        left.push(waiter);
        continue;
      }
      const admitted = !isOver && (isPaid || outcome === "away");
      if (admitted) this.#own.add(calls, nowMs);
      if (admitted && isPaid) this.#held -= calls;
      resolve(admitted);
    }
    // What was meant for a waiter who did not get it.
    this.#held = Math.min(this.#rule.lease, this.#held);
    this.#waiters = left;
    if (left.length > 0) this.#ask();
  }

  /** Changes the ledger by compare-and-set. Never rejects. */
  async #change(plan: (ledger: CallLedger, nowMs: number) => Plan): Promise<Outcome> {
    const { store, now } = this.#deps;
    const beganMs = now();
    let seen = this.#seen;
    let isFresh = false;
    for (let tries = 0; tries < MAX_TRIES && now() - beganMs < MAX_ASKING_MS; tries++) {
      if (seen === undefined) {
        const read = await store.run((store) => store.get(this.#rule.key));
        if (read === undefined) break;
        seen = { ledger: parseLedger(read.value?.value) ?? EMPTY_LEDGER, version: read.value?.version ?? null };
        isFresh = true;
        this.#leadMs = Math.max(this.#leadMs, seen.ledger.atMs - now());
      }
      const nowMs = now();
      const ledger = moveOn(seen.ledger, nowMs + this.#leadMs);
      const { changed, outcome, commit } = plan(ledger, nowMs);
      const { version: ifVersion } = seen;
      if (outcome === "used_up" && !isFresh) {
        seen = undefined;
        continue;
      }
      if (changed === undefined) {
        this.#note(ledger, ifVersion);
        return outcome;
      }
      const options = { expiresAtMs: nowMs + LEDGER_TTL_MS, ifVersion };
      const written = await store.run((store) => store.set(this.#rule.key, toStored(changed), options));
      if (written === undefined) break;
      if (written.value !== undefined) {
        this.#note(changed, written.value);
        commit?.();
        return outcome;
      }
      seen = undefined;
      isFresh = false;
    }
    this.#seen = undefined;
    return "away";
  }
}

/** What is to become of the ledger. */
interface Plan {
  /** The ledger as it is to be; `undefined` where it stays as it is. */
  readonly changed: CallLedger | undefined;
  readonly outcome: Outcome;
  /** Called when the change has been made. */
  readonly commit?: () => void;
}
