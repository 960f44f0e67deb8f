/**
 * Listing, creating and revoking keys while the gateway runs.
 *
 * @module
 */

import { sha256Hex } from "../cache/sha256.ts";
import { MAX_ACTIVE_KEYS } from "../config/key_config.ts";
import { RequestError } from "../gateway/request_error.ts";
import { MAX_ROUTE_VALUE_BYTES } from "../route_store.ts";
import type { KeyBook } from "./key_book.ts";
import { type KeyRecord, keysOf, markOf, revokedAt, type StoredKey, toStoredRecord, withKeys } from "./key_record.ts";
import { type ConfiguredKey, createKey, hasEnded, type KeySource } from "./keys.ts";

/** What is known of a key; neither the key nor its digest. Times are ISO texts in UTC. */
export interface KeyDescription {
  /** The name to revoke it by. */
  readonly id: string;
  /** `sha256:` and the first digits of its digest, to find it in a configuration. */
  readonly digestPrefix: string;
  /** Where it is from. */
  readonly source: KeySource;
  /** When it was created, where it was at run time. */
  readonly createdAt?: string | undefined;
  /** When it ends. */
  readonly expiresAt?: string | undefined;
  /** When it was revoked. */
  readonly revokedAt?: string | undefined;
  /** Whether it opens anything now. */
  readonly active: boolean;
}

/** How a key is created. */
export interface CreateKeyOptions {
  /** The name to revoke it by. @default {the first 16 hex digits of its digest} */
  readonly id?: string | undefined;
  /** When it ends, in milliseconds since the epoch. @default {never} */
  readonly expiresAtMs?: number | undefined;
}

/** What the administration of keys works with. */
export interface KeyAdminDeps {
  /** The keys of the configuration. */
  readonly configured: readonly ConfiguredKey[];
  /** The keys of the store, and what was revoked. */
  readonly book: KeyBook;
}

const SHOWN_DIGITS = 8;
/** What the record may grow to by creating keys: the rest is for revoking them. */
const MAX_CREATED_BYTES = 50_000;

/** Lists, creates and revokes the keys of agents; `*` are the keys that open every agent. */
export class KeyAdmin {
  readonly #configured: readonly ConfiguredKey[];
  readonly #book: KeyBook;

  /**
   * Creates the administration; nothing is read.
   *
   * @param deps The keys.
   */
  constructor(deps: KeyAdminDeps) {
    this.#configured = deps.configured;
    this.#book = deps.book;
  }

