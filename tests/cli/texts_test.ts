import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CliError } from "../../src/cli/cli_error.ts";
import { parseDuration } from "../../src/cli/duration.ts";
import { EXIT_MEANINGS, exitCodeOf } from "../../src/cli/exit_codes.ts";
import { toSafeJson } from "../../src/cli/output.ts";
import { ProgressLine } from "../../src/cli/progress_line.ts";
import { reportError } from "../../src/cli/report_error.ts";
import { fitWidth, safeLine, safeText, widthOf } from "../../src/cli/safe_text.ts";
import { createPaint } from "../../src/cli/style.ts";
import { drawTable } from "../../src/cli/table.ts";
import { MCPError } from "../../src/errors.ts";
import { PROBLEM_KINDS } from "../../src/gateway/problem.ts";

const HOSTILE = "a\x1b[31mred\x1b]0;title\x07\u202egnp.exe\u200b\x9b2J\r\nb";
const UNSEEN = /[\p{Cc}\p{Cf}]/u;
const PLAIN = createPaint(false);

Deno.test("safeText() shows what would act on a terminal, and keeps lines", () => {
  const text = safeText(HOSTILE);
  assertEquals(UNSEEN.test(text.replaceAll("\n", "")), false);
  assertStringIncludes(text, "a\\u{1b}[31mred");
  assertEquals(text.split("\n").length, 2);
  assertEquals(safeLine(HOSTILE).includes("\n"), false);
  assertEquals(safeText("ünï 漢字 ✓"), "ünï 漢字 ✓");
});

Deno.test("toSafeJson() is the same value, with nothing that acts on a terminal", () => {
  assertEquals(JSON.parse(toSafeJson({ [HOSTILE]: HOSTILE })), { [HOSTILE]: HOSTILE });
  assertEquals(UNSEEN.test(toSafeJson({ [HOSTILE]: HOSTILE }, 0)), false);
});

Deno.test("widthOf() and fitWidth() count columns, not characters", () => {
  assertEquals([widthOf("abc"), widthOf("漢字"), widthOf("e\u0301"), widthOf("🚢")], [3, 4, 1, 2]);
  assertEquals(fitWidth("漢字漢字", 5), "漢字…");
  assertEquals(fitWidth("abc", 3), "abc");
});

Deno.test("drawTable() aligns columns, leaves empty ones out, and cuts the last one to the terminal", () => {
  const columns = [{ header: "A" }, { header: "EMPTY" }, { header: "N", right: true }, { header: "TEXT" }];
  const rows = [["漢", "", "7", HOSTILE], ["long", "", "1234", "word ".repeat(40)]];
  const lines = drawTable(columns, rows, { paint: PLAIN, columns: 40 }).split("\n");
  assertEquals(lines.map((line) => widthOf(line) <= 40), [true, true, true, true]);
  assertEquals(lines[0], "  A        N  TEXT");
  assertEquals(lines[1]?.startsWith("  漢       7  a\\u{1b}[31mred"), true);
  assertEquals(drawTable(columns, rows, { paint: PLAIN, columns: undefined }).includes("…"), false);
});

Deno.test("ProgressLine writes over one line that fits, clears it, and writes nothing into a pipe", () => {
  const written: string[] = [];
  const stream = (isTerminal: boolean) => ({
    isTerminal,
    columns: 30,
    write: (text: string) => void written.push(text),
  });
  const quiet = new ProgressLine(stream(false), PLAIN);
  quiet.progress({ progress: 1, total: 2 });
  quiet.clear();
  assertEquals(written, []);
  const line = new ProgressLine(stream(true), PLAIN);
  line.progress({ progress: 1, total: 4, message: HOSTILE });
  line.progress({ progress: 9, total: 4 });
  line.progress({ progress: 3, message: "reading" });
  line.clear();
  line.clear();
  assertEquals(written.map((text) => text.startsWith("\r\x1b[K")), [true, true, true, true]);
  assertEquals(written.map((text) => text.slice(4)), [
    "█████░░░░░░░░░░░░░░░ 25 % (1…",
    "████████████████████ 100 % (…",
    "… 3 reading",
    "",
  ]);
});

Deno.test("parseDuration() reads a number with its unit, and nothing else", () => {
  assertEquals(["500ms", "30s", "1.5m", "2h"].map(parseDuration), [500, 30_000, 90_000, 7_200_000]);
  for (const text of ["", "5", "5 s", "-1s", "0s", "99h", "1e3s", "soon"]) {
    assertThrows(() => parseDuration(text), CliError);
  }
});

Deno.test("exitCodeOf() knows every code of a problem, and gives none that the help does not tell", () => {
  const told = new Set(EXIT_MEANINGS.map(([code]) => code));
  const byExit = Map.groupBy(Object.keys(PROBLEM_KINDS), exitCodeOf);
  assertEquals([...byExit.keys()].filter((code) => !told.has(code)), []);
  assertEquals([1, 2, 3, 4, 5, 6, 7].every((code) => byExit.has(code as 1)), true);
  assertEquals(["__proto__", "constructor", "no_such_code"].map(exitCodeOf), [1, 1, 1]);
});

Deno.test("reportError() tells what to do, and nothing of a stack", () => {
  const unknown = reportError(new TypeError("broken\x1b[2J"));
  assertEquals(unknown.exitCode, 1);
  assertEquals(unknown.text, "Cannot finish the command as something failed: TypeError: broken\\u{1b}[2J");
  const lost = reportError(new MCPError("outcome_unknown", "Cannot tell whether the call ran", { server: "files" }));
  assertEquals([lost.exitCode, lost.problem.server], [7, "files"]);
  assertStringIncludes(lost.text, "look whether it has run before you call it again");
});
