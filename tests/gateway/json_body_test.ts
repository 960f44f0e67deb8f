import { assert, assertEquals, assertRejects } from "@std/assert";
import { readJsonObject } from "../../src/gateway/json_body.ts";
import { RequestError } from "../../src/gateway/request_error.ts";

const JSON_TYPE = { "content-type": "application/json" };

function request(body: BodyInit | null, headers: HeadersInit = JSON_TYPE): Request {
  return new Request("http://gateway.test/", { method: "POST", body, headers });
}

async function refusal(body: BodyInit | null, headers: HeadersInit = JSON_TYPE, maxBytes = 1_000): Promise<string> {
  return (await assertRejects(() => readJsonObject(request(body, headers), maxBytes), RequestError)).code;
}

/** A body in many pieces without a length, and how much of it was asked for. */
function endless(
  piece: string,
): { readonly body: ReadableStream<Uint8Array<ArrayBuffer>>; readonly pulls: () => number } {
  let pulls = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      pulls++;
      controller.enqueue(new TextEncoder().encode(piece));
    },
  });
  return { body, pulls: () => pulls };
}

Deno.test("readJsonObject() reads an object", async () => {
  assertEquals(await readJsonObject(request('{"a":[1,{"b":"ü"}]}'), 100), { a: [1, { b: "ü" }] });
  const utf8 = { "content-type": 'Application/JSON; charset="UTF-8"' };
  assertEquals(await readJsonObject(request("\ufeff{}", utf8), 100), {});
});

Deno.test("readJsonObject() reads no body as an empty object, whatever its type", async () => {
  assertEquals(await readJsonObject(request(null, {}), 100), {});
  assertEquals(await readJsonObject(request("", { "content-type": "text/plain" }), 100), {});
});

Deno.test("S3 readJsonObject() refuses a body over the cap, by its length and while it streams", async () => {
  assertEquals(await refusal(`"${"x".repeat(1_000)}"`), "body_too_large");
  const { body, pulls } = endless(" ".repeat(300));
  assertEquals(await refusal(body), "body_too_large");
  assertEquals(pulls() < 10, true);
  assertEquals(await refusal("{}", { ...JSON_TYPE, "content-length": "99999999999" }), "body_too_large");
});

Deno.test("readJsonObject() takes a body of exactly the cap", async () => {
  assertEquals(await readJsonObject(request(`{"a":"${"x".repeat(92)}"}`), 100), { a: "x".repeat(92) });
});

Deno.test("S3 readJsonObject() refuses what is not JSON, arrays and single values", async () => {
  for (const body of ["{", "{'a':1}", "undefined", "[]", "[{}]", "null", "1", '"text"', "true", "{} {}", "NaN"]) {
    assertEquals(await refusal(body), "invalid_arguments", body);
  }
  assertEquals(await refusal(new Uint8Array([0x7b, 0xff, 0x7d])), "invalid_arguments");
});

Deno.test("S3 readJsonObject() refuses 10,000 levels without running out of stack", async () => {
  const levels = 100_000;
  assertEquals(
    await refusal(`{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`, JSON_TYPE, 1_000_000),
    "invalid_arguments",
  );
  assertEquals(await refusal('{"a":'.repeat(65) + "1" + "}".repeat(65)), "invalid_arguments");
  const deep = await readJsonObject(request('{"a":'.repeat(64) + "1" + "}".repeat(64)), 1_000);
  assertEquals(JSON.stringify(deep).length, 64 * 6 + 1);
});

Deno.test("readJsonObject() does not count brackets inside texts as levels", async () => {
  const text = `\\"${"[{".repeat(100)}\\\\`;
  assertEquals(Object.keys(await readJsonObject(request(`{"a":"${text}"}`), 1_000)), ["a"]);
});

Deno.test("S3 readJsonObject() refuses a number that would be passed on as another one, and no text that holds it", async () => {
  for (const number of ["12345678901234567890", "-9007199254740993", "1e999", "-1E+400", "1".repeat(400)]) {
    assertEquals(await refusal(`{"a":[{"id":${number}}]}`), "invalid_arguments", number);
    assertEquals(await readJsonObject(request(`{"id":"${number}"}`), 1_000), { id: number });
  }
  const exact = "[9007199254740992,100000000000000000000,1e100,0.12345678901234567,-1.5e-300]";
  assertEquals(await readJsonObject(request(`{"a":${exact}}`), 1_000), { a: JSON.parse(exact) });
});

