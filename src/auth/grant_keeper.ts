/**
 * The grant of one server and principal: at hand in memory, and the same in the store.
 *
 * @module
 */

import type { AuthAddress, AuthStore } from "./auth_store.ts";
import { type Grant, GRANT_TTL_MS, readGrant, writeGrant } from "./oauth_records.ts";

/** What a grant is kept with. */
export interface GrantKeeperDeps {
  /** The store. */
  readonly store: AuthStore;
  /** Where the grant is in it. */
  readonly address: AuthAddress;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** An access token is renewed this much before its end, in milliseconds, or with a tenth of its life left. */
const MAX_EARLY_MS = 30_000;
/** How often a write is made anew that the store says was overtaken. */
const MAX_REWRITES = 3;

/** Keeps one grant. No method rejects because of the store. */
export class GrantKeeper {
  readonly #deps: GrantKeeperDeps;
  #grant: Grant | undefined;
  #version: string | null | undefined;
  /** Whether the store has yet to be told of the grant at hand. */
  #isUnsaved = false;

  /**
   * Creates a keeper; nothing is read.
   *
   * @param deps What it keeps the grant with.
   */
  constructor(deps: GrantKeeperDeps) {
    this.#deps = deps;
  }

  /** The grant as it was last loaded or saved; `undefined` where there is none. */
  get grant(): Grant | undefined {
    return this.#grant;
  }

  /** The grant, where its access token has not ended. */
  get usable(): Grant | undefined {
    const tokens = this.#grant?.tokens;
    if (tokens === undefined) return undefined;
    return tokens.expiresAtMs === undefined || this.#deps.now() < tokens.expiresAtMs ? this.#grant : undefined;
  }

  /** Whether the access token is good for longer than the next request. */
  get isFresh(): boolean {
    const tokens = this.#grant?.tokens;
    if (tokens === undefined) return false;
    const { issuedAtMs, expiresAtMs } = tokens;
    if (expiresAtMs === undefined) return true;
    return this.#deps.now() < expiresAtMs - Math.min(MAX_EARLY_MS, (expiresAtMs - issuedAtMs) / 10);
  }

  /** Takes what the store has, unless it has yet to be told of something newer. */
  async load(): Promise<void> {
    await this.#load(MAX_REWRITES);
  }

  async #load(rewritesLeft: number): Promise<void> {
    const { store, address } = this.#deps;
    const item = await store.read(address);
    if (item === undefined) return;
    const kept = readGrant(item.value);
    this.#version = item.version;
    if (this.#isUnsaved && (kept?.tokens?.issuedAtMs ?? 0) < (this.#grant?.tokens?.issuedAtMs ?? 0)) {
      // A store that says so for ever is told with the next request.
      if (rewritesLeft > 0) await this.#write(rewritesLeft - 1);
      return;
    }
    this.#isUnsaved = false;
    this.#grant = kept;
  }

  /**
   * Replaces the grant that was last loaded. Where another isolate has replaced it meanwhile, the newer tokens count.
   *
   * @param grant The grant.
   */
  async save(grant: Grant): Promise<void> {
    this.#grant = grant;
    this.#isUnsaved = true;
    await this.#write(MAX_REWRITES);
  }

  async #write(rewritesLeft: number): Promise<void> {
    const { store, address } = this.#deps;
    if (this.#grant === undefined || this.#version === undefined) return;
    const options = { ttlMs: GRANT_TTL_MS, ifVersion: this.#version };
    const answer = await store.write(address, writeGrant(this.#grant), options);
    if (answer === undefined) return;
    if (answer.value === undefined) return await this.#load(rewritesLeft);
    this.#version = answer.value;
    this.#isUnsaved = false;
  }
}
