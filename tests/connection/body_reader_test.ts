import { assertEquals } from "@std/assert";
import { BodyReader } from "../../src/connection/body_reader.ts";
import { readAnswer } from "../../src/connection/answer_reader.ts";
import { gzipBomb } from "../support/behaviours.ts";
import { failureOf } from "../support/client_support.ts";
import { startRawServer } from "../support/fault_server.ts";

/** All bytes of a body. */
async function readAll(response: Response): Promise<readonly number[]> {
  const reader = new BodyReader(response, response.body!);
  const bytes: number[] = [];
  for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) bytes.push(...chunk);
  assertEquals(reader.bytes, bytes.length);
  return bytes;
}

for (const size of [0, 1, 4_095, 4_096, 4_097, 100_000]) {
  Deno.test(`BodyReader.read() reads every byte once: ${size} bytes, of a socket and of a stream`, async () => {
    const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251);
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
      return new Response(new Blob([bytes]).stream());
    });
    assertEquals(await readAll(await fetch(`http://127.0.0.1:${server.addr.port}`)), [...bytes]);
    const stream = new ReadableStream({
      start(controller) {
        if (size > 0) controller.enqueue(bytes);
        controller.close();
      },
    });
    assertEquals(await readAll(new Response(stream)), [...bytes]);
  });
}

Deno.test("BodyReader.cancel() ends a reading under way, and never rejects", async () => {
  const reader = new BodyReader(new Response(), new ReadableStream({ type: "bytes" }));
  const reading = reader.read();
  await reader.cancel();
  assertEquals(await reading, undefined);
  await reader.cancel();
});

for (const encoding of ["gzip", "chunked"] as const) {
  Deno.test(`readAnswer() holds a body to the cap that claims a short length: ${encoding}`, async () => {
    const head = ["HTTP/1.1 200 OK", "content-type: application/json", "content-length: 10"];
    const maxBytes = 50_000;
    const caps = { maxBodyBytes: maxBytes, maxEventChars: maxBytes };
    if (encoding === "gzip") {
      await using server = startRawServer({ POST: gzipBomb(10_000_000) });
      const response = await fetch(server.url, { method: "POST" });
      await failureOf(() => readAnswer(response, { server: "files", id: "1", caps }), "too_large");
      return;
    }
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(1024));
      const write = (text: string) => connection.write(new TextEncoder().encode(text));
      await write([...head, "transfer-encoding: chunked", "", ""].join("\r\n"));
      try {
        for (;;) await write(`1000\r\n${"x".repeat(0x1000)}\r\n`);
      } catch {
        // The client has had enough.
      }
    })();
    const response = await fetch(`http://127.0.0.1:${listener.addr.port}`);
    assertEquals(response.headers.get("content-length"), "10");
    await failureOf(() => readAnswer(response, { server: "files", id: "1", caps }), "too_large");
    await serving;
  });
}
