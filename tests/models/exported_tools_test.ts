import { assertEquals, assertThrows } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { toAnthropicTools, toOpenAITools } from "@portolan/mcp/models";
import { lookUp } from "../../src/models/schema_pointer.ts";
import type { Tool } from "../../src/protocol.ts";
import { HUNDRED_TOOLS } from "./hundred_tools.ts";

const READ: Tool = {
  name: "files.read",
  title: "Read",
  description: "Reads a file",
  inputSchema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
  annotations: { readOnlyHint: true, idempotentHint: true, destructiveHint: false },
};

Deno.test("toOpenAITools() gives the shape of each API and always says whether it is strict", () => {
  const { tools } = toOpenAITools([READ]);
  const name = tools[0]!.name;
  const parameters = READ.inputSchema;
  const named = { name, description: "Reads a file", parameters: { ...parameters, type: "object" }, strict: false };
  assertEquals<unknown>(tools, [{ type: "function", ...named }]);
  assertEquals<unknown>(toOpenAITools([READ], { api: "chat" }).tools, [{ type: "function", function: named }]);
});

Deno.test("toOpenAITools() asks for strict mode where a schema allows it as it is", () => {
  const closed = { ...READ, name: "closed", inputSchema: { ...READ.inputSchema, additionalProperties: false } };
  const { tools } = toOpenAITools([READ, closed], { strict: "where_possible" });
  assertEquals(tools.map(({ strict }) => strict), [false, true]);
});

Deno.test("toOpenAITools() cuts a description at 1024 characters and says so", () => {
  const long = { ...READ, name: "long", description: "word ".repeat(300) };
  const { tools, changes } = toOpenAITools([long, { ...long, name: "short", description: "x".repeat(1_024) }]);
  assertEquals(tools.map(({ description }) => [description!.length <= 1_024, description!.at(-1)]), [
    [true, "…"],
    [true, "x"],
  ]);
  assertEquals(changes, [{ tool: "long", change: "description_cut" }]);
  assertEquals(toOpenAITools([long], { maxDescriptionChars: 0 }).tools[0]!.description, undefined);
});

Deno.test("toOpenAITools() does not cut a character in half", () => {
  const { tools } = toOpenAITools([{ ...READ, description: "a😀b" }], { maxDescriptionChars: 3 });
  assertEquals(tools[0]!.description, "a…");
});

Deno.test("toOpenAITools() refuses a cap that is no whole number", () => {
  for (const maxDescriptionChars of [-1, 1.5, NaN]) {
    assertThrows(() => toOpenAITools([READ], { maxDescriptionChars }), RangeError);
  }
});

Deno.test("toOpenAITools() folds alternatives at the top of a schema and says so", () => {
  const tool = { ...READ, name: "either", inputSchema: { oneOf: [{ required: ["a"] }, { required: ["b"] }] } };
  const { tools, changes } = toOpenAITools([tool]);
  assertEquals(Object.keys(tools[0]!.parameters), ["type", "properties", "description"]);
  assertEquals(changes, [{ tool: "either", change: "alternatives_folded" }]);
});

Deno.test("toOpenAITools() adds title and hints to a description when asked", () => {
  const of = (tool: Tool) => toOpenAITools([tool], { includeHints: true }).tools[0]!.description;
  assertEquals(of(READ), "Read: Reads a file (read-only, idempotent)");
  assertEquals(of({ name: "x", inputSchema: {}, annotations: { title: "x", destructiveHint: true } }), "(destructive)");
  assertEquals(of({ name: "x", inputSchema: {} }), undefined);
});

Deno.test("ExportedTools.nameOf() leads back, and to nothing from a name that was not exported", () => {
  const { tools, nameOf, changes } = toOpenAITools([READ, { ...READ, name: "files_read" }]);
  assertEquals(tools.map(({ name }) => nameOf(name)), ["files.read", "files_read"]);
  assertEquals([nameOf("files.read"), nameOf("toString"), nameOf("")], [undefined, undefined, undefined]);
  assertEquals(changes, [{ tool: "files.read", change: "renamed" }]);
});

