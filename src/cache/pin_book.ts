/**
 * The form in which pins are stored: pages of pins that grow at their end, and what tools were in values of its own.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { RouteKey } from "../route_store.ts";
import { sha256Hex } from "./sha256.ts";

/** The version of the form. */
const VERSION = 2;
/** How large a page may grow, and a value with what tools were, in bytes of JSON: well within what a store takes. */
const MAX_BYTES = 44_000;
/** How many values with what tools were one server may have. */
const MAX_TEXT_VALUES = 256;
const DIGEST = /^[0-9a-f]{64}$/;
const TEXT_ID = /^[0-9a-f]{16}$/;

const EMPTY: PinPage = { pins: [], more: false, stamp: 0 };

const encoder = new TextEncoder();

/** A pin as it is stored. */
export interface StoredPin {
  /** The tool's name. */
  readonly name: string;
  /** What it was pinned as. */
  readonly digest: string;
  /** When, in milliseconds since the epoch; `undefined` where that was not noted. */
  readonly atMs: number | undefined;
  /** The value that has what the tool was; `undefined` where that is not kept. */
  readonly textId: string | undefined;
}

/** A page of pins. */
export interface PinPage {
  /** The pins, oldest first. */
  readonly pins: readonly StoredPin[];
  /** Whether there is a page after it. */
  readonly more: boolean;
  /** When it was written, by a clock that only goes forward: a replica that is behind has a smaller one. */
  readonly stamp: number;
}

/** What tools were, in one value. */
export interface PinTexts {
  /** The name of the value: a hash of what it holds. */
  readonly id: string;
  /** The tools that it has. */
  readonly names: readonly string[];
  /** What is stored. */
  readonly value: JsonObject;
}

/**
 * Reads a page.
 *
 * @param value What the store has.
 * @returns The page, an empty one where the value is none; `newer` where a later version of this package has written it.
 */
export function readPinPage(value: unknown): PinPage | "newer" {
  if (!isJsonObject(value) || !Array.isArray(value.pins)) return EMPTY;
  if (typeof value.v === "number" && value.v > VERSION) return "newer";
  if (value.v !== VERSION) return EMPTY;
  const stamp = typeof value.stamp === "number" && Number.isSafeInteger(value.stamp) ? value.stamp : 0;
  return { pins: value.pins.flatMap(readPin), more: value.more === true, stamp };
}

/**
 * Writes a page.
 *
 * @param page The page.
 * @returns What is stored.
 */
export function writePinPage({ pins, more, stamp }: PinPage): JsonObject {
  return { v: VERSION, pins: pins.map(toRow), more, stamp };
}

/**
 * Puts pins on pages. Without `replace`, the ones that are there stay.
 *
 * @param pages The pages as they are; one that stays as it is is in the answer itself.
 * @param pins The pins, each name once.
 * @param options Whether they replace those of the same name, and the time, in milliseconds since the epoch.
 * @returns The pages as they are to be.
 */
export function putPins(
  pages: readonly PinPage[],
  pins: readonly StoredPin[],
  { replace, nowMs }: { readonly replace: boolean; readonly nowMs: number },
): readonly PinPage[] {
  const stamp = Math.max(stampOf(pages) + 1, nowMs);
  const news = new Map(pins.map((pin) => [pin.name, pin]));
  const next = pages.map((page) => {
    const isTouched = replace && page.pins.some(({ name }) => news.has(name));
    const put = isTouched ? { ...page, pins: page.pins.map((pin) => news.get(pin.name) ?? pin), stamp } : page;
    for (const { name } of page.pins) news.delete(name);
    return put;
  });
  let last = next.pop() ?? EMPTY;
  let bytes = last.pins.reduce((sum, pin) => sum + bytesOf(toRow(pin)), 0);
  let added: StoredPin[] = [];
  for (const pin of news.values()) {
    const size = bytesOf(toRow(pin));
    if (bytes + size > MAX_BYTES) {
      next.push({ pins: [...last.pins, ...added], more: true, stamp });
      [last, added, bytes] = [EMPTY, [], 0];
    }
    added.push(pin);
    bytes += size;
  }
  next.push(added.length === 0 ? last : { pins: [...last.pins, ...added], more: false, stamp });
  return next;
}

