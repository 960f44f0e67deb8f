import { assertEquals, assertNotEquals } from "@std/assert";
import { toSortedText } from "../src/protocol.ts";

Deno.test("toSortedText() tells apart what is different, and nothing else", () => {
  assertEquals(toSortedText({ a: 1, b: { d: [1, 2], c: undefined } }), toSortedText({ b: { d: [1, 2] }, a: 1 }));
  assertNotEquals(toSortedText({ a: [1, 2] }), toSortedText({ a: [2, 1] }));
  assertNotEquals(toSortedText({ a: "1" }), toSortedText({ a: 1 }));
});
