import { assertEquals } from "@std/assert";
import { Log, LOG_THRESHOLDS, type LogFormat, type LogThreshold } from "../../src/telemetry/log.ts";

/** A log, and the lines that it wrote. */
function openLog(format: LogFormat, threshold: LogThreshold = "info") {
  const lines: string[] = [];
  const log = new Log({ threshold, format, write: (line) => lines.push(line), now: () => 0 });
  return { log, lines };
}

Deno.test("Log.add() writes JSON with time, level, message and fields", () => {
  const { log, lines } = openLog("json");
  log.add("warning", { message: "Cannot", text: ["for people"], fields: { server: "files", absent: undefined } });
  const line = { time: "1970-01-01T00:00:00.000Z", level: "warning", message: "Cannot", server: "files" };
  assertEquals(lines.map((line) => JSON.parse(line)), [line]);
});

Deno.test("Log.add() writes what people read without fields", () => {
  const { log, lines } = openLog("text");
  log.add("info", { message: "all", text: ["first", "second"], fields: { a: 1 } });
  log.add("info", { message: "all" });
  assertEquals(lines, ["first\nsecond", "all"]);
});

for (const threshold of LOG_THRESHOLDS) {
  Deno.test(`Log.add() writes from level ${threshold} on`, () => {
    const { log, lines } = openLog("text", threshold);
    for (const level of ["debug", "info", "warning", "error"] as const) log.add(level, { message: level });
    assertEquals(lines, LOG_THRESHOLDS.slice(LOG_THRESHOLDS.indexOf(threshold)).filter((level) => level !== "off"));
  });
}

Deno.test("Log.addLast() writes also where nothing is on", () => {
  const { log, lines } = openLog("text", "off");
  log.addLast({ message: "Cannot start" });
  assertEquals(lines, ["Cannot start"]);
});

const HOSTILE = 'a\nlevel\r\u0085\u2028b\u202e\u001b[31m\u0000"\ud800';

Deno.test("S4 Log.add() keeps what others wrote to its line, in JSON without a change", () => {
  const { log, lines } = openLog("json");
  log.add("info", { message: HOSTILE, fields: { tool: HOSTILE } });
  const [line = ""] = lines;
  assertEquals(/^[\x20-\x7e]*$/.test(line), true, line);
  assertEquals([JSON.parse(line).message, JSON.parse(line).tool], [HOSTILE, HOSTILE]);
});

Deno.test("S4 Log.add() keeps what others wrote to its line, in text by leaving out what is not seen", () => {
  const { log, lines } = openLog("text");
  log.add("info", { message: HOSTILE });
  assertEquals(lines, ['a\ufffdlevel\ufffd\ufffd\ufffdb\ufffd\ufffd[31m\ufffd"\ufffd']);
});
