/**
 * The pins of one server in the route store: first come, first pinned, whichever isolate it was.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { RouteKey } from "../route_store.ts";
import type { PinKeeper, PinnedDigests } from "../tools/tool_pins.ts";
import type { RouteStoreGuard } from "./route_store_guard.ts";
import type { ServerCacheKey } from "./server_cache_key.ts";

/** The version of the form; another one is a miss. */
const VERSION = 1;
/** How long pins are kept since they were last written, in milliseconds. */
const TTL_MS = 365 * 86_400_000;
/** How often a write that another isolate was faster with is tried again. */
const MAX_TRIES = 4;
const DIGEST = /^[0-9a-f]{64}$/;

/** What pins are kept with. */
export interface SavedPinsDeps {
  /** The store, behind its guard: it never rejects. */
  readonly guard: RouteStoreGuard;
  /** Tells the key of the server's tools: the pins lie beside them. */
  readonly toKey: () => Promise<ServerCacheKey>;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** Keeps the pins of one server of one agent. */
export class SavedPins implements PinKeeper {
  readonly #deps: SavedPinsDeps;

  /**
   * Creates a keeper; nothing is read.
   *
   * @param deps What pins are kept with.
   */
  constructor(deps: SavedPinsDeps) {
    this.#deps = deps;
  }

  async load(): Promise<PinnedDigests | undefined> {
    return (await this.#read(await this.#key()))?.digests;
  }

  async save(digests: PinnedDigests, options: { readonly replace?: boolean } = {}): Promise<void> {
    const { guard, now } = this.#deps;
    const key = await this.#key();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const kept = await this.#read(key);
      if (kept === undefined) return;
      const merged = options.replace === true ? { ...kept.digests, ...digests } : { ...digests, ...kept.digests };
      // As pairs: a tool may be called like a member that every object has.
      const value: JsonObject = { v: VERSION, pins: Object.entries(merged) };
      const expiresAtMs = now() + TTL_MS;
      const answer = await guard.run((store) => store.set(key, value, { expiresAtMs, ifVersion: kept.version }));
      if (answer === undefined || answer.value !== undefined) return;
    }
  }

  async #read(key: RouteKey): Promise<{ digests: PinnedDigests; version: string | null } | undefined> {
    const answer = await this.#deps.guard.run((store) => store.get(key));
    if (answer === undefined) return undefined;
    const version = answer.value?.version ?? null;
    const value = answer.value?.value;
    const pairs = isJsonObject(value) && value.v === VERSION && Array.isArray(value.pins) ? value.pins : [];
    const digests = Object.fromEntries(pairs.filter(isPin));
    return { digests, version };
  }

  /** Not the credential's: a tool that changes with a new token has changed. */
  async #key(): Promise<RouteKey> {
    const [version, , agent, server, url] = await this.#deps.toKey();
    return [version, "pins", agent, server, url];
  }
}

function isPin(pair: unknown): pair is [string, string] {
  return Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string" && typeof pair[1] === "string" &&
    DIGEST.test(pair[1]);
}
