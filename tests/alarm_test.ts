import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { clearAlarm, setAlarm } from "../src/alarm.ts";

/** Makes a process older than it is: what is timed already stays as it is. */
const AGE = "const now = performance.now.bind(performance); performance.now = () => now() + 250;";

/** Rings after a time, and tells when. */
function ring(afterMs: number, rung: (string | number)[], name: string | number = afterMs): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    setAlarm(() => {
      rung.push(name);
      resolve(performance.now() - startedAt);
    }, afterMs);
  });
}

Deno.test("setAlarm() rings in the order of time, and never early", async () => {
  const rung: number[] = [];
  const times = [30, 10, 20, 0, 10];
  const tookMs = await Promise.all(times.map((afterMs) => ring(afterMs, rung)));
  assertEquals(rung, [0, 10, 10, 20, 30]);
  for (const [index, afterMs] of times.entries()) assertGreaterOrEqual(tookMs[index], afterMs);
});

Deno.test("clearAlarm() takes an alarm back, also as another rings", async () => {
  const rung: string[] = [];
  clearAlarm(undefined);
  clearAlarm(setAlarm(() => rung.push("taken back"), 1));
  const far = setAlarm(() => rung.push("far"), 2_147_483_647 * 2);
  const within = Promise.withResolvers<number>();
  const later = ring(20, rung, "later");
  const other = setAlarm(() => rung.push("other"), 10);
  const first = setAlarm(() => {
    rung.push("first");
    clearAlarm(other);
    within.resolve(ring(0, rung, "from within"));
  }, 0);
  await Promise.all([later, within.promise]);
  clearAlarm(first);
  clearAlarm(far);
  // A machine that is busy may be late for the first two.
  assertEquals([rung[0], rung.toSorted()], ["first", ["first", "from within", "later"]]);
});

for (
  const [name, code] of Object.entries({
    "a young process": "",
    "a process of some age": AGE,
  })
) {
  Deno.test(`setAlarm() keeps ${name} alive until it rings, and no longer once it is taken back`, async () => {
    const alarm = JSON.stringify(new URL("../src/alarm.ts", import.meta.url).href);
    const program = `
      import { clearAlarm, setAlarm } from ${alarm};
      clearAlarm(setAlarm(() => {}, 1));
      ${code}
      setAlarm(() => console.log("rung"), 300);
      clearAlarm(setAlarm(() => console.log("not this one"), 600_000));
    `;
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-lock", program],
      stderr: "inherit",
    }).output();
    assertEquals([success, new TextDecoder().decode(stdout)], [true, "rung\n"]);
  });
}

Deno.test("clearAlarm() leaves no timer behind where the runtime calls one that was cleared a moment too late", async () => {
  const alarm = JSON.stringify(new URL("../src/alarm.ts", import.meta.url).href);
  const program = `
    const { clearAlarm, setAlarm } = await import(${alarm});
    clearAlarm(setAlarm(() => {}, 1));
    ${AGE}
    const [timers, cleared] = [[], new Set()];
    globalThis.setTimeout = (run) => timers.push(run);
    globalThis.clearTimeout = (timer) => cleared.add(timer);
    clearAlarm(setAlarm(() => {}, 10));
    const other = setAlarm(() => {}, 1_000);
    timers[0]();
    clearAlarm(other);
    console.log(timers.length, cleared.size);
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-lock", program] }).output();
  assertEquals(new TextDecoder().decode(stdout), "2 2\n");
});

Deno.test("setAlarm() does not have the first calls of a process wait for what is behind setTimeout", async () => {
  const alarm = JSON.stringify(new URL("../src/alarm.ts", import.meta.url).href);
  const program = `
    const { setTimeout } = globalThis;
    let used = 0;
    globalThis.setTimeout = (...args) => (used++, setTimeout(...args));
    const { clearAlarm, setAlarm } = await import(${alarm});
    for (let call = 0; call < 100; call++) clearAlarm(setAlarm(() => {}, 30_000));
    const first = used;
    await new Promise((resolve) => setAlarm(resolve, 250));
    clearAlarm(setAlarm(() => {}, 30_000));
    console.log(first, used > 0);
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-lock", program] }).output();
  assertEquals(new TextDecoder().decode(stdout), "0 true\n");
});
