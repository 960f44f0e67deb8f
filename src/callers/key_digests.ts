/**
 * The digests of keys that are in use, so that not every request of a caller pays for its key's.
 *
 * @module
 */

/** How long a digest is kept, in milliseconds from when it was made. */
const KEPT_MS = 5_000;
/** Of how many keys they are kept. */
const MAX_KEPT = 256;

const ENCODER = new TextEncoder();

interface Kept {
  readonly words: Int32Array;
  readonly endsAtMs: number;
}

/**
 * Makes digests, and keeps those of keys that were good for a few seconds: with them the key itself is held, which is in
 * memory while its request is answered anyway. It is held nowhere that is shown or listed, and what nobody knows is not
 * kept at all. Nothing but the digest is remembered: whether a key is good is asked of each request.
 */
export class KeyDigests {
  /** In the order in which they end. */
  readonly #kept = new Map<string, Kept>();
  readonly #now: () => number;

  /**
   * Keeps nothing yet.
   *
   * @param now The clock, in milliseconds since the epoch.
   */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many are kept. */
  get count(): number {
    this.#forget(this.#now());
    return this.#kept.size;
  }

  /**
   * The digest of a key.
   *
   * @param key The key.
   * @returns Its SHA-256, as words.
   */
  async digest(key: string): Promise<Int32Array> {
    this.#forget(this.#now());
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept.words;
    // The faster hash of node:crypto costs a cold isolate 25 ms to load.
    return new Int32Array(await crypto.subtle.digest("SHA-256", ENCODER.encode(key)));
  }

  /**
   * Keeps the digest of a key that was good.
   *
   * @param key The key.
   * @param words Its digest.
   */
  keep(key: string, words: Int32Array): void {
    if (this.#kept.has(key)) return;
    if (this.#kept.size >= MAX_KEPT) this.#forgetFirst();
    this.#kept.set(key, { words, endsAtMs: this.#now() + KEPT_MS });
  }

  #forget(nowMs: number): void {
    for (const { endsAtMs } of this.#kept.values()) {
      // One that ends too late was kept before the clock was set back.
      if (endsAtMs > nowMs && endsAtMs <= nowMs + KEPT_MS) return;
      this.#forgetFirst();
    }
  }

  #forgetFirst(): void {
    for (const key of this.#kept.keys()) {
      this.#kept.delete(key);
      return;
    }
  }
}
