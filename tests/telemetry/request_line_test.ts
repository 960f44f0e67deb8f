import { assertEquals } from "@std/assert";
import type { CallRecord } from "../../src/gateway/call_record.ts";
import { describeRequest } from "../../src/telemetry/request_line.ts";
import type { RequestRecord } from "../../src/telemetry/request_watch.ts";
import { RECORD as CALL } from "../support/call_record.ts";

const REQUEST: RequestRecord = {
  requestId: "r1",
  method: "POST",
  route: "/agents/:agent/tools/:tool",
  status: 200,
  atMs: 0,
  durationMs: 12.34567,
  caller: "key:1",
  agent: "Kairos",
  calls: [CALL],
};

Deno.test("describeRequest() tells of the request and of its call", () => {
  const { level, entry } = describeRequest(REQUEST);
  assertEquals([level, entry.message], ["info", "Request answered"]);
  assertEquals(entry.fields, {
    requestId: "r1",
    method: "POST",
    route: "/agents/:agent/tools/:tool",
    status: 200,
    durationMs: 12.346,
    caller: "key:1",
    agent: "Kairos",
    tool: "read",
    server: "files",
    owner: "memory",
    outcome: "ok",
  });
  const what = "agent=Kairos tool=read server=files owner=memory outcome=ok id=r1";
  assertEquals(entry.text, [`POST /agents/:agent/tools/:tool 200 in 12.3 ms caller=key:1 ${what}`]);
});

Deno.test("describeRequest() tells of a batch how many calls failed", () => {
  const failed: CallRecord = { ...CALL, outcome: "unreachable" };
  const { fields } = describeRequest({ ...REQUEST, calls: [CALL, failed, CALL] }).entry;
  assertEquals([fields?.calls, fields?.failed, fields?.tool], [3, 1, undefined]);
});

Deno.test("describeRequest() tells of health at debug level, and of an unknown path nothing of it", () => {
  assertEquals(describeRequest({ ...REQUEST, route: "/healthz", calls: [] }).level, "debug");
  const unknown = { ...REQUEST, route: "", status: 404, caller: undefined, agent: undefined, calls: [] };
  assertEquals(describeRequest(unknown).entry.text, ["POST (no such path) 404 in 12.3 ms id=r1"]);
});

Deno.test("S4 describeRequest() keeps a name apart from what is said of it, and short", () => {
  const { text } = describeRequest({ ...REQUEST, calls: [{ ...CALL, tool: "a outcome=ok\nb" }] }).entry;
  assertEquals(text?.[0]?.includes('tool="a outcome=ok\\nb" server=files'), true);
  const { fields } = describeRequest({ ...REQUEST, calls: [{ ...CALL, tool: "x".repeat(500) }] }).entry;
  assertEquals(String(fields?.tool).length, 64);
});
