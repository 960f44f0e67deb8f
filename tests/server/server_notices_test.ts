import { assertEquals } from "@std/assert";
import type { ListenOptions, NoticeFilter } from "../../src/connection/connection.ts";
import { Deadline } from "../../src/deadline.ts";
import { ServerNotices } from "../../src/server/server_notices.ts";
import { ManualTime, settled } from "../support/manual_time.ts";

const TOOLS: NoticeFilter = { tools: true, prompts: false, resources: false, uris: [] };
const uri = (...uris: readonly string[]): NoticeFilter => ({ tools: false, prompts: false, resources: false, uris });

interface Play {
  readonly offered?: boolean;
  readonly lastsMs?: number;
  readonly fails?: boolean;
  readonly filtered?: boolean;
  /** How long until the stream is open. */
  readonly opensMs?: number;
}

/** The stream that a test plays, and what came of it. */
function createNotices(play: Play = {}) {
  const { offered = true, lastsMs = Infinity, fails = false, filtered = false, opensMs = 0 } = play;
  const time = new ManualTime();
  const openedAt: number[] = [];
  const gapsAt: number[] = [];
  const reopenedAt: number[] = [];
  const filters: NoticeFilter[] = [];
  const stream = { open: 0, offered };
  const notices = new ServerNotices({
    listen: async ({ signal, filter, onOpen }: ListenOptions) => {
      openedAt.push(time.nowMs);
      filters.push(filter);
      if (!stream.offered) return false;
      stream.open++;
      try {
        if (opensMs > 0) await time.wait(opensMs, signal);
        onOpen?.();
        await time.wait(lastsMs, signal);
      } catch {
        // It was ended.
      } finally {
        stream.open--;
      }
      if (fails) throw new Error("broken");
      return true;
    },
    isFiltered: () => filtered,
    onGap: () => gapsAt.push(time.nowMs),
    onReopened: () => reopenedAt.push(time.nowMs),
    now: time.now,
    wait: time.wait,
  });
  return { notices, time, stream, openedAt, gapsAt, reopenedAt, filters };
}

/** Ends with its signal. */
function forever(signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(true), { once: true }));
}

/** Whether the stream was ready by now. */
async function isReady(lease: { ready(deadline: Deadline): Promise<void> }): Promise<boolean> {
  using deadline = new Deadline(10_000);
  let ready = false;
  void lease.ready(deadline).then(() => ready = true);
  await settled();
  return ready;
}

function gapsOf(times: readonly number[]): readonly number[] {
  return times.slice(1).map((atMs, index) => atMs - times[index]!);
}

Deno.test("ServerNotices.want() opens one stream for all, and closes it with the last who wants it", async () => {
  const { notices, time, stream, openedAt } = createNotices();
  const leases = [notices.want(TOOLS), notices.want(TOOLS), notices.want(uri("a"))];
  await time.pass(600_000);
  assertEquals([openedAt, stream.open], [[0], 1]);
  for (const lease of leases.slice(1)) lease.release();
  leases[1]?.release();
  await time.pass(10);
  assertEquals(stream.open, 1, "released once, however often");
  leases[0]?.release();
  await time.pass(10);
  assertEquals([stream.open, time.waiting, openedAt], [0, 0, [0]]);
  await notices.close();
});

Deno.test("ServerNotices.want() opens the stream again where somebody comes while the last one leaves", async () => {
  const { notices, time, stream, openedAt, gapsAt } = createNotices();
  notices.want(TOOLS).release();
  notices.want(TOOLS);
  await time.pass(10);
  assertEquals([stream.open, openedAt, gapsAt], [1, [0, 0], []]);
  await notices.close();
});

