import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { createVendorNames, TOOL_NAME } from "../../src/models/vendor_names.ts";

Deno.test("createVendorNames() keeps a name that fits", () => {
  const names = ["a", "read_file", "list-files", "x".repeat(64), "__proto__", "constructor"];
  assertEquals([...createVendorNames(names).byName], names.map((name) => [name, name]));
});

Deno.test("createVendorNames() keeps the readable part of a name that does not fit", () => {
  const { byName } = createVendorNames(["files.read", "über/maß", "日本語", "", `${"long_".repeat(20)}end`]);
  const made = [...byName.values()];
  assertEquals(made.map((name) => TOOL_NAME.test(name)), made.map(() => true));
  assert(made[0]!.startsWith("files_read_"));
  assert(made[1]!.startsWith("ber_ma_"));
  assert(made[2]!.startsWith("tool_"));
  assert(made[4]!.startsWith("long_long_"));
});

Deno.test("createVendorNames() leads back from every name, whatever the names are", () => {
  const name = fc.oneof(
    fc.string(),
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("a.b", "a_b", "a/b", "a b", "A.b"),
  );
  fc.assert(fc.property(fc.array(name), (names) => {
    const { byName, byVendorName } = createVendorNames(names);
    assertEquals(byName.size, new Set(names).size);
    assertEquals(byVendorName.size, byName.size);
    for (const one of names) {
      assert(TOOL_NAME.test(byName.get(one)!));
      assertEquals(byVendorName.get(byName.get(one)!), one);
    }
    const reversed = createVendorNames([...names].reverse());
    for (const one of names) assertEquals(reversed.byName.get(one), byName.get(one));
  }));
});

Deno.test("createVendorNames() salts a made-up name that another name has already", () => {
  const made = createVendorNames(["a.b"]).byName.get("a.b")!;
  const { byName, byVendorName } = createVendorNames([made, "a.b"]);
  assertEquals(byName.get(made), made);
  assertNotEquals(byName.get("a.b"), made);
  assertEquals(byVendorName.get(byName.get("a.b")!), "a.b");
});

Deno.test("createVendorNames() goes by the rule that it is given", () => {
  const { byName } = createVendorNames(["a.b", "$top"], /^[a-z.]{1,9}$/);
  assertEquals(byName.get("a.b"), "a.b");
  assert(byName.get("$top")!.startsWith("top_"));
});
