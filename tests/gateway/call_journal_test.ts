import { assertEquals, assertRejects } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { CallJournal } from "../../src/gateway/call_journal.ts";
import type { CallRecord } from "../../src/gateway/call_record.ts";
import { RequestError } from "../../src/gateway/request_error.ts";
import type { RoutedResult } from "../../src/status.ts";
import { BEGUN as CALL, ROUTED } from "../support/call_record.ts";

function listenTo(journal: CallJournal): CallRecord[] {
  const records: CallRecord[] = [];
  journal.listen((record) => records.push(record));
  return records;
}

Deno.test("CallJournal.run() tells who called what, who answered, and how long it took", async () => {
  const journal = new CallJournal({ now: () => 1_000 });
  const records = listenTo(journal);
  assertEquals(await journal.run(CALL, () => Promise.resolve(ROUTED)), ROUTED);
  const { durationMs, ...record } = records[0]!;
  assertEquals(durationMs >= 0, true);
  const { args: _args, trace: _trace, ...call } = CALL;
  const found = { server: "files", toolName: "read_file", route: "memory" } as const;
  assertEquals<unknown>(record, { ...call, ...found, outcome: "ok", atMs: 1_000 });
});

const ENDS: readonly [what: string, end: () => Promise<RoutedResult>, outcome: string, server: string | undefined][] = [
  [
    "a result with isError",
    () => Promise.resolve({ ...ROUTED, result: { content: [], isError: true } }),
    "tool_error",
    "files",
  ],
  [
    "a failure of a server",
    () => Promise.reject(new MCPError("unreachable", "x", { server: "files" })),
    "unreachable",
    "files",
  ],
  ["a caller that went away", () => Promise.reject(new RequestError("caller_gone", "x")), "cancelled", undefined],
  ["a stop of the gateway", () => Promise.reject(new RequestError("closed", "x")), "closed", undefined],
  ["a failure of the gateway", () => Promise.reject(new TypeError("x")), "internal", undefined],
];
for (const [what, end, outcome, server] of ENDS) {
  Deno.test(`CallJournal.run() notes ${what} as ${outcome}`, async () => {
    const journal = new CallJournal();
    const records = listenTo(journal);
    await journal.run(CALL, end).catch(() => {});
    assertEquals(records.map((record) => [record.outcome, record.server]), [[outcome, server]]);
  });
}

Deno.test("CallJournal.run() is not failed by a listener that throws, and tells the next one", async () => {
  const journal = new CallJournal();
  journal.listen(() => {
    throw new Error("full");
  });
  const records = listenTo(journal);
  assertEquals(await journal.run(CALL, () => Promise.resolve(ROUTED)), ROUTED);
  await assertRejects(() => journal.run(CALL, () => Promise.reject(new MCPError("unreachable", "x"))), MCPError);
  assertEquals(records.map(({ outcome }) => outcome), ["ok", "unreachable"]);
});

Deno.test("CallJournal.run() gives the call the trace of its tracer", async () => {
  const seen: unknown[] = [];
  const journal = new CallJournal({
    tracer: { trace: (_call, work) => work({ traceparent: "ours" }, (record) => seen.push(record.outcome)) },
  });
  await journal.run({ ...CALL, trace: { traceparent: "theirs" } }, (trace) => {
    seen.push(trace?.traceparent);
    return Promise.resolve(ROUTED);
  });
  assertEquals(seen, ["ours", "ok"]);
});
