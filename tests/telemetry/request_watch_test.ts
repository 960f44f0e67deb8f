import { assertEquals } from "@std/assert";
import type { CallRecord } from "../../src/gateway/call_record.ts";
import type { RequestRecord } from "../../src/telemetry/request_watch.ts";
import { RequestWatch } from "../../src/telemetry/request_watch.ts";
import { AGENTS, fakeDirectory, post } from "../gateway/gateway_support.ts";
import { createGateway, digestKey } from "../../routes/mod.ts";

const ENDED = { method: "GET", route: "/status", status: 200, caller: "local", agent: undefined };
const call = (requestId: string) => ({ requestId, tool: "read", outcome: "ok" }) as CallRecord;

Deno.test("RequestWatch.end() tells of a request with its own calls", () => {
  const records: RequestRecord[] = [];
  const watch = new RequestWatch((record) => records.push(record), () => 5);
  const [one, other] = [watch.begin("r1"), watch.begin("r2")];
  watch.noteCall(call("r2"));
  watch.noteCall(call("r3"));
  watch.end(one, ENDED);
  watch.end(other, ENDED);
  watch.noteCall(call("r2"));
  assertEquals(records.map(({ requestId, atMs, calls }) => [requestId, atMs, calls.length]), [
    ["r1", 5, 0],
    ["r2", 5, 1],
  ]);
});

Deno.test("RequestWatch.end() tells of no call where two requests have the same id", () => {
  const records: RequestRecord[] = [];
  const watch = new RequestWatch((record) => records.push(record), () => 0);
  const [mine, theirs] = [watch.begin("r1"), watch.begin("r1")];
  watch.noteCall(call("r1"));
  watch.end(mine, ENDED);
  const third = watch.begin("r1");
  watch.noteCall(call("r1"));
  watch.end(theirs, ENDED);
  watch.end(third, ENDED);
  const alone = watch.begin("r1");
  watch.noteCall(call("r1"));
  watch.end(alone, ENDED);
  assertEquals(records.map(({ calls }) => calls.length), [0, 0, 0, 1]);
});

Deno.test("createGateway() tells of each request once, with nothing that its caller wrote but a tool's name", async () => {
  const records: RequestRecord[] = [];
  const keys = { Kairos: [await digestKey("kairos-key")] };
  const onRequest = (record: RequestRecord) => records.push(record);
  const gateway = createGateway({ directory: fakeDirectory(AGENTS), onRequest }, { keys });
  const ask = async (path: string, init: RequestInit = {}, key = "kairos-key") => {
    const headers = { ...Object.fromEntries(new Headers(init.headers)), host: "x", authorization: `Bearer ${key}` };
    await (await gateway.fetch(new Request(`http://x${path}`, { ...init, headers }))).text();
  };
  await ask("/agents/Kairos/tools/search?canary=canary", post('{"canary":"canary"}', { "x-request-id": "r-1" }));
  await ask("/agents/canary/tools/search", post("{}"));
  await ask("/canary?canary=1");
  await ask("/status", {}, "canary");
  const { durationMs, calls, caller, ...first } = records[0]!;
  assertEquals(first, {
    requestId: "r-1",
    method: "POST",
    route: "/agents/:agent/tools/:tool",
    status: 200,
    atMs: first.atMs,
    agent: "Kairos",
  });
  assertEquals([durationMs >= 0, calls.map(({ tool }) => tool), caller === undefined], [true, ["search"], false]);
  assertEquals(records.map(({ route, status, agent }) => [route, status, agent]).slice(1), [
    ["/agents/:agent/tools/:tool", 404, undefined],
    ["", 404, undefined],
    ["/status", 401, undefined],
  ]);
  assertEquals([JSON.stringify(records).includes("canary"), records[3]?.caller], [false, undefined]);
});

Deno.test("createGateway() tells of a stream once it has been sent", async () => {
  const records: RequestRecord[] = [];
  const completed = Promise.withResolvers<void>();
  const gateway = createGateway(
    { directory: fakeDirectory(AGENTS), onRequest: (record) => records.push(record) },
    { keys: { "*": [await digestKey("admin-key")] } },
  );
  const headers = { host: "x", authorization: "Bearer admin-key", accept: "text/event-stream" };
  const request = new Request("http://x/agents/Kairos/tools/search", { method: "POST", headers });
  const response = await gateway.fetch(request, { completed: completed.promise });
  await response.text();
  assertEquals(records.length, 0);
  completed.resolve();
  await completed.promise;
  await Promise.resolve();
  assertEquals(records.map(({ calls }) => calls.map(({ outcome }) => outcome)), [["ok"]]);
});

Deno.test("createGateway() answers where onRequest throws", async () => {
  const gateway = createGateway({
    directory: fakeDirectory(AGENTS),
    onRequest: () => {
      throw new Error("full");
    },
  }, { keys: { "*": [await digestKey("admin-key")] } });
  const headers = { host: "x", authorization: "Bearer admin-key" };
  assertEquals((await gateway.fetch(new Request("http://x/status", { headers }))).status, 200);
});
