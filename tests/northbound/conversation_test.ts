import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { isMCPError, MCPError } from "../../src/errors.ts";
import { Conversation } from "../../src/northbound/conversation.ts";
import {
  ConversationBook,
  MAX_WAITING,
  MAX_WAITING_OF_AGENT,
  MAX_WAITING_OF_CALLER,
  WAIT_MS,
} from "../../src/northbound/conversation_book.ts";
import type { Ask } from "../../src/northbound/input_relay.ts";
import { RequestStates, type RoundState, STATE_TTL_MS } from "../../src/northbound/request_state.ts";
import { RpcError } from "../../src/northbound/rpc.ts";
import { type ManualClock, manualClock } from "../support/manual_clock.ts";
import { settled } from "../support/manual_time.ts";

const TURN = { outlet: { isOpen: true, send: () => {}, offer: () => {} }, progressToken: undefined };
const NEVER = new AbortController().signal;

/** A conversation whose server asks as the test says. */
function converse(clock: ManualClock, work: (ask: Ask, signal: AbortSignal) => Promise<string>, caller = "a") {
  return new Conversation(caller, TURN, clock, async (ask, signal) => ({ said: await work(ask, signal) }));
}

/** A round, with the breath that its questions are gathered in. */
async function round(clock: ManualClock, conversation: Conversation) {
  const next = conversation.next(NEVER);
  await settled();
  clock.pass(0);
  return await next;
}

Deno.test("Conversation.next() gathers what is asked in one breath, and asks again what was not answered", async () => {
  const clock = manualClock();
  const conversation = converse(clock, async (ask, signal) => {
    const answers = await Promise.all(["1", "2"].map((n) => ask("elicitation/create", { n }, signal)));
    return answers.map(({ n }) => n).join(" ");
  });
  const first = await round(clock, conversation);
  assertEquals(first, {
    kind: "asked",
    inputRequests: {
      q1: { method: "elicitation/create", params: { n: "1" } },
      q2: { method: "elicitation/create", params: { n: "2" } },
    },
  });
  conversation.take({ q2: { n: "two" }, q1: 7, q3: {}, constructor: {} });
  const second = await round(clock, conversation);
  assertEquals(second.kind === "asked" && Object.keys(second.inputRequests), ["q1"]);
  conversation.take({ q1: { n: "one" } });
  assertEquals(await round(clock, conversation), { kind: "answered", result: { said: "one two" } });
  assertEquals([conversation.round, conversation.over], [2, true]);
});

Deno.test("Conversation.next() ends the request where the caller has gone", async () => {
  const clock = manualClock();
  let reason: unknown;
  const conversation = converse(clock, (_, signal) => {
    signal.addEventListener("abort", () => reason = signal.reason);
    return new Promise(() => {});
  });
  const gone = new AbortController();
  const next = conversation.next(gone.signal);
  gone.abort("gone");
  assertEquals([await next.catch((error) => error), reason], ["gone", "gone"]);
});

Deno.test("Conversation takes back a question that the server no longer asks", async () => {
  const clock = manualClock();
  const first = new AbortController();
  const conversation = converse(clock, async (ask, signal) => {
    await ask("roots/list", {}, first.signal).catch(() => {});
    return String((await ask("roots/list", { second: true }, signal)).said);
  });
  await round(clock, conversation);
  first.abort("over");
  await settled();
  const asked = await round(clock, conversation);
  assertEquals(asked.kind === "asked" && Object.keys(asked.inputRequests), ["q2"]);
  conversation.take({ q2: { said: "yes" } });
  assertEquals(await round(clock, conversation), { kind: "answered", result: { said: "yes" } });
});

Deno.test("ConversationBook.keep() ends a request whose caller does not come back", async () => {
  const clock = manualClock();
  const book = new ConversationBook(clock);
  let failure: unknown;
  const conversation = converse(clock, async (ask, signal) => {
    try {
      return String(await ask("roots/list", {}, signal));
    } catch (error) {
      failure = error;
      throw error;
    }
  });
  await round(clock, conversation);
  const state = book.keep(conversation, "Kairos") as Extract<RoundState, { kind: "waiting" }>;
  clock.pass(WAIT_MS - 1);
  await settled();
  assertEquals([book.size, failure], [1, undefined]);
  clock.pass(1);
  await settled();
  assertEquals([book.size, isMCPError(failure) && failure.code, clock.armed], [0, "input_required", 0]);
  assertEquals(assertThrows(() => book.find(state), RpcError).data?.code, "outcome_unknown");
});

