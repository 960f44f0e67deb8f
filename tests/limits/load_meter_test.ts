import { assertEquals } from "@std/assert";
import { LoadMeter } from "../../src/limits/load_meter.ts";

/** A meter whose turns of the event loop take as long as a test says. */
function createMeter(maxRequests = 10) {
  let nowMs = 0;
  let pending: (() => void) | undefined;
  const meter = new LoadMeter({
    maxRequests,
    maxLagMs: 100,
    patienceMs: 1_000,
    now: () => nowMs,
    nextTurn(run) {
      pending = run;
      return () => pending = undefined;
    },
  });
  return {
    meter,
    get isMeasuring() {
      return pending !== undefined;
    },
    /** Ends a turn that took so long. */
    turn(ms: number) {
      nowMs += ms;
      const run = pending;
      pending = undefined;
      run?.();
    },
    pass: (ms: number) => void (nowMs += ms),
  };
}

function request() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, end: resolve };
}

Deno.test("LoadMeter.isOverloaded tells that more requests are under way than may be", async () => {
  const { meter } = createMeter(2);
  const requests = [request(), request(), request()];
  const states = requests.map(({ promise }) => {
    meter.watch(promise);
    return meter.isOverloaded;
  });
  assertEquals(states, [false, false, true]);
  requests[0]?.end();
  await Promise.resolve().then(() => {});
  assertEquals([meter.requests, meter.isOverloaded], [2, false]);
});

Deno.test("LoadMeter.isOverloaded tells that the event loop is late for a while, and not that one turn was long", () => {
  const { meter, turn, pass } = createMeter();
  const states: boolean[] = [];
  for (const ms of [500, 10, 600, 600, 50]) {
    meter.watch(request().promise);
    turn(ms);
    states.push(meter.isOverloaded);
    pass(60);
  }
  assertEquals(states, [false, false, false, true, false]);
});

Deno.test("LoadMeter measures nothing while there is no request, and forgets what it measured", async () => {
  const harness = createMeter();
  const { meter, turn, pass } = harness;
  const long = request();
  meter.watch(long.promise);
  for (let times = 0; times < 3; times++) {
    turn(900);
    pass(60);
    meter.watch(Promise.resolve());
  }
  assertEquals([meter.isOverloaded, harness.isMeasuring], [true, true]);
  long.end();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([meter.requests, meter.isOverloaded, harness.isMeasuring], [0, false, false]);
});

Deno.test("LoadMeter.watch() counts a request that fails as ended", async () => {
  const { meter } = createMeter();
  await meter.watch(Promise.reject(new Error("failed"))).catch(() => {});
  assertEquals(meter.requests, 0);
});