for (const fails of [false, true]) {
  const how = fails ? "breaks" : "ends";
  Deno.test(`ServerNotices opens a stream that ${how} at once again at most once a second, ever more slowly`, async () => {
    const { notices, time, openedAt } = createNotices({ lastsMs: 0, fails });
    notices.want(TOOLS);
    await time.pass(200_000);
    assertEquals(gapsOf(openedAt), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
    await notices.close();
    assertEquals(time.waiting, 0);
  });
}

Deno.test("ServerNotices opens a stream that lasted again soon", async () => {
  const { notices, time, openedAt } = createNotices({ lastsMs: 90_000 });
  notices.want(TOOLS);
  await time.pass(300_000);
  assertEquals(gapsOf(openedAt).map((gapMs) => gapMs - 90_000), [500, 500, 500]);
  await notices.close();
});

Deno.test("ServerNotices tells of a gap when it has a stream again, as nobody could tell before", async () => {
  const { notices, time, gapsAt } = createNotices({ lastsMs: 100 });
  notices.want(TOOLS);
  await time.pass(1_150);
  assertEquals(gapsAt, [1_100]);
  await notices.close();
});

Deno.test("ServerNotices tells once that it has a stream again, or that there is none, after a gap alone", async () => {
  const { notices, time, stream, gapsAt, reopenedAt } = createNotices({ lastsMs: 100, opensMs: 10 });
  notices.want(TOOLS);
  await time.pass(1_105);
  assertEquals([gapsAt, reopenedAt], [[1_110].slice(1), []]);
  await time.pass(10);
  assertEquals([gapsAt, reopenedAt], [[1_110], []]);
  // The connection is another one before the stream is open: there was a gap all the same.
  notices.restart();
  await time.pass(20);
  assertEquals([gapsAt, reopenedAt], [[1_110], [1_125]]);
  stream.offered = false;
  await time.pass(60_000);
  assertEquals(reopenedAt.length, 2);
  await notices.close();
});

Deno.test("ServerNotices asks once where the server offers no stream, until there is a new connection", async () => {
  const { notices, time, stream, openedAt } = createNotices({ offered: false });
  const lease = notices.want(TOOLS);
  await time.pass(600_000);
  notices.want(TOOLS);
  await time.pass(600_000);
  assertEquals([openedAt, time.waiting, lease.offered], [[0], 0, false]);
  stream.offered = true;
  notices.restart();
  await time.pass(10);
  assertEquals([openedAt.length, stream.open, lease.offered], [2, 1, true]);
  await notices.close();
});

Deno.test("ServerNotices.restart() opens the stream on the new connection at once, also in a pause", async () => {
  const { notices, time, stream, openedAt, gapsAt } = createNotices();
  notices.want(TOOLS);
  await time.pass(50_000);
  notices.restart();
  await time.pass(10);
  assertEquals([openedAt, gapsAt, stream.open], [[0, 50_000], [], 1]);
  await notices.close();

  const ending = createNotices({ lastsMs: 0 });
  ending.notices.want(TOOLS);
  await ending.time.pass(10);
  ending.notices.restart();
  await ending.time.pass(10);
  assertEquals([ending.openedAt, ending.gapsAt], [[0, 10], [10]]);
  await ending.notices.close();
});

Deno.test("ServerNotices.restart() opens nothing where nobody wants it", async () => {
  const { notices, time, openedAt } = createNotices();
  notices.restart();
  await time.pass(10_000);
  assertEquals(openedAt, []);
  await notices.close();
});

Deno.test("ServerNotices joins what is wanted, and opens another stream where the server filters", async () => {
  const { notices, time, stream, filters } = createNotices({ filtered: true });
  notices.want(TOOLS);
  await time.pass(10);
  const lease = notices.want(uri("b", "a"));
  const same = notices.want(uri("a"));
  await time.pass(10);
  lease.release();
  await time.pass(10);
  same.release();
  await time.pass(10);
  assertEquals(filters, [TOOLS, { ...TOOLS, uris: ["a", "b"] }, { ...TOOLS, uris: ["a"] }, TOOLS]);
  assertEquals(stream.open, 1);
  await notices.close();
});

Deno.test("ServerNotices keeps a stream open until the one is that takes its place, also where that is overtaken", async () => {
  const { notices, time, stream, openedAt, gapsAt } = createNotices({ filtered: true, opensMs: 100 });
  notices.want(TOOLS);
  await time.pass(1_000);
  notices.want(uri("a"));
  await time.pass(50);
  notices.want(uri("b"));
  await time.pass(99);
  assertEquals([openedAt, stream.open], [[0, 1_000, 1_050], 2]);
  await time.pass(1);
  assertEquals([stream.open, gapsAt], [1, []]);
  await notices.close();
  assertEquals([stream.open, time.waiting], [0, 0]);
});

Deno.test("ServerNotices keeps its stream where the server does not filter, whatever is wanted", async () => {
  const { notices, time, openedAt } = createNotices();
  notices.want(TOOLS);
  await time.pass(10);
  notices.want(uri("a")).release();
  await time.pass(10);
  assertEquals(openedAt, [0]);
  await notices.close();
});

Deno.test("NoticeLease.ready() waits for the stream that is being opened, also for one that takes another's place", async () => {
  const { notices, time, openedAt } = createNotices({ opensMs: 100, filtered: true });
  const first = notices.want(TOOLS);
  assertEquals(await isReady(first), false);
  await time.pass(100);
  assertEquals(await isReady(first), true);
  const second = notices.want(uri("a"));
  assertEquals(await isReady(second), false);
  await time.pass(99);
  assertEquals(await isReady(second), false);
  await time.pass(1);
  assertEquals([await isReady(second), openedAt], [true, [0, 100]]);
  await notices.close();
});

Deno.test("NoticeLease.ready() waits for the stream where somebody comes while the last one is being closed", async () => {
  const ends = Promise.withResolvers<void>();
  let opened = 0;
  const notices = new ServerNotices({
    listen: async ({ signal, onOpen }) => {
      onOpen?.();
      if (++opened > 1) return await forever(signal);
      await ends.promise;
      return true;
    },
    isFiltered: () => false,
    onGap: () => {},
  });
  notices.want(TOOLS).release();
  await settled();
  const lease = notices.want(TOOLS);
  assertEquals([opened, await isReady(lease)], [1, false], "the server may take one stream at a time alone");
  ends.resolve();
  assertEquals([await isReady(lease), opened], [true, 2]);
  await notices.close();
});

Deno.test("NoticeLease.ready() waits two seconds for a stream that does not open, and then not at all", async () => {
  const { notices, time, stream } = createNotices({ opensMs: 60_000 });
  const lease = notices.want(TOOLS);
  using deadline = new Deadline(10_000);
  let ready = false;
  const waiting = lease.ready(deadline).then(() => ready = true);
  await time.pass(1_999);
  assertEquals(ready, false);
  await time.pass(1);
  await waiting;
  assertEquals([await isReady(lease), stream.open, lease.offered], [true, 1, true]);
  await time.pass(60_000);
  assertEquals(await isReady(lease), true);
  await notices.close();
});

Deno.test("NoticeLease.ready() waits no longer than the caller's deadline, nor for a stream that is not offered", async () => {
  const { notices } = createNotices({ opensMs: 60_000 });
  using deadline = new Deadline(20);
  await notices.want(TOOLS).ready(deadline);
  assertEquals(deadline.passed, true);
  await notices.close();
  const refused = createNotices({ offered: false });
  const lease = refused.notices.want(TOOLS);
  await settled();
  assertEquals([await isReady(lease), lease.offered], [true, false]);
  await refused.notices.close();
});

Deno.test("ServerNotices.close() ends the stream, its waiters and the pause between two, and opens none any more", async () => {
  const { notices, time, stream, openedAt } = createNotices({ opensMs: 100 });
  const lease = notices.want(TOOLS);
  using deadline = new Deadline(10_000);
  const waiting = lease.ready(deadline);
  await settled();
  await notices.close();
  await waiting;
  notices.want(TOOLS);
  notices.restart();
  await time.pass(600_000);
  assertEquals([stream.open, time.waiting, openedAt], [0, 0, [0]]);

  const ending = createNotices({ lastsMs: 0 });
  ending.notices.want(TOOLS);
  await ending.time.pass(10);
  assertEquals(ending.time.waiting, 1);
  await ending.notices.close();
  await ending.time.pass(600_000);
  assertEquals([ending.openedAt, ending.time.waiting], [[0], 0]);
});

Deno.test("ServerNotices.close() leaves no timer behind where the clock is the real one", async () => {
  const notices = new ServerNotices({
    listen: () => Promise.resolve(true),
    isFiltered: () => false,
    onGap: () => {},
  });
  notices.want(TOOLS);
  await settled();
  await notices.close();
});
