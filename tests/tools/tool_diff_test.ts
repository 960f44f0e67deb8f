import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Tool } from "../../src/protocol.ts";
import { diffTools } from "../../src/tools/tool_diff.ts";

const tool = (name: string, more: Partial<Tool> = {}): Tool => ({ name, inputSchema: { type: "object" }, ...more });

Deno.test("diffTools() is undefined where nothing differs, also in another order", () => {
  const [a, b] = [tool("a"), tool("b", { description: "B" })];
  assertEquals(diffTools([], []), undefined);
  assertEquals(diffTools([a, b], [b, a]), undefined);
  assertEquals(diffTools([a, b], [structuredClone(b), structuredClone(a)]), undefined);
});

Deno.test("diffTools() names what is new, gone and changed", () => {
  const before = [tool("stays"), tool("goes"), tool("changes", { description: "before" }), tool("constructor")];
  const after = [tool("comes"), tool("changes", { description: "after" }), tool("stays"), tool("toString")];
  assertEquals(diffTools(before, after), {
    added: ["comes", "toString"],
    removed: ["goes", "constructor"],
    changed: ["changes"],
  });
});

for (
  const [what, change] of Object.entries<Partial<Tool>>({
    description: { description: "other" },
    title: { title: "other" },
    "input schema": { inputSchema: { type: "object", required: ["x"] } },
    "output schema": { outputSchema: { type: "object" } },
    hints: { annotations: { readOnlyHint: true } },
  })
) {
  Deno.test(`diffTools() sees a change of the ${what}`, () => {
    assertEquals(diffTools([tool("t")], [tool("t", change)]), { added: [], removed: [], changed: ["t"] });
  });
}

Deno.test("diffTools() puts every name where it belongs, and both directions agree", () => {
  const list = fc.uniqueArray(
    fc.record({ name: fc.constantFrom(..."abcdef"), description: fc.constantFrom("1", "2") }),
    {
      selector: ({ name }) => name,
    },
  ).map((tools) => tools.map(({ name, description }) => tool(name, { description })));
  fc.assert(fc.property(list, list, (before, after) => {
    const [there, back] = [diffTools(before, after), diffTools(after, before)];
    assertEquals([there?.added, there?.removed], [back?.removed, back?.added]);
    assertEquals(new Set(there?.changed), new Set(back?.changed));
    const old = new Map(before.map(({ name, description }) => [name, description]));
    for (const { name, description } of after) {
      const place = !old.has(name) ? "added" : old.get(name) === description ? undefined : "changed";
      for (const kind of ["added", "changed"] as const) {
        assertEquals(there?.[kind].includes(name) ?? false, place === kind);
      }
    }
  }));
});
