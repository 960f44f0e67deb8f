import { assertEquals } from "@std/assert";
import type { BegunCall, CallRecord } from "../../src/gateway/call_record.ts";
import { CallJournal } from "../../src/gateway/call_journal.ts";
import { OpenTelemetryTracer } from "../../src/telemetry/call_tracer.ts";
import { createTracedFetch } from "../../src/telemetry/traced_fetch.ts";
import { BEGUN, ROUTED } from "../support/call_record.ts";

const CALL: BegunCall = {
  ...BEGUN,
  trace: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "vendor=1" },
};

Deno.test("OpenTelemetryTracer.trace() passes on the caller's trace where nothing is exported", async () => {
  const tracer = new OpenTelemetryTracer({ findServer: () => undefined });
  const ended: CallRecord[] = [];
  const journal = new CallJournal({ tracer });
  journal.listen((record) => ended.push(record));
  const routed = await journal.run(CALL, (trace) => {
    assertEquals(trace, CALL.trace);
    return Promise.resolve(ROUTED);
  });
  assertEquals([routed, ended.map(({ outcome }) => outcome)], [ROUTED, ["ok"]]);
});

Deno.test("OpenTelemetryTracer.trace() fails no call where its agent has gone meanwhile", async () => {
  const tracer = new OpenTelemetryTracer({
    findServer() {
      throw new Error("No such agent");
    },
  });
  assertEquals(await new CallJournal({ tracer }).run(CALL, () => Promise.resolve(ROUTED)), ROUTED);
});

Deno.test("createTracedFetch() leaves a request as it is where the runtime does not trace it", async () => {
  const seen: unknown[] = [];
  const fetch = createTracedFetch({
    propagates: true,
    fetch(input, init) {
      const { url, method, headers } = new Request(input, init);
      seen.push([url, method, headers.get("traceparent"), headers.get("accept")]);
      return Promise.resolve(new Response());
    },
  });
  await fetch("http://localhost/mcp?key=1", { method: "DELETE", headers: { traceparent: "00", accept: "text/plain" } });
  await fetch(new URL("http://localhost/"));
  assertEquals(seen, [
    ["http://localhost/mcp?key=1", "DELETE", "00", "text/plain"],
    ["http://localhost/", "GET", null, null],
  ]);
});
