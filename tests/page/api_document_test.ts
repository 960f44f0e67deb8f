import { assert, assertEquals } from "@std/assert";
import { writeAgentDocument, writeOperations } from "../../src/openapi/agent_document.ts";
import { writeGatewayDocument } from "../../src/openapi/gateway_document.ts";
import { GATEWAY_ROUTES } from "../../src/openapi/gateway_routes.ts";
import { ApiDocument } from "../../src/page/api_document.ts";
import { toTypeLines } from "../../src/page/type_lines.ts";
import type { JsonObject, Tool } from "../../src/protocol.ts";

async function readGateway(): Promise<ApiDocument> {
  return new ApiDocument(JSON.parse((await writeGatewayDocument()).text));
}

async function readAgent(...tools: readonly Tool[]): Promise<ApiDocument> {
  const owned = tools.map((tool) => ({ name: tool.name, server: "files", toolName: tool.name, tool }));
  const { text } = await writeAgentDocument("Kairos", await writeOperations("Kairos", owned), "http://gateway.test");
  return new ApiDocument(JSON.parse(text));
}

function typeOf(schema: JsonObject): string {
  return toTypeLines(schema).map(({ depth, code, note }) => `${" ".repeat(depth)}${code}${note && ` // ${note}`}`).join(
    "\n",
  );
}

Deno.test("ApiDocument lists every operation of the gateway, in groups with their descriptions", async () => {
  const document = await readGateway();
  assertEquals(document.operations.length, GATEWAY_ROUTES.length);
  const groups = document.group(document.operations);
  assertEquals(groups.flatMap(({ operations }) => operations).length, GATEWAY_ROUTES.length);
  assert(groups.every(({ description }) => description !== ""));
  assertEquals(document.find("no such"), undefined);
});

Deno.test("ApiDocument.open() finds what references lead to: parameters, a body that stands alone, problem codes", async () => {
  const document = await readGateway();
  const batch = document.open(document.find("callTools")!);
  assertEquals(batch.parameters.map(({ name, place, isRequired }) => [name, place, isRequired]), [
    ["agent", "path", true],
    ["Idempotency-Key", "header", false],
    ["X-Request-Timeout-Ms", "header", false],
  ]);
  assertEquals([batch.method, batch.canStream, batch.isKeyless, batch.isDangerous], ["POST", true, false, false]);
  const { components, ...schema } = batch.body!.schema as { components: { schemas: JsonObject } } & JsonObject;
  assertEquals(schema, { $ref: "#/components/schemas/Batch" });
  assertEquals(Object.keys(components.schemas).sort(), ["Arguments", "Batch", "BatchCall"]);
  const missing = batch.responses.find(({ status }) => status === "404");
  assertEquals(missing?.codes, ["agent_not_found"]);
});

Deno.test("ApiDocument.open() marks what may not be brought back", async () => {
  const document = await readGateway();
  const dangerous = document.operations.map((entry) => document.open(entry)).filter(({ isDangerous }) => isDangerous);
  const expected = GATEWAY_ROUTES.filter(({ method, path }) =>
    method === "delete" || (path.startsWith("/admin/") && method !== "get")
  );
  assertEquals(dangerous.map(({ id }) => id).sort(), expected.map(({ id }) => id).sort());
  const inputSchema = { type: "object" };
  const agent = await readAgent(
    { name: "wipe", inputSchema, annotations: { destructiveHint: true } },
    { name: "read", inputSchema },
  );
  assertEquals(agent.operations.map((entry) => agent.open(entry).isDangerous), [true, false]);
});

Deno.test("ApiDocument shows what servers say as it is, without what is not seen, and knows tools by their names", async () => {
  const document = await readAgent({
    name: "größe/x",
    description: "Reads <b> & [links](x) \u202e\u0007",
    inputSchema: { type: "object" },
  }, { name: "b", title: "A title", description: "More", inputSchema: { type: "object" } });
  const [first, second] = document.operations.map((entry) => document.open(entry));
  assertEquals([first?.tool, first?.summary], ["größe/x", "Reads <b> & [links](x)"]);
  assertEquals([second?.tool, second?.summary, second?.description], ["b", "A title", "More"]);
});

Deno.test("toTypeLines() writes a schema as a type with notes, each named type once, and ends where it holds itself", () => {
  const node = {
    type: "object",
    description: "A node.",
    required: ["id"],
    properties: {
      id: { type: ["string", "null"], description: "Its name." },
      kind: { enum: ["a", "b"] },
      next: { $ref: "#/components/schemas/x.Node" },
      "odd key": { type: "array", items: { anyOf: [{ type: "string" }, { const: 3 }] } },
      rows: { type: "array", items: { type: "object", properties: { at: { type: "number" } } } },
      more: { type: "object", additionalProperties: { type: "boolean" } },
      any: true,
    },
  };
  const schema = { $ref: "#/components/schemas/x.Node", components: { schemas: { "x.Node": node } } };
  assertEquals(
    typeOf(schema),
    `{ // A node.
 id: string | null // Its name.
 kind?: "a" | "b"
 next?: Node
 "odd key"?: (string | 3)[]
 rows?: {
  at?: number
 }[]
 more?: { [name]: boolean }
 any?: any
}`,
  );
});

Deno.test("toTypeLines() is bounded, whatever a server calls a schema", () => {
  const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`p${at}`, { enum: Array(500).fill(at) }]));
  assertEquals(toTypeLines({ properties: wide }).length, 201);
  let deep: JsonObject = { type: "string" };
  for (let level = 0; level < 50; level++) deep = { type: "object", properties: { deeper: deep } };
  assert(toTypeLines(deep).length < 20);
  assertEquals(typeOf({ type: 3, enum: "x", items: [], $ref: 5 } as unknown as JsonObject), "3");
});
