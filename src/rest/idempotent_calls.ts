/**
 * Calls that their callers name by an idempotency key: each is made once, in whichever isolate, and its answer is given
 * to everybody who asks for it with the same key.
 *
 * A record in the store is the only right to make the call, so it is there before anything is sent. It is given back
 * only where the call provably did not run. Where whoever made the call is gone, nobody makes it again.
 *
 * @module
 */

import { delay } from "@std/async";
import { MIN_SECRET_BYTES, Sealer } from "../cache/sealer.ts";
import type { Deadline } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import type { InFlight } from "../gateway/in_flight.ts";
import { RequestError } from "../gateway/request_error.ts";
import { MemoryRouteStore } from "../memory_route_store.ts";
import type { RouteStore } from "../route_store.ts";
import type { RoutedResult } from "../status.ts";
import { type CallOutcome, parseOutcome, toFate, writeOutcome } from "./call_outcome.ts";
import type { CallMark } from "./idempotency_key.ts";
import { type ClaimRecord, KeyClaims, type OwnClaim } from "./key_claims.ts";

/** For how long a key is known, in milliseconds. */
const TTL_MS = 24 * 3_600_000;
/** How long a call is believed to run without a sign of life, in milliseconds; a third of it passes between two. */
const LEASE_MS = 15_000;
const MIN_PAUSE_MS = 25;
const MAX_PAUSE_MS = 1_000;
const RETRY_AFTER_MS = 1_000;
/** What is kept here where the store must not have it. */
const KEPT = { maxEntries: 1_000, maxBytes: 16 * 1024 * 1024 };

/** Makes a call; told of the signal that ends it. */
export type MakeCall = (signal: AbortSignal) => Promise<RoutedResult>;

/** An answer, and whether the call was made for another request. */
export interface CallAnswer {
  /** How the call ended. */
  readonly outcome: CallOutcome;
  /** Whether it was made for another request with the same key. */
  readonly replayed: boolean;
}

/** A request that has been let in. */
export interface CallTurn {
  /** Whether the answer is known already. */
  readonly replays: boolean;
  /**
   * Gets the answer: by making the call, or from whoever makes it.
   *
   * @param make Makes the call. It goes on where its caller leaves: the answer is for the next request with the key.
   * @param deadline How long to wait for an answer that comes from elsewhere.
   * @returns The answer.
   * @throws {RequestError} If the call still runs at the deadline (`idempotency_in_progress`), its answer is kept nowhere
   * (`result_not_kept`), or the store does not answer (`store_unavailable`).
   * @throws {MCPError} If nobody knows what became of it: `outcome_unknown`.
   */
  answer(make: MakeCall, deadline: Deadline): Promise<CallAnswer>;
  /**
   * Gives the turn back, instead of asking for the answer.
   *
   * @param error Why; also for those who wait for the same call here.
   */
  drop(error: unknown): Promise<void>;
}

/** What idempotent calls are made with. */
export interface IdempotentCallsDeps {
  /** What all isolates share, read strongly; without it no call is made by a key. */
  readonly store: RouteStore | undefined;
  /** At least 16 bytes, the same in all isolates: answers are stored encrypted with it. Without it, they stay here. */
  readonly storeSecret?: Uint8Array | undefined;
  /** What is running. */
  readonly inFlight: InFlight;
  /** How long a call is believed to run without a sign of life, in milliseconds. @default {15_000} */
  readonly leaseMs?: number | undefined;
  /** The longest that the store may take for one operation, in milliseconds. @default {1_000} */
  readonly opTimeoutMs?: number | undefined;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

interface RunningCall {
  readonly fingerprint: string;
  readonly settled: Promise<CallOutcome>;
}

/** The idempotent calls of one gateway. */
export class IdempotentCalls {
  readonly #claims: KeyClaims | undefined;
  readonly #storeSecret: Uint8Array | undefined;
  #sealer: Sealer | undefined;
  readonly #inFlight: InFlight;
  readonly #leaseMs: number;
  readonly #now: () => number;
  readonly #running = new Map<string, RunningCall>();
  readonly #kept: MemoryRouteStore;

