import { assertEquals } from "@std/assert";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { SchemaChecker } from "../../src/schema/schema_checker.ts";

/** The `$schema` of draft-07. */
export const DRAFT_07 = "http://json-schema.org/draft-07/schema#";

/** A schema with values that fit and values that do not. */
export interface Row {
  /** What the schema is about. */
  readonly what: string;
  /** The schema. */
  readonly schema: JsonObject;
  /** Values that fit. */
  readonly fits: readonly JsonValue[];
  /** Values that do not. */
  readonly fails: readonly JsonValue[];
}

/**
 * Registers a test for each row.
 *
 * @param draft The draft, for the name of the test.
 * @param rows The rows.
 */
export function verdictTests(draft: string, rows: readonly Row[]): void {
  for (const { what, schema, fits, fails } of rows) {
    Deno.test(`SchemaChecker.check() in ${draft}: ${what}`, async () => {
      const checker = new SchemaChecker();
      const kindOf = async (value: JsonValue) => [value, (await checker.check(schema, value)).kind];
      assertEquals(await Promise.all(fits.map(kindOf)), fits.map((value) => [value, "valid"]));
      assertEquals(await Promise.all(fails.map(kindOf)), fails.map((value) => [value, "invalid"]));
    });
  }
}
