/**
 * Independent opinions of documents.
 *
 * @module
 */

import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Validator } from "@seriousme/openapi-schema-validator";
import { assertEquals } from "@std/assert";

// Making them takes longer than asking them.
const validator = new Validator();
const config = await createConfig({ extends: ["spec"] });

/** Fails where one of two validators finds a fault: the official schema of OpenAPI 3.1, and what it cannot say. */
export async function assertValidDocument(text: string): Promise<void> {
  const { valid, errors } = await validator.validate(JSON.parse(text));
  assertEquals([valid, errors, validator.version], [true, undefined, "3.1"]);
  const problems = await lintFromString({ source: text, config });
  assertEquals(problems.map(({ message, location: [place] }) => `${place?.pointer}: ${message}`), []);
}
