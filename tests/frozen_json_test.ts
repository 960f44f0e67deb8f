import { assert, assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MAX_DEPTH, toCanonicalJson, toFrozen } from "../src/frozen_json.ts";

/** The same value with the members of all objects the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, member]) => [key, reversed(member)]));
}

function nested(depth: number): unknown {
  let value: unknown = "deep";
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

Deno.test("toFrozen() copies any JSON value and freezes all of the copy", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const before = JSON.stringify(value);
    const frozen = toFrozen(value);
    assertEquals(JSON.stringify(frozen), before);
    if (typeof value === "object" && value !== null) assertFalse(Object.isFrozen(value));
    const isFrozen = (part: unknown): boolean =>
      typeof part !== "object" || part === null || (Object.isFrozen(part) && Object.values(part).every(isFrozen));
    assert(isFrozen(frozen));
  }));
});

Deno.test("toFrozen() keeps what is neither a plain object nor an array as it is", () => {
  const date = new Date(0);
  assertStrictEquals(toFrozen({ date })?.date, date);
  assertFalse(Object.isFrozen(date));
});

Deno.test("toFrozen() gives undefined for what holds itself or is too deep, and shares nothing of what is shared", () => {
  const circle: Record<string, unknown> = {};
  Object.assign(circle, { a: circle, b: circle });
  assertEquals(toFrozen(circle), undefined);
  assertEquals(toFrozen(nested(MAX_DEPTH)), nested(MAX_DEPTH));
  assertEquals(toFrozen(nested(MAX_DEPTH + 1)), undefined);
  const shared = { x: 1 };
  assertEquals(toFrozen([shared, shared]), [{ x: 1 }, { x: 1 }]);
});

Deno.test("toFrozen() rejects with what a getter throws", () => {
  const value = {
    get broken() {
      throw new Error("own");
    },
  };
  assertThrows(() => toFrozen(value), Error, "own");
});

Deno.test("toCanonicalJson() is JSON that is equal for values that differ in the order of members alone", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (value, other) => {
    const text = toCanonicalJson(value);
    assertEquals(toCanonicalJson(reversed(value)), text);
    assertEquals(toCanonicalJson(JSON.parse(text!)), text);
    assertEquals(text === toCanonicalJson(other), toCanonicalJson([value]) === toCanonicalJson([other]));
  }));
});

Deno.test("toCanonicalJson() tells members called like those of every object apart", () => {
  const texts = ['{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}', "{}", '{"constructor":1}']
    .map((json) => toCanonicalJson(toFrozen(JSON.parse(json))));
  assertEquals(texts, ['{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}', "{}", '{"constructor":1}']);
});

Deno.test("toCanonicalJson() omits members without a value and gives undefined for what is no JSON", () => {
  assertEquals(toCanonicalJson({ b: undefined, a: 1 }), '{"a":1}');
  for (const value of [undefined, NaN, Infinity, 1n, () => 1, new Date(0), [undefined], { a: new Map() }]) {
    assertEquals(toCanonicalJson(value), undefined);
  }
});
