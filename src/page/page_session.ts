/**
 * Who looks at the status page: the key that was typed in, sealed in a cookie. Nothing of it is kept in the gateway, so
 * that a session opens in every isolate, and ends with its key.
 *
 * @module
 */

import { MIN_SECRET_BYTES, Sealer } from "../cache/sealer.ts";
import type { Access, Authenticator } from "../callers/access.ts";

/** The name of the cookie. */
export const SESSION_COOKIE = "portolan_session";
/** How long a session may last, in milliseconds. */
export const SESSION_MS = 12 * 3_600_000;
/** The longest key or token that fits a cookie once it is sealed, in characters. */
export const MAX_KEY_CHARS = 2_800;

/** What a header can carry; also what keys and tokens are made of. */
const KEY = /^[\x21-\x7e]+$/;

/** Who looks at the page. */
export interface Visitor {
  /** What it may use. */
  readonly access: Access;
  /** What it says to the gateway's own interface; `undefined` where no key is asked for. */
  readonly authorization: string | undefined;
}

/** What sessions work with. */
export interface PageSessionsDeps {
  /** Knows the callers. */
  readonly authenticator: Authenticator;
  /** Whether the gateway is served without keys; it may come to be, or no longer be. */
  readonly open: boolean;
  /** The secret that all isolates share; without one, sessions open in this isolate alone. */
  readonly storeSecret: Uint8Array | undefined;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/** Seals keys into cookies, and opens them again. One for each gateway. */
export class PageSessions {
  readonly #deps: PageSessionsDeps;
  readonly #sealer: Sealer;
  readonly #now: () => number;

  /**
   * Creates it.
   *
   * @param deps What it works with.
   */
  constructor(deps: PageSessionsDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
    this.#sealer = new Sealer(deps.storeSecret ?? crypto.getRandomValues(new Uint8Array(2 * MIN_SECRET_BYTES)));
  }

  /**
   * Finds who a key belongs to.
   *
   * @param key What was typed in.
   * @returns Who it is, or `undefined`, whatever is wrong with it.
   * @throws {RequestError} If it cannot be found out now: `callers_unavailable`.
   */
  async identify(key: string): Promise<Visitor | undefined> {
    if (!KEY.test(key) || key.length > MAX_KEY_CHARS) return undefined;
    const authorization = `Bearer ${key}`;
    const access = await this.#deps.authenticator.authenticate(authorization);
    return access && { access, authorization };
  }

  /**
   * Seals a key.
   *
   * @param key The key; it has been identified.
   * @returns The value of the cookie.
   */
  async seal(key: string): Promise<string> {
    const expiresAtMs = this.#now() + SESSION_MS;
    const sealed = await this.#sealer.seal(key, toPurpose(expiresAtMs));
    return `${expiresAtMs}.${sealed.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
  }

  /**
   * Opens a session. Its key is asked about anew, so that one that was revoked or has ended opens nothing.
   *
   * @param cookie The value of the cookie, where there is one.
   * @returns Who looks, or `undefined` where that is not known.
   * @throws {RequestError} If it cannot be found out now: `callers_unavailable`.
   */
  async open(cookie: string | undefined): Promise<Visitor | undefined> {
    const { authenticator } = this.#deps;
    if (this.#deps.open) {
      const access = await authenticator.authenticate(undefined);
      return access && { access, authorization: undefined };
    }
    const match = /^(\d{13})\.([\w-]+)$/.exec(cookie ?? "");
    const expiresAtMs = Number(match?.[1]);
    if (match?.[2] === undefined || !(expiresAtMs > this.#now())) return undefined;
    const sealed = match[2].replaceAll("-", "+").replaceAll("_", "/");
    const key = await this.#sealer.open(sealed, toPurpose(expiresAtMs));
    return key === undefined ? undefined : await this.identify(key);
  }
}

/** What a sealed key is for, and until when: it opens as nothing else. */
function toPurpose(expiresAtMs: number): string {
  return `status page session until ${expiresAtMs}`;
}
