/**
 * What is decided of the pinned tools of one server, in the route store: one small value, so that every isolate can look
 * at it often.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../protocol.ts";
import { MAX_KEPT_MS, MAX_ROUTE_VALUE_BYTES, RENEWED_AFTER_MS, type RouteKey } from "../route_store.ts";
import type { DecisionChange } from "../tools/withheld_tools.ts";
import type { RouteStoreGuard } from "./route_store_guard.ts";

/** The version of the form. */
const VERSION = 1;
/** How often a write that another isolate was faster with is tried again. */
const MAX_TRIES = 8;

const NONE: KeptDecisions = { revision: 0, withheld: [], stamp: 0 };

const encoder = new TextEncoder();

/** What is decided. */
export interface KeptDecisions {
  /** Larger after each decision. */
  readonly revision: number;
  /** The tools that are withheld by decision. */
  readonly withheld: readonly string[];
  /** When the pins were last written that a decision was made with. */
  readonly stamp: number;
}

/** What decisions are kept with. */
export interface SavedDecisionsDeps {
  /** The store, behind its guard: it never rejects. */
  readonly guard: RouteStoreGuard;
  /** Tells where they are kept. */
  readonly toKey: () => Promise<RouteKey>;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** Keeps what is decided of the pinned tools of one server. */
export class SavedDecisions {
  readonly #deps: SavedDecisionsDeps;

  /**
   * Creates a keeper; nothing is read.
   *
   * @param deps What decisions are kept with.
   */
  constructor(deps: SavedDecisionsDeps) {
    this.#deps = deps;
  }

  /**
   * Reads what is decided.
   *
   * @returns What is; `undefined` where that cannot be told at the moment.
   */
  async load(): Promise<KeptDecisions | undefined> {
    const read = await this.#read();
    if (read === undefined || read.decisions === "broken") return undefined;
    const { revision, stamp } = read.decisions;
    // The revision is no older than the value. Written anew, the value does not come to its end in the store.
    const isOld = revision > 0 && this.#deps.now() - revision > RENEWED_AFTER_MS;
    return (isOld ? await this.save({}, stamp) : undefined) ?? read.decisions;
  }

  /**
   * Decides.
   *
   * @param change The tools to withhold, and those that are withheld no longer.
   * @param pinStamp When the pins were last written, as far as is known here.
   * @returns What is decided now; `undefined` where it could not be kept.
   */
  async save({ withhold = [], release = [] }: DecisionChange, pinStamp: number): Promise<KeptDecisions | undefined> {
    const { guard, now, toKey } = this.#deps;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const read = await this.#read();
      if (read === undefined) return undefined;
      const before = read.decisions === "broken" ? NONE : read.decisions;
      const names = new Set([...before.withheld, ...withhold]);
      for (const name of release) names.delete(name);
      // By the clock too: a number that was there before the value was lost must not come again.
      const revision = Math.max(before.revision + 1, now());
      const decisions: KeptDecisions = { revision, withheld: [...names], stamp: Math.max(before.stamp, pinStamp) };
      const value: JsonObject = { v: VERSION, ...decisions, withheld: [...names] };
      if (encoder.encode(JSON.stringify(value)).byteLength > MAX_ROUTE_VALUE_BYTES) return undefined;
      const key = await toKey();
      const options = { expiresAtMs: now() + MAX_KEPT_MS, ifVersion: read.version };
      const answer = await guard.run((store) => store.set(key, value, options));
      if (answer === undefined) return undefined;
      if (answer.value !== undefined) return decisions;
    }
    return undefined;
  }

  async #read(): Promise<
    { readonly decisions: KeptDecisions | "broken"; readonly version: string | null } | undefined
  > {
    const key = await this.#deps.toKey();
    const answer = await this.#deps.guard.run((store) => store.get(key));
    if (answer === undefined) return undefined;
    const decisions = parse(answer.value?.value);
    return decisions && { decisions, version: answer.value?.version ?? null };
  }
}

/** A broken value says nothing, and may be written over; one of a later version cannot be told, and stays. */
function parse(value: unknown): KeptDecisions | "broken" | undefined {
  if (value === undefined) return NONE;
  if (!isJsonObject(value)) return "broken";
  const { v, revision, withheld, stamp = 0 } = value;
  if (typeof v === "number" && v > VERSION) return undefined;
  const isWhole = v === VERSION && Number.isSafeInteger(revision) && Number.isSafeInteger(stamp);
  if (!isWhole || typeof revision !== "number" || typeof stamp !== "number" || !Array.isArray(withheld)) {
    return "broken";
  }
  const names = withheld.filter((name) => typeof name === "string");
  return names.length === withheld.length ? { revision, withheld: names, stamp } : "broken";
}
