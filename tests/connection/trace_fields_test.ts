import { assertEquals } from "@std/assert";
import { toTraceFields, toTraceHeaders } from "../../src/connection/trace_fields.ts";

const PARENT = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

Deno.test("toTraceHeaders() and toTraceFields() carry a trace, and leave out what is malformed", () => {
  assertEquals(toTraceHeaders(undefined), []);
  assertEquals(toTraceHeaders({ traceparent: PARENT }), [["traceparent", PARENT]]);
  assertEquals(toTraceFields({ traceparent: PARENT, tracestate: "a=1" }), { traceparent: PARENT, tracestate: "a=1" });
  assertEquals(toTraceFields({ traceparent: PARENT, tracestate: "a\r\nb: c" }), { traceparent: PARENT });
  for (const traceparent of ["", "00-abc", `${PARENT}\r\nx: y`, PARENT.toUpperCase()]) {
    assertEquals(toTraceFields({ traceparent, tracestate: "a=1" }), {});
  }
});
