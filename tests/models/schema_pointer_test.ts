import { assertEquals } from "@std/assert";
import { lookUp } from "../../src/models/schema_pointer.ts";

const SCHEMA = {
  $defs: { "List<int>": 1, "a/b": 2, "a~b": 3, "50%": 4 },
  anyOf: ["first", "second"],
};

Deno.test("lookUp() follows pointers with escapes of both kinds, and through lists", () => {
  assertEquals(lookUp(SCHEMA, "#/$defs/List%3Cint%3E"), 1);
  assertEquals(lookUp(SCHEMA, "#/%24defs/List<int>"), 1);
  assertEquals(lookUp(SCHEMA, "#/$defs/a~1b"), 2);
  assertEquals(lookUp(SCHEMA, "#/$defs/a~0b"), 3);
  assertEquals(lookUp(SCHEMA, "#/$defs/50%"), 4);
  assertEquals(lookUp(SCHEMA, "#/anyOf/1"), "second");
});

Deno.test("lookUp() finds nothing where nothing is, or where it is not asked within the schema", () => {
  for (
    const reference of ["#/none", "#/anyOf/2", "#/anyOf/", "#/anyOf/length", "#/toString", "#here", "other#/anyOf"]
  ) {
    assertEquals(lookUp(SCHEMA, reference), undefined);
  }
});
