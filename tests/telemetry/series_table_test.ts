import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { OTHER, SeriesTable, toLabel } from "../../src/telemetry/series_table.ts";

const count = () => ({ count: 0 });

Deno.test("SeriesTable.at() keeps a value for each combination of labels", () => {
  const table = new SeriesTable(10, count);
  for (const labels of [["a", "bc"], ["ab", "c"], ["a", "bc"]]) table.at(labels).count++;
  assertEquals(table.list().map(({ labels, value }) => [...labels, value.count]), [["a", "bc", 2], ["ab", "c", 1]]);
});

Deno.test("SeriesTable.at() keeps what comes when it is full under _other, apart by the first label", () => {
  const table = new SeriesTable(2, count);
  for (const labels of [["a", "1"], ["a", "2"], ["a", "3"], ["b", "4"], ["a", "5"], ["a", "1"]]) {
    table.at(labels).count++;
  }
  const kept = table.list().map(({ labels, value }) => [...labels, value.count]);
  assertEquals(kept, [["a", "1", 2], ["a", "2", 1], ["a", OTHER, 2], ["b", OTHER, 1]]);
});

Deno.test("SeriesTable.at() never has the same labels twice, nor more series than agreed, whatever comes", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("a\u202e", "a\u202d", "\ud800", "\udfff", "\n"),
  );
  fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom("Kairos", "Mercurius"), texts, texts)), (all) => {
    const table = new SeriesTable(5, count);
    for (const labels of all) table.at(labels).count++;
    const series = table.list();
    const keys = new Set(series.map(({ labels }) => JSON.stringify(labels)));
    assertEquals([keys.size, series.length <= 7], [series.length, true]);
    assertEquals(series.reduce((sum, { value }) => sum + value.count, 0), all.length);
  }));
});

Deno.test("toLabel() shows nothing that hides, turns or breaks a text, and keeps it short", () => {
  assertEquals(toLabel("read_file"), "read_file");
  assertEquals(toLabel('a"b\\c é 東'), 'a"b\\c é 東');
  assertEquals(toLabel("a\nb\u202ec\u0000\u200b\u001b[31m"), "a\ufffdb\ufffdc\ufffd\ufffd\ufffd[31m");
  assertEquals(toLabel("x\ud83d"), "x\ufffd");
  assertEquals(toLabel("x".repeat(1_000)).length, 128);
});
