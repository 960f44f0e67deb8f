import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readParamHeaders, toHeaderValue, toParamHeaders } from "../../src/connection/param_headers.ts";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";

/** The table of the specification (2026-07-28, Streamable HTTP, Value Encoding), and what else it says in words. */
const ENCODING: readonly (readonly [value: string, header: string])[] = [
  ["us-west1", "us-west1"],
  ["Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="],
  [" padded ", "=?base64?IHBhZGRlZCA=?="],
  ["line1\nline2", "=?base64?bGluZTEKbGluZTI=?="],
  ["=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="],
  ["", ""],
  ["a", "a"],
  ["two words", "two words"],
  ["a\tb", "a\tb"],
  ["\ta", "=?base64?CWE=?="],
  ["a\r\nX-Evil: 1", "=?base64?YQ0KWC1FdmlsOiAx?="],
  ["\u0000", "=?base64?AA==?="],
  ["\u007f", "=?base64?fw==?="],
  ["=?BASE64?literal?=", "=?BASE64?literal?="],
  ["=?base64?open", "=?base64?open"],
  ["=?base64?=", "=?base64?PT9iYXNlNjQ/PQ==?="],
];

for (const [value, header] of ENCODING) {
  Deno.test(`toHeaderValue() encodes ${JSON.stringify(value)}`, () => {
    assertEquals(toHeaderValue(value), header);
  });
}

Deno.test("toHeaderValue() gives a value that a header takes and that reads back as the same text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
    const value = text.toWellFormed();
    const sent = new Headers({ "mcp-param-x": toHeaderValue(value) }).get("mcp-param-x") ?? "";
    const encoded = /^=\?base64\?(.*)\?=$/.exec(sent)?.[1];
    const read = encoded === undefined ? sent : new TextDecoder().decode(Uint8Array.fromBase64(encoded));
    assertEquals(read, value);
  }));
});

Deno.test("toHeaderValue() encodes a text of any length", () => {
  assertEquals(toHeaderValue("ö".repeat(500_000)).length > 1_000_000, true);
});

function schema(properties: JsonObject, more: JsonObject = {}): JsonObject {
  return { type: "object", properties, ...more };
}

const marked = (name: JsonValue, type: JsonValue = "string"): JsonObject => ({ type, "x-mcp-header": name });

/** Schemas and the headers they ask for. */
const VALID: readonly (readonly [string, JsonObject, readonly (readonly [string, readonly string[]])[]])[] = [
  ["no header", schema({ query: { type: "string" } }), []],
  ["no properties", { type: "object" }, []],
  ["a string", schema({ region: marked("Region") }), [["Mcp-Param-Region", ["region"]]]],
  ["an integer and a boolean", schema({ a: marked("A", "integer"), b: marked("B", "boolean") }), [
    ["Mcp-Param-A", ["a"]],
    ["Mcp-Param-B", ["b"]],
  ]],
  ["a nested one", schema({ where: schema({ deep: schema({ region: marked("R") }) }) }), [
    ["Mcp-Param-R", ["where", "deep", "region"]],
  ]],
  ["every character of a token", schema({ a: marked("!#$%&'*+-.^_`|~0aZ") }), [["Mcp-Param-!#$%&'*+-.^_`|~0aZ", [
    "a",
  ]]]],
  ["a property of that name", schema({ "x-mcp-header": { type: "string" } }), []],
  ["a property called properties", schema({ properties: marked("P") }), [["Mcp-Param-P", ["properties"]]]],
  ["a property called __proto__", schema(JSON.parse('{"__proto__":{"type":"string","x-mcp-header":"P"}}')), [
    ["Mcp-Param-P", ["__proto__"]],
  ]],
];

for (const [what, inputSchema, expected] of VALID) {
  Deno.test(`readParamHeaders() reads ${what}`, () => {
    const found = readParamHeaders(inputSchema)?.map(({ header, path }) => [header, path]);
    assertEquals(found, expected.map((one) => [...one]));
  });
}

