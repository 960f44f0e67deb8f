import { assertEquals } from "@std/assert";
import { LineWriter } from "../../src/telemetry/line_writer.ts";
import { until } from "../support/client_support.ts";

const DECODER = new TextDecoder();
const toGap = (lines: number) => `gap of ${lines}`;

/** A place to write to that takes a few bytes at a time, and nothing while its gate is shut. */
function openSink(maxBytes = Infinity) {
  const chunks: string[] = [];
  let gate: PromiseWithResolvers<void> | undefined;
  return {
    chunks,
    shut: () => gate = Promise.withResolvers(),
    open: () => gate?.resolve(),
    async write(bytes: Uint8Array) {
      await gate?.promise;
      const taken = bytes.subarray(0, maxBytes);
      chunks.push(DECODER.decode(taken));
      return taken.length;
    },
  };
}

Deno.test("LineWriter.add() writes what comes in one turn at once, in order", async () => {
  const sink = openSink();
  const writer = new LineWriter({ write: sink.write, toGap });
  for (const line of ["a", "b"]) writer.add(line);
  await writer.flush();
  writer.add("c");
  await writer.flush();
  assertEquals(sink.chunks, ["a\nb\n", "c\n"]);
});

Deno.test("LineWriter.add() writes the first line at once, and gathers those that follow", async () => {
  const sink = openSink();
  const writer = new LineWriter({ write: sink.write, toGap });
  writer.add("a");
  await until(() => sink.chunks.length === 1);
  for (const line of ["b", "c"]) {
    writer.add(line);
    await Promise.resolve();
  }
  await until(() => sink.chunks.length === 2);
  writer.add("d".repeat(70_000));
  writer.add("e");
  await writer.flush();
  const [first, second, ...rest] = sink.chunks;
  assertEquals([first, second, rest.map((chunk) => chunk.length)], ["a\n", "b\nc\n", [70_001, 2]]);
});

Deno.test("LineWriter.add() goes on where only a part was taken", async () => {
  const sink = openSink(3);
  const writer = new LineWriter({ write: sink.write, toGap });
  writer.add("abcdefg");
  await writer.flush();
  assertEquals(sink.chunks, ["abc", "def", "g\n"]);
});

Deno.test("LineWriter.add() leaves out what nobody reads, and says how much", async () => {
  const sink = openSink();
  sink.shut();
  const writer = new LineWriter({ write: sink.write, toGap, maxWaitingChars: 10 });
  for (let index = 0; index < 10; index++) writer.add(`line ${index}`.slice(0, 4) + index);
  sink.open();
  await writer.flush();
  writer.add("next");
  await writer.flush();
  assertEquals(sink.chunks.join(""), "line0\nline1\ngap of 8\nnext\n");
});

Deno.test("LineWriter.add() throws away what cannot be written, and goes on", async () => {
  let broken = true;
  const sink = openSink();
  const write = (bytes: Uint8Array) => broken ? Promise.reject(new Error("broken pipe")) : sink.write(bytes);
  const writer = new LineWriter({ write, toGap });
  writer.add("lost");
  await writer.flush();
  broken = false;
  writer.add("written");
  await writer.flush();
  assertEquals(sink.chunks, ["written\n"]);
});