  /**
   * Creates them; nothing is read.
   *
   * @param deps What they are made with.
   * @throws {RangeError} If `storeSecret` is shorter than 16 bytes.
   */
  constructor(deps: IdempotentCallsDeps) {
    const { store, storeSecret, inFlight, leaseMs = LEASE_MS, opTimeoutMs, now = Date.now } = deps;
    this.#claims = store && new KeyClaims(store, { leaseMs, ttlMs: TTL_MS, opTimeoutMs, now });
    if (storeSecret !== undefined && storeSecret.byteLength < MIN_SECRET_BYTES) {
      throw new RangeError(
        `Cannot use a store secret of less than ${MIN_SECRET_BYTES} bytes: ${storeSecret.byteLength}`,
      );
    }
    this.#storeSecret = storeSecret && new Uint8Array(storeSecret);
    this.#inFlight = inFlight;
    this.#leaseMs = leaseMs;
    this.#now = now;
    this.#kept = new MemoryRouteStore({ ...KEPT, now });
  }

  /**
   * Lets a request in. When this resolves, either the call is this request's to make, or another's.
   *
   * @param mark The call.
   * @returns Its turn.
   * @throws {RequestError} If the key belongs to another call (`idempotency_key_reused`), the answer is kept nowhere
   * (`result_not_kept`), or there is no store or none that answers (`store_unavailable`).
   * @throws {MCPError} If nobody knows what became of the call: `outcome_unknown`.
   */
  async begin(mark: CallMark): Promise<CallTurn> {
    if (this.#claims === undefined) {
      throw new RequestError(
        "store_unavailable",
        "Cannot make the call only once as this gateway has no store that all its isolates share: nothing was sent",
      );
    }
    const running = this.#running.get(mark.id);
    if (running !== undefined) return this.#join(running, mark);
    for (;;) {
      const found = await this.#claims.claim(mark);
      if (found.kind === "own") return this.#toOwnTurn(found.own, this.#claims);
      // Whoever had claimed it has given it back in between: then it is free to claim.
      if (found.kind === "taken") return await this.#toOthersTurn(found.record, mark, this.#claims);
    }
  }

  #toOwnTurn(own: OwnClaim, claims: KeyClaims): CallTurn {
    const { promise, resolve } = Promise.withResolvers<CallOutcome>();
    const settle = (outcome: CallOutcome) => {
      this.#running.delete(own.mark.id);
      resolve(outcome);
    };
    this.#running.set(own.mark.id, { fingerprint: own.mark.fingerprint, settled: promise });
    return {
      replays: false,
      answer: async (make) => {
        void this.#inFlight.track(this.#run(own, make, claims)).then(settle);
        return { outcome: await promise, replayed: false };
      },
      drop: async (error) => {
        await this.#inFlight.track(claims.release(own));
        settle({ kind: "failure", error });
      },
    };
  }

  async #toOthersTurn(record: ClaimRecord | undefined, mark: CallMark, claims: KeyClaims): Promise<CallTurn> {
    // What cannot be read may be what a newer version wrote: it is nobody's to make.
    if (record === undefined) throw toUnknown("its record cannot be read");
    checkFingerprint(record.fingerprint, mark);
    if (record.state === "unknown") throw toUnknown("its answer was lost");
    if (record.state === "done") {
      const outcome = await this.#readAnswer(record, mark);
      return { replays: true, answer: () => Promise.resolve({ outcome, replayed: true }), drop };
    }
    const running = this.#running.get(mark.id);
    if (running !== undefined) return this.#join(running, mark);
    if (record.leaseUntilMs <= this.#now()) throw toUnknown("whoever made it is gone");
    return { replays: false, answer: (make, deadline) => this.#waitElsewhere(mark, make, deadline, claims), drop };
  }

  #join({ fingerprint, settled }: RunningCall, mark: CallMark): CallTurn {
    checkFingerprint(fingerprint, mark);
    return {
      replays: false,
      answer: async (_make, deadline) => ({ outcome: await inTime(settled, deadline), replayed: true }),
      drop,
    };
  }

