/**
 * What every store of the audit trail does, as one table.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type AuditChunk,
  type AuditRange,
  type AuditStore,
  MAX_BATCH_BYTES,
  MAX_CHUNK_BYTES,
  toPosition,
} from "../../src/audit/audit_store.ts";

/** A store and the clock that it goes by. */
export interface AuditStoreFixture {
  readonly store: AuditStore;
  readonly clock: { nowMs: number };
}

type Row = (fixture: AuditStoreFixture) => Promise<void>;

let batches = 0;

/** Appends lines that end in an hour. */
export function append(fixture: AuditStoreFixture, lines: readonly string[], forMs = 3_600_000): Promise<void> {
  return fixture.store.append({ id: `batch-${batches++}`, lines, expiresAtMs: fixture.clock.nowMs + forMs });
}

/** Reads a part of the trail. */
export async function readChunks(store: AuditStore, range: AuditRange = { from: "" }): Promise<AuditChunk[]> {
  const chunks: AuditChunk[] = [];
  for await (const chunk of store.read(range)) chunks.push(chunk);
  return chunks;
}

/** The lines of a part of the trail. */
export async function readLines(store: AuditStore, range?: AuditRange): Promise<readonly string[]> {
  return (await readChunks(store, range)).flatMap(({ lines }) => lines);
}

const ROWS: Readonly<Record<string, Row>> = {
  "read() gives back in order what append() was given": async (fixture) => {
    await append(fixture, ["a", "b"]);
    fixture.clock.nowMs += 5;
    await append(fixture, ["c"]);
    assertEquals(await readLines(fixture.store), ["a", "b", "c"]);
    const positions = (await readChunks(fixture.store)).map(({ position }) => position);
    assertEquals(positions, [...positions].sort());
  },

  "append() puts a batch behind the others though the clock stands still, or is set back": async (fixture) => {
    await append(fixture, ["a"]);
    await append(fixture, ["b"]);
    fixture.clock.nowMs -= 3_000;
    await append(fixture, ["c"]);
    assertEquals(await readLines(fixture.store), ["a", "b", "c"]);
  },

  "read() begins at the position it is given, and ends before the other": async (fixture) => {
    for (const line of ["a", "b", "c"]) {
      await append(fixture, [line]);
      fixture.clock.nowMs += 10;
    }
    const [, second, third] = await readChunks(fixture.store);
    assert(second !== undefined && third !== undefined);
    assertEquals(await readLines(fixture.store, { from: second.position }), ["b", "c"]);
    assertEquals(await readLines(fixture.store, { from: second.position, before: third.position }), ["b"]);
    assertEquals(await readLines(fixture.store, { from: toPosition(fixture.clock.nowMs + 1_000) }), []);
  },

  "read() may be left, and goes on from there with what was written meanwhile": async (fixture) => {
    for (const line of ["a", "b"]) await append(fixture, [line]);
    let from = "";
    for await (const { position } of fixture.store.read({ from })) {
      from = position;
      break;
    }
    await append(fixture, ["c"]);
    assertEquals(await readLines(fixture.store, { from }), ["a", "b", "c"]);
  },

  "read() passes over what has expired": async (fixture) => {
    await append(fixture, ["short"], 1_000);
    await append(fixture, ["long"], 60_000);
    fixture.clock.nowMs += 1_000;
    assertEquals(await readLines(fixture.store), ["long"]);
  },

  "append() takes as much as a batch may have, in chunks that a database takes": async (fixture) => {
    const lines = Array.from({ length: MAX_BATCH_BYTES / 500 }, (_, n) => String(n).padStart(499, "0"));
    await append(fixture, lines);
    const chunks = await readChunks(fixture.store);
    assertEquals(chunks.flatMap((chunk) => chunk.lines), lines);
    for (const chunk of chunks) assert(chunk.lines.join("\n").length <= MAX_CHUNK_BYTES);
  },

  "purge() deletes what is older": async (fixture) => {
    await append(fixture, ["old"]);
    fixture.clock.nowMs += 10_000;
    await append(fixture, ["new"]);
    await fixture.store.purge(fixture.clock.nowMs - 5_000);
    assertEquals(await readLines(fixture.store), ["new"]);
    await fixture.store.purge(0);
    assertEquals(await readLines(fixture.store), ["new"]);
  },
};

/**
 * Registers a test for each row.
 *
 * @param name The store's name, which the tests' names begin with.
 * @param withStore Makes an empty store for each row.
 */
export function testAuditStore(name: string, withStore: (row: Row) => Promise<void>): void {
  for (const [criterion, row] of Object.entries(ROWS)) Deno.test(`${name}: ${criterion}`, () => withStore(row));
}
