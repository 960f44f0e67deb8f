import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { nearestNames } from "../src/nearest.ts";

const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["serch", ["write", "search"], ["search"]],
  ["hedaers", ["url", "headers"], ["headers"]],
  ["timeout", ["url", "timeoutMs"], ["timeoutMs"]],
  ["URL", ["url"], ["url"]],
  ["ab", ["ba", "xy"], ["ba"]],
  ["search", ["searchx", "search", "serch"], ["search", "searchx", "serch"]],
  ["b", ["d", "c", "a"], ["a", "c", "d"]],
  ["read_file", ["delete_everything"], []],
  ["__proto__", ["constructor", "toString"], []],
  ["", ["a", "ab"], ["a"]],
  ["a", [], []],
];

for (const [name, candidates, expected] of CASES) {
  Deno.test(`nearestNames() gives ${JSON.stringify(expected)} for "${name}" among ${JSON.stringify(candidates)}`, () => {
    assertEquals(nearestNames(name, candidates), expected);
  });
}

Deno.test("nearestNames() gives at most max names", () => {
  assertEquals(nearestNames("tool1", ["tool2", "tool3", "tool4", "tool5"], 2), ["tool2", "tool3"]);
  assertEquals(nearestNames("tool1", ["tool2"], 0), []);
});

Deno.test("nearestNames() does not depend on the order of the candidates", () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 12 });
  fc.assert(fc.property(fc.string({ maxLength: 6 }), names, (name, candidates) => {
    assertEquals(nearestNames(name, candidates), nearestNames(name, candidates.toReversed()));
  }));
});

Deno.test("nearestNames() finds a name again after one slip anywhere", () => {
  const slip = fc.tuple(fc.stringMatching(/^[a-z]{4,12}$/), fc.nat(), fc.constantFrom("add", "drop", "swap"));
  fc.assert(fc.property(slip, ([name, seed, kind]) => {
    const at = seed % (name.length - 1);
    const [a = "", b = ""] = name.slice(at, at + 2);
    const middle = kind === "add" ? `${a}0${b}` : kind === "drop" ? a : b + a;
    const slipped = name.slice(0, at) + middle + name.slice(at + 2);
    assertEquals(nearestNames(slipped, [name]), [name]);
  }));
});

Deno.test("nearestNames() is quick with 10,000 candidates of any length", () => {
  const candidates = Array.from({ length: 10_000 }, (_, index) => `${"x".repeat(60)}${index}`);
  const start = performance.now();
  nearestNames("x".repeat(100_000), candidates);
  assertLess(performance.now() - start, 1_000);
});
