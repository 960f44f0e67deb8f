import { assertEquals } from "@std/assert";
import { MemoryAuditStore } from "../../src/audit/memory_audit_store.ts";
import { append, readLines, testAuditStore } from "../support/audit_store_contract.ts";

testAuditStore("MemoryAuditStore", async (row) => {
  const clock = { nowMs: 1_800_000_000_000 };
  await row({ store: new MemoryAuditStore({ now: () => clock.nowMs }), clock });
});

Deno.test("MemoryAuditStore keeps the last lines, and no more", async () => {
  const fixture = { store: new MemoryAuditStore({ maxLines: 5 }), clock: { nowMs: Date.now() } };
  for (const line of ["a", "b", "c", "d"]) await append(fixture, [line, line.toUpperCase()]);
  assertEquals(await readLines(fixture.store), ["c", "C", "d", "D"]);
});

Deno.test("MemoryAuditStore.append() takes a batch once that is tried again", async () => {
  const store = new MemoryAuditStore();
  const batch = { id: "same", lines: ["a"], expiresAtMs: Date.now() + 60_000 };
  await store.append(batch);
  await store.append(batch);
  assertEquals(await readLines(store), ["a"]);
});
