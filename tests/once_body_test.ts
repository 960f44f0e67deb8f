import { assert, assertEquals } from "@std/assert";
import { toOnceBody } from "../src/once_body.ts";

Deno.test("toOnceBody() makes a body that is sent as it is, with its length and no type of its own", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { headers } = request;
    const head = ["content-length", "transfer-encoding", "content-type"].map((name) => headers.get(name));
    return Response.json([...head, await request.text()]);
  });
  for (const text of ['{"text":"ahoy"}', "größer als ein Byte ⚓", "x".repeat(300_000)]) {
    const response = await fetch(`http://127.0.0.1:${server.addr.port}`, { method: "POST", body: toOnceBody(text) });
    const { length } = new TextEncoder().encode(text);
    assertEquals(await response.json(), [`${length}`, null, null, text]);
  }
});

Deno.test("toOnceBody() makes what other implementations of fetch take for a blob", async () => {
  const body = toOnceBody("ahoy");
  assert(body instanceof Blob);
  assertEquals([body.size, body.type, await new Response(body.stream()).text()], [4, "", "ahoy"]);
});
