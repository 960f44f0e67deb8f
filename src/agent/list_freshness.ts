/**
 * How long what the servers of an agent list is fresh, taken together.
 *
 * @module
 */

import type { ListFreshness } from "../status.ts";

/** What is known of one server's list, for that. */
export interface ListAge {
  /** Until when it is used without asking again, in milliseconds since the epoch. */
  readonly staleAtMs: number;
  /** Until when it is fresh as its server says, else by default, in milliseconds since the epoch. */
  readonly freshUntilMs: number;
  /** Whether its server lets it be given to anybody. */
  readonly isPublic: boolean;
}

/**
 * Takes the lists of several servers together.
 *
 * @param lists One for each server; `undefined` where there is none.
 * @param nowMs The time, in milliseconds since the epoch.
 * @param ttlMs How long a list is fresh where nobody says, in milliseconds: that of no server at all.
 * @returns The least of them.
 */
export function toListFreshness(
  lists: readonly (ListAge | undefined)[],
  nowMs: number,
  ttlMs: number,
): ListFreshness {
  const restsMs = lists.map((list) => list === undefined ? 0 : Math.min(list.staleAtMs, list.freshUntilMs) - nowMs);
  const isPublic = lists.length > 0 && lists.every((list) => list?.isPublic === true);
  return {
    ttlMs: lists.length === 0 ? ttlMs : Math.max(0, Math.min(...restsMs)),
    cacheScope: isPublic ? "public" : "private",
  };
}
