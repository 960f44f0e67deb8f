/**
 * Who runs the call of an idempotency key: one claim for each, in a store that all isolates share.
 *
 * @module
 */

import { RouteStoreGuard } from "../cache/route_store_guard.ts";
import { RequestError } from "../gateway/request_error.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { MAX_ROUTE_VALUE_BYTES, type RouteKey, type RouteStore } from "../route_store.ts";
import type { CallMark } from "./idempotency_key.ts";

const VERSION = 1;
const WRITE_TRIES = 3;

/** What a store says of a call. */
export interface ClaimRecord {
  /** Who claimed it. */
  readonly claim: string;
  /** The call's own mark. */
  readonly fingerprint: string;
  /** Whether it runs, was answered, or nobody knows what became of it. */
  readonly state: "running" | "done" | "unknown";
  /** Until when whoever runs it is believed to live, in milliseconds since the epoch. */
  readonly leaseUntilMs: number;
  /** The answer, encrypted, where it is kept. */
  readonly sealed?: string | undefined;
}

/** A claim of one's own. */
export interface OwnClaim {
  /** The call. */
  readonly mark: CallMark;
  /** Its name. */
  readonly claim: string;
  /** The version that the store holds; `null` where it holds none any more. */
  version: string | null;
}

/** What is found where a call is claimed or looked at. */
export type FoundClaim =
  | {
    /** It is one's own to run. */
    readonly kind: "own";
    /** The claim. */
    readonly own: OwnClaim;
  }
  | {
    /** Somebody has claimed it. */
    readonly kind: "taken";
    /** What is said of it, or `undefined` where that cannot be read. */
    readonly record: ClaimRecord | undefined;
  }
  | {
    /** Nobody has. */
    readonly kind: "free";
  };

/** What claims are made with. */
export interface KeyClaimsOptions {
  /** How long a claim is believed without a sign of life, in milliseconds. */
  readonly leaseMs: number;
  /** How long an answer is kept, in milliseconds. */
  readonly ttlMs: number;
  /** The longest that the store may take for one operation, in milliseconds. @default {1_000} */
  readonly opTimeoutMs?: number | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** The claims of one gateway. Nothing is claimed twice, whatever the store does. */
export class KeyClaims {
  readonly #guard: RouteStoreGuard;
  readonly #options: KeyClaimsOptions;

  /**
   * Creates them.
   *
   * @param store Where they are; read strongly.
   * @param options Times and the clock.
   */
  constructor(store: RouteStore, options: KeyClaimsOptions) {
    const { opTimeoutMs = 1_000, now } = options;
    // A store that failed is asked again at once: there is nothing else to go by.
    this.#guard = new RouteStoreGuard(store, { opTimeoutMs, retryAfterFailureMs: 0, now });
    this.#options = options;
  }

