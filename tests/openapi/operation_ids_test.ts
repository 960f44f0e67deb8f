import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { toOperationIds } from "../../src/openapi/operation_ids.ts";

Deno.test("toOperationIds() keeps names that are identifiers and mends others", async () => {
  const ids = await toOperationIds(["read_file", "listAll", "get-sum", "a.b:c/d e", "2fa", "constructor", "_x_"]);
  assertEquals([...ids.values()], ["read_file", "listAll", "get_sum", "a_b_c_d_e", "tool_2fa", "constructor", "x"]);
});

Deno.test("toOperationIds() tells names apart that generators would make equal", async () => {
  const names = ["get-sum", "get_sum", "getSum", "GetSum", "get.sum", "读取", "写入", "tool_2fa", "2fa"];
  const ids = await toOperationIds(names);
  const forms = [...ids.values()].map((id) => id.replaceAll("_", "").toLowerCase());
  assertEquals(new Set(forms).size, names.length);
  for (const id of ids.values()) assertMatch(id, /^[A-Za-z][A-Za-z0-9_]*$/);
});

Deno.test("toOperationIds() is injective and says the same whatever the order of the names", async () => {
  const name = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_.\-/: ]{1,40}$/),
    fc.stringMatching(/^[aA]?[-_.]?[bB][-_.]?[0-9]$/),
    fc.string({ unit: "binary", minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed()),
  );
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(names, async (names) => {
      const ids = await toOperationIds(names);
      const forms = new Set([...ids.values()].map((id) => id.replaceAll("_", "").toLowerCase()));
      assertEquals([ids.size, forms.size], [names.length, names.length]);
      for (const id of ids.values()) assertMatch(id, /^[A-Za-z][A-Za-z0-9_]*$/);
      const reversed = await toOperationIds([...names].reverse());
      assertEquals(Object.fromEntries(reversed), Object.fromEntries(ids));
    }),
    { numRuns: 200 },
  );
});