Deno.test("S3 readJsonObject() drops __proto__ and keeps constructor as a member", async () => {
  const body =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"a":[{"\\u005f_proto__":{"polluted":3}}]}';
  const value = await readJsonObject(request(body), 1_000);
  assertEquals(Object.keys(value), ["constructor", "a"]);
  assertEquals(JSON.stringify(value), '{"constructor":{"prototype":{"polluted":2}},"a":[{}]}');
  assertEquals(await readJsonObject(request('{"a":{"\\u005f_proto__":{"polluted":3}}}'), 1_000), { a: {} });
  assertEquals(Object.assign({}, value).polluted, undefined);
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("readJsonObject() refuses other types of body with unsupported_media_type", async () => {
  const types = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonx",
    "application/json; charset=latin1",
  ];
  for (const type of types) assertEquals(await refusal("{}", { "content-type": type }), "unsupported_media_type", type);
  assertEquals(await refusal(new Uint8Array([0x7b, 0x7d]), {}), "unsupported_media_type");
  assertEquals(await refusal("{}", { ...JSON_TYPE, "content-encoding": "gzip" }), "unsupported_media_type");
});

Deno.test("readJsonObject() gives up on a body that drips", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"a":')),
    cancel: () => void (cancelled = true),
  });
  const headers = { "content-type": "application/json" };
  const request = new Request("http://localhost/", { method: "POST", headers, body });
  const error = await assertRejects(() => readJsonObject(request, 1_000, 20), RequestError);
  assertEquals(error.code, "body_timeout");
  assert(cancelled);
});

/** Sends bodies over a connection, as callers do, and tells what they are read as. */
async function overHttp(maxBytes: number, timeoutMs: number, send: (url: URL) => Promise<unknown>): Promise<unknown[]> {
  const read: unknown[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const value = await readJsonObject(request, maxBytes, timeoutMs).catch((error) => error.code);
    read.push(value);
    return new Response(null, { status: 204, headers: { connection: "close" } });
  });
  await send(new URL(`http://127.0.0.1:${server.addr.port}/`));
  return read;
}

Deno.test("readJsonObject() reads what comes with its length as what comes in pieces", async () => {
  const bodies: readonly (readonly [body: BodyInit, type: string])[] = [
    ['{"a":[1,{"b":"ü"}]}', "application/json"],
    ["\ufeff{}", "application/json"],
    ["", "text/plain"],
    ["{}", "text/plain"],
    ["{", "application/json"],
    [new Uint8Array([0x7b, 0xff, 0x7d]), "application/json"],
    ['{"a":'.repeat(65) + "1" + "}".repeat(65), "application/json"],
    [`{"a":"${"x".repeat(1_000)}"}`, "application/json"],
    ['{"__proto__":{"polluted":1},"a":1}', "application/json"],
  ];
  const sendAll = (toBody: (body: BodyInit) => BodyInit) => async (url: URL) => {
    for (const [body, type] of bodies) {
      const init = { method: "POST", body: toBody(body), headers: { "content-type": type } };
      await (await fetch(url, init)).body?.cancel();
    }
  };
  const whole = await overHttp(1_000, 10_000, sendAll((body) => body));
  const pieces = await overHttp(1_000, 10_000, sendAll((body) => new Response(body).body ?? ""));
  const invalid = "invalid_arguments";
  const tooLong = "body_too_large";
  const expected = [{ a: [1, { b: "ü" }] }, {}, {}, "unsupported_media_type", invalid, invalid, invalid, tooLong, {
    a: 1,
  }];
  assertEquals([whole, pieces], [expected, expected]);
});

Deno.test("readJsonObject() gives up on a body that does not come in the length that was given", async () => {
  const read = await overHttp(1_000, 20, async ({ hostname, port }) => {
    using connection = await Deno.connect({ hostname, port: Number(port) });
    const head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    await connection.write(new TextEncoder().encode(`${head}{"a":`));
    const answer = new Uint8Array(1_000);
    const bytes = await connection.read(answer) ?? 0;
    assertEquals(new TextDecoder().decode(answer.subarray(0, bytes)).slice(0, 12), "HTTP/1.1 204");
  });
  assertEquals(read, ["body_timeout"]);
});

for (const [length, headers] of Object.entries({ "a length": { "content-length": "20" }, "no length": {} })) {
  Deno.test(`readJsonObject() refuses a body with ${length} that breaks off`, async () => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => controller.error(new TypeError("The connection was lost")),
    });
    assertEquals(await refusal(body, { ...JSON_TYPE, ...headers }), "invalid_arguments");
  });
}
