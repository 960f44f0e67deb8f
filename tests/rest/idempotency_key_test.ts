import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { RequestError } from "../../src/gateway/request_error.ts";
import { isIdempotencyKey, parseIdempotencyKey, toCallMark } from "../../src/rest/idempotency_key.ts";

Deno.test("parseIdempotencyKey() takes a string in quotes and the same characters without them as one key", () => {
  assertEquals(parseIdempotencyKey(undefined), undefined);
  const id = "8e03978e-40d5-43dd-bc93-6894a57f9324";
  assertEquals([parseIdempotencyKey(`"${id}"`), parseIdempotencyKey(id)], [id, id]);
  assertEquals(parseIdempotencyKey('"a \\"key\\" \\\\ of mine"'), 'a "key" \\ of mine');
  assertEquals(parseIdempotencyKey("x".repeat(255)), "x".repeat(255));
  assertEquals(parseIdempotencyKey(`"${'\\"'.repeat(255)}"`), '"'.repeat(255));
});

for (
  const header of [
    "",
    '""',
    '"open',
    'open"',
    '"a\\b"',
    "a b",
    "one, two",
    "one,two",
    '"one", "two"',
    '"key";parameter=1',
    "key;parameter",
    "é",
    '"é"',
    "a\tb",
    "x".repeat(256),
    `"${"x".repeat(256)}"`,
  ]
) {
  Deno.test(`parseIdempotencyKey() refuses ${JSON.stringify(header.slice(0, 20))} of ${header.length} characters`, () => {
    const error = assertThrows(() => parseIdempotencyKey(header), RequestError);
    assertEquals(error.code, "invalid_header");
  });
}

Deno.test("isIdempotencyKey() is true for what a header can give", () => {
  assertEquals(["a", "a b", '"', "x".repeat(255)].map(isIdempotencyKey), [true, true, true, true]);
  assertEquals(["", "é", "\n", "x".repeat(256)].map(isIdempotencyKey), [false, false, false, false]);
});

Deno.test("toCallMark() gives each caller, agent, key and place in a batch a mark of its own", async () => {
  const call = { caller: "key:a", agent: "Kairos", key: ["k"], tool: "search", args: { a: 1, b: [{ c: 1, d: 2 }] } };
  const mark = await toCallMark(call);
  const others = [
    { ...call, caller: "key:b" },
    { ...call, agent: "Mercurius" },
    { ...call, key: ["k", "0"] },
    { ...call, key: ["k2"] },
    { ...call, caller: 'key:a","Kairos', agent: "k", key: [] },
  ];
  const ids = new Set((await Promise.all(others.map(toCallMark))).map(({ id }) => id)).add(mark.id);
  assertEquals(ids.size, others.length + 1);
});

Deno.test("toCallMark() knows a call again by its tool and its arguments, whatever the order of their members", async () => {
  const call = { caller: "key:a", agent: "Kairos", key: ["k"], tool: "search", args: { a: 1, b: [{ c: 1, d: 2 }] } };
  const mark = await toCallMark(call);
  assertEquals(await toCallMark({ ...call, args: { b: [{ d: 2, c: 1 }], a: 1 } }), mark);
  for (const other of [{ ...call, tool: "find" }, { ...call, args: { a: 2, b: [] } }, { ...call, args: {} }]) {
    const { id, fingerprint } = await toCallMark(other);
    assertEquals(id, mark.id);
    assertNotEquals(fingerprint, mark.fingerprint);
  }
});

Deno.test("toCallMark() shows neither the caller, the key nor the arguments", async () => {
  const text = JSON.stringify(
    await toCallMark({ caller: "canary", agent: "canary", key: ["canary"], tool: "canary", args: { a: "canary" } }),
  );
  assertEquals(text.includes("canary"), false);
});
