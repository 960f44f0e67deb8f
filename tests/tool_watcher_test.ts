import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { ToolWatcher } from "../src/tool_watcher.ts";

/** Time that passes when a test says so. Who waits is woken in order. */
class ManualTime {
  nowMs = 0;
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();

  /** How many wait. */
  get waiting(): number {
    return this.#sleepers.size;
  }

  readonly now = () => this.nowMs;

  readonly wait = (ms: number, signal: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { atMs: this.nowMs + ms, wake: resolve };
    this.#sleepers.add(sleeper);
    const stop = () => {
      this.#sleepers.delete(sleeper);
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    return promise;
  };

  /** Lets time pass, and everything happen that happens by then. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      await settle();
      const [next] = [...this.#sleepers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#sleepers.delete(next);
      this.nowMs = next.atMs;
      next.wake();
    }
    this.nowMs = endMs;
  }
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
}

/** A watcher of a stream that a test plays, and what came of it. */
function createWatcher(play: { readonly offered?: boolean; readonly lastsMs?: number; readonly fails?: boolean } = {}) {
  const { offered = true, lastsMs = Infinity, fails = false } = play;
  const time = new ManualTime();
  const openedAt: number[] = [];
  const toldAt: number[] = [];
  const stream = { notify: () => {}, open: 0 };
  const watcher = new ToolWatcher({
    listen: async (onChange, signal) => {
      openedAt.push(time.nowMs);
      stream.notify = onChange;
      stream.open++;
      if (offered) await time.wait(lastsMs, signal).catch(() => {});
      stream.open--;
      if (fails) throw new Error("broken");
      return offered;
    },
    onChange: () => toldAt.push(time.nowMs),
    now: time.now,
    wait: time.wait,
  });
  return { watcher, time, stream, openedAt, toldAt };
}

Deno.test("ToolWatcher tells the first notice at once", async () => {
  const { watcher, time, stream, toldAt } = createWatcher();
  watcher.start();
  await time.pass(10);
  stream.notify();
  assertEquals(toldAt, [10]);
  await watcher.close();
});

Deno.test("ToolWatcher tells of 500 notices at once twice: at once, and a second later", async () => {
  const { watcher, time, stream, toldAt } = createWatcher();
  watcher.start();
  for (let notice = 0; notice < 500; notice++) stream.notify();
  await time.pass(60_000);
  assertEquals(toldAt, [0, 1_000]);
  await watcher.close();
});

Deno.test("ToolWatcher tells of a notice every 100 ms once a second, for as long as they come", async () => {
  const { watcher, time, stream, toldAt } = createWatcher();
  watcher.start();
  for (let notice = 0; notice <= 50; notice++, await time.pass(100)) stream.notify();
  await time.pass(10_000);
  assertEquals(toldAt, [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
  await watcher.close();
});

Deno.test("ToolWatcher tells of every notice, at most once a second, in whatever rhythm they come", async () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 2_500 }), { minLength: 1, maxLength: 30 });
  await fc.assert(fc.asyncProperty(gaps, async (gapsMs) => {
    const { watcher, time, stream, toldAt } = createWatcher();
    watcher.start();
    for (const gapMs of gapsMs) {
      await time.pass(gapMs);
      stream.notify();
    }
    const lastMs = time.nowMs;
    await time.pass(5_000);
    for (const [index, atMs] of toldAt.entries()) assertGreaterOrEqual(atMs - (toldAt[index - 1] ?? -1_000), 1_000);
    assertGreaterOrEqual(toldAt.at(-1)!, lastMs);
    assertLessOrEqual(toldAt.at(-1)!, lastMs + 1_000);
    await watcher.close();
  }));
});

Deno.test("ToolWatcher.start() opens one stream, however often it is called", async () => {
  const { watcher, time, stream, openedAt } = createWatcher();
  for (let calls = 0; calls < 3; calls++) watcher.start();
  await time.pass(600_000);
  assertEquals([openedAt, stream.open], [[0], 1]);
  await watcher.close();
});

