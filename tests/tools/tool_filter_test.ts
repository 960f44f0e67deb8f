import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { isToolAllowed, type ToolFilter } from "../../src/tools/tool_filter.ts";

const CASES: readonly (readonly [ToolFilter | undefined, string, boolean])[] = [
  [undefined, "read", true],
  [{}, "read", true],
  [{ allow: undefined, deny: undefined }, "read", true],
  [{ allow: ["*"] }, "", true],
  [{ allow: [] }, "read", false],
  [{ allow: ["read"] }, "read", true],
  [{ allow: ["read"] }, "read_file", false],
  [{ allow: ["read"] }, "Read", false],
  [{ allow: ["read_*"] }, "read_file", true],
  [{ allow: ["read_*"] }, "read_", true],
  [{ allow: ["*_file"] }, "read_file", true],
  [{ allow: ["*_file"] }, "read_file_", false],
  [{ allow: ["a*b*c"] }, "aXbYbc", true],
  [{ allow: ["a*b*c"] }, "acb", false],
  [{ allow: ["a**b"] }, "ab", true],
  [{ allow: [""] }, "", true],
  [{ allow: [""] }, "a", false],
  [{ allow: ["re.d"] }, "read", false],
  [{ allow: ["re?d"] }, "read", false],
  [{ allow: ["[a-z]*"] }, "read", false],
  [{ deny: ["delete_*"] }, "delete_file", false],
  [{ deny: ["delete_*"] }, "read_file", true],
  [{ deny: [] }, "read", true],
  [{ allow: ["read"], deny: ["*"] }, "read", false],
  [{ allow: ["read"] }, "constructor", false],
  [{ allow: ["read", "*"] }, "__proto__", true],
];

for (const [filter, name, expected] of CASES) {
  Deno.test(`isToolAllowed() is ${expected} for "${name}" with ${JSON.stringify(filter)}`, () => {
    assertEquals(isToolAllowed(filter, name), expected);
  });
}

Deno.test("isToolAllowed() agrees with a regular expression", () => {
  const pattern = fc.array(fc.constantFrom("*", "a", "b", ".", "\n"), { maxLength: 7 }).map((parts) => parts.join(""));
  const name = fc.array(fc.constantFrom("a", "b", ".", "\n", "*"), { maxLength: 8 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(pattern, name, (glob, tool) => {
      const source = glob.split("*").map((part) => RegExp.escape(part)).join("[^]*");
      assertEquals(isToolAllowed({ allow: [glob] }, tool), new RegExp(`^(?:${source})$`).test(tool));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("isToolAllowed() is quick with a hostile pattern", () => {
  const start = performance.now();
  isToolAllowed({ allow: [`${"*a".repeat(64)}b`] }, "a".repeat(100_000));
  assertLess(performance.now() - start, 1_000);
});
