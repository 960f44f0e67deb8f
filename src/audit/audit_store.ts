/**
 * The port of whatever keeps the audit trail: batches of lines, in the order in which they were written.
 *
 * @module
 */

/** The most bytes that the lines of a batch may have together. */
export const MAX_BATCH_BYTES = 500_000;
/** The most bytes that the lines of one chunk may have together: what a value of KV takes, and something to spare. */
export const MAX_CHUNK_BYTES = 60_000;

/** Lines that are written together or not at all. */
export interface AuditBatch {
  /** Its id: a batch is written once, however often it is tried. */
  readonly id: string;
  /** The lines: ASCII without ends of lines, at least one. */
  readonly lines: readonly string[];
  /** When it may be forgotten, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** Lines as they are kept. */
export interface AuditChunk {
  /** Where it stands: later chunks have greater positions. */
  readonly position: string;
  /** The lines. */
  readonly lines: readonly string[];
}

/** A part of the trail. */
export interface AuditRange {
  /** The least position. */
  readonly from: string;
  /** The position that it ends before. @default {the end of the trail} */
  readonly before?: string | undefined;
}

/**
 * Keeps the trail. What is appended later, by whichever isolate, stands behind all that could be read before: a reader
 * that goes on from where it was misses nothing.
 */
export interface AuditStore {
  /**
   * Writes a batch behind all others.
   *
   * @param batch The batch. After a failure, the same one is tried again before any other.
   * @param signal Has it not be waited for any longer.
   */
  append(batch: AuditBatch, signal?: AbortSignal): Promise<void>;
  /**
   * Reads chunks in order.
   *
   * @param range Which of them.
   * @returns The chunks that have not expired; it may be left at any time.
   */
  read(range: AuditRange): AsyncIterable<AuditChunk>;
  /**
   * Deletes some of the chunks before a time.
   *
   * @param beforeMs The time, in milliseconds since the epoch.
   * @param signal Has it not be waited for any longer.
   */
  purge(beforeMs: number, signal?: AbortSignal): Promise<void>;
}

/** What a position looks like. */
export const POSITION_PATTERN = "\\d{15}-\\d{2}";

/**
 * The position of a chunk.
 *
 * @param timeMs When it was written, in milliseconds since the epoch.
 * @param chunk Which chunk of its batch.
 * @returns The position; texts of positions are in order as the times are.
 */
export function toPosition(timeMs: number, chunk = 0): string {
  return `${String(Math.max(0, Math.floor(timeMs))).padStart(15, "0")}-${String(chunk).padStart(2, "0")}`;
}

/**
 * Divides the lines of a batch into chunks.
 *
 * @param lines The lines.
 * @returns The chunks, none larger than a value may be.
 */
export function toChunks(lines: readonly string[]): readonly (readonly string[])[] {
  const chunks: string[][] = [];
  let bytes = Infinity;
  for (const line of lines) {
    bytes += line.length + 1;
    if (bytes > MAX_CHUNK_BYTES) {
      chunks.push([]);
      bytes = line.length + 1;
    }
    chunks.at(-1)?.push(line);
  }
  return chunks;
}