  /**
   * Claims a call.
   *
   * @param mark The call.
   * @returns The claim, or who was first.
   * @throws {RequestError} If the store does not answer: `store_unavailable`.
   */
  async claim(mark: CallMark): Promise<FoundClaim> {
    const claim = crypto.randomUUID();
    const { record, expiresAtMs } = this.#toRecord(mark, claim, "running");
    let writing: Promise<string | undefined> | undefined;
    const written = await this.#guard.run((store) => {
      return writing = store.set(toKey(mark), record, { expiresAtMs, ifVersion: null });
    });
    if (written?.value !== undefined) return { kind: "own", own: { mark, claim, version: written.value } };
    // What lands after all would stand in the way of the next attempt.
    const withdraw = () => void this.#withdrawLate(mark, writing);
    const found = await this.#read(mark).catch((error) => {
      withdraw();
      throw error;
    });
    // A write may be made and reported as failed.
    if (found?.record?.claim === claim) return { kind: "own", own: { mark, claim, version: found.version } };
    if (found !== undefined) return { kind: "taken", record: found.record };
    if (written !== undefined) return { kind: "free" };
    withdraw();
    throw unavailable();
  }

  /**
   * Looks at a call without claiming it.
   *
   * @param mark The call.
   * @returns Who has claimed it.
   * @throws {RequestError} If the store does not answer: `store_unavailable`.
   */
  async look(mark: CallMark): Promise<FoundClaim> {
    const found = await this.#read(mark);
    return found === undefined ? { kind: "free" } : { kind: "taken", record: found.record };
  }

  /**
   * Says what became of a call, or that it still runs. Never rejects.
   *
   * @param own The claim.
   * @param state What became of it.
   * @param sealed The answer, encrypted; left out where the store does not take a value of that size.
   */
  async write(own: OwnClaim, state: ClaimRecord["state"], sealed?: string): Promise<void> {
    const { mark, claim } = own;
    for (let left = WRITE_TRIES; left > 0; left--) {
      const { record, expiresAtMs } = this.#toRecord(mark, claim, state, sealed);
      const options = { expiresAtMs, ifVersion: own.version };
      const written = await this.#guard.run((store) => store.set(toKey(mark), record, options));
      if (written?.value !== undefined) return void (own.version = written.value);
      const found = await this.#read(mark).catch(() => "away" as const);
      if (found === "away") continue;
      // The store may have lost it, and may have made a write that it reported as failed.
      if (found !== undefined && found.record?.claim !== claim) return;
      own.version = found?.version ?? null;
    }
  }

  /**
   * Gives a call back that provably did not run. Never rejects: what cannot be given back stays as it is.
   *
   * @param own The claim.
   */
  async release(own: OwnClaim): Promise<void> {
    for (let left = WRITE_TRIES; left > 0; left--) {
      const { mark, claim, version } = own;
      const released = version === null ||
        (await this.#guard.run((store) => store.delete(toKey(mark), { ifVersion: version })))?.value;
      if (released === true) return;
      const found = await this.#read(mark).catch(() => "away" as const);
      if (found === "away") continue;
      if (found?.record?.claim !== claim) return;
      own.version = found.version;
    }
  }

  async #read(mark: CallMark): Promise<{ record: ClaimRecord | undefined; version: string } | undefined> {
    const item = await this.#guard.run((store) => store.get(toKey(mark)));
    if (item === undefined) throw unavailable();
    return item.value && { record: toClaimRecord(item.value.value), version: item.value.version };
  }

  #toRecord(
    { fingerprint }: CallMark,
    claim: string,
    state: ClaimRecord["state"],
    sealed?: string,
  ): { readonly record: JsonObject; readonly expiresAtMs: number } {
    const { now, leaseMs, ttlMs } = this.#options;
    const nowMs = now();
    const plain = { v: VERSION, claim, fingerprint, state, leaseUntilMs: nowMs + leaseMs };
    const record = sealed === undefined ? plain : { ...plain, sealed };
    const fits = JSON.stringify(record).length <= MAX_ROUTE_VALUE_BYTES;
    return { record: fits ? record : plain, expiresAtMs: nowMs + ttlMs };
  }

  async #withdrawLate(mark: CallMark, writing: Promise<string | undefined> | undefined): Promise<void> {
    const version = await writing?.catch(() => undefined);
    if (version === undefined) return;
    await this.#guard.run((store) => store.delete(toKey(mark), { ifVersion: version }));
  }
}

function toKey({ id }: CallMark): RouteKey {
  return ["idempotency", id];
}

function toClaimRecord(value: unknown): ClaimRecord | undefined {
  if (!isJsonObject(value) || value.v !== VERSION) return undefined;
  const { claim, fingerprint, state, leaseUntilMs, sealed } = value;
  if (typeof claim !== "string" || typeof fingerprint !== "string" || typeof leaseUntilMs !== "number") {
    return undefined;
  }
  if (state !== "running" && state !== "done" && state !== "unknown") return undefined;
  return { claim, fingerprint, state, leaseUntilMs, sealed: typeof sealed === "string" ? sealed : undefined };
}

function unavailable(): RequestError {
  return new RequestError(
    "store_unavailable",
    "Cannot make the call only once as the store of the idempotency keys does not answer: nothing was sent",
  );
}
