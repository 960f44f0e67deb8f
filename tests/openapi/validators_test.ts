import { assertRejects } from "@std/assert";
import { assertValidDocument } from "./_validators.ts";

function toDocument(schema: unknown): string {
  const content = { "application/json": { schema } };
  const responses = { 200: { description: "Answered.", content } };
  return JSON.stringify({
    openapi: "3.1.0",
    info: { title: "Test", version: "1" },
    paths: { "/call": { get: { operationId: "call", responses } } },
  });
}

Deno.test("assertValidDocument() finds what is wrong with a document, and with a schema in it", async () => {
  await assertValidDocument(toDocument({ type: "string" }));
  for (const schema of [{ type: "strange" }, { $ref: "#/components/schemas/None" }, { required: "a" }, { foo: 1 }, 7]) {
    await assertRejects(() => assertValidDocument(toDocument(schema)), Error);
  }
});