  /**
   * All keys of an agent, with those that were revoked lately.
   *
   * @param agent The agent.
   * @returns What is known of each.
   * @throws {RequestError} If the store cannot be read: `callers_unavailable`.
   */
  async list(agent: string): Promise<readonly KeyDescription[]> {
    let keys: readonly KeyDescription[] = [];
    // A change that changes nothing: it reads the record as it is now.
    await this.#book.update((record, nowMs) => {
      keys = this.#describe(record, agent, nowMs);
      return undefined;
    });
    return keys;
  }

  /**
   * Creates a key.
   *
   * @param agent The agent that it opens.
   * @param options Its name and its end.
   * @returns The key, which nobody is told again, and what is known of it.
   * @throws {RequestError} If the agent has two good keys or one of that name (`key_conflict`), or the store does not
   * take it (`callers_unavailable`).
   */
  async create(agent: string, options: CreateKeyOptions = {}): Promise<{ key: string; created: KeyDescription }> {
    const key = createKey();
    const digest = await sha256Hex(key);
    const { id = markOf(digest), expiresAtMs } = options;
    const record = await this.#book.update((record, nowMs) => {
      if (hasEnded({ expiresAtMs }, nowMs)) {
        throw new RequestError("invalid_request", "Cannot create a key that has ended: send a later end, or none");
      }
      const known = keysOf(record, agent);
      // Written by a try whose answer was lost.
      if (known.keys.some((one) => one.digest === digest)) return undefined;
      const all = this.#describe(record, agent, nowMs);
      if (all.some((one) => one.id === id)) {
        throw new RequestError("key_conflict", `Cannot create key "${id}" as the agent has or had one of that name`);
      }
      if (all.filter(({ active }) => active).length >= MAX_ACTIVE_KEYS) {
        throw new RequestError(
          "key_conflict",
          `Cannot create a key as the agent has ${MAX_ACTIVE_KEYS} that are good: revoke one first`,
        );
      }
      const stored: StoredKey = { id, digest, createdAtMs: nowMs, expiresAtMs };
      // Those that have ended open nothing any more.
      const keys = [...known.keys.filter((one) => !hasEnded(one, nowMs)), stored];
      return checkSize(withKeys(record, agent, { ...known, keys }, nowMs), MAX_CREATED_BYTES);
    });
    const stored = keysOf(record, agent).keys.find((one) => one.digest === digest);
    const createdAtMs = stored?.createdAtMs ?? record.writtenAtMs;
    return { key, created: describe({ id, digest, createdAtMs, expiresAtMs, source: "store" }, createdAtMs) };
  }

  /**
   * Revokes a key, wherever it is from. What is revoked already stays so.
   *
   * @param agent The agent.
   * @param id The key's name.
   * @returns When it was revoked, in milliseconds since the epoch.
   * @throws {RequestError} If the agent has no key of that name (`key_not_found`), or the store does not take it
   * (`callers_unavailable`).
   */
  async revoke(agent: string, id: string): Promise<number> {
    let revokedAtMs = 0;
    await this.#book.update((record, nowMs) => {
      const known = keysOf(record, agent);
      const found = [
        ...this.#configured.filter((key) => key.agent === agent && key.id === id),
        ...known.keys.filter((key) => key.id === id),
      ];
      const open = found.filter(({ digest }) => revokedAt(known, digest) === undefined);
      const before = known.revoked.findLast((key) => key.id === id)?.revokedAtMs;
      if (open.length === 0 && before === undefined) {
        throw new RequestError("key_not_found", "Cannot revoke the key as the agent has none of that name");
      }
      revokedAtMs = open.length === 0 ? before ?? nowMs : nowMs;
      if (open.length === 0) return undefined;
      const revoked = open.map((key) => ({
        id,
        mark: markOf(key.digest),
        revokedAtMs: nowMs,
        ...("createdAtMs" in key && { createdAtMs: key.createdAtMs }),
      }));
      const keys = known.keys.filter((key) => key.id !== id);
      const next = { keys, revoked: [...known.revoked, ...revoked] };
      return checkSize(withKeys(record, agent, next, nowMs), MAX_ROUTE_VALUE_BYTES);
    });
    return revokedAtMs;
  }

  #describe(record: KeyRecord, agent: string, nowMs: number): readonly KeyDescription[] {
    const { keys, revoked } = keysOf(record, agent);
    const configured = this.#configured.filter((key) => key.agent === agent);
    return [
      ...configured.map((key) => describe({ ...key, revokedAtMs: revokedAt({ keys, revoked }, key.digest) }, nowMs)),
      ...keys.map((key) => describe({ ...key, source: "store" }, nowMs)),
      ...revoked.filter(({ createdAtMs }) => createdAtMs !== undefined)
        .map((key) => describe({ ...key, digest: key.mark, source: "store" }, nowMs)),
    ];
  }
}

interface Known {
  readonly id: string;
  readonly digest: string;
  readonly source: KeySource;
  readonly createdAtMs?: number | undefined;
  readonly expiresAtMs?: number | undefined;
  readonly revokedAtMs?: number | undefined;
}

function describe(key: Known, nowMs: number): KeyDescription {
  const { id, digest, source, createdAtMs, expiresAtMs, revokedAtMs } = key;
  return {
    id,
    digestPrefix: `sha256:${digest.slice(0, SHOWN_DIGITS)}`,
    source,
    ...(createdAtMs !== undefined && { createdAt: toIso(createdAtMs) }),
    ...(expiresAtMs !== undefined && { expiresAt: toIso(expiresAtMs) }),
    ...(revokedAtMs !== undefined && { revokedAt: toIso(revokedAtMs) }),
    active: revokedAtMs === undefined && !hasEnded(key, nowMs),
  };
}

function toIso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function checkSize(record: KeyRecord, maxBytes: number): KeyRecord {
  if (JSON.stringify(toStoredRecord(record)).length <= maxBytes) return record;
  throw new RequestError(
    "key_conflict",
    "Cannot keep more about keys in the store as that is full: give the keys of some agents in the configuration",
  );
}
