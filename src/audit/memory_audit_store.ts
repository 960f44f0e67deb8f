/**
 * An audit trail in memory: the last entries of one isolate.
 *
 * @module
 */

import {
  type AuditBatch,
  type AuditChunk,
  type AuditRange,
  type AuditStore,
  toChunks,
  toPosition,
} from "./audit_store.ts";

/** How a {@linkcode MemoryAuditStore} is bounded. */
export interface MemoryAuditStoreOptions {
  /** How many lines are kept, to a chunk; beyond it the oldest chunks are dropped. @default {10_000} */
  readonly maxLines?: number | undefined;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

interface KeptChunk extends AuditChunk {
  readonly batch: string;
  readonly expiresAtMs: number;
}

/** Keeps the last lines in memory. */
export class MemoryAuditStore implements AuditStore {
  readonly #maxLines: number;
  readonly #now: () => number;
  #chunks: KeptChunk[] = [];
  #lines = 0;
  #lastMs = 0;

  /**
   * Creates an empty store.
   *
   * @param options Its bound and its clock.
   */
  constructor(options: MemoryAuditStoreOptions = {}) {
    const { maxLines = 10_000, now = Date.now } = options;
    this.#maxLines = maxLines;
    this.#now = now;
  }

  /**
   * Keeps a batch, and drops the oldest chunks where there are too many lines.
   *
   * @param batch The batch.
   */
  append({ id, lines, expiresAtMs }: AuditBatch): Promise<void> {
    if (this.#chunks.at(-1)?.batch === id) return Promise.resolve();
    const timeMs = this.#lastMs = Math.max(this.#now(), this.#lastMs + 1);
    for (const [index, chunk] of toChunks(lines).entries()) {
      this.#chunks.push({ position: toPosition(timeMs, index), lines: chunk, batch: id, expiresAtMs });
      this.#lines += chunk.length;
    }
    while (this.#lines > this.#maxLines && this.#chunks.length > 1) {
      this.#lines -= this.#chunks.shift()?.lines.length ?? 0;
    }
    return Promise.resolve();
  }

  /**
   * Reads chunks in order.
   *
   * @param range Which of them.
   * @returns The chunks that have not expired.
   */
  async *read({ from, before }: AuditRange): AsyncIterable<AuditChunk> {
    for (const { position, lines, expiresAtMs } of [...this.#chunks]) {
      if (before !== undefined && position >= before) return;
      if (position >= from && expiresAtMs > this.#now()) yield { position, lines };
    }
  }

  /**
   * Drops the chunks before a time.
   *
   * @param beforeMs The time, in milliseconds since the epoch.
   */
  purge(beforeMs: number): Promise<void> {
    this.#chunks = this.#chunks.filter(({ position }) => position >= toPosition(beforeMs));
    this.#lines = this.#chunks.reduce((sum, { lines }) => sum + lines.length, 0);
    return Promise.resolve();
  }
}
