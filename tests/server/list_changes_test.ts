import { assertEquals } from "@std/assert";
import type { ListKind } from "../../src/list_watch.ts";
import { ListChanges } from "../../src/server/list_changes.ts";
import { ManualTime } from "../support/manual_time.ts";

function createChanges() {
  const time = new ManualTime();
  const changes = new ListChanges({ now: time.now, wait: time.wait });
  const told: [ListKind, number][] = [];
  return { time, changes, told, onChange: (kind: ListKind) => void told.push([kind, time.nowMs]) };
}

Deno.test("ListChanges tells of each kind at once, then at most once a second", async () => {
  const { time, changes, told, onChange } = createChanges();
  const watch = changes.watch(onChange);
  for (let notice = 0; notice < 100; notice++) changes.tell("tools");
  changes.tell("prompts");
  assertEquals(told, [["tools", 0], ["prompts", 0]]);
  await time.pass(10_000);
  assertEquals(told.slice(2), [["tools", 1_000]]);
  assertEquals([changes.countOf("tools"), changes.countOf("prompts"), changes.countOf("resources")], [100, 1, 0]);
  await watch.close();
});

Deno.test("ListChanges tells each who watches, from then on, until the watch is closed", async () => {
  const { time, changes, told, onChange } = createChanges();
  assertEquals(changes.watched, false);
  changes.tell("tools");
  const first = changes.watch(onChange);
  changes.tell("tools");
  changes.tell("tools");
  let closed = 0;
  const second = changes.watch(onChange, () => void closed++);
  changes.tell("tools");
  assertEquals(told, [["tools", 0], ["tools", 0]]);
  await first.close();
  assertEquals([time.waiting, changes.watched], [0, true], "what was held back is dropped");
  await Promise.all([second.close(), second.close(), second[Symbol.asyncDispose]()]);
  changes.tell("tools");
  await time.pass(10_000);
  assertEquals([told.length, closed, changes.watched], [2, 1, false]);
});

Deno.test("ListChanges ignores what a listener throws, and close() ends all watches", async () => {
  const { changes, told, onChange } = createChanges();
  changes.watch(() => {
    throw new Error("of the listener");
  });
  // deno-lint-ignore require-await -- a promise that rejects is what it is about
  changes.watch(async () => {
    throw new Error("of the listener, later");
  });
  changes.watch(onChange);
  changes.tell("resources");
  assertEquals(told, [["resources", 0]]);
  await changes.close();
  assertEquals(changes.watched, false);
});