/**
 * When pages were last written.
 *
 * @param pages The pages.
 * @returns The largest stamp; `0` where there is none.
 */
export function stampOf(pages: readonly PinPage[]): number {
  return pages.reduce((stamp, page) => Math.max(stamp, page.stamp), 0);
}

/**
 * Reads the form that had digests alone.
 *
 * @param value What the store has.
 * @returns The pins.
 */
export function readOldPins(value: unknown): readonly StoredPin[] {
  const pairs = isJsonObject(value) && value.v === 1 && Array.isArray(value.pins) ? value.pins : [];
  return pairs.flatMap((pair) => Array.isArray(pair) && pair.length === 2 ? readPin([...pair, null, null]) : []);
}

/**
 * Puts what tools are into values.
 *
 * @param texts What a model is told of each tool, as JSON, by name.
 * @param digests What each stands for.
 * @param owner The key of the pins: two owners share no value.
 * @param taken The values that there are already.
 * @returns The values; fewer where there would be too many.
 */
export async function toPinTexts(
  texts: ReadonlyMap<string, string>,
  digests: ReadonlyMap<string, string>,
  owner: RouteKey,
  taken: ReadonlySet<string>,
): Promise<readonly PinTexts[]> {
  const groups: [name: string, digest: string, text: string][][] = [];
  let room = 0;
  for (const [name, text] of texts) {
    const digest = digests.get(name);
    if (digest === undefined) continue;
    const bytes = bytesOf([digest, text]);
    if (bytes > MAX_BYTES) continue;
    if (bytes > room) {
      groups.push([]);
      room = MAX_BYTES;
    }
    room -= bytes;
    groups.at(-1)?.push([name, digest, text]);
  }
  const values = await Promise.all(groups.map(async (group): Promise<PinTexts> => {
    const value: JsonObject = { v: 1, texts: group.map(([, digest, text]) => [digest, text]) };
    const id = (await sha256Hex(`${JSON.stringify(owner)}\n${JSON.stringify(value)}`)).slice(0, 16);
    return { id, names: group.map(([name]) => name), value };
  }));
  return values.slice(0, Math.max(0, MAX_TEXT_VALUES - taken.size));
}

/**
 * Reads what tools were. Whether it is true the reader has to prove by the digest.
 *
 * @param value What the store has.
 * @returns The texts by digest.
 */
export function readPinTexts(value: unknown): ReadonlyMap<string, string> {
  const rows = isJsonObject(value) && value.v === 1 && Array.isArray(value.texts) ? value.texts : [];
  return new Map(rows.flatMap((row) => {
    if (!Array.isArray(row)) return [];
    const [digest, text] = row;
    return typeof digest === "string" && typeof text === "string" ? [[digest, text] as const] : [];
  }));
}

function toRow({ name, digest, atMs, textId }: StoredPin): [string, string, number | null, string | null] {
  return [name, digest, atMs ?? null, textId ?? null];
}

function readPin(row: unknown): readonly StoredPin[] {
  if (!Array.isArray(row)) return [];
  const [name, digest, atMs, textId] = row;
  if (typeof name !== "string" || typeof digest !== "string" || !DIGEST.test(digest)) return [];
  return [{
    name,
    digest,
    atMs: typeof atMs === "number" && Number.isFinite(new Date(atMs).getTime()) ? atMs : undefined,
    textId: typeof textId === "string" && TEXT_ID.test(textId) ? textId : undefined,
  }];
}

/** With what stands between it and the next one. */
function bytesOf(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).byteLength + 1;
}
