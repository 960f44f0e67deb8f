import { assertEquals, assertMatch } from "@std/assert";
import { writeAgentDocument, writeOperations } from "../../src/openapi/agent_document.ts";
import { isJsonObject, type JsonObject, type JsonValue, type Tool } from "../../src/protocol.ts";
import type { OwnedTool } from "../../src/status.ts";
import EVERYTHING from "../models/everything_tools.json" with { type: "json" };
import { assertNoLag } from "../support/event_loop_lag.ts";
import { assertValidDocument } from "./_validators.ts";

const SERVER_URL = "https://gateway.example.com";

function own(tool: Partial<Tool> & { readonly name: string }, name = tool.name): OwnedTool {
  return { name, server: "files", toolName: tool.name, tool: { inputSchema: { type: "object" }, ...tool } };
}

async function textOf(tools: readonly OwnedTool[], agent = "Kairos"): Promise<string> {
  return (await writeAgentDocument(agent, await writeOperations(agent, tools), SERVER_URL)).text;
}

/** The value under a path of keys. */
function at(value: JsonValue, ...path: readonly string[]): JsonValue | undefined {
  let found: JsonValue | undefined = value;
  for (const key of path) found = isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  return found;
}

Deno.test("writeAgentDocument() makes a valid document of the reference server's tools", async () => {
  const text = await textOf((EVERYTHING as unknown as readonly Tool[]).map((tool) => own(tool)));
  await assertValidDocument(text);
  const { paths, openapi, servers } = JSON.parse(text);
  assertEquals([openapi, servers, Object.keys(paths).length], ["3.1.0", [{ url: SERVER_URL }], EVERYTHING.length]);
});

Deno.test("writeAgentDocument() makes a valid document of an agent without tools", async () => {
  await assertValidDocument(await textOf([]));
});

Deno.test("writeOperations() makes each tool an operation that can be called as the gateway serves it", async () => {
  const inputSchema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
  const outputSchema = { type: "object", properties: { sum: { type: "integer" } } };
  const annotations = { title: "Sum it", readOnlyHint: true, "x-evil": 1 };
  const sum = own({ name: "get-sum", description: "Adds", inputSchema, outputSchema, annotations }, "maths__get-sum");
  const text = await textOf([sum, own({ name: "a b/c", title: "Spaced" })], "K å");
  await assertValidDocument(text);
  const document: JsonObject = JSON.parse(text);
  const { paths } = document;
  assertEquals(Object.keys(paths as JsonObject), [
    "/agents/K%20%C3%A5/tools/maths__get-sum",
    "/agents/K%20%C3%A5/tools/a%20b%2Fc",
  ]);
  const operation = at(document, "paths", "/agents/K%20%C3%A5/tools/maths__get-sum", "post")!;
  assertEquals(
    ["operationId", "summary", "description", "tags", "x-mcp-server", "x-mcp-tool", "x-mcp-annotations"].map((key) =>
      at(operation, key)
    ),
    ["maths_get_sum", "Sum it", "Adds", ["files"], "files", "get-sum", { readOnlyHint: true }],
  );
  const schemas = at(document, "components", "schemas")!;
  assertEquals(at(schemas, "maths_get_sum_arguments"), inputSchema);
  assertEquals(at(schemas, "maths_get_sum_output"), outputSchema);
  assertEquals(at(operation, "requestBody", "required"), true);
  const spaced = at(document, "paths", "/agents/K%20%C3%A5/tools/a%20b%2Fc", "post")!;
  assertEquals([at(spaced, "summary"), at(spaced, "requestBody", "required")], ["Spaced", false]);
});

Deno.test("writeOperations() leaves out a tool whose path would be another path", async () => {
  const { paths } = JSON.parse(await textOf([own({ name: "." }), own({ name: ".." }), own({ name: "..." })]));
  assertEquals(Object.keys(paths), ["/agents/Kairos/tools/..."]);
});

const HOSTILE: readonly JsonObject[] = [
  {},
  { type: "array" },
  { type: "object", properties: Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`p${index}`, {}])) },
  { $ref: "#/$defs/none" },
  { $ref: "#" },
  { $ref: "http://169.254.169.254/latest" },
  JSON.parse('{"properties":{"__proto__":{"$ref":"#/properties/__proto__"}},"required":["__proto__"]}'),
  { $id: "http://a", $defs: { a: { $id: "http://a" } } },
  { $schema: 7, type: ["strange"], enum: [], properties: [], items: "x" },
  { anyOf: [{ $ref: "#" }, { $ref: "#/anyOf/0" }] },
];

Deno.test("writeAgentDocument() makes a valid document of hostile tools", async () => {
  const names = [
    "constructor",
    "toString",
    "hasOwnProperty",
    "valueOf",
    "isPrototypeOf",
    "then",
    "default",
    "delete",
    "a",
    "A",
  ];
  const tools = HOSTILE.map((schema, index) =>
    own({
      name: names[index]!,
      title: "*/ <script>",
      description: `\u202e${"x".repeat(10_000)}`,
      inputSchema: schema,
      outputSchema: schema,
    })
  );
  const text = await textOf(tools);
  await assertValidDocument(text);
  assertEquals([text.includes("<script>"), text.includes("\u202e"), text.includes("169.254")], [false, false, false]);
  assertEquals(Object.keys(JSON.parse(text).paths).length, HOSTILE.length);
  for (const { post } of Object.values<{ post: { description: string } }>(JSON.parse(text).paths)) {
    assertEquals(post.description, `${"x".repeat(2_046)}…`);
  }
});

const LARGE = Array.from({ length: 2_000 }, (_, index) => {
  const properties = Object.fromEntries(
    Array.from({ length: 200 }, (_, at) => [`p${index}_${at}`, { type: "string", description: "x".repeat(100) }]),
  );
  return own({ name: `tool_${index}`, inputSchema: { type: "object", properties } });
});

Deno.test("F29 F31 writeOperations() bounds a document of 2,000 large tools, and shows each of them", async () => {
  const text = await textOf(LARGE);
  assertEquals(text.length < 16 * 1024 * 1024, true);
  const { paths, components } = JSON.parse(text);
  assertEquals(Object.keys(paths).length, 2_000);
  assertEquals(Object.keys(components.schemas.tool_0_arguments.properties).length, 200);
  assertEquals(components.schemas.tool_1999_arguments, {
    type: "object",
    description: "The schema is left out, as those of the agent are too large together.",
  });
});

Deno.test("F29 F30 writeOperations() does not stop the event loop", async () => {
  const hostile = Array.from({ length: 50 }, (_, index) => own({ name: `t${index}`, inputSchema: HOSTILE[2]! }));
  await assertNoLag({
    what: "Writing a document",
    plain: () => Promise.resolve(JSON.stringify(LARGE.slice(0, 20))),
    work: () => writeOperations("Kairos", [...LARGE.slice(0, 300), ...hostile]),
  });
});

Deno.test("writeAgentDocument() gives equal tools an equal tag, and others another", async () => {
  const write = async (tools: readonly OwnedTool[], url = SERVER_URL) =>
    (await writeAgentDocument("Kairos", await writeOperations("Kairos", tools), url)).etag;
  const etag = await write([own({ name: "a" })]);
  assertMatch(etag, /^"[0-9a-f]{32}"$/);
  assertEquals(await write([own({ name: "a" })]), etag);
  const others = [await write([own({ name: "b" })]), await write([own({ name: "a", description: "Other" })])];
  others.push(await write([own({ name: "a" })], "https://other.example.com"), await write([]));
  assertEquals([new Set(others).size, others.includes(etag)], [4, false]);
});
