/**
 * What the route cache stores of one server, what it returns, and what it is told.
 *
 * @module
 */

import type { Tool } from "../protocol.ts";

/**
 * What an entry says: a list; a list that was invalidated; that the server was asked and gave no list; or nothing but
 * that an invalidation happened.
 */
export type RouteEntryState = "good" | "stale" | "negative" | "none";

/** One entry. */
export interface RouteEntry {
  /** The version of the form. */
  readonly v: 1;
  /** The key it was written under, so that an entry that was copied elsewhere is seen. */
  readonly key: readonly string[];
  /** Grows with every invalidation. */
  readonly epoch: number;
  /** What the entry says. */
  readonly state: RouteEntryState;
  /** When the list was committed, in milliseconds since the epoch. */
  readonly writtenAtMs: number;
  /** Until when it is fresh, in milliseconds since the epoch. */
  readonly staleAtMs: number;
  /** Until when it may be used at all, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** Whether the list was cut or broke off. */
  readonly partial: boolean;
  /** How many tools the list has. */
  readonly toolCount: number;
  /** The list, where it is small enough to be in the entry. */
  readonly tools?: readonly Tool[];
  /** The addresses of the chunks that hold the list, where it is not. */
  readonly chunks?: readonly string[];
}

/** An entry without its tools. */
export type RouteEntryHead = Omit<RouteEntry, "tools">;

/**
 * What a key held when it was read. Opaque: it is handed from `RouteCache.begin()` or
 * `RouteCache.load()` to `RouteCache.commit()`.
 */
export interface EpochToken {
  /** The epoch that a listing begun now belongs to. */
  readonly epoch: number;
  /** The version that was read; `null`: there was no value; `undefined`: the store did not answer. */
  readonly version: string | null | undefined;
  /** The entry that a commit would replace, without its tools. */
  readonly replaces?: RouteEntryHead | undefined;
}

/** A tool list from the cache. */
export interface CachedToolList {
  /** There is a list. */
  readonly kind: "tools";
  /** The tools; well-formed, and the caller's own copy. */
  readonly tools: readonly Tool[];
  /** Whether the list was cut or broke off. */
  readonly partial: boolean;
  /** Whether it may be used without asking the server. */
  readonly fresh: boolean;
  /** Whether it was invalidated: the server is to be asked first. */
  readonly invalidated: boolean;
  /** How old it is, in milliseconds. */
  readonly ageMs: number;
  /** How old it may be and still be fresh, in milliseconds. */
  readonly freshMs: number;
  /** When it was committed, in milliseconds since the epoch. */
  readonly writtenAtMs: number;
  /** For the commit of the next list. */
  readonly epochToken: EpochToken;
}

/** The note that the server was asked a moment ago and gave no list. */
export interface CachedFailure {
  /** There is no list. */
  readonly kind: "negative";
  /** A note that is no longer fresh is not returned. */
  readonly fresh: true;
  /** How long ago the server was asked, in milliseconds. */
  readonly ageMs: number;
  /** For the commit of the next list. */
  readonly epochToken: EpochToken;
}

/** What the cache knows of a server. */
export type CachedTools = CachedToolList | CachedFailure;

/** What came of asking a server for its tools. */
export type Listing = {
  /** The tools, as the server lists them. */
  readonly tools: readonly Tool[];
  /** Whether the list was cut or broke off. */
  readonly partial: boolean;
  /** How long the list is fresh, in milliseconds, where the server says so; `0`: never. */
  readonly ttlMs?: number | undefined;
  /** Whether the server lets it be given to anybody; not kept. @default {false} */
  readonly isPublic?: boolean | undefined;
  /** Whether an empty list is known to be meant, so that it may replace a good one. @default {false} */
  readonly confirmedEmpty?: boolean | undefined;
} | {
  /** The server gave no list. */
  readonly failed: true;
};

/**
 * How a commit ended: `conflict`: the key changed since it was read; `skipped`: what is there is better, or the list
 * cannot be stored; `unavailable`: the store did not answer, the list may or may not be there.
 */
export type CommitOutcome = "stored" | "conflict" | "skipped" | "unavailable";