for (const fails of [false, true]) {
  const how = fails ? "breaks" : "ends";
  Deno.test(`ToolWatcher opens a stream that ${how} at once again at most once a second, ever more slowly`, async () => {
    const { watcher, time, openedAt } = createWatcher({ lastsMs: 0, fails });
    watcher.start();
    await time.pass(200_000);
    const gapsMs = openedAt.slice(1).map((atMs, index) => atMs - openedAt[index]!);
    assertEquals(gapsMs, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
    await watcher.close();
    assertEquals(time.waiting, 0);
  });
}

Deno.test("ToolWatcher opens a stream that lasted again soon", async () => {
  const { watcher, time, openedAt } = createWatcher({ lastsMs: 90_000 });
  watcher.start();
  await time.pass(300_000);
  assertEquals(openedAt.slice(1).map((atMs, index) => atMs - openedAt[index]! - 90_000), [500, 500, 500]);
  await watcher.close();
});

Deno.test("ToolWatcher tells when it has a stream again, as nobody could before, and goes on telling over it", async () => {
  const { watcher, time, stream, toldAt } = createWatcher({ lastsMs: 100 });
  watcher.start();
  stream.notify();
  await time.pass(1_150);
  assertEquals(stream.open, 1);
  stream.notify();
  await watcher.close();
  assertEquals(toldAt, [0, 1_100]);
});

Deno.test("ToolWatcher stops where the server offers no stream", async () => {
  const { watcher, time, openedAt } = createWatcher({ offered: false });
  watcher.start();
  await time.pass(600_000);
  watcher.start();
  await time.pass(600_000);
  assertEquals([openedAt, time.waiting], [[0], 0]);
  await watcher.close();
});

Deno.test("ToolWatcher.close() ends the stream and what is still to be told, and leaves nothing that waits", async () => {
  const { watcher, time, stream, openedAt, toldAt } = createWatcher();
  watcher.start();
  stream.notify();
  stream.notify();
  await watcher.close();
  assertEquals([stream.open, time.waiting], [0, 0]);
  stream.notify();
  watcher.start();
  await time.pass(600_000);
  assertEquals([toldAt, openedAt], [[0], [0]]);
  await watcher.close();
});

Deno.test("ToolWatcher.close() ends the pause between two streams", async () => {
  const { watcher, time, openedAt } = createWatcher({ lastsMs: 0 });
  watcher.start();
  await time.pass(10);
  assertEquals(time.waiting, 1);
  await watcher.close();
  await time.pass(600_000);
  assertEquals([openedAt, time.waiting], [[0], 0]);
});

Deno.test("ToolWatcher.close() before start() opens nothing", async () => {
  const { watcher, time, openedAt } = createWatcher();
  await watcher.close();
  watcher.start();
  await time.pass(10_000);
  assertEquals(openedAt, []);
});

Deno.test("ToolWatcher goes on where its owner's function throws, at once or a second later", async () => {
  const time = new ManualTime();
  let told = 0;
  const stream = { notify: () => {} };
  const watcher = new ToolWatcher({
    listen: async (onChange, signal) => {
      stream.notify = onChange;
      await time.wait(Infinity, signal).catch(() => {});
      return true;
    },
    onChange: () => {
      told++;
      throw new Error("of the owner");
    },
    now: time.now,
    wait: time.wait,
  });
  watcher.start();
  stream.notify();
  stream.notify();
  await time.pass(5_000);
  assertEquals(told, 2);
  stream.notify();
  assertEquals(told, 3);
  await watcher.close();
});

Deno.test("ToolWatcher.close() leaves no timer behind where the clock is the real one", async () => {
  const notify = Promise.withResolvers<() => void>();
  let told = 0;
  const watcher = new ToolWatcher({
    listen: async (onChange, signal) => {
      notify.resolve(onChange);
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      return true;
    },
    onChange: () => told++,
  });
  watcher.start();
  const tell = await notify.promise;
  tell();
  tell();
  await watcher.close();
  assertEquals(told, 1);
});
