import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type CallLedger,
  countCalls,
  EMPTY_LEDGER,
  enterCalls,
  hasRoomAtMs,
  KEPT_MS,
  moveOn,
  parseLedger,
  SLOT_MS,
  slotOf,
  strikeCalls,
  toStored,
  WINDOW_MS,
} from "../../src/limits/call_ledger.ts";

const START_MS = 1_800_000_000_000;

function ledgerOf(...entries: readonly (readonly [atMs: number, calls: number])[]): CallLedger {
  return entries.reduce<CallLedger>((ledger, [atMs, calls]) => enterCalls(moveOn(ledger, atMs), calls), EMPTY_LEDGER);
}

Deno.test("moveOn() remembers calls for more than the window, and for less than three seconds more", () => {
  const gap = fc.nat(WINDOW_MS * 2);
  fc.assert(fc.property(gap, fc.nat(SLOT_MS), (passedMs, offsetMs) => {
    const atMs = START_MS + offsetMs;
    const left = countCalls(moveOn(ledgerOf([atMs, 7]), atMs + passedMs));
    if (passedMs <= WINDOW_MS + SLOT_MS) assertEquals(left, 7);
    if (passedMs >= KEPT_MS + SLOT_MS) assertEquals(left, 0);
  }));
});

Deno.test("moveOn() never goes back", () => {
  const ledger = ledgerOf([START_MS, 1]);
  assertEquals(moveOn(ledger, START_MS - 3_600_000), ledger);
});

Deno.test("parseLedger() reads what toStored() wrote, which is small however many calls there are", () => {
  const steps = Array.from({ length: 500 }, (_, step) => [START_MS + step * 400, 1_000_000] as const);
  const ledger = ledgerOf(...steps);
  assertEquals(parseLedger(JSON.parse(JSON.stringify(toStored(ledger)))), ledger);
  assert(JSON.stringify(toStored(ledger)).length < 2_000);
});

Deno.test("parseLedger() reads nothing but ledgers, and never throws", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const ledger = parseLedger(value);
    if (ledger !== undefined) assertEquals(toStored(ledger), value as never);
  }));
});

Deno.test("strikeCalls() strikes calls out of their own slot and no other", () => {
  const ledger = ledgerOf([START_MS, 5], [START_MS + 2_000, 3]);
  assertEquals(countCalls(strikeCalls(ledger, slotOf(START_MS), 4)), 4);
  assertEquals(countCalls(strikeCalls(ledger, slotOf(START_MS), 9)), 3);
  assertEquals(strikeCalls(ledger, slotOf(START_MS) + 1, 9), ledger);
});

Deno.test("hasRoomAtMs() tells exactly when there is room", () => {
  const entries = fc.array(fc.tuple(fc.nat(WINDOW_MS / 2), fc.integer({ min: 1, max: 9 })), {
    minLength: 1,
    maxLength: 9,
  });
  fc.assert(fc.property(entries, fc.nat(20), (entries, room) => {
    const sorted = entries.map(([atMs, calls]) => [START_MS + atMs, calls] as const).sort(([a], [b]) => a - b);
    const ledger = ledgerOf(...sorted);
    const atMs = hasRoomAtMs(ledger, room);
    assert(countCalls(moveOn(ledger, atMs)) <= room);
    assert(atMs === ledger.atMs || countCalls(moveOn(ledger, atMs - 1)) > room);
  }));
});
