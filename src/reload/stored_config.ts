/**
 * A configuration's text in the store: encrypted, in parts, with the one of before. A small head says which parts are
 * the newest: that is all that isolates read from time to time.
 *
 * @module
 */

import { RouteStoreGuard } from "../cache/route_store_guard.ts";
import { Sealer } from "../cache/sealer.ts";
import { RequestError } from "../gateway/request_error.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { MAX_KEPT_MS, RENEWED_AFTER_MS, type RouteKey, type RouteStore } from "../route_store.ts";

/** The largest text that is kept, in bytes. */
export const MAX_CONFIG_BYTES = 256 * 1024;

/** A text that is kept. */
export interface StoredText {
  /** Its version. */
  readonly id: string;
  /** In how many parts it is. */
  readonly parts: number;
  /** When it was written, in milliseconds since the epoch. */
  readonly writtenAtMs: number;
}

/** What is kept. */
export interface StoredHead {
  /** The newest text; `null` where it was deleted: then the file or the environment holds. */
  readonly current: StoredText | null;
  /** The one before that, as long as it is kept. */
  readonly previous: StoredText | null;
  /** When it was written last, also without a change, in milliseconds since the epoch. */
  readonly renewedAtMs: number;
}

/** What a reading has found; `head` is `undefined` where nothing was ever kept, or everything was lost. */
export interface StoredItem {
  /** What is kept. */
  readonly head: StoredHead | undefined;
  /** The version of the head in the store. */
  readonly version: string | null;
}

/** What keeping works with. */
export interface StoredConfigDeps {
  /** The store, read strongly; borrowed. */
  readonly store: RouteStore;
  /** At least 16 bytes, the same in all isolates. */
  readonly secret: Uint8Array;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
  /** The longest that one operation of the store may take, in milliseconds. @default {1_000} */
  readonly opTimeoutMs?: number | undefined;
}

const HEAD: RouteKey = ["config", "v1"];
/** How many characters a part has: of three bytes each, encrypted and as Base64, a store takes them. */
const PART_LENGTH = 13_000;
const MAX_PARTS = Math.ceil(MAX_CONFIG_BYTES / (PART_LENGTH - 1));
const MAX_TRIES = 6;
const RETRY_AFTER_MS = 1_000;

/** Reads and writes the configuration of a store. */
export class StoredConfig {
  readonly #guard: RouteStoreGuard;
  readonly #sealer: Sealer;
  readonly #now: () => number;

  /**
   * Creates it; nothing is read.
   *
   * @param deps What it works with.
   * @throws {RangeError} If the secret is shorter than 16 bytes.
   */
  constructor(deps: StoredConfigDeps) {
    const { store, secret, now = Date.now, opTimeoutMs = 1_000 } = deps;
    this.#guard = new RouteStoreGuard(store, { now, opTimeoutMs, retryAfterFailureMs: 0 });
    this.#sealer = new Sealer(secret);
    this.#now = now;
  }

  /**
   * Reads what is kept.
   *
   * @returns What is kept; `undefined` where the store does not answer, or holds what is no head.
   */
  async read(): Promise<StoredItem | undefined> {
    const answer = await this.#guard.run((store) => store.get(HEAD));
    if (answer === undefined) return undefined;
    if (answer.value === undefined) return { head: undefined, version: null };
    const head = parseHead(answer.value.value);
    return head && { head, version: answer.value.version };
  }

  /**
   * Reads a text.
   *
   * @param text Which one.
   * @returns The text; `undefined` where it cannot be had whole, or was encrypted with another secret.
   */
  async open({ id, parts }: StoredText): Promise<string | undefined> {
    const opened = await Promise.all(Array.from({ length: parts }, async (_, index) => {
      const answer = await this.#guard.run((store) => store.get(toPartKey(id, index)));
      const value = answer?.value?.value;
      if (!isJsonObject(value) || typeof value.sealed !== "string") return undefined;
      return await this.#sealer.open(value.sealed, toBound(id, index, parts));
    }));
    return opened.includes(undefined) ? undefined : opened.join("");
  }

