/**
 * A route store of one's own, over SQLite: what a process has learned is there for the next one, on any disk.
 *
 * A store is three methods. It may forget and it may fail: the cache can only cost time. What it must not do is answer
 * with another version than it has, as two processes may write at once.
 */

import { DatabaseSync } from "node:sqlite";
import type {
  JsonObject,
  RouteKey,
  RouteStore,
  RouteStoreDeleteOptions,
  RouteStoreItem,
  RouteStoreSetOptions,
} from "@portolan/mcp";

const MAX_BYTES = 60_000;

/** Keeps routes in a table of a SQLite database. */
export class SqliteRouteStore implements RouteStore, Disposable {
  readonly #database: DatabaseSync;
  readonly #now: () => number;

  constructor(path: string, now: () => number = Date.now) {
    this.#now = now;
    this.#database = new DatabaseSync(path);
    // Another process may be writing: it is waited for.
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA busy_timeout = 1000;
      CREATE TABLE IF NOT EXISTS routes (key TEXT PRIMARY KEY, value TEXT, version TEXT, expires_at_ms REAL) STRICT;
    `);
    this.#database.prepare("DELETE FROM routes WHERE expires_at_ms <= ?").run(now());
  }

  get(key: RouteKey): Promise<RouteStoreItem | undefined> {
    return attempt(() => {
      const row = this.#database.prepare("SELECT value, version FROM routes WHERE key = ? AND expires_at_ms > ?")
        .get(toText(key), this.#now());
      return row && { value: JSON.parse(String(row.value)), version: String(row.version) };
    });
  }

  set(key: RouteKey, value: JsonObject, options: RouteStoreSetOptions): Promise<string | undefined> {
    const { expiresAtMs, ifVersion } = options;
    return attempt(() => {
      const json = JSON.stringify(value);
      const bytes = new TextEncoder().encode(json).length;
      if (bytes > MAX_BYTES) throw new RangeError(`Cannot store a value of more than ${MAX_BYTES} bytes: ${bytes}`);
      if (!Number.isFinite(expiresAtMs)) throw new RangeError(`Cannot use expiresAtMs as an end: ${expiresAtMs}`);
      const version = crypto.randomUUID();
      const row = [json, version, expiresAtMs] as const;
      // One statement each, so that nobody writes between the question and the answer.
      const { changes } = typeof ifVersion === "string"
        ? this.#database.prepare(
          `UPDATE routes SET value = ?, version = ?, expires_at_ms = ?
           WHERE key = ? AND version = ? AND expires_at_ms > ?`,
        ).run(...row, toText(key), ifVersion, this.#now())
        : this.#database.prepare(
          `INSERT INTO routes (value, version, expires_at_ms, key) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
           SET value = excluded.value, version = excluded.version, expires_at_ms = excluded.expires_at_ms
           WHERE routes.expires_at_ms <= ?`,
        ).run(...row, toText(key), ifVersion === null ? this.#now() : Number.MAX_VALUE);
      return Number(changes) > 0 ? version : undefined;
    });
  }

  delete(key: RouteKey, { ifVersion }: RouteStoreDeleteOptions = {}): Promise<boolean> {
    return attempt(() => {
      const text = toText(key);
      const live = this.#database.prepare("SELECT version FROM routes WHERE key = ? AND expires_at_ms > ?")
        .get(text, this.#now());
      if (live === undefined) return true;
      const { changes } = ifVersion === undefined
        ? this.#database.prepare("DELETE FROM routes WHERE key = ?").run(text)
        : this.#database.prepare("DELETE FROM routes WHERE key = ? AND version = ?").run(text, ifVersion);
      return Number(changes) > 0;
    });
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/** Misuse and faults reject, as the port has it. */
function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

function toText(key: RouteKey): string {
  if (key.length === 0 || !key.every((part) => part.isWellFormed())) throw new TypeError("Cannot use the key");
  return JSON.stringify(key);
}