Deno.test("ExportedTools.callOf() takes arguments as an object and as JSON text", () => {
  const { tools, callOf } = toOpenAITools([READ]);
  const name = tools[0]!.name;
  for (const input of [{ path: "a" }, '{"path":"a"}']) {
    assertEquals(callOf(name, input), { name: "files.read", args: { path: "a" } });
  }
  for (const input of ["", " ", {}]) assertEquals(callOf(name, input)?.args, {});
  assertEquals(callOf("other", {}), undefined);
});

Deno.test("ExportedTools.callOf() throws invalid_arguments for anything else, and does not repeat it", () => {
  const { tools, callOf } = toOpenAITools([READ]);
  for (const input of ['{"path":"hunter22', "[]", "null", [], null, 1, undefined]) {
    const error = assertThrows(() => callOf(tools[0]!.name, input), MCPError);
    assertEquals([error.code, error.message.includes("hunter22"), error.cause], [
      "invalid_arguments",
      false,
      undefined,
    ]);
  }
});

Deno.test("toAnthropicTools() renames arguments that the API refuses, and callOf() names them back", () => {
  const properties = { $filter: { type: "string" }, top: { type: "number" }, "": {} };
  const tool: Tool = { name: "query", inputSchema: { type: "object", properties, required: ["$filter"] } };
  const { tools, callOf, changes } = toAnthropicTools([tool]);
  const schema = tools[0]!.input_schema;
  const [filter = "", top, empty = ""] = Object.keys(schema.properties);
  assertEquals([filter, empty].map((name) => /^[\w.-]{1,64}$/.test(name)), [true, true]);
  assertEquals([top, schema.required], ["top", [filter]]);
  assertEquals(callOf("query", { [filter]: "a eq 1", top: 5, [empty]: 1, more: true }), {
    name: "query",
    args: { $filter: "a eq 1", top: 5, "": 1, more: true },
  });
  assertEquals(changes, [{ tool: "query", change: "arguments_renamed" }]);
});

Deno.test("toAnthropicTools() keeps references to arguments that it renames alive", () => {
  const inputSchema = {
    type: "object",
    properties: {
      "$filter": { type: "object", properties: { by: { type: "string" } } },
      "a/b": { $ref: "#/properties/$filter/properties/by" },
      c: { anyOf: [{ $ref: "#/properties/%24filter" }, { $ref: "#/properties/a~1b" }, { $ref: "#/properties/c" }] },
    },
  };
  const { tools } = toAnthropicTools([{ name: "t", inputSchema }]);
  const schema = tools[0]!.input_schema;
  const references: string[] = [];
  JSON.stringify(schema, (key, value) => (key === "$ref" && references.push(value), value));
  assertEquals(references.length, 4);
  assertEquals(references.filter((reference) => lookUp(schema, reference) === undefined), []);
});

Deno.test("toOpenAITools() gives text that can be sent, whatever a server writes", () => {
  const tool = { name: "t", description: "half \ud83d", inputSchema: { type: "object" } };
  assertEquals(toOpenAITools([tool]).tools[0]!.description, "half \ufffd");
});

Deno.test("toAnthropicTools() sets one cache breakpoint, behind the last tool", () => {
  const { tools, nameOf } = toAnthropicTools(HUNDRED_TOOLS, { cacheTtl: "1h" });
  assertEquals(tools.filter(({ cache_control }) => cache_control !== undefined), [tools.at(-1)!]);
  assertEquals(tools.at(-1)!.cache_control, { type: "ephemeral", ttl: "1h" });
  assertEquals(nameOf("read_file"), "read_file");
  assertEquals(toAnthropicTools([], { cacheTtl: "5m" }).tools, []);
});

Deno.test("An export keeps the order of the tools, takes the first of one name, and says so", () => {
  const { tools, changes } = toAnthropicTools([READ, ...HUNDRED_TOOLS, { ...READ, description: "Other" }]);
  assertEquals(tools.length, 101);
  assertEquals(tools[0]!.description, "Reads a file");
  assertEquals(tools.slice(1).map(({ name }) => name), HUNDRED_TOOLS.map(({ name }) => name));
  assertEquals(changes, [{ tool: "files.read", change: "renamed" }, { tool: "files.read", change: "left_out" }]);
});
