/**
 * The header fields that tell a caller of its limits: `RateLimit-Policy` and `RateLimit` of
 * draft-ietf-httpapi-ratelimit-headers, lists of structured fields.
 *
 * @module
 */

import { WINDOW_MS } from "./call_ledger.ts";

/** A limit by its name in the fields: who shares it. */
export interface NamedLimit {
  /** Its name; lower-case letters. */
  readonly name: "agent" | "caller";
  /** How many calls it allows in a minute. */
  readonly limit: number;
}

/** What is left of a limit. */
export interface LimitState {
  /** Its name. */
  readonly name: NamedLimit["name"];
  /** How many more calls may be made, as far as it is known. */
  readonly remaining: number;
  /** How long it is until there will be more, in milliseconds. */
  readonly waitMs: number;
}

/**
 * The value of `RateLimit-Policy`.
 *
 * @param limits The limits that a request falls under.
 * @returns A list of the limits: `"caller";q=60;w=60`.
 */
export function rateLimitPolicy(limits: readonly NamedLimit[]): string {
  return limits.map(({ name, limit }) => `"${name}";q=${limit};w=${WINDOW_MS / 1_000}`).join(", ");
}

/**
 * The value of `RateLimit`.
 *
 * @param states What is left of each limit.
 * @returns A list of what is left, and in how many seconds there will be more: `"caller";r=59;t=61`.
 */
export function rateLimitStates(states: readonly LimitState[]): string {
  return states.map(({ name, remaining, waitMs }) => {
    return `"${name}";r=${remaining}${waitMs > 0 ? `;t=${Math.ceil(waitMs / 1_000)}` : ""}`;
  }).join(", ");
}