  /** Another isolate makes the call: it is looked at until it has an answer, is given back, or its maker is gone. */
  async #waitElsewhere(mark: CallMark, make: MakeCall, deadline: Deadline, claims: KeyClaims): Promise<CallAnswer> {
    for (let pauseMs = MIN_PAUSE_MS;; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      await inTime(delay(pauseMs, { signal: deadline.signal }), deadline);
      const running = this.#running.get(mark.id);
      if (running !== undefined) return await this.#join(running, mark).answer(make, deadline);
      // A store that does not answer now may do so before the deadline.
      const found = await inTime(claims.look(mark).catch(() => undefined), deadline);
      if (found === undefined) continue;
      const record = found.kind === "taken" ? found.record : undefined;
      if (record?.state === "running" && record.leaseUntilMs > this.#now()) continue;
      const turn = found.kind === "taken"
        ? await this.#toOthersTurn(found.record, mark, claims)
        : await this.begin(mark);
      return await turn.answer(make, deadline);
    }
  }

  /** Makes the call and says what became of it. Never rejects. */
  async #run(own: OwnClaim, make: MakeCall, claims: KeyClaims): Promise<CallOutcome> {
    const beat = this.#beat(own, claims);
    let began = false;
    const outcome = await this.#inFlight.run(new AbortController().signal, (signal) => {
      began = true;
      return make(signal);
    }).then(
      (routed): CallOutcome => ({ kind: "result", routed }),
      (error: unknown): CallOutcome => ({ kind: "failure", error }),
    );
    await beat.stop();
    const fate = began ? toFate(outcome) : "not_run";
    if (fate === "not_run") await claims.release(own);
    else if (fate === "unknown") await claims.write(own, "unknown");
    else await this.#keep(outcome, own, claims);
    return outcome;
  }

  async #keep(outcome: CallOutcome, own: OwnClaim, claims: KeyClaims): Promise<void> {
    const { id } = own.mark;
    const text = writeOutcome(outcome);
    // Too large a text is not kept: the marker alone says that the call was made.
    await this.#kept.set([id], { text }, { expiresAtMs: this.#now() + TTL_MS }).catch(() => {});
    await claims.write(own, "done", await this.#toSealer()?.seal(text, toPurpose(id)));
  }

  async #readAnswer({ sealed }: ClaimRecord, { id }: CallMark): Promise<CallOutcome> {
    const kept = await this.#kept.get([id]);
    const text = kept === undefined
      ? sealed && await this.#toSealer()?.open(sealed, toPurpose(id))
      : (kept.value as { readonly text: string }).text;
    const outcome = text === undefined ? undefined : parseOutcome(text);
    if (outcome !== undefined) return outcome;
    throw new RequestError(
      "result_not_kept",
      "Cannot answer again as the answer is kept nowhere: the call with this idempotency key was made, and is not made again",
    );
  }

  /** Deriving its key takes a while: nothing that is done without a key waits for it. */
  #toSealer(): Sealer | undefined {
    return this.#sealer ??= this.#storeSecret && new Sealer(this.#storeSecret);
  }

  /** Gives signs of life while a call runs. */
  #beat(own: OwnClaim, claims: KeyClaims): { stop(): Promise<void> } {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let writing: Promise<void> | undefined;
    let stopped = false;
    const wait = () => {
      timer = setTimeout(async () => {
        writing = claims.write(own, "running");
        await writing;
        if (!stopped) wait();
      }, this.#leaseMs / 3);
    };
    wait();
    return {
      async stop() {
        stopped = true;
        clearTimeout(timer);
        await writing;
      },
    };
  }
}

/** Who waits for another's call holds nothing. */
async function drop(): Promise<void> {}

async function inTime<T>(work: Promise<T>, deadline: Deadline): Promise<T> {
  try {
    return await deadline.race(work);
  } catch (error) {
    if (!deadline.passed) throw error;
    throw new RequestError(
      "idempotency_in_progress",
      "Cannot answer yet as the call with this idempotency key is still running: send the request again",
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }
}

function checkFingerprint(fingerprint: string, mark: CallMark): void {
  if (fingerprint === mark.fingerprint) return;
  throw new RequestError(
    "idempotency_key_reused",
    "Cannot make the call as its idempotency key belongs to a call of another tool or with other arguments",
  );
}

function toPurpose(id: string): string {
  return `idempotency ${id}`;
}

function toUnknown(why: string): MCPError {
  return new MCPError(
    "outcome_unknown",
    `Cannot tell whether the call with this idempotency key ran as ${why}; it is not sent again`,
  );
}
