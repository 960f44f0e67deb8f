import { assertEquals } from "@std/assert";
import { JoinedSignal } from "../src/joined_signal.ts";
import { collectGarbage } from "./support/garbage.ts";

Deno.test("JoinedSignal is aborted with the first of its signals, for the same reason", () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const { signal } = new JoinedSignal(first.signal, second.signal);
  assertEquals(signal.aborted, false);
  second.abort("second");
  first.abort("first");
  assertEquals([signal.aborted, signal.reason], [true, "second"]);
  assertEquals(new JoinedSignal(new AbortController().signal, first.signal).signal.reason, "first");
});

Deno.test("JoinedSignal lets go of its signals when it is disposed of, and when one has aborted", () => {
  const [long, short] = [new AbortController(), new AbortController()];
  let listeners = 0;
  const add = long.signal.addEventListener;
  const remove = long.signal.removeEventListener;
  Object.assign(long.signal, {
    addEventListener: (...args: Parameters<typeof add>) => (listeners++, add.apply(long.signal, args)),
    removeEventListener: (...args: Parameters<typeof remove>) => (listeners--, remove.apply(long.signal, args)),
  });
  const joined = new JoinedSignal(long.signal, short.signal);
  const other = new JoinedSignal(long.signal);
  assertEquals(listeners, 2);
  short.abort();
  assertEquals(listeners, 1);
  other[Symbol.dispose]();
  assertEquals(listeners, 0);
  long.abort();
  assertEquals([joined.signal.reason === short.signal.reason, other.signal.aborted], [true, false]);
});

Deno.test("JoinedSignal tells its listeners also after a garbage collection", async () => {
  const [owner, call] = [new AbortController(), new AbortController()];
  const told: string[] = [];
  for (const name of ["one", "two"]) {
    const { signal } = new JoinedSignal(owner.signal, call.signal);
    signal.addEventListener("abort", () => told.push(name));
  }
  await collectGarbage();
  call.abort();
  assertEquals(told, ["one", "two"]);
});
