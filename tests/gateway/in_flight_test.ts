import { assertEquals, assertRejects } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { InFlight, toCallStopped } from "../../src/gateway/in_flight.ts";
import { RequestError } from "../../src/gateway/request_error.ts";

const never = () => new Promise<never>(() => {});

async function code(work: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => work, RequestError)).code;
}

Deno.test("InFlight.run() gives a call a signal of its own, which a later abort of the caller's does not touch", async () => {
  const inFlight = new InFlight();
  const caller = new AbortController();
  let own: AbortSignal | undefined;
  assertEquals(await inFlight.run(caller.signal, (signal) => Promise.resolve((own = signal, "done"))), "done");
  caller.abort();
  assertEquals([own === caller.signal, own?.aborted], [false, false]);
});

Deno.test("InFlight.run() cancels the call when its caller goes away", async () => {
  const inFlight = new InFlight();
  const caller = new AbortController();
  let own: AbortSignal | undefined;
  const running = inFlight.run(caller.signal, (signal) => (own = signal, never()));
  caller.abort(new Error("gone"));
  assertEquals([await code(running), own?.aborted], ["caller_gone", true]);
  let begun = false;
  assertEquals(await code(inFlight.run(caller.signal, () => (begun = true, never()))), "caller_gone");
  assertEquals(begun, false);
});

Deno.test("S11 InFlight.drain() lets running calls end and begins no new ones", async () => {
  const inFlight = new InFlight();
  const gate = Promise.withResolvers<string>();
  const running = inFlight.run(new AbortController().signal, () => gate.promise);
  const drained = inFlight.drain({ graceMs: 60_000 });
  assertEquals(inFlight.draining, true);
  assertEquals(await code(inFlight.run(new AbortController().signal, never)), "closed");
  gate.resolve("done");
  await drained;
  assertEquals(await running, "done");
});

Deno.test("S11 InFlight.drain() cancels what does not end, also work that ignores its signal", async () => {
  const inFlight = new InFlight();
  const running = Array.from({ length: 20 }, () => inFlight.run(new AbortController().signal, never));
  const codes = Promise.all(running.map(code));
  await inFlight.drain({ graceMs: 1 });
  assertEquals(await codes, Array(20).fill("closed"));
});

Deno.test("S11 InFlight.drain() tells who called a tool that it may have run, where it was under way", async () => {
  const inFlight = new InFlight();
  let reason: unknown;
  const running = inFlight.run(
    new AbortController().signal,
    (signal) => (signal.onabort = () => reason = signal.reason, never()),
    { toStopped: toCallStopped },
  );
  const failed = assertRejects(() => running, MCPError);
  await inFlight.drain({ graceMs: 1 });
  const error = await failed;
  assertEquals([error.code, error.retryable, reason], ["outcome_unknown", false, error]);
  assertEquals(await code(inFlight.run(new AbortController().signal, never, { toStopped: toCallStopped })), "closed");
});

Deno.test("S11 InFlight.drain() does not wait for ever for an answer that nobody reads", async () => {
  const inFlight = new InFlight();
  inFlight.track(never());
  await inFlight.drain({ graceMs: 0, flushMs: 1 });
});
