/**
 * The public keys of an issuer: fetched when a token first needs them, kept for a while, and fetched anew when a token
 * names a key that is not among them.
 *
 * @module
 */

import { RequestError } from "../gateway/request_error.ts";

/** Where keys come from. */
export interface IssuerKeysDeps<Keys> {
  /** Fetches them; bounded in time by itself. */
  readonly load: () => Promise<Keys>;
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** For how long keys are used without a question, in milliseconds. */
const FRESH_MS = 600_000;
/** For how long they are used where newer ones cannot be had, in milliseconds. */
const USABLE_MS = 3_600_000;
/** How often keys are fetched at most because a token names an unknown one, in milliseconds. */
const COOLDOWN_MS = 30_000;
/** For how long an issuer that failed is not asked, in milliseconds. */
const REST_MS = 5_000;

/** Keeps the keys of one issuer. One fetch at a time, whoever waits for it. */
export class IssuerKeys<Keys> {
  readonly #load: () => Promise<Keys>;
  readonly #now: () => number;
  #keys: Keys | undefined;
  #loadedAtMs = -Infinity;
  #failedAtMs = -Infinity;
  #flight: Promise<Keys> | undefined;

  /**
   * Creates a keeper; nothing is fetched.
   *
   * @param deps Where keys come from.
   */
  constructor(deps: IssuerKeysDeps<Keys>) {
    this.#load = deps.load;
    this.#now = deps.now;
  }

  /**
   * The keys. Those that are no longer fresh are used while newer ones are fetched, for an hour at most.
   *
   * @returns The keys.
   * @throws {RequestError} If they cannot be had: `callers_unavailable`.
   */
  async current(): Promise<Keys> {
    const keys = this.#keys;
    if (keys === undefined || !this.#isWithin(this.#loadedAtMs, USABLE_MS)) return await this.#fetch();
    if (!this.#isWithin(this.#loadedAtMs, FRESH_MS)) this.#fetch().catch(() => {});
    return keys;
  }

  /**
   * Newer keys than those that lack one.
   *
   * @returns The keys; or `undefined` where they were fetched a moment ago.
   * @throws {RequestError} If they cannot be had: `callers_unavailable`.
   */
  async newer(): Promise<Keys | undefined> {
    if (this.#flight === undefined && this.#isWithin(this.#loadedAtMs, COOLDOWN_MS)) return undefined;
    return await this.#fetch();
  }

  async #fetch(): Promise<Keys> {
    if (this.#isWithin(this.#failedAtMs, REST_MS)) throw unavailable();
    return await (this.#flight ??= this.#fetchOnce().finally(() => this.#flight = undefined));
  }

  async #fetchOnce(): Promise<Keys> {
    try {
      this.#keys = await this.#load();
      this.#loadedAtMs = this.#now();
      return this.#keys;
    } catch {
      // What the issuer sent is for nobody's eyes here.
      this.#failedAtMs = this.#now();
      throw unavailable();
    }
  }

  /** A time in the future means that the clock was set back. */
  #isWithin(sinceMs: number, maxMs: number): boolean {
    const ageMs = this.#now() - sinceMs;
    return ageMs >= 0 && ageMs < maxMs;
  }
}

function unavailable(): RequestError {
  return new RequestError(
    "callers_unavailable",
    "Cannot check the token as the keys of its issuer cannot be had: send the request again",
    { retryAfterMs: REST_MS },
  );
}
