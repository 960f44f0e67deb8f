import { assertEquals } from "@std/assert";
import { formatBytes, formatCount, formatMoment, formatSpan } from "../../src/page/figures.ts";
import { diffLines } from "../../src/page/line_diff.ts";
import { isFromOwnPage } from "../../src/page/same_origin.ts";
import { describeReconnection, toHeadline } from "../../src/page/words.ts";

Deno.test("toHeadline() tells the state of everything in one sentence", () => {
  const cases: readonly [good: number, bad: number, all: number, sentence: string][] = [
    [0, 0, 0, "No server is configured"],
    [1, 0, 1, "The server answers"],
    [3, 0, 3, "All 3 servers answer"],
    [2, 1, 3, "1 of 3 servers needs attention"],
    [1, 2, 3, "2 of 3 servers need attention"],
    [0, 0, 3, "No server has been asked yet"],
    [2, 0, 3, "2 of 3 servers answer, none fails"],
  ];
  for (const [good, bad, all, sentence] of cases) assertEquals(toHeadline({ good, bad, all }), sentence);
});

Deno.test("describeReconnection() names who is back and who is not", () => {
  assertEquals(describeReconnection({}), "Every server is connected already.");
  assertEquals(describeReconnection({ a: true, b: true, c: false }), "Connected: a, b. Still down: c.");
});

Deno.test("formatSpan(), formatCount(), formatBytes() and formatMoment() keep what a person can tell apart", () => {
  const spans = [0.04, 3.26, 12.4, 999, 1_240, 12_400, 240_000, 7_200_000].map(formatSpan);
  assertEquals(spans, ["0 ms", "3.3 ms", "12 ms", "999 ms", "1.2 s", "12 s", "4 min", "2 h"]);
  assertEquals([formatCount(1, "tool"), formatCount(1_200, "entry", "entries")], ["1 tool", "1,200 entries"]);
  assertEquals([formatBytes(1), formatBytes(1_234), formatBytes(2_345_678)], ["1 byte", "1.2 kB", "2.3 MB"]);
  assertEquals(formatMoment(Date.parse("2026-11-26T01:02:03.456Z")), "2026-11-26 01:02:03 UTC");
});

Deno.test("diffLines() keeps what is common, in order, and shows what is not", () => {
  const show = (before: string, after: string) =>
    diffLines(before, after).map(({ kind, text }) =>
      ({ same: " ", removed: "-", added: "+", left_out: "…" })[kind] + text
    );
  assertEquals(show("a\nb\nc", "a\nx\nc\nd"), [" a", "-b", "+x", " c", "+d"]);
  assertEquals(show("a", "a"), [" a"]);
  assertEquals(show("", "a"), ["-", "+a"]);
  const long = Array.from({ length: 20 }, (_, index) => String(index));
  const changed = long.with(10, "ten");
  assertEquals(show(long.join("\n"), changed.join("\n")), [
    ...["…7 lines that are the same", " 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13"],
    "…6 lines that are the same",
  ]);
  const many = Array.from({ length: 700 }, (_, index) => `line ${index}`).join("\n");
  assertEquals(show(many, many).at(-1), "…only the first 600 lines are compared");
});

Deno.test("isFromOwnPage() takes the word of a browser alone, and only for its own origin", () => {
  const ask = (headers: Record<string, string>) =>
    isFromOwnPage(
      new Request("http://localhost:8000/ui/x", { method: "POST", headers: { host: "localhost:8000", ...headers } }),
    );
  assertEquals(ask({ origin: "http://localhost:8000" }), true);
  assertEquals(ask({ origin: "https://localhost:8000", "sec-fetch-site": "same-origin" }), true);
  assertEquals(ask({ "sec-fetch-site": "same-origin" }), true);
  for (const origin of ["http://localhost:8001", "http://localhost", "http://evil.test", "null"]) {
    assertEquals(ask({ origin }), false, origin);
  }
  for (const site of ["cross-site", "same-site", "none"]) assertEquals(ask({ "sec-fetch-site": site }), false, site);
  assertEquals(ask({}), false);
});
