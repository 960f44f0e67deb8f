/**
 * What all isolates together have taken of one limit of late, as it stands in the store.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../protocol.ts";

/** The time that a limit speaks of, in milliseconds. */
export const WINDOW_MS = 60_000;

/** How finely times are kept, in milliseconds. */
export const SLOT_MS = 1_000;

/**
 * How long calls are remembered from the end of their slot, in milliseconds: the window, a slot for clocks that differ
 * a little, and one for answers of the store that take a little.
 */
export const KEPT_MS = WINDOW_MS + 2 * SLOT_MS;

/** The calls taken in one slot. */
export type LedgerSlot = readonly [slot: number, calls: number];

/** Calls by slot of time. Its time is that of the furthest clock that has written it: it never goes back. */
export interface CallLedger {
  /** The time of the last change, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The calls of each slot, oldest first; slots without calls are left out. */
  readonly slots: readonly LedgerSlot[];
}

/** A ledger in which nothing stands. */
export const EMPTY_LEDGER: CallLedger = { atMs: 0, slots: [] };

const MAX_SLOTS = KEPT_MS / SLOT_MS + 2;

/**
 * Reads a ledger as the store gives it.
 *
 * @param value What the store gave.
 * @returns The ledger, or `undefined` where it is none.
 */
export function parseLedger(value: unknown): CallLedger | undefined {
  if (!isJsonObject(value) || value.v !== 1) return undefined;
  const { atMs, slots: list } = value;
  if (!isCount(atMs) || !Array.isArray(list) || list.length > MAX_SLOTS) return undefined;
  const slots: LedgerSlot[] = [];
  for (const item of list as readonly unknown[]) {
    const [slot, calls] = Array.isArray(item) ? item as readonly unknown[] : [];
    if (!isCount(slot) || !isCount(calls) || calls === 0) return undefined;
    if (slot <= (slots.at(-1)?.[0] ?? -1) || slot * SLOT_MS > atMs) return undefined;
    slots.push([slot, calls]);
  }
  return { atMs, slots };
}

/**
 * Writes a ledger for the store.
 *
 * @param ledger The ledger.
 * @returns Plain JSON of less than 2,000 bytes.
 */
export function toStored(ledger: CallLedger): JsonObject {
  return { v: 1, atMs: ledger.atMs, slots: ledger.slots.map(([slot, calls]) => [slot, calls]) };
}

/**
 * Moves a ledger on to a time and forgets what is old by then.
 *
 * @param ledger The ledger.
 * @param timeMs The time; one before the ledger's own changes nothing.
 * @returns The ledger at that time.
 */
export function moveOn(ledger: CallLedger, timeMs: number): CallLedger {
  const atMs = Math.max(ledger.atMs, Math.floor(timeMs));
  return { atMs, slots: ledger.slots.filter(([slot]) => forgottenAtMs(slot) > atMs) };
}

/**
 * Counts the calls that stand in a ledger.
 *
 * @param ledger The ledger.
 * @returns How many there are.
 */
export function countCalls(ledger: CallLedger): number {
  return ledger.slots.reduce((sum, [, calls]) => sum + calls, 0);
}

/**
 * Enters calls at the ledger's time.
 *
 * @param ledger The ledger.
 * @param calls How many.
 * @returns The ledger with them.
 */
export function enterCalls(ledger: CallLedger, calls: number): CallLedger {
  if (calls === 0) return ledger;
  const slot = slotOf(ledger.atMs);
  const last = ledger.slots.at(-1);
  if (last === undefined || last[0] !== slot) return { ...ledger, slots: [...ledger.slots, [slot, calls]] };
  return { ...ledger, slots: [...ledger.slots.slice(0, -1), [slot, last[1] + calls]] };
}

/**
 * Strikes calls out of the slot in which they were entered.
 *
 * @param ledger The ledger.
 * @param slot The slot.
 * @param calls How many; what does not stand there is not struck out elsewhere.
 * @returns The ledger without them.
 */
export function strikeCalls(ledger: CallLedger, slot: number, calls: number): CallLedger {
  const slots = ledger.slots.map(([at, count]): LedgerSlot => [at, at === slot ? Math.max(0, count - calls) : count]);
  return { ...ledger, slots: slots.filter(([, count]) => count > 0) };
}

/**
 * Tells when so many calls are forgotten that there is room.
 *
 * @param ledger The ledger.
 * @param room How many calls may stand in it then.
 * @returns The time on the ledger's clock, in milliseconds; the ledger's own where there is room already.
 */
export function hasRoomAtMs(ledger: CallLedger, room: number): number {
  let standing = countCalls(ledger);
  let atMs = ledger.atMs;
  for (const [slot, calls] of ledger.slots) {
    if (standing <= room) break;
    standing -= calls;
    atMs = forgottenAtMs(slot);
  }
  return atMs;
}

/**
 * Tells in which slot a time lies.
 *
 * @param timeMs The time, in milliseconds since the epoch.
 * @returns The slot's number.
 */
export function slotOf(timeMs: number): number {
  return Math.floor(timeMs / SLOT_MS);
}

function forgottenAtMs(slot: number): number {
  return (slot + 1) * SLOT_MS + KEPT_MS;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
