/**
 * What is kept of the connection to one server, so that the next isolate needs no handshake. A session id opens a door:
 * it is stored encrypted or not at all.
 *
 * @module
 */

import type { ConnectionKeeper } from "../connection/opener.ts";
import type { SavedConnection } from "../connection/connection.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { RouteKey } from "../route_store.ts";
import type { RouteStoreGuard } from "./route_store_guard.ts";
import type { Sealer } from "./sealer.ts";
import type { ServerCacheKey } from "./server_cache_key.ts";

/** The version of the form; another one is a miss. */
const VERSION = 1;
/** How long a connection is kept, in milliseconds. */
const TTL_MS = 86_400_000;
/** How far another clock may be ahead, in milliseconds. */
const MAX_SKEW_MS = 5_000;
/** How long a session id may be, in characters. */
const MAX_SESSION_CHARS = 1_024;
/** A version of the protocol is a date. */
const PROTOCOL_VERSION = /^\d{4}-\d{2}-\d{2}$/;

/** What connections are kept with. */
export interface SavedConnectionsDeps {
  /** The store, behind its guard: it never rejects. */
  readonly guard: RouteStoreGuard;
  /** Encrypts session ids; without it they are not kept. */
  readonly sealer: Sealer | undefined;
  /** Tells the key of the server's tools: the connection lies beside them. */
  readonly toKey: () => Promise<ServerCacheKey>;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** Keeps the connection of one server of one agent with one credential. */
export class SavedConnections implements ConnectionKeeper {
  readonly #deps: SavedConnectionsDeps;

  /**
   * Creates a keeper; nothing is read.
   *
   * @param deps What connections are kept with.
   */
  constructor(deps: SavedConnectionsDeps) {
    this.#deps = deps;
  }

  get keepsSessions(): boolean {
    return this.#deps.sealer !== undefined;
  }

  async load(): Promise<(SavedConnection & { readonly atMs: number }) | undefined> {
    const { guard, now } = this.#deps;
    const key = await this.#key();
    const value = (await guard.run((store) => store.get(key)))?.value?.value;
    if (!isJsonObject(value) || value.v !== VERSION || value.key !== toText(key)) return undefined;
    const { era, transport, protocolVersion, resumable, atMs, savedAtMs, session } = value;
    if ((era !== "legacy" && era !== "modern") || (transport !== "streamable_http" && transport !== "sse")) {
      return undefined;
    }
    // Goes into a header of every request.
    if (typeof protocolVersion !== "string" || !PROTOCOL_VERSION.test(protocolVersion)) return undefined;
    if (!isTime(atMs) || !isTime(savedAtMs) || typeof resumable !== "boolean") return undefined;
    // A stream cannot be gone on from, and the modern era has none of that kind.
    if (transport === "sse" && (era === "modern" || resumable)) return undefined;
    const ageMs = now() - savedAtMs;
    if (ageMs < -MAX_SKEW_MS || ageMs >= TTL_MS || atMs > savedAtMs) return undefined;
    const declared = value.declared ?? [];
    if (!Array.isArray(declared) || !declared.every((name) => typeof name === "string")) return undefined;
    const base: Omit<SavedConnection, "resumable"> & { readonly atMs: number } = {
      era,
      transport,
      protocolVersion,
      atMs,
      ...(declared.length === 0 ? {} : { declared }),
    };
    if (session === undefined) return { ...base, resumable };
    const sessionId = typeof session === "string" ? await this.#deps.sealer?.open(session, toText(key)) : undefined;
    return { ...base, sessionId, resumable: resumable && sessionId !== undefined };
  }

  async save(saved: SavedConnection, atMs: number): Promise<void> {
    const { guard, sealer, now } = this.#deps;
    const { era, transport, protocolVersion, sessionId, declared = [] } = saved;
    const key = await this.#key();
    const text = toText(key);
    const fits = sessionId !== undefined && sessionId.length <= MAX_SESSION_CHARS;
    const session = fits ? await sealer?.seal(sessionId, text) : undefined;
    // Without its session it tells the era at least.
    const resumable = saved.resumable && (sessionId === undefined) === (session === undefined);
    const savedAtMs = now();
    const value: JsonObject = { v: VERSION, key: text, era, transport, protocolVersion, resumable, atMs, savedAtMs };
    if (session !== undefined) value.session = session;
    if (declared.length > 0) value.declared = [...declared];
    await guard.run((store) => store.set(key, value, { expiresAtMs: savedAtMs + TTL_MS }));
  }

  async forget(): Promise<void> {
    const key = await this.#key();
    await this.#deps.guard.run((store) => store.delete(key));
  }

  async #key(): Promise<RouteKey> {
    const [version, , ...owner] = await this.#deps.toKey();
    return [version, "connection", ...owner];
  }
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function toText(key: RouteKey): string {
  return JSON.stringify(key);
}