/** Schemas that break a rule. */
const INVALID: readonly (readonly [string, JsonObject])[] = [
  ["an empty name", schema({ a: marked("") })],
  ["a name with a space", schema({ a: marked("My Region") })],
  ["a name with a colon", schema({ a: marked("a:b") })],
  ["a name with CR LF", schema({ a: marked("a\r\nX-Evil: 1") })],
  ["a name that is not ASCII", schema({ a: marked("Größe") })],
  ["a name that is no text", schema({ a: marked(7) })],
  ["a name that is null", schema({ a: marked(null) })],
  ["two equal names", schema({ a: marked("Region"), b: marked("Region") })],
  ["two names that differ in case", schema({ a: marked("Region"), b: schema({ c: marked("REGION") }) })],
  ["a number", schema({ a: marked("A", "number") })],
  ["an object", schema({ a: marked("A", "object") })],
  ["an array", schema({ a: marked("A", "array") })],
  ["several types", schema({ a: marked("A", ["string", "null"]) })],
  ["no type", schema({ a: { "x-mcp-header": "A" } })],
  ["the root", { ...schema({}), "x-mcp-header": "A" }],
  ["items", schema({ a: { type: "array", items: marked("A") } })],
  ["properties of items", schema({ a: { type: "array", items: schema({ b: marked("A") }) } })],
  ["prefixItems", schema({ a: { type: "array", prefixItems: [marked("A")] } })],
  ["oneOf", schema({ a: { oneOf: [marked("A")] } })],
  ["anyOf at the root", schema({}, { anyOf: [schema({ a: marked("A") })] })],
  ["allOf", schema({}, { allOf: [schema({ a: marked("A") })] })],
  ["not", schema({}, { not: schema({ a: marked("A") }) })],
  ["then", schema({}, { if: {}, then: schema({ a: marked("A") }) })],
  ["$defs", schema({ a: { $ref: "#/$defs/a" } }, { $defs: { a: marked("A") } })],
  ["additionalProperties", schema({}, { additionalProperties: marked("A") })],
  ["patternProperties", schema({}, { patternProperties: { "^a": marked("A") } })],
];

for (const [where, inputSchema] of INVALID) {
  Deno.test(`readParamHeaders() is undefined for x-mcp-header with ${where}`, () => {
    assertEquals(readParamHeaders(inputSchema), undefined);
  });
}

Deno.test("readParamHeaders() gives a schema up that is too deep or too large", () => {
  let deep = schema({ a: marked("A") });
  for (let depth = 0; depth < 100; depth++) deep = schema({ deep });
  assertEquals(readParamHeaders(deep), undefined);
  const many = Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`p${index}`, { type: "string" }]));
  assertEquals(readParamHeaders(schema({ ...many, a: marked("A") })), undefined);
});

Deno.test("toParamHeaders() reads strings, integers and booleans at their path, and nothing else", () => {
  const inputSchema = schema({
    a: marked("A"),
    n: marked("N", "integer"),
    b: marked("B", "boolean"),
    o: schema({ i: marked("I") }),
  });
  const params = readParamHeaders(inputSchema)!;
  const cases: readonly (readonly [JsonObject, readonly (readonly [string, string])[]])[] = [
    [{}, []],
    [{ a: "x", n: 42, b: true, o: { i: "y" } }, [
      ["Mcp-Param-A", "x"],
      ["Mcp-Param-N", "42"],
      ["Mcp-Param-B", "true"],
      ["Mcp-Param-I", "y"],
    ]],
    [{ n: -7, b: false }, [["Mcp-Param-N", "-7"], ["Mcp-Param-B", "false"]]],
    [{ a: null, n: 1.5, o: "text" }, []],
    [{ a: ["x"], n: 2 ** 53, o: { i: {} } }, []],
    [{ a: "世界" }, [["Mcp-Param-A", "=?base64?5LiW55WM?="]]],
  ];
  for (const [args, expected] of cases) {
    assertEquals(
      toParamHeaders(params, args),
      expected.map((one) => [...one] as const),
    );
  }
  const inherited = readParamHeaders(schema({ toString: marked("T") }))!;
  assertEquals(toParamHeaders(inherited, {}), []);
});