  /**
   * Writes another text; the one that was the newest is kept as that of before.
   *
   * @param text The text, of at most 256 KiB; `null` says that the file or the environment holds.
   * @param ifVersion The version that it replaces; `null` for none, `undefined` for whatever there is.
   * @returns What is kept then.
   * @throws {RequestError} If another version is kept (`config_changed`), or the store does not take it
   * (`config_unavailable`).
   */
  async write(text: string | null, ifVersion: string | null | undefined): Promise<StoredHead> {
    const nowMs = this.#now();
    const current = text === null ? null : await this.#writeParts(text, nowMs);
    let ambiguous: StoredHead | undefined;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const item = await this.read();
      if (item === undefined) continue;
      const { head, version } = item;
      // Written by a try whose answer was lost.
      if (ambiguous !== undefined && isSameHead(head, ambiguous)) return ambiguous;
      if (ifVersion !== undefined && (head?.current?.id ?? null) !== ifVersion) {
        await this.#drop(current);
        throw new RequestError(
          "config_changed",
          "Cannot change the configuration as another version of it is kept: read it again",
        );
      }
      const next: StoredHead = { current, previous: head?.current ?? head?.previous ?? null, renewedAtMs: nowMs };
      const written = await this.#set(HEAD, toStored(next), version);
      if (written === undefined) ambiguous = next;
      if (written?.value === undefined) continue;
      if (head?.previous && head.previous.id !== next.previous?.id) await this.#drop(head.previous);
      return next;
    }
    throw new RequestError(
      "config_unavailable",
      "Cannot change the configuration as the store does not take it: send the request again",
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  /**
   * Writes everything anew as it is, where it would come to its end in the store otherwise. Where that fails, another
   * isolate or a later time does it.
   *
   * @param item What was read.
   */
  async renew({ head, version }: StoredItem): Promise<void> {
    const nowMs = this.#now();
    if (head === undefined || nowMs - head.renewedAtMs < RENEWED_AFTER_MS) return;
    for (const text of [head.current, head.previous]) {
      for (let index = 0; index < (text?.parts ?? 0); index++) {
        const key = toPartKey(text?.id ?? "", index);
        const value = (await this.#guard.run((store) => store.get(key)))?.value?.value;
        if (!isJsonObject(value) || (await this.#set(key, value))?.value === undefined) return;
      }
    }
    await this.#set(HEAD, toStored({ ...head, renewedAtMs: nowMs }), version);
  }

  async #writeParts(text: string, nowMs: number): Promise<StoredText> {
    const id = crypto.randomUUID();
    const parts = cut(text);
    const written = await Promise.all(parts.map(async (part, index) => {
      const sealed = await this.#sealer.seal(part, toBound(id, index, parts.length));
      return (await this.#set(toPartKey(id, index), { sealed }))?.value;
    }));
    if (!written.includes(undefined)) return { id, parts: parts.length, writtenAtMs: nowMs };
    throw new RequestError(
      "config_unavailable",
      "Cannot keep the configuration as the store does not take it: send the request again",
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  async #drop(text: StoredText | null): Promise<void> {
    const { id = "", parts = 0 } = text ?? {};
    await Promise.all(Array.from({ length: parts }, (_, index) => {
      return this.#guard.run((store) => store.delete(toPartKey(id, index)));
    }));
  }

  #set(key: RouteKey, value: JsonObject, ifVersion?: string | null) {
    const options = { expiresAtMs: this.#now() + MAX_KEPT_MS, ...(ifVersion !== undefined && { ifVersion }) };
    return this.#guard.run((store) => store.set(key, value, options));
  }
}

/** Cuts a text, but no character in two. */
function cut(text: string): readonly string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length || parts.length === 0;) {
    const at = from + PART_LENGTH;
    const end = /[\uD800-\uDBFF]/.test(text.charAt(at - 1)) ? at - 1 : at;
    parts.push(text.slice(from, end));
    from = end;
  }
  return parts;
}

function toPartKey(id: string, index: number): RouteKey {
  return ["config", "v1", id, String(index)];
}

/** A part opens in its own place alone. */
function toBound(id: string, index: number, parts: number): string {
  return JSON.stringify(["config", id, index, parts]);
}

function toStored({ current, previous, renewedAtMs }: StoredHead): JsonObject {
  return { v: 1, current: current && { ...current }, previous: previous && { ...previous }, renewedAtMs };
}

function isSameHead(head: StoredHead | undefined, other: StoredHead): boolean {
  return head !== undefined && head.renewedAtMs === other.renewedAtMs && head.current?.id === other.current?.id;
}

function parseHead(value: unknown): StoredHead | undefined {
  if (!isJsonObject(value) || value.v !== 1 || !isTime(value.renewedAtMs)) return undefined;
  const { current, previous, renewedAtMs } = value;
  if (!isText(current) || !isText(previous)) return undefined;
  return { current, previous, renewedAtMs };
}

function isText(value: unknown): value is StoredText | null {
  if (value === null) return true;
  return isJsonObject(value) && typeof value.id === "string" && /^[0-9a-f-]{36}$/.test(value.id) &&
    isTime(value.writtenAtMs) && isTime(value.parts) && value.parts >= 1 && value.parts <= MAX_PARTS;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