Deno.test("ConversationBook.find() finds a request once, in its own instance and its own round", async () => {
  const clock = manualClock();
  const book = new ConversationBook(clock);
  const conversation = converse(clock, async (ask, signal) => String(await ask("roots/list", {}, signal)));
  await round(clock, conversation);
  const state = book.keep(conversation, "Kairos") as Extract<RoundState, { kind: "waiting" }>;
  assertEquals(assertThrows(() => new ConversationBook(clock).find(state), RpcError).data?.code, "outcome_unknown");
  assertEquals(assertThrows(() => book.find({ ...state, round: 0 }), RpcError).code, -32602);
  assertEquals(book.find(state), conversation);
  assertThrows(() => book.find(state), RpcError);
  assertEquals(clock.armed, 0);
  conversation.end("over");
});

Deno.test("ConversationBook.keep() is bounded for each caller, for each agent and in all, and ends what is too much", async () => {
  const clock = manualClock();
  const book = new ConversationBook(clock);
  const ended: unknown[] = [];
  const begin = async (caller: string) => {
    const conversation = converse(clock, (ask, signal) => {
      signal.addEventListener("abort", () => ended.push(caller));
      return ask("roots/list", {}, signal).then(String);
    }, caller);
    await round(clock, conversation);
    return conversation;
  };
  for (let count = 0; count < MAX_WAITING_OF_CALLER; count++) book.keep(await begin("a"), "Kairos");
  const tooMany = await begin("a");
  assertEquals([assertThrows(() => book.keep(tooMany, "Mercurius"), RpcError).status, ended], [503, ["a"]]);
  for (let count = 0; book.size < MAX_WAITING_OF_AGENT; count++) book.keep(await begin(`b${count % 7}`), "Kairos");
  const ofAgent = await begin("c");
  assertThrows(() => book.keep(ofAgent, "Kairos"), RpcError);
  // The callers of one agent leave room for those of the others.
  for (let count = 0; book.size < MAX_WAITING; count++) {
    book.keep(await begin(`c${count % 28}`), `agent ${count % 4}`);
  }
  const last = await begin("d");
  assertThrows(() => book.keep(last, "Mercurius"), RpcError);
  book.endAll("stopping");
  await settled();
  assertEquals([book.size, ended.length, clock.armed], [0, MAX_WAITING + 3, 0]);
  // What is asked while the gateway stops would wait for nobody.
  const late = await begin("e");
  assertEquals(assertThrows(() => book.keep(late, "Kairos"), MCPError).code, "outcome_unknown");
  await settled();
  assertEquals([book.size, ended.at(-1), clock.armed], [0, "e", 0]);
});

Deno.test("RequestStates.open() refuses a state that is too old, and one of another secret", async () => {
  const clock = manualClock();
  const states = new RequestStates(undefined, clock);
  const binding = { agent: "Kairos", caller: "a", method: "tools/call", name: "ask", args: { a: 1, b: [2] } };
  const state = { kind: "server", server: "files", state: "s" } as const;
  const sealed = await states.seal(state, binding);
  const { server, kind } = await states.open(sealed, { ...binding, args: { b: [2], a: 1 } }) as typeof state;
  assertEquals([server, kind], ["files", "server"]);
  await assertRejects(() => new RequestStates(undefined, clock).open(sealed, binding), RpcError);
  await assertRejects(() => states.open(sealed, { ...binding, args: { a: 1, b: [3] } }), RpcError);
  await assertRejects(() => states.open(sealed, { ...binding, method: "prompts/get" }), RpcError);
  clock.pass(STATE_TTL_MS - 1);
  await states.open(sealed, binding);
  clock.pass(1);
  await assertRejects(() => states.open(sealed, binding), RpcError);
  assertThrows(() => new RequestStates(new Uint8Array(8), clock), RangeError);
});
