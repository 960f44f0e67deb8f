/**
 * Cuts a tool list that is too large for one value into chunks whose keys are hashes of what they hold.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { RouteKey } from "../route_store.ts";
import { sha256Hex } from "./sha256.ts";

/** One piece of a tool list. */
export interface ToolChunk {
  /** The hash of the owner's key and of the piece: two owners share no chunk, even if their lists are equal. */
  readonly address: string;
  /** What is stored. */
  readonly value: JsonObject;
}

const PARALLEL_CHUNKS = 16;
// As base64, with its frame, within the 60,000 bytes that a store takes.
const CHUNK_BYTES = 44_000;
const MAX_DATA_LENGTH = Math.ceil(CHUNK_BYTES / 3) * 4;

/**
 * Where a chunk is stored.
 *
 * @param address The chunk's address.
 * @returns Its key.
 */
export function toChunkKey(address: string): RouteKey {
  return ["v1", "chunk", address];
}

/**
 * Cuts a text into chunks.
 *
 * @param text The text, JSON.
 * @param owner The key of the entry that the chunks belong to.
 * @returns The chunks in their order.
 */
export function toToolChunks(text: string, owner: RouteKey): Promise<readonly ToolChunk[]> {
  const bytes = new TextEncoder().encode(text);
  const count = Math.ceil(bytes.byteLength / CHUNK_BYTES);
  return Promise.all(Array.from({ length: count }, async (_, index) => {
    const data = bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES).toBase64();
    return { address: await toAddress(data, owner), value: { v: 1, data } };
  }));
}

/**
 * Reads a chunk and proves that it is the one that was written.
 *
 * @param value What the store returned.
 * @param address The address it was read from.
 * @param owner The key of the entry that names the address.
 * @returns The bytes, or `undefined` where the value is not that chunk.
 */
export async function readToolChunk(
  value: unknown,
  address: string,
  owner: RouteKey,
): Promise<Uint8Array | undefined> {
  if (!isJsonObject(value) || typeof value.data !== "string" || value.data.length > MAX_DATA_LENGTH) return undefined;
  const data = value.data;
  try {
    return await toAddress(data, owner) === address ? Uint8Array.fromBase64(data) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Puts the bytes of chunks together.
 *
 * @param parts The bytes of all chunks in their order.
 * @returns The text's JSON, parsed; `undefined` where it is not JSON.
 */
export function joinToolChunks(parts: readonly Uint8Array[]): unknown {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    const text = parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Works through items a few at a time, so that each one's deadline is spent on its own work.
 *
 * @param items The items.
 * @param work What is done with each.
 * @returns The results in the order of the items.
 */
export async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += PARALLEL_CHUNKS) {
    results.push(...await Promise.all(items.slice(start, start + PARALLEL_CHUNKS).map(work)));
  }
  return results;
}

function toAddress(data: string, owner: RouteKey): Promise<string> {
  return sha256Hex(`${JSON.stringify(owner)}\n${data}`);
}
