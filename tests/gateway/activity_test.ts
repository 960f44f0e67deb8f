import { assert, assertEquals } from "@std/assert";
import { Activity, MAX_ACTIVITY_ENTRIES, toSeen } from "../../src/gateway/activity.ts";
import { CallJournal } from "../../src/gateway/call_journal.ts";
import type { BegunCall } from "../../src/gateway/call_record.ts";
import type { ClientEvent, ClientEventListener } from "../../src/events.ts";
import { AGENTS, fakeDirectory, ROUTED } from "./gateway_support.ts";

const CALL: BegunCall = {
  requestId: "r1",
  caller: "Kairos:1",
  agent: "Kairos",
  door: "rest",
  tool: "search",
  args: { query: "canary" },
  trace: undefined,
};
const CONNECTED: ClientEvent = {
  type: "connected",
  agent: "Kairos",
  server: "files",
  era: "legacy",
  transport: "sse",
  resumed: false,
};

function open(nowMs = 1_000) {
  const journal = new CallJournal({ now: () => nowMs });
  const listeners = new Set<ClientEventListener>();
  const directory = {
    ...fakeDirectory(AGENTS),
    watchEvents(listener: ClientEventListener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const activity = new Activity({ journal, directory, now: () => nowMs });
  return {
    activity,
    listeners,
    call: (call: Partial<BegunCall> = {}) => journal.run({ ...CALL, ...call }, () => Promise.resolve(ROUTED)),
    happen(event: ClientEvent) {
      for (const listener of listeners) listener(event);
    },
  };
}

Deno.test("Activity.recent() shows calls and events, newest first, without arguments", async () => {
  const { activity, call, happen } = open();
  await call();
  happen({ ...CONNECTED, type: "failed", code: "unreachable", message: "Cannot reach it" });
  const [event, made] = activity.recent({ agents: "*" });
  const { id: _event, ...whatHappened } = event!;
  assertEquals<unknown>(whatHappened, {
    at: "1970-01-01T00:00:01.000Z",
    kind: "event",
    type: "failed",
    agent: "Kairos",
    server: "files",
    text: 'Server "files" of "Kairos" failed (unreachable): Cannot reach it',
    code: "unreachable",
  });
  assert(made?.kind === "call");
  const { id: _call, durationMs, ...whatWasCalled } = made;
  assertEquals<unknown>(whatWasCalled, {
    at: "1970-01-01T00:00:01.000Z",
    kind: "call",
    requestId: "r1",
    caller: "Kairos:1",
    agent: "Kairos",
    door: "rest",
    tool: "search",
    server: "files",
    toolName: "search",
    route: "memory",
    outcome: "ok",
  });
  assertEquals([durationMs >= 0, new Set(activity.recent({ agents: "*" }).map(({ id }) => id)).size], [true, 2]);
});

Deno.test("Activity.recent() finds the entries of the agents that are asked for, up to the limit", async () => {
  const { activity, call, happen } = open();
  for (const agent of ["Kairos", "Mercurius", "Kairos"]) await call({ agent });
  happen({ ...CONNECTED, agent: "Mercurius" });
  const agentsOf = (filter: Parameters<Activity["recent"]>[0]) => activity.recent(filter).map(({ agent }) => agent);
  assertEquals(agentsOf({ agents: "*" }), ["Mercurius", "Kairos", "Mercurius", "Kairos"]);
  assertEquals(agentsOf({ agents: new Set(["Kairos"]) }), ["Kairos", "Kairos"]);
  assertEquals(agentsOf({ agents: new Set(["Kairos"]), agent: "Mercurius" }), []);
  assertEquals(agentsOf({ agents: "*", agent: "Mercurius", limit: 1 }), ["Mercurius"]);
});

Deno.test("Activity keeps the last entries, and no more", async () => {
  const { activity, call } = open();
  for (let n = 0; n < MAX_ACTIVITY_ENTRIES * 2 + 3; n++) await call({ requestId: `r${n}` });
  const ids = activity.recent({ agents: "*" }).map((entry) => entry.kind === "call" ? entry.requestId : entry.type);
  assertEquals([ids.length, ids[0], ids.at(-1)], [MAX_ACTIVITY_ENTRIES, "r1002", "r503"]);
});

Deno.test("Activity cuts what a caller or a server made long", async () => {
  const { activity, call, happen } = open();
  await call({ tool: "x".repeat(100_000) });
  happen({ ...CONNECTED, type: "failed", code: "bad_response", message: "y".repeat(100_000) });
  assert(JSON.stringify(activity.recent({ agents: "*" })).length < 2_000);
});

Deno.test("Activity leaves out events that are not worth a line, and those of no agent", () => {
  const { activity, happen } = open();
  happen({ type: "call", agent: "Kairos", server: "files", tool: "search", outcome: "ok", durationMs: 1 });
  happen({ type: "token_renewed", agent: "Kairos", server: "files" });
  const { agent: _, ...ofNobody } = CONNECTED;
  happen(ofNobody as ClientEvent);
  assertEquals(activity.recent({ agents: "*" }), []);
});

Deno.test("Activity.close() ends listening to the servers", () => {
  const { activity, listeners } = open();
  assertEquals(listeners.size, 1);
  activity.close();
  assertEquals(listeners.size, 0);
});

Deno.test("toSeen() shows nothing of other agents, and the names of other callers to administrators alone", async () => {
  const { activity, call } = open();
  await call();
  const [entry] = activity.recent({ agents: "*" });
  const callerFor = (access: { caller: string; agents: "*" | ReadonlySet<string>; isAdmin: boolean }) => {
    const seen = toSeen(entry!, access);
    return seen?.kind === "call" ? seen.caller ?? "left out" : "not seen";
  };
  const agents = new Set(["Kairos"]);
  assertEquals(callerFor({ caller: "Kairos:1", agents, isAdmin: false }), "Kairos:1");
  assertEquals(callerFor({ caller: "Kairos:2", agents, isAdmin: false }), "left out");
  assertEquals(callerFor({ caller: "*:1", agents: "*", isAdmin: true }), "Kairos:1");
  assertEquals(callerFor({ caller: "Other:1", agents: new Set(["Other"]), isAdmin: false }), "not seen");
});
